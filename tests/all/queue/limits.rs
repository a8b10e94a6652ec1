//! Limits: what the queue should make of them, and what is done to them.

use std::collections::BTreeMap;

use reef_api::{LimitId, TaskId, Token};
use reef_store::limit::{LimitPut, OpenLimits, Penalise, Penalised, Put, Remove};
use reef_store::node::Writer;
use reef_store::task::Written;

use super::Run;
use super::driver::Driver;
use super::model::{ANSWERED, Model, STEP, Wants};
use crate::harness::now;

/// A limit that a task is under, and its key.
pub type Under = (&'static str, &'static str);

/// Most tasks that run at once; one that is kept at a pace; and one that each owner has for itself.
pub const LIMITS: [&str; 4] = ["one", "two", "paced", "own"];

/// Within how long how many may begin, in ms.
const PER: i64 = 3 * STEP;
const COUNT: i64 = 2;
const SHARE: i64 = PER / COUNT;
/// For how long a provider wants to be left alone, in ms.
const PENALTY: i64 = STEP + STEP / 2;

#[derive(Clone, Debug)]
pub struct Limit {
    pub most: Option<i64>,
    pub is_paused: bool,
}

/// What is kept of a use besides the tasks that hold it.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// When all that has begun would have begun at an even pace.
    evenly: i64,
    shut_until: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Uses {
    held: BTreeMap<String, i64>,
    standing: BTreeMap<String, Standing>,
}

/// What opens a use that is shut.
#[derive(Debug, PartialEq, Eq)]
pub enum Shut {
    InTime,
    /// A task that gives it back, or whoever changes the limit.
    Unforeseen,
}

/// How a use is called.
pub fn use_of((name, key): Under) -> String {
    let owner = if name == "own" { "o" } else { "" };
    format!("{name}/{owner}/{key}")
}

impl Uses {
    /// Counts a task that begins.
    fn take(&mut self, limits: &BTreeMap<&'static str, Limit>, wants: &Wants, clock: i64) {
        for under in &wants.limits {
            if limits.contains_key(under.0) {
                *self.held.entry(use_of(*under)).or_default() += 1;
                if under.0 == "paced" {
                    let standing = self.standing.entry(use_of(*under)).or_default();
                    standing.evenly = standing.evenly.max(clock) + SHARE;
                }
            }
        }
    }
}

impl Model {
    /// The tasks that hold each use.
    pub fn holders(&self) -> BTreeMap<String, Vec<&str>> {
        let mut holders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (id, task) in self.tasks.iter().filter(|(_, task)| task.status == "running") {
            for use_ in &task.uses {
                holders.entry(use_.clone()).or_default().push(id);
            }
        }
        holders
    }

    fn uses_now(&self) -> Uses {
        let held = self.holders().into_iter();
        let held = held.map(|(use_, tasks)| (use_, i64::try_from(tasks.len()).unwrap()));
        Uses { held: held.collect(), ..self.uses.clone() }
    }

    /// What keeps one use shut.
    pub fn shut(&self, under: Under) -> Option<Shut> {
        self.shut_with(&self.uses_now(), under)
    }

    fn shut_with(&self, uses: &Uses, under: Under) -> Option<Shut> {
        let (limit, use_) = (self.limits.get(under.0)?, use_of(under));
        let held = uses.held.get(&use_).copied().unwrap_or_default();
        if limit.is_paused || limit.most.is_some_and(|most| held >= most) {
            return Some(Shut::Unforeseen);
        }
        let standing = uses.standing.get(&use_).cloned().unwrap_or_default();
        let paced = if under.0 == "paced" { standing.evenly - PER + SHARE } else { 0 };
        let till = standing.shut_until.max(paced);
        (till > self.clock).then_some(Shut::InTime)
    }

    /// What a claim chooses among, as it goes on choosing.
    pub(super) fn begin_claim(&self) -> Uses {
        self.uses_now()
    }

    pub(super) fn is_open(&self, uses: &Uses, wants: &Wants) -> bool {
        wants.limits.iter().all(|under| self.shut_with(uses, *under).is_none())
    }

    pub(super) fn take(&self, uses: &mut Uses, wants: &Wants) {
        uses.take(&self.limits, wants, self.clock);
    }

    /// Notes what a task counts against that a node takes.
    pub(super) fn hold_uses(&mut self, id: &str) {
        let wants = self.tasks[id].wants.clone();
        let mut uses = std::mem::take(&mut self.uses);
        self.take(&mut uses, &wants);
        self.uses = Uses { held: BTreeMap::new(), ..uses };
        let under = wants.limits.iter().filter(|under| self.limits.contains_key(under.0));
        let under = under.map(|under| use_of(*under)).collect();
        self.tasks.get_mut(id).unwrap().uses = under;
    }

