//! Holds: money that is reserved, then paid or released.

use clap::Args;
use reef_api::Money;
use reef_api::ledger::{Hold, HoldAnswer, HoldBody, HoldPostBody};
use reef_client::Request;

use crate::Context;
use crate::failure::Failure;
use crate::table::columns;
use crate::time;

#[derive(Debug, Args)]
pub(super) struct HoldArgs {
    /// Whose money
    agent: String,
    /// How much: a decimal number with at most 6 places
    #[arg(value_parser = Money::parse)]
    amount: Money,
    /// Release it by itself after this time
    #[arg(long, value_name = "MS")]
    expires_in_ms: Option<i64>,
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
    #[arg(long, value_parser = Money::parse)]
    amount: Option<Money>,
}

#[derive(Debug, Args)]
pub(super) struct VoidArgs {
    /// The hold's id
    hold: String,
}

pub(super) async fn place(cx: &Context, args: HoldArgs) -> Result<(), Failure> {
    let HoldArgs { agent, amount, expires_in_ms } = args;
    let body = HoldBody { agent_id: Some(agent.into()), amount: Some(amount), expires_in_ms };
    tell(cx, cx.hub.place_hold(&body)).await
}

pub(super) async fn post(cx: &Context, args: PostArgs) -> Result<(), Failure> {
    let body = HoldPostBody { to_agent: Some(args.to.into()), amount: args.amount };
    tell(cx, cx.hub.post_hold(&args.hold, &body)).await
}

pub(super) async fn void(cx: &Context, args: VoidArgs) -> Result<(), Failure> {
    tell(cx, cx.hub.void_hold(&args.hold)).await
}

pub(super) async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.holds().query("limit", args.limit);
    let request = request.maybe_query("agent_id", args.agent).maybe_query("status", args.status);
    let answer = request.send().await?;
    cx.out.answer(&answer, |found| table(found.holds))
}

async fn tell(cx: &Context, request: Request<HoldAnswer>) -> Result<(), Failure> {
    let answer = request.once().send().await?;
    cx.out.answer(&answer, |done| table([done.hold]))
}

fn table(holds: impl IntoIterator<Item = Hold>) -> String {
    let rows = holds.into_iter().map(|hold| {
        [
            hold.hold_id.into(),
            hold.agent_id.into(),
            hold.amount.to_string(),
            hold.posted.to_string(),
            hold.status.to_string(),
            hold.expires_at.map(time::of).unwrap_or_default(),
        ]
    });
    columns(["hold", "agent", "amount", "posted", "status", "expires"], rows)
}
