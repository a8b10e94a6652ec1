//! What will be done: the flags, the environment, the files of the configuration and the manifest,
//! brought together and checked.
//!
//! Everything that can be refused without touching the machine is refused here, with exit code 2.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reef_settings::{Origin, Settings, VARIABLES};
use url::{Host, Url};

use crate::alerts;
use crate::carried;
use crate::cli::{AuthMode, Command, CommonArgs, MonitoringArgs, RelayArgs, ServingArgs};
use crate::config_command::show;
use crate::failure::Failure;
use crate::http::tls::TlsFiles;
use crate::logging;
use crate::manifest::variables::Layers;
use crate::manifest::{Manifest, RuntimeConfig};
use crate::redis::address;
use crate::redis::private::Tuning;
use crate::reef_toml;

/// The longest time that a flag may ask for.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);
/// The shortest time between two rounds of the monitor: below it, rounds would follow each other
/// without a pause on a loaded Redis.
const TICK_MIN: Duration = Duration::from_millis(10);

/// What will be done.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where to listen; the first that can be bound is taken.
    pub(crate) listen: Vec<SocketAddr>,
    /// The same as it was asked for: `HOST:PORT`.
    pub(crate) asked_listen: String,
    /// The certificates; `None`: plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    /// The application.
    pub(crate) manifest: Manifest,
    /// The values of its variables, as far as they are known before anything has been started.
    pub(crate) layers: Layers,
    pub(crate) redis: RedisChoice,
    /// Running the components, for `up` and `serve`.
    pub(crate) serving: Option<Serving>,
    /// The time between two rounds of the monitor, for `up` and `monitor`.
    pub(crate) tick: Option<Duration>,
    /// Who is told of what an operator should hear of.
    pub(crate) alerts: Option<alerts::Settings>,
    /// What clients may ask of the listener.
    pub(crate) limits: Limits,
    /// Whether a server program is installed where there is none, without a question.
    pub(crate) install_redis: bool,
    /// Whether somebody is told how to go on, once requests are served.
    pub(crate) welcome: Welcome,
    /// How often a reader of an event stream is told that it is alive.
    pub(crate) comment_period: Duration,
    /// The hub whose page is served here, for `monitor`.
    pub(crate) hub: Option<HubElsewhere>,
    /// What is set, and where, as it may be shown.
    pub(crate) shown: serde_json::Value,
    /// What must not be shown, beside secret variables.
    secrets: Vec<String>,
}

/// A hub that another host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubElsewhere {
    /// Scheme, host and port.
    pub(crate) url: Url,
    /// The authorities that are believed, where that is not this machine's to say.
    pub(crate) ca: Option<PathBuf>,
}

/// Whether somebody is told how to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Welcome {
    /// In any case.
    Asked,
    /// A person at a terminal.
    People,
    /// Nobody.
    Nobody,
}

/// What clients may ask of the listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most HTTP connections at once.
    pub(crate) connections_max: u32,
    /// Most of one address over which no good key has come.
    pub(crate) connections_per_address: u32,
    /// How long a client may take nothing of what is sent to it.
    pub(crate) send_timeout: Duration,
    /// How long a shutdown waits for the requests it found.
    pub(crate) drain_timeout: Duration,
}

/// Which Redis the hub uses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RedisChoice {
    /// One that runs anyway, at this address (which may hold a password).
    Given(String),
    /// One of our own.
    Private(Tuning),
}

impl RedisChoice {
    /// Whether it is known that what was answered is on the disk, and read again from there.
    pub(crate) fn loses_nothing(&self) -> bool {
        matches!(self, Self::Private(tuning) if tuning.fsync == crate::cli::Fsync::Always)
    }
}

/// What running the components needs.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Where the hub keeps what it owns.
    pub(crate) state_dir: PathBuf,
    /// Most time for one request.
    pub(crate) request_timeout: Duration,
    /// Whether components are called by Reef's own interface.
    pub(crate) use_direct: bool,
    /// Where the admin key comes from.
    pub(crate) admin_key: AdminKey,
}

