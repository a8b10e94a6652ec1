//! One handler for each route of the table.

use reef_domain::limits::PAGE_MAX;
use reef_domain::node::{Patch, Registration, RegistrationError, RegistrationForm, Status};
use reef_domain::{Invalid, NodeId, id};
use reef_store::node::{
    AvailablePosition, Get, List, ListAvailable, Node, Register, Registered, Remove, Shutdown,
    Standing, Update, Writer, Written,
};
use reef_store::{Redis, StoreError, name};
use reef_web::extract::{lax_float, lax_int, object};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How often a new id is made when the one before was in use: with 32 random bits even once is
/// rare.
const ID_ATTEMPTS: usize = 4;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Registration"))]
pub(crate) struct RegisterBody {
    /// Identity of the node: the exact text.
    hostname: Option<String>,
    /// Its operating system.
    platform: Option<String>,
    /// Its processor.
    arch: Option<String>,
    /// What it can do: at least one.
    available_skills: Option<Vec<String>>,
    /// Where it can be reached.
    ip_address: Option<String>,
    /// Where it can be reached within a tailnet.
    tailscale_ip: Option<String>,
    /// Its TCP port.
    #[serde(default, deserialize_with = "lax_int")]
    port: Option<i64>,
    /// How many tasks it runs at once.
    #[serde(default, deserialize_with = "lax_int")]
    max_concurrent_tasks: Option<i64>,
    /// Free labels; left out, a known node keeps those that it has.
    tags: Option<Vec<String>>,
    /// The id that it would like to have; a known hostname keeps its own.
    node_id: Option<String>,
}

