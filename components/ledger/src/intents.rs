//! Intents: what agents would take positions on, and how two of them are matched.

use reef_api::Word as _;
use reef_api::ledger::{
    IntentBody, IntentCancelled, IntentList, IntentMatch, IntentStatus, IntentSubmitted,
    MatchAnswer, MatchBody,
};
use reef_domain::ledger::{self, is_asset, require_positive};
use reef_domain::limits::PAGE_DEFAULT;
use reef_domain::{Invalid, id};
use reef_store::Redis;
use reef_store::intent::{Cancel, Cancelled, Get, List, Match, Matched, Submit};
use reef_store::ledger::Seen;
use reef_store::steps::Step;
use reef_web::extract::object;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::access::{agent_id, listed_agent, moved, require_agent, writer};

/// `POST /intents`
pub(crate) async fn submit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut body: IntentBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let agent_id = agent_id(&mut invalid, "agent_id", body.agent_id.take());
    let intent = ledger::Intent::read(body, invalid)?;
    require_agent(cx, &agent_id)?;
    let intent_id = made_id("int", cx.once.as_ref(), false);
    let call = Submit {
        intent_id: &intent_id,
        agent_id: &agent_id,
        side: intent.side,
        asset: &intent.asset,
        size: intent.size,
        leverage: intent.leverage,
        max_slippage: intent.max_slippage,
        reason: &intent.reason,
        most: cx.quotas().map(|quotas| quotas.intents),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = moved(answered.value, &agent_id, intent.size)
        .map(|intent| Response::json(&IntentSubmitted { success: true, intent: *intent }));
    mark_replayed(answer, answered.replayed)
}

fn unknown_intent(intent_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no intent {intent_id}."))
}

/// `GET /intents/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let intent_id = cx.id("id", "intent_id")?;
    match cx.store.call(&Get { intent_id: &intent_id, writer: writer(cx) }).await? {
        Seen::Ok(intent) => Ok(Response::json(&intent)),
        Seen::NotFound => Err(unknown_intent(&intent_id)),
        Seen::Forbidden => Err(Problem::foreign("intent")),
    }
}

/// `GET /intents`. A page may be short when filters are combined; its `Link` says where to go on.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let status = query.get("status").unwrap_or_default();
    if !status.is_empty() && IntentStatus::parse(status).is_none() {
        let rule = format!("must be one of {}", IntentStatus::names().join(", "));
        return Err(Problem::parameter("status", &rule));
    }
    let asset = query.get("asset").unwrap_or_default();
    if !asset.is_empty() && !is_asset(asset) {
        return Err(Problem::parameter("asset", "must be 1-32 of A-Z a-z 0-9 . _ -"));
    }
    let agent_id = listed_agent(cx, query.get("agent_id"))?;
    let mut steps = page::steps(&query, PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        let call = List { agent_id: &agent_id, asset, status, limit, below, filled };
        steps.add(cx.store.call(&call).await?);
    }
    let response = Response::json(&IntentList { intents: steps.rows });
    Ok(page::with_next(response, cx.request, steps.next))
}

/// `DELETE /intents/{id}`
pub(crate) async fn cancel<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let intent_id = cx.id("id", "intent_id")?;
    match cx.store.call(&Cancel { intent_id: &intent_id, writer: writer(cx) }).await? {
        Cancelled::Ok(_) => Ok(Response::json(&IntentCancelled { success: true })),
        Cancelled::NotFound => Err(unknown_intent(&intent_id)),
        Cancelled::Forbidden => Err(Problem::foreign("intent")),
        Cancelled::State(status) => Err(not_open(&intent_id, &status)),
    }
}

fn not_open(intent_id: &str, status: &str) -> Problem {
    Problem::new(Code::Conflict, format!("The intent {intent_id} is not open but {status}."))
}

/// `POST /intents/{id}/match`
pub(crate) async fn make_match<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let intent_a = cx.id("id", "intent_id")?;
    let body: MatchBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let intent_b = body.with.unwrap_or_default();
    invalid.require(id::is_valid(&intent_b), "with", id::RULE);
    let price = require_positive(&mut invalid, "price", body.price);
    invalid.finish(())?;
    let once = cx.once.as_ref();
    let match_id = made_id("match", once, false);
    let call = Match {
        intent_a: &intent_a,
        intent_b: &intent_b,
        price,
        match_id: &match_id,
        position_a: &made_id("pos", once, false),
        position_b: &made_id("pos", once, true),
    };
    let answered = cx.store.call_once(&call, once).await?;
    let conflict = |detail: &str| Err(Problem::new(Code::Conflict, detail));
    let answer = match answered.value {
        Matched::Ok(it) => {
            let made = IntentMatch {
                match_id: match_id.clone(),
                intent_a: intent_a.clone(),
                intent_b: intent_b.clone(),
                agent_a: it.agent_a,
                agent_b: it.agent_b,
                asset: it.asset,
                size: it.size,
                price,
                created_at: it.created_at,
            };
            Ok(Response::json(&MatchAnswer { success: true, made, positions: it.positions }))
        }
        Matched::NotFound(intent_id) => Err(unknown_intent(&intent_id)),
        Matched::State { intent_id, status } => Err(not_open(&intent_id, &status)),
        Matched::Agent => conflict("Both intents are the same agent's."),
        Matched::Asset => conflict("The intents are on different assets."),
        Matched::Side => conflict("Both intents go in the same direction."),
        Matched::Exists => conflict("This Idempotency-Key has made a match before."),
    };
    mark_replayed(answer, answered.replayed)
}
