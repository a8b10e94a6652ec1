//! `reef messages show` and `list`: messages as they are now.

use clap::Args;
use serde_json::Value;

use crate::Context;
use crate::failure::Failure;
use crate::table::{brief, columns, facts, raw, text, time};

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The message's id
    #[arg(value_name = "MID")]
    message: String,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The session's id
    session: String,
    /// Most messages, 1 to 100
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn show(cx: &Context, args: ShowArgs) -> Result<(), Failure> {
    let answer = cx.hub.get(["messages", &args.message]).send().await?;
    cx.out.answer(&answer, |message| {
        let head = facts([
            ("message", text(&message, "message_id")),
            ("session", text(&message, "session_id")),
            ("role", text(&message, "role")),
            ("state", state(&message).to_owned()),
            ("answers", text(&message, "parent_message_id")),
            ("created", time(&message, "created_at")),
            ("updated", time(&message, "updated_at")),
        ]);
        let parts = [head, raw(&message, "text"), blocks(&message)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    })
}

pub(crate) async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.get(["sessions", &args.session, "messages"]);
    let request = request.maybe_query("limit", args.limit).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    cx.out.answer(&answer, |list| {
        let messages = list.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        let rows = messages.iter().map(|message| {
            [
                text(message, "message_id"),
                text(message, "role"),
                state(message).to_owned(),
                time(message, "created_at"),
                brief(message, "text"),
            ]
        });
        columns(["message", "role", "state", "created", "text"], rows)
    })?;
    cx.out.tell_next(&answer);
    Ok(())
}

fn state(message: &Value) -> &'static str {
    let is_complete = message.get("is_complete").and_then(Value::as_bool).unwrap_or(false);
    if is_complete { "complete" } else { "open" }
}

/// The content blocks beside the text.
fn blocks(message: &Value) -> String {
    let blocks = message.get("content_blocks").and_then(Value::as_array);
    let Some(blocks) = blocks.filter(|blocks| !blocks.is_empty()) else { return String::new() };
    let rows = blocks.iter().map(|block| {
        let kind = text(block, "content_type");
        let is_placeholder = block.get("is_placeholder").and_then(Value::as_bool).unwrap_or(false);
        let content = if is_placeholder {
            format!("to be made by {}", text(block, "task_id"))
        } else {
            brief(block, &kind)
        };
        [text(block, "content_id"), kind, content]
    });
    columns(["content", "type", ""], rows)
}
