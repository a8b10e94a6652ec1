//! What the variables of a deployment say about keys and liveness.

use reef_domain::heartbeat::Timeout;
use reef_domain::task::Audience;

use crate::keys::{Keys, Layout};
use crate::quota::Quotas;

/// Settings that every part of the hub shares.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where Redis is.
    pub redis_url: String,
    /// How keys are named: `key_prefix`, `key_layout`.
    pub keys: Keys,
    /// `heartbeat_timeout_seconds`.
    pub heartbeat_timeout: Timeout,
    /// `heartbeat_ttl_seconds`, in milliseconds: how long an `hb:` key lives.
    pub heartbeat_key_ttl_ms: i64,
    /// `message_ttl_hours`, in milliseconds: how long a message is kept after a write.
    pub message_ttl_ms: i64,
    /// `legacy_inbox`: new mail is also pushed onto the list that old clients read.
    pub legacy_inbox: bool,
    /// `legacy_task_queue`: tasks within messages are also pushed onto the list that old workers pop.
    pub legacy_task_queue: bool,
    /// `task_audience`: whose nodes may run a task that does not say.
    pub task_audience: Audience,
    /// `check_interval_seconds`, in milliseconds: how often the cron trigger fires.
    pub check_interval_ms: i64,
    /// What one agent may have.
    pub quotas: Quotas,
}

/// The variables that [`Settings`] are made of.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// A Redis URL.
    pub redis_url: String,
    /// Comes before every key.
    pub key_prefix: String,
    /// `plain` or `cluster`.
    pub key_layout: String,
    /// Seconds, whole or not.
    pub heartbeat_timeout_seconds: String,
    /// Seconds.
    pub heartbeat_ttl_seconds: String,
    /// Seconds.
    pub check_interval_seconds: String,
    /// Hours, whole or not.
    pub message_ttl_hours: String,
    /// `true` or `false`.
    pub legacy_inbox: String,
    /// `true` or `false`.
    pub legacy_task_queue: String,
    /// What one agent may have.
    pub quotas: Quotas,
    /// `any` or `owner`.
    pub task_audience: String,
}

impl Settings {
    /// Reads variables; an empty one has its default.
    ///
    /// # Errors
    /// One sentence that names the variable and what it accepts.
    pub fn read(variables: &Variables) -> Result<Self, String> {
        let layout = match variables.key_layout.as_str() {
            "" | "plain" => Layout::Plain,
            "cluster" => Layout::Cluster,
            other => return Err(format!("key_layout is {other:?}; use plain or cluster")),
        };
        let keys = Keys::new(&variables.key_prefix, layout)
            .map_err(|rule| format!("key_prefix {rule}"))?;
        Ok(Self {
            redis_url: variables.redis_url.clone(),
            keys,
            heartbeat_timeout: read_timeout(
                "heartbeat_timeout_seconds",
                &variables.heartbeat_timeout_seconds,
                Timeout::DEFAULT,
            )?,
            heartbeat_key_ttl_ms: read_ms(
                "heartbeat_ttl_seconds",
                &variables.heartbeat_ttl_seconds,
                30_000,
            )?,
            message_ttl_ms: read_hours(&variables.message_ttl_hours)?,
            legacy_inbox: read_flag("legacy_inbox", &variables.legacy_inbox)?,
            legacy_task_queue: read_flag("legacy_task_queue", &variables.legacy_task_queue)?,
            task_audience: read_audience(&variables.task_audience)?,
            check_interval_ms: read_ms(
                "check_interval_seconds",
                &variables.check_interval_seconds,
                5_000,
            )?,
            quotas: variables.quotas.clone(),
        })
    }
}

fn read_timeout(name: &str, text: &str, default: Timeout) -> Result<Timeout, String> {
    if text.is_empty() {
        return Ok(default);
    }
    let seconds: f64 = text.parse().map_err(|_| format!("{name} is {text:?}; use seconds"))?;
    Timeout::from_seconds(seconds).map_err(|rule| format!("{name} {rule}"))
}

fn read_ms(name: &str, text: &str, default: i64) -> Result<i64, String> {
    let default_seconds = default as f64 / 1000.0;
    let default = Timeout::from_seconds(default_seconds)?;
    Ok(read_timeout(name, text, default)?.as_millis())
}

/// Between a second and a year.
fn read_hours(text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(24 * 3_600_000);
    }
    let hours: f64 =
        text.parse().map_err(|_| format!("message_ttl_hours is {text:?}; use hours"))?;
    let ms = (hours * 3_600_000.0).round();
    if !(1000.0..=31_536_000_000.0).contains(&ms) {
        return Err("message_ttl_hours must be between a second and a year".to_owned());
    }
    #[allow(clippy::cast_possible_truncation, reason = "checked to fit")]
    Ok(ms as i64)
}

fn read_audience(text: &str) -> Result<Audience, String> {
    let word = if text.is_empty() { "any" } else { text };
    Audience::word(word).ok_or_else(|| format!("task_audience is {text:?}; use any or owner"))
}

fn read_flag(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        other => Err(format!("{name} is {other:?}; use true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_contract() {
        let settings = Settings::read(&Variables::default()).unwrap();
        assert_eq!(settings.heartbeat_timeout.as_millis(), 90_000);
        assert_eq!((settings.heartbeat_key_ttl_ms, settings.check_interval_ms), (30_000, 5_000));
    }

    #[test]
    fn a_bad_variable_is_named() {
        let bad = Variables { key_layout: "ring".into(), ..Variables::default() };
        assert!(Settings::read(&bad).unwrap_err().contains("key_layout"));
        let bad = Variables { heartbeat_timeout_seconds: "-1".into(), ..Variables::default() };
        assert!(Settings::read(&bad).unwrap_err().contains("heartbeat_timeout_seconds"));
    }
}
