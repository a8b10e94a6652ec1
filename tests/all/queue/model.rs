//! What the queue should be: maps, and loops over all of them.

use std::collections::BTreeMap;

use reef_domain::limits::TIMEOUT_GRACE_MS;

use super::flow::{Edge, News, Wait};
use super::group::Group;
use super::limits::{Limit, Under, Uses};

/// One step of time, in ms: everything else is such a multiple of it that an hour of real time more
/// or less decides nothing.
pub const STEP: i64 = 1_000_000;
/// Leases, in ms.
pub const LEASES: [i64; 2] = [STEP + STEP / 2, 2 * STEP + STEP / 2];
/// Timeouts of tasks, in ms: one that a renewed lease can reach, and one that none does.
pub const TIMEOUTS: [i64; 2] = [4 * STEP + STEP / 2, 500 * STEP];
/// A node is silent after this, in ms.
pub const SILENCE: i64 = STEP + STEP / 2;
/// The back-off that stands for all, in ms.
pub const BACK_OFF: i64 = STEP / 2;
/// The outcome of what was done.
pub const ANSWERED: &str = "ok";

/// What a task wants.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    pub required: Vec<String>,
    pub optional: Vec<String>,
    pub tags: Vec<String>,
    /// Whose nodes may run it; nothing: everybody's.
    pub audience: Option<Vec<String>>,
    /// The one node that may run it; nothing: any.
    pub target: Option<&'static str>,
    /// The limits that it is under.
    pub limits: Vec<Under>,
}

impl Wants {
    /// Whether a node may run it.
    fn is_for(&self, node: &str) -> bool {
        let owner = owner_of(node);
        self.target.is_none_or(|target| target == node)
            && self.audience.as_ref().is_none_or(|agents| agents.iter().any(|agent| agent == owner))
    }
}

/// Whose node it is: every other one is one agent's.
pub fn owner_of(node: &str) -> &'static str {
    if node.as_bytes().last().is_some_and(|last| last % 2 == 0) { "o" } else { "p" }
}

#[derive(Debug)]
pub struct Task {
    pub wants: Wants,
    pub rank: i64,
    pub priority: i64,
    pub status: &'static str,
    /// Who runs it, or ended it.
    pub node: String,
    pub token: String,
    /// What it counts against while it runs.
    pub uses: Vec<String>,
    pub lease_ms: i64,
    /// Until when it is held, and when its own timeout is over.
    pub until: i64,
    pub deadline: i64,
    pub(super) timeout_ms: i64,
    /// Until when it is kept back.
    pub due: Option<i64>,
    pub retries: i64,
    pub(super) retries_max: i64,
    /// What it waits for that is no node.
    pub wait: Option<Wait>,
    /// Signals that it has got and not taken.
    pub signals: Vec<String>,
    /// What it follows.
    pub after: BTreeMap<String, Edge>,
    /// The first wait for the approval that is asked for before each run of tries.
    pub asks: Option<String>,
    /// How many waits it has asked for.
    pub waits: usize,
    /// Something follows it, or did.
    pub is_followed: bool,
    /// What it follows has ended otherwise than it asks, and it is to end with that.
    pub is_doomed: bool,
    /// The group that it is of, and the last one that it has made and that took further tasks.
    pub group: Option<String>,
    pub children: Option<String>,
    /// How its waits have ended.
    pub ended_waits: Vec<(String, &'static str)>,
    /// How often it has been let go, since all that it follows had ended.
    pub let_go: usize,
    pub has_checkpoint: bool,
    pub has_resume: bool,
}

#[derive(Debug)]
pub struct Node {
    pub skills: Vec<String>,
    pub tags: Vec<String>,
    pub max: i64,
    pub status: &'static str,
    pub beat: i64,
    pub successful: i64,
    pub failed: i64,
    /// Once it has renewed all that it holds: what it has lost since it last did, and why.
    pub lost: Option<BTreeMap<String, &'static str>>,
}

#[derive(Debug, Default)]
pub struct Model {
    pub clock: i64,
    pub tasks: BTreeMap<String, Task>,
    pub nodes: BTreeMap<String, Node>,
    pub fenced: i64,
    pub groups: BTreeMap<String, Group>,
    pub limits: BTreeMap<&'static str, Limit>,
    pub(super) uses: Uses,
    /// Ends of which others have yet to hear.
    pub releasing: Vec<News>,
    /// The script that runs has ended something of which others are to hear.
    pub has_released: bool,
    /// Whoever called it is gone, and tells nobody.
    pub is_cut: bool,
    /// How often each group that was forgotten had ended, and had told of a first failure.
    pub former_groups: BTreeMap<String, (usize, usize)>,
}

impl Task {
    pub fn is_waiting(&self) -> bool {
        self.status == "pending" && self.due.is_none()
    }

