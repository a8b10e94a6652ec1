//! Admin keys beside the deployment's own.

use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, Program, RedisServer, eventually, reef};

/// Makes an admin key: who holds it, and its id.
#[track_caller]
fn made(by: &Client, wish: &Value) -> (Client, String) {
    let mut body = json!({"agent_id": "@admin"});
    body.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
    let made = by.post("/auth/keys", &body).ok();
    let key_id = made["key_info"]["key_id"].as_str().unwrap().to_owned();
    (by.anonymous().with_key(made["api_key"].as_str().unwrap()), key_id)
}

fn deletes(key_id: &str) -> String {
    format!("/auth/keys/{key_id}")
}

#[test]
fn admin_keys_are_good_on_every_host_until_they_are_revoked() {
    let server = RedisServer::start();
    let one = Hub::options().redis(&server).start();
    let other = Hub::options().redis(&server).start();
    let (ops, key_id) = made(&one.admin(), &json!({"name": "ops"}));
    let there = other.anonymous().with_key(ops.key().unwrap());
    let me = there.get("/auth/me").ok();
    assert_eq!(me["auth"]["agent_id"], "@admin");
    assert_eq!(me["auth"]["key_id"], key_id.as_str());
    assert_eq!(me["auth"]["scopes"], json!(["read", "write", "trade", "approve", "admin"]));

    // It does all that the first does, and the log says which it was.
    let agent = there.new_agent();
    let deposit = json!({"agent_id": agent.id, "amount": "5"});
    there.post("/deposit", &deposit).ok();
    one.admin().post("/deposit", &deposit).ok();
    let told = |hub: &Hub, key: &str| {
        let wanted = format!("admin_key={key} method=POST path=\"/api/v1/deposit\" outcome=done");
        eventually("the line of the log", PATIENCE, || hub.log().contains(&wanted).then_some(()));
    };
    told(&other, &key_id);
    told(&one, "root");

    one.admin().delete(&deletes(&key_id)).ok();
    for hub in [&one, &other] {
        let revoked = hub.anonymous().with_key(ops.key().unwrap());
        revoked.get("/auth/me").problem(401, "unauthenticated");
    }
    one.admin().get("/auth/me").ok();
}

#[test]
fn only_admin_keys_deal_with_admin_keys() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (ops, key_id) = made(&admin, &json!({"name": "ops"}));
    let agent = admin.new_agent();
    let all =
        json!({"agent_id": agent.id, "scopes": ["read", "write", "trade", "approve", "admin"]});
    let deputy = ops.post("/auth/keys", &all).ok();
    let deputy = hub.anonymous().with_key(deputy["api_key"].as_str().unwrap());
    for caller in [&agent.client, &deputy] {
        caller.post("/auth/keys", &json!({"agent_id": "@admin"})).problem(403, "forbidden");
        caller.get("/auth/keys?agent_id=@admin").problem(403, "forbidden");
        caller.post_empty(&format!("/auth/keys/{key_id}/rotate")).problem(404, "not_found");
        caller.delete(&deletes(&key_id)).problem(404, "not_found");
    }
    let some = json!({"agent_id": "@admin", "scopes": ["read"]});
    admin.post("/auth/keys", &some).problem(422, "validation_failed");
    // Whose key is wanted must be said, lest an admin key is made by mistake.
    ops.post("/auth/keys", &json!({})).problem(422, "validation_failed");

    let rotated = ops.post_empty(&format!("/auth/keys/{key_id}/rotate")).ok();
    ops.get("/auth/me").problem(401, "unauthenticated");
    let ops = hub.anonymous().with_key(rotated["api_key"].as_str().unwrap());
    let listed = ops.get("/auth/keys?agent_id=@admin").ok();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["keys"][0]["name"], "ops");
}

#[test]
fn an_admin_key_that_ends_makes_none_that_outlives_it() {
    let hub = Hub::start();
    let (brief, _) = made(&hub.admin(), &json!({"name": "brief", "expires_in_days": 1}));
    let longer = json!({"agent_id": "@admin", "expires_in_days": 2});
    brief.post("/auth/keys", &longer).problem(403, "forbidden");
    let (_, next) = made(&brief, &json!({"name": "next"}));
    let (_, lasting) = made(&hub.admin(), &json!({"name": "lasting"}));
    brief.delete(&deletes(&lasting)).problem(403, "forbidden");
    brief.delete(&deletes(&next)).ok();
}

#[test]
fn the_commands_make_list_rotate_and_revoke() {
    let hub = Hub::start();
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = reef();
        command.args(["admin", "keys"]).args(args).current_dir(folder.path());
        command.args(["--json", "--hub", hub.url(), "--key-file"]);
        command.arg(hub.state_dir().join("admin.key"));
        let ended = Program::run(&mut command, PATIENCE);
        assert!(ended.status.success(), "{args:?}: {ended:?}");
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    let key_id = |answer: &Value| answer["key_info"]["key_id"].as_str().unwrap().to_owned();
    let saved = |name: &str| {
        let key = std::fs::read_to_string(folder.path().join(name)).unwrap();
        hub.anonymous().with_key(key.trim()).get("/auth/me").status
    };
    let first = key_id(&run(&["create", "ops", "--save", "ops.key"]));
    assert_eq!(saved("ops.key"), 200);
    let second = key_id(&run(&["rotate", &first, "--save", "new.key"]));
    assert_eq!((saved("ops.key"), saved("new.key")), (401, 200));
    assert_eq!(run(&["list"])["keys"][0]["key_id"], second.as_str());
    run(&["revoke", &second]);
    assert_eq!(saved("new.key"), 401);
    assert_eq!(run(&["list"])["keys"], json!([]));
}
