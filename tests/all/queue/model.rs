//! What the queue should be: maps, and loops over all of them.

use std::collections::BTreeMap;

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
    pub status: &'static str,
    /// Who runs it, or ended it.
    pub node: String,
    pub token: String,
    pub lease_ms: i64,
    /// Until when it is held, and when its own timeout is over.
    pub until: i64,
    pub deadline: i64,
    timeout_ms: i64,
    /// Until when it is kept back.
    pub due: Option<i64>,
    pub retries: i64,
    retries_max: i64,
}

#[derive(Debug)]
pub struct Node {
    pub skills: Vec<String>,
    pub tags: Vec<String>,
    pub max: i64,
    pub status: &'static str,
    beat: i64,
    pub successful: i64,
    pub failed: i64,
    /// Once it has renewed all that it holds: what it has lost since it last did, and why.
    lost: Option<BTreeMap<String, &'static str>>,
}

#[derive(Debug, Default)]
pub struct Model {
    pub clock: i64,
    pub tasks: BTreeMap<String, Task>,
    pub nodes: BTreeMap<String, Node>,
    pub fenced: i64,
}

impl Task {
    pub fn is_waiting(&self) -> bool {
        self.status == "pending" && self.due.is_none()
    }

    pub fn is_ended(&self) -> bool {
        !matches!(self.status, "pending" | "scheduled" | "running")
    }

    pub fn is_dead(&self) -> bool {
        matches!(self.status, "failed" | "timeout")
    }

    fn put_back(&mut self) {
        self.status = "pending";
        self.due = None;
        self.node.clear();
    }

    fn revive(&mut self) {
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
            status: if delay_ms > 0 { "scheduled" } else { "pending" },
            node: String::new(),
            token: String::new(),
            lease_ms: 0,
            until: 0,
            deadline: 0,
            timeout_ms,
            due: (delay_ms > 0).then(|| self.clock + delay_ms),
            retries: 0,
            retries_max,
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
        let mut chosen = Vec::new();
        for _ in 0..free {
            let Some((_, first)) = able.first() else { break };
            let second = first.rank / 1_000_000;
            let same = able.iter().take_while(|(_, task)| task.rank / 1_000_000 == second);
            let met: Vec<_> = same.map(|(_, task)| node.fitness(&task.wants)).collect();
            let most = met.iter().max().unwrap();
            let best = met.iter().position(|met| met == most).unwrap();
            chosen.push(able.remove(best).0.clone());
        }
        Some(chosen)
    }

    pub fn hold(&mut self, id: &str, node: &str, token: &str, lease_ms: i64) {
        let clock = self.clock;
        let task = self.tasks.get_mut(id).unwrap();
        task.status = "running";
        task.node = node.to_owned();
        task.token = token.to_owned();
        task.lease_ms = lease_ms;
        task.deadline = clock + task.timeout_ms;
        task.until = task.deadline.min(clock + lease_ms);
    }

    fn count_end(&mut self, node: &str, is_success: bool) {
        if let Some(node) = self.nodes.get_mut(node) {
            if is_success { node.successful += 1 } else { node.failed += 1 }
        }
    }

