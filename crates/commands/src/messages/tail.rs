//! `reef messages tail`: reads a message while it is written.

use std::time::Duration;

use clap::Args;
use reef_client::Event;
use serde::Deserialize;
use serde_json::Value;

use super::seconds;
use crate::Context;
use crate::events::{Followed, print_event};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{brief, raw, text};

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// The session's id
    session: String,
    /// The message's id
    #[arg(value_name = "MID")]
    message: String,
    /// Begin behind an event: its id, or its number in the message
    #[arg(long, value_name = "CURSOR")]
    from: Option<String>,
    /// How long to try to come back when the stream is cut, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    give_up_after: Duration,
}

pub(crate) async fn run(cx: &Context, args: TailArgs) -> Result<(), Failure> {
    let path = ["sessions", &args.session, "messages", &args.message, "stream"];
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
    payload: Value,
    /// In a snapshot.
    message: Option<Value>,
}

impl Transcript {
    fn take(&mut self, out: &Output, event: &Event) -> Result<(), Failure> {
        let told: Told = event.json()?;
        let payload = &told.payload;
        let named = |name: &str| text(payload, name);
        match event.event.as_str() {
            "text_delta" => {
                let delta = raw(payload, "delta");
                out.text(&delta)?;
                if let Some(shown) = &mut self.shown {
                    shown.push_str(&delta);
                }
            }
            "snapshot" => self.catch_up(out, &told.message.unwrap_or_default())?,
            "content_added" | "content_updated" => out.note(&format!(
                "[{} {}: {}]",
                named("content_type"),
                named("content_id"),
                content(payload)
            )),
            "task_started" => {
                out.note(&format!("[task {}: {} started]", named("task_id"), named("task_type")));
            }
            "task_progress" => {
                let share = payload.get("progress").and_then(Value::as_f64).unwrap_or_default();
                out.note(&format!("[task {}: {:.0} %]", named("task_id"), share * 100.0));
            }
            "task_completed" => out.note(&format!("[task {}: completed]", named("task_id"))),
            "task_failed" => {
                out.note(&format!("[task {}: failed: {}]", named("task_id"), named("error")));
            }
            _ => self.note_error(event),
        }
        Ok(())
    }

    /// The log does not reach back to where we were: prints what is missing of the text.
    fn catch_up(&mut self, out: &Output, message: &Value) -> Result<(), Failure> {
        let whole = raw(message, "text");
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
            self.error = told.map(|told| text(&told.payload, "error"));
        }
    }
}

/// The content of a block in a few words.
fn content(block: &Value) -> String {
    if block.get("is_placeholder").and_then(Value::as_bool).unwrap_or(false) {
        return format!("to be made by {}", text(block, "task_id"));
    }
    brief(block, &text(block, "content_type"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_snapshot_completes_what_was_shown() {
        let out = Output::new(false);
        let mut transcript = Transcript { shown: Some("ab".to_owned()), error: None };
        transcript.catch_up(&out, &json!({"text": "abc"})).unwrap();
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
