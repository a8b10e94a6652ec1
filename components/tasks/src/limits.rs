//! Limits, and what is kept back.

use reef_api::LimitId;
use reef_api::limit::{LimitBody, LimitRemoved, PenaltyAnswer, PenaltyBody, QueueBody, QueueState};
use reef_domain::access::ADMIN;
use reef_domain::limit::{Limit, Paused, check_key};
use reef_domain::limits::{LIMITS_MAX, PAGE_DEFAULT, PENALTY_MS_MAX};
use reef_domain::{Invalid, id};
use reef_store::Redis;
use reef_store::limit::{Get, LimitPut, List, Penalise, Penalised, Put, Remove, rates_json};
use reef_store::queue::{Pause, Paused as ReadPaused, paused_state, paused_text};
use reef_store::steps::Step;
use reef_store::task::Written;
use reef_web::extract::object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde_json::json;

use crate::claims::token;
use crate::owners::unknown_task;

fn unknown_limit(name: &LimitId) -> Problem {
    Problem::new(Code::NotFound, format!("There is no limit {name}."))
}

/// `GET /limits`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { limit, below, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// `GET /limits/{name}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LimitId = cx.id("name", "name")?;
    let query = cx.query();
    let use_key = query.get("key").unwrap_or_default();
    let mut invalid = Invalid::new();
    check_key(&mut invalid, "key", use_key);
    if let Some(fault) = invalid.errors().first() {
        return Err(Problem::parameter("key", &fault.message));
    }
    let owner = match query.get("owner").filter(|owner| !owner.is_empty()) {
        Some(owner) if cx.caller.may_see(&[owner]) => owner,
        Some(_) => return Err(Problem::foreign("limit")),
        None => cx.caller.name(),
    };
    let found = cx.store.call(&Get { name: &name, owner, use_key }).await?;
    let mut standing = found.ok_or_else(|| unknown_limit(&name))?;
    standing.key = Some(use_key.to_owned()).filter(|key| !key.is_empty());
    Ok(Response::json(&standing))
}

/// `PUT /limits/{name}`
pub(crate) async fn put<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LimitId = cx.id("name", "name")?;
    let rules = Limit::read(object::<LimitBody>(cx.request)?)?;
    let call = Put {
        name: &name,
        by: cx.caller.name(),
        concurrency: rules.concurrency,
        rates: &rates_json(&rules),
        paused: rules.paused,
        per_owner: rules.per_owner,
        note: &rules.note,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        LimitPut::Ok { limit } => Ok(Response::json(&limit)),
        LimitPut::TooMany => {
            let detail = format!(
                "There are {LIMITS_MAX} limits already; use keys: `limits: [{{name, key}}]`."
            );
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `DELETE /limits/{name}`
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LimitId = cx.id("name", "name")?;
    let answered = cx.store.call_once(&Remove { name: &name }, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Written::Ok(()) => Ok(Response::json(&LimitRemoved { success: true, name })),
        _ => Err(unknown_limit(&name)),
    };
    mark_replayed(answer, answered.replayed)
}

/// `POST /limits/{name}/penalty`
pub(crate) async fn penalise<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LimitId = cx.id("name", "name")?;
    let body: PenaltyBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let task_id = body.task_id.filter(|task_id| !task_id.is_empty());
    // Whoever was refused shuts it; whoever looks after the limit may open it before its time.
    let least = i64::from(task_id.is_some());
    let for_ms = body.retry_after_ms.unwrap_or(-1);
    invalid.within("retry_after_ms", for_ms, &(least..=PENALTY_MS_MAX));
    let is_id = task_id.as_ref().is_none_or(|task_id| id::is_valid(task_id));
    invalid.require(is_id, "task_id", id::RULE);
    let use_key = body.key.unwrap_or_default();
    check_key(&mut invalid, "key", &use_key);
    let owner = body.owner.unwrap_or_default();
    let is_owner = owner.is_empty() || owner == ADMIN || id::is_valid(&owner);
    invalid.require(is_owner, "owner", id::RULE);
    let rule = "is that of the task: leave it out where a task is named";
    invalid.require(task_id.is_none() || use_key.is_empty(), "key", rule);
    invalid.require(task_id.is_none() || owner.is_empty(), "owner", rule);
    invalid.finish(())?;
    // Whoever may write could keep everybody's tasks back; who runs one has met the provider.
    if task_id.is_none() && !cx.caller.is_admin() {
        let rule = "is required: the running task that was refused, with its token; an admin may leave it out";
        return Err(Problem::field("task_id", rule));
    }
    let token = task_id.as_ref().map(|_| token(body.token)).transpose()?;
    let call = Penalise {
        name: &name,
        writer: cx.caller.writer(),
        task_id: task_id.as_ref(),
        token: token.as_ref(),
        owner: &owner,
        use_key: &use_key,
        for_ms,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match (answered.value, task_id) {
        (Penalised::Ok { shut_until }, _) => {
            Ok(Response::json(&PenaltyAnswer { success: true, name, shut_until }))
        }
        (Penalised::UnknownLimit, _) => Err(unknown_limit(&name)),
        (Penalised::WantsOwner, _) => {
            Err(Problem::field("owner", "is required: each owner has a limit of its own"))
        }
        (Penalised::HasNoOwners, _) => {
            Err(Problem::field("owner", "must be left out: this limit is one for all"))
        }
        (Penalised::NotUnder, Some(task_id)) => {
            let detail = format!("The task {task_id} does not count against the limit {name}.");
            Err(Problem::new(Code::Conflict, detail))
        }
        (Penalised::Forbidden, _) => Err(Problem::foreign("task")),
        (Penalised::Fenced, _) => {
            Err(Problem::new(Code::Fenced, "This token does not hold the task any more."))
        }
        (_, task_id) => Err(unknown_task(&task_id.unwrap_or_default())),
    };
    mark_replayed(answer, answered.replayed)
}

fn state(Paused { all, skills, types }: Paused) -> Response {
    Response::json(&QueueState { paused: all, paused_skills: skills, paused_types: types })
}

/// `GET /queue`
pub(crate) async fn queue<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let text = cx.store.call(&ReadPaused).await?;
    Ok(state(paused_state(&text)))
}

/// `PUT /queue`
pub(crate) async fn pause<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let paused = Paused::read(object::<QueueBody>(cx.request)?)?;
    let (skills, types) = (json!(paused.skills).to_string(), json!(paused.types).to_string());
    let call = Pause { paused: &paused_text(&paused), skills: &skills, types: &types };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    mark_replayed(Ok(state(paused)), answered.replayed)
}
