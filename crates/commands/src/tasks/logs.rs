//! `reef tasks logs`: what a task has said, and what it says.

use std::time::Duration;

use clap::Args;
use reef_api::Open;
use reef_api::TaskId;
use reef_api::task::{TaskLog, TaskLogGap, TaskLogLine, TaskStatus};
use reef_client::Event;
use serde::Deserialize;

use crate::Context;
use crate::events::{Followed, print_event};
use crate::failure::Failure;
use crate::messages::seconds;
use crate::output::Output;
use crate::table::{or_empty, shown};
use crate::time;

/// Lines of one request.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The task's id
    task: TaskId,
    /// Go on until the task has ended; exit code 0 only if it was completed
    #[arg(short, long)]
    follow: bool,
    /// Begin with so many of the last lines, 1 to 1000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    tail: Option<u32>,
    /// Begin behind a line, by its id
    #[arg(long, value_name = "CURSOR", conflicts_with = "tail")]
    from: Option<String>,
    /// Print nothing but the texts, and these to the letter: a terminal obeys what the task has written
    #[arg(long)]
    raw: bool,
    /// How long to try to come back when the stream is cut, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    give_up_after: Duration,
}

pub(crate) async fn run(cx: &Context, args: LogsArgs) -> Result<(), Failure> {
    if args.raw && cx.out.is_json() {
        return Err(Failure::Usage("--raw and --json exclude each other".to_owned()));
    }
    let mut printer = Printer { out: &cx.out, is_raw: args.raw, attempt: None };
    let mut cursor = args.from.clone().unwrap_or_else(|| "0".to_owned());
    if args.tail.is_some() || !args.follow {
        cursor = print_kept(cx, &args, cursor, &mut printer).await?;
    }
    if args.follow { follow(cx, &args, cursor, &mut printer).await } else { Ok(()) }
}

/// Prints what there is. Returns the place behind it.
async fn print_kept(
    cx: &Context,
    args: &LogsArgs,
    mut cursor: String,
    printer: &mut Printer<'_>,
) -> Result<String, Failure> {
    loop {
        let request = cx.hub.task_log(&args.task);
        let request = match args.tail {
            Some(tail) => request.query("tail", tail),
            None => request.query("after", &cursor).query("limit", PAGE),
        };
        let answer = request.send().await?;
        let log: TaskLog = cx.out.read(&answer)?;
        if cx.out.is_json() {
            cx.out.shown(&answer, String::new)?;
        } else {
            if let Some(gap) = &log.gap {
                printer.tell_gap(gap);
            }
            log.lines.iter().try_for_each(|line| printer.print(line))?;
        }
        cursor = log.cursor;
        if !log.has_more {
            return Ok(cursor);
        }
    }
}

async fn follow(
    cx: &Context,
    args: &LogsArgs,
    cursor: String,
    printer: &mut Printer<'_>,
) -> Result<(), Failure> {
    let stream = cx.hub.follow_log(&args.task).after(cursor).give_up_after(args.give_up_after);
    let mut stream = Followed(stream.open());
    let mut status = None;
    while let Some(event) = stream.next(&cx.out).await {
        let event = event?;
        if cx.out.is_json() {
            print_event(&cx.out, &event)?;
        }
        if let Some(ended) = printer.take(&event)? {
            status = Some(ended);
        }
    }
    // Who comes back behind the end is only told that there was one.
    let status = match status {
        Some(status) => status,
        None => cx.hub.task(&args.task).send().await?.lenient()?.value.status,
    };
    if status == TaskStatus::Completed {
        return Ok(());
    }
    Err(Failure::Failed(format!("the task {} has ended: {}", args.task, shown(&status))))
}

/// Prints lines.
struct Printer<'o> {
    out: &'o Output,
    is_raw: bool,
    /// Which try said the last one.
    attempt: Option<i64>,
}

/// What an event of a log's stream says beside a line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    gap: Option<TaskLogGap>,
    status: Open<TaskStatus>,
}

impl Printer<'_> {
    /// Prints an event, unless the output is for programs, which have got it. Returns how the task has ended,
    /// if it says that.
    fn take(&mut self, event: &Event) -> Result<Option<Open<TaskStatus>>, Failure> {
        let is_shown = !self.out.is_json();
        match event.event.as_str() {
            "line" if is_shown => self.print(&event.json()?)?,
            "snapshot" if is_shown => {
                if let Some(gap) = event.json::<Told>()?.gap {
                    self.tell_gap(&gap);
                }
            }
            "end" => return Ok(Some(event.json::<Told>()?.status)),
            _ => {}
        }
        Ok(None)
    }

    fn print(&mut self, line: &TaskLogLine) -> Result<(), Failure> {
        if self.is_raw {
            return Ok(self.out.raw_line(&line.text)?);
        }
        if self.attempt.is_some_and(|attempt| attempt != line.attempt) {
            self.out.note(&format!("what follows was said by try {}", line.attempt));
        }
        self.attempt = Some(line.attempt);
        let source = or_empty(line.stream.as_ref().map(Open::as_str).or(level_of(line)));
        Ok(self.out.line(&format!("{}  {:6}  {}", time::of(line.at), shown(source), line.text))?)
    }

    fn tell_gap(&self, gap: &TaskLogGap) {
        let which = if gap.from == "0" { "the first lines" } else { "lines" };
        self.out
            .note(&format!("{which} are not kept any more: a log has its last 2000, and 1 MiB"));
    }
}

/// The level of a line that no command has printed.
fn level_of(line: &TaskLogLine) -> Option<&str> {
    line.level.as_ref().map(Open::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_says_how_the_task_has_ended() {
        let out = Output::new(false);
        let mut printer = Printer { out: &out, is_raw: false, attempt: None };
        let event = |event: &str, data: &str| Event {
            id: "1-0".to_owned(),
            event: event.to_owned(),
            data: data.to_owned(),
        };
        let line =
            event("line", r#"{"id":"1-0","attempt":2,"at":"2026-02-04T04:58:14.123Z","text":"x"}"#);
        assert!(printer.take(&line).unwrap().is_none());
        assert_eq!(printer.attempt, Some(2));
        let end = printer.take(&event("end", r#"{"status":"failed"}"#)).unwrap();
        assert!(end.is_some_and(|status| status == TaskStatus::Failed));
    }
}
