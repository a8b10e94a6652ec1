//! Whose a leadership is: one registration of one node of the caller, for as long as that node is
//! there.

use serde_json::{Value, json};

use crate::harness::{Client, Hub, NewAgent, PATIENCE, RedisServer, eventually, registration};

/// Registers a node, or registers it again, and answers its incarnation.
fn register(client: &Client, node: &str) -> u64 {
    let mut body = registration(node);
    body["node_id"] = json!(node);
    client.post("/nodes/register", &body).ok()["node_info"]["incarnation"].as_u64().unwrap()
}

fn campaign(client: &Client, body: &Value) -> Value {
    client.post("/cluster/leader/campaign", body).ok()
}

fn term(answer: &Value) -> u64 {
    answer["term"].as_u64().unwrap()
}

fn leader(client: &Client) -> Value {
    client.get("/cluster/leader").ok()["leader"].clone()
}

/// The newest entry of the history: event, node, why.
fn last_told(client: &Client) -> (Value, Value, Value) {
    let entry = client.get("/cluster/leader/history?limit=1").list().remove(0);
    (entry["event"].clone(), entry["node_id"].clone(), entry["reason"].clone())
}

fn two_agents(hub: &Hub) -> (NewAgent, NewAgent) {
    (hub.admin().new_agent(), hub.admin().new_agent())
}

#[test]
fn only_the_owner_of_a_registered_node_campaigns_and_resigns_with_it() {
    let hub = Hub::start();
    let (alice, bob) = two_agents(&hub);
    let ghost = json!({"node_id": "ghost"});
    for client in [&alice.client, &hub.admin()] {
        client.post("/cluster/leader/campaign", &ghost).problem(404, "not_found");
        let body = json!({"node_id": "ghost", "term": 0});
        client.post("/cluster/leader/resign", &body).problem(404, "not_found");
    }
    assert_eq!(leader(&alice.client), Value::Null);

    register(&alice.client, "gpu-1");
    let body = json!({"node_id": "gpu-1", "ttl_ms": 60_000});
    bob.client.post("/cluster/leader/campaign", &body).problem(403, "forbidden");
    let won = campaign(&alice.client, &body);
    // Everybody knows the term; that makes nobody the leader.
    let resign = json!({"node_id": "gpu-1", "term": term(&won)});
    bob.client.post("/cluster/leader/resign", &resign).problem(403, "forbidden");
    bob.client.post("/cluster/leader/campaign", &body).problem(403, "forbidden");
    assert_eq!(leader(&bob.client), "gpu-1");
    alice.client.post("/cluster/leader/resign", &resign).ok();
    assert_eq!(leader(&bob.client), Value::Null);
}

