//! What is done to flows, waits and groups.

use super::Run;
use super::flow::{Kind, News, WAIT, Wait};
use super::group::{Member, Tasks};
use super::model::{ANSWERED, STEP, TIMEOUTS, Task};

const ON: [&str; 3] = ["completed", "ended", "failed"];

impl Run {
    fn new_id(&mut self) -> String {
        self.submitted += 1;
        format!("t{}", self.submitted - 1)
    }

    fn new_wait(&mut self) -> String {
        self.waits += 1;
        format!("w{}", self.waits)
    }

    /// A group that there was; now and then one that never was.
    fn a_group(&mut self) -> String {
        // Old ones are done with, most of them.
        let back = self.random.usize(..6).min(self.groups);
        format!("g{}", self.groups - back)
    }

    /// One that holds a task, or one of the latest tokens, with its task.
    pub(super) fn a_token(&mut self, back: usize) -> Option<(String, String)> {
        if self.random.u8(0..3) > 0 {
            let running = self.model.tasks.iter().filter(|(_, task)| task.status == "running");
            let held: Vec<_> = running.map(|(id, task)| (id.clone(), task.token.clone())).collect();
            if let Some(held) = self.random.choice(held) {
                return Some(held);
            }
        }
        let at = self.tokens.len().checked_sub(1)?;
        let back = self.random.usize(..=at.min(back));
        self.tokens.get(at - back).cloned()
    }

    /// Tasks and groups that there are, most often none, and how they shall have ended.
    fn some_edges(&mut self, but: Option<&str>) -> Vec<(String, &'static str)> {
        let count = if self.random.u8(0..4) == 0 { self.random.usize(1..4) } else { 0 };
        let whats = self.whats(but);
        let chosen = self.random.choose_multiple(whats, count);
        chosen.into_iter().map(|what| (what, ON[self.random.usize(..3)])).collect()
    }

    /// What may be followed: the latest tasks and groups, so that they meet, and some others.
    fn whats(&mut self, but: Option<&str>) -> Vec<String> {
        let latest = |count: usize, most: usize| count.saturating_sub(most)..count;
        let mut whats: Vec<String> = latest(self.submitted, 12).map(|n| format!("t{n}")).collect();
        whats.extend((0..3).map(|_| self.a_task()));
        let groups = latest(self.groups + 1, 4).map(|n| format!("g{n}"));
        let groups = groups.filter(|group| Some(group.as_str()) != but);
        whats.extend(groups.map(|group| format!("group:{group}")));
        whats.retain(|what| self.model.standing(what).is_some());
        whats.sort_unstable();
        whats.dedup();
        whats
    }

    /// A task that may be submitted.
    fn member(&mut self, group: Option<&str>) -> Member {
        let asks = self.random.u8(0..8) == 0;
        Member {
            id: self.new_id(),
            wants: self.some_wants(),
            priority: self.random.i64(0..4),
            retries: self.random.i64(0..3),
            timeout_ms: TIMEOUTS[self.random.usize(..TIMEOUTS.len())],
            after: self.some_edges(group),
            asks: asks.then(|| self.new_wait()),
            follows_group: false,
        }
    }

    /// Does one thing to a flow.
    pub(super) fn flow_step(&mut self) -> String {
        // What is rare by itself: what has ended is looked at before anybody has heard of it.
        let is_pending = self.model.releasing.iter().any(|news| matches!(news, News::Group(..)));
        if is_pending && self.random.u8(0..3) == 0 {
            return self.change_group();
        }
        // More ends than begins, so that groups end, too.
        match self.random.u8(0..40) {
            38..40 => self.limit(),
            0..3 => self.batch(),
            3 => self.submit(),
            4..9 => self.claim(),
            9..20 => self.end_or_renew(),
            20..24 => self.wait(),
            24..27 => self.change_group(),
            27..29 => self.cancel(),
            29 => self.retry(),
            30 => self.signal(),
            31..34 => self.remove_task(),
            34..36 => self.pass_time(),
            36 => self.answer(),
            _ => self.settle(),
        }
    }

