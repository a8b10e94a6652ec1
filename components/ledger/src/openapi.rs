//! What `openapi.json` says of these routes.

use reef_api::Word as _;
use reef_api::agent::{
    Agent, AgentBody, AgentChange, AgentList, AgentRegistered, AgentRemoved, AgentStatus,
    InviteAnswer, InviteBody, InviteInfo, InviteList, InviteRevoked, KeyAnswer, KeyBody, KeyInfo,
    KeyList, Scope, ShownAgent,
};
use reef_api::audit::{AuditList, AuditSeals};
use reef_api::ledger::{
    AuditPage, Balance, BalanceChange, EntryIndex, EntryList, Hold, HoldAnswer, HoldBody, HoldList,
    HoldPostBody, HoldStatus, Intent, IntentBody, IntentCancelled, IntentList, IntentStatus,
    IntentSubmitted, MatchAnswer, MatchBody, MoneyBody, PositionClosed, PositionList,
    PositionMarked, PriceBody, SealList, Side, TransferAnswer, TransferBody,
};
use reef_domain::access::ADMIN;
use reef_domain::audit::Record;
use reef_domain::journal::Entry;
use reef_domain::json::Json;
use reef_domain::limits::{
    ASSET_CHARS_MAX, DISPLAY_NAME_CHARS_MAX, HOLD_MS, INVITE_SECONDS, INVITE_SECONDS_DEFAULT,
    INVITE_USES_MAX, KEY_DAYS_MAX, KEY_NAME_CHARS_MAX, LEVERAGE_MAX, MEMO_CHARS_MAX, PAGE_DEFAULT,
    REASON_CHARS_MAX, WALLET_CHARS_MAX,
};
use reef_domain::trail;
use reef_web::openapi::schema::{
    between, default, filter, name, named, new_id, number_cursor, object, one_of, optional_object,
    own_id,
};
use reef_web::openapi::{Api, schema};
use reef_web::{Code, stand_in};
use serde_json::{Value, json};

use crate::audit::FILTER_CHARS_MAX;

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    describe_agents(api);
    describe_invites(api);
    describe_keys(api);
    describe_money(api);
    describe_holds(api);
    describe_intents(api);
    describe_positions(api);
    describe_journal(api);
    describe_audit(api);
}

const OWN: &str = "Whose; left out, the caller's own, and for the admin all.";

fn describe_agents(api: &mut Api) {
    api.group("Agents");
    api.post("/api/v1/agents/register", "register_agent", "Become an agent, with a first key")
        .says(
            "For the admin, and for whoever has an invite, which is sent as the key: \
             `Authorization: Bearer reef_invite_…`. Where the variable `registration` is `open`, for \
             everybody. The key is shown this once.",
        )
        .may_take::<AgentBody<Json>>()
        .example(json!({ "display_name": "Ada" }))
        .answers::<AgentRegistered>("The agent and its key.")
        .refuses(&[Code::Conflict, Code::Forbidden]);
    api.get("/api/v1/agents", "list_agents", "List agents, newest first")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<AgentList>("Agents; balances for itself and the admin alone.");
    api.get("/api/v1/agents/{id}", "show_agent", "Show an agent")
        .answers::<ShownAgent>("The agent; its balance for itself and the admin alone.")
        .refuses(&[Code::NotFound]);
    api.patch("/api/v1/agents/{id}", "change_agent", "Suspend an agent, or let it go on")
        .says("All its keys are refused from that moment on, everywhere, or accepted again.")
        .takes::<AgentChange>()
        .example(json!({ "status": "suspended" }))
        .answers::<ShownAgent>("The agent.")
        .refuses(&[Code::NotFound]);
    api.delete("/api/v1/agents/{id}", "remove_agent", "Remove an agent")
        .says(
            "One that has neither money nor pending holds, open intents or open positions. Its keys \
             are unknown from then on; its id and its wallet are nobody else's, ever.",
        )
        .answers::<AgentRemoved>("It is removed.")
        .refuses(&[Code::NotFound, Code::Conflict]);
}

