//! What the variables of a deployment say about keys, liveness and queues.

use reef_domain::heartbeat::Timeout;
use reef_domain::task::Audience;

use crate::keys::{Keys, Layout};
use crate::quota::Quotas;
use crate::variables::{BadVariable, Given};

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
    /// `task_kept_hours`, in milliseconds: how long a task is kept after its end that does not say it.
    pub task_kept_ms: i64,
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

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// One of them is set to what it does not accept.
    pub fn read<G: Fn(&str) -> String>(given: &Given<G>) -> Result<Self, BadVariable> {
        let layouts = [("plain", Layout::Plain), ("cluster", Layout::Cluster)];
        let keys = Keys::new(&given.text("key_prefix"), given.word("key_layout", &layouts)?);
        let task_audience = given.text("task_audience");
        Ok(Self {
            redis_url: given.text("redis_url"),
            keys: keys.map_err(|rule| BadVariable::new("key_prefix", rule))?,
            heartbeat_timeout: given.seconds("heartbeat_timeout_seconds")?,
            heartbeat_key_ttl_ms: given.seconds("heartbeat_ttl_seconds")?.as_millis(),
            message_ttl_ms: given.hours_ms("message_ttl_hours")?,
            task_kept_ms: given.hours_ms("task_kept_hours")?,
            legacy_inbox: given.flag("legacy_inbox")?,
            legacy_task_queue: given.flag("legacy_task_queue")?,
            task_audience: Audience::word(&task_audience).ok_or_else(|| {
                let rule = format!("is {task_audience:?}; use any or owner");
                BadVariable::new("task_audience", rule)
            })?,
            check_interval_ms: given.seconds("check_interval_seconds")?.as_millis(),
            quotas: Quotas::read(given)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &'static str, value: &'static str) -> Result<Settings, BadVariable> {
        let get = |name: &str| if name == set { value.to_owned() } else { String::new() };
        Settings::read(&Given::new(get))
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let settings = read("", "").unwrap();
        assert_eq!(settings.heartbeat_timeout.as_millis(), 90_000);
        assert_eq!((settings.heartbeat_key_ttl_ms, settings.check_interval_ms), (30_000, 5_000));
        assert_eq!(settings.message_ttl_ms, 86_400_000);
    }

    #[test]
    fn a_bad_variable_is_named() {
        for (name, bad) in [
            ("key_layout", "ring"),
            ("heartbeat_timeout_seconds", "-1"),
            ("message_ttl_hours", "0"),
            ("task_kept_hours", "-1"),
            ("legacy_inbox", "yes"),
            ("task_audience", "all"),
        ] {
            assert_eq!(read(name, bad).unwrap_err().name, name);
        }
    }
}
