//! What a Redis server says about itself, and what an operator should hear about it.

use std::collections::HashMap;
use std::time::Duration;

use reef_redis::{Connection, Error};
use reef_store::Reply;
use tokio::time::Instant;

/// The oldest major version that has everything the scripts use. Valkey began at 7.2 and calls
/// itself Redis 7.2.4, which is what decides.
const MAJOR_MIN: u32 = 7;
/// From this share of the memory that Redis may use on, in percent, an operator should hear of it: what
/// adds something is refused when all is used.
const NEARLY_FULL_PERCENT: u64 = 90;
/// How long a server may be unreachable when the hub starts.
const REACH_TIMEOUT: Duration = Duration::from_secs(3);

/// A server that can be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inspection {
    /// Name and version, for the log.
    pub(crate) server: String,
    /// What could lose data.
    pub(crate) warnings: Vec<Warning>,
}

/// Something about a server that could lose data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    /// What it is, for programs.
    pub(crate) code: &'static str,
    /// One sentence that says what to do.
    pub(crate) words: String,
}

impl Inspection {
    /// What could lose data, one sentence each.
    pub(crate) fn sentences(&self) -> Vec<String> {
        self.warnings.iter().map(|warning| warning.words.clone()).collect()
    }
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// It does not answer.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, but is too old.
    #[error("{0}")]
    Unfit(String),
}

/// The memory of a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// What it uses, in bytes.
    pub(crate) used: u64,
    /// What it may use, in bytes; 0: there is no bound.
    pub(crate) max: u64,
}

impl Memory {
    fn read(facts: &HashMap<String, String>) -> Self {
        let fact = |name| facts.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        Self { used: fact("used_memory"), max: fact("maxmemory") }
    }

    /// Whether little of it is left.
    pub(crate) fn is_nearly_used_up(self) -> bool {
        let used = u128::from(self.used) * 100;
        self.max > 0 && used >= u128::from(self.max) * u128::from(NEARLY_FULL_PERCENT)
    }

    /// Whether this has less left than another, in proportion.
    fn is_fuller_than(self, other: Self) -> bool {
        // One without a bound is never full.
        let of = |memory: Self| if memory.max > 0 { (memory.used, memory.max) } else { (0, 1) };
        let ((used, max), (other_used, other_max)) = (of(self), of(other));
        u128::from(used) * u128::from(other_max) > u128::from(other_used) * u128::from(max)
    }
}

/// How much memory a server uses; of the primaries of a cluster, the one that has least left.
pub(crate) async fn memory(connection: &Connection) -> Result<Memory, Error> {
    let mut fullest: Option<Memory> = None;
    for server in connection.primaries().await? {
        let reply = server.execute("INFO", vec!["memory".into()]).await?;
        let one = Memory::read(&read_info(&text(&reply).join("\n")));
        if fullest.is_none_or(|other| one.is_fuller_than(other)) {
            fullest = Some(one);
        }
    }
    Ok(fullest.unwrap_or_default())
}

/// What a server says of itself.
pub(crate) async fn info(server: &Connection) -> Result<String, Error> {
    Ok(text(&server.execute("INFO", Vec::new()).await?).join("\n"))
}