fn describe_invites(api: &mut Api) {
    api.group("Agents");
    api.post("/api/v1/invites", "create_invite", "Invite somebody to become an agent")
        .says(
            "Whoever has the invite registers as many agents as `uses` says, while it is good. It is \
             good for as long as the key that made it.",
        )
        .may_take::<InviteBody>()
        .example(json!({ "uses": 10, "expires_in": 86_400, "scopes": ["read", "write"] }))
        .answers::<InviteAnswer>("The invite, which is shown this once.")
        .refuses(&[Code::Conflict]);
    api.get("/api/v1/invites", "list_invites", "List open invites, newest first")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<InviteList>("All but the invites themselves.");
    api.delete("/api/v1/invites/{id}", "revoke_invite", "Revoke an invite")
        .says("It lets nobody in from then on.")
        .answers::<InviteRevoked>("It is revoked.")
        .refuses(&[Code::NotFound]);
}

/// Whose a key is: an agent's, or the admin's.
fn keys_holder(mut agent: Value) -> Value {
    if let Some(pattern) = agent.get_mut("pattern") {
        let of_agents = pattern.as_str().unwrap_or_default();
        let of_agents = of_agents.trim_start_matches('^').trim_end_matches('$');
        *pattern = json!(format!("^({ADMIN}|{of_agents})$"));
    }
    agent
}

fn describe_keys(api: &mut Api) {
    let key = "The key, which is shown this once.";
    api.group("Keys");
    api.post("/api/v1/auth/keys", "create_key", "Make another key")
        .says(
            "A key makes keys of its own scopes or fewer that end no later than itself; only the \
             admin keys make `admin`. With `agent_id` `@admin` it is a further admin key, which has \
             all scopes: only admin keys make, list, rotate and revoke those. With `certificate` there is no key to be sent: whoever shows \
             the hub's own listener a client certificate of that name acts by it. Only who \
             administers says so.",
        )
        .may_take::<KeyBody>()
        .example(json!({ "name": "laptop", "scopes": ["read"], "expires_in_days": 30 }))
        .answers::<KeyAnswer>(key)
        .refuses(&[Code::NotFound, Code::Conflict, Code::ValidationFailed]);
    api.get("/api/v1/auth/keys", "list_keys", "List an agent's keys")
        .query("agent_id", "Whose; the admin must say it.", keys_holder(schema::id()))
        .answers::<KeyList>("All but the keys themselves.")
        .refuses(&[Code::NotFound, Code::ValidationFailed]);
    api.delete("/api/v1/auth/keys/{key_id}", "revoke_key", "Revoke a key")
        .says(
            "Works at once, everywhere. A key revokes none that has more scopes or ends later; who \
             administers does, unless that one administers, too.",
        )
        .answers_schema(
            "It is revoked.",
            json!({
                "type": "object",
                "required": ["success", "message"],
                "properties": { "success": { "const": true }, "message": { "type": "string" } },
            }),
        )
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/auth/keys/{key_id}/rotate", "rotate_key", "Put a new key in place of one")
        .says("The old one is unknown at once. A key rotates what it could make.")
        .answers::<KeyAnswer>(key)
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.get("/api/v1/auth/me", "show_caller", "Whose key this is, and what it allows")
        .answers_schema(
            "The agent, `null` for the admin, and the key's scopes.",
            json!({
                "type": "object",
                "required": ["agent", "auth"],
                "properties": {
                    "agent": { "anyOf": [named("Agent"), { "type": "null" }] },
                    "auth": {
                        "type": "object",
                        "required": ["agent_id", "key_id", "scopes"],
                        "properties": {
                            "agent_id": { "type": "string" },
                            "key_id": { "type": ["string", "null"] },
                            "scopes": { "type": "array", "items": scope() },
                        },
                    },
                },
            }),
        );
}

