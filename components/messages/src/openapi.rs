//! What `openapi.json` says of these routes.

use reef_api::Word as _;
use reef_api::mail::{
    AcceptAnswer, AcceptBody, AcknowledgeAnswer, AcknowledgeBody, InboxCounts, InboxList, Mail,
    MailAnswer, MailBody, MailList, MailRedriveAnswer, MailRedriveBody, Priority, ReceiveAnswer,
    ReceiveBody, ReceivedMail,
};
use reef_api::message::{
    AddBlockAnswer, AppendAnswer, AppendBody, Message, MessageAnswer, MessageBody,
    MessageCleanupAnswer, MessageCompleteAnswer, MessageCompleteBody, MessageEventList,
    MessageList, MessageOpenBody, MessageTaskAnswer, MessageTaskBody, MessageTaskStarted,
    MessageTaskStatus, ProducerBody, Role,
};
use reef_domain::json::{Json, Members};
use reef_domain::limits::{
    CLAIM_TOKEN_CHARS_MAX, COUNTER_MAX, INBOX_LEASE_MS, MESSAGES_PAGE_DEFAULT, MESSAGES_PAGE_MAX,
    PAGE_DEFAULT, PAGE_MAX, RECEIPTS_MAX, RECEIVE_MAX, TOPIC_CHARS_MAX,
};
use reef_domain::message::CONTENT_TYPES;
use reef_web::Code;
use reef_web::openapi::schema::{
    between, count, default, list_of, name, named, new_id, number_cursor, object, one_of,
    optional_object, own_id,
};
use reef_web::openapi::{Api, schema};
use serde_json::{Value, json};

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    api.group("Messages");
    reading(api);
    writing(api);
    inboxes(api);
}

fn reading(api: &mut Api) {
    let writes = [Code::NotFound, Code::Conflict];
    api.post("/api/v1/sessions/{sid}/messages", "send_message", "Send a user's message")
        .says("Makes a complete message of the user and an open one that answers it.")
        .takes::<MessageBody<Json>>()
        .example(json!({ "content": "What is in the log?" }))
        .answers::<MessageAnswer>("The ids of both.")
        .refuses(&writes);
    api.get("/api/v1/sessions/{sid}/messages", "list_messages", "List messages, oldest first")
        .query(
            "limit",
            "Most messages to answer.",
            json!({
                "type": "integer", "minimum": 1, "maximum": MESSAGES_PAGE_MAX,
                "default": MESSAGES_PAGE_DEFAULT,
            }),
        )
        .query(
            "offset",
            "How many to pass over; prefer `cursor`.",
            json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0 }),
        )
        .query(
            "cursor",
            "From the `Link` of the page before, unchanged.",
            json!({ "type": "string", "pattern": "^([0-9]{1,15}[.][0-9a-f]{6})?$" }),
        )
        .answers::<MessageList>("A page of messages.")
        .refuses(&[Code::NotFound]);
    api.delete("/api/v1/sessions/{sid}/messages", "clean_up_messages", "Remove old messages")
        .query(
            "keep_days",
            "Messages younger than this stay.",
            json!({ "type": "integer", "minimum": 0, "maximum": 36_500, "default": 7 }),
        )
        .answers::<MessageCleanupAnswer>("How many were removed.")
        .refuses(&writes);
    api.put("/api/v1/sessions/{sid}/messages/{mid}", "open_message", "Load or create a message")
        .takes::<MessageOpenBody<Json>>()
        .example(json!({ "role": "assistant" }))
        .answers::<Message>("The message, as it is if it was there.")
        .refuses(&writes);
    api.get("/api/v1/messages/{mid}", "show_message", "Show a message")
        .says("A block over 10 000 bytes has a `ref` instead of its bulk.")
        .answers::<Message>("The message.")
        .refuses(&[Code::NotFound]);
    api.get("/api/v1/messages/{mid}/content/{cid}", "show_content", "Show a whole content block")
        .answers_schema("The block.", named("ContentBlock"))
        .refuses(&[Code::NotFound]);
    api.get("/api/v1/messages/{mid}/events", "list_message_events", "Replay a message's events")
        .query(
            "after",
            "The sequence number after which to begin.",
            json!({ "type": "integer", "minimum": 0, "maximum": COUNTER_MAX, "default": 0 }),
        )
        .limit(PAGE_DEFAULT, PAGE_MAX)
        .answers::<MessageEventList>("Events in order, without a hole but `gap`.")
        .refuses(&[Code::NotFound]);
}