/// Waits until a server answers, and looks at it.
pub(crate) async fn reach(connection: &Connection) -> Result<Inspection, Unusable> {
    let mut deadline = Instant::now() + REACH_TIMEOUT;
    let mut is_loading = false;
    loop {
        let error = match look(connection).await {
            Ok(inspection) => return inspection,
            Err(error) => error,
        };
        // It is there, and will not think better of it.
        if error.is_about_access() {
            return Err(Unusable::Unfit(format!(
                "Redis does not let the hub in ({error}); give its user and password in the address \
                 (REEF_REDIS_URL), and the user the commands and keys of deploy/redis.acl"
            )));
        }
        // A server that loads its data is there; how long it takes is up to the data.
        if matches!(&error, Error::Server(text) if text.to_ascii_lowercase().contains("loading")) {
            if !is_loading {
                tracing::info!("waiting for Redis to load its data");
                is_loading = true;
            }
            deadline = Instant::now() + REACH_TIMEOUT;
        } else if Instant::now() >= deadline {
            return Err(Unusable::Unreachable(error.to_string()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Looks once at a server, or at each primary of a cluster. What could lose data is told once,
/// whichever of them it is.
pub(crate) async fn look(connection: &Connection) -> Result<Result<Inspection, Unusable>, Error> {
    let mut all: Option<Inspection> = None;
    for server in connection.primaries().await? {
        let one = match look_at(&server, connection.fails_over()).await? {
            Ok(one) => one,
            unfit => return Ok(unfit),
        };
        match &mut all {
            None => all = Some(one),
            Some(all) => {
                let new = one.warnings.into_iter().filter(|it| !all.warnings.contains(it));
                let new: Vec<_> = new.collect();
                all.warnings.extend(new);
            }
        }
    }
    let none = || Error::Unavailable("the Redis Cluster has no primary at the moment".to_owned());
    Ok(Ok(all.ok_or_else(none)?))
}

async fn look_at(
    connection: &Connection,
    fails_over: bool,
) -> Result<Result<Inspection, Unusable>, Error> {
    let mut facts = HashMap::new();
    for section in ["server", "memory", "persistence", "replication"] {
        let reply = connection.execute("INFO", vec![section.into()]).await?;
        facts.extend(read_info(&text(&reply).join("\n")));
    }
    // Managed services often refuse CONFIG; then only AOF can be told.
    let snapshots = match connection.execute("CONFIG", vec!["GET".into(), "save".into()]).await {
        Ok(reply) => text(&reply).get(1).map(|rule| !rule.is_empty()),
        Err(Error::Unavailable(reason)) => return Err(Error::Unavailable(reason)),
        Err(_) => None,
    };
    // Said where both it and `min-replicas-max-lag` are set.
    let is_bounded = facts.contains_key("min_slaves_good_slaves");
    let mut judged = judge(&facts, snapshots);
    if let (Ok(inspection), true, false) = (&mut judged, fails_over, is_bounded) {
        inspection.warnings.push(Warning {
            code: "no_min_replicas",
            words:
                "Redis answers writes that no replica has, without bound: a failover loses them; \
                    set min-replicas-to-write 1 and min-replicas-max-lag 5 at each server"
                    .to_owned(),
        });
    }
    Ok(judged)
}

fn text(reply: &[Reply]) -> Vec<String> {
    reply
        .iter()
        .map(|item| match item {
            Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Reply::Status(text) => text.clone(),
            Reply::Int(number) => number.to_string(),
            Reply::Nil => String::new(),
        })
        .collect()
}

fn read_info(info: &str) -> HashMap<String, String> {
    info.lines()
        .filter_map(|line| line.trim_end().split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// `snapshots`: whether snapshot rules are set, if that could be learned.
fn judge(facts: &HashMap<String, String>, snapshots: Option<bool>) -> Result<Inspection, Unusable> {
    let fact = |name: &str| facts.get(name).map(String::as_str).unwrap_or_default();
    let version = fact("redis_version");
    let server = match facts.get("valkey_version") {
        Some(valkey) => format!("Valkey {valkey}"),
        None => format!("Redis {version}"),
    };
    let major = version.split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|major| major < MAJOR_MIN) {
        return Err(Unusable::Unfit(format!(
            "the server is {server}; the hub needs Redis {MAJOR_MIN} or later, or Valkey"
        )));
    }
    let mut warnings = Vec::new();
    let mut warn = |code, words: String| warnings.push(Warning { code, words });
    let policy = fact("maxmemory_policy");
    if policy != "noeviction" {
        warn(
            "eviction",
            format!(
                "Redis may throw data away when its memory is full (maxmemory-policy {policy}); \
                 set maxmemory-policy noeviction"
            ),
        );
    }
    if Memory::read(facts).is_nearly_used_up() {
        warn(
            "nearly_full",
            format!(
                "Redis uses {NEARLY_FULL_PERCENT} % or more of the memory that it may use \
                 (maxmemory); when all is used, whatever adds something gets 503 store_full: see \
                 reef stats, clean up, or give it more"
            ),
        );
    }
    if fact("role") == "slave" {
        warn(
            "replica",
            "Redis is a replica, which cannot be written; give the address of its primary"
                .to_owned(),
        );
    }
    match (fact("aof_enabled") == "1", snapshots) {
        (true, _) => {}
        (false, Some(true)) => warn(
            "snapshots_only",
            "Redis only takes snapshots: a crash loses what came after the last one; set \
             appendonly yes"
                .to_owned(),
        ),
        (false, Some(false)) => warn(
            "not_persistent",
            "Redis does not persist anything: a restart loses all data; set appendonly yes"
                .to_owned(),
        ),
        (false, None) => warn(
            "no_append_only_file",
            "Redis keeps no append-only file; unless its operator replicates or persists it \
             otherwise, a crash loses data"
                .to_owned(),
        ),
    }
    Ok(Inspection { server, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_server_counts() {
        let memory = |used, max| Memory { used, max };
        let gb = 1 << 30;
        assert!(memory(gb / 10 * 9 + 1000, gb).is_nearly_used_up());
        assert!(!memory(gb / 10 * 9 - 1000, gb).is_nearly_used_up());
        assert!(!memory(gb, 0).is_nearly_used_up(), "without a bound");
        assert!(memory(5, 10).is_fuller_than(memory(49, 100)));
        assert!(!memory(4, 10).is_fuller_than(memory(49, 100)));
        assert!(memory(1, 10).is_fuller_than(memory(100, 0)));
        let info = "redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n\
                    used_memory:95000\r\nmaxmemory:100000\r\n";
        let codes: Vec<_> =
            judged(info, None).unwrap().warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, ["nearly_full"]);
    }

    fn judged(info: &str, snapshots: Option<bool>) -> Result<Inspection, Unusable> {
        judge(&read_info(info), snapshots)
    }

    const GOOD: &str =
        "redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n# x\r\n";

    #[test]
    fn a_durable_server_has_no_warnings() {
        let inspection = judged(GOOD, Some(false)).unwrap();
        assert_eq!(inspection.server, "Redis 7.0.15");
        assert_eq!(inspection.warnings, []);
    }

    #[test]
    fn what_could_lose_data_is_said() {
        let warnings =
            |info: &str, snapshots| judged(info, snapshots).unwrap().sentences().join("|");
        let evicts = GOOD.replace("noeviction", "allkeys-lru");
        assert!(warnings(&evicts, None).contains("allkeys-lru"));
        assert!(warnings(&format!("{GOOD}role:slave\r\n"), None).contains("replica"));
        let no_aof = GOOD.replace("aof_enabled:1", "aof_enabled:0");
        assert!(warnings(&no_aof, Some(true)).contains("snapshots"));
        assert!(warnings(&no_aof, Some(false)).contains("does not persist"));
        assert!(warnings(&no_aof, None).contains("append-only"));
    }

    #[test]
    fn an_old_server_is_refused_and_valkey_is_known() {
        let old = judged(&GOOD.replace("7.0.15", "6.2.1"), None).unwrap_err();
        assert!(matches!(&old, Unusable::Unfit(text) if text.contains("6.2.1")), "{old}");
        assert!(judged("", None).is_err());
        let valkey = format!("{GOOD}valkey_version:8.1.0\r\n");
        assert_eq!(judged(&valkey, None).unwrap().server, "Valkey 8.1.0");
    }
}
