//! `reef messages show` and `list`: messages as they are now.

use clap::Args;
use reef_api::message::{ContentBlock, Message};
use reef_api::{MessageId, SessionId};

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, said, shortened, shown};
use crate::time;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The message's id
    #[arg(value_name = "MID")]
    message: MessageId,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The session's id
    session: SessionId,
    /// Most messages, 1 to 100
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn show(cx: &Context, args: ShowArgs) -> Result<(), Failure> {
    let answer = cx.hub.message(&args.message).send().await?;
    cx.out.answer(&answer, |message| {
        let blocks = blocks(&message);
        let head = facts([
            ("message", message.message_id.into()),
            ("session", message.session_id.into()),
            ("role", message.role.to_string()),
            ("state", state(message.is_complete).to_owned()),
            ("answers", or_empty(message.parent_message_id)),
            ("created", time::of(message.created_at)),
            ("updated", time::of(message.updated_at)),
        ]);
        let parts = [head, message.text, blocks];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    })
}

pub(crate) async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.messages(&args.session);
    let request = request.maybe_query("limit", args.limit).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    cx.out.answer(&answer, |list| {
        let rows = list.messages.into_iter().map(|message| {
            [
                message.message_id.into(),
                message.role.to_string(),
                state(message.is_complete).to_owned(),
                time::of(message.created_at),
                shortened(&message.text),
            ]
        });
        columns(["message", "role", "state", "created", "text"], rows)
    })?;
    cx.out.tell_next(&answer);
    Ok(())
}

/// Whether something is still written to a message.
pub(crate) fn state(is_complete: bool) -> &'static str {
    if is_complete { "complete" } else { "open" }
}

/// The content blocks beside the text.
pub(crate) fn blocks(message: &Message) -> String {
    if message.content_blocks.is_empty() {
        return String::new();
    }
    let rows = message.content_blocks.iter().map(|block| {
        let block: ContentBlock = serde_json::from_str(block.get()).unwrap_or_default();
        let content = content(&block);
        [block.content_id.into(), block.content_type, content]
    });
    columns(["content", "type", ""], rows)
}

/// What a block holds, in a few words.
pub(super) fn content(block: &ContentBlock) -> String {
    if block.is_placeholder {
        return format!("to be made by {}", shown(or_empty(block.task_id.as_ref())));
    }
    block.members.get(&block.content_type).map(|it| shortened(&said(it))).unwrap_or_default()
}
