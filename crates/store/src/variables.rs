//! The variables of a deployment, each of them once: what it is called, what it is where nobody sets
//! it, and which components get it. The tables of `spin.toml` and of
//! `docs/reference/configuration.md` are made from here.

use std::ops::RangeInclusive;

use reef_domain::heartbeat::Timeout;

/// A variable of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is where it is not set.
    pub default: &'static str,
    /// Its value must not be shown.
    pub is_secret: bool,
    /// The components that get it; none of them: it is the host's alone.
    pub used_by: &'static [&'static str],
    /// Whether hosts of one hub must agree in it.
    pub agreement: Agreement,
    /// What it does, in a few words.
    pub doc: &'static str,
}

/// Whether hosts of one hub must agree in a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// It is about one host.
    None,
    /// Those that serve requests.
    Servers,
    /// All, those that only monitor too.
    All,
}

const SERVERS: &[&str] = &["register", "heartbeat", "messages", "sessions", "tasks", "ledger"];
const ALL: &[&str] =
    &["register", "heartbeat", "messages", "sessions", "tasks", "ledger", "heartbeat-check"];
const NODES: &[&str] = &["register", "heartbeat", "heartbeat-check"];
const MESSAGES: &[&str] = &["messages", "sessions", "tasks", "heartbeat-check"];
const LEDGER: &[&str] = &["ledger"];

/// All variables, in the order in which they are shown.
pub const VARIABLES: &[Variable] = &[
    one("redis_url", "redis://127.0.0.1:6379/0", ALL, "where Redis is; a host sets it from `--redis-url`").own(),
    one("redis_allow", "redis://127.0.0.1:6379", &[], "the same without user, password and path: what components may connect to").own(),
    one("admin_key", "", SERVERS, "who holds it may do everything; empty: nobody is admin").own().secret(),
    one("auth_mode", "keys", SERVERS, "`keys`: every route needs a key; `open`: anybody may use everything outside the ledger"),
    one("registration", "invite", LEDGER, "`invite`: agents are registered by the admin, or by whoever has an invite; `open`: by everybody, as it always is with `auth_mode=open`"),
    one("heartbeat_timeout_seconds", "90", NODES, "after how long a silence a node is marked offline").everywhere(),
    one("heartbeat_ttl_seconds", "30", NODES, "how long the `hb:<node>` keys live that old clients read"),
    one("check_interval_seconds", "5", NODES, "how often the cron trigger fires; change it together with the trigger").everywhere(),
    one("key_layout", "plain", ALL, "`plain`: the key names that old clients know; `cluster`: with hash tags, which a Redis Cluster needs").own(),
    one("key_prefix", "", ALL, "comes before every key, so that several hubs can share one Redis").own(),
    one("message_ttl_hours", "24", MESSAGES, "how long a message is kept after it was last written to, by Redis' clock: where that may jump, ask for more").everywhere(),
    one("task_kept_hours", "720", &["tasks", "heartbeat", "heartbeat-check"], "how long a task is kept after its end that does not say it itself").everywhere(),
    one("legacy_inbox", "false", &["messages", "heartbeat-check"], "`true`: new mail is also pushed onto `inbox:<agent>`, for bots that `BRPOP` it"),
    one("legacy_task_queue", "false", MESSAGES, "`true`: tasks within messages are also pushed onto `task_queue`, which old workers pop"),
    one("task_audience", "any", MESSAGES, "whose nodes may run a task that does not say: `any`, or `owner`"),
    // Far above a node's pace, far below what would slow others.
    one("rate_limit_per_second", "1000", SERVERS, "requests a second of one agent, with all its keys, to one group of routes; 0: no limit"),
    one("deposits", "self", LEDGER, "who may deposit: every agent for itself (`self`), or `admin` alone"),
    one("max_deposit", "100000", LEDGER, "the largest deposit"),
    one("durability_default", "memory", &[], "how safe a write is that asks for nothing: `memory`, `disk`, `replica` or `replica-disk`, the last two also with `;n=2`. Host only: Spin ignores it"),
    one("durability_money", "disk", &[], "the same of writes about money. Host only: Spin ignores it"),
    one("cors_origins", "", SERVERS, "origins of browsers that may call, separated by commas; `*` for all").own(),
    one("allowed_hosts", "", SERVERS, "names by which the hub is called beside localhost and addresses, separated by commas, with a port or without; `*` for all").own(),
    one("public_url", "", SERVERS, "where the hub is found from outside, such as `https://hub.example`: its host is one of the hub's, its pages are the hub's own, and the link that `reef up` prints begins with it").own(),
    one("anonymous_rate_per_second", "", &[], "requests a second from one address without a good key, in bursts of ten seconds' worth; by default 50, with `auth_mode=open` as many as a key has; 0: no limit. Host only: Spin ignores it").own(),
    // A gateway reads for many people at once.
    one("quota_streams", "100", &[], "event streams that one agent, or one address without a key, has open on one host; 0: no limit. Host only: Spin ignores it").own(),
    // Ten times the largest fleet that was measured in one hand, and some 20 MB.
    one("quota_nodes", "10000", &["register"], "registered nodes; registering one again never counts"),
    one("quota_tasks", "100000", MESSAGES, "tasks that it has submitted and that have not ended"),
    // 256 of the largest.
    one("quota_task_bytes", "268435456", MESSAGES, "bytes of these tasks: parameters, metadata, texts"),
    // What a thousand tasks keep at most.
    one("quota_log_bytes", "1073741824", &["tasks"], "bytes of its tasks' logs within about seven days, at most 1 MiB of each; removing a task gives nothing back"),
    // A claim may have to look at each that is listed under a skill of the node: 200 take some 0.3 ms.
    one("quota_classes", "200", MESSAGES, "different sets of skills and tags that its waiting tasks ask for; from half of them on preferences are given up"),
    one("quota_schedules", "100", &["tasks"], "schedules"),
    // A person's busiest day; twenty agents would have to fill theirs to push out what is older.
    one("quota_audit", "5000", &["register", "heartbeat", "tasks", "ledger"], "entries of the audit within a day, of each of its two parts: of what it does by hand, with keys, or with agents; an admin has no bound"),
    one("quota_locks", "100", &["heartbeat"], "locks that it holds"),
    one("quota_sessions", "50000", &["sessions"], "sessions that have not expired"),
    one("quota_keys", "100", LEDGER, "keys; also when the admin makes them"),
    one("quota_mail_bytes", "67108864", &["messages", "heartbeat-check"], "bytes of mail that it has sent and that nobody has acknowledged, in all inboxes together, dead letters too"),
    // Nine thousand agents together reach what the ledger can hold.
    one("quota_deposits", "1000000", LEDGER, "what it has deposited less what it has withdrawn, in whole units; the admin's deposits do not count"),
    one("quota_holds", "10000", LEDGER, "pending holds"),
    one("quota_intents", "10000", LEDGER, "open intents"),
];

