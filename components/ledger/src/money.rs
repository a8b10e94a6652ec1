//! Money that comes, goes and moves.

use reef_api::AgentId;
use reef_api::ledger::{
    Balance, BalanceChange, MoneyBody, Settlement, TransferAnswer, TransferBody,
};
use reef_domain::ledger::{check_memo, require_positive};
use reef_domain::time::UnixMillis;
use reef_domain::{Invalid, Money};
use reef_store::Redis;
use reef_store::account::{self, Changed, Deposit, Show, Transfer, Transferred, Withdraw};
use reef_store::entry::entry_id;
use reef_web::config::Deposits;
use reef_web::extract::object;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};

use crate::access::{agent_id, moved, require_agent, unknown_agent};

fn read_amount<R>(
    cx: &Context<'_, R>,
    amount_max: Option<Money>,
) -> Result<(AgentId, Money), Problem> {
    let body: MoneyBody = object(cx.request)?;
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

fn view(agent_id: &AgentId, has: &account::Balance) -> Balance {
    let account::Balance { balance, locked } = *has;
    Balance { agent_id: agent_id.clone(), balance, locked, available: has.available() }
}

fn show_change(agent_id: &AgentId, changed: &Changed) -> Response {
    Response::json(&BalanceChange {
        success: true,
        new_balance: changed.balance.balance,
        balance: view(agent_id, &changed.balance),
    })
}

/// `POST /deposit`
pub(crate) async fn deposit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let (agent_id, amount) = read_amount(cx, Some(cx.config.deposit_max))?;
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
    let (agent_id, amount) = read_amount(cx, None)?;
    let call = Withdraw { agent_id: &agent_id, amount };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer =
        moved(answered.value, &agent_id, amount).map(|changed| show_change(&agent_id, &changed));
    mark_replayed(answer, answered.replayed)
}

/// `GET /balance/{agent}`
pub(crate) async fn show_balance<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id: AgentId = cx.id("agent", "agent_id")?;
    require_agent(cx, &agent_id)?;
    let balance = cx.store.call(&Show { agent_id: &agent_id }).await?;
    let balance = balance.ok_or_else(|| unknown_agent(&agent_id))?;
    Ok(Response::json(&view(&agent_id, &balance)))
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
    let settlement_id: String = made_id("set", cx.once.as_ref(), false);
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
            settlement_id: settlement_id.clone(),
            kind: "internal".to_owned(),
            from_agent: from_agent.clone(),
            to_agent: to_agent.clone(),
            amount,
            memo: memo.clone(),
            status: "settled".to_owned(),
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