    fn penalise(&mut self, name: &str, id: &str, token: &str) -> &'static str {
        if !self.limits.contains_key(name) {
            return "unknown_limit";
        }
        let outcome = self.use_token(id, token);
        if outcome != ANSWERED {
            return outcome;
        }
        let uses: Vec<String> = self.tasks[id]
            .uses
            .iter()
            .filter(|use_| use_.split('/').next() == Some(name))
            .cloned()
            .collect();
        let till = self.clock + PENALTY;
        for use_ in &uses {
            let standing = self.uses.standing.entry(use_.clone()).or_default();
            standing.shut_until = standing.shut_until.max(till);
        }
        if uses.is_empty() { "not_under" } else { ANSWERED }
    }
}

impl Driver {
    pub(super) fn put_limit(&self, name: &str, limit: &Limit) {
        let call = Put {
            name: &LimitId::from(name),
            by: "o",
            concurrency: limit.most,
            rates: if name == "paced" { &format!(r#"[["tasks",{PER},{COUNT}]]"#) } else { "[]" },
            paused: limit.is_paused,
            per_owner: name == "own",
            note: "",
        };
        let put = now(self.store().call(&call)).unwrap();
        assert!(matches!(put, LimitPut::Ok { .. }), "{put:?}");
    }

    fn remove_limit(&self, name: &str) -> bool {
        let call = Remove { name: &LimitId::from(name) };
        matches!(now(self.store().call(&call)).unwrap(), Written::Ok(()))
    }

    fn penalise(&self, name: &str, id: &str, token: &str) -> &'static str {
        let call = Penalise {
            name: &LimitId::from(name),
            writer: Writer::Any,
            task_id: Some(&TaskId::from(id)),
            token: Some(&Token::from(token)),
            owner: "",
            use_key: "",
            for_ms: PENALTY,
        };
        match now(self.store().call(&call)).unwrap() {
            Penalised::Ok { .. } => ANSWERED,
            Penalised::UnknownLimit => "unknown_limit",
            Penalised::NotUnder => "not_under",
            Penalised::NotFound => "not_found",
            Penalised::Fenced => "fenced",
            other => panic!("{other:?}"),
        }
    }

    /// Opens all whose time has come, as hubs do after their claims and the monitor does.
    pub(super) fn open_limits(&self) {
        let mut listed = redis::cmd("ZRANGE");
        listed.arg("reef:limits-opening").arg(0).arg(-1).arg("WITHSCORES");
        let mut before: Vec<String> = self.ask(&listed);
        while !before.is_empty() {
            now(self.store().call(&OpenLimits)).unwrap();
            let after: Vec<String> = self.ask(&listed);
            if after == before {
                break;
            }
            before = after;
        }
    }
}

impl Run {
    /// Sets a limit as it is at first.
    pub(super) fn put(&mut self, name: &'static str, is_paused: bool) {
        let most = match name {
            "paced" => None,
            "two" => Some(2),
            _ => Some(1),
        };
        self.put_limit(name, Limit { most, is_paused });
    }

    fn put_limit(&mut self, name: &'static str, limit: Limit) {
        self.queue.put_limit(name, &limit);
        self.model.limits.insert(name, limit);
    }

    pub(super) fn put_most(&mut self, name: &'static str, most: i64) {
        self.put_limit(name, Limit { most: Some(most), is_paused: false });
    }

    pub(super) fn drop_limit(&mut self, name: &str) -> bool {
        let was_there = self.model.limits.remove(name).is_some();
        assert_eq!(self.queue.remove_limit(name), was_there, "remove the limit {name}");
        was_there
    }

    pub(super) fn shut(&mut self, name: &str, id: &str, token: &str) -> &'static str {
        let outcome = self.queue.penalise(name, id, token);
        assert_eq!(outcome, self.model.penalise(name, id, token), "{name} {id} {token}");
        outcome
    }

    /// Changes a limit, removes one, or shuts one for a time.
    pub(super) fn limit(&mut self) -> String {
        let name = LIMITS[self.random.usize(..LIMITS.len())];
        match self.random.u8(0..8) {
            0..4 => {
                let is_paused = self.random.u8(0..4) == 0;
                let most = self.random.bool().then(|| self.random.i64(1..4));
                let limit = Limit { most, is_paused };
                self.put_limit(name, limit.clone());
                format!("{name} is {limit:?}")
            }
            4 => {
                let was_there = self.drop_limit(name);
                format!("{name} is removed: {was_there}")
            }
            _ => {
                let Some((id, token)) = self.a_token(4) else { return "nothing".to_owned() };
                let uses = self.model.tasks.get(&id).and_then(|task| task.wants.limits.first());
                let name = uses.filter(|_| self.random.u8(0..4) > 0).map_or(name, |under| under.0);
                let outcome = self.shut(name, &id, &token);
                format!("{name} is shut by {id}: {outcome}")
            }
        }
    }

    /// What a task may want, of limits that there are.
    pub(super) fn some_wants(&mut self) -> Wants {
        let mut wants = self.wants[self.random.usize(..self.wants.len())].clone();
        wants.limits.retain(|(name, _)| self.model.limits.contains_key(name));
        wants
    }
}
