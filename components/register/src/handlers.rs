//! One handler for each route of the table.

use std::borrow::Cow;

use reef_api::node::{NodeDone, NodeStatus, Registered};
use reef_api::{NodeId, Word as _};
use reef_domain::limits::PAGE_MAX;
use reef_domain::node::{
    Registration, RegistrationError, STATUS_RULE, check_change, check_registration,
};
use reef_domain::{Invalid, id};
use reef_store::node::{
    AvailablePosition, Get, List, ListAvailable, Register, Registered as Outcome, Remove, Shutdown,
    Standing, Update, Writer, Written,
};
use reef_store::steps::{Step, Steps};
use reef_store::{Redis, StoreError, name};
use reef_web::extract::object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde_json::json;

/// How often a new id is made when the one before was in use: with 32 random bits even once is
/// rare.
const ID_ATTEMPTS: usize = 4;

/// `POST /nodes/register`
pub(crate) async fn register<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let registration = check_registration(object(cx.request)?).map_err(|error| match error {
        RegistrationError::Shape(invalid) => invalid.into(),
        RegistrationError::Rules(invalid) => {
            refused(Problem::fields(Code::InvalidRegistration, &invalid))
        }
    })?;
    let mut standing = standing_of(cx, &registration);
    for _ in 0..ID_ATTEMPTS {
        let random = getrandom::u32().map_err(|e| Problem::internal(e.to_string()))?;
        let generated_id = id::of_new_node(&registration.hostname, random);
        let call = Register {
            standing,
            most: cx.quotas().map(|quotas| quotas.nodes),
            ..Register::new(&registration, &generated_id, cx.caller.name(), cx.caller.writer())
        };
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        let answer = match answered.value {
            Outcome::Ok { is_new, node } => {
                let message =
                    if is_new { "节点注册成功" } else { "节点重新注册成功" };
                let answer = Registered {
                    success: true,
                    node_id: Cow::Borrowed(&node.node_id),
                    message: message.into(),
                    registered: is_new,
                    node_info: Cow::Borrowed(&node),
                };
                Ok(Response::json(&answer))
            }
            Outcome::IdTaken => {
                let taken = Invalid::one("node_id", "is in use by another hostname");
                Err(refused(Problem::fields(Code::InvalidRegistration, &taken)))
            }
            Outcome::Forbidden => Err(Problem::foreign("node")),
            Outcome::MadeId => Err(Problem::field("node_id", id::MADE_RULE)),
            Outcome::NameTaken => Err(name_taken()),
            Outcome::Ask => {
                let asked = registration.node_id.as_ref().map(NodeId::as_str);
                if name::is_agents(cx.store, asked.unwrap_or_default()).await? {
                    return Err(name_taken());
                }
                standing = Standing::Free;
                continue;
            }
            Outcome::IdCollision => continue,
        };
        return mark_replayed(answer, answered.replayed);
    }
    Err(Problem::internal("every generated node id was in use"))
}

/// What is known of the id that a node asks for.
fn standing_of<R>(cx: &Context<'_, R>, registration: &Registration) -> Standing {
    let Some(asked) = &registration.node_id else { return Standing::Unknown };
    match cx.caller.writer() {
        _ if id::is_made(asked.as_str()) && !id::may_be_of(asked, &registration.hostname) => {
            Standing::Made
        }
        Writer::Any => Standing::Any,
        Writer::Owner(agent) if agent == asked.as_str() => Standing::Own,
        Writer::Owner(_) => Standing::Unknown,
    }
}

fn name_taken() -> Problem {
    let rule = "is the name of an agent or of a node of somebody else";
    Problem::fields(Code::Forbidden, &Invalid::one("node_id", rule))
}

/// What old clients read from a refused registration, beside the problem (`contract.md` §2).
fn refused(mut problem: Problem) -> Problem {
    let message = format!("参数验证失败: {}", problem.detail);
    let members = [
        ("success", json!(false)),
        ("node_id", json!(null)),
        ("message", json!(message)),
        ("registered", json!(false)),
    ];
    problem.members.extend(members);
    problem
}

/// `GET /nodes`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let given = ["status_filter", "status"].map(|name| query.get(name).map(|text| (name, text)));
    let (name, status) = given.into_iter().flatten().next().unwrap_or_default();
    if !status.is_empty() && NodeStatus::parse(status).is_none() {
        return Err(Problem::parameter(name, STATUS_RULE));
    }
    let skill = query.get("skill").unwrap_or_default();
    let tag = query.get("tag").unwrap_or_default();
    list_nodes(cx, status, skill, tag).await
}

/// `GET /nodes/online`
pub(crate) async fn list_online<R: Redis>(cx: &Context<'_, R>) -> Answer {
    list_nodes(cx, NodeStatus::Online.as_str(), "", "").await
}

/// `GET /nodes/skills/{skill}`
pub(crate) async fn list_by_skill<R: Redis>(cx: &Context<'_, R>) -> Answer {
    list_nodes(cx, NodeStatus::Online.as_str(), &cx.segment("skill")?, "").await
}

async fn list_nodes<R: Redis>(cx: &Context<'_, R>, status: &str, skill: &str, tag: &str) -> Answer {
    let mut steps = page::steps(&cx.query(), PAGE_MAX)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { status, skill, tag, limit, below, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// `GET /nodes/available`
pub(crate) async fn list_available<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let after = page::cursor(&query, |text| {
        let (load, node_id) = text.split_once('.')?;
        let node_id = id::checked(NodeId::from(node_id)).ok()?;
        Some(AvailablePosition { load: load.parse().ok()?, node_id })
    })?;
    let mut steps = Steps::new(page::limit(&query, PAGE_MAX)?, after);
    while let Some(Step { limit, from: after, filled }) = steps.step() {
        let call = ListAvailable {
            limit,
            after_load: after.as_ref().map(|position| position.load),
            after_id: after.as_ref().map(|position| position.node_id.as_str()),
            filled,
        };
        steps.add(cx.store.call(&call).await?);
    }
    let next = steps.next.map(|position| format!("{}.{}", position.load, position.node_id));
    Ok(page::with_next(Response::json(&steps.rows), cx.request, next))
}

/// `GET /nodes/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    match cx.store.call(&Get { node_id: &node_id }).await? {
        Some(sighting) => Ok(Response::json(&sighting.node)),
        None => Err(Problem::unknown_node(&node_id)),
    }
}

/// `PATCH /nodes/{id}`
pub(crate) async fn update<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let change = check_change(object(cx.request)?)?;
    let call = Update::new(&node_id, cx.caller.writer(), &change);
    let node = written(cx.store.call(&call).await, &node_id)?;
    Ok(Response::json(&node))
}

/// `POST /nodes/{id}/shutdown`
pub(crate) async fn shutdown<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let call = Shutdown { node_id: &node_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let message = format!("节点 {node_id} 已标记为离线");
    let answer = written(Ok(answered.value), &node_id)
        .map(|()| Response::json(&NodeDone { success: true, message: Some(message), node_id }));
    mark_replayed(answer, answered.replayed)
}

/// `DELETE /nodes/{id}`
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let call = Remove { node_id: &node_id, writer: cx.caller.writer() };
    written(cx.store.call(&call).await, &node_id)?;
    Ok(Response::json(&NodeDone { success: true, message: None, node_id }))
}

fn written<T>(result: Result<Written<T>, StoreError>, node_id: &NodeId) -> Result<T, Problem> {
    match result? {
        Written::Ok(value) => Ok(value),
        Written::NotFound => Err(Problem::unknown_node(node_id)),
        Written::Forbidden => Err(Problem::foreign("node")),
    }
}