/// Where the admin key comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AdminKey {
    /// It is a variable of the manifest like any other, which may be empty: no admin.
    Variable,
    /// This file has it.
    File(PathBuf),
    /// A file in the state directory has it, and is made when it is not there.
    StateDir,
}

impl Config {
    /// Checks what was typed.
    ///
    /// # Errors
    /// [`Failure::Usage`] for everything that cannot be done as asked.
    pub(crate) fn from_command(command: Command, settings: &Settings) -> Result<Self, Failure> {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        let welcome = match &command {
            Command::Up(args) if args.sign_in_link && logging::is_json() => {
                return Err(Failure::usage(
                    "--sign-in-link is for people, and a log in JSON for programs; `reef page \
                     --sign-in-link` prints a link at any time",
                ));
            }
            Command::Up(args) if args.sign_in_link => Welcome::Asked,
            Command::Up(_) => Welcome::People,
            Command::Serve(_) | Command::Monitor(_) => Welcome::Nobody,
        };
        let install_redis = matches!(&command, Command::Up(args) if args.install_redis);
        let hub = match &command {
            Command::Monitor(args) => hub_elsewhere(&args.relay).map_err(Failure::Usage)?,
            Command::Up(_) | Command::Serve(_) => None,
        };
        let config = match command {
            Command::Up(args) => {
                let private = Some(Tuning { fsync: args.redis_fsync, memory: args.redis_memory });
                let (serving, tick) = (Some(args.serving), Some(args.monitoring));
                Self::check(args.common, serving, tick, private, environment, settings)
            }
            Command::Serve(args) => {
                Self::check(args.common, Some(args.serving), None, None, environment, settings)
            }
            Command::Monitor(args) => {
                Self::check(args.common, None, Some(args.monitoring), None, environment, settings)
            }
        }
        .map_err(Failure::Usage)?;
        Ok(Self { install_redis, welcome, hub, shown: show::to_json(settings)?, ..config })
    }

    /// What must not be shown, beside secret variables: texts of files and flags.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let alerts = self.alerts.iter().flat_map(alerts::Settings::secrets);
        self.secrets.iter().cloned().chain(alerts).collect()
    }

    /// `private` says that a private Redis may be started.
    fn check(
        common: CommonArgs,
        serving: Option<ServingArgs>,
        monitoring: Option<MonitoringArgs>,
        private: Option<Tuning>,
        environment: Vec<(String, String)>,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let listen = resolve(&common.listen)?;
        let named = common.spin_file.as_deref();
        match carried::manifest_file(named) {
            Some(file) => tracing::info!("serving what {} names", file.display()),
            None => tracing::info!("serving the components that this program carries"),
        }
        let manifest = carried::find_manifest(named)?;
        if let Some(toml) = settings.toml() {
            reef_toml::check(toml, Some(&manifest))?;
        }
        let shared_redis_url = settings.redis()?.map(|address| address.url);

        let mut layers = Layers::default();
        layers.type_in(&common.variables)?;
        layers.check_typed(&manifest)?;
        layers.take_environment(environment);
        if let Some(file) = &common.runtime_config_file {
            layers.provided = RuntimeConfig::load(file)?.into_values();
        }
        take_files(settings, &mut layers);
        let redis =
            choose_redis(common.redis_url, shared_redis_url, private, &manifest, &mut layers)?;
        let makes_key = private.is_some();
        let serving = match serving {
            Some(args) => Some(check_serving(args, &manifest, &mut layers, &listen, makes_key)?),
            None => None,
        };
        let alerts = match &monitoring {
            Some(args) => alerts::Settings::read(&args.alerts)?,
            None => None,
        };
        let tick = monitoring.map(|args| check_tick(args.tick)).transpose()?;
        anyhow::ensure!(common.max_connections > 0, "--max-connections must be at least 1");
        anyhow::ensure!(
            common.max_connections_per_address > 0,
            "--max-connections-per-address must be at least 1"
        );
        let limits = Limits {
            connections_max: common.max_connections,
            connections_per_address: common.max_connections_per_address,
            send_timeout: seconds("--send-timeout", common.send_timeout)?,
            drain_timeout: seconds("--drain-timeout", common.drain_timeout)?,
        };
        let comment_period = seconds("--stream-comment-period", common.stream_comment_period)?;
        let asked_listen = common.listen;
        Ok(Self {
            listen,
            asked_listen,
            tls: common.tls.files(),
            manifest,
            layers,
            redis,
            serving,
            tick,
            alerts,
            limits,
            install_redis: false,
            welcome: Welcome::Nobody,
            comment_period,
            hub: None,
            shown: serde_json::Value::Null,
            secrets: settings.value("redis.password").map(|value| value.text).into_iter().collect(),
        })
    }
}

