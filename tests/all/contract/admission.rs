//! Who comes in, and who is put out again: invites, suspension, removal, and keys that bound each
//! other.

use serde_json::{Value, json};

use super::agents::new_agent;
use super::idempotency::{is_replay, keyed};
use super::{Subject, hub};
use crate::harness::{Client, NewAgent, PATIENCE, eventually, is_timestamp, race, unique};

/// The hub, unless it lets everybody in.
fn closed_hub() -> Option<Subject> {
    Some(hub()).filter(|hub| hub.wants_keys)
}

/// Makes an invite: its holder, and its id.
#[track_caller]
fn invite(hub: &Subject, wish: &Value) -> (Client, String) {
    let made = hub.client.post("/invites", wish).has_fields(&["success", "invite", "invite_info"]);
    let token = made["invite"].as_str().unwrap();
    let id = made["invite_info"]["invite_id"].as_str().unwrap().to_owned();
    assert!(token.starts_with("reef_invite_") && id.starts_with("invite_"), "{made}");
    (hub.anonymous.with_key(token), id)
}

fn newcomer() -> Value {
    json!({"agent_id": unique("newcomer")})
}

/// A key of an agent that administers, with these scopes beside.
#[track_caller]
fn deputy(hub: &Subject, beside: &[&str]) -> (NewAgent, Client, String) {
    let agent = hub.client.new_agent();
    let scopes: Vec<&str> = ["admin"].iter().chain(beside).copied().collect();
    let wish = json!({"agent_id": agent.id, "scopes": scopes});
    let made = hub.client.post("/auth/keys", &wish).ok();
    let client = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    (agent, client, made["key_info"]["key_id"].as_str().unwrap().to_owned())
}