fn describe_money(api: &mut Api) {
    let refuses = [Code::NotFound, Code::Conflict];
    api.group("Money");
    api.post("/api/v1/deposit", "deposit", "Bring money in")
        .says("At most as much at a time as the variable `max_deposit` says: 100000.")
        .takes::<MoneyBody>()
        .example(json!({ "agent_id": "ada", "amount": "100" }))
        .answers::<BalanceChange>("The balance.")
        .refuses(&refuses);
    api.post("/api/v1/withdraw", "withdraw", "Take money out")
        .takes::<MoneyBody>()
        .example(json!({ "agent_id": "ada", "amount": "12.5" }))
        .answers::<BalanceChange>("The balance.")
        .refuses(&refuses)
        .refuses(&[Code::InsufficientBalance]);
    api.post("/api/v1/transfer", "transfer", "Pay another agent")
        .takes::<TransferBody>()
        .example(json!({ "from_agent": "ada", "to_agent": "bob", "amount": "12.5" }))
        .answers::<TransferAnswer>("The settlement.")
        .refuses(&refuses)
        .refuses(&[Code::InsufficientBalance]);
    api.get("/api/v1/balance/{agent}", "show_balance", "Show a balance")
        .answers::<Balance>("What there is, is reserved, and is left.")
        .refuses(&[Code::NotFound]);
}

fn describe_holds(api: &mut Api) {
    let refuses = [Code::NotFound, Code::Conflict];
    api.group("Holds");
    api.post("/api/v1/holds", "place_hold", "Reserve money")
        .takes::<HoldBody>()
        .example(json!({ "agent_id": "ada", "amount": "50", "expires_in_ms": 60_000 }))
        .answers::<HoldAnswer>("The hold.")
        .refuses(&refuses)
        .refuses(&[Code::InsufficientBalance]);
    api.get("/api/v1/holds", "list_holds", "List holds, newest first")
        .query("agent_id", OWN, schema::id())
        .query("status", "Only those in this status.", filter(&HoldStatus::names()))
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<HoldList>("The holds.");
    api.get("/api/v1/holds/{id}", "show_hold", "Show a hold")
        .answers::<Hold>("The hold.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/holds/{id}/post", "post_hold", "Pay what is reserved")
        .says("All of it or a part; the rest is released.")
        .takes::<HoldPostBody>()
        .example(json!({ "to_agent": "bob", "amount": "30" }))
        .answers::<HoldAnswer>("The hold, which has ended.")
        .refuses(&refuses);
    api.post("/api/v1/holds/{id}/void", "void_hold", "Release what is reserved")
        .answers::<HoldAnswer>("The hold, which has ended.")
        .refuses(&refuses);
}

fn describe_intents(api: &mut Api) {
    let refuses = [Code::NotFound, Code::Conflict];
    api.group("Intents");
    api.post("/api/v1/intents", "submit_intent", "Say that one would take a position")
        .says("Reserves `size / leverage` as margin.")
        .takes::<IntentBody>()
        .example(json!({
            "agent_id": "ada", "intent_type": "long", "asset": "BTC", "size": "100", "leverage": 2,
        }))
        .answers::<IntentSubmitted>("The intent.")
        .refuses(&refuses)
        .refuses(&[Code::InsufficientBalance]);
    let asset = json!({
        "type": "string", "pattern": format!("^[A-Za-z0-9._-]{{1,{ASSET_CHARS_MAX}}}$"),
    });
    api.get("/api/v1/intents", "list_intents", "List intents, newest first")
        .query("agent_id", OWN, schema::id())
        .query("asset", "Only those on this.", asset)
        .query("status", "Only those in this status.", filter(&IntentStatus::names()))
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<IntentList>("The intents.");
    api.get("/api/v1/intents/{id}", "show_intent", "Show an intent")
        .answers::<Intent>("The intent.")
        .refuses(&[Code::NotFound]);
    api.delete("/api/v1/intents/{id}", "cancel_intent", "Call an open intent off")
        .says("The margin comes back.")
        .answers::<IntentCancelled>("It is cancelled.")
        .refuses(&refuses);
    api.post("/api/v1/intents/{id}/match", "match_intents", "Match two intents")
        .says("Both open, opposite, on the same asset. The unfilled rest of one stays open.")
        .takes::<MatchBody>()
        .example(json!({ "with": "int_…", "price": "65000" }))
        .answers::<MatchAnswer>("The match and two positions.")
        .refuses(&refuses);
}