/// Reads the address of a hub. One on another machine must be asked with TLS: what stands for a key on
/// the way is good for one request alone, but what is asked and answered can be read and changed.
fn hub_elsewhere(args: &RelayArgs) -> anyhow::Result<Option<HubElsewhere>> {
    let Some(text) = args.hub_url.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    // Without the text itself, in which there may be a password.
    let rule = "--hub-url wants http:// or https://, a host and perhaps a port, such as \
                https://hub.example, and nothing else";
    let url = Url::parse(text).map_err(|error| anyhow::anyhow!("{rule}: {error}"))?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none();
    let is_http = matches!(url.scheme(), "http" | "https");
    anyhow::ensure!(is_http && is_bare && url.host().is_some(), "{rule}");
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    anyhow::ensure!(
        url.scheme() == "https" || is_here || args.insecure,
        "--hub-url names another machine without TLS, so that whoever is on the way can read and \
         change what is asked and answered; use https://, or say --insecure if the network between \
         is yours alone"
    );
    Ok(Some(HubElsewhere { url, ca: args.hub_ca.clone() }))
}

/// Takes from `reef.toml` and the files of the configuration what is a variable of the manifest.
/// They are weaker than the runtime configuration.
fn take_files(settings: &Settings, layers: &mut Layers) {
    if let Some(toml) = settings.toml() {
        let set = toml.entries().iter().filter(|entry| entry.is_set());
        for entry in set {
            // The one flag that is a variable and has no other way there.
            let name = match entry.key.as_str() {
                "auth_mode" => Some("auth_mode"),
                key => key.strip_prefix(VARIABLES),
            };
            if let Some(name) = name {
                layers.provided.entry(name.to_owned()).or_insert_with(|| entry.text());
            }
        }
    }
    if let Some(value) = settings.given("node.heartbeat_ttl")
        && matches!(value.origin, Origin::File(_))
    {
        let name = "heartbeat_ttl_seconds".to_owned();
        layers.provided.entry(name).or_insert_with(|| value.text.clone());
    }
}

/// Reads `HOST:PORT`.
fn resolve(listen: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let addresses: Vec<SocketAddr> = listen
        .to_socket_addrs()
        .map_err(|e| {
            anyhow::anyhow!("--listen wants HOST:PORT such as 127.0.0.1:8888, not {listen:?}: {e}")
        })?
        .collect();
    anyhow::ensure!(!addresses.is_empty(), "--listen {listen}: no such host");
    Ok(addresses)
}

fn seconds(flag: &str, value: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|d| !d.is_zero() && *d <= TIMEOUT_MAX)
        .ok_or_else(|| anyhow::anyhow!("{flag} wants seconds above 0, not {value}"))
}

fn check_tick(milliseconds: u64) -> anyhow::Result<Duration> {
    let tick = Duration::from_millis(milliseconds);
    anyhow::ensure!(
        (TICK_MIN..=TIMEOUT_MAX).contains(&tick),
        "--tick wants at least {} milliseconds, not {milliseconds}",
        TICK_MIN.as_millis()
    );
    Ok(tick)
}