#[track_caller]
fn key_id_of(client: &Client) -> String {
    client.get("/auth/me").ok()["auth"]["key_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_stranger_does_not_get_in_and_is_told_how_to() {
    let Some(hub) = closed_hub() else { return };
    for body in [newcomer(), json!({}), json!({"agent_id": 7})] {
        let problem = hub.anonymous.post("/agents/register", &body).problem(401, "unauthenticated");
        assert!(problem["detail"].as_str().unwrap().contains("reef agents invite"), "{problem}");
    }
    let agent = new_agent(&hub);
    agent.client.post("/agents/register", &newcomer()).problem(403, "forbidden");
    let large = json!({"metadata": {"text": "x".repeat(100_000)}});
    hub.anonymous.post("/agents/register", &large).problem(401, "unauthenticated");
}

#[test]
fn an_invite_lets_in_as_many_as_it_says_and_does_nothing_else() {
    let Some(hub) = closed_hub() else { return };
    let (guest, id) = invite(&hub, &json!({"uses": 2, "scopes": ["read"]}));
    let made = guest.post("/agents/register", &newcomer()).ok();
    assert_eq!(made["api_key_info"]["scopes"], json!(["read"]));
    let reader = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    reader.get("/nodes").list();
    reader.post("/sessions", &json!({})).problem(403, "forbidden");

    // It is no key: it reads and writes nothing.
    guest.get("/nodes").problem(401, "unauthenticated");
    guest.get("/auth/me").problem(401, "unauthenticated");
    guest.post("/invites", &json!({})).problem(401, "unauthenticated");
    // What is refused costs no use.
    guest
        .post("/agents/register", &json!({"agent_id": "@admin"}))
        .problem(422, "validation_failed");
    let taken = json!({"agent_id": made["agent"]["agent_id"]});
    guest.post("/agents/register", &taken).problem(409, "conflict");

    let listed = hub.client.get("/invites?limit=1000").has_fields(&["invites"]);
    let find = |listed: &Value| {
        let invites = listed["invites"].as_array().unwrap().iter();
        invites.clone().find(|it| it["invite_id"] == json!(id)).cloned()
    };
    let shown = find(&listed).expect("an open invite is listed");
    assert_eq!((&shown["uses"], &shown["used"]), (&json!(2), &json!(1)));
    assert_eq!((&shown["created_by"], &shown["scopes"]), (&json!("@admin"), &json!(["read"])));
    assert!(is_timestamp(&shown["expires_at"]), "{shown}");

    // The last use counts once, however often the request is repeated.
    let keyed = keyed(&guest, &unique("key"));
    let body = newcomer();
    let last = keyed.post("/agents/register", &body).ok();
    let again = keyed.post("/agents/register", &body);
    assert!(is_replay(&again), "{again}");
    assert_eq!((&again.ok()["agent"], &Value::Null), (&last["agent"], &again.ok()["api_key"]));
    let refused = guest.post("/agents/register", &newcomer()).problem(401, "unauthenticated");
    assert!(refused["detail"].as_str().unwrap().contains("used up"), "{refused}");
    assert_eq!(find(&hub.client.get("/invites?limit=1000").ok()), None);
}

#[test]
fn two_at_once_do_not_share_the_last_use() {
    let Some(hub) = closed_hub() else { return };
    let (guest, _) = invite(&hub, &json!({"uses": 3}));
    let statuses = race(8, |_| guest.post("/agents/register", &newcomer()).status);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 3, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
}

#[test]
fn an_invite_ends() {
    let Some(hub) = closed_hub() else { return };
    let (revoked, id) = invite(&hub, &json!({}));
    hub.client.delete(&format!("/invites/{id}")).ok();
    hub.client.delete(&format!("/invites/{id}")).problem(404, "not_found");
    revoked.post("/agents/register", &newcomer()).problem(401, "unauthenticated");

    let (late, id) = invite(&hub, &json!({"expires_in": 1, "uses": 5}));
    eventually("the invite's end", PATIENCE, || {
        let listed = hub.client.get("/invites?limit=1000").ok();
        let mut invites = listed["invites"].as_array().unwrap().iter();
        invites.all(|it| it["invite_id"] != json!(id)).then_some(())
    });
    // Who is not known does not learn whether a body was right.
    late.post("/agents/register", &json!({"agent_id": 7})).problem(401, "unauthenticated");
    let forged = hub.anonymous.with_key("reef_invite_abcdefgh_0123456789abcdef0123456789abcdef");
    forged.post("/agents/register", &newcomer()).problem(401, "unauthenticated");
    hub.client.delete(&format!("/invites/{id}")).problem(404, "not_found");

    for (field, value) in [
        ("uses", json!(0)),
        ("uses", json!(1001)),
        ("expires_in", json!(0)),
        ("expires_in", json!(30 * 86_400 + 1)),
        ("scopes", json!([])),
        ("scopes", json!(["root"])),
    ] {
        let answer = hub.client.post("/invites", &json!({field: value}));
        answer.problem_with(422, "validation_failed", field);
    }
}

#[test]
fn an_invite_gives_no_more_than_its_maker_has_and_ends_with_it() {
    let Some(hub) = closed_hub() else { return };
    let (agent, client, key_id) = deputy(&hub, &["read"]);
    let made = client.post("/invites", &json!({"uses": 9})).ok();
    assert_eq!(made["invite_info"]["scopes"], json!(["read"]));
    assert_eq!(made["invite_info"]["created_by"], json!(agent.id));
    for beyond in ["write", "trade", "admin"] {
        client.post("/invites", &json!({"scopes": [beyond]})).problem(403, "forbidden");
    }
    let guest = hub.anonymous.with_key(made["invite"].as_str().unwrap());
    guest.post("/agents/register", &newcomer()).ok();
    let registered = client.post("/agents/register", &newcomer()).ok();
    assert_eq!(registered["api_key_info"]["scopes"], json!(["read"]));

    let suspend = format!("/agents/{}", agent.id);
    hub.client.patch(&suspend, &json!({"status": "suspended"})).ok();
    guest.post("/agents/register", &newcomer()).problem(401, "unauthenticated");
    hub.client.patch(&suspend, &json!({"status": "active"})).ok();
    guest.post("/agents/register", &newcomer()).ok();
    hub.client.delete(&format!("/auth/keys/{key_id}")).ok();
    guest.post("/agents/register", &newcomer()).problem(401, "unauthenticated");

    // Only the admin key makes invites that administer.
    let (guest, _) = invite(&hub, &json!({"scopes": ["read", "admin"]}));
    let made = guest.post("/agents/register", &newcomer()).ok();
    assert_eq!(made["api_key_info"]["scopes"], json!(["read", "admin"]));
}

#[test]
fn a_suspended_agent_is_out_with_all_its_keys_until_it_is_let_go_on() {
    let Some(hub) = closed_hub() else { return };
    let agent = new_agent(&hub);
    let keys = [agent.client.clone(), agent.key_with(&["read"]), agent.key_with(&["write"])];
    let path = format!("/agents/{}", agent.id);
    let suspended = hub.client.patch(&path, &json!({"status": "suspended"})).ok();
    assert_eq!(suspended["status"], "suspended");
    for key in &keys {
        for (method, route) in [("GET", "/nodes"), ("POST", "/sessions"), ("GET", "/auth/me")] {
            let problem = key.send(method, route, None).problem(403, "forbidden");
            assert!(problem["detail"].as_str().unwrap().contains("suspended"), "{problem}");
        }
    }
    assert_eq!(hub.client.get(&path).ok()["status"], "suspended");
    // It gets no key past the suspension.
    let wish = json!({"agent_id": agent.id});
    hub.client.post("/auth/keys", &wish).problem(409, "conflict");
    let listed = hub.client.get(&format!("/auth/keys?agent_id={}", agent.id)).ok();
    let id = listed["keys"][0]["key_id"].as_str().unwrap();
    hub.client.post_empty(&format!("/auth/keys/{id}/rotate")).problem(409, "conflict");

    hub.client.patch(&path, &json!({"status": "active"})).ok();
    keys[0].post("/sessions", &json!({})).ok();
    keys[1].get("/nodes").list();
    for status in [json!("removed"), json!(""), json!(1), Value::Null] {
        let answer = hub.client.patch(&path, &json!({"status": status}));
        answer.problem_with(422, "validation_failed", "status");
    }
    let nobody = format!("/agents/{}", unique("nobody"));
    hub.client.patch(&nobody, &json!({"status": "active"})).problem(404, "not_found");
}

#[test]
fn an_agent_is_removed_once_it_has_nothing_left_and_its_name_is_nobody_elses() {
    let Some(hub) = closed_hub() else { return };
    let wallet = unique("0x");
    let body = json!({"agent_id": unique("leaving"), "wallet_address": wallet});
    let made = hub.client.post("/agents/register", &body).ok();
    let (id, client) = (
        body["agent_id"].as_str().unwrap(),
        hub.anonymous.with_key(made["api_key"].as_str().unwrap()),
    );
    let path = format!("/agents/{id}");
    client.post("/deposit", &json!({"agent_id": id, "amount": "10"})).ok();
    let hold = json!({"agent_id": id, "amount": "4"});
    let hold = client.post("/holds", &hold).ok()["hold"]["hold_id"].as_str().unwrap().to_owned();
    let intent = json!({"agent_id": id, "intent_type": "long", "asset": "BTC", "size": "2"});
    let intent = client.post("/intents", &intent).ok();
    let problem = hub.client.delete(&path).problem(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    for thing in ["money", "pending holds", "open intents"] {
        assert!(detail.contains(thing), "{detail}");
    }
    client.post_empty(&format!("/holds/{hold}/void")).ok();
    let intent = intent["intent"]["intent_id"].as_str().unwrap();
    client.delete(&format!("/intents/{intent}")).ok();
    hub.client.delete(&path).problem(409, "conflict");
    client.post("/withdraw", &json!({"agent_id": id, "amount": "10"})).ok();

    assert_eq!(hub.client.delete(&path).ok(), json!({"success": true, "agent_id": id}));
    client.get("/auth/me").problem(401, "unauthenticated");
    hub.client.get(&path).problem(404, "not_found");
    hub.client.delete(&path).problem(404, "not_found");
    hub.client.post("/agents/register", &json!({"agent_id": id})).problem(409, "conflict");
    let same_wallet = json!({"wallet_address": wallet});
    hub.client.post("/agents/register", &same_wallet).problem(409, "conflict");
    let payer = new_agent(&hub);
    payer.client.post("/deposit", &json!({"agent_id": payer.id, "amount": "1"})).ok();
    let pay = json!({"from_agent": payer.id, "to_agent": id, "amount": "1"});
    payer.client.post("/transfer", &pay).problem(404, "not_found");
    let listed = hub.client.get("/agents?limit=1000").ok();
    assert!(listed["agents"].as_array().unwrap().iter().all(|it| it["agent_id"] != json!(id)));
}

#[test]
fn a_key_that_ends_makes_only_keys_that_end_no_later() {
    let hub = hub();
    let agent = new_agent(&hub);
    let made = agent.client.post("/auth/keys", &json!({"expires_in_days": 2})).ok();
    let ends = &made["key_info"]["expires_at"];
    let brief = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    brief.post("/auth/keys", &json!({"expires_in_days": 3})).problem(403, "forbidden");
    let same = brief.post("/auth/keys", &json!({})).ok();
    assert_eq!(&same["key_info"]["expires_at"], ends, "left out, it is the maker's own end");
    brief.post("/auth/keys", &json!({"expires_in_days": 1})).ok();

    // Nor does it put another key in the place of one that outlives it, or end that one.
    let first = key_id_of(&agent.client);
    brief.post_empty(&format!("/auth/keys/{first}/rotate")).problem(403, "forbidden");
    brief.delete(&format!("/auth/keys/{first}")).problem(403, "forbidden");
    agent.client.get("/auth/me").ok();
    let own = key_id_of(&brief);
    let rotated = brief.post_empty(&format!("/auth/keys/{own}/rotate")).ok();
    assert_eq!(&rotated["key_info"]["expires_at"], ends);
}

#[test]
fn a_key_does_not_revoke_a_stronger_one() {
    let hub = hub();
    let agent = new_agent(&hub);
    let first = key_id_of(&agent.client);
    let writer = agent.key_with(&["write"]);
    writer.delete(&format!("/auth/keys/{first}")).problem(403, "forbidden");
    writer.post_empty(&format!("/auth/keys/{first}/rotate")).problem(403, "forbidden");
    let made = agent.client.post("/auth/keys", &json!({"scopes": ["write"]})).ok();
    let equal = made["key_info"]["key_id"].as_str().unwrap();
    writer.delete(&format!("/auth/keys/{equal}")).ok();
    agent.client.get("/auth/me").ok();
}

#[test]
fn who_administers_revokes_every_key_but_one_that_administers_and_is_stronger() {
    let Some(hub) = closed_hub() else { return };
    let (weak_agent, weak, weak_id) = deputy(&hub, &["read", "write"]);
    let (_, strong, strong_id) = deputy(&hub, &["read", "write", "trade"]);
    weak.delete(&format!("/auth/keys/{strong_id}")).problem(403, "forbidden");
    weak.post_empty(&format!("/auth/keys/{strong_id}/rotate")).problem(403, "forbidden");
    let agent = new_agent(&hub);
    let first = key_id_of(&agent.client);
    // To rotate is to make: what it has not, it does not get into its hands.
    weak.post_empty(&format!("/auth/keys/{first}/rotate")).problem(403, "forbidden");
    weak.delete(&format!("/auth/keys/{first}")).ok();
    agent.client.get("/auth/me").problem(401, "unauthenticated");
    let wish = json!({"agent_id": weak_agent.id, "scopes": ["trade"]});
    weak.post("/auth/keys", &wish).problem(403, "forbidden");
    strong.delete(&format!("/auth/keys/{weak_id}")).ok();
    hub.client.delete(&format!("/auth/keys/{strong_id}")).ok();
    strong.get("/agents").problem(401, "unauthenticated");
}
