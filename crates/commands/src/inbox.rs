//! `reef inbox`: mail that waits for an agent until it is acknowledged.

use clap::{Args, Subcommand};
use reef_api::mail::{
    AcknowledgeBody, Mail, MailAnswer, MailBody, MailList, MailRedriveAnswer, MailRedriveBody,
    ReceiveBody,
};
use reef_api::{MailId, Open};
use reef_client::{Answer, Request};
use serde_json::value::{RawValue, to_raw_value};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, plain, shortened, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef inbox send gpu-1 'New data is there.' --from cpu-1
  reef inbox receive gpu-1
  reef inbox ack gpu-1 RECEIPT
";

/// `reef inbox`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Inbox {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Send mail to an agent
    #[command(before_help = "Examples:\n  reef inbox send gpu-1 'New data is there.' --from cpu-1 --priority high\n", after_help = EXIT_CODES)]
    Send(SendArgs),
    /// Take mail under a lease: what is not acknowledged in time comes back
    #[command(before_help = "Examples:\n  reef inbox receive gpu-1 --limit 1 --lease-ms 60000\n", after_help = EXIT_CODES)]
    Receive(ReceiveArgs),
    /// Acknowledge mail that was received, so that it does not come back
    #[command(before_help = "Examples:\n  reef inbox ack gpu-1 RECEIPT\n", after_help = EXIT_CODES)]
    Ack(AckArgs),
    /// Look at the mail that waits, without taking it
    #[command(before_help = "Examples:\n  reef inbox list gpu-1\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// List mail that nobody has acknowledged in five tries
    #[command(before_help = "Examples:\n  reef inbox dead gpu-1\n", after_help = EXIT_CODES)]
    Dead(ListArgs),
    /// Let dead mail wait again: all of it, or what is named
    #[command(before_help = "Examples:\n  reef inbox redrive gpu-1\n", after_help = EXIT_CODES)]
    Redrive(RedriveArgs),
}

#[derive(Debug, Args)]
struct SendArgs {
    /// Whose inbox
    agent: String,
    /// What is said
    content: String,
    /// Who sends it
    #[arg(long, value_name = "AGENT")]
    from: String,
    /// What it is about
    #[arg(long)]
    topic: Option<String>,
    /// low, medium or high
    #[arg(long)]
    priority: Option<String>,
    /// CONTENT is JSON, and not a text
    #[arg(long)]
    content_json: bool,
}

#[derive(Debug, Args)]
struct ReceiveArgs {
    /// Whose inbox
    agent: String,
    /// Most messages, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: i64,
    /// How long they are yours
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    lease_ms: i64,
}

#[derive(Debug, Args)]
struct AckArgs {
    /// Whose inbox
    agent: String,
    /// What `receive` has given
    #[arg(required = true, value_name = "RECEIPT")]
    receipts: Vec<String>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Whose inbox
    agent: String,
    /// Most messages, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct RedriveArgs {
    /// Whose inbox
    agent: String,
    /// Which messages; all if none is named
    #[arg(value_name = "MSG_ID")]
    messages: Vec<MailId>,
}

impl Inbox {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Send(args) => send(cx, args).await,
            Verb::Receive(args) => receive(cx, args).await,
            Verb::Ack(args) => acknowledge(cx, args).await,
            Verb::List(args) => list(cx, cx.hub.mail(&args.agent), args).await,
            Verb::Dead(args) => list(cx, cx.hub.dead_mail(&args.agent), args).await,
            Verb::Redrive(args) => redrive(cx, args).await,
        }
    }
}

async fn send(cx: &Context, args: SendArgs) -> Result<(), Failure> {
    let content = if args.content_json {
        RawValue::from_string(args.content)
            .map_err(|error| Failure::Usage(format!("CONTENT is no JSON: {error}")))?
    } else {
        to_raw_value(&args.content)?
    };
    let body = MailBody {
        from: Some(args.from),
        content: Some(content),
        topic: args.topic,
        priority: args.priority.map(Open::read),
        metadata: None,
    };
    let answer = cx.hub.send_mail(&args.agent, &body).once().send().await?;
    cx.out.answer(&answer, |MailAnswer { msg_id, depth }| {
        format!("sent as {}; {depth} waiting", shown(msg_id))
    })
}

async fn receive(cx: &Context, args: ReceiveArgs) -> Result<(), Failure> {
    let body = ReceiveBody { limit: Some(args.limit), lease_ms: Some(args.lease_ms) };
    let answer = cx.hub.receive_mail(&args.agent, &body).once().send().await?;
    let received = cx.out.read(&answer)?.messages.into_iter();
    print(cx, &answer, "receipt", received.map(|it| (it.receipt, it.mail)).collect())
}

async fn acknowledge(cx: &Context, args: AckArgs) -> Result<(), Failure> {
    let body = AcknowledgeBody { receipts: Some(args.receipts) };
    let answer = cx.hub.acknowledge(&args.agent, &body).once().send().await?;
    cx.out.answer(&answer, |done| format!("acknowledged {}", done.acknowledged))?;
    match answer.value()?.unknown {
        0 => Ok(()),
        unknown => Err(Failure::Failed(format!(
            "{unknown} of the receipts are not good (any longer): acknowledged before, or the \
             lease ran out and the mail waits again"
        ))),
    }
}

async fn redrive(cx: &Context, args: RedriveArgs) -> Result<(), Failure> {
    let body = MailRedriveBody { msg_ids: Some(args.messages) };
    let answer = cx.hub.redrive_mail(&args.agent, &body).once().send().await?;
    cx.out.answer(&answer, |MailRedriveAnswer { redriven, depth }| {
        format!("{redriven} wait again, {depth} in all")
    })
}

async fn list(cx: &Context, request: Request<MailList>, args: ListArgs) -> Result<(), Failure> {
    let request = request.query("limit", args.limit).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    let mails = cx.out.read(&answer)?.messages.into_iter();
    print(cx, &answer, "message", mails.map(|mail| (mail.msg_id.to_string(), mail)).collect())
}

/// Prints mail, each with what names it.
fn print<T>(
    cx: &Context,
    answer: &Answer<T>,
    named_by: &str,
    mails: Vec<(String, Mail)>,
) -> Result<(), Failure> {
    cx.out.tell_next(answer);
    if !cx.out.is_json() && mails.is_empty() {
        cx.out.note("no mail");
        return Ok(());
    }
    cx.out.shown(answer, || {
        let rows = mails.into_iter().map(|(name, mail)| {
            [
                name,
                mail.timestamp.map(|sent| time::short(&plain(&sent))).unwrap_or_default(),
                mail.from,
                mail.topic,
                mail.priority.to_string(),
                mail.attempts.to_string(),
                shortened(&plain(&mail.content)),
            ]
        });
        columns([named_by, "sent", "from", "topic", "priority", "tries", "content"], rows)
    })
}