fn writing(api: &mut Api) {
    let writes = [Code::NotFound, Code::Conflict, Code::Fenced, Code::InvalidParameter];
    api.post("/api/v1/messages/{mid}/append", "append_text", "Append to a message's text")
        .says(
            "A producer's numbers make appending safe to repeat: `seq` counts from 0 in each \
             `epoch`; one that was applied is answered again, a gap is a `conflict` that names the \
             number `expected`, and an older epoch is `fenced`.",
        )
        .takes::<AppendBody>()
        .example(json!({ "delta": "All is well." }))
        .answers::<AppendAnswer>("The event's number, and the length of the text in bytes.")
        .header(CLAIM, CLAIM_SAYS, claim_token())
        .refuses(&writes)
        .refuses(&[Code::PayloadTooLarge]);
    api.post("/api/v1/messages/{mid}/content", "add_content", "Add a content block")
        .takes_schema(named("NewContentBlock"))
        .example(json!({
            "content_type": "code", "code": { "code": "let x = 1;", "language": "rust" },
        }))
        .answers::<AddBlockAnswer>("The block's id.")
        .header(CLAIM, CLAIM_SAYS, claim_token())
        .refuses(&writes);
    api.post("/api/v1/messages/{mid}/tasks", "start_message_task", "Show that a task has begun")
        .says(
            "A placeholder stands where its result will be: an image for `image_generation`, a \
             video for `video_generation`, else a text. Any other member is a parameter of the task.",
        )
        .takes_schema(json!({
            "type": "object",
            "required": ["task_type"],
            "properties": {
                "task_type": {
                    "type": "string", "pattern": name(1, 128).get("pattern"),
                    "minLength": 1, "maxLength": 128,
                    "description": "What kind of task it is.",
                },
                "task_id": nullable_id("Its id; left out, the hub makes one."),
            },
        }))
        .example(json!({ "task_type": "image_generation", "prompt": "A reef." }))
        .answers::<MessageTaskStarted>("The task's and the placeholder's id.")
        .header(CLAIM, CLAIM_SAYS, claim_token())
        .refuses(&writes);
    api.patch("/api/v1/messages/{mid}/tasks/{tid}", "change_message_task", "Say how a task goes")
        .says("`completed` puts `content` in the placeholder's place, under the same `content_id`.")
        .takes::<MessageTaskBody<Members>>()
        .example(json!({ "status": "processing", "progress": 0.5 }))
        .answers::<MessageTaskAnswer>("The task as it is now.")
        .header(CLAIM, CLAIM_SAYS, claim_token())
        .refuses(&writes);
    api.post("/api/v1/messages/{mid}/complete", "complete_message", "End a message")
        .says("Afterwards nothing can be written to it.")
        .may_take::<MessageCompleteBody>()
        .answers::<MessageCompleteAnswer>("It is complete.")
        .header(CLAIM, CLAIM_SAYS, claim_token())
        .refuses(&writes);
}

const CLAIM: &str = "X-Claim-Token";
const CLAIM_SAYS: &str = "The token of the claim under which whoever runs a session's task writes to \
                          its message. Its owner needs none. Once the claim is over it is `fenced`.";

fn claim_token() -> Value {
    json!({ "type": "string", "pattern": format!("^[!-~]{{1,{CLAIM_TOKEN_CHARS_MAX}}}$") })
}

fn inboxes(api: &mut Api) {
    api.group("Inboxes");
    api.post("/api/v1/inbox/{agent}", "send_mail", "Send an agent or a node a message")
        .says("`from` is the caller's own id, or that of a node of its own.")
        .takes::<MailBody<Json>>()
        .example(json!({ "from": "cpu-1", "topic": "data", "content": "New data is there." }))
        .answers::<MailAnswer>("Its id, and how many wait.")
        .refuses(&[Code::InboxFull]);
    api.get("/api/v1/inbox/{agent}", "look_at_mail", "Look without taking")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<MailList>("What waits, in the order of receiving.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/inbox/{agent}/receive", "receive_mail", "Take messages under a lease")
        .says(
            "First in, first out within a priority. What is not acknowledged within the lease comes \
             back; after 5 tries it goes to the dead letters.",
        )
        .may_take::<ReceiveBody>()
        .example(json!({ "limit": 10, "lease_ms": 30_000 }))
        .answers::<ReceiveAnswer>("Messages with receipts.");
    api.post(
        "/api/v1/inbox/{agent}/proposals/{msg_id}/accept",
        "accept_proposal",
        "Accept a proposal",
    )
    .says(
        "Mail of the topic `task_proposal`: acknowledges it, queues its sub-tasks, and answers the \
         proposer with `task_assignment`. Once, whoever retries.",
    )
    .may_take::<AcceptBody>()
    .answers::<AcceptAnswer>("What was made of it.")
    .refuses(&[Code::NotFound, Code::Conflict]);
    api.post("/api/v1/inbox/{agent}/ack", "acknowledge_mail", "Acknowledge messages")
        .takes::<AcknowledgeBody>()
        .answers::<AcknowledgeAnswer>("How many receipts were good.");
    api.get("/api/v1/inboxes", "list_inboxes", "List inboxes, and how much is in them")
        .says(
            "For an agent its own and those of its nodes; for administrators all, those first to which \
             mail came last, or where some was acknowledged. An inbox to which mail comes while the \
             list is read may be left out; one that only old clients have used is not in it, nor one \
             without mail for 30 days.",
        )
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<InboxList>("The inboxes.");
    api.get(
        "/api/v1/inbox/{agent}/dead",
        "list_dead_mail",
        "List messages that nobody acknowledged",
    )
    .pages(PAGE_DEFAULT, number_cursor())
    .answers::<MailList>("The dead letters.")
    .refuses(&[Code::NotFound]);
    api.post("/api/v1/inbox/{agent}/dead/redrive", "redrive_mail", "Put dead letters back")
        .may_take::<MailRedriveBody>()
        .answers::<MailRedriveAnswer>("How many were put back.");
}

