//! Intents and positions.

use clap::Args;
use reef_api::Money;
use reef_api::ledger::{Intent, IntentBody, MatchBody, Position, PositionStatus, PriceBody};

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, or_empty, shown};
use crate::time;

#[derive(Debug, Args)]
pub(super) struct IntendArgs {
    /// Whose money
    agent: String,
    /// long or short
    side: String,
    /// What, such as ETH-PERP
    asset: String,
    /// How much: a decimal number with at most 6 places
    #[arg(value_parser = Money::parse)]
    size: Money,
    /// 1 to 20: the margin is size / leverage
    #[arg(long, value_name = "N", default_value_t = 1)]
    leverage: i64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct IntentsArgs {
    /// Whose
    #[arg(long)]
    agent: Option<String>,
    /// What
    #[arg(long)]
    asset: Option<String>,
    /// open, matched or cancelled
    #[arg(long)]
    status: Option<String>,
    /// Most intents, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CancelArgs {
    /// The intent's id
    intent: String,
}

#[derive(Debug, Args)]
pub(super) struct MatchArgs {
    /// An intent's id
    intent: String,
    /// The id of the opposite one
    with: String,
    /// The price
    #[arg(value_parser = Money::parse)]
    price: Money,
}

#[derive(Debug, Args)]
pub(super) struct PositionsArgs {
    /// Whose
    agent: String,
    /// Closed and liquidated ones, too
    #[arg(long)]
    include_closed: bool,
}

#[derive(Debug, Args)]
pub(super) struct CloseArgs {
    /// The position's id
    position: String,
    /// At which price; at the mark, if not given
    #[arg(long, value_parser = Money::parse)]
    price: Option<Money>,
}

#[derive(Debug, Args)]
pub(super) struct MarkArgs {
    /// The position's id
    position: String,
    /// The price
    #[arg(value_parser = Money::parse)]
    price: Money,
}

pub(super) async fn intend(cx: &Context, args: IntendArgs) -> Result<(), Failure> {
    let body = IntentBody {
        agent_id: Some(args.agent.into()),
        intent_type: Some(args.side),
        asset: Some(args.asset),
        size: Some(args.size),
        leverage: Some(args.leverage),
        max_slippage: None,
        reason: args.reason,
    };
    let answer = cx.hub.submit_intent(&body).once().send().await?;
    cx.out.answer(&answer, |done| intents_table([done.intent]))
}

pub(super) async fn intents(cx: &Context, args: IntentsArgs) -> Result<(), Failure> {
    let request = cx.hub.intents().query("limit", args.limit);
    let request = request.maybe_query("agent_id", args.agent).maybe_query("asset", args.asset);
    let request = request.maybe_query("status", args.status).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    cx.out.answer(&answer, |found| intents_table(found.intents))?;
    cx.out.tell_next(&answer);
    Ok(())
}

pub(super) async fn cancel(cx: &Context, args: CancelArgs) -> Result<(), Failure> {
    let answer = cx.hub.delete(["intents", &args.intent]).send().await?;
    cx.out.answer(&answer, |_| format!("cancelled {}", args.intent))
}

pub(super) async fn make_match(cx: &Context, args: MatchArgs) -> Result<(), Failure> {
    let body = MatchBody { with: Some(args.with.into()), price: Some(args.price) };
    let answer = cx.hub.match_intents(&args.intent, &body).once().send().await?;
    cx.out.answer(&answer, |done| positions_table(done.positions))
}

pub(super) async fn positions(cx: &Context, args: PositionsArgs) -> Result<(), Failure> {
    let request = cx.hub.positions(&args.agent);
    let answer = request.query("include_closed", args.include_closed).send().await?;
    cx.out.answer(&answer, |found| positions_table(found.positions))
}

pub(super) async fn close(cx: &Context, args: CloseArgs) -> Result<(), Failure> {
    let body = PriceBody { price: args.price };
    let answer = cx.hub.close_position(&args.position, &body).once().send().await?;
    cx.out.answer(&answer, |done| {
        let price = or_empty(done.close_price);
        format!("closed {} at {price}: {}", shown(done.position_id), done.pnl)
    })
}

pub(super) async fn mark(cx: &Context, args: MarkArgs) -> Result<(), Failure> {
    let body = PriceBody { price: Some(args.price) };
    let answer = cx.hub.mark_position(&args.position, &body).once().send().await?;
    cx.out.answer(&answer, |done| positions_table([done.position]))
}

fn intents_table(intents: impl IntoIterator<Item = Intent>) -> String {
    let rows = intents.into_iter().map(|intent| {
        [
            intent.intent_id.into(),
            intent.agent_id.into(),
            intent.intent_type.to_string(),
            intent.asset,
            intent.size.to_string(),
            intent.remaining.to_string(),
            intent.leverage.to_string(),
            intent.margin.to_string(),
            intent.status.to_string(),
            time::of(intent.created_at),
        ]
    });
    let header = [
        "intent",
        "agent",
        "side",
        "asset",
        "size",
        "remaining",
        "leverage",
        "margin",
        "status",
        "opened",
    ];
    columns(header, rows)
}

fn positions_table(positions: impl IntoIterator<Item = Position>) -> String {
    let rows = positions.into_iter().map(|position| {
        let is_open = position.status == PositionStatus::Open;
        let pnl = if is_open { position.unrealized_pnl } else { position.realized_pnl };
        [
            position.position_id.into(),
            position.agent_id.into(),
            position.side.to_string(),
            position.asset,
            position.size.to_string(),
            position.entry_price.to_string(),
            position.mark.to_string(),
            position.margin.to_string(),
            pnl.to_string(),
            position.status.to_string(),
        ]
    });
    let header =
        ["position", "agent", "side", "asset", "size", "entry", "mark", "margin", "pnl", "status"];
    columns(header, rows)
}
