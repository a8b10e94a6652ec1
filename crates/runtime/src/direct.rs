//! Calls a component by its direct interface. This is the hot path.
//!
//! An instance serves one call at a time, in the task of the connection that brought the request,
//! and goes back to the pool only when the call has succeeded. So a trap, a deadline or a caller
//! that goes away costs one request and one instance, and nobody else anything.

use crate::state::{Shared, State, begin_call, go_on};
use crate::{Body, CallError};
use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use reef_redis::{Connection, Touched};
use reef_store::packed::Packed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, ComponentType, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::{Engine, Store};

/// The interface's name among a component's exports.
pub(crate) const INTERFACE: &str = "reef:hub/handler@0.2.0";

/// How long an instance waits for its next call before its memory is given back.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(10);

/// The types of `wit/hub.wit`.
mod wire {
    use super::{ComponentType, Lift, Lower};

    #[derive(ComponentType, Lift)]
    #[component(record)]
    pub(super) struct Response {
        pub(super) status: u16,
        pub(super) headers: Vec<u8>,
        pub(super) body: Vec<u8>,
    }

    #[derive(ComponentType, Lift)]
    #[component(record)]
    pub(super) struct Command {
        pub(super) address: String,
        pub(super) words: Vec<u8>,
    }

    #[derive(ComponentType, Lower)]
    #[component(variant)]
    pub(super) enum Failure {
        #[component(name = "not-allowed")]
        NotAllowed,
        #[component(name = "other")]
        Other(String),
    }

    #[derive(ComponentType, Lift)]
    #[component(variant)]
    pub(super) enum Step {
        #[component(name = "answer")]
        Answer(Response),
        #[component(name = "ask")]
        Ask(Vec<Command>),
    }
}

type Start = TypedFunc<(Vec<(String, String)>,), ()>;
type Handle = TypedFunc<(Vec<u8>, Vec<u8>), (wire::Step,)>;
type Reply = Result<Vec<u8>, wire::Failure>;
type Resume = TypedFunc<(Vec<Reply>,), (wire::Step,)>;

/// The instances of one component, and how to make more.
pub(crate) struct Pool {
    engine: Engine,
    shared: Arc<Shared>,
    pre: InstancePre<State>,
    exports: Exports,
    max_reuse: u32,
    max_body_bytes: usize,
    /// The last one used is the first to be used again, because its memory is warm.
    idle: Mutex<Vec<Instance>>,
}

/// Where the functions of the interface are among a component's exports.
struct Exports {
    start: ComponentExportIndex,
    handle: ComponentExportIndex,
    resume: ComponentExportIndex,
}

