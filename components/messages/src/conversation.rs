//! The messages of a session: send, load or create, list, show, replay, clean up.

use reef_api::message::{
    Message, MessageAnswer, MessageBody, MessageCleanupAnswer, MessageEventGap, MessageEventList,
    MessageList, MessageOpenBody, Role,
};
use reef_api::word::{self, Word as _};
use reef_api::{MessageId, SessionId};
use reef_domain::json::Json;
use reef_domain::limits::{
    BODY_BYTES_MAX, CLEANUP_BATCH, MESSAGES_PAGE_DEFAULT, MESSAGES_PAGE_MAX, PAGE_DEFAULT,
    REPLY_BYTES,
};
use reef_domain::message::ContentType;
use reef_domain::{Invalid, id};
use reef_store::message::{self, Get, GetBlock, Open, Opened, Owned, ReadEvents, Remove};
use reef_store::session::{Admit, Fitting, Forget, ListMessages, OldMessages, Written};
use reef_store::{Answered, Redis, StoreError};
use reef_web::extract::{Query, json_object, object, refuse_read_only};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde_json::value::to_raw_value;

/// There is no such message.
pub(crate) fn unknown_message(message_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no message {message_id}."))
}

fn unknown_session(session_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no session {session_id}."))
}

/// The value of a write to a session, or why there is none.
fn written<T>(outcome: Written<T>, session_id: &str) -> Result<T, Problem> {
    match outcome {
        Written::Ok(value) => Ok(value),
        Written::NotFound => Err(unknown_session(session_id)),
        Written::Forbidden => Err(Problem::foreign("session")),
        Written::Closed => {
            Err(Problem::new(Code::Conflict, format!("The session {session_id} is closed.")))
        }
    }
}

/// What somebody says, checked: in which role.
fn check(body: &MessageBody<Json>) -> Result<Role, Invalid> {
    let mut invalid = Invalid::new();
    invalid.require(body.content.is_some(), "content", "is required");
    let kind = body.kind.as_deref().unwrap_or("text");
    let rule = "must be a content type, such as text";
    invalid.require(ContentType::parse(kind).is_some(), "type", rule);
    let role = body.role.as_ref().map_or(Role::User, |role| known(&mut invalid, role));
    let own = body.message_id.as_deref().filter(|own| !own.is_empty());
    if let Some(Err(rule)) = own.map(id::check_own) {
        invalid.push("message_id", rule);
    }
    invalid.finish(role)
}

fn known(invalid: &mut Invalid, role: &word::Open<Role>) -> Role {
    let rule = "must be one of user, assistant, system, agent, tool";
    invalid.require(role.known().is_some(), "role", rule);
    role.known().unwrap_or(Role::User)
}

/// `POST /sessions/{sid}/messages`: lists both messages, then makes them. Each step can be repeated,
/// so that a request that was cut is completed by its repeat; until then a listed message that is
/// not there is passed over.
pub(crate) async fn send<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    let mut body: MessageBody<Json> = object(cx.request)?;
    let role = check(&body)?;
    let metadata = &json_object("metadata", body.metadata.take(), BODY_BYTES_MAX)?;
    let made: MessageId = made_id("msg", cx.once.as_ref(), false);
    let user_id = body.message_id.as_ref().filter(|own| !own.is_empty()).unwrap_or(&made);
    let assistant_id: &MessageId = &made_id("msg", cx.once.as_ref(), true);

    let owner = &admit(cx, &session_id, &[user_id.clone(), assistant_id.clone()]).await?;
    let user = Open {
        message_id: user_id,
        session_id: &session_id,
        role: role.as_str(),
        parent: None,
        metadata: metadata.get(),
        owner,
        is_complete: true,
        text: body.content.as_deref().unwrap_or_default(),
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    let opened: Answered<Opened> = cx.store.call_once(&user, cx.once.as_ref()).await?;
    if !matches!(opened.value, Opened::Ok { is_new: true }) {
        // The list names the answer for nothing, and perhaps another session's message.
        let is_elsewhere = matches!(opened.value, Opened::Elsewhere);
        let mut message_ids = vec![assistant_id.clone()];
        message_ids.extend(is_elsewhere.then(|| user_id.clone()));
        cx.store.call(&Forget { session_id: &session_id, message_ids: &message_ids }).await?;
        let detail = format!("The message id {user_id} is in use.");
        return mark_replayed(Err(Problem::new(Code::Conflict, detail)), opened.replayed);
    }
    let assistant = Open {
        message_id: assistant_id,
        role: Role::Assistant.as_str(),
        parent: Some(user_id),
        metadata: "{}",
        is_complete: false,
        text: "",
        ..user
    };
    cx.store.call(&assistant).await?;
    let answer = MessageAnswer {
        user_message_id: user_id.clone(),
        assistant_message_id: assistant_id.clone(),
        session_id: session_id.clone(),
    };
    mark_replayed(Ok(Response::json(&answer)), opened.replayed)
}

