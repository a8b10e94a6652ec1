//! A way to Redis that notes what each script has cost there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::lock::Mutex;
use reef_redis::Connection;
use reef_store::script::ALL;
use reef_store::{Redis, RedisError, Reply};

/// What one call of a script has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sample {
    /// Time in Redis, in microseconds.
    pub(crate) us: u64,
    /// Time of the commands that it called, in microseconds.
    pub(crate) commands_us: u64,
    /// How many commands these were.
    pub(crate) commands: u64,
    /// Bytes of what was asked.
    pub(crate) asked: u64,
    /// Bytes of what was answered.
    pub(crate) answered: u64,
}

/// What a request has asked of Redis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    /// Calls, one after the other or at once.
    pub(crate) calls: u64,
    /// Commands within them.
    pub(crate) commands: u64,
}

/// Which script, and with which arguments.
pub(crate) type Case = (&'static str, &'static str);

/// What was noted.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Says what comes: arguments that cost more or less than others.
    pub(crate) case: &'static str,
    /// What calls have cost.
    pub(crate) samples: BTreeMap<Case, Vec<Sample>>,
    /// What was asked since somebody looked.
    pub(crate) asked: Asked,
}

/// A connection. Each call of a script stands between two looks at what Redis counts, so that calls which
/// are made at once come one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    connection: Connection,
    turn: Rc<Mutex<()>>,
    /// What was noted.
    pub(crate) notes: Rc<RefCell<Notes>>,
}

impl Watched {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, turn: Rc::default(), notes: Rc::default() }
    }

    async fn counted(&self) -> Result<Counted, RedisError> {
        let reply = self.connection.execute("INFO", vec![b"commandstats".to_vec()]).await?;
        let text = match reply.into_iter().next() {
            Some(Reply::Bytes(text)) => String::from_utf8(text).unwrap_or_default(),
            _ => String::new(),
        };
        Ok(Counted::read(&text))
    }
}

impl Redis for Watched {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let name = args.first().filter(|_| command == "FCALL");
        let Some((script, case)) = name.and_then(|name| script_of(name)) else {
            return Ok(self.connection.execute(command, args).await?);
        };
        let asked = args.iter().map(|arg| arg.len() as u64).sum();
        let _turn = self.turn.lock().await;
        let before = self.counted().await?;
        let reply = self.connection.execute(command, args).await?;
        let spent = self.counted().await?.since(before);
        let answered = reply.iter().map(bytes_of).sum();
        let mut notes = self.notes.borrow_mut();
        notes.asked.calls += 1;
        notes.asked.commands += spent.commands;
        let case = (script, case.unwrap_or(notes.case));
        let sample = Sample {
            us: spent.script_us,
            commands_us: spent.commands_us,
            commands: spent.commands,
            asked,
            answered,
        };
        notes.samples.entry(case).or_default().push(sample);
        Ok(reply)
    }
}

/// The name of the script that a function is, and as what it is called if that is not as usual.
fn script_of(function: &[u8]) -> Option<(&'static str, Option<&'static str>)> {
    ALL.iter().find_map(|script| {
        let ways = [
            (Some(script.function), None),
            (Some(script.with_key), Some(WITH_KEY)),
            (script.each, Some(FOR_EACH)),
        ];
        let way = ways.iter().find(|way| way.0.is_some_and(|name| name.as_bytes() == function));
        way.map(|way| (script.name, way.1))
    })
}

/// The case of a call that checks an agent's key first.
pub(crate) const WITH_KEY: &str = "and checks the key";
/// The case of a call for many things.
pub(crate) const FOR_EACH: &str = "for each of a page";

fn bytes_of(reply: &Reply) -> u64 {
    match reply {
        Reply::Nil => 0,
        Reply::Int(_) => 8,
        Reply::Status(text) => text.len() as u64,
        Reply::Bytes(bytes) => bytes.len() as u64,
    }
}

/// What Redis has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counted {
    script_us: u64,
    commands_us: u64,
    commands: u64,
}

impl Counted {
    fn read(info: &str) -> Self {
        let mut counted = Self::default();
        for line in info.lines() {
            let Some((name, fields)) =
                line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
            else {
                continue;
            };
            let field = |wanted: &str| -> u64 {
                let mut pairs = fields.split(',').filter_map(|pair| pair.split_once('='));
                pairs.find(|(name, _)| *name == wanted).map_or(0, |it| it.1.parse().unwrap_or(0))
            };
            match name {
                "fcall" => counted.script_us += field("usec"),
                // What is asked from outside.
                "info" | "function|load" | "hello" | "client|setinfo" | "select" | "ping" => {}
                _ => {
                    counted.commands += field("calls");
                    counted.commands_us += field("usec");
                }
            }
        }
        counted
    }

    fn since(self, before: Self) -> Self {
        Self {
            script_us: self.script_us.saturating_sub(before.script_us),
            commands_us: self.commands_us.saturating_sub(before.commands_us),
            commands: self.commands.saturating_sub(before.commands),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_calls_is_told_from_the_script() {
        let info = "# Commandstats\r\ncmdstat_fcall:calls=2,usec=50,usec_per_call=25\r\n\
                    cmdstat_info:calls=3,usec=900\r\ncmdstat_hget:calls=7,usec=4\r\n\
                    cmdstat_xinfo|stream:calls=1,usec=2\r\n";
        let counted = Counted::read(info);
        assert_eq!(counted, Counted { script_us: 50, commands_us: 6, commands: 8 });
        assert_eq!(counted.since(counted), Counted::default());
    }

    #[test]
    fn a_function_is_told_by_its_name() {
        let script = ALL[0];
        assert_eq!(script_of(script.function.as_bytes()), Some((script.name, None)));
        assert_eq!(script_of(script.with_key.as_bytes()), Some((script.name, Some(WITH_KEY))));
        assert_eq!(script_of(b"another"), None);
    }
}