struct Instance {
    store: Store<State>,
    handle: Handle,
    resume: Resume,
    /// The server that was asked last.
    redis: Option<(String, Connection)>,
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
        let export = |name| component.get_export_index(Some(&interface), name);
        let exports = Exports {
            start: export("start")?,
            handle: export("handle")?,
            resume: export("resume")?,
        };
        Some(Self {
            engine: engine.clone(),
            shared: Arc::clone(shared),
            pre: pre.clone(),
            exports,
            max_reuse: config.max_reuse,
            max_body_bytes: config.max_body_bytes,
            idle: Mutex::default(),
        })
    }

    /// Serves one request. Dropping the future drops the instance.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        touched: Option<&Touched>,
    ) -> Result<Response<Body>, CallError> {
        let mut instance = match self.take() {
            Some(instance) => instance,
            None => self.create().await?,
        };
        let answer = instance.call(&self.shared, request, touched).await?;
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
        let failed = |error: wasmtime::Error| CallError::instantiation(&error);
        let mut store = self.shared.store(&self.engine);
        let instance = self.pre.instantiate_async(&mut store).await.map_err(failed)?;
        let start: Start = typed(&instance, &mut store, self.exports.start)?;
        let handle = typed(&instance, &mut store, self.exports.handle)?;
        let resume = typed(&instance, &mut store, self.exports.resume)?;
        let variables = self.shared.variables.clone().into_iter().collect();
        start.call_async(&mut store, (variables,)).await.map_err(failed)?;
        Ok(Instance { store, handle, resume, redis: None, calls: 0, idle_since: Instant::now() })
    }

    fn response(&self, answer: wire::Response) -> Result<Response<Body>, CallError> {
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
        let Some(packed) = Packed::read(answer.headers) else {
            return bad("its headers end too early");
        };
        let mut headers = HeaderMap::with_capacity(HEADERS_USUAL);
        let mut items = packed.iter();
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            let Ok(name) = HeaderName::from_bytes(name) else {
                return bad("a header's name is not allowed in HTTP");
            };
            let Ok(value) = HeaderValue::from_bytes(value) else {
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

/// How many headers an answer has room for without growing, what the host adds included.
const HEADERS_USUAL: usize = 16;

fn typed<Params, Return>(
    instance: &wasmtime::component::Instance,
    store: &mut Store<State>,
    export: ComponentExportIndex,
) -> Result<TypedFunc<Params, Return>, CallError>
where
    Params: ComponentNamedList + Lower,
    Return: ComponentNamedList + Lift,
{
    instance.get_typed_func(store, export).map_err(|error| CallError::instantiation(&error))
}

impl Instance {
    async fn call(
        &mut self,
        shared: &Shared,
        request: Request<Bytes>,
        touched: Option<&Touched>,
    ) -> Result<wire::Response, CallError> {
        let trap = |error: wasmtime::Error| CallError::trap(&error);
        let (parts, body) = request.into_parts();
        let mut head = Packed::with_capacity(HEAD_BYTES_USUAL);
        head.push(parts.method.as_str().as_bytes());
        let path = parts.uri.path_and_query();
        head.push(path.map_or("/", http::uri::PathAndQuery::as_str).as_bytes());
        for (name, value) in &parts.headers {
            head.push(name.as_str().as_bytes());
            head.push(value.as_bytes());
        }
        begin_call(&mut self.store);
        let arguments = (head.into_bytes(), Vec::from(body));
        let (mut step,) = self.handle.call_async(&mut self.store, arguments).await.map_err(trap)?;
        loop {
            let commands = match step {
                wire::Step::Answer(answer) => return Ok(answer),
                wire::Step::Ask(commands) => commands,
            };
            // What is refused is answered without a wait, and a component may go on asking for it:
            // others must have their turn, and the call its deadline.
            tokio::task::consume_budget().await;
            let replies = self.ask(shared, commands, touched).await?;
            go_on(&mut self.store);
            (step,) = self.resume.call_async(&mut self.store, (replies,)).await.map_err(trap)?;
        }
    }

    /// Has Redis carry out what the component asks for, all at once.
    async fn ask(
        &mut self,
        shared: &Shared,
        commands: Vec<wire::Command>,
        touched: Option<&Touched>,
    ) -> Result<Vec<Reply>, CallError> {
        let mut replies = Vec::with_capacity(commands.len());
        for wire::Command { address, words } in commands {
            let words = Packed::read(words);
            let is_named = |words: &Packed| {
                words.iter().next().is_some_and(|name| std::str::from_utf8(name).is_ok())
            };
            let Some(words) = words.filter(is_named) else {
                return Err(CallError::BadResponse("a command has no name".to_owned()));
            };
            let redis = self.redis(shared, address);
            let redis = match touched {
                Some(touched) => redis.map(|redis| redis.noting(touched)),
                None => redis,
            };
            replies.push(async move {
                let Some(redis) = redis else { return Err(wire::Failure::NotAllowed) };
                shared.counters.redis_calls.count();
                match redis.execute_packed(&words).await {
                    Ok(reply) => Ok(reply.into_bytes()),
                    Err(error) => Err(wire::Failure::Other(error.to_string())),
                }
            });
        }
        Ok(join_all(replies).await)
    }

    /// The connection to a server, if the component may have one.
    fn redis(&mut self, shared: &Shared, address: String) -> Option<Connection> {
        match &self.redis {
            Some((known, redis)) if *known == address => Some(redis.clone()),
            _ => {
                let redis = shared.connect(&address)?;
                self.redis = Some((address, redis.clone()));
                Some(redis)
            }
        }
    }
}

/// How many bytes the head of a request has room for without growing.
const HEAD_BYTES_USUAL: usize = 512;

fn is_of_the_connection(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH
        || *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::HOST
        || name.as_str() == "keep-alive"
        || name.as_str() == "proxy-connection"
}
