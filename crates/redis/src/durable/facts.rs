//! What a server says about where its writes go, and what follows for callers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use redis::Value;
use reef_store::durability::{Durability, Giving, Safety};

use crate::{Error, reply};

/// A replica that has acknowledged nothing for so many seconds counts as gone: it does so once a
/// second.
const LAG_MAX: u64 = 10;

/// What `CONFIG` is asked for.
const SETTINGS: [&str; 3] = ["appendfsync", "no-appendfsync-on-rewrite", "min-replicas-to-write"];

/// When the append-only file is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syncing {
    /// Before each answer.
    Always,
    /// Each second.
    EverySecond,
    /// When the operating system likes.
    Never,
    /// The server does not say.
    Unknown,
}

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// It is answered.
    Answered,
    /// The server's user may not ask it.
    Refused,
    /// The server does not know it.
    Unheard,
}

/// Whether what `WAITAOF` says can be believed.
///
/// Some versions answer before they have synced, if they sync once a second: Valkey 9.1.2, and Redis 7.4
/// by its own account (redis/redis#13793).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trial {
    /// Nobody has tried it.
    Untried,
    /// It has taken as long as that many syncs take.
    Passed,
    /// It has confirmed more writes than it can have synced in that time.
    Failed,
}

/// How all replicas that keep up sync their files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplicasSync {
    /// Before they answer, so that what they say of it can be believed.
    First,
    /// At least one of them does not.
    Otherwise,
    /// At least one of them could not be asked.
    Unseen,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    version: String,
    /// `WAIT`
    wait: Question,
    /// `WAITAOF`, which came with 7.2.
    wait_for_file: Question,
    /// Different for each process.
    pub(crate) run_id: String,
    /// Different for each time that a server was made a primary.
    pub(crate) replication_id: String,
    is_primary: bool,
    /// While it loads its data it says that it keeps no file.
    is_loading: bool,
    has_file: bool,
    sync: Syncing,
    /// Whether it may leave out syncing while it writes its file anew; `None`: it does not say.
    pauses_sync: Option<bool>,
    replicas: u32,
    /// Host and port of each of these.
    places: Vec<(String, u16)>,
    replicas_sync: ReplicasSync,
    trial: Trial,
    /// `min-replicas-to-write`; `None`: it does not say.
    replicas_min: Option<u32>,
}

/// How a store gives a level, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ability {
    /// The level.
    pub level: Durability,
    /// How it is given.
    pub giving: Giving,
    /// Up to how many replicas; `None` where the level knows none.
    pub replicas: Option<u32>,
    /// One sentence.
    pub why: Cow<'static, str>,
}

/// What [`Facts::read`] needs: what the server says, how it is set, and whether it can be asked how far
/// writes have come. Of nobody that is answered at once, so that it may be asked over any connection.
pub(crate) fn questions() -> [redis::Cmd; 4] {
    let (mut info, mut config) = (redis::cmd("INFO"), redis::cmd("CONFIG"));
    info.arg(&["server", "persistence", "replication"]);
    config.arg("GET").arg(&SETTINGS);
    let (mut wait, mut wait_for_file) = (redis::Cmd::new(), redis::Cmd::new());
    wait.arg(&["WAIT", "0", "1"]);
    wait_for_file.arg(&["WAITAOF", "0", "0", "1"]);
    [info, config, wait, wait_for_file]
}

/// The sections that say which server it is: what [`Facts::of_info`] needs.
pub(crate) fn identity() -> redis::Cmd {
    let mut info = redis::cmd("INFO");
    info.arg(&["server", "replication"]);
    info
}

impl Facts {
    /// Reads the reply to [`identity`]. How the server syncs is then not known.
    ///
    /// # Errors
    /// The reply is an error.
    pub(crate) fn of_info(info: Value) -> Result<Self, Error> {
        let unasked = [Question::Unheard; 2];
        Ok(Self::judge(&text(reply::accepted(info)?)?, &HashMap::new(), unasked))
    }

