//! From a configuration to a running hub, and back to nothing: what is started, in which order,
//! and how it ends.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use reef_redis::{Announcements, Connection, Connections, Greeting, Timeouts};
use reef_runtime::{Runtime, RuntimeConfig};
use reef_store::cluster::{CheckReady, Readiness as Answer};
use reef_store::{Layout, Store};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::accord::{Accord, shared_settings};
use crate::admin_key;
use crate::alerts::Alerts;
use crate::app::App;
use crate::config::{self, AdminKey, Config, RedisChoice, Serving};
use crate::cron;
use crate::debug::Debug;
use crate::descriptors;
use crate::era::Era;
use crate::failure::Failure;
use crate::http::hosts::Hosts;
use crate::http::listener;
use crate::http::own::OwnRoutes;
use crate::http::relay::Relay;
use crate::http::service::{Service, Target};
use crate::http::tls::Tls;
use crate::logging;
use crate::long_poll::LongPolls;
use crate::manifest::Manifest;
use crate::manifest::variables::{Layers, Variables};
use crate::metrics::Metrics;
use crate::monitor::Monitor;
use crate::redis::address;
use crate::redis::inspect::{self, Unusable};
use crate::redis::install;
use crate::redis::layouts;
use crate::redis::libraries;
use crate::redis::private::{Prepared, PrivateRedis};
use crate::redis::readiness::Readiness;
use crate::shutdown::Shutdown;
use crate::sse::EventStreams;
use crate::state_dir::{self, StateDir};
use crate::supervise::keep;
use crate::welcome;

/// How long the threads get that still compile or close files when all else has ended.
const LINGER: Duration = Duration::from_secs(1);

/// After how many polls of tasks a busy thread looks at its sockets and timers. A runaway guest
/// keeps a thread for a whole slice at each poll; with tokio's default of 61, what others wait for
/// would be seen 61 slices late. Looking more often costs less than can be measured.
const POLLS_PER_LOOK: u32 = 8;

/// Runs a hub until it is asked to end.
pub(crate) fn run_blocking(config: Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .event_interval(POLLS_PER_LOOK)
        .build()
        .context("cannot start the threads")?;
    let result = runtime.block_on(run(config));
    runtime.shutdown_timeout(LINGER);
    result
}

