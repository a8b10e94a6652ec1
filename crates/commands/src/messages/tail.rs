//! `reef messages tail`: reads a message while it is written.

use std::time::Duration;

use clap::Args;
use reef_api::message::{Message, MessageEventPayload};
use reef_api::{MessageId, SessionId};
use reef_client::Event;
use serde::Deserialize;

use super::seconds;
use super::show::content;
use crate::Context;
use crate::events::{Followed, print_event};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{or_empty, shown};

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// The session's id
    session: SessionId,
    /// The message's id
    #[arg(value_name = "MID")]
    message: MessageId,
    /// Begin behind an event: its id, or its number in the message
    #[arg(long, value_name = "CURSOR")]
    from: Option<String>,
    /// How long to try to come back when the stream is cut, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    give_up_after: Duration,
}

pub(crate) async fn run(cx: &Context, args: TailArgs) -> Result<(), Failure> {
    let path = ["sessions", args.session.as_str(), "messages", args.message.as_str(), "stream"];
    let mut stream = cx.hub.stream(path).give_up_after(args.give_up_after);
    let is_whole = args.from.as_deref().is_none_or(|from| from == "0");
    if let Some(from) = args.from {
        stream = stream.after(from);
    }
    let mut stream = Followed(stream.open());
    let mut transcript = Transcript { shown: is_whole.then(String::new), error: None };
    while let Some(event) = stream.next(&cx.out).await {
        let event = event?;
        if cx.out.is_json() {
            print_event(&cx.out, &event)?;
            transcript.note_error(&event);
        } else {
            transcript.take(&cx.out, &event)?;
        }
    }
    match transcript.error {
        Some(error) => Err(Failure::Failed(format!("the message ended with an error: {error}"))),
        None => Ok(()),
    }
}

/// What has been printed of a message.
struct Transcript {
    /// Its text so far, from its beginning; `None`: only a later part of it was asked for.
    shown: Option<String>,
    /// What its writer says is wrong.
    error: Option<String>,
}

/// What an event of a message says.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    payload: MessageEventPayload,
    /// In a snapshot.
    message: Option<Message>,
}

impl Transcript {
    fn take(&mut self, out: &Output, event: &Event) -> Result<(), Failure> {
        let told: Told = event.json()?;
        let MessageEventPayload { delta, task_type, progress, error, block } = told.payload;
        let task = shown(or_empty(block.task_id.as_ref()));
        match event.event.as_str() {
            "text_delta" => {
                out.text(&delta)?;
                if let Some(shown) = &mut self.shown {
                    shown.push_str(&delta);
                }
            }
            "snapshot" => {
                self.catch_up(out, told.message.map(|message| message.text).unwrap_or_default())?;
            }
            "content_added" | "content_updated" => out.note(&format!(
                "[{} {}: {}]",
                shown(&block.content_type),
                shown(&block.content_id),
                content(&block)
            )),
            "task_started" => {
                out.note(&format!("[task {task}: {} started]", shown(task_type)));
            }
            "task_progress" => {
                out.note(&format!("[task {task}: {:.0} %]", progress * 100.0));
            }
            "task_completed" => out.note(&format!("[task {task}: completed]")),
            "task_failed" => {
                out.note(&format!("[task {task}: failed: {}]", shown(or_empty(error))));
            }
            _ => self.note_error(event),
        }
        Ok(())
    }

    /// The log does not reach back to where we were: prints what is missing of the text.
    fn catch_up(&mut self, out: &Output, whole: String) -> Result<(), Failure> {
        let missing = self.shown.as_deref().and_then(|shown| whole.strip_prefix(shown));
        if let Some(missing) = missing {
            out.text(missing)?;
        } else {
            out.note("events were missed; this is the whole text:");
            out.text(&whole)?;
        }
        self.shown = Some(whole);
        Ok(())
    }

    fn note_error(&mut self, event: &Event) {
        if event.event == "error" {
            let told = event.json::<Told>().ok();
            self.error = told.map(|told| shown(or_empty(told.payload.error)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_completes_what_was_shown() {
        let out = Output::new(false);
        let mut transcript = Transcript { shown: Some("ab".to_owned()), error: None };
        transcript.catch_up(&out, "abc".to_owned()).unwrap();
        assert_eq!(transcript.shown.as_deref(), Some("abc"));
    }

    #[test]
    fn an_error_is_remembered() {
        let data = r#"{"payload":{"error":"too hot"}}"#.to_owned();
        let event = Event { id: "1-0".to_owned(), event: "error".to_owned(), data };
        let mut transcript = Transcript { shown: None, error: None };
        transcript.note_error(&event);
        assert_eq!(transcript.error.as_deref(), Some("too hot"));
    }
}
