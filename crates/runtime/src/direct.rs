//! Calls a component by its direct interface. This is the hot path.
//!
//! An instance serves one call at a time, in the task of the connection that brought the request,
//! and goes back to the pool only when the call has succeeded. So a trap, a deadline or a caller
//! that goes away costs one request and one instance, and nobody else anything.

use crate::state::{Shared, State, begin_call};
use crate::{Body, CallError};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::component::{ComponentExportIndex, ComponentType, Func, InstancePre, Lift, Lower};
use wasmtime::{Engine, Store};

/// The interface's name among a component's exports.
pub(crate) const INTERFACE: &str = "reef:hub/handler@0.1.0";

/// How long an instance waits for its next call before its memory is given back.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(10);

/// A request as `wit/hub.wit` has it, borrowed: its bytes are copied once, into the component.
#[derive(ComponentType, Lower)]
#[component(record)]
struct WireRequest<'a> {
    method: &'a str,
    #[component(name = "path-and-query")]
    path_and_query: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
}

/// A response as `wit/hub.wit` has it.
#[derive(ComponentType, Lift)]
#[component(record)]
struct WireResponse {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// The instances of one component, and how to make more.
pub(crate) struct Pool {
    engine: Engine,
    shared: Arc<Shared>,
    pre: InstancePre<State>,
    handle: ComponentExportIndex,
    max_reuse: u32,
    max_body_bytes: usize,
    /// The last one used is the first to be used again, because its memory is warm.
    idle: Mutex<Vec<Instance>>,
}

struct Instance {
    store: Store<State>,
    handle: Func,
    calls: u32,
    idle_since: Instant,
}

impl Pool {
    /// A pool for a component, if it has the direct interface.
    pub(crate) fn detect(
        engine: &Engine,
        shared: &Arc<Shared>,
        pre: &InstancePre<State>,
        config: &crate::RuntimeConfig,
    ) -> Option<Self> {
        let component = pre.component();
        let interface = component.get_export_index(None, INTERFACE)?;
        let handle = component.get_export_index(Some(&interface), "handle")?;
        Some(Self {
            engine: engine.clone(),
            shared: Arc::clone(shared),
            pre: pre.clone(),
            handle,
            max_reuse: config.max_reuse,
            max_body_bytes: config.max_body_bytes,
            idle: Mutex::default(),
        })
    }

    /// Serves one request. Dropping the future drops the instance.
    pub(crate) async fn call(&self, request: &Request<Bytes>) -> Result<Response<Body>, CallError> {
        let mut instance = match self.take() {
            Some(instance) => instance,
            None => self.create().await?,
        };
        let answer = instance.call(request).await.map_err(|error| CallError::trap(&error))?;
        self.put_back(instance);
        self.response(answer)
    }

    /// How many instances wait for a call.
    pub(crate) fn idle(&self) -> usize {
        self.instances().len()
    }

    /// Gives the memory of instances back that nobody has needed for a while.
    pub(crate) fn shrink(&self) {
        let mut idle = self.instances();
        let fresh = idle.iter().position(|instance| instance.idle_since.elapsed() < IDLE_MAX);
        let count = fresh.unwrap_or(idle.len());
        let old: Vec<_> = idle.drain(..count).collect();
        drop(idle);
        drop(old);
    }

    fn instances(&self) -> std::sync::MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Instance> {
        self.instances().pop()
    }

    fn put_back(&self, mut instance: Instance) {
        instance.calls += 1;
        if instance.calls < self.max_reuse {
            instance.idle_since = Instant::now();
            self.instances().push(instance);
        }
    }

    async fn create(&self) -> Result<Instance, CallError> {
        let mut store = self.shared.store(&self.engine);
        let instance = self
            .pre
            .instantiate_async(&mut store)
            .await
            .map_err(|error| CallError::instantiation(&error))?;
        let handle = instance
            .get_func(&mut store, self.handle)
            .ok_or_else(|| CallError::Trap("the handler is not a function".to_owned()))?;
        Ok(Instance { store, handle, calls: 0, idle_since: Instant::now() })
    }

    fn response(&self, answer: WireResponse) -> Result<Response<Body>, CallError> {
        let bad = |what: &str| Err(CallError::BadResponse(what.to_owned()));
        let Ok(status) = StatusCode::from_u16(answer.status) else {
            return bad("the status is not one of HTTP");
        };
        if status.is_informational() {
            return bad("an informational status is not an answer");
        }
        if answer.body.len() > self.max_body_bytes {
            return bad("the body is too large");
        }
        let mut headers = HeaderMap::with_capacity(answer.headers.len());
        for (name, value) in answer.headers {
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
                return bad("a header's name is not allowed in HTTP");
            };
            let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) else {
                return bad("a header's value is not allowed in HTTP");
            };
            // The connection is the host's, and so is the length, which it knows better.
            if !is_of_the_connection(&name) {
                let Ok(_) = headers.try_append(name, value) else {
                    return bad("there are too many headers");
                };
            }
        }
        let mut response = Response::new(Body::full(answer.body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl Instance {
    async fn call(&mut self, request: &Request<Bytes>) -> wasmtime::Result<WireResponse> {
        let headers: Vec<(&str, &[u8])> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let path = request.uri().path_and_query();
        let wire = WireRequest {
            method: request.method().as_str(),
            path_and_query: path.map_or("/", http::uri::PathAndQuery::as_str),
            headers: &headers,
            body: request.body(),
        };
        begin_call(&mut self.store);
        let handle = self.handle.typed::<(WireRequest<'_>,), (WireResponse,)>(&self.store)?;
        let (response,) = handle.call_async(&mut self.store, (wire,)).await?;
        Ok(response)
    }
}

fn is_of_the_connection(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH
        || *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::HOST
        || name.as_str() == "keep-alive"
        || name.as_str() == "proxy-connection"
}
