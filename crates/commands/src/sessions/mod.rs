//! `reef sessions`: conversations: which there are, what was said, what is being said.

mod tail;

use clap::{Args, Subcommand};
use reef_api::SessionId;
use reef_api::bulk::BulkAction;
use reef_api::find::TaskFilter;
use reef_api::message::{Message, MessageList};
use reef_api::session::{Session, SessionClosed};
use reef_client::Kept;
use serde::Serialize;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::messages::{blocks, state};
use crate::table::{columns, facts, or_empty, plain, shown};
use crate::tasks::{How, change_many};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef sessions list --status active
  reef sessions show SESSION        all that was said in it
  reef sessions tail SESSION        what is said in it from now on, while it is written
";

/// What a session's tasks are told, where nobody says more.
const INTERRUPTED: &str = "the session was interrupted";

/// `reef sessions`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Sessions {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List sessions, newest first
    #[command(before_help = "Examples:\n  reef sessions list --status active --limit 20\n  reef sessions list --user ada\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show a session and what was said in it
    #[command(before_help = "Examples:\n  reef sessions show SESSION\n", after_help = EXIT_CODES)]
    Show(ShowArgs),
    /// Read a session while it is written, until it is closed
    #[command(before_help = "Examples:\n  reef sessions tail SESSION\n  reef sessions tail SESSION --all --json\n", after_help = EXIT_CODES)]
    Tail(tail::TailArgs),
    /// Close a session: nothing more can be said in it
    #[command(before_help = "Examples:\n  reef sessions close SESSION\n", after_help = EXIT_CODES)]
    Close(SessionArgs),
    /// Cancel the unfinished tasks of a session; it stays open
    #[command(before_help = "Examples:\n  reef sessions interrupt SESSION --dry-run\n  reef sessions interrupt SESSION --reason 'The user has left.'\n", after_help = EXIT_CODES)]
    Interrupt(InterruptArgs),
}

#[derive(Debug, Args)]
struct SessionArgs {
    /// The session's id
    session: SessionId,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those that are active or closed
    #[arg(long, value_parser = ["active", "closed"])]
    status: Option<String>,
    /// Only those of this user
    #[arg(long)]
    user: Option<String>,
    /// Most sessions, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The session's id
    session: SessionId,
    /// Most messages, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Go on where an earlier transcript ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct InterruptArgs {
    /// The session's id
    session: SessionId,
    /// Cancel none if there are more than these
    #[arg(long, value_name = "N", default_value_t = 1000)]
    most: i64,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say how many would be cancelled, and cancel none
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until all are cancelled
    #[arg(long)]
    no_wait: bool,
}

impl Sessions {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list(cx, args).await,
            Verb::Show(args) => show(cx, args).await,
            Verb::Tail(args) => tail::run(cx, args).await,
            Verb::Close(args) => close(cx, &args.session).await,
            Verb::Interrupt(args) => interrupt(cx, args).await,
        }
    }
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx
        .hub
        .sessions()
        .maybe_query("status", args.status)
        .maybe_query("user_id", args.user)
        .maybe_query("limit", args.limit)
        .maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    let sessions = cx.out.read(&answer)?;
    if !cx.out.is_json() && sessions.is_empty() {
        cx.out.note("no sessions");
    } else {
        cx.out.shown(&answer, || {
            let rows = sessions.iter().map(|session| {
                [
                    session.session_id.to_string(),
                    session.status.to_string(),
                    or_empty(session.user_id.as_ref()),
                    time::of(session.created_at),
                    time::of(session.updated_at),
                ]
            });
            columns(["session", "status", "user", "begun", "changed"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

/// A session with what was said in it, for programs: each as the hub has answered it.
#[derive(Debug, Serialize)]
struct Transcript {
    session: Kept<Session>,
    messages: Vec<Kept<Message>>,
}

async fn show(cx: &Context, args: ShowArgs) -> Result<(), Failure> {
    let session = cx.hub.session(&args.session).answering::<Kept<Session>>().fetch().await?;
    let request = cx.hub.messages(&args.session).answering::<MessageList<Kept<Message>>>();
    let request = request.query("limit", args.limit).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    let transcript = Transcript { session, messages: answer.value()?.messages };
    if cx.out.is_json() {
        cx.out.line(&serde_json::to_string(&transcript)?)?;
    } else {
        let said = transcript.messages.iter().map(|message| spoken(&message.value));
        let parts = std::iter::once(head(&transcript.session.value)).chain(said);
        cx.out.line(&parts.collect::<Vec<_>>().join("\n\n"))?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

fn head(session: &Session) -> String {
    let metadata = plain(&session.metadata);
    facts([
        ("session", session.session_id.to_string()),
        ("status", session.status.to_string()),
        ("user", or_empty(session.user_id.as_ref())),
        ("if busy", or_empty(session.if_busy.as_ref())),
        ("begun", time::of(session.created_at)),
        ("changed", time::of(session.updated_at)),
        ("metadata", if metadata == "{}" { String::new() } else { metadata }),
    ])
}

/// Who speaks, in a line of its own. What is said stands below it, further right: no text can look
/// like such a line.
fn speaker(message: &Message) -> String {
    let open = if message.is_complete { String::new() } else { format!(" ({})", state(false)) };
    let (role, id) = (shown(&message.role), shown(&message.message_id));
    format!("{role}  {id}  {}{open}", time::of(message.created_at))
}

/// A message as a part of a transcript.
fn spoken(message: &Message) -> String {
    let parts = [message.text.clone(), blocks(message)];
    let said = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
    if said.is_empty() {
        return speaker(message);
    }
    format!("{}\n  {}", speaker(message), said.trim_end().replace('\n', "\n  "))
}

async fn close(cx: &Context, session: &SessionId) -> Result<(), Failure> {
    let answer = cx.hub.close_session(session).send().await?;
    cx.out.answer(&answer, |SessionClosed { session_id, status }| {
        format!("{} is {}", shown(session_id), shown(status))
    })
}

async fn interrupt(cx: &Context, args: InterruptArgs) -> Result<(), Failure> {
    // A session that is not there has no tasks, which would look as if all was done.
    cx.hub.session(&args.session).send().await?;
    let InterruptArgs { session, most, reason, dry_run, no_wait } = args;
    let filter = TaskFilter { session_id: Some(session.to_string()), ..TaskFilter::default() };
    let reason = reason.unwrap_or_else(|| INTERRUPTED.to_owned());
    let how = How { most: Some(most), reason: Some(reason), dry_run, no_wait };
    change_many(cx, BulkAction::Cancel, None, filter, how).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_looks_like_a_speaker() {
        let message: Message = serde_json::from_value(json!({
            "message_id": "m1", "session_id": "s", "role": "user", "content_blocks": [],
            "text": "a\nassistant  m2  12:00:00\n", "pending_tasks": {}, "is_complete": true,
            "parent_message_id": null, "metadata": {}, "sequence": 1,
            "created_at": "2024-02-04T04:58:14.123Z", "updated_at": "2024-02-04T04:58:14.123Z",
        }))
        .unwrap();
        let said = spoken(&message);
        let mut lines = said.lines();
        assert!(lines.next().unwrap().starts_with("user  m1  2024-02-04"), "{said}");
        assert!(lines.all(|line| line.starts_with("  ")), "{said}");
    }
}
