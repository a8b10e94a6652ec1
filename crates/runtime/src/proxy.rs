//! Calls a component by wasi:http, as Spin does, where it lacks the direct interface.
//!
//! An instance serves one call at a time here too, so that a trap costs one request. Components of
//! WASI 0.3 are used again; those of 0.2 are not, because on Spin they never are and may rely on it.

use crate::state::{Shared, State, begin_call};
use crate::{Body, CallError, RuntimeConfig};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use reef_redis::Touched;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, InstancePre};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    ExpirationError, HandlerState, Instance, InstantiationError, ProxyHandler, ProxyPre,
    ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{WasiHttpView, p2, p3};

/// How long a component may go on writing a body after it has given the head of its response.
const STREAM_MAX: Duration = Duration::from_secs(300);

/// How much longer than its call an instance lives that does not give way to the call's deadline.
/// The caller has then been answered already, with the right error.
const GRACE: Duration = Duration::from_millis(100);

/// How often an instance of a WASI 0.3 component is used, as on Spin.
const REUSE: usize = 128;

/// Serves the requests of one component through wasi:http.
pub(crate) struct Proxy {
    handler: ProxyHandler<Factory>,
}

impl Proxy {
    /// A handler for a component, if it has the interface, in either version.
    pub(crate) fn detect(
        engine: &Engine,
        shared: &Arc<Shared>,
        pre: &InstancePre<State>,
        config: &RuntimeConfig,
    ) -> Option<Self> {
        let (pre, reuse) = if let Ok(pre) = p3::bindings::ServicePre::new(pre.clone()) {
            (ProxyPre::P3(pre), REUSE.min(config.max_reuse as usize))
        } else {
            (ProxyPre::P2(p2::bindings::ProxyPre::new(pre.clone()).ok()?), 1)
        };
        let factory = Factory {
            engine: engine.clone(),
            shared: Arc::clone(shared),
            pre,
            reuse,
            limit: config.request_timeout,
        };
        Some(Self { handler: ProxyHandler::new(factory) })
    }

    /// Serves one request. The body of the response may outlast the call, so it keeps the place.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        place: OwnedSemaphorePermit,
        touched: Option<&Touched>,
    ) -> Result<Response<Body>, CallError> {
        let request =
            request.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync());
        let response = self
            .handler
            .handle(touched.cloned(), request)
            .await
            .map_err(|error| failure(&error))?;
        let stream = |body: wasmtime_wasi_http::WasiBody| {
            let body = body.map_err(|error| anyhow::anyhow!("the body broke off: {error:?}"));
            Body::stream(body.boxed_unsync(), place)
        };
        Ok(response.map(stream))
    }
}

fn failure(error: &wasmtime::Error) -> CallError {
    if error.is::<ExpirationError>() {
        return CallError::Deadline;
    }
    match error.downcast_ref::<InstantiationError<Option<Touched>>>() {
        Some(error) => CallError::instantiation(&error.error),
        None => CallError::trap(error),
    }
}

/// Makes instances.
struct Factory {
    engine: Engine,
    shared: Arc<Shared>,
    pre: ProxyPre<State>,
    reuse: usize,
    limit: Duration,
}

impl HandlerState for Factory {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let mut store = self.shared.store(&self.engine);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration { limit: self.limit, sleep: None },
            state: Worker { id: self.shared.id.clone(), reuse: self.reuse, limit: self.limit },
        })
    }
}

/// Decides which requests an instance takes.
struct Worker {
    id: String,
    reuse: usize,
    limit: Duration,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Option<Touched>;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse {
            ShouldAccept::Never
        } else if concurrent > 0 {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        touched: Option<Touched>,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        store.data_mut().touched = touched;
        begin_call(store);
        Box::pin(tokio::time::sleep(self.limit))
    }

    fn drop(&self, store: Store<State>, result: wasmtime::Result<()>) {
        drop(store);
        if let Err(error) = result {
            tracing::warn!(component = self.id, "an instance ended: {error:#}");
        }
    }
}

/// Ends an instance that idles, or that computes without ever giving way to its own deadline.
struct Expiration {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let allowed = match status {
            WorkerStatus::Idle => crate::direct::IDLE_MAX,
            WorkerStatus::Requests => self.limit + GRACE,
            WorkerStatus::PostReturn => STREAM_MAX,
        };
        let deadline = tokio::time::Instant::from_std(start + allowed);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}
