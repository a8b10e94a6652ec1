//! Sessions: open, show, list, close.

use futures_util::future::try_join_all;
use reef_domain::id;
use reef_domain::limits::{PAGE_DEFAULT, USER_CHARS_MAX};
use reef_domain::time::UnixMillis;
use reef_store::Redis;
use reef_store::session::{AddToLists, Close, Get, List, Open, RemoveFromLists, Session, Written};
use reef_web::extract::{json_object_text, optional_object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SessionBody"))]
pub(crate) struct CreateBody {
    /// Whose it is.
    user_id: Option<String>,
    /// An object that is kept as it is.
    metadata: Option<Box<RawValue>>,
    /// An id for it; left out, the hub makes one.
    session_id: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SessionAnswer"))]
pub(crate) struct CreateAnswer<'a> {
    session_id: &'a str,
    status: &'a str,
    created_at: UnixMillis,
}

/// `POST /sessions`: first the lists, then the session, so that no session is ever unlisted; a
/// list entry without a session is passed over and taken away.
pub(crate) async fn create<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: CreateBody = optional_object(cx.request)?;
    let user_id = body.user_id.filter(|user| !user.is_empty());
    if user_id.as_ref().is_some_and(|user| user.chars().count() > USER_CHARS_MAX) {
        return Err(Problem::field("user_id", "must have at most 128 characters"));
    }
    let metadata = json_object_text("metadata", body.metadata.as_deref())?;
    let session_id = match body.session_id.filter(|given| !given.is_empty()) {
        None => made_id("sess", cx.once.as_ref(), false),
        Some(given) if id::is_valid(&given) => given,
        Some(_) => return Err(Problem::field("session_id", id::RULE)),
    };
    let owner = cx.caller.name();
    let lists = AddToLists { session_id: &session_id, user_id: user_id.as_deref(), owner };
    cx.store.call(&lists).await?;
    let open = Open {
        session_id: &session_id,
        user_id: user_id.as_deref(),
        metadata,
        owner,
        writer: cx.caller.writer(),
    };
    let answered = cx.store.call_once(&open, cx.once.as_ref()).await?;
    let answer = match &answered.value {
        Some(opened) => Ok(Response::json(&CreateAnswer {
            session_id: &session_id,
            status: &opened.status,
            created_at: opened.created_at,
        })),
        None => Err(Problem::foreign("session")),
    };
    mark_replayed(answer, answered.replayed)
}

/// `GET /sessions/{sid}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    match cx.store.call(&Get { session_id: &session_id }).await? {
        Some(session) if cx.caller.may_see(&[&session.owner]) => Ok(Response::json(&session.value)),
        _ => Err(unknown_session(&session_id)),
    }
}

/// `GET /sessions`. A page may be short when a status or another's sessions are asked for; its `Link`
/// says where to go on.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let status = query.get("status");
    if status.is_some_and(|status| !["active", "closed"].contains(&status)) {
        return Err(Problem::parameter("status", "must be active or closed"));
    }
    let user_id = query.get("user_id");
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let below = page::cursor(&query, |text| text.parse().ok().filter(|number| *number > 0))?;
    let owner = cx.caller.writer().owner();
    let listed = cx.store.call(&List { user_id, limit, below, owner }).await?;
    let gets = listed.iter().map(|(session_id, _)| async move {
        cx.store.call(&Get { session_id }).await.map(|found| (session_id, found))
    });
    let mut sessions: Vec<Session> = Vec::with_capacity(listed.len());
    let mut expired = Vec::new();
    for (session_id, found) in try_join_all(gets).await? {
        match found {
            Some(session) if cx.caller.may_see(&[&session.owner]) => sessions.push(session.value),
            Some(_) => {}
            None => expired.push(session_id.clone()),
        }
    }
    if !expired.is_empty() {
        cx.store.call(&RemoveFromLists { user_id, owner, session_ids: &expired }).await?;
    }
    sessions.retain(|session| status.is_none_or(|status| session.status == status));
    let is_full = i64::try_from(listed.len()).is_ok_and(|count| count == limit);
    let next = listed.last().filter(|_| is_full).map(|(_, number)| number.to_string());
    Ok(page::with_next(Response::json(&sessions), cx.request, next))
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SessionClosed"))]
pub(crate) struct CloseAnswer<'a> {
    session_id: &'a str,
    status: &'static str,
}

/// `DELETE /sessions/{sid}`
pub(crate) async fn close<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    let call = Close { session_id: &session_id, writer: cx.caller.writer() };
    match cx.store.call(&call).await? {
        Written::Ok(()) => {
            Ok(Response::json(&CloseAnswer { session_id: &session_id, status: "closed" }))
        }
        Written::NotFound => Err(unknown_session(&session_id)),
        Written::Forbidden => Err(Problem::foreign("session")),
        Written::Closed => Err(Problem::new(Code::Conflict, "The session is closed.")),
    }
}

/// There is no such session.
pub(crate) fn unknown_session(session_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no session {session_id}."))
}