/// Lists messages that are about to be made; answers who owns them.
async fn admit<R: Redis>(
    cx: &Context<'_, R>,
    session_id: &SessionId,
    message_ids: &[MessageId],
) -> Result<String, Problem> {
    let call = Admit {
        session_id,
        writer: cx.caller.writer(),
        message_ids,
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    written(cx.store.call(&call).await?, session_id)
}

/// Fields of a message that its events decide.
const READ_ONLY: [&str; 7] = [
    "text",
    "content_blocks",
    "pending_tasks",
    "is_complete",
    "sequence",
    "created_at",
    "updated_at",
];

/// `PUT /sessions/{sid}/messages/{mid}`: load or create.
pub(crate) async fn open<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    let message_id = cx.id("mid", "message_id")?;
    refuse_read_only(cx.request, &READ_ONLY)?;
    let mut body: MessageOpenBody<Json> = object(cx.request)?;
    let mut invalid = Invalid::new();
    let role = body.role.as_ref().map(|role| known(&mut invalid, role));
    invalid.require(role.is_some(), "role", "is required");
    let parent = body.parent_message_id.as_deref().filter(|parent| !parent.is_empty());
    invalid.require(parent.is_none_or(id::is_valid), "parent_message_id", id::RULE);
    invalid.finish(())?;
    let metadata = &json_object("metadata", body.metadata.take(), BODY_BYTES_MAX)?;

    // A known message is shown as it is, also in a session that was closed since.
    let get = Get { message_id: &message_id, bytes_max: None };
    if let Some(known) = message::get(cx.store, &get).await?.found() {
        return show_in(
            &session_id,
            &visible(cx, known).ok_or_else(|| unknown_message(&message_id))?,
        );
    }
    id::check_own(&message_id).map_err(|rule| Problem::field("message_id", rule))?;
    let message_ids = std::slice::from_ref(&message_id);
    let owner = &admit(cx, &session_id, message_ids).await?;
    let call = Open {
        message_id: &message_id,
        session_id: &session_id,
        role: role.map_or("", Role::as_str),
        parent,
        metadata: metadata.get(),
        owner,
        is_complete: false,
        text: "",
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    cx.store.call(&call).await?;
    let made = message::get(cx.store, &get).await?.found();
    let made = made.ok_or_else(|| unknown_message(&message_id))?;
    if made.value.session_id != *session_id {
        // Somebody made it in another session in between.
        cx.store.call(&Forget { session_id: &session_id, message_ids }).await?;
    }
    show_in(&session_id, &made.value)
}

/// What somebody else owns is not there for the caller.
fn visible<R, T>(cx: &Context<'_, R>, found: Owned<T>) -> Option<T> {
    cx.caller.may_see(&[&found.owner]).then_some(found.value)
}

fn show_in(session_id: &SessionId, message: &Message) -> Answer {
    if message.session_id == *session_id {
        Ok(Response::json(message))
    } else {
        Err(unknown_message(message.message_id.as_str()))
    }
}

/// `GET /sessions/{sid}/messages`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    let query = cx.query();
    let offset = whole(&query, "offset", 0, 0, i64::from(u32::MAX))?;
    let after = page::cursor(&query, |text| text.parse().ok())?;
    let call = ListMessages {
        session_id: &session_id,
        limit: whole(&query, "limit", MESSAGES_PAGE_DEFAULT, 1, MESSAGES_PAGE_MAX)?,
        // A cursor says where to go on; what was to be passed over lies before it.
        offset: if after.is_some() { 0 } else { offset },
        after,
    };
    let listed = cx.store.call(&call).await?.and_then(|listed| visible(cx, listed));
    let listed = listed.ok_or_else(|| unknown_session(&session_id))?;
    // Small ones are read at once, and together are no more than an answer; the others one by one,
    // as far as there is room.
    let bytes_max = REPLY_BYTES / listed.ids.len().max(1);
    let small = |message_id| Get { message_id, bytes_max: Some(bytes_max) };
    let calls: Vec<Get<'_>> = listed.ids.iter().map(|(message_id, _)| small(message_id)).collect();
    let found = cx.store.call_each(&calls).await?;
    let whole = async |message_id: &MessageId| -> Result<_, StoreError> {
        let get = Get { message_id, bytes_max: None };
        Ok(message::get(cx.store, &get).await?.found())
    };
    let (mut messages, mut bytes) = (Vec::with_capacity(found.len()), 0);
    let (mut last, mut is_cut) = (None, false);
    for ((message_id, place), found) in listed.ids.iter().zip(found) {
        let message = match found {
            Fitting::Ok(Owned { owner, value }) => match value.read(cx.store).await? {
                Some(value) => Some(Owned { owner, value }),
                None => whole(message_id).await?,
            },
            Fitting::NotFound => None,
            Fitting::Large if bytes > 0 && bytes + bytes_max > REPLY_BYTES => {
                is_cut = true;
                break;
            }
            Fitting::Large => whole(message_id).await?,
        };
        let message = message.filter(|message| message.value.session_id == *session_id);
        if let Some(Owned { value, .. }) = message {
            let shown = to_raw_value(&value).map_err(|e| Problem::internal(e.to_string()))?;
            bytes += shown.get().len();
            if bytes > REPLY_BYTES && !messages.is_empty() {
                is_cut = true;
                break;
            }
            messages.push(shown);
        }
        last = Some(*place);
    }
    let answer = MessageList { session_id, count: messages.len(), messages };
    let next = if is_cut { last } else { listed.next };
    Ok(page::with_next(Response::json(&answer), cx.request, next.map(|next| next.to_string())))
}

