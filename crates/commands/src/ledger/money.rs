//! Balances, deposits, withdrawals, transfers, and their entries.

use clap::Args;
use reef_api::Money;
use reef_api::ledger::{Balance, BalanceChange, MoneyBody, Settlement, TransferBody};
use reef_client::Request;
use reef_domain::journal::{Entry, Leg};

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, facts, shortened, shown};
use crate::time;

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
    #[arg(value_parser = Money::parse)]
    amount: Money,
}

#[derive(Debug, Args)]
pub(super) struct TransferArgs {
    /// Who pays
    from: String,
    /// Who is paid
    to: String,
    /// How much: a decimal number with at most 6 places
    #[arg(value_parser = Money::parse)]
    amount: Money,
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

impl AmountArgs {
    pub(super) fn body(&self) -> MoneyBody {
        MoneyBody { agent_id: Some(self.agent.as_str().into()), amount: Some(self.amount) }
    }
}

pub(super) async fn balance(cx: &Context, args: BalanceArgs) -> Result<(), Failure> {
    let answer = cx.hub.balance(&args.agent).send().await?;
    cx.out.answer(&answer, what_is_there)
}

fn what_is_there(balance: Balance) -> String {
    facts([
        ("agent", balance.agent_id.into()),
        ("balance", balance.balance.to_string()),
        ("locked", balance.locked.to_string()),
        ("available", balance.available.to_string()),
    ])
}

/// A deposit or a withdrawal.
pub(super) async fn change(cx: &Context, request: Request<BalanceChange>) -> Result<(), Failure> {
    let answer = request.once().send().await?;
    cx.out.answer(&answer, |done| what_is_there(done.balance))
}

pub(super) async fn transfer(cx: &Context, args: TransferArgs) -> Result<(), Failure> {
    let body = TransferBody {
        from_agent: Some(args.from.into()),
        to_agent: Some(args.to.into()),
        amount: Some(args.amount),
        memo: args.memo,
    };
    let answer = cx.hub.transfer(&body).once().send().await?;
    cx.out.answer(&answer, |done| {
        let Settlement { settlement_id, from_agent, to_agent, amount, entry_id, .. } =
            done.settlement;
        shown(format!(
            "paid {amount} from {from_agent} to {to_agent}: {settlement_id}, entry {entry_id}"
        ))
    })
}

pub(super) async fn entries(cx: &Context, args: EntriesArgs) -> Result<(), Failure> {
    let request = cx.hub.entries::<Entry>().query("limit", args.limit);
    let answer = request.maybe_query("agent_id", args.agent).send().await?;
    cx.out.answer(&answer, |found| {
        let rows = found.entries.into_iter().map(|entry| {
            [
                entry.entry_id,
                time::of(entry.created_at),
                entry.kind,
                legs(&entry.legs),
                legs(&entry.locks),
                entry.reference,
                shortened(&entry.memo),
            ]
        });
        columns(["entry", "time", "kind", "moved", "reserved", "about", "memo"], rows)
    })
}

/// `@external -5, alice +5`
fn legs(legs: &[Leg]) -> String {
    let shown = legs.iter().map(|Leg { account, amount }| {
        let sign = if *amount < Money::ZERO { "" } else { "+" };
        format!("{account} {sign}{amount}")
    });
    shown.collect::<Vec<_>>().join(", ")
}
