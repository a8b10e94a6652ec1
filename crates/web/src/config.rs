//! What the variables of a deployment say about the HTTP edge.

use reef_domain::Money;
use reef_domain::limits::{
    ANONYMOUS_RATE_DEFAULT, RATE_DEFAULT, RATE_MAX, STREAMS_DEFAULT, STREAMS_MAX,
};
use reef_store::quota::QUOTAS;
use reef_store::settings::Variables;
use reef_store::{Quotas, Settings};

use crate::edge::AllowedHosts;

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

/// Who may become an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Whoever the admin registers or has invited.
    Invite,
    /// Everybody who reaches the hub.
    Open,
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
    /// `registration`; without keys everybody may.
    pub registration: Registration,
    /// `admin_key`; `None`: nobody is admin.
    pub admin_key: Option<String>,
    /// `cors_origins`, separated by commas; `*` for all.
    pub cors_origins: Vec<String>,
    /// `allowed_hosts`: names by which the hub is called.
    pub allowed_hosts: AllowedHosts,
    /// `anonymous_rate_per_second`: what callers without a good key may ask from one address; 0 for
    /// no limit. The host's alone.
    pub anonymous_rate: i64,
    /// `quota_streams`: event streams that one agent, or one address without a key, may have open
    /// on one host; 0 for no limit. The host's alone.
    pub streams_max: i64,
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
const VARIABLES: [&str; 18] = [
    "redis_url",
    "admin_key",
    "auth_mode",
    "registration",
    "rate_limit_per_second",
    "deposits",
    "max_deposit",
    "heartbeat_timeout_seconds",
    "heartbeat_ttl_seconds",
    "check_interval_seconds",
    "message_ttl_hours",
    "legacy_inbox",
    "legacy_task_queue",
    "task_audience",
    "key_layout",
    "key_prefix",
    "cors_origins",
    "allowed_hosts",
];

impl Config {
    /// Makes settings of variables; `get` answers an empty text for one that is not set.
    ///
    /// # Errors
    /// One sentence that names the variable and what it accepts.
    pub fn read(get: impl Fn(&str) -> String) -> Result<Self, String> {
        let auth_mode = AuthMode::parse(&get("auth_mode"))?;
        let rate_limit = read_rate("rate_limit_per_second", &get, RATE_DEFAULT)?;
        // Where nobody needs a key, those without one are the hub's users.
        let anonymous = match auth_mode {
            AuthMode::Keys => ANONYMOUS_RATE_DEFAULT,
            AuthMode::Open => rate_limit,
        };
        Ok(Self {
            auth_mode,
            registration: read_registration(&get("registration"), auth_mode)?,
            admin_key: Some(get("admin_key")).filter(|key| !key.is_empty()),
            cors_origins: get("cors_origins")
                .split(',')
                .map(|origin| origin.trim().to_owned())
                .filter(|origin| !origin.is_empty())
                .collect(),
            allowed_hosts: AllowedHosts::parse(&get("allowed_hosts"))?,
            anonymous_rate: read_rate("anonymous_rate_per_second", &get, anonymous)?,
            streams_max: read_streams(&get("quota_streams"))?,
            rate_limit,
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
                task_audience: get("task_audience"),
            })?,
        })
    }
}

fn read_rate(name: &str, get: impl Fn(&str) -> String, default: i64) -> Result<i64, String> {
    let text = get(name);
    if text.is_empty() {
        return Ok(default);
    }
    let rate = text.parse().ok().filter(|rate| (0..=RATE_MAX).contains(rate));
    rate.ok_or_else(|| {
        format!("{name} is {text:?}; use a whole number up to {RATE_MAX}, 0 for no limit")
    })
}

fn read_streams(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(STREAMS_DEFAULT);
    }
    let number = text.parse().ok().filter(|number| (0..=STREAMS_MAX).contains(number));
    number.ok_or_else(|| {
        format!("quota_streams is {text:?}; use a whole number up to {STREAMS_MAX}, 0 for no limit")
    })
}

fn read_registration(text: &str, mode: AuthMode) -> Result<Registration, String> {
    match text {
        "" | "invite" if mode == AuthMode::Keys => Ok(Registration::Invite),
        "" | "invite" | "open" => Ok(Registration::Open),
        other => Err(format!("registration is {other:?}; use invite or open")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(mode: &str, registration: &str) -> Result<Registration, String> {
        let get = |name: &str| match name {
            "auth_mode" => mode.to_owned(),
            "registration" => registration.to_owned(),
            _ => String::new(),
        };
        Config::read(get).map(|config| config.registration)
    }

    #[test]
    fn a_hub_is_closed_to_strangers_unless_it_is_told_otherwise() {
        for (mode, given, is) in [
            ("", "", Registration::Invite),
            ("keys", "invite", Registration::Invite),
            ("keys", "open", Registration::Open),
            ("open", "", Registration::Open),
            ("open", "invite", Registration::Open),
        ] {
            assert_eq!(registration(mode, given), Ok(is), "{mode} {given}");
        }
        assert!(registration("keys", "all").unwrap_err().contains("registration is \"all\""));
        assert!(registration("open", "all").is_err());
    }
}
