//! Runs a command for a task.
//!
//! The command gets the task as JSON on standard input. Each line of JSON that it writes to
//! standard output is a message; any other line goes to the log, as does standard error: to the worker's, and
//! to the task's if that is wanted. Its exit
//! code decides how the task ends. It runs under guards, and nothing of it outlives the task.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use reef_api::Money;
use reef_api::task::LogStream;
use reef_api::usage::UsageBody;
use reef_domain::limits::CHECKPOINT_BYTES_MAX;
use reef_domain::usage::Report;
use reef_domain::{Invalid, json};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::guard::{End, Guarded, Launch, Pipes};
use crate::lease::Lease;
use crate::lines::{Line, Lines};
use crate::moment::{Moment, sleep_until};
use crate::outcome::{Ended, Order, Orders, Reason};
use crate::output::{Busy, Outlet, Output};
use crate::task::Task;

/// How long a command gets between the request to end and its end. Below the 5 s that a hub
/// leaves between a task's timeout and the end of its lease.
pub(crate) const GRACE: Duration = Duration::from_secs(4);
/// The longest line of a command: a content block of 8 MiB in base64 and some more.
const LINE_BYTES_MAX: usize = 12 << 20;
/// How much of the last line on standard error becomes the task's error, in characters.
const ERROR_CHARS_MAX: usize = 1000;
/// After a command has ended, how long its pipes are read on while nothing comes: on systems other
/// than Linux a process that has left its group may hold them open for ever.
const LINGER: Duration = Duration::from_secs(1);
/// Exit codes that say "it would be the same next time", as in sysexits.h, where 75 is the one
/// that says the opposite.
const PERMANENT: std::ops::RangeInclusive<i32> = 64..=78;
const TEMPFAIL: i32 = 75;

/// The command to run for each task.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// Variables of its environment beside those of the worker.
    pub(crate) envs: Vec<(&'static str, OsString)>,
    /// Variables of the worker that it must not see.
    pub(crate) hidden: Vec<&'static str>,
}

/// A line on standard output, as it is meant.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Told {
    progress: Option<f64>,
    delta: Option<String>,
    content: Option<Map<String, Value>>,
    result: Option<Value>,
    wait: Option<Map<String, Value>>,
    busy: Option<Busy>,
    snooze: Option<Snooze>,
    usage: Option<Vec<UsageBody>>,
    checkpoint: Option<Value>,
    amount: Option<Money>,
}

/// When a task is tried again that could not be tried yet.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Snooze {
    /// Left out: as the task's own policy says.
    after_ms: Option<u64>,
}

/// What a command has said in the end.
#[derive(Debug, Default)]
struct Last {
    wait: Option<Map<String, Value>>,
    snooze: Option<Snooze>,
    result: Option<Value>,
    content: Option<Map<String, Value>>,
    amount: Option<Money>,
}

/// Why a command was stopped.
enum Stopped {
    Timeout,
    Ordered(Reason),
}

impl Handler {
    /// Runs the command to its end.
    pub(crate) async fn run(
        &self,
        task: &Task,
        lease: &Lease,
        outlet: Outlet,
        orders: Orders,
    ) -> Ended {
        let mut command = match self.launch(task).start(lease.kill_at()) {
            Ok(command) => command,
            Err(error) => return Ended::retryable(format!("no guard can be started: {error}")),
        };
        let Some(Pipes { stdout, stderr }) = command.pipes() else {
            return Ended::retryable("the command was not started as it should be");
        };
        let (exit, exited) = watch::channel(false);
        let run = async {
            let supervised = supervise(&mut command, lease, task.timeout(), orders).await;
            exit.send_replace(true);
            supervised
        };
        let ((end, stopped), last, error) = tokio::join!(
            run,
            read_stdout(Lines::new(stdout, LINE_BYTES_MAX), task, &outlet, exited.clone()),
            read_stderr(Lines::new(stderr, LINE_BYTES_MAX), task, &outlet, exited),
        );
        match (end, stopped) {
            (_, Some(Stopped::Ordered(reason))) => Ended::Stopped(reason),
            (_, Some(Stopped::Timeout)) => {
                let seconds = task.timeout().unwrap_or_default().as_secs_f64();
                Ended::retryable(format!("the command ran longer than its timeout of {seconds} s"))
            }
            (End::Exited(status), None) => judge(task, status, last, error),
            (End::NotStarted(why), None) => {
                let program = self.program.display();
                Ended::retryable(format!("{program} cannot be started: {why}"))
            }
            (End::Unguarded, None) => {
                Ended::retryable("the guard of the command was killed, and the command with it")
            }
        }
    }