fn describe_positions(api: &mut Api) {
    let refuses = [Code::NotFound, Code::Conflict];
    api.group("Positions");
    api.get("/api/v1/positions/{id}", "list_positions", "List an agent's positions, newest first")
        .segment("id", "Id of the agent.", schema::id())
        .query(
            "include_closed",
            "Also those that have ended.",
            json!({
                "type": "boolean", "default": false,
            }),
        )
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<PositionList>("The positions.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/positions/{id}/close", "close_position", "Close both sides of a match")
        .says("The owner closes at the position's mark, the admin at any price.")
        .may_take::<PriceBody>()
        .example(json!({ "price": "65100" }))
        .answers::<PositionClosed>("What it has brought.")
        .refuses(&refuses);
    api.post("/api/v1/positions/{id}/mark", "mark_position", "Set a position's price")
        .says("Below 5 % of the margin it is liquidated.")
        .takes_schema(json!({
            "allOf": [named("PriceBody"), { "required": ["price"], "properties": { "price": amount() } }],
        }))
        .example(json!({ "price": "65100" }))
        .answers::<PositionMarked>("The position.")
        .refuses(&refuses);
}

fn describe_journal(api: &mut Api) {
    api.group("Journal");
    api.get("/api/v1/entries", "list_entries", "Read the journal")
        .says(
            "Each entry's legs sum to 0, and each carries a link to the one before. Only the admin \
             may read the oldest first.",
        )
        .query("agent_id", OWN, schema::id())
        .query("order", "Which come first.", default(filter(&["newest", "oldest"]), "newest"))
        .query(
            "after",
            "Go on behind the entry of this number; a cursor comes first.",
            json!({ "type": "integer", "minimum": 0, "maximum": 999_999_999_999_999_i64 }),
        )
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<EntryList<Entry>>("Entries.");
    api.get("/api/v1/entries/seals", "list_seals", "Read the journal's seals")
        .says("SHA-256 over each thousand entries, in order.")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<SealList>("Seals; an empty text for one that is missing.");
    api.get("/api/v1/entries/audit", "audit_ledger", "Read the ledger's keys as they lie there")
        .says(
            "For comparing them with the journal, as `reef ledger verify` does. All keys of Redis \
             are looked through, some hundred for each page: pages may be empty. Each begins with \
             a record of the ledger itself at that moment. A key may come twice.",
        )
        .continues(json!({ "type": "string", "pattern": "^([1-9][0-9]{0,18}[.][0-9a-f]{6})?$" }))
        .answers::<AuditPage<Record>>("Records.");
    api.get("/api/v1/entries/index", "list_indexed_entries", "Read an agent's index of entries")
        .says("For comparing it with the journal.")
        .needs_query("agent_id", "Whose.", schema::id())
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<EntryIndex>("Numbers of entries, oldest first.");
}

fn describe_audit(api: &mut Api) {
    let which = "Text, or how it begins and `*`.";
    let wanted = json!({ "type": "string", "maxLength": FILTER_CHARS_MAX });
    api.group("Audit");
    api.get("/api/v1/audit", "list_audit", "Read who has changed what")
        .says(
            "What was done by hand, and all that concerns agents and keys: see section 15 of the contract. Each entry \
             carries a link to the one before in its chain. Where a filter keeps much back, a page may be empty and \
             still have a next one. `before` and `after` are kept to the letter: the link is made of that.",
        )
        .query("order", "Which come first.", default(filter(&["newest", "oldest"]), "newest"))
        .query("chain", "Only this one; left out, both.", filter(&["cluster", "ledger"]))
        .query("actor", which, wanted.clone())
        .query("action", which, wanted.clone())
        .query("target", which, wanted.clone())
        .pages(PAGE_DEFAULT, audit_cursor())
        .answers::<AuditList<trail::Entry>>("Entries.");
    api.get("/api/v1/audit/seals", "list_audit_seals", "Read the seals of the audit")
        .says("SHA-256 over each hundred entries of a chain, in order, and what the chain says of itself.")
        .needs_query("chain", "Of which chain.", one_of(&["cluster", "ledger"]))
        .pages(PAGE_DEFAULT, number_cursor())
        .answers::<AuditSeals<trail::Chain>>("The chain, and its seals.");
}

