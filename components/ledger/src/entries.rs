//! The journal, as agents see their part of it and the admin all.

use reef_api::ledger::{AuditPage, EntryIndex, EntryList, SealList};
use reef_domain::id;
use reef_domain::limits::PAGE_DEFAULT;
use reef_store::Redis;
use reef_store::entry::{Audit, Index, List, ListSeals};
use reef_store::steps::{Step, Steps};
use reef_web::extract::Query;
use reef_web::route::Answer;
use reef_web::{Code, Context, Problem, Response, page};

use crate::access::listed_agent;

/// `GET /entries`: newest first. The admin may ask for the oldest first, to check or keep a whole
/// journal.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let oldest_first = match query.get("order") {
        None | Some("newest") => false,
        Some("oldest") if cx.caller.is_admin() => true,
        Some("oldest") => {
            return Err(Problem::new(Code::Forbidden, "Only the admin reads the oldest first."));
        }
        Some(_) => return Err(Problem::parameter("order", "must be newest or oldest")),
    };
    let agent_id = listed_agent(cx, query.get("agent_id"))?;
    let after = page::number_cursor(&query)?.or(behind(&query)?);
    let mut steps = Steps::new(page::limit(&query, PAGE_DEFAULT)?, after);
    while let Some(Step { limit, from: after, filled }) = steps.step() {
        let call = List { agent_id: &agent_id, oldest_first, limit, after, filled };
        steps.add(cx.store.call(&call).await?);
    }
    let response = Response::json(&EntryList { entries: steps.rows });
    Ok(page::with_next(response, cx.request, steps.next))
}

/// The number of the entry behind which to go on, for those who keep a journal and know it.
fn behind(query: &Query) -> Result<Option<i64>, Problem> {
    let Some(text) = query.get("after") else { return Ok(None) };
    let number = text.parse().ok().filter(|number: &i64| *number >= 0);
    let number =
        number.ok_or_else(|| Problem::parameter("after", "must be the number of an entry"))?;
    Ok(Some(number).filter(|number| *number > 0))
}

/// `GET /entries/seals`: in order, one for each thousand entries.
pub(crate) async fn list_seals<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let from = page::number_cursor(&query)?.unwrap_or(0);
    let found = cx.store.call(&ListSeals { from, limit }).await?;
    let next = (from + limit < found.total).then(|| (from + limit).to_string());
    let response = Response::json(&SealList { seals: found.seals, total: found.total });
    Ok(page::with_next(response, cx.request, next))
}

/// `GET /entries/audit`: what lies in the ledger's keys, for comparing it with the journal.
pub(crate) async fn audit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let read = |text: &str| text.parse::<u64>().ok().filter(|_| is_number(text));
    let cursor = page::cursor(&cx.query(), read)?.unwrap_or(0).to_string();
    let found = cx.store.call(&Audit { cursor: &cursor }).await?;
    let response = Response::json(&AuditPage { records: found.records });
    Ok(page::with_next(response, cx.request, found.next))
}

/// `GET /entries/index`: the numbers of an agent's entries, as its index lists them.
pub(crate) async fn index<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let agent_id = query.get("agent_id").unwrap_or_default();
    if !id::is_valid(agent_id) {
        return Err(Problem::parameter("agent_id", id::RULE));
    }
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let after = page::number_cursor(&query)?.unwrap_or(0);
    let found = cx.store.call(&Index { agent_id: &agent_id.into(), after, limit }).await?;
    let next = (after + limit < found.total).then(|| (after + limit).to_string());
    let response = Response::json(&EntryIndex { numbers: found.numbers, total: found.total });
    Ok(page::with_next(response, cx.request, next))
}
