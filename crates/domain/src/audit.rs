//! Whether what is in the ledger's keys is what the journal says.
//!
//! The keys are read some at a time, each page at one moment and with the ledger's head of that
//! moment; the journal is read up to it before the page is compared. So nothing need stand still. What spans
//! several records, that is margins, is compared at the end, and only if no margin has moved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::journal::{Figures, Verifier};
use crate::ledger::is_system;
use crate::money::Money;
use crate::reservations::HoldEnd;

/// What lies under one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Record {
    /// `ledger account mirror agent index hold intent position`.
    pub kind: String,
    /// Which; empty for the ledger itself.
    pub id: String,
    /// What stands there, as text: amounts are millionths. Characters that no id and no number has
    /// are shown as `?`.
    pub fields: BTreeMap<String, String>,
}

impl Record {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.field(name).parse().ok()
    }

    /// How many entries the journal had at this record's moment; of the ledger's record alone.
    #[must_use]
    pub fn entries(&self) -> Option<i64> {
        // A ledger in which nothing has moved yet has no such field.
        if self.field("entries").is_empty() { Some(0) } else { self.number("entries") }
    }
}

/// A position, as it lies there.
#[derive(Debug, Clone)]
struct Position {
    agent: String,
    intent: String,
    match_id: String,
    counter: String,
    margin: i64,
    is_open: bool,
}

/// Compares records with the journal.
#[derive(Debug, Default)]
pub struct Audit {
    has_begun: bool,
    /// What must be found: it was there when the first page was read.
    due: BTreeSet<(&'static str, String)>,
    due_positions: BTreeMap<String, usize>,
    margins: BTreeMap<String, i64>,
    positions: BTreeMap<String, Position>,
    /// The entries of matches whose positions were found, and those of each agent.
    matches_seen: BTreeSet<i64>,
    matches_of: BTreeMap<String, BTreeSet<i64>>,
    indexes: BTreeSet<String>,
    changes_of_margins: u64,
    records: u64,
    faults: BTreeSet<String>,
}

impl Audit {
    /// Compares a record with the journal, which has been read up to the record's moment.
    pub fn compare(&mut self, record: &Record, journal: &Verifier) {
        if !self.has_begun {
            self.begin(journal);
        }
        self.records += 1;
        let id = record.id.as_str();
        match record.kind.as_str() {
            "ledger" => self.compare_ledger(record, journal),
            "account" => self.compare_account(record, journal),
            "mirror" if record.field("account") != "1" => {
                self.fault(format!("balance:{id} mirrors an account that is not there"));
            }
            "agent" if record.field("listed") != "1" => {
                self.fault(format!("the agent {id} is not in the list of agents"));
            }
            "index" => drop(self.indexes.insert(record.id.clone())),
            "hold" => self.compare_hold(record, journal),
            "intent" => self.compare_intent(record, journal),
            "position" => self.compare_position(record, journal),
            _ => {}
        }
    }

    fn begin(&mut self, journal: &Verifier) {
        self.has_begun = true;
        self.changes_of_margins = journal.reservations().changes_of_margins();
        let things = journal.reservations();
        let due = |kind: &'static str| move |id: &String| (kind, id.clone());
        self.due.extend(journal.accounts().keys().map(due("account")));
        self.due.extend(things.holds().keys().map(due("hold")));
        self.due.extend(things.intents().keys().map(due("intent")));
        self.due.extend(things.index().keys().map(due("index")));
        self.due_positions = things.matches().keys().map(|id| (id.clone(), 2)).collect();
    }

    fn fault(&mut self, fault: String) {
        self.faults.insert(fault);
    }

    fn require(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.fault(fault());
        }
    }

    fn compare_ledger(&mut self, record: &Record, journal: &Verifier) {
        let entries = journal.entries();
        self.require(record.entries() == Some(entries), || {
            format!(
                "the ledger's head says {} entries; {entries} are there",
                record.field("entries")
            )
        });
        let last = if entries == 0 { String::new() } else { format!("{entries}-0") };
        let link = if entries == 0 { "" } else { journal.link() };
        for (name, expected) in [("link", link), ("last_link", link), ("last", &last)] {
            self.require(record.field(name) == expected, || {
                format!("the ledger's {name} is {:?}, and not {expected:?}", record.field(name))
            });
        }
        let things = journal.reservations();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        for (name, expected) in [
            ("length", entries),
            ("holds", count(things.holds().len())),
            ("intents", count(things.intents().len())),
            ("positions", count(things.matches().len()) * 2),
        ] {
            self.require(record.number(name).unwrap_or(0) == expected, || {
                format!("the ledger's {name} is {}, and not {expected}", record.field(name))
            });
        }
        let (sealed, seals) = (record.number("sealed").unwrap_or(0), record.number("seals"));
        self.require(seals == Some(sealed), || {
            format!("{} seals are there, and {sealed} were made", record.field("seals"))
        });
        let own = usize::try_from(sealed - 1).ok().map(|last| journal.seals().get(last));
        if let Some(own) = own {
            self.require(own.is_some_and(|own| own == record.field("seal")), || {
                format!("the ledger's last seal, number {sealed}, is not that of its entries")
            });
        }
    }

