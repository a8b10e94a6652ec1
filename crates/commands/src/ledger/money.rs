//! Balances, deposits, withdrawals, transfers, and their entries.

use clap::Args;
use serde_json::{Value, json};

use crate::Context;
use crate::failure::Failure;
use crate::table::{brief, columns, facts, text, time};

#[derive(Debug, Args)]
pub(super) struct BalanceArgs {
    /// Whose
    agent: String,
}

#[derive(Debug, Args)]
pub(super) struct AmountArgs {
    /// Whose money
    agent: String,
    /// How much: a decimal number with at most 6 places
    amount: String,
}

#[derive(Debug, Args)]
pub(super) struct TransferArgs {
    /// Who pays
    from: String,
    /// Who is paid
    to: String,
    /// How much: a decimal number with at most 6 places
    amount: String,
    /// What for
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct EntriesArgs {
    /// Only what concerns this agent
    #[arg(long)]
    agent: Option<String>,
    /// Most entries, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

pub(super) async fn balance(cx: &Context, args: BalanceArgs) -> Result<(), Failure> {
    let answer = cx.hub.get(["balance", &args.agent]).send().await?;
    cx.out.answer(&answer, |balance| shown(&balance))
}

fn shown(balance: &Value) -> String {
    facts([
        ("agent", text(balance, "agent_id")),
        ("balance", text(balance, "balance")),
        ("locked", text(balance, "locked")),
        ("available", text(balance, "available")),
    ])
}

/// A deposit or a withdrawal.
pub(super) async fn change(cx: &Context, route: &str, args: AmountArgs) -> Result<(), Failure> {
    let body = json!({"agent_id": args.agent, "amount": args.amount});
    let answer = cx.hub.post([route]).json(&body).once().send().await?;
    cx.out.answer(&answer, |done| {
        done.get("balance").map_or_else(|| text(&done, "new_balance"), shown)
    })
}

pub(super) async fn transfer(cx: &Context, args: TransferArgs) -> Result<(), Failure> {
    let body = json!({
        "from_agent": args.from, "to_agent": args.to, "amount": args.amount, "memo": args.memo,
    });
    let answer = cx.hub.post(["transfer"]).json(&body).once().send().await?;
    cx.out.answer(&answer, |done| {
        let settlement = done.get("settlement").unwrap_or(&Value::Null);
        let of = |name| text(settlement, name);
        format!(
            "paid {} from {} to {}: {}, entry {}",
            of("amount"),
            of("from_agent"),
            of("to_agent"),
            of("settlement_id"),
            of("entry_id")
        )
    })
}

pub(super) async fn entries(cx: &Context, args: EntriesArgs) -> Result<(), Failure> {
    let request = cx.hub.get(["entries"]).query("limit", args.limit);
    let answer = request.maybe_query("agent_id", args.agent).send().await?;
    cx.out.answer(&answer, |found| {
        let entries = found.get("entries").and_then(Value::as_array).cloned().unwrap_or_default();
        let rows = entries.iter().map(|entry| {
            [
                text(entry, "entry_id"),
                time(entry, "created_at"),
                text(entry, "kind"),
                legs(entry, "legs"),
                legs(entry, "locks"),
                text(entry, "reference"),
                brief(entry, "memo"),
            ]
        });
        columns(["entry", "time", "kind", "moved", "reserved", "about", "memo"], rows)
    })
}

/// `@external -5, alice +5`
fn legs(entry: &Value, name: &str) -> String {
    let legs = entry.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let shown = legs.iter().map(|leg| {
        let amount = text(leg, "amount");
        let sign = if amount.starts_with('-') { "" } else { "+" };
        format!("{} {sign}{amount}", text(leg, "account"))
    });
    shown.collect::<Vec<_>>().join(", ")
}