    fn launch(&self, task: &Task) -> Launch {
        let mut envs = self.envs.clone();
        envs.push(("REEF_TASK_ID", task.id().into()));
        envs.push(("REEF_TASK_TOKEN", task.token().as_str().into()));
        envs.push(("REEF_TASK_ATTEMPT", task.attempt().to_string().into()));
        let words = std::iter::once(self.program.clone().into_os_string());
        Launch {
            words: words.chain(self.args.iter().cloned()).collect(),
            envs,
            hidden: self.hidden.clone(),
            input: Some(format!("{}\n", task.json()).into_bytes()),
            is_read: true,
        }
    }
}

/// Waits for the end of a command, and brings it about when the time has come. Until then its
/// guards know how long the lease is.
async fn supervise(
    command: &mut Guarded,
    lease: &Lease,
    limit: Option<Duration>,
    mut orders: Orders,
) -> (End, Option<Stopped>) {
    let mut renewals = lease.renewals();
    command.allow(lease.kill_at());
    let limit = limit.map(|limit| Moment::now() + limit);
    let timed_out = async {
        match limit {
            Some(limit) => sleep_until(limit).await,
            None => std::future::pending().await,
        }
    };
    let mut timed_out = std::pin::pin!(timed_out);
    let (why, grace) = loop {
        tokio::select! {
            biased;
            end = command.ended() => return (end, None),
            order = orders.next() => break (Stopped::Ordered(order.reason), order.grace),
            () = &mut timed_out => break (Stopped::Timeout, GRACE),
            Ok(()) = renewals.changed() => command.allow(lease.kill_at()),
        }
    };
    if !grace.is_zero() {
        command.stop();
    }
    let mut kill_at = Moment::now() + grace;
    loop {
        tokio::select! {
            biased;
            end = command.ended() => return (end, Some(why)),
            () = sleep_until(kill_at) => {
                command.kill();
                return (command.ended().await, Some(why));
            }
            Order { grace, .. } = orders.next() => kill_at = kill_at.min(Moment::now() + grace),
        }
    }
}

/// Completes when the command has ended and its pipes have had their time.
async fn lingered(mut exited: watch::Receiver<bool>) {
    let _ = exited.wait_for(|exited| *exited).await;
    sleep(LINGER).await;
}

async fn read_stdout(
    mut lines: Lines<impl AsyncRead + Unpin>,
    task: &Task,
    outlet: &Outlet,
    exited: watch::Receiver<bool>,
) -> Last {
    let mut last = Last::default();
    let task = task.id();
    loop {
        let line = tokio::select! {
            biased;
            line = lines.next() => line,
            () = lingered(exited.clone()) => return last,
        };
        match line {
            Ok(Some(Line::Text(text))) => match read_message(&text) {
                Some(told) => pass_on(told, outlet, &mut last).await,
                None => {
                    if !text.trim().is_empty() {
                        tracing::info!(task, "{text}");
                    }
                    outlet.log(LogStream::Stdout, &text);
                }
            },
            Ok(Some(Line::TooLong)) => {
                tracing::warn!(task, "a line of more than {LINE_BYTES_MAX} bytes is dropped");
            }
            Ok(None) => return last,
            Err(error) => {
                tracing::warn!(task, %error, "standard output cannot be read");
                return last;
            }
        }
    }
}