    pub fn is_ended(&self) -> bool {
        !matches!(self.status, "pending" | "scheduled" | "waiting" | "running")
    }

    pub fn is_dead(&self) -> bool {
        matches!(self.status, "failed" | "timeout")
    }

    pub(super) fn put_back(&mut self) {
        self.status = "pending";
        self.due = None;
        self.node.clear();
    }

    pub(super) fn revive(&mut self) {
        self.put_back();
        self.retries = 0;
        self.token.clear();
    }
}

impl Node {
    fn has(&self, skills: &[String]) -> bool {
        skills.iter().all(|skill| self.skills.contains(skill))
    }

    /// How many of a task's preferences it meets.
    fn fitness(&self, wants: &Wants) -> usize {
        wants.optional.iter().filter(|skill| self.skills.contains(skill)).count()
            + wants.tags.iter().filter(|tag| self.tags.contains(tag)).count()
    }
}

impl Model {
    pub fn held_by(&self, node: &str) -> Vec<&str> {
        let running = self.tasks.iter().filter(|(_, task)| task.status == "running");
        running.filter(|(_, task)| task.node == node).map(|(id, _)| id.as_str()).collect()
    }

    pub fn due(&self, id: &str) -> Option<i64> {
        self.tasks.get(id).and_then(|task| task.due)
    }

    pub fn is_routable(&self, wants: &Wants) -> bool {
        self.nodes.iter().any(|(id, node)| node.has(&wants.required) && wants.is_for(id))
    }

    pub fn submit(
        &mut self,
        id: &str,
        wants: Wants,
        rank: i64,
        retries_max: i64,
        timeout_ms: i64,
        delay_ms: i64,
    ) {
        let task = Task {
            wants,
            rank,
            priority: 0,
            status: if delay_ms > 0 { "scheduled" } else { "pending" },
            node: String::new(),
            token: String::new(),
            uses: Vec::new(),
            lease_ms: 0,
            until: 0,
            deadline: 0,
            timeout_ms,
            due: (delay_ms > 0).then(|| self.clock + delay_ms),
            retries: 0,
            retries_max,
            wait: None,
            signals: Vec::new(),
            after: BTreeMap::new(),
            asks: None,
            waits: 0,
            is_followed: false,
            is_doomed: false,
            group: None,
            children: None,
            ended_waits: Vec::new(),
            let_go: 0,
            has_checkpoint: false,
            has_resume: false,
        };
        self.tasks.insert(id.to_owned(), task);
    }

    /// Takes what is due of these into the queue; how many.
    fn promote<'a>(&mut self, delayed: impl Iterator<Item = &'a String>) -> i64 {
        let mut promoted = 0;
        for id in delayed {
            let task = self.tasks.get_mut(id).unwrap();
            if task.due.is_some_and(|due| due <= self.clock) {
                task.put_back();
                promoted += 1;
            }
        }
        promoted
    }