    fn note_lost(&mut self, node: &str, id: &str, reason: &'static str) {
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
            task.status = "timeout";
            let node = task.node.clone();
            self.count_end(&node, false);
        }
    }

    /// Whether a token holds a task. A lease that is over ends here.
    fn holds(&mut self, id: &str, token: &str) -> bool {
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

    fn use_token(&mut self, id: &str, token: &str) -> &'static str {
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
            let task = self.tasks.get_mut(id).unwrap();
            task.status = "completed";
            let node = task.node.clone();
            self.count_end(&node, true);
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
                task.status = "failed";
                let node = task.node.clone();
                self.count_end(&node, false);
            }
        }
        outcome
    }

    fn is_cancelled(&self, id: &str, token: &str) -> bool {
        let task = self.tasks.get(id);
        task.is_some_and(|task| task.status == "cancelled" && task.token == token)
    }

    fn renew(&mut self, id: &str) {
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
        let Some(task) = self.tasks.get_mut(id) else { return "not_found" };
        if task.is_ended() {
            return task.status;
        }
        let holder = (task.status == "running").then(|| task.node.clone());
        task.status = "cancelled";
        task.due = None;
        if let Some(node) = holder {
            self.note_lost(&node, id, "cancelled");
        }
        ANSWERED
    }

    pub fn retry(&mut self, id: &str) -> &'static str {
        let Some(task) = self.tasks.get_mut(id) else { return "not_found" };
        let is_kept_back = task.due.is_some();
        if is_kept_back || task.is_dead() || task.status == "cancelled" {
            task.revive();
            return ANSWERED;
        }
        task.status
    }

    pub fn redrive(&mut self) -> Vec<String> {
        let dead = self.tasks.iter_mut().filter(|(_, task)| task.is_dead());
        let mut ids: Vec<_> = dead
            .map(|(id, task)| {
                task.revive();
                id.clone()
            })
            .collect();
        ids.sort_unstable();
        ids
    }

    pub fn remove_task(&mut self, id: &str) -> &'static str {
        let Some(task) = self.tasks.get(id) else { return "not_found" };
        if !task.is_ended() {
            return task.status;
        }
        self.tasks.remove(id);
        ANSWERED
    }

    /// What becomes of the claims that a heartbeat lists; nothing for an unknown node.
    pub fn beat(&mut self, id: &str, listed: &[(String, String)]) -> Option<Vec<&'static str>> {
        let clock = self.clock;
        let node = self.nodes.get_mut(id)?;
        node.beat = clock;
        if node.status == "offline" {
            node.status = "online";
        }
        let kept = listed.iter().map(|(task, token)| {
            if self.is_cancelled(task, token) {
                return "cancelled";
            }
            if self.tasks.get(task).is_none_or(|task| task.node != id) || !self.holds(task, token) {
                return "revoked";
            }
            self.renew(task);
            "renewed"
        });
        Some(kept.collect())
    }

    /// What a node holds, all of it renewed, and what it has lost since it last asked.
    pub fn renew_all(
        &mut self,
        node: &str,
    ) -> (Vec<(String, i64)>, BTreeMap<String, &'static str>) {
        let held: Vec<String> = self.held_by(node).into_iter().map(str::to_owned).collect();
        self.nodes.get_mut(node).unwrap().lost.get_or_insert_default();
        let mut renewed = Vec::new();
        for id in held {
            let token = self.tasks[&id].token.clone();
            if self.holds(&id, &token) {
                self.renew(&id);
                renewed.push((id.clone(), self.tasks[&id].until - self.clock));
            }
        }
        let lost = self.nodes.get_mut(node).unwrap().lost.replace(BTreeMap::new());
        (renewed, lost.unwrap_or_default())
    }

    pub fn register(&mut self, id: &str, skills: Vec<String>, tags: Vec<String>, max: i64) {
        let known = self.nodes.remove(id);
        let (successful, failed) =
            known.as_ref().map_or((0, 0), |node| (node.successful, node.failed));
        let (beat, lost) = (self.clock, known.and_then(|node| node.lost));
        let node = Node { skills, tags, max, status: "online", beat, successful, failed, lost };
        self.nodes.insert(id.to_owned(), node);
    }

    fn release(&mut self, node: &str) {
        let held: Vec<String> = self.held_by(node).into_iter().map(str::to_owned).collect();
        for id in held {
            self.note_lost(node, &id, "released");
            self.tasks.get_mut(&id).unwrap().put_back();
        }
    }

    /// Moves a node to a status; one that is offline holds nothing.
    pub fn leave(&mut self, id: &str, to: &'static str) -> &'static str {
        let clock = self.clock;
        let Some(node) = self.nodes.get_mut(id) else { return "not_found" };
        if to == "online" && node.status != "online" {
            node.beat = clock;
        }
        node.status = to;
        if to == "offline" {
            self.release(id);
        }
        ANSWERED
    }

    pub fn remove_node(&mut self, id: &str) -> &'static str {
        if self.nodes.remove(id).is_none() {
            return "not_found";
        }
        self.release(id);
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
        (i64::try_from(over.len()).unwrap(), self.promote(delayed.iter()))
    }

    /// Marks silent nodes offline; which.
    pub fn check(&mut self) -> Vec<String> {
        let is_silent = |node: &Node| node.status == "online" && node.beat + SILENCE < self.clock;
        let silent = self.nodes.iter().filter(|(_, node)| is_silent(node));
        let silent: Vec<_> = silent.map(|(id, _)| id.clone()).collect();
        for id in &silent {
            self.leave(id, "offline");
        }
        silent
    }
}
