//! Inboxes: mail that waits for an agent until it is acknowledged.

use reef_api::mail::{
    AcknowledgeAnswer, AcknowledgeBody, InboxCounts, InboxList, MailAnswer, MailBody, MailList,
    MailRedriveAnswer, MailRedriveBody, Priority, ReceiveAnswer, ReceiveBody,
};
use reef_api::time::UnixMillis;
use reef_api::{AgentId, Word as _};
use reef_domain::json::{self, Json};
use reef_domain::limits::{
    INBOX_LEASE_MS, MAIL_BYTES_MAX, PAGE_DEFAULT, RECEIPTS_MAX, RECEIVE_MAX, TOPIC_CHARS_MAX,
};
use reef_domain::{Invalid, id, name};
use reef_store::Redis;
use reef_store::inbox::{
    Acknowledge, Charge, Count, Letter, ListDead, ListInboxes, Look, Mail, Receive, Redrive, Send,
    Sent, Share,
};
use reef_store::node::{NoteDepth, Writer};
use reef_store::steps::{Step, Steps};
use reef_web::extract::{json_object, object, optional_object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// What the time of a message takes: `,"timestamp":"2026-02-04T04:58:14.123Z"`.
const TIMESTAMP_BYTES: usize = 39;

fn as_count(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// `POST /inbox/{agent}`
pub(crate) async fn send<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent: AgentId = cx.id("agent", "agent")?;
    let body: MailBody<Json> = object(cx.request)?;
    let from = body.from.unwrap_or_default();
    let topic = body.topic.as_deref().unwrap_or("general");
    let priority = body.priority.map_or(Some(Priority::Medium), |given| given.known());
    let content = body.content.filter(|content| !content.is_null());
    let mut invalid = Invalid::new();
    invalid.require(id::is_valid(&from), "from", id::RULE);
    let topic_fits = (1..=TOPIC_CHARS_MAX).contains(&topic.chars().count());
    invalid.require(topic_fits, "topic", "must have 1-128 characters");
    name::check(&mut invalid, "topic", topic);
    invalid.require(content.is_some(), "content", "is required");
    invalid.require(priority.is_some(), "priority", "must be low, medium or high");
    invalid.finish(())?;
    let metadata = json_object("metadata", body.metadata, MAIL_BYTES_MAX)?;
    let content = content.unwrap_or_else(Json::empty_object);
    let priority = priority.unwrap_or(Priority::Medium);
    let letter = Letter::new(&from, topic, &content, priority, &metadata);
    if letter.bytes() > MAIL_BYTES_MAX {
        let rule = "must not be larger than 65536 bytes, with metadata and topic";
        return Err(Problem::field("content", rule));
    }
    cx.require_acting_as("from", &from).await?;
    let message_id = made_id("msg", cx.once.as_ref(), false);
    let mut call = Send {
        only_repeats: true,
        agent: &agent,
        message_id: &message_id,
        members: &letter.members,
        priority: priority.as_str(),
        for_old_clients: cx.config.settings.legacy_inbox,
        sender: cx.quotas().map(|_| cx.caller.name()),
    };
    let charge = cx.quotas().map(|quotas| Charge {
        sender: cx.caller.name(),
        agent: &agent,
        // As the inbox counts it, with the time.
        bytes: as_count(letter.bytes() + TIMESTAMP_BYTES),
        most: quotas.mail_bytes,
    });
    // A repeat is answered as before, whatever the sender may have by now, and is not counted.
    if charge.is_some() && cx.once.is_some() {
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        if answered.replayed {
            return mark_replayed(sent(&answered.value, &agent), true);
        }
    }
    call.only_repeats = false;
    let is_node = match &charge {
        Some(charge) => cx.store.call(charge).await?,
        None => true,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    if let Some(charge) = charge.filter(|_| answered.replayed || !answered.value.is_sent()) {
        cx.store.call(&Charge { bytes: -charge.bytes, ..charge }).await?;
    }
    if let Sent::Ok { depth, .. } = &answered.value
        && is_node
        && !answered.replayed
    {
        note_depth(cx, &agent, *depth, &[]).await;
    }
    mark_replayed(sent(&answered.value, &agent), answered.replayed)
}

fn sent(outcome: &Sent, agent: &str) -> Answer {
    match outcome {
        Sent::Ok { message_id, depth } => {
            Ok(Response::json(&MailAnswer { msg_id: message_id.clone(), depth: *depth }))
        }
        Sent::Share { depth, own } => Err(Problem::new(
            Code::InboxFull,
            format!(
                "{depth} messages wait for {agent}, {own} of them sent by this agent: one sender may \
                 fill half of the room that others leave."
            ),
        )),
        Sent::Full { depth } => Err(Problem::new(
            Code::InboxFull,
            format!("{depth} messages wait for {agent}, and no more may."),
        )),
        Sent::New => Err(Problem::internal("a message was not sent")),
    }
}

/// The name in the path, if its inbox is the caller's: an agent's inbox is that agent's, a node's is
/// its owner's (`contract.md` §1). To who only looks another's inbox is not there.
pub(crate) async fn own_inbox<R: Redis>(cx: &Context<'_, R>) -> Result<AgentId, Problem> {
    let name: AgentId = cx.id("agent", "agent")?;
    if cx.may_act_as(&name).await? {
        return Ok(name);
    }
    Err(match cx.request.method.as_str() {
        "GET" | "HEAD" => Problem::new(Code::NotFound, format!("There is no inbox {name}.")),
        _ => Problem::foreign("inbox"),
    })
}

/// Tells the agent's heartbeats how many messages wait. What was done to the inbox stands,
/// whether this works or not: the figure may lag.
pub(crate) async fn note_depth<R: Redis>(
    cx: &Context<'_, R>,
    agent: &str,
    depth: i64,
    shares: &[Share],
) {
    let _ = cx.store.call(&NoteDepth { agent, depth, shares }).await;
}

fn show_all<R>(cx: &Context<'_, R>, mails: &Steps<Mail>, depth: i64) -> Answer {
    let messages = mails.rows.iter().map(|mail| show(mail, None)).collect::<Result<Vec<_>, _>>()?;
    let response = Response::json(&MailList { messages, depth });
    Ok(page::with_next(response, cx.request, mails.next))
}

/// A message as it is shown; with a receipt, if it was received.
fn show(mail: &Mail, receipt: Option<&str>) -> Result<Box<RawValue>, Problem> {
    let Mail { message_id, attempts, .. } = mail;
    let receipt = receipt.map(|receipt| format!(r#""receipt":"{receipt}","#)).unwrap_or_default();
    let members = if mail.is_old { old_members(&mail.members) } else { mail.members.clone() };
    RawValue::from_string(format!(
        r#"{{"msg_id":"{message_id}",{receipt}"attempts":{attempts},{members}}}"#
    ))
    .map_err(|error| Problem::internal(format!("stored mail: {error}")))
}

/// What an old client pushed, under today's names. Whatever is no JSON object is content; what does
/// not keep the rules of JSON that all can read is content as a text.
fn old_members(pushed: &str) -> String {
    let readable = if json::check(pushed).is_ok() { pushed } else { "" };
    let old: Map<String, Value> = serde_json::from_str(readable).unwrap_or_default();
    let text = |names: [&str; 2], default: &str| {
        let found = names.into_iter().find_map(|name| old.get(name).and_then(Value::as_str));
        Value::from(found.unwrap_or(default))
    };
    let content = match old.get("content") {
        Some(content) => content.clone(),
        None => serde_json::from_str(readable).unwrap_or_else(|_| Value::from(pushed)),
    };
    format!(
        r#""from":{},"topic":{},"content":{content},"priority":{},"metadata":{},"timestamp":{}"#,
        text(["from", "from_agent"], ""),
        text(["topic", "type"], "general"),
        text(["priority", "priority"], "medium"),
        old.get("metadata").cloned().unwrap_or_else(|| json!({})),
        old.get("timestamp").cloned().unwrap_or_default(),
    )
}

/// Old mail is taken in, unless new mail is pushed onto the same list for old clients.
fn with_old_mail<R>(cx: &Context<'_, R>) -> bool {
    !cx.config.settings.legacy_inbox
}

/// `GET /inbox/{agent}`
pub(crate) async fn look<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent = own_inbox(cx).await?;
    let (mut steps, mut depth) = (page::steps(&cx.query(), PAGE_DEFAULT)?, 0);
    let with_old_mail = with_old_mail(cx);
    while let Some(Step { limit, from: after, filled }) = steps.step() {
        let call = Look { agent: &agent, limit, with_old_mail, after, filled };
        let found = cx.store.call(&call).await?;
        depth = found.depth;
        steps.add(found.page);
    }
    show_all(cx, &steps, depth)
}

/// `GET /inboxes`: those of the caller, or all for who administers. Which there are says an index of the
/// cluster, what is in them each of them.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let owner = match cx.caller.writer() {
        Writer::Owner(agent) => Some(agent),
        Writer::Any => None,
    };
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&ListInboxes { owner, limit, below, filled }).await?);
    }
    let counts: Vec<_> = steps.rows.iter().map(|agent| Count { agent }).collect();
    let counted = cx.store.call_each(&counts).await?;
    let inboxes = steps.rows.iter().zip(counted).filter(|(_, counted)| counted.is_there);
    let inboxes = inboxes.map(|(agent, counted)| InboxCounts {
        agent: agent.as_str().into(),
        waiting: counted.waiting,
        in_flight: counted.in_flight,
        dead: counted.dead,
        oldest_at: counted.oldest_at.as_deref().and_then(UnixMillis::parse),
    });
    let next = steps.next.map(|next| next.to_string());
    let answer = InboxList {
        success: true,
        inboxes: inboxes.collect(),
        next_cursor: next.as_deref().map(|next| page::marked(cx.request, next)),
        has_more: next.is_some(),
    };
    Ok(page::with_next(Response::json(&answer), cx.request, next))
}