async fn run(mut config: Config) -> Result<(), Failure> {
    let shutdown = Shutdown::listen()?;
    // Before anything is started, so that a port in use costs nothing. Whoever connects already
    // waits in the kernel's queue.
    let listener = listener::bind(&config.listen)?;
    let tls = config.tls.clone().map(Tls::load).transpose().map_err(Failure::Usage)?;
    warn_of_plain_http(&config);
    config.limits.connections_max = descriptors::make_room(config.limits.connections_max);
    let ground = Ground::lay(&mut config)?;
    let result = tokio::select! {
        biased;
        () = shutdown.asked() => Err(Failure::Interrupted),
        hub = Hub::start(&config, &ground) => hub,
    };
    let result = match result {
        Ok(hub) => hub.run(listener, tls, &config, &shutdown).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    ground.clear().await;
    result
}

/// Off this machine, keys would be readable by whoever is on the way.
fn warn_of_plain_http(config: &Config) {
    let others_reach = config.listen.iter().find(|address| !address.ip().is_loopback());
    if let (Some(address), None) = (others_reach, &config.tls) {
        tracing::warn!(
            "{address} is served without TLS: everybody on the way can read keys and data, and \
             change both. Give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that \
             speaks HTTPS"
        );
    }
}

/// What has to be there before the hub starts, and must be left in order however it ends.
struct Ground {
    variables: Variables,
    web: reef_web::Config,
    redis_url: String,
    private: Option<PrivateRedis>,
    /// Held until the private Redis has ended.
    _state_dir: Option<StateDir>,
}

impl Ground {
    fn lay(config: &mut Config) -> Result<Self, Failure> {
        // `serve` owns nothing in its state directory but a cache, so any number of them may
        // share one.
        let state_dir = match (&config.serving, config.tick) {
            (Some(serving), Some(_)) => {
                Some(StateDir::take(&serving.state_dir).map_err(Failure::Usage)?)
            }
            (Some(serving), None) => {
                state_dir::make_private(&serving.state_dir).map_err(Failure::Usage)?;
                None
            }
            (None, _) => None,
        };
        if let Some(serving) = &config.serving {
            state_dir::make_private(&serving.cache_dir()).map_err(Failure::Usage)?;
        }
        let prepared = match (&config.redis, &state_dir) {
            (RedisChoice::Private(tuning), Some(state_dir)) => {
                install::ensure_program(config.install_redis)?;
                Some(PrivateRedis::prepare(state_dir, *tuning).map_err(Failure::Usage)?)
            }
            _ => None,
        };
        if let Some(prepared) = &prepared {
            for name in ["redis_url", "redis_allow"] {
                config.layers.flags.insert(name.to_owned(), prepared.address());
            }
        }
        if let Some(serving) = &config.serving {
            settle_admin_key(serving, &mut config.layers)?;
        }
        let variables = config.layers.resolve(&config.manifest).map_err(Failure::Usage)?;
        // Host and components must read these alike; one that the manifest does not declare has
        // its default.
        let value = |name: &str| variables.get(name).unwrap_or_default().to_owned();
        let web = reef_web::Config::read(value).map_err(Failure::usage)?;
        let redis_url = match (&config.redis, &prepared) {
            (RedisChoice::Given(url), _) => url.clone(),
            (RedisChoice::Private(_), Some(prepared)) => prepared.address(),
            (RedisChoice::Private(_), None) => {
                return Err(Failure::usage("a private Redis needs a state directory"));
            }
        };
        let private = prepared.map(Prepared::spawn);
        Ok(Self { variables, web, redis_url, private, _state_dir: state_dir })
    }

    async fn clear(self) {
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}

/// Gives the variable `admin_key` its value, and says where the key lies, never what it is.
fn settle_admin_key(serving: &Serving, layers: &mut Layers) -> Result<(), Failure> {
    let (file, key) = match &serving.admin_key {
        AdminKey::Variable => return Ok(()),
        AdminKey::File(file) => (file.clone(), admin_key::read(file)),
        AdminKey::StateDir => {
            let file = config::admin_key_file(&serving.state_dir);
            let key = admin_key::read_or_make(&file);
            (file, key)
        }
    };
    layers.flags.insert("admin_key".to_owned(), key.map_err(Failure::Usage)?);
    tracing::info!("the admin key is in {}", file.display());
    Ok(())
}

/// A hub that can serve.
struct Hub {
    app: App,
    store: Store<Connection>,
    web: reef_web::Config,
    announcements: Announcements,
    era: Arc<Era>,
    readiness: Arc<Readiness>,
    metrics: Metrics,
    /// In which hosts of one hub must agree.
    shared: Vec<(String, String)>,
    debug: Debug,
}

/// The subcommand.
fn role(config: &Config) -> &'static str {
    match (&config.serving, config.tick) {
        (Some(_), Some(_)) => "up",
        (Some(_), None) => "serve",
        (None, _) => "monitor",
    }
}

impl Hub {
    async fn start(config: &Config, ground: &Ground) -> Result<Self, Failure> {
        // Before the first handle of a metric is made.
        let metrics = Metrics::install()?;
        let connections = Connections::new(Timeouts::default());
        let connection = connections.open(&ground.redis_url).map_err(Failure::usage)?;
        let keys = ground.web.settings.keys.clone();
        let era = Arc::new(Era::new(keys, config.redis.loses_nothing()));
        connection.greet_with(Arc::clone(&era) as Arc<dyn Greeting>);
        let announcements = Announcements::new(&ground.redis_url, Timeouts::default());
        let announcements = announcements.map_err(Failure::usage)?;
        let warnings = reach_redis(&connection, ground).await?;
        let store = Store::new(connection, ground.web.settings.keys.clone());
        if let Some(reason) = layouts::refusal(store.redis(), &ground.web.settings.keys).await {
            return Err(Failure::usage(reason));
        }
        check_schema(&store).await?;
        let readiness = Arc::new(Readiness::new(store.clone(), warnings, Arc::clone(&era)));
        readiness.look_at_levels().await;
        let app = match &config.serving {
            Some(serving) => {
                load(serving, &config.manifest, &ground.variables, connections).await?
            }
            None => App::empty()?,
        };
        let shared = shared_settings(&ground.variables, config.serving.is_some());
        let web = ground.web.clone();
        let debug = Debug::new(role(config), config, &ground.variables, store.clone());
        Ok(Self { app, store, web, announcements, era, readiness, metrics, shared, debug })
    }

    /// Serves until the program is asked to end, and ends in order.
    async fn run(
        self,
        listener: TcpListener,
        tls: Option<Tls>,
        config: &Config,
        shutdown: &Shutdown,
    ) -> Result<()> {
        let address = listener.local_addr().context("the address that is listened on")?;
        let role = role(config);
        let own = OwnRoutes::new(
            &config.manifest,
            role,
            Arc::clone(&self.readiness),
            self.metrics.clone(),
            self.app.components,
            self.debug,
        );
        let settings = self.web.settings.clone();
        let (streams, listening) = EventStreams::new(
            self.web,
            self.store.clone(),
            self.announcements,
            config.comment_period,
        );
        let streams = Arc::new(streams);
        let long_polls = LongPolls::new(self.store.clone(), Arc::clone(&streams));
        let hosts = Hosts::new(&config.asked_listen, address);
        let admin_key = streams.config().admin_key.clone();
        let relay = config.hub.as_ref().map(|hub| Relay::new(hub, admin_key)).transpose()?;
        let at = (hosts, relay);
        let service = Service::new(self.app.routes, own, Arc::clone(&streams), long_polls, at);
        let service = Arc::new(service);

        let mut tasks = JoinSet::new();
        let tls = tls.map(Arc::new);
        if let Some(tls) = tls.clone() {
            tasks.spawn(async move { keep("tls", || tls.keep()).await });
        }
        tasks.spawn(listening);
        for job in self.app.jobs {
            tasks.spawn(async move { keep("cron trigger", || cron::run(&job)).await });
        }
        let kept_readiness = Arc::clone(&self.readiness);
        let (readiness, metrics) = (self.readiness, self.metrics);
        tasks.spawn(async move { keep("readiness", || readiness.watch()).await });
        tasks.spawn(async move { keep("metrics", || metrics.upkeep()).await });
        let host = host_name();
        let alerts = match &config.alerts {
            Some(receivers) => Some(Alerts::start(receivers, &host)?),
            None => None,
        };
        let accord = Arc::new(Accord {
            host: host.clone(),
            who: format!("`reef {role}` at {address} (process {})", std::process::id()),
            store: self.store.clone(),
            settings: settings.clone(),
            shared: self.shared,
            readiness: kept_readiness,
            alerts: alerts.clone(),
        });
        let hub = accord.begin().await;
        let state_dir = config.serving.as_ref().map(|serving| serving.state_dir.as_path());
        self.era.seen().read(state_dir.filter(|_| config.tick.is_some()), hub);
        // Where that fails the monitor looks, or the next connection.
        if let Err(error) = self.era.look(&self.store).await {
            tracing::debug!(%error, "the data could not be compared with what was seen before");
        }
        let era = self.era;
        let noted = Arc::clone(&accord);
        tasks.spawn(async move { keep("accord", || noted.keep()).await });
        let library_store = self.store.clone();
        tasks.spawn(async move { keep("libraries", || libraries::keep(&library_store)).await });
        let monitor = config.tick.map(|tick| {
            let monitor = Monitor { host, store: self.store, settings, tick, alerts, era };
            monitor.spawn(shutdown.clone())
        });

        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{address}");
        logging::announce(&announcement(&base, &service, &config.manifest));
        tracing::info!("the dashboard is at {base}/");
        welcome::say(config, scheme, address, streams.store(), streams.config()).await;
        let stop = async {
            shutdown.asked().await;
            // They would else keep the drain waiting for its whole time.
            streams.close();
        };
        listener::serve(listener, service, tls, config.limits, stop).await;
        tasks.shutdown().await;
        finish(monitor).await;
        accord.leave().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Waits until Redis can be used, and tells what could lose data.
async fn reach_redis(connection: &Connection, ground: &Ground) -> Result<Vec<String>, Failure> {
    if let Some(private) = &ground.private {
        private.until_ready().await?;
    }
    if connection.is_cluster() && ground.web.settings.keys.layout() == Layout::Plain {
        return Err(Failure::usage(
            "a Redis Cluster needs key_layout cluster (--variable key_layout=cluster, or \
             SPIN_VARIABLE_KEY_LAYOUT): under the other, keys that belong together would lie on \
             several nodes",
        ));
    }
    let shown = address::without_secrets(&ground.redis_url).map_err(Failure::Usage)?;
    let inspection = inspect::reach(connection).await.map_err(|unusable| match unusable {
        Unusable::Unreachable(reason) => Failure::unreachable(format!(
            "Redis at {shown} cannot be reached: {reason}; start it, or give another address \
             with --redis-url (`reef config check` says more)"
        )),
        Unusable::Unfit(reason) => Failure::usage(reason),
    })?;
    tracing::info!(server = %inspection.server, address = %shown, "Redis");
    let warnings = inspection.sentences();
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    Ok(warnings)
}

/// Data of a newer program is refused: this one would not understand it, and might break it.
async fn check_schema(store: &Store<Connection>) -> Result<(), Failure> {
    match store.call(&CheckReady).await {
        Ok(Answer::Ok) => Ok(()),
        Ok(Answer::NewerSchema(version)) => Err(Failure::usage(format!(
            "the data in Redis has version {version}, which this program does not know; upgrade it"
        ))),
        // A Redis that cannot be written for now, a full disk or a failover, is what /readyz is
        // there to tell.
        Err(error) => {
            tracing::error!(%error, "Redis can be reached but not written");
            Ok(())
        }
    }
}

async fn load(
    serving: &Serving,
    manifest: &Manifest,
    variables: &Variables,
    connections: Connections,
) -> Result<App> {
    let config = RuntimeConfig {
        cache_dir: Some(serving.cache_dir()),
        request_timeout: serving.request_timeout,
        use_direct: serving.use_direct,
        ..RuntimeConfig::default()
    };
    let runtime = Runtime::new(config, connections).context("cannot set wasmtime up")?;
    tracing::info!("loading {} components", manifest.components.len());
    App::load(manifest, variables, &runtime).await
}

/// Tells this process apart from every other host, also from its own predecessor.
fn host_name() -> String {
    format!("host_{}_{}", std::process::id(), uuid::Uuid::now_v7().simple())
}

/// What standard output says when requests are served, in the words of Spin.
fn announcement(base: &str, service: &Service, manifest: &Manifest) -> String {
    let mut lines = format!("Serving {base}\nAvailable Routes:\n");
    for route in service.routes().iter() {
        let (name, description) = match &route.target.target {
            Target::Static(fixed) => (fixed.id.as_str(), None),
            Target::Component(component) => {
                let declared = manifest.components.get(component.id());
                (component.id(), declared.and_then(|c| c.description.as_deref()))
            }
        };
        lines.push_str(&format!("  {name}: {base}{}\n", route.display()));
        if let Some(description) = description {
            lines.push_str(&format!("    {description}\n"));
        }
    }
    lines
}

async fn finish(monitor: Option<JoinHandle<()>>) {
    if let Some(monitor) = monitor
        && let Err(error) = monitor.await
    {
        tracing::error!(%error, "the monitor has failed");
    }
}
