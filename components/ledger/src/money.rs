//! Money that comes, goes and moves.

use reef_domain::ledger::{check_memo, require_positive};
use reef_domain::time::UnixMillis;
use reef_domain::{Invalid, Money};
use reef_store::Redis;
use reef_store::account::{Balance, Changed, Deposit, Show, Transfer, Transferred, Withdraw};
use reef_store::entry::entry_id;
use reef_web::config::Deposits;
use reef_web::extract::object;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};
use serde::{Deserialize, Serialize};

use crate::access::{agent_id, moved, require_agent, unknown_agent};

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MoneyBody"))]
pub(crate) struct AmountBody {
    /// Whose balance.
    agent_id: Option<String>,
    /// How much.
    amount: Option<Money>,
}

impl AmountBody {
    fn read<R>(cx: &Context<'_, R>, amount_max: Option<Money>) -> Result<(String, Money), Problem> {
        let body: Self = object(cx.request)?;
        let mut invalid = Invalid::new();
        let agent_id = agent_id(&mut invalid, "agent_id", body.agent_id);
        let amount = require_positive(&mut invalid, "amount", body.amount);
        if let Some(most) = amount_max.filter(|most| amount > *most) {
            invalid.push("amount", format!("must not be more than {most} at a time"));
        }
        let (agent_id, amount) = invalid.finish((agent_id, amount))?;
        require_agent(cx, &agent_id)?;
        Ok((agent_id, amount))
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Balance"))]
pub(crate) struct BalanceView<'a> {
    agent_id: &'a str,
    balance: Money,
    locked: Money,
    available: Money,
}

impl<'a> BalanceView<'a> {
    fn new(agent_id: &'a str, balance: &Balance) -> Self {
        let Balance { balance: all, locked } = *balance;
        Self { agent_id, balance: all, locked, available: balance.available() }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BalanceChange"))]
pub(crate) struct ChangeAnswer<'a> {
    success: bool,
    new_balance: Money,
    balance: BalanceView<'a>,
}

fn show_change(agent_id: &str, changed: &Changed) -> Response {
    Response::json(&ChangeAnswer {
        success: true,
        new_balance: changed.balance.balance,
        balance: BalanceView::new(agent_id, &changed.balance),
    })
}

/// `POST /deposit`
pub(crate) async fn deposit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let (agent_id, amount) = AmountBody::read(cx, Some(cx.config.deposit_max))?;
    if cx.config.deposits == Deposits::Admin && !cx.caller.is_admin() {
        return Err(Problem::new(Code::Forbidden, "Only the admin brings money into this hub."));
    }
    let call = Deposit { agent_id: &agent_id, amount, most: cx.quotas().map(|it| it.deposits) };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer =
        moved(answered.value, &agent_id, amount).map(|changed| show_change(&agent_id, &changed));
    mark_replayed(answer, answered.replayed)
}

/// `POST /withdraw`
pub(crate) async fn withdraw<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let (agent_id, amount) = AmountBody::read(cx, None)?;
    let call = Withdraw { agent_id: &agent_id, amount };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer =
        moved(answered.value, &agent_id, amount).map(|changed| show_change(&agent_id, &changed));
    mark_replayed(answer, answered.replayed)
}

/// `GET /balance/{agent}`
pub(crate) async fn show_balance<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id = cx.id("agent", "agent_id")?;
    require_agent(cx, &agent_id)?;
    let balance = cx.store.call(&Show { agent_id: &agent_id }).await?;
    let balance = balance.ok_or_else(|| unknown_agent(&agent_id))?;
    Ok(Response::json(&BalanceView::new(&agent_id, &balance)))
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct TransferBody {
    /// Who pays.
    from_agent: Option<String>,
    /// Who is paid.
    to_agent: Option<String>,
    /// How much.
    amount: Option<Money>,
    /// Stays in the journal.
    memo: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct TransferAnswer<'a> {
    success: bool,
    settlement: Settlement<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct Settlement<'a> {
    settlement_id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    from_agent: &'a str,
    to_agent: &'a str,
    amount: Money,
    memo: &'a str,
    status: &'static str,
    entry_id: String,
    created_at: UnixMillis,
}

/// `POST /transfer`
pub(crate) async fn transfer<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: TransferBody = object(cx.request)?;
    let memo = body.memo.unwrap_or_default();
    let mut invalid = Invalid::new();
    let from_agent = agent_id(&mut invalid, "from_agent", body.from_agent);
    let to_agent = agent_id(&mut invalid, "to_agent", body.to_agent);
    let amount = require_positive(&mut invalid, "amount", body.amount);
    check_memo(&mut invalid, &memo);
    invalid.finish(())?;
    require_agent(cx, &from_agent)?;
    if from_agent == to_agent {
        return Err(paid_to_itself());
    }
    let settlement_id = made_id("set", cx.once.as_ref(), false);
    let call = Transfer {
        settlement_id: &settlement_id,
        from_agent: &from_agent,
        to_agent: &to_agent,
        amount,
        memo: &memo,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = moved(answered.value, &from_agent, amount).map(|Transferred { entry, at }| {
        let settlement = Settlement {
            settlement_id: &settlement_id,
            kind: "internal",
            from_agent: &from_agent,
            to_agent: &to_agent,
            amount,
            memo: &memo,
            status: "settled",
            entry_id: entry_id(entry),
            created_at: UnixMillis(at),
        };
        Response::json(&TransferAnswer { success: true, settlement })
    });
    mark_replayed(answer, answered.replayed)
}

/// Nobody pays themselves: it would look like a movement and be none.
pub(crate) fn paid_to_itself() -> Problem {
    Problem::parameter("to_agent", "must be another agent than the one who pays")
}