/// `POST /inbox/{agent}/receive`
pub(crate) async fn receive<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent = own_inbox(cx).await?;
    let body: ReceiveBody = optional_object(cx.request)?;
    let limit = body.limit.unwrap_or(10);
    let lease_ms = body.lease_ms.unwrap_or(30_000);
    let mut invalid = Invalid::new();
    invalid.within("limit", limit, &(1..=RECEIVE_MAX));
    invalid.within("lease_ms", lease_ms, &INBOX_LEASE_MS);
    invalid.finish(())?;
    let call = Receive { agent: &agent, limit, lease_ms, with_old_mail: with_old_mail(cx) };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let messages = answered
        .value
        .iter()
        .map(|mail| show(mail, Some(&format!("{}.{}", mail.message_id, mail.attempts))))
        .collect::<Result<Vec<_>, _>>()?;
    mark_replayed(Ok(Response::json(&ReceiveAnswer { messages })), answered.replayed)
}

/// `POST /inbox/{agent}/ack`
pub(crate) async fn acknowledge<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent = own_inbox(cx).await?;
    let body: AcknowledgeBody = object(cx.request)?;
    let receipts = body.receipts.ok_or_else(|| Problem::field("receipts", "is required"))?;
    let mut invalid = Invalid::new();
    invalid.at_most_items("receipts", &receipts, RECEIPTS_MAX);
    invalid.finish(())?;
    let call = Acknowledge { agent: &agent, receipts: &receipts };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    if !answered.replayed {
        note_depth(cx, &agent, answered.value.depth, &answered.value.shares).await;
    }
    let answer = AcknowledgeAnswer {
        acknowledged: answered.value.acknowledged,
        unknown: answered.value.unknown,
    };
    mark_replayed(Ok(Response::json(&answer)), answered.replayed)
}

/// `GET /inbox/{agent}/dead`
pub(crate) async fn list_dead<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent = own_inbox(cx).await?;
    let (mut steps, mut depth) = (page::steps(&cx.query(), PAGE_DEFAULT)?, 0);
    while let Some(Step { limit, from: after, filled }) = steps.step() {
        let found = cx.store.call(&ListDead { agent: &agent, limit, after, filled }).await?;
        depth = found.depth;
        steps.add(found.page);
    }
    show_all(cx, &steps, depth)
}

/// `POST /inbox/{agent}/dead/redrive`
pub(crate) async fn redrive<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent = own_inbox(cx).await?;
    let body: MailRedriveBody = optional_object(cx.request)?;
    let message_ids = body.msg_ids.unwrap_or_default();
    let mut invalid = Invalid::new();
    invalid.at_most_items("msg_ids", &message_ids, RECEIPTS_MAX);
    invalid.finish(())?;
    let call = Redrive { agent: &agent, message_ids: &message_ids };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    note_depth(cx, &agent, answered.value.depth, &[]).await;
    let answer =
        MailRedriveAnswer { redriven: answered.value.redriven, depth: answered.value.depth };
    mark_replayed(Ok(Response::json(&answer)), answered.replayed)
}
