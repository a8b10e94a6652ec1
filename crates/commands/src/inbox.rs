//! `reef inbox`: mail that waits for an agent until it is acknowledged.

use clap::{Args, Subcommand};
use reef_client::Answer;
use serde_json::{Value, json};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{brief, columns, text, time};
use crate::{Context, EXIT_CODES};

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
    limit: u32,
    /// How long they are yours
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    lease_ms: u64,
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
    messages: Vec<String>,
}

impl Inbox {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Send(args) => send(cx, args).await,
            Verb::Receive(args) => receive(cx, args).await,
            Verb::Ack(args) => acknowledge(cx, args).await,
            Verb::List(args) => {
                let request = cx.hub.get(["inbox", &args.agent]).query("limit", args.limit);
                let request = request.maybe_query("cursor", args.cursor);
                list(cx, &request.send().await?)
            }
            Verb::Dead(args) => {
                let request = cx.hub.get(["inbox", &args.agent, "dead"]).query("limit", args.limit);
                let request = request.maybe_query("cursor", args.cursor);
                list(cx, &request.send().await?)
            }
            Verb::Redrive(args) => redrive(cx, args).await,
        }
    }
}

async fn send(cx: &Context, args: SendArgs) -> Result<(), Failure> {
    let content = if args.content_json {
        serde_json::from_str(&args.content)
            .map_err(|error| Failure::Usage(format!("CONTENT is no JSON: {error}")))?
    } else {
        Value::from(args.content)
    };
    let body = json!({
        "from": args.from,
        "content": content,
        "topic": args.topic,
        "priority": args.priority,
    });
    let answer = cx.hub.post(["inbox", &args.agent]).json(&body).once().send().await?;
    cx.out.answer(&answer, |sent| {
        format!("sent as {}; {} waiting", text(&sent, "msg_id"), text(&sent, "depth"))
    })
}

async fn receive(cx: &Context, args: ReceiveArgs) -> Result<(), Failure> {
    let body = json!({"limit": args.limit, "lease_ms": args.lease_ms});
    let request = cx.hub.post(["inbox", &args.agent, "receive"]).json(&body).once();
    list(cx, &request.send().await?)
}

async fn acknowledge(cx: &Context, args: AckArgs) -> Result<(), Failure> {
    let body = json!({"receipts": args.receipts});
    let request = cx.hub.post(["inbox", &args.agent, "ack"]).json(&body).once();
    let answer = request.send().await?;
    cx.out.answer(&answer, |done| format!("acknowledged {}", text(&done, "acknowledged")))?;
    match text(&answer.json()?, "unknown").as_str() {
        "0" => Ok(()),
        unknown => Err(Failure::Failed(format!(
            "{unknown} of the receipts are not good (any longer): acknowledged before, or the \
             lease ran out and the mail waits again"
        ))),
    }
}

async fn redrive(cx: &Context, args: RedriveArgs) -> Result<(), Failure> {
    let body = json!({"msg_ids": args.messages});
    let request = cx.hub.post(["inbox", &args.agent, "dead", "redrive"]).json(&body).once();
    let answer = request.send().await?;
    cx.out.answer(&answer, |done| {
        format!("{} wait again, {} in all", text(&done, "redriven"), text(&done, "depth"))
    })
}

/// Prints mail.
fn list(cx: &Context, answer: &Answer) -> Result<(), Failure> {
    let mails = cx.out.read_list(answer, Some("messages"))?;
    cx.out.tell_next(answer);
    if !cx.out.is_json() && mails.is_empty() {
        cx.out.note("no mail");
        return Ok(());
    }
    cx.out.shown(answer, || {
        let name = |mail: &Value| {
            let receipt = text(mail, "receipt");
            if receipt.is_empty() { text(mail, "msg_id") } else { receipt }
        };
        let is_received = mails.iter().any(|mail| mail.get("receipt").is_some());
        let rows = mails.iter().map(|mail| {
            [
                name(mail),
                time(mail, "timestamp"),
                text(mail, "from"),
                text(mail, "topic"),
                text(mail, "priority"),
                text(mail, "attempts"),
                brief(mail, "content"),
            ]
        });
        let first = if is_received { "receipt" } else { "message" };
        columns([first, "sent", "from", "topic", "priority", "tries", "content"], rows)
    })
}
