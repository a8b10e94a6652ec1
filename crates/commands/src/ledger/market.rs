//! Intents and positions.

use clap::Args;
use serde_json::{Value, json};

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, text, time};

#[derive(Debug, Args)]
pub(super) struct IntendArgs {
    /// Whose money
    agent: String,
    /// long or short
    side: String,
    /// What, such as ETH-PERP
    asset: String,
    /// How much: a decimal number with at most 6 places
    size: String,
    /// 1 to 20: the margin is size / leverage
    #[arg(long, value_name = "N", default_value_t = 1)]
    leverage: u32,
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
    price: String,
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
    #[arg(long)]
    price: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct MarkArgs {
    /// The position's id
    position: String,
    /// The price
    price: String,
}

pub(super) async fn intend(cx: &Context, args: IntendArgs) -> Result<(), Failure> {
    let body = json!({
        "agent_id": args.agent, "intent_type": args.side, "asset": args.asset, "size": args.size,
        "leverage": args.leverage, "reason": args.reason,
    });
    let answer = cx.hub.post(["intents"]).json(&body).once().send().await?;
    cx.out
        .answer(&answer, |done| intents_table(done.get("intent").map_or(&[], std::slice::from_ref)))
}

pub(super) async fn intents(cx: &Context, args: IntentsArgs) -> Result<(), Failure> {
    let request = cx.hub.get(["intents"]).query("limit", args.limit);
    let request = request.maybe_query("agent_id", args.agent).maybe_query("asset", args.asset);
    let request = request.maybe_query("status", args.status).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    cx.out.answer(&answer, |found| intents_table(list_of(&found, "intents")))?;
    cx.out.tell_next(&answer);
    Ok(())
}

pub(super) async fn cancel(cx: &Context, args: CancelArgs) -> Result<(), Failure> {
    let answer = cx.hub.delete(["intents", &args.intent]).send().await?;
    cx.out.answer(&answer, |_| format!("cancelled {}", args.intent))
}

pub(super) async fn make_match(cx: &Context, args: MatchArgs) -> Result<(), Failure> {
    let body = json!({"with": args.with, "price": args.price});
    let answer = cx.hub.post(["intents", &args.intent, "match"]).json(&body).once().send().await?;
    cx.out.answer(&answer, |done| positions_table(list_of(&done, "positions")))
}

pub(super) async fn positions(cx: &Context, args: PositionsArgs) -> Result<(), Failure> {
    let request = cx.hub.get(["positions", &args.agent]);
    let answer = request.query("include_closed", args.include_closed).send().await?;
    cx.out.answer(&answer, |found| positions_table(list_of(&found, "positions")))
}

pub(super) async fn close(cx: &Context, args: CloseArgs) -> Result<(), Failure> {
    let body = json!({"price": args.price});
    let request = cx.hub.post(["positions", &args.position, "close"]).json(&body).once();
    let answer = request.send().await?;
    cx.out.answer(&answer, |done| {
        format!(
            "closed {} at {}: {}",
            text(&done, "position_id"),
            text(&done, "close_price"),
            text(&done, "pnl")
        )
    })
}

pub(super) async fn mark(cx: &Context, args: MarkArgs) -> Result<(), Failure> {
    let body = json!({"price": args.price});
    let request = cx.hub.post(["positions", &args.position, "mark"]).json(&body).once();
    let answer = request.send().await?;
    cx.out.answer(&answer, |done| {
        positions_table(done.get("position").map_or(&[], std::slice::from_ref))
    })
}

fn list_of<'a>(found: &'a Value, name: &str) -> &'a [Value] {
    found.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn intents_table(intents: &[Value]) -> String {
    let rows = intents.iter().map(|intent| {
        let of = |name| text(intent, name);
        [
            of("intent_id"),
            of("agent_id"),
            of("intent_type"),
            of("asset"),
            of("size"),
            of("remaining"),
            of("leverage"),
            of("margin"),
            of("status"),
            time(intent, "created_at"),
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

fn positions_table(positions: &[Value]) -> String {
    let rows = positions.iter().map(|position| {
        let of = |name| text(position, name);
        let is_open = of("status") == "open";
        let pnl = if is_open { of("unrealized_pnl") } else { of("realized_pnl") };
        [
            of("position_id"),
            of("agent_id"),
            of("side"),
            of("asset"),
            of("size"),
            of("entry_price"),
            of("mark"),
            of("margin"),
            pnl,
            of("status"),
        ]
    });
    let header =
        ["position", "agent", "side", "asset", "size", "entry", "mark", "margin", "pnl", "status"];
    columns(header, rows)
}