    fn compare_account(&mut self, record: &Record, journal: &Verifier) {
        let id = record.id.as_str();
        self.due.remove(&("account", record.id.clone()));
        let known = journal.accounts().get(id);
        self.require(is_system(id) || record.field("agent") == "1", || {
            format!("the account {id} is nobody's")
        });
        self.require(known.is_some(), || format!("the account {id} is in no entry"));
        let Figures { balance, locked } = known.copied().unwrap_or_default();
        let has = [record.number("balance"), record.number("locked")];
        self.require(has == [Some(balance), Some(locked)], || {
            format!(
                "{id} has {} millionths, {} of them reserved; by the journal it has {balance} and \
                 {locked}",
                record.field("balance"),
                record.field("locked")
            )
        });
        let mirror = Money::from_micros(balance).unwrap_or_default().to_string();
        self.require(record.field("mirror") == mirror, || {
            format!("balance:{id} is {:?}, and not {mirror:?}", record.field("mirror"))
        });
    }

    /// Each field that is not what the journal says.
    fn compare_fields(&mut self, record: &Record, expected: &[(&str, String)]) {
        for (name, expected) in expected {
            let found = record.field(name);
            self.require(found == expected, || {
                format!("{} {}: {name} is {found:?}, and not {expected:?}", record.kind, record.id)
            });
        }
        let unlisted = record.field("unlisted");
        self.require(unlisted.is_empty(), || {
            format!("{} {} is not in its place in: {unlisted}", record.kind, record.id)
        });
    }

    fn compare_hold(&mut self, record: &Record, journal: &Verifier) {
        self.due.remove(&("hold", record.id.clone()));
        let Some(hold) = journal.reservations().holds().get(&record.id) else {
            return self.fault(format!("the hold {} is in no entry", record.id));
        };
        let (posted, to) = match &hold.end {
            HoldEnd::Posted { amount, to } => (*amount, to.clone()),
            _ => (0, String::new()),
        };
        self.compare_fields(
            record,
            &[
                ("agent_id", hold.agent.clone()),
                ("amount", hold.amount.to_string()),
                ("status", hold.end.status().to_owned()),
                ("posted", posted.to_string()),
                ("to_agent", to),
                ("entry", hold.entry.to_string()),
            ],
        );
    }

    fn compare_intent(&mut self, record: &Record, journal: &Verifier) {
        self.due.remove(&("intent", record.id.clone()));
        let Some(intent) = journal.reservations().intents().get(&record.id) else {
            return self.fault(format!("the intent {} is in no entry", record.id));
        };
        let mut expected =
            vec![("agent_id", intent.agent.clone()), ("entry", intent.entry.to_string())];
        let is_whole = record.number("size") == record.number("filled");
        let status = match (intent.released, is_whole) {
            (Some(_), _) => "cancelled",
            (None, true) => "matched",
            (None, false) => "open",
        };
        expected.push(("status", status.to_owned()));
        if status != "open" {
            expected.push(("margin", "0".to_owned()));
        }
        self.compare_fields(record, &expected);
        let reserved = match (record.number("size"), record.number("leverage")) {
            (Some(size @ 1..), Some(leverage @ 1..)) => (size - 1) / leverage + 1,
            _ => 0,
        };
        self.require(reserved == intent.margin, || {
            format!(
                "intent {}: its size asks for a margin of {reserved}; {} was reserved",
                record.id, intent.margin
            )
        });
        self.margins.insert(record.id.clone(), record.number("margin").unwrap_or(-1));
    }

    fn compare_position(&mut self, record: &Record, journal: &Verifier) {
        let things = journal.reservations();
        let position = Position {
            agent: record.field("agent_id").to_owned(),
            intent: record.field("intent_id").to_owned(),
            match_id: record.field("match_id").to_owned(),
            counter: record.field("counter_position").to_owned(),
            margin: record.number("margin").unwrap_or(-1),
            is_open: record.field("status") == "open",
        };
        let id = &record.id;
        let Some(entry) = things.matches().get(&position.match_id).copied() else {
            return self.fault(format!("the position {id} is of no match in the journal"));
        };
        self.matches_seen.insert(entry);
        self.matches_of.entry(position.agent.clone()).or_default().insert(entry);
        let owner = things.intents().get(&position.intent).map(|intent| &intent.agent);
        self.require(owner == Some(&position.agent), || {
            format!("the position {id} is not of the agent of its intent")
        });
        let close = things.closes().get(id).or_else(|| things.closes().get(&position.counter));
        self.require(position.is_open == close.is_none(), || {
            format!("the position {id} is {}; the journal says otherwise", record.field("status"))
        });
        let mut realized = 0;
        if let Some(close) = close {
            let leg = close.legs.iter().find(|leg| leg.account == position.agent);
            realized = leg.map_or(0, |leg| leg.amount.micros());
            let lock = close.locks.iter().find(|leg| leg.account == position.agent);
            let margin = lock.map(|leg| -leg.amount.micros());
            self.require(margin == Some(position.margin), || {
                format!("the position {id} has another margin than its end released")
            });
        }
        self.compare_fields(record, &[("realized_pnl", realized.to_string())]);
        if self.positions.insert(id.clone(), position).is_none()
            && let Some(left) = self.due_positions.get_mut(record.field("match_id"))
        {
            *left = left.saturating_sub(1);
        }
    }

