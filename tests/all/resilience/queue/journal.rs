//! What the workers wrote down, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long a claim lasts, in ms.
pub const LEASE_MS: u64 = 1500;

/// Milliseconds of the clock that all processes of this machine share.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// What a worker was told when it had done a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    Fenced,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Fenced => "fenced",
        }
    }
}

/// One task done once.
#[derive(Debug)]
struct Entry {
    outcome: Outcome,
    task: String,
    token: String,
    /// From when to when the worker could be sure that its token was good: from the hub's answer to
    /// the end of the lease, counted from before it asked, or to the end of the work.
    begin: u64,
    end: u64,
}

#[derive(Debug)]
pub struct Journal(Vec<Entry>);

/// Reads what all workers wrote down.
pub fn read_journals(folder: &Path) -> Journal {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "journal"));
    let mut entries = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let fields: Vec<_> = line.split(' ').collect();
            let [word, task, token, begin, end] = fields[..] else { panic!("{line}: cut") };
            let known = [Outcome::Accepted, Outcome::Fenced];
            entries.push(Entry {
                outcome: known.into_iter().find(|it| it.word() == word).unwrap(),
                task: task.to_owned(),
                token: token.to_owned(),
                begin: begin.parse().unwrap(),
                end: end.parse().unwrap(),
            });
        }
    }
    Journal(entries)
}

impl Journal {
    pub fn count(&self, outcome: Outcome) -> usize {
        self.0.iter().filter(|entry| entry.outcome == outcome).count()
    }

    /// Each task was accepted from one worker alone, under the token that its result names. What a
    /// killed worker did last it could not write down.
    pub fn assert_one_effect_each(&self, results: &[(String, String)], killed: usize) {
        let tasks: BTreeSet<_> = results.iter().map(|(task, _)| task).collect();
        assert_eq!(tasks.len(), results.len(), "some tasks are listed twice");
        let results: BTreeMap<_, _> = results.iter().map(|(task, token)| (task, token)).collect();
        let mut accepted = BTreeSet::new();
        for entry in &self.0 {
            let is_it = results.get(&entry.task) == Some(&&entry.token);
            match entry.outcome {
                Outcome::Accepted => {
                    assert!(is_it, "{entry:?} was accepted, {:?} is", results.get(&entry.task));
                    assert!(accepted.insert(&entry.task), "{entry:?} was accepted twice");
                }
                Outcome::Fenced => assert!(!is_it, "{entry:?} was fenced, and has an effect"),
            }
        }
        let missing = results.len() - accepted.len();
        assert!(missing <= killed, "{missing} tasks were done by nobody");
    }

    /// No task was in the hands of two workers who could both be sure of it.
    pub fn assert_never_two_at_once(&self) {
        let mut by_task: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in self.0.iter().filter(|entry| entry.begin < entry.end) {
            by_task.entry(&entry.task).or_default().push(entry);
        }
        for tries in by_task.values_mut() {
            tries.sort_by_key(|entry| entry.begin);
            for pair in tries.windows(2) {
                assert!(pair[0].end <= pair[1].begin, "{:?} beside {:?}", pair[0], pair[1]);
            }
        }
    }
}
