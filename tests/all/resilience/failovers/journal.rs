//! What callers were told, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde_json::Value;

/// Milliseconds of the clock that all processes of this machine share.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// Something that a caller was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// A node leads: term and node.
    Led(i64, String),
    /// A node was registered: incarnation and node.
    Registered(i64, String),
    /// A task was claimed: the claim's number, and the task.
    Claimed(i64, String),
    /// A task was completed: the task, and the token that ended it.
    Completed(String, String),
    /// An event: its id, and what it says.
    Event(String, String),
    /// Money was paid: the number of the entry, and what names the payment.
    Paid(i64, String),
    /// A word was appended to a message.
    Appended(String, String),
}

#[derive(Debug, Default)]
pub struct Journal {
    /// With when it was told.
    pub told: Vec<(u64, Told)>,
    pub blown: Vec<Blow>,
    /// When readers were told that another process of Redis answers. On a machine that is busy with
    /// other things Sentinels and nodes replace a primary that is only slow.
    changed: Vec<u64>,
    /// When readers were told of an older copy of the data, and since when what was told is not in it:
    /// Sentinels that replace a new primary may choose the one from before, which came back.
    older: Vec<RangeInclusive<u64>>,
}

/// A primary falls.
#[derive(Debug, Clone, Copy)]
pub struct Blow {
    /// Since when its replica had not heard of it.
    pub cut_off: u64,
    /// Until when the monitor has seen all that was told.
    pub seen: u64,
    /// When it was killed or frozen.
    pub at: u64,
}

/// What the hub names: entries of the journal that are no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub first: i64,
    pub last: i64,
}

impl Named {
    /// From the memo of an entry of the kind `restored`, if it names any.
    pub fn read(memo: &str) -> Option<Self> {
        let (first, rest) = memo.strip_prefix("entries ")?.split_once(" to ")?;
        let last = rest.strip_suffix(" are no more")?;
        Some(Self { first: first.parse().unwrap(), last: last.parse().unwrap() })
    }

    fn has(self, number: i64) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

impl Journal {
    /// `is_one_server`: all data are on one server at a time, so that what is told of the copy of the
    /// events holds for all.
    pub fn new(told: Vec<(u64, Told)>, blown: Vec<Blow>, is_one_server: bool) -> Self {
        let (mut changed, mut older) = (Vec::new(), Vec::new());
        for (at, it) in &told {
            let Told::Event(_, event) = it else { continue };
            let event: Value = serde_json::from_str(event).unwrap();
            match event["event_type"].as_str().unwrap() {
                "store_changed" => changed.push(*at),
                "restored" => {
                    let copied = event["payload"]["last_event_id"].as_str().unwrap();
                    if is_one_server {
                        older.push(end_of_copy(&told, copied).saturating_sub(1000)..=*at);
                    }
                }
                _ => {}
            }
        }
        Self { told, blown, changed, older }
    }

    pub fn summary(&self) -> String {
        let count = |is_it: fn(&Told) -> bool| self.told.iter().filter(|it| is_it(&it.1)).count();
        format!(
            "{} terms and renewals, {} registrations, {} claims, {} completed, {} events, {} payments, \
             {} appends; {} blows, {} times another process, {} times an older copy",
            count(|it| matches!(it, Told::Led(..))),
            count(|it| matches!(it, Told::Registered(..))),
            count(|it| matches!(it, Told::Claimed(..))),
            count(|it| matches!(it, Told::Completed(..))),
            count(|it| matches!(it, Told::Event(..))),
            count(|it| matches!(it, Told::Paid(..))),
            count(|it| matches!(it, Told::Appended(..))),
            self.blown.len(),
            self.changed.len(),
            self.older.len(),
        )
    }

    /// What was given out to two.
    pub fn given_twice(&self) -> Vec<String> {
        let mut holders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (_, told) in &self.told {
            let (number, holder) = match told {
                Told::Led(term, node) => (format!("term {term}"), node),
                Told::Registered(number, node) => (format!("incarnation {number}"), node),
                Told::Claimed(number, task) => (format!("claim {number}"), task),
                Told::Event(id, event) => (format!("event {id}"), event),
                _ => continue,
            };
            holders.entry(number).or_default().insert(holder);
        }
        let twice = holders.into_iter().filter(|(_, holders)| holders.len() > 1);
        twice.map(|(number, holders)| format!("{number}: {holders:?}")).collect()
    }