fn nullable_id(what: &str) -> Value {
    let mut schema = own_id();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("type".to_owned(), json!(["string", "null"]));
        schema.insert("description".to_owned(), what.into());
    }
    schema
}

fn schemas(api: &mut Api) {
    api.answer::<InboxCounts>();
    let kinds: Vec<&str> = CONTENT_TYPES.iter().map(|kind| kind.name).collect();
    api.answer::<Message>()
        .set("role", one_of(&Role::names()))
        .set("content_blocks", list_of("ContentBlock"))
        .set("pending_tasks", object())
        .set("metadata", object());
    api.body::<MessageBody<Json>>()
        .require(&["content"])
        .set("type", default(one_of(&kinds), "text"))
        .set("metadata", optional_object())
        .set("role", default(one_of(&Role::names()), "user"))
        .set("message_id", new_id());
    api.body::<MessageOpenBody<Json>>()
        .require(&["role"])
        .set("role", one_of(&Role::names()))
        .set("parent_message_id", own_id())
        .set("metadata", optional_object());
    api.answer::<MessageEventList>().set(
        "events",
        json!({ "items": {
            "type": "object",
            "required": [
                "event_id", "event_type", "message_id", "session_id", "sequence", "payload",
                "timestamp",
            ],
            "properties": {
                "event_id": { "type": "string" },
                "event_type": { "type": "string" },
                "message_id": { "type": "string" },
                "session_id": { "type": "string" },
                "sequence": { "type": "integer", "minimum": 1, "description": "Without a hole." },
                "payload": { "type": "object" },
                "timestamp": named("Instant"),
            },
        } }),
    );
    api.body::<AppendBody>().require(&["delta"]);
    api.body::<ProducerBody>()
        .require(&["id", "epoch", "seq"])
        .set("id", schema::id())
        .set("epoch", count())
        .set("seq", count());
    api.body::<MessageTaskBody<Members>>()
        .require(&["status"])
        .set("status", one_of(&MessageTaskStatus::names()))
        .set("progress", between(0, 1))
        .whole(json!({
            "if": { "required": ["status"], "properties": { "status": { "const": "completed" } } },
            "then": { "properties": {
                "content": { "anyOf": [named("NewContentBlock"), { "type": "null" }] },
            } },
        }));
    inbox_schemas(api);
}

fn inbox_schemas(api: &mut Api) {
    api.body::<MailBody<Json>>()
        .require(&["from", "content"])
        .set("from", schema::id())
        .set("topic", default(name(1, TOPIC_CHARS_MAX), "general"))
        .set("content", json!({ "not": { "type": "null" } }))
        .set("priority", default(one_of(&Priority::names()), "medium"))
        .set("metadata", optional_object());
    api.answer::<Mail>().set("attempts", json!({ "minimum": 0 }));
    api.answer::<ReceivedMail>().set("attempts", json!({ "minimum": 0 }));
    api.body::<ReceiveBody>()
        .set("limit", default(between(1, RECEIVE_MAX), 10))
        .set("lease_ms", default(between(*INBOX_LEASE_MS.start(), *INBOX_LEASE_MS.end()), 30_000));
    api.body::<AcknowledgeBody>()
        .require(&["receipts"])
        .set("receipts", json!({ "maxItems": RECEIPTS_MAX }));
    api.body::<AcceptBody>().set("executor", schema::id());
    api.body::<MailRedriveBody>().set("msg_ids", json!({ "maxItems": RECEIPTS_MAX }));
}
