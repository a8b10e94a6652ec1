//! What the variables of a deployment say about the HTTP edge.

use reef_domain::Money;
use reef_domain::limits::RATE_MAX;
use reef_store::quota::QUOTAS;
use reef_store::settings::Variables;
use reef_store::{Quotas, Settings};

/// Whether callers need a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Every route but the few open ones needs a key.
    Keys,
    /// Anonymous callers may use everything outside the ledger.
    Open,
}

impl AuthMode {
    /// Reads the variable `auth_mode`. An empty one means keys: a hub is closed unless it is
    /// told otherwise.
    ///
    /// # Errors
    /// One sentence, if it is another word.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" | "keys" => Ok(Self::Keys),
            "open" => Ok(Self::Open),
            other => Err(format!("auth_mode is {other:?}; use keys or open")),
        }
    }
}

/// Who may bring money into the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deposits {
    /// Every agent, for itself.
    Own,
    /// The admin.
    Admin,
}

/// Settings of the HTTP edge.
#[derive(Debug, Clone)]
pub struct Config {
    /// `auth_mode`.
    pub auth_mode: AuthMode,
    /// `admin_key`; `None`: nobody is admin.
    pub admin_key: Option<String>,
    /// `cors_origins`, separated by commas; `*` for all.
    pub cors_origins: Vec<String>,
    /// `rate_limit_per_second`: what one key may ask of one group of routes; 0 for no limit.
    pub rate_limit: i64,
    /// `deposits`.
    pub deposits: Deposits,
    /// `max_deposit`.
    pub deposit_max: Money,
    /// What every part of the hub shares.
    pub settings: Settings,
}

/// All variables that [`Config::read`] asks for.
pub fn variables() -> impl Iterator<Item = &'static str> {
    VARIABLES.into_iter().chain(QUOTAS.iter().map(|quota| quota.variable))
}

/// The variables beside the quotas.
const VARIABLES: [&str; 15] = [
    "redis_url",
    "admin_key",
    "auth_mode",
    "rate_limit_per_second",
    "deposits",
    "max_deposit",
    "heartbeat_timeout_seconds",
    "heartbeat_ttl_seconds",
    "check_interval_seconds",
    "message_ttl_hours",
    "legacy_inbox",
    "legacy_task_queue",
    "key_layout",
    "key_prefix",
    "cors_origins",
];

impl Config {
    /// Makes settings of variables; `get` answers an empty text for one that is not set.
    ///
    /// # Errors
    /// One sentence that names the variable and what it accepts.
    pub fn read(get: impl Fn(&str) -> String) -> Result<Self, String> {
        Ok(Self {
            auth_mode: AuthMode::parse(&get("auth_mode"))?,
            admin_key: Some(get("admin_key")).filter(|key| !key.is_empty()),
            cors_origins: get("cors_origins")
                .split(',')
                .map(|origin| origin.trim().to_owned())
                .filter(|origin| !origin.is_empty())
                .collect(),
            rate_limit: read_rate(&get("rate_limit_per_second"))?,
            deposits: read_deposits(&get("deposits"))?,
            deposit_max: read_deposit_max(&get("max_deposit"))?,
            settings: Settings::read(&Variables {
                redis_url: get("redis_url"),
                key_prefix: get("key_prefix"),
                key_layout: get("key_layout"),
                heartbeat_timeout_seconds: get("heartbeat_timeout_seconds"),
                heartbeat_ttl_seconds: get("heartbeat_ttl_seconds"),
                check_interval_seconds: get("check_interval_seconds"),
                message_ttl_hours: get("message_ttl_hours"),
                legacy_inbox: get("legacy_inbox"),
                legacy_task_queue: get("legacy_task_queue"),
                quotas: Quotas::read(&get)?,
            })?,
        })
    }
}

fn read_rate(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(1000);
    }
    let rate = text.parse().ok().filter(|rate| (0..=RATE_MAX).contains(rate));
    rate.ok_or_else(|| {
        format!(
            "rate_limit_per_second is {text:?}; use a whole number up to {RATE_MAX}, 0 for no limit"
        )
    })
}

fn read_deposits(text: &str) -> Result<Deposits, String> {
    match text {
        "" | "self" => Ok(Deposits::Own),
        "admin" => Ok(Deposits::Admin),
        other => Err(format!("deposits is {other:?}; use self or admin")),
    }
}

fn read_deposit_max(text: &str) -> Result<Money, String> {
    let text = if text.is_empty() { "100000" } else { text };
    let money = Money::parse(text).map_err(|rule| format!("max_deposit {rule}"))?;
    if money > Money::ZERO { Ok(money) } else { Err("max_deposit must be more than 0".to_owned()) }
}
