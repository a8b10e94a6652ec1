//! Scripts with a fault put in. What the model is good for is whether it finds them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use reef_store::script::ALL;
use reef_store::{Redis, RedisError, Reply};

use self::tight::tight;
use super::scenes::SCENES;
use super::{OPERATIONS, Run};
use crate::harness::{Blocking, RedisServer};

/// The build's own.
#[path = "../../../crates/store/build/tight.rs"]
mod tight;

/// A fault: what it is, and what is put in the place of what stands in the scripts as they are loaded, each
/// line from its first word on, with the names of keys filled in.
pub struct Mutant(&'static str, &'static [(&'static str, &'static str)]);

/// Most steps until the model finds a fault.
const STEPS_MAX: usize = 20 * OPERATIONS;

#[rustfmt::skip]
const MUTANTS: &[Mutant] = &[
    Mutant("a claim that ends keeps its place on the node", &[("call('SREM', (R .. 'claims:' .. task.node), task.id)\n", "")]),
    Mutant("a claim that ends keeps its lease", &[("call('ZREM', (R .. 'tasks:leases'), task.id)\ncall('SREM'", "call('SREM'")]),
    Mutant("a task that waits does not look for a signal that is there", &[("local signal = spec.kind == 'signal' and take_signal(task, spec.name)", "local signal = false")]),
    Mutant("a signal that is there is taken twice", &[("call('LREM', list, 1, packed)\nrecount(task, -#packed)\nreturn signal", "return signal")]),
    Mutant("an edge counts twice", &[("call('HINCRBY', (R .. 'task:' .. entry), 'unmet', -1)", "call('HINCRBY', (R .. 'task:' .. entry), 'unmet', -2)")]),
    Mutant("an edge does not count", &[("call('HINCRBY', (R .. 'task:' .. entry), 'unmet', -1)", "call('HINCRBY', (R .. 'task:' .. entry), 'unmet', 0)")]),
    Mutant("what is doomed no more fails", &[("if task and task.status == 'waiting' and is_doomed(task, status) then", "if task and task.status == 'waiting' then")]),
    Mutant("whoever follows is told again with each end", &[("call('SPOP', set, left)", "call('SRANDMEMBER', set, left)"), ("local on = call('HGET', (R .. 'task-after:' .. entry), what)\nif not on or string.sub(on, 1, 1) == '=' then return end", "local on = string.match(call('HGET', (R .. 'task-after:' .. entry), what) or '', '%a+')\nif not on then return end")]),
    Mutant("what is submitted behind a bad end waits on", &[("if failed then call('ZADD', (R .. 'tasks:releasing'), clock, 'd/' .. task.id .. '/' .. failed) end", "")]),
    Mutant("a task tells nobody of its end", &[("return task.followed or task.group or task.children", "return task.followed or task.children")]),
    Mutant("a group's count is not decremented", &[("call('HINCRBY', (R .. 'group:' .. group), 'open', -1)", "tonumber(call('HGET', (R .. 'group:' .. group), 'open'))")]),
    Mutant("a group that is sealed late does not end", &[("if row[2] == '0' then end_group(id) end", "")]),
    Mutant("a group tells of each failure", &[("call('HSETNX', (R .. 'group:' .. group), 'first_failure', id) == 1", "call('HSET', (R .. 'group:' .. group), 'first_failure', id)")]),
    Mutant("a group whose task is tried again stays ended", &[("call('HSET', group, 'status', 'open')\n", "")]),
    Mutant("the end of a group that goes on is told", &[("call('ZREM', (R .. 'tasks:releasing'), 'g/' .. task.group .. '/' .. call('HGET', group, 'status'))\n", "")]),
    Mutant("a group that takes further tasks goes without an end", &[("seal_group(group)\ncall('DEL', (R .. 'group:' .. group), ", "call('DEL', (R .. 'group-next:' .. group), (R .. 'group:' .. group), ")]),
    Mutant("a parent goes before its group hears of its end", &[("if not is_in_flow(task) then return false end", "if not task.group then return false end")]),
    Mutant("what is no more is told of to whoever does not wait for it", &[("call('HSET', (R .. 'task-after:' .. task.id), row[i], '=' .. on .. '/' .. GONE)\n", "")]),
    Mutant("nobody hears of a first failure", &[("call('SADD', (R .. 'group-watchers:' .. group), ':' .. wait_id)\n", "")]),
    Mutant("a wait for tasks stays open", &[("local resume = resume_of_tasks(wait_id)\nclose_wait(wait, 'answered')\n", "local resume = resume_of_tasks(wait_id)\n")]),
    Mutant("a wait that has ended ends again with a failure", &[("local task = wait and wait.state == 'open' and read_task(wait.task)", "local task = wait and read_task(wait.task)")]),
    Mutant("what was decided is decided again", &[("if wait.state ~= 'open' then", "if false then")]),
    Mutant("a wait outlives its task", &[("if wait then close_wait(wait, 'cancelled') end\n", "")]),
    Mutant("what wakes is not in the queue", &[("call('HSET', (R .. 'task:' .. task.id), 'wait', '')\nenqueue(task)\n", "call('HSET', (R .. 'task:' .. task.id), 'wait', '')\n")]),
    Mutant("what is tried again is not asked about again", &[("elseif had_ended > 0 and ask_first(task) then", "elseif false then")]),
    Mutant("a limit's sum keeps a task that has ended", &[("call('SREM', (R .. 'limit-held:' .. limit), task.id)", "call('SISMEMBER', (R .. 'limit-held:' .. limit), task.id)")]),
    Mutant("a task that ends keeps its place under a limit", &[("call('SREM', (R .. 'limit-held:' .. use), task.id) == 1", "call('SISMEMBER', (R .. 'limit-held:' .. use), task.id) == 1")]),
    Mutant("a place that is given back opens nothing", &[("call('ZADD', (R .. 'limits-opening'), clock, use)\ntell_class_open", "tell_class_open")]),
    Mutant("one more runs than may", &[("if limit.most and standing.held >= limit.most then", "if limit.most and standing.held > limit.most then")]),
    Mutant("what begins does not count for the rate", &[("standing[i] = math.max(standing[i], clock) + share_of(rate, under)", "standing[i] = math.max(standing[i], clock)")]),
    Mutant("a rate that is used up opens never", &[("if till < math.huge then open_at(use, till) end\nparked", "parked")]),
    Mutant("a limit that is changed opens nothing", &[("open_all_of(name)\nraise_schema()", "raise_schema()")]),
    Mutant("a limit that is removed opens nothing", &[("open_all_of(name)\ntell_limit_changed", "tell_limit_changed")]),
    Mutant("a penalty shuts nothing", &[("length > 0 and math.max(standing.shut_until, clock + length) or 0", "0")]),
    Mutant("a class that is listed again stays parked", &[("call('HDEL', (R .. 'queue-parked'), class)\nshow_head(class)\nif record", "show_head(class)\nif record")]),
    Mutant("of what opens only the first class does", &[("if call('EXISTS', (R .. 'limit-parked:' .. use)) == 1 then open_at(use, clock) end", "")]),
];

