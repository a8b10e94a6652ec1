//! Where things lie in Redis: the layout for Redis Cluster, and prefixes.

use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually};

/// All keys of that server, which has only this test's.
fn keys(redis: &mut redis::Connection) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let (next, page): (String, Vec<String>) =
            redis::cmd("SCAN").arg(&cursor).arg("COUNT").arg(1000).query(redis).unwrap();
        keys.extend(page);
        if next == "0" {
            return keys;
        }
        cursor = next;
    }
}

/// Goes through every route that touches Redis, and leaves one node.
pub fn use_everything(hub: &Hub) -> String {
    let client = hub.admin();
    let id = client.new_node("everywhere");
    client.with("idempotency-key", "k").post(&format!("/nodes/{id}/heartbeat"), &json!({})).ok();
    client.post("/heartbeats", &json!([{"node_id": id}])).ok();
    client.patch(&format!("/nodes/{id}"), &json!({"tags": ["x"]})).ok();
    client.post_empty("/cluster/check-heartbeat").ok();
    let campaign = json!({"node_id": id});
    let term = client.post("/cluster/leader/campaign", &campaign).ok()["term"].clone();
    for path in [
        "/nodes?tag=x&status=online&skill=build",
        "/nodes/online",
        "/nodes/available",
        "/nodes/skills/build",
        "/cluster/health",
        "/cluster/state",
        "/cluster/leader",
        "/cluster/leader/history",
        "/cluster/events",
        "//readyz",
        &format!("/nodes/{id}/health"),
    ] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
    write_and_send(&client, &id);
    queue_and_run(&client, &id);
    client.post("/cluster/leader/resign", &json!({"node_id": id, "term": term})).ok();
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    client.beat(&id, &json!({}));
    id
}

/// Goes through what touches tasks, and leaves one running.
fn queue_and_run(client: &Client, node: &str) {
    let submit =
        |fields: &Value| client.post("/tasks", fields).ok()["task_id"].as_str().unwrap().to_owned();
    let wanted = json!({"name": "n", "required_skills": ["build"], "user_id": "u"});
    let wanting = json!({"name": "n", "required_skills": ["build"], "affinity_tags": ["x"]});
    let claim = || {
        // Some hubs of these tests are quick to take a node for silent.
        client.beat(node, &json!({}));
        let claimed = client.post("/tasks/claim", &json!({"node_id": node})).ok();
        let task = &claimed["tasks"][0];
        (task["task_id"].as_str().unwrap().to_owned(), json!({"token": task["token"]}))
    };
    submit(&wanted);
    submit(&wanting);
    let kept_back = submit(&json!({"name": "n", "delay_ms": 600_000}));
    let (first, token) = claim();
    client.post(&format!("/tasks/{first}/progress"), &token).ok();
    let mut said = token.clone();
    said["lines"] = json!([{"text": "x"}]);
    let log = format!("/tasks/{first}/log");
    client.with("idempotency-key", "k").post(&log, &said).ok();
    assert_eq!(client.get(&log).ok()["lines"][0]["text"], "x");
    client.beat(node, &json!({"claims": [{"task_id": first, "token": token["token"]}]}));
    client.post(&format!("/tasks/{first}/complete"), &token).ok();
    let (second, mut token) = claim();
    token["retryable"] = json!(false);
    client.post(&format!("/tasks/{second}/fail"), &token).ok();
    client.post("/tasks/dead/redrive", &json!({"task_ids": [second]})).ok();
    client.post_empty(&format!("/tasks/{kept_back}/cancel")).ok();
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let shown = json!({"task_description": "n"});
    let shown = client.post(&format!("/sessions/{session}/tasks"), &shown).ok();
    client.post_empty(&format!("/tasks/{}/cancel", shown["task_id"].as_str().unwrap())).ok();
    for path in [
        "/tasks?status=completed&user_id=u",
        &format!("/tasks?session_id={session}&assigned_node={node}"),
        "/tasks/pending",
        "/tasks/dead",
        "/tasks/stats",
        &format!("/tasks/{first}"),
        &format!("/tasks/{second}/why"),
    ] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
    client.delete(&format!("/tasks/{first}")).ok();
    client.post("/tasks/cleanup", &json!({"days": 0})).ok();
    let (last, mut token) = claim();
    assert_eq!(last, second);
    token["lines"] = json!([{"text": "still there"}]);
    client.post(&format!("/tasks/{last}/log"), &token).ok();
}