#[test]
fn a_second_registration_ends_the_lead_of_the_first() {
    let hub = Hub::start();
    let client = hub.admin();
    let first = register(&client, "gpu-1");
    let as_first = json!({"node_id": "gpu-1", "ttl_ms": 60_000, "incarnation": first});
    let before = campaign(&client, &as_first);
    assert_eq!((&before["is_leader"], &before["former_ttl_ms"]), (&json!(true), &Value::Null));
    let renewed = campaign(&client, &as_first);
    assert_eq!((term(&renewed), &renewed["is_leader"]), (term(&before), &json!(true)));

    let second = register(&client, "gpu-1");
    assert_eq!(leader(&client), Value::Null);
    assert_eq!(last_told(&client), (json!("lost"), json!("gpu-1"), json!("registered")));
    client.post("/cluster/leader/campaign", &as_first).problem(409, "fenced");

    let as_second = json!({"node_id": "gpu-1", "ttl_ms": 60_000, "incarnation": second});
    let after = campaign(&client, &as_second);
    assert_eq!((term(&after), &after["is_leader"]), (term(&before) + 1, &json!(true)));
    // The first may not know of it before its own lease has run out.
    let former = after["former_ttl_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&former), "{after}");
    client.post("/cluster/leader/campaign", &as_first).problem(409, "fenced");
    // Whoever says nothing of an incarnation speaks for the present one.
    let plain = campaign(&client, &json!({"node_id": "gpu-1", "ttl_ms": 60_000}));
    assert_eq!((term(&plain), &plain["is_leader"]), (term(&after), &json!(true)));
    let stale = json!({"node_id": "gpu-1", "term": term(&before)});
    client.post("/cluster/leader/resign", &stale).problem(409, "fenced");
}

#[test]
fn a_node_that_is_gone_does_not_lead() {
    let hub = Hub::start();
    let client = hub.admin();
    register(&client, "next");
    type Ending<'a> = (&'a str, &'a dyn Fn(&Client));
    let endings: [Ending<'_>; 3] = [
        ("shutdown", &|client| drop(client.post_empty("/nodes/gone/shutdown").ok())),
        ("removed", &|client| drop(client.delete("/nodes/gone").ok())),
        ("changed", &|client| {
            client.patch("/nodes/gone", &json!({"status": "offline"})).ok();
        }),
    ];
    for (reason, end) in endings {
        register(&client, "gone");
        let body = json!({"node_id": "gone", "ttl_ms": 600_000});
        let won = campaign(&client, &body);
        assert_eq!(won["is_leader"], true, "{reason}");
        end(&client);
        assert_eq!(leader(&client), Value::Null, "{reason}");
        let beat = client.beat("next", &json!({}));
        assert_eq!((&beat["leader"], &beat["term"]), (&Value::Null, &won["term"]), "{reason}");
        assert_eq!(last_told(&client), (json!("lost"), json!("gone"), json!(reason)));
        let events = client.get("/cluster/events?limit=1000").ok();
        let told = events["events"].as_array().unwrap().iter().rev();
        let told = told.clone().find(|event| event["event_type"] == "leader_changed").unwrap();
        let payload = json!({"leader": null, "term": won["term"], "previous": "gone",
            "reason": reason});
        assert_eq!(told["payload"], payload);

        let status = if reason == "removed" { (404, "not_found") } else { (409, "conflict") };
        client.post("/cluster/leader/campaign", &body).problem(status.0, status.1);
        let next = campaign(&client, &json!({"node_id": "next", "ttl_ms": 60_000}));
        assert_eq!((&next["is_leader"], term(&next)), (&json!(true), term(&won) + 1));
        let body = json!({"node_id": "next", "term": term(&next)});
        client.post("/cluster/leader/resign", &body).ok();
    }
    // Back again, it leads under a new term.
    let last = term(&client.get("/cluster/leader").ok());
    client.beat("gone", &json!({}));
    let won = campaign(&client, &json!({"node_id": "gone"}));
    assert_eq!((&won["is_leader"], term(&won)), (&json!(true), last + 1));
}

#[test]
fn a_node_that_falls_silent_does_not_lead() {
    let hub = Hub::options().timeout(1.0).start();
    let client = hub.admin();
    register(&client, "silent");
    let won = campaign(&client, &json!({"node_id": "silent", "ttl_ms": 600_000}));
    eventually("the end of the lead", PATIENCE, || leader(&client).is_null().then_some(()));
    assert_eq!(last_told(&client), (json!("lost"), json!("silent"), json!("timeout")));
    register(&client, "next");
    let next = campaign(&client, &json!({"node_id": "next"}));
    assert_eq!((&next["is_leader"], term(&next)), (&json!(true), term(&won) + 1));
}

#[test]
fn a_node_in_maintenance_keeps_its_lease_and_gets_no_other() {
    let hub = Hub::start();
    let client = hub.admin();
    register(&client, "gpu-1");
    let body = json!({"node_id": "gpu-1", "ttl_ms": 60_000});
    let won = campaign(&client, &body);
    client.patch("/nodes/gpu-1", &json!({"status": "maintenance"})).ok();
    client.post("/cluster/leader/campaign", &body).problem(409, "conflict");
    assert_eq!(leader(&client), "gpu-1");
    let body = json!({"node_id": "gpu-1", "term": term(&won)});
    client.post("/cluster/leader/resign", &body).ok();
}

#[test]
fn a_bot_leads_by_the_lock_alone_without_being_registered() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let mut redis = server.connect();
    let lock = "openclaw:cluster:leader_lock";
    let mut set = |ttl_ms: u64| {
        redis::cmd("SET").arg(lock).arg("bot:1").arg("PX").arg(ttl_ms).exec(&mut redis).unwrap();
    };
    set(60_000);
    let first = client.get("/cluster/leader").ok();
    assert_eq!(first["leader"], "bot");
    register(&client, "gpu-1");
    let lost = campaign(&client, &json!({"node_id": "gpu-1"}));
    assert_eq!((&lost["is_leader"], &lost["leader"]), (&json!(false), &json!("bot")));
    // It renews by the key's time to live.
    set(600_000);
    let renewed = client.get("/cluster/leader").ok();
    assert_eq!(renewed["term"], first["term"]);
    assert!(renewed["ttl_ms"].as_u64() > Some(60_000), "{renewed}");
    // And lets go by deleting it.
    redis::cmd("DEL").arg(lock).exec(&mut server.connect()).unwrap();
    let won = campaign(&client, &json!({"node_id": "gpu-1", "ttl_ms": 60_000}));
    assert_eq!((&won["is_leader"], term(&won)), (&json!(true), term(&first) + 1));
    // A removed node leaves no lock behind.
    client.delete("/nodes/gpu-1").ok();
    let left: Option<String> = redis::cmd("GET").arg(lock).query(&mut server.connect()).unwrap();
    assert_eq!(left, None);
}

#[test]
fn a_lock_that_only_redis_clock_keeps_alive_keeps_nobody_in_office() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    register(&client, "silent");
    register(&client, "next");
    let won = campaign(&client, &json!({"node_id": "silent", "ttl_ms": 300}));
    // What a clock that is set back by an hour makes of the lock: its state is as the hub left it,
    // and it lives on.
    let mut redis = server.connect();
    let lock = "openclaw:cluster:leader_lock";
    let later = 3_600_000 + 300;
    redis::cmd("PEXPIRE").arg(lock).arg(later).exec(&mut redis).unwrap();
    let expires: u64 = redis::cmd("PEXPIRETIME").arg(lock).query(&mut redis).unwrap();
    let value: String = redis::cmd("GET").arg(lock).query(&mut redis).unwrap();
    redis::cmd("HSET")
        .arg("reef:leader")
        .arg("lock")
        .arg(format!("{value}@{expires}"))
        .exec(&mut redis)
        .unwrap();
    eventually("the end of the lease", PATIENCE, || leader(&client).is_null().then_some(()));
    let next = campaign(&client, &json!({"node_id": "next"}));
    assert_eq!((&next["is_leader"], term(&next)), (&json!(true), term(&won) + 1));
}
