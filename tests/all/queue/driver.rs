//! The queue's scripts through their typed calls, on a Redis of the test's own.

mod flow;

use std::cell::Cell;
use std::collections::BTreeMap;

use reef_api::heartbeat::{HeldClaim, LostClaim, RenewedClaim};
use reef_api::node::{NodeChange, NodeStatus};
use reef_api::{TaskId, Token, Word as _};
use reef_domain::heartbeat::{Heartbeat, Timeout};
use reef_domain::json::Json;
use reef_domain::limit::Under;
use reef_domain::node::Registration;
use reef_domain::task as domain;
use reef_store::heartbeat::{Beat, BeatOutcome, Check, check_all};
use reef_store::node::{self, Register, Registered, Shutdown, Update, Writer};
use reef_store::task::{
    Cancel, Claim, ClaimState, Complete, Edit, Edited, Ended, Fail, Get, GivenTask, Letters,
    Progress, Remove, Retry, Written, preferring_max, redrive, release, settle_due,
};
use reef_store::variables::Given;
use reef_store::{Keys, Settings, Store};

use super::flow::Change;
use super::model::{ANSWERED, SILENCE, Wants, owner_of};
use super::mutants::{Mutant, Mutated};
use crate::harness::{RedisServer, node_with, now};

/// What a node is told in answer to a heartbeat.
pub struct Told {
    /// What became of the claims that it listed.
    pub states: Vec<&'static str>,
    /// What it holds, in order, and for how long.
    pub held: Vec<(String, i64)>,
    /// What it has lost, and why.
    pub lost: BTreeMap<String, &'static str>,
}

impl Told {
    fn new(states: Vec<ClaimState>, held: Vec<RenewedClaim>, lost: Vec<LostClaim>) -> Self {
        let held = held.into_iter().map(|claim| (claim.task_id.into(), claim.lease_expires_in_ms));
        let mut held: Vec<(String, i64)> = held.collect();
        held.sort_unstable();
        let lost = lost.into_iter();
        let lost = lost.map(|it| (it.task_id.into(), it.reason.known().unwrap().as_str()));
        Self { states: states.into_iter().map(word).collect(), held, lost: lost.collect() }
    }
}

pub struct Driver {
    store: Store<Mutated>,
    settings: Settings,
    /// Whoever calls scripts is gone after the next, and does nothing of what else there is to do.
    pub is_cut: Cell<bool>,
}

impl Driver {
    /// The queue of a server from which all is removed.
    pub fn on_empty(server: &RedisServer, mutant: Option<&'static Mutant>) -> Self {
        let settings = Settings::read(&Given::new(|_| String::new())).unwrap();
        let store = Store::new(Mutated::new(server.connect(), mutant), Keys::default());
        let it = Self { store, settings, is_cut: Cell::default() };
        it.ask::<()>(&redis::cmd("FLUSHALL"));
        it
    }

    pub(super) fn store(&self) -> &Store<Mutated> {
        &self.store
    }

