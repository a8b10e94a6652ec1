//! `reef messages`: write messages, and read them while they are written.

mod append;
mod show;
mod tail;

use std::time::Duration;

use clap::{Args, Subcommand};
use reef_api::message::{MessageBody, MessageCompleteBody};
use reef_api::session::SessionBody;
use reef_api::{MessageId, Open, SessionId};
pub(crate) use show::{blocks, state};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{facts, shown};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef messages send s1 'What is in the log?' --create   a question, and the open answer to it
  generate | reef messages append MID - --complete       writes the answer as it is generated
  reef messages tail s1 MID                              reads it while it is written
";

/// `reef messages`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Messages {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say something in a session; makes a complete message, and an open one for the answer
    #[command(before_help = "Examples:\n  reef messages send s1 'What is in the log?' --create\n", after_help = EXIT_CODES)]
    Send(SendArgs),
    /// Append text to an open message. With -, standard input: each piece as it comes, none twice
    #[command(before_help = "Examples:\n  reef messages append MID 'All is well.'\n  generate | reef messages append MID - --complete\n", after_help = EXIT_CODES)]
    Append(append::AppendArgs),
    /// End a message
    #[command(before_help = "Examples:\n  reef messages complete MID\n  reef messages complete MID --error 'the model gave up'\n", after_help = EXIT_CODES)]
    Complete(CompleteArgs),
    /// Read a message while it is written: its text on standard output, all else on standard error
    #[command(before_help = "Examples:\n  reef messages tail s1 MID\n  reef messages tail s1 MID --json --from 17\n", after_help = EXIT_CODES)]
    Tail(tail::TailArgs),
    /// Show a message as it is now
    #[command(before_help = "Examples:\n  reef messages show MID\n", after_help = EXIT_CODES)]
    Show(show::ShowArgs),
    /// List a session's messages, oldest first
    #[command(before_help = "Examples:\n  reef messages list s1\n", after_help = EXIT_CODES)]
    List(show::ListArgs),
}

#[derive(Debug, Args)]
struct SendArgs {
    /// The session's id
    session: SessionId,
    /// What is said
    text: String,
    /// Who says it: user, assistant, system, agent or tool
    #[arg(long, default_value = "user")]
    role: String,
    /// An id for the message; else the hub makes one
    #[arg(long, value_name = "ID")]
    message_id: Option<MessageId>,
    /// Make the session if it is not there
    #[arg(long)]
    create: bool,
}

#[derive(Debug, Args)]
struct CompleteArgs {
    /// The message's id
    #[arg(value_name = "MID")]
    message: MessageId,
    /// Say that it ends because of this
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
}

impl Messages {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Send(args) => send(cx, args).await,
            Verb::Append(args) => append::run(cx, args).await,
            Verb::Complete(args) => complete(cx, args).await,
            Verb::Tail(args) => tail::run(cx, args).await,
            Verb::Show(args) => show::show(cx, args).await,
            Verb::List(args) => show::list(cx, args).await,
        }
    }
}

async fn send(cx: &Context, args: SendArgs) -> Result<(), Failure> {
    if args.create {
        // Answers with the session that is there, if it is.
        let session_id = Some(args.session.clone());
        let body = SessionBody { session_id, ..SessionBody::default() };
        cx.hub.create_session(&body).once().send().await?;
    }
    let body = MessageBody {
        content: Some(args.text),
        role: Some(Open::read(args.role)),
        message_id: args.message_id,
        ..MessageBody::default()
    };
    let answer = cx.hub.send_message(&args.session, &body).once().send().await?;
    cx.out.answer(&answer, |sent| {
        facts([
            ("message", sent.user_message_id.into()),
            ("answer", sent.assistant_message_id.into()),
        ])
    })
}

/// Ends a message.
async fn complete(cx: &Context, args: CompleteArgs) -> Result<(), Failure> {
    let body = MessageCompleteBody { error: args.error };
    let answer = cx.hub.complete_message(&args.message, &body).once().send().await?;
    cx.out.answer(&answer, |done| {
        format!("{} is complete after {} events", shown(done.message_id), done.sequence)
    })
}

/// Reads a number of seconds for clap.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| "must be a number of seconds, from 0".to_owned())
}
