//! All that is in Redis, compared with what the model says should.

mod flow;
mod limits;

use std::collections::{BTreeMap, BTreeSet};

use super::driver::Driver;
use super::flow::News;
use super::model::{Model, Task, Wants};

/// Every sorted set, set and hash of the hub: name to member or field, with score or value. Of the
/// classes, which are MessagePack, the names alone.
const DUMP: &str = r"
local out = {}
for _, name in ipairs(redis.call('KEYS', 'reef:*')) do
  local kind = redis.call('TYPE', name).ok
  local flat
  if kind == 'zset' then
    flat = redis.call('ZRANGE', name, 0, -1, 'WITHSCORES')
  elseif kind == 'set' or name == 'reef:queue-classes' then
    flat = {}
    for _, member in ipairs(redis.call(kind == 'set' and 'SMEMBERS' or 'HKEYS', name)) do
      flat[#flat + 1] = member
      flat[#flat + 1] = ''
    end
  elseif kind == 'hash' then
    flat = redis.call('HGETALL', name)
  elseif kind == 'list' then
    -- What is in these is MessagePack: how long it is.
    flat = {}
    for place, value in ipairs(redis.call('LRANGE', name, 0, -1)) do
      flat[#flat + 1] = tostring(place)
      flat[#flat + 1] = tostring(#value)
    end
  end
  if flat then
    out[#out + 1] = name
    out[#out + 1] = flat
  end
end
return out
";

struct Truth(BTreeMap<String, BTreeMap<String, String>>);

impl Truth {
    fn of(queue: &Driver) -> Self {
        let dump: Vec<redis::Value> = queue.ask(redis::cmd("EVAL").arg(DUMP).arg(0));
        let pairs = dump.chunks_exact(2).map(|pair| {
            let name: String = redis::from_redis_value(pair[0].clone()).unwrap();
            let entries: Vec<String> = redis::from_redis_value(pair[1].clone()).unwrap();
            let entries = entries.chunks_exact(2).map(|it| (it[0].clone(), it[1].clone()));
            (name, entries.collect())
        });
        Self(pairs.collect())
    }

    fn field(&self, key: &str, field: &str) -> &str {
        self.0.get(key).and_then(|entries| entries.get(field)).map_or("", String::as_str)
    }

    fn number(&self, key: &str, field: &str) -> i64 {
        let text = self.field(key, field);
        if text.is_empty() { 0 } else { text.parse().unwrap() }
    }

    fn members(&self, key: &str) -> BTreeSet<&str> {
        self.0.get(key).into_iter().flatten().map(|(member, _)| member.as_str()).collect()
    }

    /// Keys that begin like this: what follows, and their entries.
    fn below(&self, prefix: &str) -> BTreeMap<&str, &BTreeMap<String, String>> {
        let keys = self.0.iter();
        keys.filter_map(|(key, it)| Some((key.strip_prefix(prefix)?, it))).collect()
    }
}

impl Driver {
    /// Checks that Redis holds what the model holds, after something was done.
    #[track_caller]
    pub fn assert_is(&self, model: &Model, done: &str) {
        let truth = Truth::of(self);
        truth.assert_tasks(model, done);
        truth.assert_queue(model, done);
        truth.assert_nodes(model, done);
        truth.assert_usage(model, done);
        truth.assert_waits(model, done);
        truth.assert_groups(model, done);
        truth.assert_limits(model, done);
        assert_eq!(truth.number("reef:cluster", "fenced"), model.fenced, "fenced after {done}");
    }
}

impl Truth {
    /// Each task by itself, and every set that lists some of them.
    #[track_caller]
    fn assert_tasks(&self, model: &Model, done: &str) {
        let mut lists: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut list = |key: String, id| lists.entry(key).or_default().insert(id);
        for (id, task) in &model.tasks {
            let id = id.as_str();
            let key = format!("reef:task:{id}");
            let found = (self.field(&key, "status"), self.field(&key, "assigned_node"));
            assert_eq!(found, (task.status, task.node.as_str()), "{id} after {done}");
            assert_eq!(self.number(&key, "retry_count"), task.retries, "{id} after {done}");
            list("reef:tasks".to_owned(), id);
            list(format!("reef:tasks:status:{}", task.status), id);
            list("reef:tasks:user:u".to_owned(), id);
            list("reef:tasks:owner:o".to_owned(), id);
            list(format!("reef:tasks:name:{}", self.field(&key, "name")), id);
            let apart = self.field(&format!("reef:task-large:{id}"), "labels");
            for label in format!("{} {apart}", self.field(&key, "labels")).split_whitespace() {
                list(format!("reef:tasks:label:{label}"), id);
            }
            if !task.node.is_empty() {
                list(format!("reef:tasks:node:{}", task.node), id);
            }
            if task.status == "running" {
                list("reef:tasks:leases".to_owned(), id);
                list(format!("reef:claims:{}", task.node), id);
            }
            if task.due.is_some() {
                list("reef:tasks:delayed".to_owned(), id);
            }
            if task.is_waiting() {
                list("reef:tasks:waiting".to_owned(), id);
            }
            if task.is_dead() {
                list("reef:tasks:dead".to_owned(), id);
                let error = self.field(&key, "error_key");
                assert_eq!(error.len(), 16, "{id} after {done}");
                list(format!("reef:tasks:dead-error:{error}"), id);
                list(format!("reef:tasks:error:{error}"), id);
                list("reef:tasks:dead-errors".to_owned(), error);
                list("reef:tasks:dead-errors-of:o".to_owned(), error);
            }
            if task.is_ended() {
                list("reef:tasks:ended".to_owned(), id);
            }
        }
        let releasing: Vec<String> = model.releasing.iter().map(News::entry).collect();
        for entry in &releasing {
            list("reef:tasks:releasing".to_owned(), entry);
        }
        let is_list = |key: &&String| {
            *key == "reef:tasks"
                || key.starts_with("reef:tasks:")
                || key.starts_with("reef:claims:")
        };
        let found: BTreeMap<_, _> =
            self.0.keys().filter(is_list).map(|key| (key.clone(), self.members(key))).collect();
        assert_eq!(found, lists, "after {done}");
        let hashes: BTreeSet<_> = self.below("reef:task:").into_keys().collect();
        assert_eq!(hashes, model.tasks.keys().map(String::as_str).collect(), "after {done}");
        // What is large of those that have ended lies apart, and is counted.
        let ended = model.tasks.iter().filter(|(_, task)| task.is_ended());
        let ended: BTreeSet<_> = ended.map(|(id, _)| id.as_str()).collect();
        let bytes: i64 =
            ended.iter().map(|id| self.number(&format!("reef:task:{id}"), "bytes")).sum();
        assert_eq!(self.number("reef:cluster", "ended_bytes"), bytes, "after {done}");
        let apart: BTreeSet<_> = self.below("reef:task-large:").into_keys().collect();
        // So do the tries of one that was tried before, of which the task says the number of the next.
        let is_apart = |(id, task): &(&String, &Task)| {
            let was_tried = self.number(&format!("reef:task:{id}"), "attempt") > 1;
            let has_more = task.has_checkpoint || task.has_resume || task.asks.is_some();
            task.is_ended() || has_more || was_tried
        };
        let expected = model.tasks.iter().filter(is_apart);
        let expected: BTreeSet<_> = expected.map(|(id, _)| id.as_str()).collect();
        assert_eq!(apart, expected, "after {done}");
    }

    /// What the owner's quotas count.
    #[track_caller]
    fn assert_usage(&self, model: &Model, done: &str) {
        let unfinished = model.tasks.values().filter(|task| !task.is_ended()).count();
        let counted = self.number("reef:usage:o", "tasks");
        assert_eq!(counted, i64::try_from(unfinished).unwrap(), "unfinished after {done}");
        let classes = self.members("reef:queue-classes").len();
        let counted = self.number("reef:usage:o", "classes");
        assert_eq!(counted, i64::try_from(classes).unwrap(), "classes after {done}");
        let unfinished = model.tasks.iter().filter(|(_, task)| !task.is_ended());
        let bytes = unfinished.map(|(id, _)| {
            let task = format!("reef:task:{id}");
            let signals = self.0.get(&format!("reef:task-signals:{id}")).into_iter().flatten();
            let signals: usize = signals.map(|(_, bytes)| bytes.parse::<usize>().unwrap()).sum();
            let large = ["checkpoint", "asks"];
            let large = large.map(|name| self.field(&format!("reef:task-large:{id}"), name).len());
            let small = ["spec", "wants"].map(|name| self.field(&task, name).len());
            signals + small.iter().chain(&large).sum::<usize>()
        });
        let bytes = i64::try_from(bytes.sum::<usize>()).unwrap();
        assert_eq!(self.number("reef:usage:o", "task_bytes"), bytes, "bytes after {done}");
    }

    /// Waiting tasks by class, and each class where claims look for it.
    #[track_caller]
    fn assert_queue(&self, model: &Model, done: &str) {
        let waiting = model.tasks.iter().filter(|(_, task)| task.is_waiting());
        let waiting: BTreeMap<_, _> =
            waiting.map(|(id, task)| (id.clone(), task.rank.to_string())).collect();
        let of_all = self.0.get("reef:tasks:waiting").cloned().unwrap_or_default();
        assert_eq!(of_all, waiting, "after {done}");

        let queues = self.below("reef:queue:");
        let in_classes: Vec<_> = queues.values().flat_map(|queue| queue.iter()).collect();
        assert_eq!(in_classes.len(), waiting.len(), "some wait twice after {done}");
        let in_classes: BTreeMap<_, _> =
            in_classes.into_iter().map(|(id, rank)| (id.clone(), rank.clone())).collect();
        assert_eq!(in_classes, waiting, "after {done}");

        let classes = self.members("reef:queue-classes");
        assert_eq!(classes, queues.keys().copied().collect(), "classes after {done}");
        let first = |queue: &BTreeMap<String, String>| {
            queue.values().map(|rank| rank.parse::<i64>().unwrap()).min().unwrap()
        };
        let heads: BTreeMap<_, _> =
            queues.iter().map(|(class, queue)| (*class, first(queue).to_string())).collect();
        // Where a class is listed: under which skill, and for whom ('' for everybody, `>` and a name
        // for one node).
        let mut listed: BTreeMap<&str, BTreeSet<(String, &str)>> = BTreeMap::new();
        let for_all = self.below("reef:queue-heads:").into_iter();
        let for_all = for_all.map(|(skill, list)| (String::new(), skill, list));
        let for_some = self.below("reef:queue-heads-for:").into_iter().map(|(name, list)| {
            let (agent, skill) = name.split_once(':').unwrap();
            (agent.to_owned(), skill, list)
        });
        let for_one = self.below("reef:queue-heads-at:").into_iter();
        let for_one = for_one.map(|(node, list)| (format!(">{node}"), "", list));
        for (whose, skill, list) in for_all.chain(for_some).chain(for_one) {
            for (class, rank) in list {
                assert_eq!(heads.get(class.as_str()), Some(rank), "{class} after {done}");
                let is_new = listed.entry(class).or_default().insert((whose.clone(), skill));
                assert!(is_new, "{class} twice");
            }
        }
        let mut audiences: BTreeMap<String, String> = BTreeMap::new();
        let mut count = |whose: &str| {
            let count = audiences.entry(whose.to_owned()).or_default();
            *count = (count.parse().unwrap_or(0) + 1).to_string();
        };
        // What is parked for a limit is listed nowhere else.
        let parked = self.members("reef:queue-parked");
        for class in &parked {
            assert!(!listed.contains_key(class), "{class} is parked, and listed, after {done}");
            let task = queues[class].keys().next().unwrap();
            audience_of(&model.tasks[task].wants)
                .iter()
                .filter(|whose| !whose.is_empty())
                .for_each(|whose| count(whose));
        }
        let found: BTreeSet<_> = listed.keys().copied().chain(parked).collect();
        assert_eq!(found, classes, "after {done}");
        for (class, places) in listed {
            let skills: BTreeSet<_> = places.iter().map(|(_, skill)| *skill).collect();
            assert_eq!(skills.len(), 1, "{class} is listed under several skills after {done}");
            let all: BTreeSet<_> = places.iter().map(|(whose, _)| whose.clone()).collect();
            for whose in all.iter().filter(|whose| !whose.is_empty()) {
                count(whose);
            }
            let of_it = model.tasks.iter().filter(|(id, _)| queues[class].contains_key(*id));
            for (id, task) in of_it {
                let Wants { required, target, .. } = &task.wants;
                let is_right = skills.iter().all(|skill| match *skill {
                    "" => required.is_empty() || target.is_some(),
                    skill => required.iter().any(|label| label == skill),
                });
                assert!(is_right, "{id} wants {required:?}, is listed under {skills:?}");
                assert_eq!(all, audience_of(&task.wants), "{id} is listed for others after {done}");
            }
        }
        let mut counted = self.0.get("reef:queue-audiences").cloned().unwrap_or_default();
        let knows_limits = counted.remove("@limited").is_some();
        assert!(knows_limits || model.limits.is_empty(), "after {done}");
        assert_eq!(counted, audiences, "classes of each audience after {done}");
    }

    /// What nodes run, have ended and have room for.
    #[track_caller]
    fn assert_nodes(&self, model: &Model, done: &str) {
        let (mut sum, mut capacity) = (0, 0);
        let mut with_room = BTreeSet::new();
        for (id, node) in &model.nodes {
            let key = format!("reef:node:{id}");
            let held = i64::try_from(model.held_by(id).len()).unwrap();
            let running = self.number(&key, "running_tasks");
            let reported = self.number(&key, "reported");
            assert_eq!(running, reported.max(held), "{id} runs, after {done}");
            assert_eq!(self.field(&key, "status"), node.status, "{id} after {done}");
            let ended = (node.successful + node.failed, node.successful, node.failed);
            let counted = ["total_tasks_processed", "successful_tasks", "failed_tasks"];
            let [total, successful, failed] = counted.map(|field| self.number(&key, field));
            assert_eq!((total, successful, failed), ended, "{id} has ended, after {done}");
            sum += running;
            capacity += node.max;
            if node.status == "online" && running < node.max {
                with_room.insert(id.as_str());
            }
        }
        assert_eq!(self.members("reef:nodes:available"), with_room, "after {done}");
        assert_eq!(self.number("reef:cluster", "running"), sum, "running after {done}");
        assert_eq!(self.number("reef:cluster", "capacity"), capacity, "capacity after {done}");
    }
}

/// For whom a task is listed: '' for everybody, `>` and a name for one node.
fn audience_of(Wants { audience, target, .. }: &Wants) -> BTreeSet<String> {
    match (target, audience) {
        (Some(node), _) => BTreeSet::from([format!(">{node}")]),
        (None, None) => BTreeSet::from([String::new()]),
        (None, Some(agents)) => agents.iter().cloned().collect(),
    }
}