    pub(super) fn submit(&mut self) -> String {
        let mut groups: Vec<String> = self.model.groups.keys().cloned().collect();
        groups.retain(|group| !self.model.groups[group].is_sealed || self.random.u8(0..8) == 0);
        let joins = if self.random.u8(0..3) == 0 { self.random.choice(groups) } else { None };
        let member = self.member(joins.as_deref());
        let is_plain = member.after.is_empty() && member.asks.is_none();
        let delay_ms = if is_plain && self.random.u8(0..6) == 0 { STEP / 2 + STEP } else { 0 };
        self.submit_member(member, delay_ms, joins.as_deref())
    }

    pub(super) fn submit_member(
        &mut self,
        member: Member,
        delay_ms: i64,
        joins: Option<&str>,
    ) -> String {
        let taken = self.queue.submit(&member, delay_ms, joins);
        let is_sealed = joins.is_some_and(|group| self.model.groups[group].is_sealed);
        let Member { id, wants, priority, retries, timeout_ms, after, asks, .. } = member;
        let done = format!("submit {id} to {joins:?} after {after:?}");
        assert_eq!(taken.is_none(), is_sealed, "{done}");
        let Some((routable, rank)) = taken else { return "submit to a sealed group".to_owned() };
        assert_eq!(routable, self.model.is_routable(&wants), "{id} {wants:?}");
        self.model.submit(&id, wants, rank, retries, timeout_ms, delay_ms);
        self.model.tasks.get_mut(&id).unwrap().priority = priority;
        self.model.has_released = self.model.submit_flow(&id, &after, asks, joins);
        self.model.tell_if_any();
        done
    }

    /// Submits several tasks, in a group or not, some as children of a running one.
    pub(super) fn batch(&mut self) -> String {
        let group = match self.random.u8(0..8) {
            0..2 => None,
            2..4 => self.random.choice(self.model.groups.keys().cloned().collect::<Vec<_>>()),
            _ => {
                self.groups += 1;
                Some(format!("g{}", self.groups))
            }
        };
        let mut members: Vec<Member> = Vec::new();
        for _ in 0..self.random.usize(1..if self.is_flow { 4 } else { 5 }) {
            let mut member = self.member(group.as_deref());
            for earlier in &members {
                if self.random.u8(0..3) == 0 {
                    member.after.push((earlier.id.clone(), ON[self.random.usize(..3)]));
                }
            }
            members.push(member);
        }
        if let Some(group) = group.as_ref().filter(|_| self.random.u8(0..3) == 0) {
            let mut end = self.member(Some(group.as_str()));
            end.after.push((format!("group:{group}"), ON[self.random.usize(..3)]));
            end.follows_group = true;
            members.push(end);
        }
        let parent = if self.random.bool() { self.a_token(4) } else { None };
        let batch = Tasks { members, group, seals: self.random.bool(), parent };
        self.take_batch(batch)
    }

    pub(super) fn take_batch(&mut self, batch: Tasks) -> String {
        let taken = self.queue.batch(&batch);
        let done = format!("{batch:?}: {taken:?}");
        let wants: Vec<_> = batch.members.iter().map(|member| member.wants.clone()).collect();
        let places = taken.clone().unwrap_or_default();
        for (wants, (routable, _)) in wants.iter().zip(&places) {
            assert_eq!(*routable, self.model.is_routable(wants), "{done}");
        }
        let ranks: Vec<i64> = places.into_iter().map(|(_, rank)| rank).collect();
        let expected = self.model.batch(batch, &ranks);
        assert_eq!(taken.err().unwrap_or(ANSWERED), expected, "{done}");
        done
    }

    /// Cancels a group, or tries it again.
    pub(super) fn change_group(&mut self) -> String {
        // One that has ended, of which nobody has heard, is most worth a try.
        let ended = self.model.releasing.iter().find_map(|news| match news {
            News::Group(id, _) => Some(id.clone()),
            _ => None,
        });
        let id = ended.unwrap_or_else(|| self.a_group());
        let retries = self.random.bool();
        let changed = self.queue.change_group(&id, retries);
        let done = format!("{} {id}: {changed:?}", if retries { "retry" } else { "cancel" });
        assert_eq!(changed, self.model.change_group(&id, retries), "{done}");
        done
    }

