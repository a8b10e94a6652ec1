//! Positions: how they are shown, marked and closed.

use reef_domain::ledger::require_positive;
use reef_domain::limits::PAGE_DEFAULT;
use reef_domain::{Invalid, Money};
use reef_store::Redis;
use reef_store::position::{Close, Closed, List, Mark, Marked, Position};
use reef_web::extract::{object, optional_object};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde::{Deserialize, Serialize};

use crate::access::{require_agent, unknown_agent, writer};

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PositionList"))]
pub(crate) struct ListAnswer<'a> {
    agent_id: &'a str,
    positions: &'a [Position],
    total: i64,
}

/// `GET /positions/{agent}`: the open ones, newest first, and with `include_closed` all.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id = cx.id("id", "agent_id")?;
    require_agent(cx, &agent_id)?;
    let query = cx.query();
    let with_closed = match query.get("include_closed") {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(Problem::parameter("include_closed", "must be true or false")),
    };
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let below = page::number_cursor(&query)?;
    let call = List { agent_id: &agent_id, with_closed, limit, below };
    let found = cx.store.call(&call).await?.ok_or_else(|| unknown_agent(&agent_id))?;
    let response = Response::json(&ListAnswer {
        agent_id: &agent_id,
        positions: &found.page.items,
        total: found.total,
    });
    Ok(page::with_next(response, cx.request, found.page.next.map(|number| number.to_string())))
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct PriceBody {
    /// The price.
    price: Option<Money>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PositionClosed"))]
pub(crate) struct CloseAnswer<'a> {
    success: bool,
    position_id: &'a str,
    position: &'a Position,
    pnl: Money,
    close_price: Option<Money>,
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
    let answer = match &answered.value {
        Closed::Ok(position) => Ok(Response::json(&CloseAnswer {
            success: true,
            position_id: &position_id,
            position,
            pnl: position.realized_pnl,
            close_price: position.close_price,
        })),
        Closed::NotFound => Err(unknown_position(&position_id)),
        Closed::Forbidden => Err(Problem::foreign("position")),
        Closed::State(status) => Err(not_open(&position_id, status)),
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

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PositionMarked"))]
pub(crate) struct MarkAnswer<'a> {
    success: bool,
    position: &'a Position,
    liquidated: bool,
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
            Ok(Response::json(&MarkAnswer { success: true, position: &position, liquidated }))
        }
        Marked::NotFound => Err(unknown_position(&position_id)),
        Marked::State(status) => Err(not_open(&position_id, &status)),
    };
    mark_replayed(answer, answered.replayed)
}
