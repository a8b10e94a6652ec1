//! What belongs to one instance, and what all instances of a component share.

use crate::lines::Lines;
use crate::outbound::AllowedHosts;
use crate::stats::Counters;
use reef_redis::{Connections, Touched};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{AsContextMut, Engine, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

/// A component that computes on and on pauses at each of so many ticks.
const TICKS_PER_PAUSE: u32 = 5;

/// How long it pauses.
const PAUSE: Duration = Duration::from_millis(1);

/// What all instances of a component share.
pub(crate) struct Shared {
    pub(crate) id: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) connections: Connections,
    pub(crate) max_memory_bytes: usize,
    pub(crate) counters: Counters,
}

impl Shared {
    /// The store of a new instance.
    pub(crate) fn store(self: &Arc<Self>, engine: &Engine) -> Store<State> {
        self.counters.instances_created.count();
        let mut store = Store::new(engine, State::new(self));
        store.limiter(|state| &mut state.limits);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().give_way()));
        begin_call(&mut store);
        store
    }
}

/// What belongs to one instance: the data of its store.
pub(crate) struct State {
    pub(crate) shared: Arc<Shared>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoOutboundHttp,
    limits: StoreLimits,
    /// How many ticks of the clock the present call has computed through.
    ticks: u32,
    /// Takes in what the present call writes to, where it comes by wasi:http.
    pub(crate) touched: Option<Touched>,
}

/// Grants an instance its first tick of a new call.
pub(crate) fn begin_call(mut store: impl AsContextMut<Data = State>) {
    let mut store = store.as_context_mut();
    store.data_mut().ticks = 0;
    go_on(store);
}

/// Grants an instance another tick of the present call, after it has waited.
pub(crate) fn go_on(mut store: impl AsContextMut<Data = State>) {
    store.as_context_mut().set_epoch_deadline(1);
}

impl State {
    /// What happens at a tick: the component gives way to the other tasks of its thread. That is
    /// also what lets its own deadline come true.
    fn give_way(&mut self) -> UpdateDeadline {
        self.ticks += 1;
        if !self.ticks.is_multiple_of(TICKS_PER_PAUSE) {
            return UpdateDeadline::Yield(1);
        }
        // A thread that always has something to run looks at its timers and sockets only after
        // dozens of tasks, each of which may compute for a whole tick. A real pause lets it.
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(PAUSE)))
    }

    fn new(shared: &Arc<Shared>) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        // What a component prints is a message to the operator, so it goes where the log goes.
        wasi.stdout(Lines::new(&shared.id, false)).stderr(Lines::new(&shared.id, true));
        wasi.envs(&shared.environment);
        Self {
            shared: Arc::clone(shared),
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: NoOutboundHttp,
            limits: StoreLimitsBuilder::new().memory_size(shared.max_memory_bytes).build(),
            ticks: 0,
            touched: None,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Components have no outbound HTTP: nothing in the hub needs it, and a manifest that grants it
/// would grant what this host does not check.
struct NoOutboundHttp;

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Outcome> + Send>), HttpError>;
type Outcome = Result<(), HttpError>;

impl WasiHttpHooks for NoOutboundHttp {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Outcome> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(std::future::ready(Err(HttpError::HttpRequestDenied)))
    }
}
