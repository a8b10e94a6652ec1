//! Holds: money that is reserved until it is paid, released, or overdue.

use reef_api::HoldId;
use reef_api::Word as _;
use reef_api::ledger::{Hold, HoldAnswer, HoldBody, HoldList, HoldPostBody, HoldStatus};
use reef_domain::Invalid;
use reef_domain::ledger::{check_expiry, require_positive};
use reef_domain::limits::PAGE_DEFAULT;
use reef_store::Redis;
use reef_store::hold::{Ended, Get, List, Place, Post, Void};
use reef_store::ledger::Seen;
use reef_store::steps::Step;
use reef_web::extract::{object, refuse_read_only};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::access::{agent_id, listed_agent, moved, require_agent, unknown_agent, writer};
use crate::money::paid_to_itself;

fn show_hold(hold: Hold) -> Response {
    Response::json(&HoldAnswer { success: true, hold })
}

/// `POST /holds`
pub(crate) async fn place<R: Redis>(cx: &Context<'_, R>) -> Answer {
    refuse_read_only(cx.request, &["hold_id", "status", "posted", "expires_at"])?;
    let body: HoldBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let agent_id = agent_id(&mut invalid, "agent_id", body.agent_id);
    let amount = require_positive(&mut invalid, "amount", body.amount);
    check_expiry(&mut invalid, body.expires_in_ms);
    invalid.finish(())?;
    require_agent(cx, &agent_id)?;
    let hold_id = made_id("hold", cx.once.as_ref(), false);
    let expires_in_ms = body.expires_in_ms;
    let most = cx.quotas().map(|quotas| quotas.holds);
    let call = Place {
        hold_id: &hold_id,
        agent_id: &agent_id,
        amount,
        expires_in_ms,
        most,
        task_id: None,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = moved(answered.value, &agent_id, amount).map(show_hold);
    mark_replayed(answer, answered.replayed)
}

/// `POST /holds/{id}/post`
pub(crate) async fn post<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let hold_id = cx.id("id", "hold_id")?;
    let body: HoldPostBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let to_agent = agent_id(&mut invalid, "to_agent", body.to_agent);
    if body.amount.is_some() {
        require_positive(&mut invalid, "amount", body.amount);
    }
    invalid.finish(())?;
    let call = Post {
        hold_id: &hold_id,
        writer: writer(cx),
        amount: body.amount,
        to_agent: &to_agent,
        task_id: None,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    mark_replayed(ended(answered.value, &hold_id, &to_agent), answered.replayed)
}

/// `POST /holds/{id}/void`
pub(crate) async fn void<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let hold_id = cx.id("id", "hold_id")?;
    let call = Void { hold_id: &hold_id, writer: writer(cx), task_id: None };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    mark_replayed(ended(answered.value, &hold_id, ""), answered.replayed)
}

fn ended(outcome: Ended, hold_id: &HoldId, to_agent: &str) -> Answer {
    Err(match outcome {
        Ended::Ok(hold) => return Ok(show_hold(hold)),
        Ended::NotFound => unknown_hold(hold_id),
        Ended::UnknownAgent => unknown_agent(to_agent),
        Ended::Forbidden => Problem::foreign("hold"),
        Ended::State(status) => {
            Problem::new(Code::Conflict, format!("The hold {hold_id} has ended: {status}."))
        }
        Ended::Itself => paid_to_itself(),
        Ended::Task(task_id) => Problem::new(
            Code::Conflict,
            format!("The task {task_id} is paid from the hold {hold_id}: it ends with the task."),
        ),
        Ended::Over(reserved) => {
            Problem::field("amount", &format!("must not be more than the hold's {reserved}"))
        }
    })
}

fn unknown_hold(hold_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no hold {hold_id}."))
}

/// `GET /holds/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let hold_id = cx.id("id", "hold_id")?;
    match cx.store.call(&Get { hold_id: &hold_id, writer: writer(cx) }).await? {
        Seen::Ok(hold) => Ok(Response::json(&hold)),
        Seen::NotFound => Err(unknown_hold(&hold_id)),
        Seen::Forbidden => Err(Problem::foreign("hold")),
    }
}

/// `GET /holds`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let status = query.get("status").unwrap_or_default();
    if !status.is_empty() && HoldStatus::parse(status).is_none() {
        let rule = format!("must be one of {}", HoldStatus::names().join(", "));
        return Err(Problem::parameter("status", &rule));
    }
    let agent_id = listed_agent(cx, query.get("agent_id"))?;
    let mut steps = page::steps(&query, PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        let call = List { agent_id: &agent_id, status, limit, below, filled };
        steps.add(cx.store.call(&call).await?);
    }
    let response = Response::json(&HoldList { holds: steps.rows });
    Ok(page::with_next(response, cx.request, steps.next))
}
