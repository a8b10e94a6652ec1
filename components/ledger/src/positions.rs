//! Positions: how they are shown, marked and closed.

use reef_api::AgentId;
use reef_api::ledger::{PositionClosed, PositionList, PositionMarked, PriceBody};
use reef_domain::Invalid;
use reef_domain::ledger::require_positive;
use reef_domain::limits::PAGE_DEFAULT;
use reef_store::Redis;
use reef_store::position::{Close, Closed, List, Mark, Marked};
use reef_store::steps::Step;
use reef_web::extract::{object, optional_object};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::access::{require_agent, unknown_agent, writer};

/// `GET /positions/{agent}`: the open ones, newest first, and with `include_closed` all.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id: AgentId = cx.id("id", "agent_id")?;
    require_agent(cx, &agent_id)?;
    let query = cx.query();
    let with_closed = page::flag(&query, "include_closed")?;
    let (mut steps, mut total) = (page::steps(&query, PAGE_DEFAULT)?, 0);
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        let call = List { agent_id: &agent_id, with_closed, limit, below, filled };
        let found = cx.store.call(&call).await?.ok_or_else(|| unknown_agent(&agent_id))?;
        total = found.total;
        steps.add(found.page);
    }
    let response = Response::json(&PositionList { agent_id, positions: steps.rows, total });
    Ok(page::with_next(response, cx.request, steps.next))
}

/// `POST /positions/{id}/close`
pub(crate) async fn close<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let position_id = cx.id("id", "position_id")?;
    let PriceBody { price } = optional_object(cx.request)?;
    if price.is_some() {
        let mut invalid = Invalid::new();
        require_positive(&mut invalid, "price", price);
        invalid.finish(())?;
    }
    let call = Close { position_id: &position_id, writer: writer(cx), price };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Closed::Ok(position) => Ok(Response::json(&PositionClosed {
            success: true,
            position_id,
            pnl: position.realized_pnl,
            close_price: position.close_price,
            position: *position,
        })),
        Closed::NotFound => Err(unknown_position(&position_id)),
        Closed::Forbidden => Err(Problem::foreign("position")),
        Closed::State(status) => Err(not_open(&position_id, &status)),
        Closed::Price(mark) => Err(Problem::new(
            Code::Forbidden,
            format!("Its owner may close this position at its mark, {mark}, and no other price."),
        )),
    };
    mark_replayed(answer, answered.replayed)
}

fn unknown_position(position_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no position {position_id}."))
}

fn not_open(position_id: &str, status: &str) -> Problem {
    Problem::new(Code::Conflict, format!("The position {position_id} is not open but {status}."))
}

/// `POST /positions/{id}/mark`
pub(crate) async fn mark<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let position_id = cx.id("id", "position_id")?;
    let body: PriceBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let price = require_positive(&mut invalid, "price", body.price);
    invalid.finish(())?;
    let call = Mark { position_id: &position_id, price };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Marked::Ok { liquidated, position } => {
            Ok(Response::json(&PositionMarked { success: true, position: *position, liquidated }))
        }
        Marked::NotFound => Err(unknown_position(&position_id)),
        Marked::State(status) => Err(not_open(&position_id, &status)),
    };
    mark_replayed(answer, answered.replayed)
}