    /// A command of the test's own.
    pub(super) fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        self.store.redis().ask(command)
    }

    /// Lets time pass.
    pub fn pass_time(&self, ms: i64) {
        self.ask(redis::cmd("HINCRBY").arg("reef:cluster").arg("clock").arg(ms))
    }

    /// Delayed tasks, the first due first.
    pub fn delayed(&self) -> Vec<String> {
        self.ask(redis::cmd("ZRANGE").arg("reef:tasks:delayed").arg(0).arg(-1))
    }

    /// Keeps a task back until a time that is counted from the beginning.
    pub fn delay_until(&self, id: &str, due: i64) {
        // The logical clock began at the real one; the steps since then are what is counted.
        let begin: i64 = self.ask(redis::cmd("HGET").arg("reef:cluster").arg("seen"));
        self.ask(redis::cmd("ZADD").arg("reef:tasks:delayed").arg(begin + due).arg(id))
    }

    /// What a node has reported that it runs; nothing of an unknown one.
    pub fn reported(&self, node: &str) -> i64 {
        let key = format!("reef:node:{node}");
        let reported: Option<i64> = self.ask(redis::cmd("HGET").arg(key).arg("reported"));
        reported.unwrap_or(0)
    }

    /// Changes a task, and what it is called after.
    pub fn edit(&self, id: &str, change: &Change) -> String {
        let task_id = &TaskId::from(id);
        let found = now(self.store.call(&Get { task_id })).unwrap();
        let version = found.map(|found| found.version).unwrap_or_default();
        let Change { wants, priority, retries, timeout_ms, delay_ms } = change;
        let submission = submission(id, wants, *priority, *retries, *timeout_ms);
        let nothing = Json::empty_object();
        let given = GivenTask {
            task_id,
            submission: &submission,
            parameters: &nothing,
            metadata: &nothing,
            owner: "o",
            approval: None,
            follows_group: false,
            charge: None,
        };
        let call = Edit {
            writer: Writer::Any,
            version: &version,
            if_status: "",
            delay_ms: *delay_ms,
            preferring_max: preferring_max(Some(&self.settings.quotas)),
            bytes_max: None,
            classes_max: None,
            fields: "[]",
            becomes: std::slice::from_ref(&given),
        };
        match now(self.store.call(&call)).unwrap() {
            Edited::Ok { .. } => ANSWERED.to_owned(),
            Edited::NotFound => "not_found".to_owned(),
            Edited::State(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// Tasks and tokens; nothing for an unknown node.
    pub fn claim(
        &self,
        node: &str,
        asked_for: Option<&str>,
        limit: i64,
        lease_ms: i64,
    ) -> Option<Vec<(String, String)>> {
        let (node_id, asked_for) = (&node.into(), asked_for.map(Into::into));
        let (writer, task_id) = (Writer::Any, asked_for.as_ref());
        let call = Claim { node_id, writer, limit, spent_by: 0, lease_ms, task_id, random: "x" };
        match now(self.store.call(&call)).unwrap() {
            Written::Ok(claims) => {
                let is_right = claims.tasks.is_empty() != claims.reason.is_empty();
                assert!(is_right || claims.needs_limits(), "{claims:?}");
                Some(
                    claims
                        .tasks
                        .into_iter()
                        .map(|it| (it.task.task_id.into(), it.token.into()))
                        .collect(),
                )
            }
            Written::NotFound => None,
            other => panic!("{other:?}"),
        }
    }

    /// Dead letters, latest first.
    pub fn dead(&self) -> Vec<String> {
        self.ask(redis::cmd("ZREVRANGE").arg("reef:tasks:dead").arg(0).arg(-1))
    }

    pub fn complete(&self, task_id: &str, token: &str) -> String {
        let writer = Writer::Any;
        let result = Json::read("1").unwrap();
        let call = Complete {
            task_id: &TaskId::from(task_id),
            writer,
            token: &Token::from(token),
            result: Some(&result),
            content: None,
            usage: "",
            amount: None,
        };
        self.ended(now(self.store.call(&call)).unwrap())
    }

    pub fn fail(&self, task_id: &str, token: &str, retryable: bool) -> String {
        let call = Fail {
            task_id: &TaskId::from(task_id),
            writer: Writer::Any,
            token: &Token::from(token),
            error: "it broke",
            retryable,
            retry_in_ms: None,
            snooze: false,
            usage: "",
        };
        self.ended(now(self.store.call(&call)).unwrap())
    }

    /// What a hub does after an end.
    fn ended(&self, written: Written<Ended>) -> String {
        self.tell_followers(matches!(written, Written::Ok(Ended { follows: true, .. })));
        outcome(written)
    }

    pub(super) fn tell_followers(&self, follows: bool) {
        if follows && !self.is_cut.get() {
            now(release(&self.store)).unwrap();
        }
    }

    pub fn progress(&self, task_id: &str, token: &str) -> String {
        let progress = Some(0.5);
        let call = Progress {
            task_id: &TaskId::from(task_id),
            writer: Writer::Any,
            token: &Token::from(token),
            progress,
            lease_ms: None,
            usage: "",
            checkpoint: None,
        };
        match now(self.store.call(&call)).unwrap() {
            Written::Ok(standing) if standing.cancelled => "cancelled".to_owned(),
            other => outcome(other),
        }
    }

    pub fn cancel(&self, task_id: &str) -> String {
        let call = Cancel { task_id: &TaskId::from(task_id), writer: Writer::Any };
        self.ended(now(self.store.call(&call)).unwrap())
    }

    pub fn retry(&self, task_id: &str) -> String {
        outcome(
            now(self.store.call(&Retry { task_id: &TaskId::from(task_id), writer: Writer::Any }))
                .unwrap(),
        )
    }

    pub fn remove_task(&self, task_id: &str) -> String {
        outcome(
            now(self.store.call(&Remove { task_id: &TaskId::from(task_id), writer: Writer::Any }))
                .unwrap(),
        )
    }

    /// Puts all dead letters back; which.
    pub fn redrive(&self) -> Vec<TaskId> {
        let all = Letters::default();
        now(redrive(&self.store, Writer::Any, &all, false, 10, None)).unwrap().value
    }

    /// What a node is told; nothing for an unknown one.
    pub fn beat(
        &self,
        node: &str,
        running_tasks: i64,
        listed: &[(String, String)],
        renew_all: bool,
    ) -> Option<Told> {
        let claims = listed.iter().cloned();
        let heartbeat = Heartbeat {
            cpu_usage: 0.0,
            memory_usage: 0.0,
            disk_usage: 0.0,
            running_tasks,
            status: None,
            incarnation: None,
            claims: claims
                .map(|(task_id, token)| HeldClaim { task_id: task_id.into(), token: token.into() })
                .collect(),
            renew_all,
            quiet_ms: None,
        };
        let heartbeats = [(&node.into(), &heartbeat)];
        let beat = Beat { heartbeats: &heartbeats, writer: Writer::Any, key_ttl_ms: 30_000 };
        match now(self.store.call(&beat)).unwrap().outcomes.remove(0) {
            BeatOutcome::Ok { claims, held, lost, .. } => Some(Told::new(claims, held, lost)),
            BeatOutcome::NotFound => None,
            other => panic!("{other:?}"),
        }
    }

    pub fn register(&self, node: &str, skills: &[String], tags: &[String], max: i64) {
        let registration = Registration {
            max_concurrent_tasks: max,
            tags: Some(tags.to_vec()),
            ..node_with(node, skills.to_vec())
        };
        let node_id = node.into();
        let call = Register::new(&registration, &node_id, owner_of(node), Writer::Any);
        let registered = now(self.store.call(&call)).unwrap();
        assert!(matches!(registered, Registered::Ok { .. }), "{registered:?}");
    }

    pub fn change_node(&self, node_id: &str, to: &str) -> String {
        let status = NodeStatus::parse(to).map(Into::into);
        let change = NodeChange { status, ..NodeChange::default() };
        let node_id = node_id.into();
        let call = Update::new(&node_id, Writer::Any, &change);
        node_outcome(now(self.store.call(&call)).unwrap())
    }

    pub fn shut_down(&self, node_id: &str) -> String {
        let node_id = &node_id.into();
        node_outcome(now(self.store.call(&Shutdown { node_id, writer: Writer::Any })).unwrap())
    }

    pub fn remove_node(&self, node_id: &str) -> String {
        let node_id = &node_id.into();
        node_outcome(now(self.store.call(&node::Remove { node_id, writer: Writer::Any })).unwrap())
    }

    /// Settles what is due: leases and delays.
    pub fn settle(&self) -> (i64, i64) {
        let due = now(settle_due(&self.store, &self.settings)).unwrap();
        assert_eq!((due.without_lease, due.finished), (0, 0), "{due:?}");
        (due.leases, due.delayed)
    }

    /// Marks silent nodes offline; which.
    pub fn check(&self) -> Vec<String> {
        let timeout = Timeout::from_seconds(SILENCE as f64 / 1000.0).unwrap();
        let period_ms = timeout.longest_period_ms();
        let timeout_ms = timeout.as_millis();
        let check = Check { timeout_ms, period_ms, tick_ms: None, is_asked_for: false };
        let checked = now(check_all(&self.store, &check, None)).unwrap().value;
        assert_eq!(checked.suspended, None);
        checked.expired.into_iter().map(|expired| expired.node_id.into()).collect()
    }
}

fn outcome<T: std::fmt::Debug>(written: Written<T>) -> String {
    match written {
        Written::Ok(_) => ANSWERED.to_owned(),
        Written::NotFound => "not_found".to_owned(),
        Written::Fenced => "fenced".to_owned(),
        Written::Status(status) => status,
        Written::Dependency => "dependency".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn node_outcome<T: std::fmt::Debug>(written: node::Written<T>) -> String {
    match written {
        node::Written::Ok(_) => ANSWERED.to_owned(),
        node::Written::NotFound => "not_found".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn word(state: ClaimState) -> &'static str {
    match state {
        ClaimState::Renewed => "renewed",
        ClaimState::Revoked => "revoked",
        ClaimState::Cancelled => "cancelled",
    }
}

/// A task without what it waits for. Its labels are two of few, as it is called and as it is urgent.
fn submission(
    id: &str,
    wants: &Wants,
    priority: i64,
    max_retries: i64,
    timeout_ms: i64,
) -> domain::Submission {
    let wants = wants.clone();
    domain::Submission {
        name: format!("{}-{priority}", wants.required.len()),
        wants: domain::Wants {
            required_skills: wants.required,
            optional_skills: wants.optional,
            affinity_tags: wants.tags,
            audience: wants.audience.map(domain::Audience::Agents),
            target_node: wants.target.map(Into::into),
            limits: wants
                .limits
                .into_iter()
                .map(|(name, key)| Under {
                    name: name.into(),
                    key: key.to_owned(),
                    cost: 1,
                    tokens: 0,
                })
                .collect(),
        },
        priority,
        max_retries,
        timeout: timeout_ms as f64 / 1000.0,
        user_id: Some("u".to_owned()),
        labels: [
            ("last", &id[id.len() - 1..]),
            ("urgent", if priority == 0 { "yes" } else { "no" }),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into(),
        ..domain::Submission::default()
    }
}
