//! Agents and their keys (contract.md §1, §6).

use serde_json::{Value, json};

use super::idempotency::{is_replay, keyed};
use super::{Subject, hub};
use crate::harness::{Client, NewAgent, is_timestamp, unique};

/// An agent that was registered for a test.
pub struct Agent {
    pub id: String,
    /// With its first key.
    pub client: Client,
    anonymous: Client,
}

impl Agent {
    /// The agent with another key that has only these scopes.
    #[track_caller]
    pub fn key_with(&self, scopes: &[&str]) -> Client {
        let made = self.client.post("/auth/keys", &json!({"scopes": scopes})).ok();
        self.anonymous.with_key(made["api_key"].as_str().unwrap())
    }
}

/// Registers an agent.
#[track_caller]
pub fn new_agent(hub: &Subject) -> Agent {
    let NewAgent { id, client, .. } = hub.client.new_agent();
    Agent { id, client, anonymous: hub.anonymous.clone() }
}

const KEY_FIELDS: &[&str] = &["key_id", "name", "scopes", "created_at", "last_used", "expires_at"];

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn assert_key_info(info: &Value) {
    let mut expected = KEY_FIELDS.to_vec();
    expected.sort_unstable();
    assert_eq!(fields(info), expected);
    assert!(info["key_id"].as_str().unwrap().starts_with("key_"), "{info}");
    assert!(is_timestamp(&info["created_at"]), "{info}");
}

#[test]
fn an_agent_is_registered_and_gets_its_key_once() {
    let hub = hub();
    let body = json!({
        "wallet_address": unique("0x"), "display_name": "Ångström", "metadata": {"list": []},
    });
    let answer = hub.client.post("/agents/register", &body);
    let made = answer.has_fields(&["success", "agent", "api_key", "api_key_info"]);
    assert_eq!(made["success"], true);
    let agent = &made["agent"];
    assert!(agent["agent_id"].as_str().unwrap().starts_with("agent_"), "{made}");
    for field in ["wallet_address", "display_name", "metadata"] {
        assert_eq!(agent[field], body[field]);
    }
    assert_eq!(agent["status"], "active");
    let key = made["api_key"].as_str().unwrap();
    let parts: Vec<_> = key.splitn(3, '_').map(str::len).collect();
    assert!(key.starts_with("reef_") && parts == [4, 8, 32], "{key}");
    assert_key_info(&made["api_key_info"]);
    assert_eq!(made["api_key_info"]["scopes"], json!(["read", "write", "trade"]));

    let client = hub.anonymous.with_key(key);
    let path = format!("/agents/{}", agent["agent_id"].as_str().unwrap());
    let shown = client.get(&path).ok();
    assert_eq!(shown["metadata"], body["metadata"]);
    let listed = hub.client.get("/agents?limit=1000");
    let is_listed = |agents: &Value| {
        agents["agents"].as_array().unwrap().iter().any(|it| it["agent_id"] == agent["agent_id"])
    };
    if hub.wants_keys {
        assert!(is_listed(&listed.ok()));
    }
    assert!(!listed.text().contains(key), "a list shows a key");
}

#[test]
fn registrations_are_checked() {
    let hub = hub();
    let long = "x".repeat(101);
    for (field, value) in [
        ("wallet_address", json!("")),
        ("wallet_address", json!(long)),
        ("wallet_address", json!("a b")),
        ("display_name", json!("x".repeat(51))),
        ("display_name", json!("a\u{0}")),
        ("metadata", json!([])),
        ("agent_id", json!("@treasury")),
        ("agent_id", json!("register")),
        ("agent_id", json!(7)),
    ] {
        let answer = hub.client.post("/agents/register", &json!({field: value}));
        answer.problem_with(422, "validation_failed", field);
    }
    let wallet = json!({"wallet_address": unique("wallet")});
    hub.client.post("/agents/register", &wallet).ok();
    let again = hub.client.post("/agents/register", &wallet).problem(409, "conflict");
    assert!(again["detail"].as_str().unwrap().contains("already registered as agent_"), "{again}");
    let id = json!({"agent_id": unique("agent")});
    hub.client.post("/agents/register", &id).ok();
    hub.client.post("/agents/register", &id).problem(409, "conflict");
}

#[test]
fn a_repeated_registration_makes_one_agent_and_does_not_show_the_key_again() {
    let hub = hub();
    let body = json!({"display_name": "once"});
    let client = keyed(&hub.client, &unique("key"));
    let first = client.post("/agents/register", &body).ok();
    let again = client.post("/agents/register", &body);
    assert!(is_replay(&again), "{again}");
    let again = again.ok();
    assert_eq!(again["api_key"], Value::Null);
    assert_eq!(again["agent"], first["agent"]);
    let other = client.post("/agents/register", &json!({"display_name": "twice"}));
    other.problem(422, "idempotency_mismatch");
}