    /// Tasks that were completed twice, though no primary fell in between: then the first completion
    /// was not lost.
    pub fn done_twice(&self) -> Vec<String> {
        let blown = self.blown.iter().map(|blow| blow.at);
        let falls: Vec<u64> = blown.chain(self.changed.iter().copied()).collect();
        let is_in_no_copy = |at: u64| self.older.iter().any(|lacking| lacking.contains(&at));
        let mut done: BTreeMap<&str, Vec<(u64, &str)>> = BTreeMap::new();
        for (at, told) in &self.told {
            if let Told::Completed(task, token) = told {
                done.entry(task).or_default().push((*at, token));
            }
        }
        let mut twice = Vec::new();
        for (task, mut ends) in done {
            ends.sort_unstable();
            for pair in ends.windows(2) {
                // An answer is written down a little after it was given.
                let (first, second) = (pair[0].0.saturating_sub(1000), pair[1].0);
                let is_lost = falls.iter().any(|at| (first..=second).contains(at));
                if !is_lost && !is_in_no_copy(pair[0].0) {
                    twice.push(format!("{task}: {ends:?}"));
                }
            }
        }
        twice
    }

    /// Whether something was told so late before a blow that it may not have reached the replica. A
    /// frozen primary answers nothing, and what a killed one answered in its last seconds may be lost;
    /// so may what one answered that was replaced while it lived, and what is not in an older copy.
    pub fn may_be_lost(&self, at: u64) -> bool {
        if self.older.iter().any(|lacking| lacking.contains(&at)) {
            return true;
        }
        if self.changed.iter().any(|told| (told.saturating_sub(5000)..=*told).contains(&at)) {
            return true;
        }
        let window = |blow: &Blow| blow.cut_off.saturating_sub(2000)..blow.at + 2000;
        self.blown.iter().any(|blow| window(blow).contains(&at))
    }

    /// What readers were told of the store itself.
    fn of_the_store(&self) -> Vec<&(u64, Told)> {
        const TYPES: [&str; 3] = ["store_changed", "restored", "ledger_rolled_back"];
        let names = TYPES.map(|name| format!(r#""event_type":"{name}""#));
        let is_it = |it: &&(u64, Told)| match &it.1 {
            Told::Event(_, event) => names.iter().any(|name| event.contains(name)),
            _ => false,
        };
        self.told.iter().filter(is_it).collect()
    }

    /// What befell the primaries within ten seconds of a moment, for whoever looks for a cause.
    pub fn around(&self, at: u64) -> String {
        let near = |it: u64| it.abs_diff(at) < 10_000;
        let blown: Vec<_> = self.blown.iter().filter(|blow| near(blow.at)).collect();
        let changed: Vec<_> = self.changed.iter().filter(|told| near(**told)).collect();
        let older: Vec<_> = self.older.iter().filter(|it| near(*it.end())).collect();
        format!("{blown:?}, another process {changed:?}, an older copy {older:?}")
    }

    /// Compares the payments that are lost with what the hub says of its journal: it names what the
    /// monitor had seen, each with its number, and nothing that somebody still has. `payers` is how many
    /// payments were under way at once: those may have been lost before anybody was told of them.
    pub fn assert_named(&self, lost: &[(u64, i64)], named: &[Named], payers: usize) {
        let unsaid: Vec<_> =
            lost.iter().filter(|(_, number)| !named.iter().any(|it| it.has(*number))).collect();
        for (at, number) in &unsaid {
            let was_seen = |blow: &Blow| (blow.cut_off..blow.seen).contains(at);
            assert!(
                !self.blown.iter().any(was_seen),
                "entry {number}, told at {at}, is lost and not named: {}; named are {named:?}, not \
                 named {unsaid:?}; of the store was told {:?}",
                self.around(*at),
                self.of_the_store()
            );
        }
        for it in named {
            let known = lost.iter().filter(|(_, number)| it.has(*number)).count();
            let others = usize::try_from(it.last - it.first + 1).unwrap().saturating_sub(known);
            assert!(others <= payers + self.blown.len(), "{it:?}: {known} are lost");
        }
        println!("{} lost payments: the hub names {named:?}, and not {unsaid:?}", lost.len());
    }

    pub fn assert_sound(&self) {
        assert_eq!(self.given_twice(), [""; 0], "given out twice");
        assert_eq!(self.done_twice(), [""; 0], "done twice");
    }
}

/// When the last event came about that a copy has, which ends with this id. Readers may have been told
/// of it only with the events of after it.
fn end_of_copy(told: &[(u64, Told)], last: &str) -> u64 {
    let number = |id: &str| -> (u64, u64) {
        let (ms, sequence) = id.split_once('-').unwrap_or((id, "0"));
        (ms.parse().unwrap(), sequence.parse().unwrap())
    };
    let last = number(last);
    let in_copy = told.iter().filter_map(|(_, told)| match told {
        Told::Event(id, event) if number(id) <= last => {
            let event: Value = serde_json::from_str(event).unwrap();
            let when: Timestamp = event["timestamp"].as_str().unwrap().parse().unwrap();
            u64::try_from(when.as_millisecond()).ok()
        }
        _ => None,
    });
    in_copy.max().expect("a copy that has an event which somebody was told of")
}

/// The words that a text has more than once; each was to be appended once.
pub fn appended_twice(text: &str) -> Vec<&str> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for word in text.split_whitespace() {
        *times.entry(word).or_default() += 1;
    }
    times.into_iter().filter(|(_, times)| *times > 1).map(|(word, _)| word).collect()
}
