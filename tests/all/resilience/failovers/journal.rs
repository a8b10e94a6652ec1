//! What callers were told, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

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
    /// Money was paid: what names the payment.
    Paid(String),
    /// A word was appended to a message.
    Appended(String, String),
}

#[derive(Debug, Default)]
pub struct Journal {
    /// With when it was told.
    pub told: Vec<(u64, Told)>,
    /// When a primary was killed or frozen, and since when its replica had not heard of it.
    pub blown: Vec<(u64, u64)>,
}

impl Journal {
    pub fn summary(&self) -> String {
        let count = |is_it: fn(&Told) -> bool| self.told.iter().filter(|it| is_it(&it.1)).count();
        format!(
            "{} terms and renewals, {} registrations, {} claims, {} completed, {} events, {} payments, \
             {} appends; {} blows",
            count(|it| matches!(it, Told::Led(..))),
            count(|it| matches!(it, Told::Registered(..))),
            count(|it| matches!(it, Told::Claimed(..))),
            count(|it| matches!(it, Told::Completed(..))),
            count(|it| matches!(it, Told::Event(..))),
            count(|it| matches!(it, Told::Paid(..))),
            count(|it| matches!(it, Told::Appended(..))),
            self.blown.len(),
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
                if !self.blown.iter().any(|(_, blow)| (first..=second).contains(blow)) {
                    twice.push(format!("{task}: {ends:?}"));
                }
            }
        }
        twice
    }

    /// Whether something was told so late before a blow that it may not have reached the replica. A
    /// frozen primary answers nothing, and what a killed one answered in its last seconds may be lost.
    pub fn may_be_lost(&self, at: u64) -> bool {
        let window = |(from, blow): &(u64, u64)| from.saturating_sub(2000)..blow + 2000;
        self.blown.iter().any(|blow| window(blow).contains(&at))
    }

    pub fn assert_sound(&self) {
        assert_eq!(self.given_twice(), [""; 0], "given out twice");
        assert_eq!(self.done_twice(), [""; 0], "done twice");
    }
}

/// The words that a text has more than once; each was to be appended once.
pub fn appended_twice(text: &str) -> Vec<&str> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for word in text.split_whitespace() {
        *times.entry(word).or_default() += 1;
    }
    times.into_iter().filter(|(_, times)| *times > 1).map(|(word, _)| word).collect()
}