impl From<RegisterBody> for RegistrationForm {
    fn from(body: RegisterBody) -> Self {
        Self {
            hostname: body.hostname,
            platform: body.platform,
            arch: body.arch,
            available_skills: body.available_skills,
            ip_address: body.ip_address,
            tailscale_ip: body.tailscale_ip,
            port: body.port,
            max_concurrent_tasks: body.max_concurrent_tasks,
            tags: body.tags,
            node_id: body.node_id,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Registered"))]
pub(crate) struct RegisterAnswer<'a> {
    success: bool,
    node_id: &'a str,
    message: &'a str,
    registered: bool,
    node_info: &'a Node,
}

/// `POST /nodes/register`
pub(crate) async fn register<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let form = RegistrationForm::from(object::<RegisterBody>(cx.request)?);
    let registration = form.check().map_err(|error| match error {
        RegistrationError::Shape(invalid) => invalid.into(),
        RegistrationError::Rules(invalid) => {
            refused(Problem::fields(Code::InvalidRegistration, &invalid))
        }
    })?;
    let mut standing = standing_of(cx, &registration);
    for _ in 0..ID_ATTEMPTS {
        let random = getrandom::u32().map_err(|e| Problem::internal(e.to_string()))?;
        let generated_id = NodeId::generate(&registration.hostname, random);
        let call = Register {
            standing,
            most: cx.quotas().map(|quotas| quotas.nodes),
            ..Register::new(
                &registration,
                generated_id.as_str(),
                cx.caller.name(),
                cx.caller.writer(),
            )
        };
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        let answer = match answered.value {
            Registered::Ok { is_new, node } => {
                let answer = RegisterAnswer {
                    success: true,
                    node_id: &node.node_id,
                    message: if is_new { "节点注册成功" } else { "节点重新注册成功" },
                    registered: is_new,
                    node_info: &node,
                };
                Ok(Response::json(&answer))
            }
            Registered::IdTaken => {
                let taken = Invalid::one("node_id", "is in use by another hostname");
                Err(refused(Problem::fields(Code::InvalidRegistration, &taken)))
            }
            Registered::Forbidden => Err(Problem::foreign("node")),
            Registered::MadeId => Err(Problem::field("node_id", id::MADE_RULE)),
            Registered::NameTaken => Err(name_taken()),
            Registered::Ask => {
                let asked = registration.node_id.as_ref().map(NodeId::as_str);
                if name::is_agents(cx.store, asked.unwrap_or_default()).await? {
                    return Err(name_taken());
                }
                standing = Standing::Free;
                continue;
            }
            Registered::IdCollision => continue,
        };
        return mark_replayed(answer, answered.replayed);
    }
    Err(Problem::internal("every generated node id was in use"))
}

/// What is known of the id that a node asks for.
fn standing_of<R>(cx: &Context<'_, R>, registration: &Registration) -> Standing {
    let Some(asked) = &registration.node_id else { return Standing::Unknown };
    match cx.caller.writer() {
        _ if id::is_made(asked.as_str()) && !asked.may_be_of(&registration.hostname) => {
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
    if !status.is_empty() && Status::parse(status).is_none() {
        let rule = "must be one of online, offline, busy, maintenance, error";
        return Err(Problem::parameter(name, rule));
    }
    let skill = query.get("skill").unwrap_or_default();
    let tag = query.get("tag").unwrap_or_default();
    list_nodes(cx, status, skill, tag).await
}

/// `GET /nodes/online`
pub(crate) async fn list_online<R: Redis>(cx: &Context<'_, R>) -> Answer {
    list_nodes(cx, Status::Online.as_str(), "", "").await
}

/// `GET /nodes/skills/{skill}`
pub(crate) async fn list_by_skill<R: Redis>(cx: &Context<'_, R>) -> Answer {
    list_nodes(cx, Status::Online.as_str(), &cx.segment("skill")?, "").await
}

async fn list_nodes<R: Redis>(cx: &Context<'_, R>, status: &str, skill: &str, tag: &str) -> Answer {
    let query = cx.query();
    let call = List {
        status,
        skill,
        tag,
        limit: page::limit(&query, PAGE_MAX)?,
        below: page::cursor(&query, |text| text.parse().ok().filter(|seq| *seq > 0))?,
    };
    let page = cx.store.call(&call).await?;
    let next = page.next.map(|below| below.to_string());
    Ok(page::with_next(Response::json(&page.nodes), cx.request, next))
}

/// `GET /nodes/available`
pub(crate) async fn list_available<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let after = page::cursor(&query, |text| {
        let (load, node_id) = text.split_once('.')?;
        let node_id = NodeId::parse(node_id).ok()?.to_string();
        Some(AvailablePosition { load: load.parse().ok()?, node_id })
    })?;
    let limit = page::limit(&query, PAGE_MAX)?;
    let call = ListAvailable {
        limit,
        after_load: after.as_ref().map(|position| position.load),
        after_id: after.as_ref().map(|position| position.node_id.as_str()),
    };
    let page = cx.store.call(&call).await?;
    let next = page.next.map(|position| format!("{}.{}", position.load, position.node_id));
    Ok(page::with_next(Response::json(&page.nodes), cx.request, next))
}

/// `GET /nodes/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    match cx.store.call(&Get { node_id: node_id.as_str() }).await? {
        Some(sighting) => Ok(Response::json(&sighting.node)),
        None => Err(Problem::unknown_node(node_id.as_str())),
    }
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NodeChange"))]
pub(crate) struct PatchBody {
    /// `maintenance` and `error` stay until somebody changes them.
    status: Option<String>,
    /// What it can do: at least one.
    available_skills: Option<Vec<String>>,
    /// Free labels.
    tags: Option<Vec<String>>,
    /// How many tasks it runs at once.
    #[serde(default, deserialize_with = "lax_int")]
    max_concurrent_tasks: Option<i64>,
    /// Tasks that it has ended, ever.
    #[serde(default, deserialize_with = "lax_int")]
    total_tasks_processed: Option<i64>,
    /// Of these, the good ones.
    #[serde(default, deserialize_with = "lax_int")]
    successful_tasks: Option<i64>,
    /// Of these, the failed ones.
    #[serde(default, deserialize_with = "lax_int")]
    failed_tasks: Option<i64>,
    /// Mean run time of a task, in seconds.
    #[serde(default, deserialize_with = "lax_float")]
    average_execution_time: Option<f64>,
}

/// `PATCH /nodes/{id}`
pub(crate) async fn update<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let body: PatchBody = object(cx.request)?;
    let status = match body.status.as_deref() {
        None => None,
        Some(text) => Some(Status::parse(text).ok_or_else(|| {
            Problem::field("status", "must be one of online, offline, busy, maintenance, error")
        })?),
    };
    let patch = Patch {
        status,
        available_skills: body.available_skills,
        tags: body.tags,
        max_concurrent_tasks: body.max_concurrent_tasks,
        total_tasks_processed: body.total_tasks_processed,
        successful_tasks: body.successful_tasks,
        failed_tasks: body.failed_tasks,
        average_execution_time: body.average_execution_time,
    }
    .check()?;
    let call = Update::new(node_id.as_str(), cx.caller.writer(), &patch);
    let node = written(cx.store.call(&call).await, &node_id)?;
    Ok(Response::json(&node))
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NodeDone"))]
pub(crate) struct DoneAnswer<'a> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    node_id: &'a str,
}

/// `POST /nodes/{id}/shutdown`
pub(crate) async fn shutdown<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let call = Shutdown { node_id: node_id.as_str(), writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let message = format!("节点 {node_id} 已标记为离线");
    let answer = written(Ok(answered.value), &node_id).map(|()| {
        Response::json(&DoneAnswer {
            success: true,
            message: Some(&message),
            node_id: node_id.as_str(),
        })
    });
    mark_replayed(answer, answered.replayed)
}

/// `DELETE /nodes/{id}`
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let call = Remove { node_id: node_id.as_str(), writer: cx.caller.writer() };
    written(cx.store.call(&call).await, &node_id)?;
    Ok(Response::json(&DoneAnswer { success: true, message: None, node_id: node_id.as_str() }))
}

fn written<T>(result: Result<Written<T>, StoreError>, node_id: &NodeId) -> Result<T, Problem> {
    match result? {
        Written::Ok(value) => Ok(value),
        Written::NotFound => Err(Problem::unknown_node(node_id.as_str())),
        Written::Forbidden => Err(Problem::foreign("node")),
    }
}