/// How far each of two chains has been read.
fn audit_cursor() -> Value {
    let place = "(|-|[0-9]{1,15}-[0-9]{1,15})";
    json!({ "type": "string", "pattern": format!("^({place},{place}[.][0-9a-f]{{6}})?$") })
}

/// An amount that is more than nothing.
fn amount() -> Value {
    json!({
        "type": "string",
        "pattern": r"^([1-9][0-9]{0,8}(\.[0-9]{1,6})?|0\.[0-9]{0,5}[1-9])$",
    })
}

fn scope() -> Value {
    one_of(&Scope::names())
}

fn schemas(api: &mut Api) {
    api.answer::<Agent>().set("metadata", object());
    api.answer::<ShownAgent>().set("metadata", object());
    api.answer::<Entry>();
    api.answer::<Record>();
    api.answer::<KeyInfo>().set("scopes", json!({ "items": scope() }));
    api.body::<AgentBody<Json>>()
        .set(
            "wallet_address",
            json!({
                "pattern": format!("^[!-~]{{1,{WALLET_CHARS_MAX}}}$"),
            }),
        )
        .set("display_name", name(0, DISPLAY_NAME_CHARS_MAX))
        .set("metadata", optional_object())
        .set("agent_id", new_id());
    api.answer::<InviteInfo>().set("scopes", json!({ "items": scope() }));
    api.body::<AgentChange>().require(&["status"]).set("status", one_of(&AgentStatus::names()));
    api.body::<InviteBody>()
        .set("uses", default(between(1, INVITE_USES_MAX), 1))
        .set(
            "expires_in",
            default(
                between(*INVITE_SECONDS.start(), *INVITE_SECONDS.end()),
                INVITE_SECONDS_DEFAULT,
            ),
        )
        .set("scopes", json!({ "minItems": 1, "items": scope() }));
    let certificate = json!({
        "minLength": 1,
        "maxLength": stand_in::CERTIFICATE_NAME_MAX,
        "pattern": stand_in::CERTIFICATE_NAME_PATTERN,
    });
    api.body::<KeyBody>()
        .set("name", default(name(1, KEY_NAME_CHARS_MAX), "default"))
        .set("scopes", json!({ "minItems": 1, "items": scope() }))
        .set("expires_in_days", between(1, KEY_DAYS_MAX))
        .set("agent_id", keys_holder(own_id()))
        .set("certificate", certificate);
    api.body::<MoneyBody>()
        .require(&["agent_id", "amount"])
        .set("agent_id", schema::id())
        .set("amount", amount());
    api.body::<TransferBody>()
        .require(&["from_agent", "to_agent", "amount"])
        .set("from_agent", schema::id())
        .set("to_agent", schema::id())
        .set("amount", amount())
        .set("memo", name(0, MEMO_CHARS_MAX));
    api.body::<HoldBody>()
        .require(&["agent_id", "amount"])
        .set("agent_id", schema::id())
        .set("amount", amount())
        .set("expires_in_ms", between(*HOLD_MS.start(), *HOLD_MS.end()));
    api.body::<HoldPostBody>()
        .require(&["to_agent"])
        .set("to_agent", schema::id())
        .set("amount", amount());
    api.body::<IntentBody>()
        .require(&["agent_id", "intent_type", "asset", "size"])
        .set("agent_id", schema::id())
        .set("intent_type", one_of(&Side::names()))
        .set("asset", json!({ "pattern": format!("^[A-Za-z0-9._-]{{1,{ASSET_CHARS_MAX}}}$") }))
        .set("size", amount())
        .set("leverage", default(between(1, LEVERAGE_MAX), 1))
        .set(
            "max_slippage",
            json!({
                "default": "0.005", "pattern": r"^0(\.1|\.0[0-9]{0,5})?$",
            }),
        )
        .set("reason", name(0, REASON_CHARS_MAX));
    api.body::<MatchBody>()
        .require(&["with", "price"])
        .set("with", schema::id())
        .set("price", amount());
    api.body::<PriceBody>().set("price", amount());
}
