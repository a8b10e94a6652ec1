//! Which settings there are.

/// A file of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Secrets,
    Config,
}

/// What a setting is in `reef.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InToml {
    /// A flag of the host, by this key.
    Flag(&'static str),
    /// A key of its own name, and what it means.
    Setting(&'static str),
    /// It does not stand there.
    Nothing,
}

/// A setting.
#[derive(Debug)]
pub struct Known {
    /// Its name: the path of its member in the file.
    pub name: &'static str,
    /// The environment variables that set it, strongest first.
    pub variables: &'static [&'static str],
    /// The file that may set it; its member is the name.
    pub(crate) file: Option<File>,
    /// What it is in `reef.toml`.
    pub in_toml: InToml,
    /// The default, where there is one.
    pub default: Option<&'static str>,
    /// Whether its value must not be shown.
    pub is_secret: bool,
}

/// All settings, in the order in which they are shown.
pub const KNOWN: &[Known] = &[
    at("redis.url", &["REEF_REDIS_URL", "SPIN_VARIABLE_REDIS_URL", "REDIS_URL"], None)
        .flag("redis_url"),
    at("redis.host", &["REDIS_HOST"], None)
        .secrets("the Redis, in pieces instead of redis_url: its name or IP address"),
    at("redis.port", &["REDIS_PORT"], Some("6379")).secrets("its port"),
    at("redis.username", &["REDIS_USERNAME"], None).secrets("the user, where it has users"),
    Known { is_secret: true, ..at("redis.password", &["REDIS_PASSWORD"], None) }
        .secrets("the password"),
    at("redis.db", &["REDIS_DB"], Some("0")).secrets("the number of the database"),
    at("redis.tls", &["REDIS_TLS"], Some("false")).secrets("whether to connect with TLS"),
    at("node.id", &["REEF_NODE_ID", "OPENCLAW_NODE_ID"], None)
        .config("how this machine is called as a node; made once and kept where nothing is said"),
    at("node.heartbeat_interval", &["REEF_HEARTBEAT_INTERVAL"], None)
        .config("longest pause between two heartbeats in seconds; else what the hub asks for"),
    // In reef.toml it is the variable heartbeat_ttl_seconds.
    Known {
        file: Some(File::Config),
        ..at("node.heartbeat_ttl", &["SPIN_VARIABLE_HEARTBEAT_TTL_SECONDS"], Some("30"))
    },
    at("node.retry_count", &["REEF_RETRY_COUNT"], Some("3"))
        .config("how often `reef heartbeat --once` tries again"),
    at("node.retry_delay", &["REEF_RETRY_DELAY"], Some("1"))
        .config("the pause before each of these tries, in seconds"),
    at("node.leader_ttl", &["REEF_LEADER_TTL"], Some("30"))
        .config("for how many seconds `reef agent --campaign` leads without saying so again"),
    at("worker.log", &["REEF_WORKER_LOG"], Some("false"))
        .config("whether `reef worker` sends what commands print to their tasks' logs"),
    at("logging.level", &["REEF_LOG"], Some("info"))
        .config("what is logged: a level, or a filter such as reef=debug,warn"),
    Known {
        file: Some(File::Config),
        ..at("logging.format", &["REEF_LOG_FORMAT"], Some("text")).flag("log_format")
    },
    at("hub", &["REEF_HUB"], Some("http://127.0.0.1:8888")),
    at("listen", &["REEF_LISTEN"], Some("127.0.0.1:8888")).flag("listen"),
    at("tls.cert", &["REEF_TLS_CERT"], None).flag("tls_cert"),
    at("tls.key", &["REEF_TLS_KEY"], None).flag("tls_key"),
    at("tls.client_ca", &["REEF_TLS_CLIENT_CA"], None).flag("tls_client_ca"),
    at("tls.client_auth", &["REEF_TLS_CLIENT_AUTH"], Some("required")).flag("tls_client_auth"),
    at("ca", &["REEF_CA"], None),
    at("client_cert", &["REEF_CLIENT_CERT"], None),
    at("client_key", &["REEF_CLIENT_KEY"], None),
    at("state_dir", &["REEF_STATE_DIR"], Some(".reef")).flag("state_dir"),
    at("spin_file", &["REEF_SPIN_FILE"], None).flag("spin_file"),
    at("auth_mode", &["REEF_AUTH_MODE", "SPIN_VARIABLE_AUTH_MODE"], Some("keys")).flag("auth_mode"),
];

const fn at(
    name: &'static str,
    variables: &'static [&'static str],
    default: Option<&'static str>,
) -> Known {
    let in_toml = InToml::Nothing;
    Known { name, variables, file: None, in_toml, default, is_secret: false }
}

impl Known {
    const fn flag(self, key: &'static str) -> Self {
        Self { in_toml: InToml::Flag(key), ..self }
    }

    const fn secrets(self, doc: &'static str) -> Self {
        Self { file: Some(File::Secrets), in_toml: InToml::Setting(doc), ..self }
    }

    const fn config(self, doc: &'static str) -> Self {
        Self { file: Some(File::Config), in_toml: InToml::Setting(doc), ..self }
    }

    /// Its key in `reef.toml`, if it may stand there.
    #[must_use]
    pub fn key(&self) -> Option<&'static str> {
        match self.in_toml {
            InToml::Flag(key) => Some(key),
            InToml::Setting(_) => Some(self.name),
            InToml::Nothing => None,
        }
    }

    /// Whether what a variable holds is meant for us. Kubernetes sets `REDIS_PORT` to an address
    /// such as `tcp://10.0.0.1:6379` in every pod beside a service of the name redis.
    pub(crate) fn takes(&self, variable: &str, text: &str) -> bool {
        !(variable == "REDIS_PORT" && text.starts_with("tcp://"))
    }

    /// The value as it may be shown.
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        if self.is_secret {
            return "********".to_owned();
        }
        if self.name == "redis.url" { crate::redis::masked(text) } else { text.to_owned() }
    }
}
