//! The runtime, and the components that it has loaded.

use crate::cache;
use crate::direct::{self, Pool};
use crate::imports::{self, CronError, CronEvent, CronPre};
use crate::long_calls::{LARGE_BODY, LongCalls};
use crate::outbound::AllowedHosts;
use crate::proxy::Proxy;
use crate::state::{Shared, State};
use crate::stats::Counters;
use crate::{Body, CallError, Code, ComponentSpec, RuntimeConfig, Stats, engine};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, Response};
use reef_redis::{Connections, Touched};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};

/// How long a component computes before it lets others run, and how late a deadline is noticed in
/// a component that never waits.
const TICK: Duration = Duration::from_millis(2);

/// The same while no component is at work, so that a hub in quiet lets the processor sleep.
const IDLE_TICK: Duration = Duration::from_millis(10);

/// How often the idle instances are looked at.
const SHRINKS_EACH: Duration = Duration::from_secs(1);

/// Loads components and runs them. Clones share everything.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    config: RuntimeConfig,
    engine: Engine,
    linker: Linker<State>,
    connections: Connections,
    /// The places for calls under way, over all components.
    places: Arc<Semaphore>,
    long_calls: LongCalls,
    /// All pools there are, for giving back the memory of instances that nobody needs.
    pools: Mutex<Vec<Weak<Pool>>>,
}

impl Runtime {
    /// Starts the engine. Components reach Redis over `connections`.
    ///
    /// # Errors
    /// When the system lacks what the engine needs, or the cache folder cannot be made.
    pub fn new(config: RuntimeConfig, connections: Connections) -> anyhow::Result<Self> {
        let engine = engine::build(&config)?;
        let mut linker = Linker::new(&engine);
        imports::add_to_linker(&mut linker)?;
        let places = Arc::new(Semaphore::new(config.max_concurrent_requests));
        let (long_calls, pools) = Default::default();
        let inner =
            Arc::new(Inner { config, engine, linker, connections, places, long_calls, pools });
        start_clock(&inner)?;
        Ok(Self { inner })
    }

    /// Reads a component and compiles it, or takes it from the cache. It blocks the thread.
    ///
    /// # Errors
    /// When the file cannot be read or is no component, when it imports what this host does not
    /// offer, when it exports nothing that could be called, or when an entry of
    /// `allowed_outbound_hosts` cannot be read.
    pub fn load(&self, spec: ComponentSpec) -> anyhow::Result<Component> {
        let id = spec.id.clone();
        self.inner.load(spec).with_context(|| format!("component {id:?}"))
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Inner {
    fn load(self: &Arc<Self>, spec: ComponentSpec) -> anyhow::Result<Component> {
        let ComponentSpec { id, code, variables, environment, allowed_outbound_hosts } = spec;
        let shared = Arc::new(Shared {
            id,
            variables,
            environment: environment.into_iter().collect(),
            allowed_hosts: AllowedHosts::parse(&allowed_outbound_hosts)?,
            connections: self.connections.clone(),
            max_memory_bytes: self.config.max_memory_bytes,
            counters: Counters::default(),
        });
        let compiled = self.compiled(&code)?;
        let pre = self
            .linker
            .instantiate_pre(&compiled)
            .map_err(anyhow::Error::from)
            .context("it imports what this host does not offer")?;
        let http = Http::detect(self, &shared, &pre);
        let cron = CronPre::new(pre).ok();
        if matches!(http, Http::None) && cron.is_none() {
            bail!(
                "it exports nothing that this host can call; it would need one of {}, \
                 wasi:http/handler@0.3, wasi:http/incoming-handler@0.2 or handle-cron-event",
                direct::INTERFACE
            );
        }
        let loaded = Arc::new(Loaded { runtime: Arc::clone(self), shared, http, cron });
        Ok(Component { loaded })
    }

    /// A component ready for the linker.
    fn compiled(&self, code: &Code) -> anyhow::Result<wasmtime::component::Component> {
        let (wasm, place) = match code {
            Code::File(path) => {
                let place = path.display().to_string();
                (std::fs::read(path).with_context(|| format!("cannot read {place}"))?, place)
            }
            Code::Carried(carried) => match carried.compiled(&self.engine) {
                Some(component) => return Ok(component),
                None => (carried.wasm()?, "what this program carries".to_owned()),
            },
        };
        cache::compile(&self.engine, self.config.cache_dir.as_deref(), &wasm)
            .with_context(|| format!("{place} is not a WebAssembly component"))
    }

    fn shrink(&self) {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.upgrade().inspect(|pool| pool.shrink()).is_some());
    }

    /// Whether no call is under way.
    fn is_idle(&self) -> bool {
        self.places.available_permits() >= self.config.max_concurrent_requests
    }

    /// Waits for a place among the calls under way.
    async fn place(&self) -> Result<OwnedSemaphorePermit, CallError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.config.max_waiting, waiting).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(CallError::Overloaded),
        }
    }
}

/// A component that can be called. Clones share its instances.
#[derive(Clone)]
pub struct Component {
    loaded: Arc<Loaded>,
}

struct Loaded {
    runtime: Arc<Inner>,
    shared: Arc<Shared>,
    http: Http,
    cron: Option<CronPre<State>>,
}

