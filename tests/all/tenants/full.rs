//! A Redis whose memory is used up: whoever reads, lets go, or tells that it is alive gets its answer;
//! whoever wants to add hears why not, and nothing is half done.

use serde_json::{Value, json};

use super::{new_tenant, task};
use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually, registration, unique};

fn set_maxmemory(redis: &mut redis::Connection, bytes: u64) {
    redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes).exec(redis).unwrap();
}

/// Everything that is kept, but for the time and what readers note.
fn kept(redis: &mut redis::Connection) -> u64 {
    redis::cmd("DBSIZE").query(redis).unwrap()
}

struct Scene {
    hub: Hub,
    redis: redis::Connection,
    agent: String,
    alice: Client,
    node: Value,
    session: String,
    message: String,
    claimed: Value,
}

/// One agent with something of everything, in a Redis that is full from then on.
fn full(server: &RedisServer) -> Scene {
    let hub = Hub::options().redis(server).start();
    let (agent, alice) = new_tenant(&hub);
    let node = alice.new_node_with("worker", &["dig"])["node_id"].clone();
    alice.post("/deposit", &json!({"agent_id": agent, "amount": "10"})).ok();
    let session = alice.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let said = json!({"content": "hello"});
    let said = alice.post(&format!("/sessions/{session}/messages"), &said).ok();
    let message = said["assistant_message_id"].as_str().unwrap().to_owned();
    alice.post("/tasks", &task("dig")).ok();
    alice.post("/tasks", &task("dig")).ok();
    let claimed = alice.post("/tasks/claim", &json!({"node_id": node})).ok()["tasks"][0].clone();
    let mail = json!({"from": agent, "content": "x"});
    alice.post(&format!("/inbox/{agent}"), &mail).ok();
    // A hold that is overdue by the time that somebody looks.
    let hold = json!({"agent_id": agent, "amount": "1", "expires_in_ms": 1000});
    alice.post("/holds", &hold).ok();
    let mut redis = server.connect();
    set_maxmemory(&mut redis, 1);
    Scene { hub, redis, agent, alice, node, session, message, claimed }
}

#[test]
fn readers_get_their_answers() {
    let server = RedisServer::start();
    let Scene { alice, agent, node, session, message, claimed, hub, .. } = full(&server);
    let node = node.as_str().unwrap();
    let task = claimed["task_id"].as_str().unwrap();
    let paths = [
        "/nodes".to_owned(),
        "/nodes/online".to_owned(),
        "/nodes/available".to_owned(),
        format!("/nodes/{node}"),
        format!("/nodes/{node}/health"),
        "/cluster/health".to_owned(),
        "/cluster/state".to_owned(),
        "/cluster/leader".to_owned(),
        "/cluster/leader/history".to_owned(),
        "/cluster/events".to_owned(),
        "/sessions".to_owned(),
        format!("/sessions/{session}"),
        format!("/sessions/{session}/messages"),
        format!("/messages/{message}"),
        format!("/messages/{message}/events"),
        "/tasks".to_owned(),
        "/tasks/pending".to_owned(),
        "/tasks/stats".to_owned(),
        "/tasks/dead".to_owned(),
        format!("/tasks/{task}"),
        format!("/tasks/{task}/why"),
        format!("/inbox/{agent}"),
        format!("/inbox/{agent}/dead"),
        "/agents".to_owned(),
        format!("/agents/{agent}"),
        "/auth/me".to_owned(),
        "/auth/keys".to_owned(),
        format!("/balance/{agent}"),
        "/holds".to_owned(),
        format!("/entries?agent_id={agent}"),
        "/intents".to_owned(),
        format!("/positions/{agent}"),
    ];
    // Also once the hold is overdue, which readers settle on their way.
    eventually("the hold is over", PATIENCE, || {
        for path in &paths {
            let answer = alice.get(path);
            assert_eq!(answer.status, 200, "{path}: {answer}");
        }
        (alice.get(&format!("/balance/{agent}")).ok()["locked"] == "0").then_some(())
    });
    let mut stream = alice.stream(&format!("/sessions/{session}/messages/{message}/stream"));
    assert_eq!(stream.take_events(1)[0].told().0, "message_start");
    drop(hub);
}

#[test]
fn whoever_adds_hears_why_not_and_nothing_is_half_done() {
    let server = RedisServer::start();
    let Scene { alice, agent, session, message, mut redis, hub, .. } = full(&server);
    let before = kept(&mut redis);
    let of_agent = json!({"agent_id": agent, "amount": "1"});
    for (path, body) in [
        ("/nodes/register".to_owned(), registration(&unique("new"))),
        ("/tasks".to_owned(), task("dig")),
        ("/sessions".to_owned(), json!({})),
        (format!("/sessions/{session}/messages"), json!({"content": "more"})),
        (format!("/sessions/{session}/tasks"), json!({"task_description": "more"})),
        (format!("/messages/{message}/append"), json!({"delta": "more"})),
        (format!("/inbox/{agent}"), json!({"from": agent, "content": "more"})),
        ("/deposit".to_owned(), of_agent.clone()),
        ("/auth/keys".to_owned(), json!({"name": "more"})),
    ] {
        let answer = alice.with("idempotency-key", &unique("key")).post(&path, &body);
        let problem = answer.problem(503, "store_full");
        assert!(answer.header("retry-after").is_some(), "{path}: {answer}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("memory"), "{path}: {detail}");
    }
    assert!(kept(&mut redis) <= before, "something was left behind");
    eventually("the hub says so", PATIENCE, || {
        let answer = alice.get("//readyz");
        (answer.status == 503).then(|| answer.problem(503, "store_full"))
    });

    set_maxmemory(&mut redis, 0);
    alice.post("/tasks", &task("dig")).ok();
    alice.post(&format!("/messages/{message}/append"), &json!({"delta": "more"})).ok();
    let text = alice.get(&format!("/messages/{message}")).ok()["text"].clone();
    assert_eq!(text, "more");
    drop(hub);
}

#[test]
fn who_lives_and_who_lets_go_goes_on() {
    let server = RedisServer::start();
    let Scene { alice, agent, node, claimed, hub, .. } = full(&server);
    let id = node.as_str().unwrap();
    alice.beat(id, &json!({"cpu_usage": 3, "claims": [claimed_as(&claimed)]}));
    let task = format!("/tasks/{}", claimed["task_id"].as_str().unwrap());
    let token = claimed["token"].clone();
    alice.post(&format!("{task}/progress"), &json!({"token": token, "progress": 0.5})).ok();
    alice.post(&format!("{task}/complete"), &json!({"token": token, "result": 1})).ok();
    alice.delete(&task).ok();
    let next = alice.post("/tasks/claim", &json!({"node_id": id})).ok()["tasks"][0].clone();
    let next = format!("/tasks/{}", next["task_id"].as_str().unwrap());
    alice.post_empty(&format!("{next}/cancel")).ok();
    let received = alice.post(&format!("/inbox/{agent}/receive"), &json!({})).ok();
    let receipts = json!({"receipts": [received["messages"][0]["receipt"]]});
    let acknowledged = alice.post(&format!("/inbox/{agent}/ack"), &receipts).ok();
    assert_eq!(acknowledged["acknowledged"], 1);
    alice.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    alice.delete(&format!("/nodes/{id}")).ok();
    drop(hub);
}

fn claimed_as(claimed: &Value) -> Value {
    json!({"task_id": claimed["task_id"], "token": claimed["token"]})
}