/// Settles which Redis is used, and lets the components know: sets `redis_url` and, unless
/// somebody has given one, `redis_allow`.
fn choose_redis(
    flag: Option<String>,
    shared: Option<String>,
    private: Option<Tuning>,
    manifest: &Manifest,
    layers: &mut Layers,
) -> anyhow::Result<RedisChoice> {
    let flag = flag.filter(|url| !url.is_empty());
    let by_flag = flag.is_some();
    if let Some(url) = &flag {
        refuse_two("--redis-url", "redis_url", url, layers)?;
    }
    let url = flag.or_else(|| layers.given("redis_url").map(str::to_owned)).or(shared);
    let url = match (url, private) {
        (Some(url), _) => url,
        (None, Some(tuning)) => return Ok(RedisChoice::Private(tuning)),
        (None, None) => match layers.value(manifest, "redis_url") {
            Some(url) => url.to_owned(),
            None => anyhow::bail!("no Redis is given; set --redis-url or REDIS_URL"),
        },
    };
    let allow = address::without_secrets(&url)?;
    layers.flags.insert("redis_url".to_owned(), url.clone());
    if by_flag || layers.given("redis_allow").is_none() {
        layers.flags.insert("redis_allow".to_owned(), allow);
    }
    Ok(RedisChoice::Given(url))
}

/// A flag and `--variable` must not contradict each other.
fn refuse_two(flag: &str, name: &str, value: &str, layers: &Layers) -> anyhow::Result<()> {
    match layers.typed.get(name) {
        Some(typed) if typed != value => {
            anyhow::bail!("{flag} and --variable {name} say different things")
        }
        _ => Ok(()),
    }
}

fn check_serving(
    args: ServingArgs,
    manifest: &Manifest,
    layers: &mut Layers,
    listen: &[SocketAddr],
    makes_key: bool,
) -> anyhow::Result<Serving> {
    if let Some(mode) = args.auth_mode {
        refuse_two("--auth-mode", "auth_mode", mode.as_str(), layers)?;
        layers.flags.insert("auth_mode".to_owned(), mode.as_str().to_owned());
    }
    match layers.value(manifest, "auth_mode") {
        Some("open") => refuse_open_to_others(listen, args.insecure)?,
        Some("keys") | None => {}
        Some(other) => anyhow::bail!(
            "auth_mode is {:?} or {:?}, not {other:?}",
            AuthMode::Open.as_str(),
            AuthMode::Keys.as_str()
        ),
    }
    let given = layers.given("admin_key").is_some_and(|key| !key.is_empty());
    let admin_key = match args.admin_key_file {
        Some(_) if layers.typed.contains_key("admin_key") => {
            anyhow::bail!("--admin-key-file and --variable admin_key say different things")
        }
        Some(file) => AdminKey::File(file),
        None if makes_key && !given && manifest.variables.contains_key("admin_key") => {
            AdminKey::StateDir
        }
        None => AdminKey::Variable,
    };
    let request_timeout = seconds("--request-timeout", args.request_timeout)?;
    let use_direct = !args.no_direct;
    Ok(Serving { state_dir: args.state_dir, request_timeout, use_direct, admin_key })
}

/// Without keys everybody who reaches the address may do nearly everything.
fn refuse_open_to_others(listen: &[SocketAddr], insecure: bool) -> anyhow::Result<()> {
    match listen.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) if !insecure => anyhow::bail!(
            "auth_mode=open on {address} would let everybody who reaches it change everything; \
             listen on 127.0.0.1, use --auth-mode keys, or say --insecure"
        ),
        _ => Ok(()),
    }
}

impl Serving {
    /// Where wasmtime keeps compiled code.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.state_dir.join("cache")
    }
}

/// The default name of the file with the admin key.
pub(crate) fn admin_key_file(state_dir: &Path) -> PathBuf {
    state_dir.join("admin.key")
}

#[cfg(test)]
mod tests;