    /// Whether it loads its data: what it says of itself then does not last.
    pub(crate) fn is_loading(&self) -> bool {
        self.is_loading
    }

    /// The same facts with what was found out beside them.
    pub(crate) fn with(self, trial: Trial, replicas_sync: ReplicasSync) -> Self {
        Self { trial, replicas_sync, ..self }
    }

    /// Where the replicas are, if it matters how they sync.
    pub(crate) fn replicas_to_ask(&self) -> &[(String, u16)] {
        if self.wait_for_file == Question::Answered { &self.places } else { &[] }
    }

    /// Whether something depends on whether its `WAITAOF` can be believed, and nobody knows that.
    pub(crate) fn wants_trial(&self) -> bool {
        self.trial == Trial::Untried && self.is_primary && self.may_be_tried()
    }

    fn may_be_tried(&self) -> bool {
        self.has_file
            && self.wait_for_file == Question::Answered
            && !self.syncs_first()
            && self.sync != Syncing::Never
    }

    /// Whether it takes writes.
    pub(crate) fn is_primary(&self) -> bool {
        self.is_primary
    }

    /// Reads the replies to [`questions`]; many servers refuse the second, older ones do not know the
    /// last.
    ///
    /// # Errors
    /// The first is an error, or another never came.
    pub(crate) fn read(replies: [Result<Value, Error>; 4]) -> Result<Self, Error> {
        let [info, config, wait, wait_for_file] = replies.map(|it| it.and_then(reply::accepted));
        let info = text(info?)?;
        let settings = match config {
            Ok(settings) => redis::from_redis_value(settings).unwrap_or_default(),
            Err(error @ Error::Unavailable(_)) => return Err(error),
            Err(_) => HashMap::new(),
        };
        let questions = [Question::of(wait)?, Question::of(wait_for_file)?];
        Ok(Self::judge(&info, &settings, questions))
    }

    fn judge(info: &str, settings: &HashMap<String, String>, questions: [Question; 2]) -> Self {
        let [wait, wait_for_file] = questions;
        let mut said: HashMap<&str, &str> = HashMap::new();
        said.extend(info.lines().filter_map(|line| line.trim_end().split_once(':')));
        let fact = |name: &str| said.get(name).copied().unwrap_or_default();
        let setting = |name: &str| settings.get(name).map(String::as_str);
        let places = live_replicas(&said);
        Self {
            version: fact("redis_version").to_owned(),
            wait,
            wait_for_file,
            run_id: fact("run_id").to_owned(),
            replication_id: fact("master_replid").to_owned(),
            is_primary: fact("role") == "master",
            is_loading: fact("loading") == "1",
            has_file: fact("aof_enabled") == "1",
            sync: match setting("appendfsync") {
                Some("always") => Syncing::Always,
                Some("everysec") => Syncing::EverySecond,
                Some("no") => Syncing::Never,
                _ => Syncing::Unknown,
            },
            pauses_sync: setting("no-appendfsync-on-rewrite").map(|word| word != "no"),
            replicas: u32::try_from(places.len()).unwrap_or(u32::MAX),
            places,
            replicas_sync: ReplicasSync::Unseen,
            trial: Trial::Untried,
            replicas_min: setting("min-replicas-to-write").and_then(|count| count.parse().ok()),
        }
    }

    /// Whether each answer comes after the write is on the disk.
    pub(crate) fn syncs_first(&self) -> bool {
        self.has_file && self.sync == Syncing::Always && self.pauses_sync == Some(false)
    }

    /// Whether a write may wait for what `safety` says, with hope.
    pub(crate) fn may_reach(&self, safety: Safety) -> bool {
        let ability = self.ability(safety.level);
        ability.giving != Giving::No && ability.replicas.is_none_or(|most| safety.replicas <= most)
    }

    /// Each level.
    #[must_use]
    pub fn abilities(&self) -> Vec<Ability> {
        use Durability::{Disk, Memory, Replica, ReplicaDisk};
        [Memory, Disk, Replica, ReplicaDisk].map(|level| self.ability(level)).into()
    }

