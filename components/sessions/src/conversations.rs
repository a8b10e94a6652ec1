//! Sessions: open, show, list, close.

use reef_api::SessionId;
use reef_api::session::{IfBusy, SessionAnswer, SessionBody, SessionClosed, SessionStatus};
use reef_api::word::{self, Word as _};
use reef_domain::json::Json;
use reef_domain::limits::{METADATA_BYTES_MAX, PAGE_DEFAULT, REPLY_BYTES, SESSIONS_PAGE_MAX};
use reef_domain::task::{Audience, check_user, read_if_busy};
use reef_domain::{Invalid, id};
use reef_store::message::Owned;
use reef_store::session::{
    AddToLists, Close, Fitting, Get, List, Open, Opened, RemoveFromLists, Sample, Session, Written,
    kept_audience,
};
use reef_store::{Redis, StoreError};
use reef_web::extract::{json_object, optional_object, refuse_read_only};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

/// Sessions that a list reads at once.
const PART: usize = 100;

/// About how many bytes a session has without its metadata.
const SESSION_BYTES: usize = 700;

/// Sessions of an owner that are looked at when it has as many as it may: expired ones do not count.
const SAMPLE: i64 = 100;

/// `POST /sessions`: first the lists, then the session, so that no session is ever unlisted; a
/// list entry without a session is passed over and taken away.
pub(crate) async fn create<R: Redis>(cx: &Context<'_, R>) -> Answer {
    refuse_read_only(cx.request, &["status", "created_at", "updated_at", "owner"])?;
    let body: SessionBody<Json> = optional_object(cx.request)?;
    let user_id = body.user_id.filter(|user| !user.is_empty());
    let mut invalid = Invalid::new();
    check_user(&mut invalid, user_id.as_deref());
    let if_busy = read_if_busy(body.if_busy, &mut invalid);
    invalid.finish(())?;
    let metadata = &json_object("metadata", body.metadata, METADATA_BYTES_MAX)?;
    let audience = body.audience.map(|given| Audience::read(&given)).transpose()?;
    let session_id = match body.session_id.filter(|given| !given.is_empty()) {
        None => made_id("sess", cx.once.as_ref(), false),
        Some(given) => {
            match id::check_own(&given) {
                Ok(()) => {}
                // The hub makes such ids; what has one can be found under it.
                Err(id::MADE_RULE) if find(cx, &given).await?.is_some() => {}
                Err(rule) => return Err(Problem::field("session_id", rule)),
            }
            given
        }
    };
    let owner = cx.caller.name();
    let most = cx.quotas().map(|quotas| quotas.sessions);
    let lists = AddToLists { session_id: &session_id, user_id: user_id.as_deref(), owner, most };
    match cx.store.call(&lists).await {
        // Some of those that count may have expired since.
        Err(StoreError::Quota { .. }) => {
            forget_expired(cx, owner).await?;
            cx.store.call(&lists).await?;
        }
        listed => listed?,
    }
    let audience = audience.map(|audience| kept_audience(&audience, owner));
    let open = Open {
        session_id: &session_id,
        user_id: user_id.as_deref(),
        metadata: metadata.get(),
        owner,
        writer: cx.caller.writer(),
        audience: audience.as_deref(),
        if_busy: if_busy.map(IfBusy::as_str),
    };
    let answered = cx.store.call_once(&open, cx.once.as_ref()).await?;
    let answer = match &answered.value {
        Opened::Ok { status, created_at, .. } => Ok(Response::json(&SessionAnswer {
            session_id: session_id.clone(),
            status: word::Open::read(status.as_str()),
            created_at: *created_at,
        })),
        Opened::Forbidden => Err(Problem::foreign("session")),
    };
    mark_replayed(answer, answered.replayed)
}

async fn find<R: Redis>(
    cx: &Context<'_, R>,
    session_id: &SessionId,
) -> Result<Option<Owned<Session>>, StoreError> {
    let found = cx.store.call(&Get { session_id, bytes_max: None }).await?;
    Ok(found.found())
}