    /// Which tasks a claim gets, in order; nothing for an unknown node. It may ask for one by its id.
    /// On the way it takes the first five delayed ones into the queue, if they are due.
    pub fn claim(
        &mut self,
        node_id: &str,
        asked_for: Option<&str>,
        limit: i64,
        reported: i64,
        delayed: &[String],
    ) -> Option<Vec<String>> {
        if self.nodes.get(node_id)?.status != "online" {
            return Some(Vec::new());
        }
        self.promote(delayed.iter().take(5));
        let node = &self.nodes[node_id];
        let held = i64::try_from(self.held_by(node_id).len()).unwrap();
        let free = (node.max - held.max(reported)).min(limit);
        let mut able: Vec<_> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.is_waiting() && node.has(&task.wants.required))
            .filter(|(id, task)| {
                task.wants.is_for(node_id) && asked_for.is_none_or(|asked| asked == *id)
            })
            .collect();
        able.sort_by_key(|(_, task)| task.rank);
        let (mut chosen, mut uses) = (Vec::new(), self.begin_claim());
        for _ in 0..free {
            able.retain(|(_, task)| self.is_open(&uses, &task.wants));
            let Some((_, first)) = able.first() else { break };
            let second = first.rank / 1_000_000;
            let same = able.iter().take_while(|(_, task)| task.rank / 1_000_000 == second);
            let met: Vec<_> = same.map(|(_, task)| node.fitness(&task.wants)).collect();
            let most = met.iter().max().unwrap();
            let best = met.iter().position(|met| met == most).unwrap();
            let (id, task) = able.remove(best);
            self.take(&mut uses, &task.wants);
            chosen.push(id.clone());
        }
        Some(chosen)
    }

    pub fn hold(&mut self, id: &str, node: &str, token: &str, lease_ms: i64) {
        let clock = self.clock;
        self.hold_uses(id);
        let task = self.tasks.get_mut(id).unwrap();
        task.status = "running";
        task.node = node.to_owned();
        task.token = token.to_owned();
        task.lease_ms = lease_ms;
        task.deadline = clock + task.timeout_ms + TIMEOUT_GRACE_MS;
        task.until = task.deadline.min(clock + lease_ms);
    }

    fn count_end(&mut self, node: &str, is_success: bool) {
        if let Some(node) = self.nodes.get_mut(node) {
            if is_success { node.successful += 1 } else { node.failed += 1 }
        }
    }

    pub(super) fn note_lost(&mut self, node: &str, id: &str, reason: &'static str) {
        if let Some(lost) = self.nodes.get_mut(node).and_then(|node| node.lost.as_mut()) {
            lost.insert(id.to_owned(), reason);
        }
    }

    fn lose(&mut self, id: &str) {
        let task = &self.tasks[id];
        let reason = if task.until >= task.deadline { "timeout" } else { "lease" };
        self.note_lost(&task.node.clone(), id, reason);
        let task = self.tasks.get_mut(id).unwrap();
        if task.retries < task.retries_max {
            task.retries += 1;
            task.put_back();
        } else {
            let node = task.node.clone();
            self.count_end(&node, false);
            self.end(id, "timeout");
        }
    }

    /// Whether a token holds a task. A lease that is over ends here.
    pub(super) fn holds(&mut self, id: &str, token: &str) -> bool {
        let Some(task) = self.tasks.get(id) else { return false };
        if task.status != "running" || task.token != token {
            return false;
        }
        let is_over = task.until <= self.clock;
        if is_over {
            self.lose(id);
        }
        !is_over
    }

    pub(super) fn use_token(&mut self, id: &str, token: &str) -> &'static str {
        if !self.tasks.contains_key(id) {
            return "not_found";
        }
        if self.holds(id, token) {
            return ANSWERED;
        }
        self.fenced += 1;
        "fenced"
    }

    pub fn complete(&mut self, id: &str, token: &str) -> &'static str {
        let outcome = self.use_token(id, token);
        if outcome == ANSWERED {
            let node = self.tasks[id].node.clone();
            self.count_end(&node, true);
            self.end(id, "completed");
            self.tell_if_any();
        }
        outcome
    }

    pub fn fail(&mut self, id: &str, token: &str, retryable: bool) -> &'static str {
        let outcome = self.use_token(id, token);
        if outcome == ANSWERED {
            let clock = self.clock;
            let task = self.tasks.get_mut(id).unwrap();
            if retryable && task.retries < task.retries_max {
                task.retries += 1;
                task.put_back();
                task.due = Some(clock + BACK_OFF);
            } else {
                let node = task.node.clone();
                self.count_end(&node, false);
                self.end(id, "failed");
            }
            self.tell_if_any();
        }
        outcome
    }

    pub(super) fn is_cancelled(&self, id: &str, token: &str) -> bool {
        let task = self.tasks.get(id);
        task.is_some_and(|task| task.status == "cancelled" && task.token == token)
    }

    pub(super) fn renew(&mut self, id: &str) {
        let clock = self.clock;
        let task = self.tasks.get_mut(id).unwrap();
        task.until = task.deadline.min(clock + task.lease_ms);
    }

    pub fn progress(&mut self, id: &str, token: &str) -> &'static str {
        if self.is_cancelled(id, token) {
            return "cancelled";
        }
        let outcome = self.use_token(id, token);
        if outcome == ANSWERED {
            self.renew(id);
        }
        outcome
    }

    pub fn cancel(&mut self, id: &str) -> &'static str {
        let outcome = self.call_off(id);
        self.tell_if_any();
        outcome
    }

    pub(super) fn call_off(&mut self, id: &str) -> &'static str {
        let Some(task) = self.tasks.get_mut(id) else { return "not_found" };
        if task.is_ended() {
            return task.status;
        }
        let holder = (task.status == "running").then(|| task.node.clone());
        self.end(id, "cancelled");
        if let Some(node) = holder {
            self.note_lost(&node, id, "cancelled");
        }
        ANSWERED
    }

    pub fn retry(&mut self, id: &str) -> &'static str {
        let Some(task) = self.tasks.get_mut(id) else { return "not_found" };
        if task.due.is_some() {
            task.revive();
            return ANSWERED;
        }
        if !task.is_dead() && task.status != "cancelled" {
            return task.status;
        }
        if !self.may_follow_again(id) {
            return "dependency";
        }
        self.revive(id);
        ANSWERED
    }

    /// Puts dead letters back, in this order; which.
    pub fn redrive(&mut self, dead: &[String]) -> Vec<String> {
        let mut ids = Vec::new();
        for id in dead {
            if self.tasks[id].is_dead() && self.may_follow_again(id) {
                self.revive(id);
                ids.push(id.clone());
            }
        }
        ids.sort_unstable();
        ids
    }

    pub fn remove_task(&mut self, id: &str) -> &'static str {
        let Some(task) = self.tasks.get(id) else { return "not_found" };
        if !task.is_ended() {
            return task.status;
        }
        if self.is_untold(id) {
            return "unsettled";
        }
        self.forget(id);
        ANSWERED
    }

    /// Ends the leases that are over and takes in what is due; how many of each.
    pub fn settle(&mut self) -> (i64, i64) {
        let over = |task: &Task| task.status == "running" && task.until <= self.clock;
        let over: Vec<_> = self.tasks.iter().filter(|(_, task)| over(task)).collect();
        let over: Vec<_> = over.into_iter().map(|(id, _)| id.clone()).collect();
        over.iter().for_each(|id| self.lose(id));
        let delayed = self.tasks.iter().filter(|(_, task)| task.due.is_some());
        let delayed: Vec<_> = delayed.map(|(id, _)| id.clone()).collect();
        let due = self.promote(delayed.iter());
        let waits = self.due_waits();
        let due = due + self.expire(waits.iter());
        self.tell_all();
        (i64::try_from(over.len()).unwrap(), due)
    }
}
