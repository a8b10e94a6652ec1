//! Leadership: one node leads, under a term that fences all earlier leaders.

use reef_api::NodeId;
use reef_api::leader::{CampaignAnswer, CampaignBody, ResignAnswer, ResignBody};
use reef_domain::limits::{COUNTER_MAX, LEADER_HISTORY_MAX, LEADER_TTL_MS, LEADER_TTL_MS_DEFAULT};
use reef_domain::{Invalid, id};
use reef_store::Redis;
use reef_store::leader::{Campaign, Campaigned, Leadership, ReadHistory, Resign, Resigned, Show};
use reef_web::extract::object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

/// `GET /cluster/leader`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    Ok(Response::json(&cx.store.call(&Show).await?))
}

/// `POST /cluster/leader/campaign`
pub(crate) async fn campaign<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: CampaignBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let node_id = read_node_id(&mut invalid, body.node_id);
    let ttl_ms = body.ttl_ms.unwrap_or(LEADER_TTL_MS_DEFAULT);
    invalid.within("ttl_ms", ttl_ms, &LEADER_TTL_MS);
    let incarnation = body.incarnation;
    invalid.within("incarnation", incarnation, &(0..=COUNTER_MAX));
    let node_id = invalid.finish(node_id)?;
    let call = Campaign { node_id: &node_id, ttl_ms, incarnation, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Campaigned::Ok { is_leader, leadership, former_ttl_ms } => {
            let Leadership { leader, term, ttl_ms } = leadership;
            Ok(Response::json(&CampaignAnswer { is_leader, leader, term, ttl_ms, former_ttl_ms }))
        }
        Campaigned::NotFound => Err(Problem::unknown_node(&node_id)),
        Campaigned::Forbidden => Err(Problem::foreign("node")),
        Campaigned::Fenced => Err(Problem::replaced_node(&node_id)),
        Campaigned::Unfit { status } => {
            let detail =
                format!("The node {node_id} is {status}; one that is online or busy leads.");
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `POST /cluster/leader/resign`
pub(crate) async fn resign<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: ResignBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let node_id = read_node_id(&mut invalid, body.node_id);
    invalid.require(body.term.is_some(), "term", "is required");
    let term = body.term.unwrap_or_default();
    invalid.within("term", term, &(0..=COUNTER_MAX));
    let node_id = invalid.finish(node_id)?;
    let call = Resign { node_id: &node_id, term, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Resigned::Ok { term } => {
            Ok(Response::json(&ResignAnswer { success: true, leader: None, term }))
        }
        Resigned::NotFound => Err(Problem::unknown_node(&node_id)),
        Resigned::Forbidden => Err(Problem::foreign("node")),
        Resigned::Fenced { leader, term: present } => {
            let leader = leader.as_ref().map_or("nobody", NodeId::as_str);
            let detail = format!(
                "{node_id} does not lead under term {term}: {leader} does, and the term is {present}."
            );
            Err(Problem::new(Code::Fenced, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

fn read_node_id(invalid: &mut Invalid, given: Option<NodeId>) -> NodeId {
    match given.map(id::checked) {
        None => invalid.push("node_id", "is required"),
        Some(Ok(node_id)) => return node_id,
        Some(Err(rule)) => invalid.push("node_id", rule),
    }
    NodeId::default()
}

/// `GET /cluster/leader/history`
pub(crate) async fn history<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let limit = page::limit(&cx.query(), LEADER_HISTORY_MAX)?;
    Ok(Response::json(&cx.store.call(&ReadHistory { limit }).await?.0))
}