const fn one(
    name: &'static str,
    default: &'static str,
    used_by: &'static [&'static str],
    doc: &'static str,
) -> Variable {
    let agreement = Agreement::Servers;
    Variable { name, default, is_secret: false, used_by, agreement, doc }
}

impl Variable {
    const fn own(self) -> Self {
        Self { agreement: Agreement::None, ..self }
    }

    const fn everywhere(self) -> Self {
        Self { agreement: Agreement::All, ..self }
    }

    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// Whether it bounds what one agent may have of something in the hub.
    #[must_use]
    pub fn is_quota(&self) -> bool {
        self.name.starts_with("quota_") && !self.used_by.is_empty()
    }
}

/// A variable has a value that it does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {rule}")]
pub struct BadVariable {
    pub name: String,
    /// What it accepts: a sentence without its subject.
    pub rule: String,
}

impl BadVariable {
    /// One that breaks this rule.
    pub fn new(name: &str, rule: impl Into<String>) -> Self {
        Self { name: name.to_owned(), rule: rule.into() }
    }
}

/// What a deployment says of its variables. Each reader takes the name of one of [`VARIABLES`], and an
/// empty text, which is what one that is not set has, as its default.
pub struct Given<G>(G);

impl<G: Fn(&str) -> String> Given<G> {
    /// `get` answers an empty text for a variable that is not set.
    pub fn new(get: G) -> Self {
        Self(get)
    }

    /// A text.
    pub fn text(&self, name: &str) -> String {
        let given = (self.0)(name);
        if !given.is_empty() {
            return given;
        }
        let known = VARIABLES.iter().find(|variable| variable.name == name);
        known.map_or_else(String::new, |variable| variable.default.to_owned())
    }

    /// One of several words.
    ///
    /// # Errors
    /// As all of these: it is set to what it does not accept.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, BadVariable> {
        let given = self.text(name);
        let found = words.iter().find(|(word, _)| *word == given);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            BadVariable::new(name, format!("is {given:?}; use {}", words.join(" or ")))
        })
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// It is set to something else.
    pub fn flag(&self, name: &str) -> Result<bool, BadVariable> {
        self.word(name, &[("true", true), ("false", false)])
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is set to something else.
    pub fn whole(&self, name: &str, range: RangeInclusive<i64>) -> Result<i64, BadVariable> {
        let given = self.text(name);
        let number = given.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let no_limit = if *least == 0 { ", 0 for no limit" } else { "" };
            let rule = format!("is {given:?}; use a whole number from {least} to {most}{no_limit}");
            BadVariable::new(name, rule)
        })
    }

    /// A span of time in seconds, whole or not.
    ///
    /// # Errors
    /// It is set to something else.
    pub fn seconds(&self, name: &str) -> Result<Timeout, BadVariable> {
        let given = self.text(name);
        let seconds: f64 = given
            .parse()
            .map_err(|_| BadVariable::new(name, format!("is {given:?}; use seconds")))?;
        Timeout::from_seconds(seconds).map_err(|rule| BadVariable::new(name, rule))
    }

    /// A span of time in hours, whole or not, between a second and a year. In milliseconds.
    ///
    /// # Errors
    /// It is set to something else.
    pub fn hours_ms(&self, name: &str) -> Result<i64, BadVariable> {
        let given = self.text(name);
        let hours: f64 = given
            .parse()
            .map_err(|_| BadVariable::new(name, format!("is {given:?}; use hours")))?;
        let ms = (hours * 3_600_000.0).round();
        if !(1000.0..=31_536_000_000.0).contains(&ms) {
            return Err(BadVariable::new(name, "must be between a second and a year"));
        }
        #[allow(clippy::cast_possible_truncation, reason = "checked to fit")]
        Ok(ms as i64)
    }
}

impl<G> std::fmt::Debug for Given<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_is_there_once() {
        for (i, variable) in VARIABLES.iter().enumerate() {
            let same = VARIABLES.iter().position(|other| other.name == variable.name);
            assert_eq!(same, Some(i), "{}", variable.name);
        }
    }
}