/// A line that is a message: a JSON object with at least one member that has a meaning.
fn read_message(line: &str) -> Option<Told> {
    let told: Told = serde_json::from_str(line)
        .ok()
        .filter(|_| line.trim_start().starts_with('{') && json::check(line).is_ok())?;
    (told != Told::default()).then_some(told)
}

async fn pass_on(told: Told, outlet: &Outlet, last: &mut Last) {
    if let Some(share) = told.progress {
        outlet.say(Output::Progress(share.clamp(0.0, 1.0))).await;
    }
    if let Some(delta) = told.delta {
        outlet.say(Output::Delta(delta)).await;
    }
    if let Some(busy) = told.busy {
        outlet.say(Output::Busy(busy)).await;
    }
    if let Some(usage) = told.usage {
        // What the hub does not take must not cost the task its lease.
        let mut invalid = Invalid::new();
        Report::read_all(Some(usage.clone()), &mut invalid);
        match invalid.errors().first() {
            None => outlet.say(Output::Usage(usage)).await,
            Some(fault) => tracing::warn!("{} {}: not reported", fault.field, fault.message),
        }
    }
    if let Some(checkpoint) = told.checkpoint {
        if checkpoint.to_string().len() <= CHECKPOINT_BYTES_MAX {
            outlet.say(Output::Checkpoint(checkpoint)).await;
        } else {
            tracing::warn!("a checkpoint of more than {CHECKPOINT_BYTES_MAX} bytes is not kept");
        }
    }
    last.amount = told.amount.or(last.amount);
    if told.wait.is_some() {
        last.wait = told.wait;
    }
    if told.snooze.is_some() {
        last.snooze = told.snooze;
    }
    match (told.result, told.content) {
        // A block that comes with the result is what the message was waiting for.
        (Some(result), content) => (last.result, last.content) = (Some(result), content),
        (None, Some(block)) => outlet.say(Output::Block(block)).await,
        (None, None) => {}
    }
}

async fn read_stderr(
    mut lines: Lines<impl AsyncRead + Unpin>,
    task: &Task,
    outlet: &Outlet,
    exited: watch::Receiver<bool>,
) -> Option<String> {
    let mut last = None;
    loop {
        let line = tokio::select! {
            biased;
            line = lines.next() => line,
            () = lingered(exited.clone()) => return last,
        };
        match line {
            Ok(Some(Line::Text(text))) if text.trim().is_empty() => {
                outlet.log(LogStream::Stderr, &text);
            }
            Ok(Some(Line::Text(text))) => {
                outlet.log(LogStream::Stderr, &text);
                tracing::info!(task = task.id(), "{text}");
                last = Some(text.trim().chars().take(ERROR_CHARS_MAX).collect());
            }
            Ok(Some(Line::TooLong)) => {}
            Ok(None) | Err(_) => return last,
        }
    }
}

/// What the end of a command means.
fn judge(task: &Task, status: ExitStatus, last: Last, error: Option<String>) -> Ended {
    let may_snooze = status.success() || status.code() == Some(TEMPFAIL);
    if let (true, Some(Snooze { after_ms })) = (may_snooze, last.snooze) {
        let error = error.unwrap_or_else(|| "the command has put it off".to_owned());
        return Ended::Snoozed { error, after: after_ms.map(Duration::from_millis) };
    }
    if let (true, Some(wait)) = (status.success(), last.wait) {
        return Ended::Waits(wait);
    }
    if status.success() {
        let result = last.result.unwrap_or_else(|| match task.message_id() {
            // A message would show it.
            Some(_) => Value::Null,
            None => Value::Object(Map::new()),
        });
        return Ended::Completed { result, content: last.content, amount: last.amount };
    }
    let code = status.code();
    let error = error.unwrap_or_else(|| match code {
        Some(code) => format!("the command ended with exit code {code}"),
        None => format!("the command was ended from outside: {status}"),
    });
    let is_permanent = code.is_some_and(|code| PERMANENT.contains(&code) && code != TEMPFAIL);
    Ended::Failed { error, retryable: !is_permanent }
}

#[cfg(test)]
mod tests;