/// A message whose keys are all there.
struct Written {
    session: String,
    message: String,
    content: String,
}

/// Goes through what touches sessions, messages and inboxes.
fn write_and_send(client: &Client, agent: &str) -> Written {
    let user = json!({"user_id": "u"});
    let session = client.post("/sessions", &user).ok()["session_id"].as_str().unwrap().to_owned();
    let messages = format!("/sessions/{session}/messages");
    let sent = client.with("idempotency-key", "k").post(&messages, &json!({"content": "x"})).ok();
    let message = sent["assistant_message_id"].as_str().unwrap().to_owned();
    let path = |tail: &str| format!("/messages/{message}/{tail}");
    let delta = json!({"delta": "x", "producer": {"id": "p", "epoch": 0, "seq": 0}});
    client.post(&path("append"), &delta).ok();
    let large = json!({"content_type": "html", "html": {"html": "x".repeat(20_000)}});
    let content = client.post(&path("content"), &large).ok();
    let content = content["content_id"].as_str().unwrap().to_owned();
    client.post(&path("tasks"), &json!({"task_type": "x", "task_id": "t"})).ok();
    client.patch(&path("tasks/t"), &json!({"status": "completed", "content": large})).ok();
    client.post_empty(&path("complete")).ok();
    let mail = json!({"from": "me", "content": "x"});
    let inbox = format!("/inbox/{agent}");
    client.post(&inbox, &mail).ok();
    client.post(&inbox, &mail).ok();
    let received = client.post(&format!("{inbox}/receive"), &json!({"limit": 1})).ok();
    let receipts = json!({"receipts": [received["messages"][0]["receipt"]]});
    client.post(&format!("{inbox}/ack"), &receipts).ok();
    client.post_empty(&format!("{inbox}/dead/redrive")).ok();
    for path in [
        "/sessions?user_id=u",
        &format!("/sessions/{session}"),
        &messages,
        &path("events"),
        &path(&format!("content/{content}")),
        &inbox,
        &format!("{inbox}/dead"),
    ] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
    let other = client.post("/sessions", &user).ok()["session_id"].as_str().unwrap().to_owned();
    client.post(&format!("/sessions/{other}/messages"), &json!({"content": "x"})).ok();
    client.delete(&format!("/sessions/{other}/messages?keep_days=0")).ok();
    client.delete(&format!("/sessions/{other}")).ok();
    Written { session, message, content }
}

#[test]
fn old_clients_see_the_text_grow() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let session = client.post("/sessions", &json!({"user_id": "u"})).ok();
    let messages = format!("/sessions/{}/messages", session["session_id"].as_str().unwrap());
    let opened = client.post(&messages, &json!({"content": "write"})).ok();
    let message = opened["assistant_message_id"].as_str().unwrap();
    let path = |end: &str| format!("/messages/{message}{end}");
    let mut redis = server.connect();
    let mut shown = || -> String {
        let key = format!("message:{message}");
        redis::cmd("HGET").arg(key).arg("text").query(&mut redis).unwrap()
    };
    let mut text = String::new();
    for delta in ["a", "\"é\"\n", "c"].into_iter().chain([&*"d".repeat(700)].repeat(40)) {
        client.post(&path("/append"), &json!({"delta": delta})).ok();
        text.push_str(delta);
        let shown = shown();
        assert!(text.starts_with(&shown));
        assert!(text.len() > 4096 || shown == text, "{} of {}", shown.len(), text.len());
        assert!(text.len() - shown.len() <= shown.len() / 16, "{} of {}", shown.len(), text.len());
        assert_eq!(client.get(&path("")).ok()["text"], text);
    }
    client.post_empty(&path("/complete")).ok();
    assert_eq!(shown(), text);
}

