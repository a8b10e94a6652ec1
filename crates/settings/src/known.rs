//! Which settings there are.

/// A file of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Secrets,
    Config,
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
    /// The default, where there is one.
    pub default: Option<&'static str>,
    /// Whether its value must not be shown.
    pub is_secret: bool,
}

/// All settings, in the order in which they are shown.
pub const KNOWN: &[Known] = &[
    at("redis.url", &["REEF_REDIS_URL", "SPIN_VARIABLE_REDIS_URL", "REDIS_URL"], None, None),
    at("redis.host", &["REDIS_HOST"], Some(File::Secrets), None),
    at("redis.port", &["REDIS_PORT"], Some(File::Secrets), Some("6379")),
    at("redis.username", &["REDIS_USERNAME"], Some(File::Secrets), None),
    Known {
        is_secret: true,
        ..at("redis.password", &["REDIS_PASSWORD"], Some(File::Secrets), None)
    },
    at("redis.db", &["REDIS_DB"], Some(File::Secrets), Some("0")),
    at("redis.tls", &["REDIS_TLS"], Some(File::Secrets), Some("false")),
    at("node.id", &["REEF_NODE_ID", "OPENCLAW_NODE_ID"], Some(File::Config), None),
    at("node.heartbeat_interval", &["REEF_HEARTBEAT_INTERVAL"], Some(File::Config), None),
    at(
        "node.heartbeat_ttl",
        &["SPIN_VARIABLE_HEARTBEAT_TTL_SECONDS"],
        Some(File::Config),
        Some("30"),
    ),
    at("node.retry_count", &["REEF_RETRY_COUNT"], Some(File::Config), Some("3")),
    at("node.retry_delay", &["REEF_RETRY_DELAY"], Some(File::Config), Some("1")),
    at("node.leader_ttl", &["REEF_LEADER_TTL"], Some(File::Config), Some("30")),
    at("logging.level", &["REEF_LOG"], Some(File::Config), Some("info")),
    at("logging.format", &["REEF_LOG_FORMAT"], Some(File::Config), Some("text")),
    at("hub", &["REEF_HUB"], None, Some("http://127.0.0.1:8888")),
    at("listen", &["REEF_LISTEN"], None, Some("127.0.0.1:8888")),
    at("tls.cert", &["REEF_TLS_CERT"], None, None),
    at("tls.key", &["REEF_TLS_KEY"], None, None),
    at("tls.client_ca", &["REEF_TLS_CLIENT_CA"], None, None),
    at("tls.client_auth", &["REEF_TLS_CLIENT_AUTH"], None, Some("required")),
    at("ca", &["REEF_CA"], None, None),
    at("client_cert", &["REEF_CLIENT_CERT"], None, None),
    at("client_key", &["REEF_CLIENT_KEY"], None, None),
    at("state_dir", &["REEF_STATE_DIR"], None, Some(".reef")),
    at("spin_file", &["REEF_SPIN_FILE"], None, None),
    at("auth_mode", &["REEF_AUTH_MODE", "SPIN_VARIABLE_AUTH_MODE"], None, Some("keys")),
];

const fn at(
    name: &'static str,
    variables: &'static [&'static str],
    file: Option<File>,
    default: Option<&'static str>,
) -> Known {
    Known { name, variables, file, default, is_secret: false }
}

impl Known {
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