    fn ability(&self, level: Durability) -> Ability {
        let (giving, why) = match level {
            Durability::Memory => {
                (Giving::AtOnce, "The server does with it what it is set to do.".into())
            }
            Durability::Disk => self.on_disk(),
            Durability::Replica => self.on_replicas(),
            Durability::ReplicaDisk => match (self.on_replicas(), self.on_disk()) {
                (no @ (Giving::No, _), _) | (_, no @ (Giving::No, _)) => no,
                _ if self.wait_for_file != Question::Answered => {
                    (Giving::No, self.no_wait_for_file())
                }
                _ => self.on_replicas_disks(),
            },
        };
        let is_about_replicas = matches!(level, Durability::Replica | Durability::ReplicaDisk);
        let replicas = is_about_replicas.then_some(match giving {
            Giving::No => 0,
            _ => self.replicas,
        });
        Ability { level, giving, replicas, why }
    }

    fn on_replicas_disks(&self) -> (Giving, Cow<'static, str>) {
        match self.replicas_sync {
            ReplicasSync::First => {
                let who = counted(self.replicas);
                (Giving::Awaited, format!("WAITAOF counts {who}, which sync first.").into())
            }
            ReplicasSync::Otherwise => (
                Giving::No,
                "A replica does not sync before it answers (appendonly yes, appendfsync always), \
                 and what some versions say of it else is not so."
                    .into(),
            ),
            ReplicasSync::Unseen => (
                Giving::No,
                "A replica cannot be asked how it syncs, by this host and with the same user."
                    .into(),
            ),
        }
    }

    fn on_disk(&self) -> (Giving, Cow<'static, str>) {
        let can_wait = self.wait_for_file == Question::Answered;
        let no = |why: &'static str| (Giving::No, why.into());
        match self.sync {
            _ if !self.is_primary => no("The server is a replica."),
            _ if !self.has_file => no("The server keeps no append-only file: set appendonly yes."),
            Syncing::Never => no("The server leaves it to the operating system when its file is \
                               synced (appendfsync no): set everysec or always."),
            Syncing::Always if self.pauses_sync == Some(false) => (
                Giving::AtOnce,
                "The server syncs its file before each answer (appendfsync always).".into(),
            ),
            Syncing::Always if !can_wait => {
                no("The server does not sync its file while it writes \
                                             that anew: set no-appendfsync-on-rewrite no.")
            }
            _ if !can_wait => (Giving::No, self.no_wait_for_file()),
            _ => match self.trial {
                Trial::Passed => (
                    Giving::Awaited,
                    "WAITAOF says when the file is synced, and was found to tell the truth.".into(),
                ),
                Trial::Failed => {
                    no("The server confirms by WAITAOF what it cannot have synced yet \
                                     (see redis/redis#13793): set appendfsync always.")
                }
                Trial::Untried => no("Whether the server's WAITAOF can be believed has not been \
                                      tried; appendfsync always needs none."),
            },
        }
    }

    fn no_wait_for_file(&self) -> Cow<'static, str> {
        let how = match self.sync {
            Syncing::Unknown => "does not tell whether it syncs its file before it answers",
            Syncing::Always => "syncs its own file before it answers",
            _ => "syncs its file once a second (appendfsync everysec)",
        };
        if self.wait_for_file == Question::Refused {
            return format!("The server {how}, and its user may not ask it WAITAOF.").into();
        }
        let version = &self.version;
        format!(
            "The server (version {version}) {how}, and cannot say when a sync is done: that takes \
             WAITAOF, of 7.2."
        )
        .into()
    }

    fn on_replicas(&self) -> (Giving, Cow<'static, str>) {
        match self.replicas {
            _ if !self.is_primary => (Giving::No, "The server is a replica.".into()),
            0 => (Giving::No, "The server has no replica that keeps up.".into()),
            _ if self.wait != Question::Answered => {
                (Giving::No, "The server's user may not ask it WAIT.".into())
            }
            count => {
                let needed = match self.replicas_min {
                    Some(0) => "writes go on without any (min-replicas-to-write 0)".to_owned(),
                    Some(least) => format!("without {least} of them it takes no writes"),
                    None => "whether it writes without them it does not tell".to_owned(),
                };
                (Giving::Awaited, format!("WAIT counts {}; {needed}.", counted(count)).into())
            }
        }
    }
}

