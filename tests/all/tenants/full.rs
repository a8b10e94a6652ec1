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

/// Lets the server of a test refuse functions, so that the hub sends scripts.
fn refuse_functions(redis: &mut redis::Connection) {
    let mut set = redis::cmd("ACL");
    set.arg("SETUSER").arg("default").arg("-fcall").arg("-function|load").exec(redis).unwrap();
}

/// What frees memory goes on, whoever does it: callers, and the monitor, which must not stop at what is
/// refused.
#[test]
fn what_frees_memory_goes_on() {
    for has_functions in [true, false] {
        let server = RedisServer::start();
        let mut redis = server.connect();
        if !has_functions {
            refuse_functions(&mut redis);
        }
        let hub = Hub::options().redis(&server).start();
        let admin = hub.admin();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let agent = admin.new_agent();
        let key = text(&agent.client.get("/auth/keys").ok()["keys"][0]["key_id"]);
        let other = admin.new_agent();
        let invite = admin.post("/invites", &json!({})).ok();
        let invite = text(&invite["invite_info"]["invite_id"]);
        let session = text(&admin.post_empty("/sessions").ok()["session_id"]);
        admin.post(&format!("/sessions/{session}/messages"), &json!({"content": "hello"})).ok();
        let node = text(&admin.new_node_with("digger", &["dig", "simple"])["node_id"]);
        let claim =
            || admin.post("/tasks/claim", &json!({"node_id": node})).ok()["tasks"][0].clone();
        let end = |held: &Value| {
            let path = format!("/tasks/{}/complete", held["task_id"].as_str().unwrap());
            admin.post(&path, &json!({"token": held["token"], "result": 1})).ok();
        };
        let old = text(&admin.post("/tasks", &task("dig")).ok()["task_id"]);
        end(&claim());
        let shown = json!({"task_description": "dig"});
        admin.post(&format!("/sessions/{session}/tasks"), &shown).ok();
        let shown = claim();
        end(&shown);
        let mut short = task("dig");
        short["keep_completed_ms"] = json!(0);
        let short = text(&admin.post("/tasks", &short).ok()["task_id"]);
        let held = claim();
        // As if the message of a task had not heard of its end, and were to be told at once.
        let owed = ("reef:tasks:unsettled", shown["task_id"].as_str().unwrap());
        redis::cmd("ZADD").arg(owed.0).arg(0).arg(owed.1).exec(&mut redis).unwrap();
        set_maxmemory(&mut redis, 1);

        end(&held);
        eventually("the monitor forgets it", PATIENCE, || {
            (admin.get(&format!("/tasks/{short}")).status == 404).then_some(())
        });
        admin.delete(&format!("/tasks/{old}")).ok();
        admin.post("/tasks/cleanup", &json!({"days": 0})).ok();
        agent.client.delete(&format!("/auth/keys/{key}")).ok();
        agent.client.get("/auth/me").problem(401, "unauthenticated");
        admin.delete(&format!("/invites/{invite}")).ok();
        admin.delete(&format!("/agents/{}", other.id)).ok();
        admin.delete(&format!("/sessions/{session}/messages?keep_days=0")).ok();
        admin.delete(&format!("/sessions/{session}")).ok();
        admin.delete(&format!("/nodes/{node}")).ok();

        set_maxmemory(&mut redis, 0);
        eventually("the monitor does the rest", PATIENCE, || {
            let left: Option<i64> =
                redis::cmd("ZSCORE").arg(owed.0).arg(owed.1).query(&mut redis).unwrap();
            left.is_none().then_some(())
        });
    }
}

fn used_memory(redis: &mut redis::Connection) -> u64 {
    let info: String = redis::cmd("INFO").arg("memory").query(redis).unwrap();
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    used.unwrap().trim().parse().unwrap()
}

#[test]
fn it_heals_by_itself_when_memory_is_freed_and_warns_before() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let admin = hub.admin();
    let mut redis = server.connect();
    let warns = || {
        let warnings = admin.get("//readyz").ok()["warnings"].to_string();
        warnings.contains("90 %").then_some(())
    };
    assert_eq!(warns(), None);
    let max = used_memory(&mut redis) + (4 << 20);
    set_maxmemory(&mut redis, max);
    let mut large = task("dig");
    large["parameters"] = json!({"text": "x".repeat(500_000)});
    let mut waiting = Vec::new();
    let refused = loop {
        let answer = admin.post("/tasks", &large);
        if answer.status == 503 {
            break answer;
        }
        waiting.push(answer.ok()["task_id"].as_str().unwrap().to_owned());
        assert!(waiting.len() < 20, "it takes them all");
    };
    refused.problem(503, "store_full");
    eventually("the hub warns", PATIENCE, || {
        // Requests that have ended may still take some of it.
        let nearly = used_memory(&mut redis) / 95 * 100;
        set_maxmemory(&mut redis, nearly);
        warns()
    });
    eventually("the metrics show it", PATIENCE, || {
        let shown = admin.get("//metrics").text();
        let value = |name: &str| -> Option<f64> {
            let line = shown.lines().find(|line| line.starts_with(name))?;
            line.rsplit(' ').next()?.parse().ok()
        };
        let max = value("reef_redis_memory_max_bytes ")?;
        (max > 0.0 && value("reef_redis_memory_used_bytes ")? > 0.0).then_some(())
    });
    set_maxmemory(&mut redis, max);
    for id in &waiting {
        admin.post_empty(&format!("/tasks/{id}/cancel")).ok();
        admin.delete(&format!("/tasks/{id}")).ok();
    }
    eventually("it takes more", PATIENCE, || {
        (admin.post("/tasks", &large).status == 200).then_some(())
    });
}