    /// Whether a margin has moved since the first page: then what spans several records cannot be
    /// compared.
    #[must_use]
    pub fn is_blurred(&self, journal: &Verifier) -> bool {
        journal.reservations().changes_of_margins() != self.changes_of_margins
    }

    /// How many records were compared.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The agents that have, or should have, an index of their entries.
    #[must_use]
    pub fn indexed(&self, journal: &Verifier) -> BTreeSet<String> {
        journal.reservations().index().keys().chain(&self.indexes).cloned().collect()
    }

    /// Compares the numbers in an agent's index with the journal, which has `journal.entries()`
    /// entries; later numbers are left out.
    pub fn compare_index(&mut self, agent: &str, numbers: &[i64], journal: &Verifier) {
        self.due.remove(&("index", agent.to_owned()));
        let things = journal.reservations();
        let mut expected = things.index().get(agent).cloned().unwrap_or_default();
        let matches = self.matches_of.get(agent).into_iter().flatten();
        expected.extend(matches.filter(|number| **number <= journal.entries()));
        expected.sort_unstable();
        expected.dedup();
        // Of a match whose positions were not there yet when the keys were read nobody knows whose
        // it is.
        let known = |number: &&i64| {
            let is_unknown_match =
                things.is_match(**number) && !self.matches_seen.contains(*number);
            **number <= journal.entries() && !is_unknown_match
        };
        let found: Vec<i64> = numbers.iter().filter(known).copied().collect();
        self.require(found == expected, || {
            format!("the index of the entries of {agent} is not what the journal says")
        });
    }

    /// What was found, once all pages were compared; nothing if all is as it should be.
    #[must_use]
    pub fn finish(mut self, journal: &Verifier) -> Vec<String> {
        for (kind, id) in std::mem::take(&mut self.due) {
            // The account of an agent that was removed goes with it, once there is nothing in it.
            let is_empty = journal.accounts().get(&id) == Some(&Figures::default());
            if kind == "account" && is_empty {
                continue;
            }
            let what = if kind == "index" { "index of entries of" } else { kind };
            self.fault(format!("the {what} {id} is missing"));
        }
        for (id, left) in std::mem::take(&mut self.due_positions) {
            self.require(left == 0, || format!("{left} of the two positions of {id} are missing"));
        }
        if !self.is_blurred(journal) {
            self.compare_margins(journal);
        }
        self.faults.into_iter().collect()
    }

    /// What each intent reserved is in itself and its positions, or was released; and what an
    /// agent has reserved is what its holds, intents and positions reserve.
    fn compare_margins(&mut self, journal: &Verifier) {
        let things = journal.reservations();
        let mut locked: BTreeMap<&str, i64> = BTreeMap::new();
        for hold in things.holds().values().filter(|hold| hold.end == HoldEnd::Pending) {
            *locked.entry(&hold.agent).or_default() += hold.amount;
        }
        let mut in_positions: BTreeMap<&str, i64> = BTreeMap::new();
        for position in self.positions.values() {
            *in_positions.entry(&position.intent).or_default() += position.margin;
            if position.is_open {
                *locked.entry(&position.agent).or_default() += position.margin;
            }
        }
        let mut faults = Vec::new();
        for (id, intent) in things.intents() {
            let Some(left) = self.margins.get(id) else { continue };
            *locked.entry(&intent.agent).or_default() += left;
            let gone = in_positions.get(id.as_str()).copied().unwrap_or(0);
            let sum = left + gone + intent.released.unwrap_or(0);
            if sum != intent.margin {
                faults.push(format!(
                    "intent {id} reserved {} millionths; it, its positions and what it released \
                     come to {sum}",
                    intent.margin
                ));
            }
        }
        for (account, figures) in journal.accounts() {
            let reserved = locked.get(account.as_str()).copied().unwrap_or(0);
            if reserved != figures.locked {
                faults.push(format!(
                    "{account} has {} millionths reserved; its holds, intents and positions \
                     reserve {reserved}",
                    figures.locked
                ));
            }
        }
        self.faults.extend(faults);
    }
}