/// A connection over which scripts are loaded with a fault.
pub struct Mutated {
    inner: Blocking,
    mutant: Option<&'static Mutant>,
}

impl Mutated {
    pub fn new(connection: redis::Connection, mutant: Option<&'static Mutant>) -> Self {
        Self { inner: Blocking::new(connection), mutant }
    }

    pub fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        self.inner.ask(command)
    }
}

impl Redis for Mutated {
    async fn execute(
        &self,
        command: &str,
        mut args: Vec<Vec<u8>>,
    ) -> Result<Vec<Reply>, RedisError> {
        if let (Some(mutant), "FUNCTION", [_, library]) =
            (self.mutant, command, args.as_mut_slice())
        {
            *library = mutant.put_into(std::str::from_utf8(library).unwrap()).into_bytes();
        }
        self.inner.execute(command, args).await
    }
}

/// Lines of a script as Redis gets them.
pub fn as_sent(lines: &str) -> String {
    lines.split('\n').map(tight).collect::<Vec<_>>().join("\n")
}

impl Mutant {
    fn put_into(&self, library: &str) -> String {
        let Self(_, faults) = self;
        faults
            .iter()
            .fold(library.to_owned(), |text, (from, to)| text.replace(&as_sent(from), &as_sent(to)))
    }

    /// Checks that it still is a fault of scripts that Redis takes.
    fn check(&self, server: &RedisServer) {
        let Self(name, faults) = self;
        for (text, _) in *faults {
            let stands = ALL.iter().any(|script| script.code.contains(&as_sent(text)));
            assert!(stands, "{name}: this stands in no script any more: {text}");
        }
        let mut redis = server.connect();
        for library in ALL.iter().map(|script| script.library()) {
            let changed = self.put_into(&library);
            if changed != library {
                let mut load = redis::cmd("FUNCTION");
                load.arg("LOAD").arg("REPLACE").arg(changed);
                load.query::<()>(&mut redis).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }

    /// Runs with the fault until the model finds it: where, and what it says.
    fn find(&'static self) -> Option<(String, String)> {
        let server = RedisServer::start();
        server.keep_nothing();
        self.check(&server);
        for scene in SCENES {
            let play = || Run::new(0, &server, Some(self)).play(*scene);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(play)) {
                let words = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                return Some((format!("where {}", scene.0), words));
            }
        }
        let done = AtomicUsize::new(0);
        for seed in 0..STEPS_MAX.div_ceil(OPERATIONS) {
            // Most of what they do is done to flows and groups.
            let seed = 2 * seed as u64 + u64::from(seed % 4 < 3);
            let run = || Run::new(seed, &server, Some(self)).go(OPERATIONS, 1, &done);
            let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else { continue };
            let words = panic.downcast_ref::<String>().cloned();
            return Some((format!("after {} steps", done.into_inner()), words.unwrap_or_default()));
        }
        None
    }
}

#[test]
fn each_fault_of_the_hooks_is_found() {
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Vec::new());
    let work = || {
        while let Some(mutant) = MUTANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some((place, words)) = mutant.find() else {
                missed.lock().unwrap().push(mutant.0);
                continue;
            };
            let said = words.lines().next().unwrap_or_default();
            eprintln!("{}: found {place}: {said}", mutant.0);
            // A script that breaks is no fault that the model has found.
            if words.is_empty() || words.contains("Result::unwrap()") {
                missed.lock().unwrap().push(mutant.0);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..super::processors() {
            scope.spawn(work);
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found in {STEPS_MAX} steps: {missed:?}");
}