/// A whole number of the query within bounds; the older service answered 422 beyond them.
fn whole(query: &Query, name: &str, default: i64, min: i64, max: i64) -> Result<i64, Problem> {
    match query.get(name) {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|n| (min..=max).contains(n)).ok_or_else(|| {
            Problem::field(name, &format!("must be a whole number from {min} to {max}"))
        }),
    }
}

/// `GET /messages/{mid}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let get = Get { message_id: &message_id, bytes_max: None };
    let found = message::get(cx.store, &get).await?.found();
    match found.and_then(|message| visible(cx, message)) {
        Some(message) => Ok(Response::json(&message)),
        None => Err(unknown_message(&message_id)),
    }
}

/// `GET /messages/{mid}/content/{cid}`
pub(crate) async fn show_block<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let content_id = cx.id("cid", "content_id")?;
    let call = GetBlock { message_id: &message_id, content_id: &content_id };
    match message::get_block(cx.store, &call).await?.and_then(|block| visible(cx, block)) {
        Some(block) => Ok(Response::json(&block)),
        None => {
            let detail = format!("The message {message_id} has no content {content_id}.");
            Err(Problem::new(Code::NotFound, detail))
        }
    }
}

/// `GET /messages/{mid}/events`
pub(crate) async fn events<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let query = cx.query();
    let after = match query.get("after") {
        None => 0,
        Some(text) => text.parse().ok().filter(|after| *after >= 0).ok_or_else(|| {
            Problem::parameter("after", "must be a sequence number, 0 for the beginning")
        })?,
    };
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let call = ReadEvents { message_id: &message_id, after, limit };
    let found = cx.store.call(&call).await?.and_then(|found| visible(cx, found));
    let found = found.ok_or_else(|| unknown_message(&message_id))?;
    let (gap, before) = if after < found.first_kept - 1 {
        (Some(MessageEventGap { from: after + 1, to: found.first_kept - 1 }), found.first_kept - 1)
    } else if after > found.last {
        // The message has not come so far, or it was restored from an older copy.
        (Some(MessageEventGap { from: after, to: found.last }), found.last)
    } else {
        (None, after)
    };
    let count = i64::try_from(found.events.len()).unwrap_or_default();
    let next = before + count;
    let more = (next < found.last && count > 0).then(|| next.to_string());
    let response = Response::json(&MessageEventList { events: found.events, next, gap });
    Ok(page::with_next_at(response, cx.request, "after", more))
}

/// `DELETE /sessions/{sid}/messages`: batch by batch, each message before its place in the list, so
/// that it can be cut anywhere and repeated.
pub(crate) async fn clean_up<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    let keep_days = whole(&cx.query(), "keep_days", 7, 0, 36_500)?;
    let mut deleted = 0;
    loop {
        let call = OldMessages {
            session_id: &session_id,
            writer: cx.caller.writer(),
            age_ms: keep_days * 86_400_000,
            limit: CLEANUP_BATCH,
        };
        let message_ids = written(cx.store.call(&call).await?, &session_id)?;
        if message_ids.is_empty() {
            return Ok(Response::json(&MessageCleanupAnswer { deleted }));
        }
        for message_id in &message_ids {
            let call = Remove { message_id, session_id: &session_id };
            if cx.store.call(&call).await? {
                deleted += 1;
            }
        }
        let call = Forget { session_id: &session_id, message_ids: &message_ids };
        cx.store.call(&call).await?;
    }
}
