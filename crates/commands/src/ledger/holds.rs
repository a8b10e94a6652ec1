//! Holds: money that is reserved, then paid or released.

use clap::Args;
use reef_client::Answer;
use serde_json::{Value, json};

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, text, time};

#[derive(Debug, Args)]
pub(super) struct HoldArgs {
    /// Whose money
    agent: String,
    /// How much: a decimal number with at most 6 places
    amount: String,
    /// Release it by itself after this time
    #[arg(long, value_name = "MS")]
    expires_in_ms: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Whose
    #[arg(long)]
    agent: Option<String>,
    /// pending, posted, voided or expired
    #[arg(long)]
    status: Option<String>,
    /// Most holds, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct PostArgs {
    /// The hold's id
    hold: String,
    /// Who is paid
    to: String,
    /// How much of it; all, if not given
    #[arg(long)]
    amount: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct VoidArgs {
    /// The hold's id
    hold: String,
}

pub(super) async fn place(cx: &Context, args: HoldArgs) -> Result<(), Failure> {
    let body = json!({
        "agent_id": args.agent, "amount": args.amount, "expires_in_ms": args.expires_in_ms,
    });
    tell(cx, &cx.hub.post(["holds"]).json(&body).once().send().await?)
}

pub(super) async fn post(cx: &Context, args: PostArgs) -> Result<(), Failure> {
    let body = json!({"to_agent": args.to, "amount": args.amount});
    tell(cx, &cx.hub.post(["holds", &args.hold, "post"]).json(&body).once().send().await?)
}

pub(super) async fn void(cx: &Context, args: VoidArgs) -> Result<(), Failure> {
    tell(cx, &cx.hub.post(["holds", &args.hold, "void"]).once().send().await?)
}

pub(super) async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.get(["holds"]).query("limit", args.limit);
    let request = request.maybe_query("agent_id", args.agent).maybe_query("status", args.status);
    let answer = request.send().await?;
    cx.out.answer(&answer, |found| {
        table(found.get("holds").and_then(Value::as_array).map_or(&[], Vec::as_slice))
    })
}

fn tell(cx: &Context, answer: &Answer) -> Result<(), Failure> {
    cx.out.answer(answer, |done| table(done.get("hold").map_or(&[], std::slice::from_ref)))
}

fn table(holds: &[Value]) -> String {
    let rows = holds.iter().map(|hold| {
        [
            text(hold, "hold_id"),
            text(hold, "agent_id"),
            text(hold, "amount"),
            text(hold, "posted"),
            text(hold, "status"),
            time(hold, "expires_at"),
        ]
    });
    columns(["hold", "agent", "amount", "posted", "status", "expires"], rows)
}