/// Takes some of an owner's sessions that have expired off the lists.
async fn forget_expired<R: Redis>(cx: &Context<'_, R>, owner: &str) -> Result<(), Problem> {
    let looked_at = cx.store.call(&Sample { owner, most: SAMPLE }).await?;
    let get = |session_id| Get { session_id, bytes_max: Some(0) };
    let gets: Vec<Get<'_>> = looked_at.iter().map(get).collect();
    let found = looked_at.iter().zip(cx.store.call_each(&gets).await?);
    let expired = found.filter(|(_, found)| matches!(found, Fitting::NotFound));
    let expired: Vec<SessionId> = expired.map(|(session_id, _)| session_id.clone()).collect();
    if !expired.is_empty() {
        let call = RemoveFromLists { user_id: None, owner: Some(owner), session_ids: &expired };
        cx.store.call(&call).await?;
    }
    Ok(())
}

/// `GET /sessions/{sid}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    match find(cx, &session_id).await? {
        Some(session) if cx.caller.may_see(&[&session.owner]) => Ok(Response::json(&session.value)),
        _ => Err(unknown_session(&session_id)),
    }
}

/// `GET /sessions`. A page may be short when a status or another's sessions are asked for; its `Link`
/// says where to go on.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let rule = || Problem::parameter("status", "must be active or closed");
    let read = |status| SessionStatus::parse(status).ok_or_else(rule);
    let status = query.get("status").map(read).transpose()?;
    let user_id = query.get("user_id");
    let limit = page::limit(&query, PAGE_DEFAULT)?.min(SESSIONS_PAGE_MAX);
    let below = page::cursor(&query, |text| text.parse().ok().filter(|number| *number > 0))?;
    let owner = cx.caller.writer().owner();
    let listed = cx.store.call(&List { user_id, limit, below, owner }).await?;
    let (mut sessions, mut expired) = (Vec::<Session>::with_capacity(listed.len()), Vec::new());
    let (mut bytes, mut last) = (0, None);
    let mut is_cut = false;
    // A part at a time, so that never more is read than an answer and a part may hold.
    'parts: for part in listed.chunks(PART) {
        let get = |session_id| Get { session_id, bytes_max: Some(METADATA_BYTES_MAX) };
        let gets: Vec<Get<'_>> = part.iter().map(|(session_id, _)| get(session_id)).collect();
        for ((session_id, number), found) in part.iter().zip(cx.store.call_each(&gets).await?) {
            // Sessions of earlier versions may have more metadata than can be given today.
            let found = match found {
                Fitting::Ok(session) => Some(session),
                Fitting::Large => find(cx, session_id).await?,
                Fitting::NotFound => None,
            };
            match found {
                Some(Owned { owner, value }) if cx.caller.may_see(&[&owner]) => {
                    if status.is_none_or(|status| value.status == status) {
                        bytes += SESSION_BYTES + value.metadata.get().len();
                        if bytes > REPLY_BYTES && !sessions.is_empty() {
                            is_cut = true;
                            break 'parts;
                        }
                        sessions.push(value);
                    }
                }
                Some(_) => {}
                None => expired.push(session_id.clone()),
            }
            last = Some(*number);
        }
    }
    if !expired.is_empty() {
        cx.store.call(&RemoveFromLists { user_id, owner, session_ids: &expired }).await?;
    }
    let is_full = i64::try_from(listed.len()).is_ok_and(|count| count == limit);
    let next = last.filter(|_| is_cut || is_full).map(|number| number.to_string());
    Ok(page::with_next(Response::json(&sessions), cx.request, next))
}

/// `DELETE /sessions/{sid}`
pub(crate) async fn close<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    let call = Close { session_id: &session_id, writer: cx.caller.writer() };
    match cx.store.call(&call).await? {
        Written::Ok(()) => {
            let status = SessionStatus::Closed.into();
            Ok(Response::json(&SessionClosed { session_id, status }))
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