/// How a component takes HTTP requests.
enum Http {
    Direct(Arc<Pool>),
    Proxy(Proxy),
    None,
}

impl Http {
    fn detect(runtime: &Inner, shared: &Arc<Shared>, pre: &InstancePre<State>) -> Self {
        if runtime.config.use_direct
            && let Some(pool) = Pool::detect(&runtime.engine, shared, pre, &runtime.config)
        {
            let pool = Arc::new(pool);
            let mut pools = runtime.pools.lock().unwrap_or_else(PoisonError::into_inner);
            pools.push(Arc::downgrade(&pool));
            Self::Direct(pool)
        } else if let Some(proxy) = Proxy::detect(&runtime.engine, shared, pre, &runtime.config) {
            Self::Proxy(proxy)
        } else {
            Self::None
        }
    }
}

impl Component {
    /// Its name in the manifest.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.loaded.shared.id
    }

    /// Whether it takes HTTP requests.
    #[must_use]
    pub fn serves_http(&self) -> bool {
        !matches!(self.loaded.http, Http::None)
    }

    /// Whether HTTP requests reach it by the direct interface.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        matches!(self.loaded.http, Http::Direct(_))
    }

    /// Whether it takes cron events.
    #[must_use]
    pub fn serves_cron(&self) -> bool {
        self.loaded.cron.is_some()
    }

    /// Has it serve one request.
    ///
    /// # Errors
    /// [`CallError`]; whatever happens, no other request is affected.
    pub async fn handle(&self, request: Request<Bytes>) -> Result<Response<Body>, CallError> {
        self.handle_noting(request, None).await
    }

    /// The same, and takes in what it writes to meanwhile.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    pub async fn handle_noting(
        &self,
        request: Request<Bytes>,
        touched: Option<&Touched>,
    ) -> Result<Response<Body>, CallError> {
        let counters = &self.loaded.shared.counters;
        counters.calls.count();
        let result = self.serve(request, touched).await;
        result.inspect_err(|error| counters.failed(error))
    }

    async fn serve(
        &self,
        request: Request<Bytes>,
        touched: Option<&Touched>,
    ) -> Result<Response<Body>, CallError> {
        let place = self.loaded.runtime.place().await?;
        let limit = self.loaded.runtime.config.request_timeout;
        match &self.loaded.http {
            Http::Direct(pool) => {
                let is_long = request.body().len() >= LARGE_BODY;
                let (pool, touched) = (Arc::clone(pool), touched.cloned());
                // It has its place until it is over, also where nobody waits for it any more.
                let call = async move {
                    let _place = place;
                    pool.call(request, touched.as_ref()).await
                };
                within(limit, self.loaded.runtime.long_calls.run(is_long, call)).await
            }
            Http::Proxy(proxy) => within(limit, proxy.call(request, place, touched)).await,
            Http::None => Err(CallError::Trap("the component takes no HTTP requests".to_owned())),
        }
    }

    /// Hands it a cron event, in an instance of its own. `timestamp` is in seconds since the Unix
    /// epoch. The inner result is the component's.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn handle_cron(&self, timestamp: u64) -> Result<Result<(), String>, CallError> {
        let counters = &self.loaded.shared.counters;
        counters.calls.count();
        let limit = self.loaded.runtime.config.request_timeout;
        let result = within(limit, self.fire(timestamp)).await;
        result.inspect_err(|error| counters.failed(error))
    }

    async fn fire(&self, timestamp: u64) -> Result<Result<(), String>, CallError> {
        let Some(pre) = &self.loaded.cron else {
            return Err(CallError::Trap("the component takes no cron events".to_owned()));
        };
        let _place = self.loaded.runtime.place().await?;
        let mut store = self.loaded.shared.store(&self.loaded.runtime.engine);
        let instance = pre
            .instantiate_async(&mut store)
            .await
            .map_err(|error| CallError::instantiation(&error))?;
        let result = instance.call_handle_cron_event(&mut store, CronEvent { timestamp }).await;
        let result = result.map_err(|error| CallError::trap(&error))?;
        Ok(result.map_err(|CronError::Other(text)| text))
    }

    /// What has happened to it so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let idle = match &self.loaded.http {
            Http::Direct(pool) => pool.idle(),
            Http::Proxy(_) | Http::None => 0,
        };
        self.loaded.shared.counters.read(idle as u64)
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Dropping the future is what ends a call that takes too long: its instance goes with it.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    tokio::time::timeout(limit, call).await.unwrap_or(Err(CallError::Deadline))
}

/// One thread moves the clock of all instances on, until the runtime is gone.
fn start_clock(runtime: &Arc<Inner>) -> std::io::Result<()> {
    let runtime = Arc::downgrade(runtime);
    let tick = move || {
        let mut shrunk = Instant::now();
        while let Some(runtime) = runtime.upgrade() {
            runtime.engine.increment_epoch();
            if shrunk.elapsed() >= SHRINKS_EACH {
                shrunk = Instant::now();
                // A fault in there must not stop the clock.
                let _ = catch_unwind(AssertUnwindSafe(|| runtime.shrink()));
            }
            let tick = if runtime.is_idle() { IDLE_TICK } else { TICK };
            drop(runtime);
            std::thread::sleep(tick);
        }
    };
    std::thread::Builder::new().name("wasm-clock".to_owned()).spawn(tick)?;
    Ok(())
}