#[test]
fn old_clients_find_messages_where_they_look_for_them() {
    const HOUR_MS: i64 = 3_600_000;
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let agent = client.new_node("everywhere");
    let Written { session, message, content } = write_and_send(&client, &agent);
    let mut redis = server.connect();
    for (key, kind, hours) in [
        (format!("message:{message}"), "hash", 24),
        (format!("stream:session:{session}:message:{message}"), "stream", 24),
        (format!("session:{session}:messages"), "zset", 24),
        (format!("content:{content}"), "hash", 7 * 24),
    ] {
        let found: String = redis::cmd("TYPE").arg(&key).query(&mut redis).unwrap();
        assert_eq!(found, kind, "{key}");
        let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut redis).unwrap();
        let full = hours * HOUR_MS;
        let longest = full + full / reef_domain::limits::KEPT_LONGER;
        assert!((full - HOUR_MS..=longest).contains(&left), "{key}: {left} ms are left");
    }
    // What old readers find in the hash.
    for (field, value) in [("text", "x"), ("message_id", &*message), ("session_id", &*session)] {
        let key = format!("message:{message}");
        let found: String = redis::cmd("HGET").arg(key).arg(field).query(&mut redis).unwrap();
        assert_eq!(found, value, "{field}");
    }
    // All that belongs to a message ends some day.
    for key in keys(&mut redis).iter().filter(|key| key.contains(&message)) {
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut redis).unwrap();
        assert!(left > 0, "{key} stays for ever");
    }
    let messages = format!("/sessions/{session}/messages");
    client.delete(&format!("{messages}?keep_days=0")).ok();
    let kept = keys(&mut redis);
    let kept: Vec<_> = kept
        .iter()
        .filter(|key| key.contains(&message) || key.contains(&content))
        .filter(|key| !key.contains("once"))
        .collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn the_cluster_layout_runs_on_a_redis_cluster() {
    let server = RedisServer::start_cluster();
    let hub = Hub::options().redis(&server).variable("key_layout", "cluster").timeout(2.0).start();
    let client = hub.admin();
    let id = use_everything(&hub);
    // The monitor judges here as well.
    eventually("the verdict", PATIENCE, || (client.node(&id)["status"] == "offline").then_some(()));
    client.delete(&format!("/nodes/{id}")).ok();
    let keys = keys(&mut server.connect());
    assert!(keys.len() > 3, "{keys:?}");
    for key in &keys {
        let slot = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        assert!(slot.is_some_and(|(tag, _)| !tag.is_empty()), "{key} of {keys:?}");
    }
}

#[test]
fn several_hubs_share_a_redis_by_their_prefixes() {
    let server = RedisServer::start();
    let hub = |prefix: &str| Hub::options().redis(&server).variable("key_prefix", prefix).start();
    let (east, west) = (hub("east:"), hub("west:"));
    let id = use_everything(&east);
    use_everything(&west);
    assert_eq!(east.admin().get("/nodes").list().len(), 1);
    west.admin().get(&format!("/nodes/{id}")).problem(404, "not_found");
    let keys = keys(&mut server.connect());
    for key in &keys {
        assert!(key.starts_with("east:") || key.starts_with("west:"), "{key} of {keys:?}");
    }
}

#[test]
fn nothing_but_the_older_names_lies_outside_reefs_own() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    use_everything(&hub);
    let old = [
        "hb:",
        "openclaw:cluster:nodes",
        "openclaw:cluster:leader_lock",
        "openclaw:cluster:leader_history",
        "message:",
        "stream:session:",
        "session:",
        "content:",
    ];
    for key in keys(&mut server.connect()) {
        let known = key.starts_with("reef:") || old.iter().any(|name| key.starts_with(name));
        assert!(known, "{key}");
    }
}