impl Question {
    fn of(answer: Result<Value, Error>) -> Result<Self, Error> {
        match answer {
            Ok(_) => Ok(Self::Answered),
            Err(error @ Error::Unavailable(_)) => Err(error),
            Err(error) if error.is_about_access() => Ok(Self::Refused),
            Err(_) => Ok(Self::Unheard),
        }
    }
}

/// What several servers give together.
#[must_use]
pub fn together(all: &[Arc<Facts>]) -> Vec<Ability> {
    let mut servers = all.iter().map(|facts| facts.abilities());
    let first = servers.next().unwrap_or_default();
    servers.fold(first, |least, next| {
        let weaker = |(a, b): (Ability, Ability)| match rank(&a).cmp(&rank(&b)) {
            std::cmp::Ordering::Greater => b,
            _ => a,
        };
        least.into_iter().zip(next).map(weaker).collect()
    })
}

fn rank(ability: &Ability) -> (u8, Option<u32>) {
    let giving = match ability.giving {
        Giving::No => 0,
        Giving::Awaited => 1,
        Giving::AtOnce => 2,
    };
    (giving, ability.replicas)
}

fn counted(replicas: u32) -> String {
    if replicas == 1 { "1 replica".to_owned() } else { format!("{replicas} replicas") }
}

/// `slave0:ip=…,port=…,state=online,offset=…,lag=0`
fn live_replicas(said: &HashMap<&str, &str>) -> Vec<(String, u16)> {
    let lines = (0..).map_while(|number| said.get(format!("slave{number}").as_str()));
    let live = lines.filter_map(|line| {
        let part = |name: &str| {
            line.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let lag = part("lag").and_then(|lag| lag.parse::<u64>().ok());
        let is_live = part("state") == Some("online") && lag.is_none_or(|lag| lag <= LAG_MAX);
        let place = || Some((part("ip")?.to_owned(), part("port")?.parse().ok()?));
        is_live.then(place).flatten()
    });
    live.collect()
}

fn text(value: Value) -> Result<String, Error> {
    redis::from_redis_value(value).map_err(|_| Error::Reply("the server's INFO is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(more: &str, settings: &[(&str, &str)]) -> Facts {
        let info = format!(
            "redis_version:7.0.15\r\nrun_id:r\r\nmaster_replid:m\r\nrole:master\r\n\
             aof_enabled:1\r\n{more}"
        );
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let newer = if info.contains(NEWER) { Question::Answered } else { Question::Unheard };
        Facts::judge(&info, &settings.iter().map(own).collect(), [Question::Answered, newer])
    }

    const ALWAYS: &[(&str, &str)] = &[
        ("appendfsync", "always"),
        ("no-appendfsync-on-rewrite", "no"),
        ("min-replicas-to-write", "0"),
    ];
    const EVERYSEC: &[(&str, &str)] =
        &[("appendfsync", "everysec"), ("no-appendfsync-on-rewrite", "no")];
    const NEWER: &str = "redis_version:7.2.4\r\n";
    const REPLICA: &str = "slave0:ip=::1,port=1,state=online,offset=5,lag=1\r\n";

    fn given(facts: &Facts) -> [Giving; 4] {
        let all: Vec<_> = facts.abilities().into_iter().map(|it| it.giving).collect();
        all.try_into().unwrap()
    }

    #[test]
    fn what_can_be_given_follows_from_what_the_server_says() {
        use Giving::{AtOnce, Awaited, No};
        for (more, settings, expected) in [
            ("", ALWAYS, [AtOnce, AtOnce, No, No]),
            ("", EVERYSEC, [AtOnce, No, No, No]),
            (NEWER, EVERYSEC, [AtOnce, No, No, No]),
            // CONFIG is refused.
            ("", &[], [AtOnce, No, No, No]),
            (NEWER, &[], [AtOnce, No, No, No]),
            ("", &ALWAYS[..1], [AtOnce, No, No, No]),
            (NEWER, &[("appendfsync", "no")], [AtOnce, No, No, No]),
            ("aof_enabled:0\r\n", ALWAYS, [AtOnce, No, No, No]),
            (REPLICA, ALWAYS, [AtOnce, AtOnce, Awaited, No]),
            (REPLICA, EVERYSEC, [AtOnce, No, Awaited, No]),
            ("role:slave\r\n", ALWAYS, [AtOnce, No, No, No]),
        ] {
            assert_eq!(given(&facts(more, settings)), expected, "{more} {settings:?}");
        }
        for (settings, trial, sync, expected) in [
            (ALWAYS, Trial::Untried, ReplicasSync::First, [AtOnce, AtOnce, Awaited, Awaited]),
            (ALWAYS, Trial::Untried, ReplicasSync::Otherwise, [AtOnce, AtOnce, Awaited, No]),
            (ALWAYS, Trial::Untried, ReplicasSync::Unseen, [AtOnce, AtOnce, Awaited, No]),
            (EVERYSEC, Trial::Passed, ReplicasSync::First, [AtOnce, Awaited, Awaited, Awaited]),
            (EVERYSEC, Trial::Failed, ReplicasSync::First, [AtOnce, No, Awaited, No]),
        ] {
            let facts = facts(&format!("{NEWER}{REPLICA}"), settings).with(trial, sync);
            assert_eq!(given(&facts), expected, "{settings:?} {trial:?} {sync:?}");
        }
    }

    #[test]
    fn what_may_not_be_asked_is_not_given() {
        let mut facts = facts(&format!("{NEWER}{REPLICA}"), EVERYSEC);
        (facts.wait, facts.wait_for_file) = (Question::Refused, Question::Refused);
        use Giving::{AtOnce, No};
        assert_eq!(given(&facts), [AtOnce, No, No, No]);
        let why = &facts.ability(Durability::Disk).why;
        assert!(why.contains("may not ask"), "{why}");
    }

    #[test]
    fn a_file_that_is_not_synced_while_it_is_written_anew_is_not_synced_always() {
        let settings = [("appendfsync", "always"), ("no-appendfsync-on-rewrite", "yes")];
        let older = facts("", &settings);
        assert!(!older.syncs_first());
        let disk = older.ability(Durability::Disk);
        assert!(disk.giving == Giving::No && disk.why.contains("no-appendfsync-on-rewrite no"));
        let newer = facts(NEWER, &settings);
        assert!(newer.wants_trial() && !older.wants_trial());
        let newer = newer.with(Trial::Passed, ReplicasSync::Unseen);
        assert_eq!(newer.ability(Durability::Disk).giving, Giving::Awaited);
    }

    #[test]
    fn a_replica_that_has_gone_silent_does_not_count() {
        let silent = REPLICA.replace("lag=1", "lag=11").replace("slave0", "slave1");
        let joining = REPLICA.replace("online", "wait_bgsave").replace("slave0", "slave2");
        let facts = facts(&format!("{REPLICA}{silent}{joining}"), ALWAYS);
        assert_eq!(facts.replicas, 1);
        assert!(facts.may_reach(Safety::parse("replica").unwrap()));
        assert!(!facts.may_reach(Safety::parse("replica;n=2").unwrap()));
        assert!(!facts.may_reach(Safety::parse("replica-disk").unwrap()));
    }

    #[test]
    fn several_servers_give_what_the_weakest_gives() {
        let [one, other] = [facts(REPLICA, ALWAYS), facts("", EVERYSEC)].map(Arc::new);
        let all = together(&[one.clone(), other.clone()]);
        let givings: Vec<_> = all.iter().map(|it| it.giving).collect();
        assert_eq!(givings, given(&other));
        assert_eq!(together(&[one.clone(), one.clone()]), one.abilities());
    }
}