    /// Lets a task wait, often under a stale token.
    pub(super) fn wait(&mut self) -> String {
        let Some((id, token)) = self.a_token(5) else { return "nothing".to_owned() };
        let ends = self.random.bool();
        let has_signals = self.model.tasks.get(&id).is_some_and(|task| !task.signals.is_empty());
        let kind = match if has_signals { 1 } else { self.random.u8(0..5) } {
            0 => Kind::Approval(["reject", "approve", "fail"][self.random.usize(..3)]),
            1 => Kind::Signal(self.a_signal(&id)),
            2 => Kind::Sleep,
            _ => Kind::Tasks(
                ["ended", "completed", "any"][self.random.usize(..3)],
                self.waited_for(&id).into_iter().map(|what| (what, None)).collect(),
            ),
        };
        let due = (ends || kind == Kind::Sleep).then(|| self.model.clock + WAIT);
        let wait = Wait { id: self.new_wait(), kind, due };
        let checkpoint = self.random.bool();
        let outcome = self.queue.wait(&id, &token, &wait, checkpoint);
        let done = format!("{id} waits: {wait:?}: {outcome}");
        assert_eq!(outcome, self.model.wait(&id, &token, wait, checkpoint), "{done}");
        done
    }

    /// What a task may wait for, most often the group that it has made; now and then itself, and its own
    /// group.
    fn waited_for(&mut self, id: &str) -> Vec<String> {
        let task = self.model.tasks.get(id);
        let children = task.and_then(|task| task.children.clone());
        if let Some(children) = children.filter(|_| self.random.u8(0..3) > 0) {
            return vec![format!("group:{children}")];
        }
        let own = task.and_then(|task| task.group.clone());
        let is_odd = self.random.u8(0..12) == 0;
        let mut whats = self.whats(own.as_deref().filter(|_| !is_odd));
        whats.retain(|what| what != id || is_odd);
        let count = self.random.usize(1..4);
        let chosen = self.random.choose_multiple(whats, count);
        if chosen.is_empty() { vec![id.to_owned()] } else { chosen }
    }

    /// A signal to wait for, most often one that the task has got.
    fn a_signal(&mut self, id: &str) -> String {
        let has = self.model.tasks.get(id).and_then(|task| task.signals.first());
        match has.filter(|_| self.random.u8(0..4) > 0) {
            Some(name) => name.clone(),
            None => ["a", "b"][self.random.usize(..2)].to_owned(),
        }
    }

    /// An ended task; best one of which groups have yet to hear, or the last of a group that takes further
    /// tasks.
    pub(super) fn a_removable(&mut self) -> Option<String> {
        let ended = self.model.tasks.iter().filter(|(_, task)| task.is_ended());
        let is_rare = |id: &str, task: &Task| {
            let group = task.group.as_ref().map(|group| &self.model.groups[group]);
            let is_last = group.is_some_and(|group| !group.is_sealed && group.open == 0);
            let news = News::Task(id.to_owned(), task.status);
            is_last || task.children.is_some() && self.model.releasing.contains(&news)
        };
        let (rare, usual): (Vec<_>, Vec<_>) = ended.partition(|(id, task)| is_rare(id, task));
        let from = if rare.is_empty() || self.random.bool() { usual } else { rare };
        self.random.choice(from).map(|(id, _)| id.clone())
    }

    pub(super) fn signal(&mut self) -> String {
        let held = if self.random.bool() { self.a_token(5) } else { None };
        let id = held.map_or_else(|| self.a_task(), |(id, _)| id);
        let name = ["a", "b"][self.random.usize(..2)];
        assert_eq!(self.queue.signal(&id, name), self.model.signal(&id, name), "signal {id}");
        format!("signal {name} to {id}")
    }

    /// Answers what is asked, now and then what is not asked any more.
    pub(super) fn answer(&mut self) -> String {
        let waits = self.model.tasks.values().filter_map(|task| task.wait.as_ref());
        let open: Vec<String> = waits.map(|wait| wait.id.clone()).collect();
        let any = self.waits + 2 - self.random.usize(..12).min(self.waits + 1);
        let any = format!("w{any}");
        let id = match self.random.choice(open) {
            Some(id) if self.random.u8(0..5) > 0 => id,
            _ => any,
        };
        let decision = ["approve", "reject"][self.random.usize(..2)];
        // Each time somebody else, so that none is a replay.
        let by = format!("by-{}", self.random.u64(..));
        assert_eq!(self.queue.answer(&id, &by, decision), self.model.answer(&id), "answer {id}");
        format!("answer {id}: {decision}")
    }
}