#[test]
fn keys_have_the_scopes_that_were_asked_for_or_fewer() {
    let hub = hub();
    let agent = new_agent(&hub);
    let body = json!({"name": "ci", "scopes": ["write", "read"], "expires_in_days": 30});
    let made = agent.client.post("/auth/keys", &body);
    let made = made.has_fields(&["success", "api_key", "key_info"]);
    let info = &made["key_info"];
    assert_key_info(info);
    assert_eq!((&info["name"], &info["scopes"]), (&json!("ci"), &json!(["read", "write"])));
    assert!(is_timestamp(&info["expires_at"]), "{info}");

    let writer = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    let me = writer.get("/auth/me").has_fields(&["agent", "auth"]);
    assert_eq!(me["auth"]["agent_id"], json!(agent.id));
    assert_eq!(me["auth"]["scopes"], json!(["read", "write"]));
    writer.post("/auth/keys", &json!({"scopes": ["trade"]})).problem(403, "forbidden");
    let fewer = writer.post("/auth/keys", &json!({"scopes": ["write"]})).ok();
    assert_eq!(fewer["key_info"]["scopes"], json!(["write"]));
    let same = writer.post_empty("/auth/keys").ok();
    assert_eq!(same["key_info"]["scopes"], json!(["read", "write"]), "no more than its own");
    agent.client.post("/auth/keys", &json!({"scopes": ["admin"]})).problem(403, "forbidden");

    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(51))),
        ("scopes", json!([])),
        ("scopes", json!(["root"])),
        ("expires_in_days", json!(0)),
        ("expires_in_days", json!(-1)),
        ("expires_in_days", json!(366)),
    ] {
        let answer = agent.client.post("/auth/keys", &json!({field: value}));
        answer.problem_with(422, "validation_failed", field);
    }
    let stranger = json!({"agent_id": new_agent(&hub).id});
    agent.client.post("/auth/keys", &stranger).problem(403, "forbidden");
}

#[test]
fn the_admin_makes_keys_for_agents_and_keys_that_administer() {
    let hub = hub();
    if hub.key.is_none() {
        return;
    }
    let agent = new_agent(&hub);
    hub.client.post_empty("/auth/keys").problem_with(422, "validation_failed", "agent_id");
    let body = json!({"agent_id": agent.id, "scopes": ["read", "write", "admin"]});
    let made = hub.client.post("/auth/keys", &body).ok();
    let deputy = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    let check = json!({"timeout_seconds": 80_000});
    deputy.post("/cluster/check-heartbeat", &check).ok();
    agent.client.post("/cluster/check-heartbeat", &check).problem(403, "forbidden");
    // A deputy sees all, and passes its own power on to nobody.
    let other = new_agent(&hub);
    deputy.get(&format!("/auth/keys?agent_id={}", other.id)).ok();
    deputy.post("/auth/keys", &json!({"scopes": ["admin"]})).problem(403, "forbidden");
    let unknown = json!({"agent_id": unique("nobody")});
    hub.client.post("/auth/keys", &unknown).problem(404, "not_found");
}

#[test]
fn a_key_is_revoked_and_rotated_at_once() {
    let hub = hub();
    let agent = new_agent(&hub);
    let made = agent.client.post("/auth/keys", &json!({"name": "old"})).ok();
    let old = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
    let path = format!("/auth/keys/{}", made["key_info"]["key_id"].as_str().unwrap());
    old.get("/auth/me").ok();

    let rotated = agent.client.post_empty(&format!("{path}/rotate"));
    let rotated = rotated.has_fields(&["success", "api_key", "key_info"]);
    assert_eq!(rotated["key_info"]["name"], "old");
    old.get("/auth/me").problem(401, "unauthenticated");
    let new = hub.anonymous.with_key(rotated["api_key"].as_str().unwrap());
    new.get("/auth/me").ok();
    agent.client.post_empty(&format!("{path}/rotate")).problem(404, "not_found");

    let listed = new.get("/auth/keys").has_fields(&["keys"]);
    let keys = listed["keys"].as_array().unwrap();
    keys.iter().for_each(assert_key_info);
    assert_eq!(keys.len(), 2, "{listed}");
    assert!(is_timestamp(&keys[1]["last_used"]), "{listed}");

    let path = format!("/auth/keys/{}", rotated["key_info"]["key_id"].as_str().unwrap());
    let stranger = new_agent(&hub);
    stranger.client.delete(&path).problem(404, "not_found");
    stranger.client.post_empty(&format!("{path}/rotate")).problem(404, "not_found");
    agent.client.delete(&path).ok();
    new.get("/auth/me").problem(401, "unauthenticated");
    agent.client.delete(&path).problem(404, "not_found");
}

#[test]
fn a_key_cannot_become_more_by_rotation() {
    let hub = hub();
    let agent = new_agent(&hub);
    let me = agent.client.get("/auth/me").ok();
    let first = me["auth"]["key_id"].as_str().unwrap();
    let writer = agent.key_with(&["write"]);
    writer.post_empty(&format!("/auth/keys/{first}/rotate")).problem(403, "forbidden");
    agent.client.get("/auth/me").ok();
}
