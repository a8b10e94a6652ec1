//! The older systems' clients, which know nothing of Reef.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{
    Client, Hub, PATIENCE, Program, RedisServer, Role, Signal, eventually, root, unique,
};

#[test]
fn a_worker_registers_beats_and_says_goodbye() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    let hostname = unique("worker");
    let mut worker = Program::start(
        Command::new("python3").arg(root().join("tests/clients/legacy_worker.py")).args([
            "--url",
            hub.url(),
            "--hostname",
            &hostname,
            "--interval",
            "0.2",
        ]),
    );
    let id = worker.line(PATIENCE, |line| line.strip_prefix("registered ").map(str::to_owned));
    for _ in 0..3 {
        worker.line(PATIENCE, |line| line.starts_with("heartbeat").then_some(()));
    }
    let node = client.node(&id);
    assert_eq!(node["hostname"], hostname);
    assert_eq!((&node["platform"], &node["arch"]), (&json!("linux"), &json!("x64")));
    assert_eq!(node["status"], "online");
    assert_eq!(node["cpu_usage"].as_f64(), Some(12.5));
    assert_eq!(client.get("/nodes/skills/python").list().len(), 1);

    worker.signal(Signal::Terminate);
    worker.line(PATIENCE, |line| line.starts_with("shut down").then_some(()));
    assert!(worker.wait(PATIENCE).success(), "{}", worker.stderr());
    assert_eq!(client.node(&id)["status"], "offline");
}

/// A bot that only writes to Redis.
struct Bot {
    redis: redis::Connection,
    id: String,
}

impl Bot {
    fn new(server: &RedisServer) -> Self {
        Self { redis: server.connect(), id: unique("bot") }
    }

    /// What these bots do every few seconds.
    fn beat(&mut self) {
        let beat = json!({"status": "online", "ts": 1_770_000_000, "node": self.id});
        redis::cmd("SETEX")
            .arg(format!("hb:{}", self.id))
            .arg(30)
            .arg(beat.to_string())
            .query::<()>(&mut self.redis)
            .unwrap();
        let entry = json!({"node": self.id, "status": "online", "skills": ["chat"]});
        redis::cmd("HSET")
            .arg("openclaw:cluster:nodes")
            .arg(&self.id)
            .arg(entry.to_string())
            .query::<()>(&mut self.redis)
            .unwrap();
    }

    /// The key runs out, as it does when the bot has been silent for 30 s.
    fn fall_silent(&mut self) {
        redis::cmd("DEL").arg(format!("hb:{}", self.id)).query::<()>(&mut self.redis).unwrap();
    }

    /// It leaves the older system's registry.
    fn leave(&mut self) {
        redis::cmd("HDEL")
            .arg("openclaw:cluster:nodes")
            .arg(&self.id)
            .query::<()>(&mut self.redis)
            .unwrap();
        self.fall_silent();
    }

    fn find(&self, client: &Client) -> Option<Value> {
        let nodes = client.get("/nodes").list();
        nodes.into_iter().find(|node| node["hostname"] == *self.id)
    }

    fn wait_for(&self, client: &Client, status: &str, patience: Duration) {
        eventually(&format!("the bot {status}"), patience, || {
            (self.find(client)?["status"] == status).then_some(())
        });
    }
}

#[test]
fn a_bot_that_only_writes_to_redis_shows_up_and_stays_alive() {
    const TIMEOUT: f64 = 2.0;
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).timeout(TIMEOUT).start();
    let client = hub.admin();
    let mut bot = Bot::new(&server);
    bot.beat();
    let node = eventually("the bot", Duration::from_secs(5), || bot.find(&client));
    assert_eq!(node["status"], "online");
    assert_eq!((&node["platform"], &node["arch"]), (&Value::Null, &Value::Null));
    assert_eq!(client.node(node["node_id"].as_str().unwrap())["hostname"], *bot.id);

    // Its key lives, so it lives, for longer than the timeout and without a new heartbeat.
    let start = Instant::now();
    eventually("three timeouts", PATIENCE, || {
        assert_eq!(bot.find(&client).unwrap()["status"], "online");
        (start.elapsed() > Duration::from_secs_f64(3.0 * TIMEOUT)).then_some(())
    });
    bot.fall_silent();
    bot.wait_for(&client, "offline", Duration::from_secs(6));
    bot.beat();
    bot.wait_for(&client, "online", Duration::from_secs(5));
}

#[test]
fn without_a_monitor_the_cron_trigger_finds_the_bots() {
    let server = RedisServer::start();
    let hub = Hub::options().role(Role::Serve).redis(&server).start();
    let mut bot = Bot::new(&server);
    bot.beat();
    // The trigger fires every five seconds.
    eventually("the bot", Duration::from_secs(6), || bot.find(&hub.admin()));
}

#[test]
fn what_a_broken_bot_writes_keeps_no_other_from_being_seen() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    for (id, entry) in [
        ("not-json", "hello"),
        ("a{brace}", "{}"),
        ("", "{}"),
        ("array", "[1,2]"),
        ("odd", "{\"skills\": 5, \"hostname\": {}}"),
    ] {
        redis::cmd("HSET")
            .arg("openclaw:cluster:nodes")
            .arg(id)
            .arg(entry)
            .query::<()>(&mut redis)
            .unwrap();
        redis::cmd("SETEX")
            .arg(format!("hb:{id}"))
            .arg(30)
            .arg("\0")
            .query::<()>(&mut redis)
            .unwrap();
    }
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let mut bot = Bot::new(&server);
    bot.beat();
    eventually("the bot", Duration::from_secs(5), || bot.find(&client));
    let nodes = client.get("/nodes").list();
    assert!(nodes.iter().all(|node| node["node_id"] != "a{brace}" && node["node_id"] != ""));
}

#[test]
fn a_deleted_bot_that_is_gone_stays_gone() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).timeout(2.0).start();
    let client = hub.admin();
    let mut bot = Bot::new(&server);
    bot.beat();
    let node = eventually("the bot", Duration::from_secs(5), || bot.find(&client));
    bot.fall_silent();
    client.delete(&format!("/nodes/{}", node["node_id"].as_str().unwrap())).ok();
    // Another bot's arrival shows that the monitor has looked again.
    let mut other = Bot::new(&server);
    other.beat();
    eventually("the other bot", Duration::from_secs(5), || other.find(&client));
    assert_eq!(bot.find(&client), None);
}

#[test]
fn a_bot_is_noticed_also_when_another_has_left() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).timeout(2.0).start();
    let client = hub.admin();
    let (mut first, mut second) = (Bot::new(&server), Bot::new(&server));
    first.beat();
    eventually("the first bot", Duration::from_secs(5), || first.find(&client));
    first.leave();
    first.wait_for(&client, "offline", Duration::from_secs(6));
    second.beat();
    eventually("the second bot", Duration::from_secs(5), || second.find(&client));
}

#[test]
fn mail_that_an_old_client_pushed_is_read() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let agent = unique("agent");
    let mut redis = server.connect();
    let old = json!({"from": "bot-1", "type": "greeting", "content": "hello", "timestamp": 17});
    for pushed in [&old.to_string(), "{\"task\": 5}", "no JSON at all"] {
        let list = format!("inbox:{agent}");
        redis::cmd("LPUSH").arg(list).arg(pushed).query::<()>(&mut redis).unwrap();
    }
    client.post(&format!("/inbox/{agent}"), &json!({"from": "new", "content": "hi"})).ok();
    let seen = client.get(&format!("/inbox/{agent}")).ok();
    assert_eq!(seen["depth"], 4);
    let received = client.post_empty(&format!("/inbox/{agent}/receive")).ok();
    let mail = received["messages"].as_array().unwrap();
    let find = |content: Value| {
        let found = mail.iter().find(|mail| mail["content"] == content);
        found.unwrap_or_else(|| panic!("{content} is not in {mail:?}"))
    };
    let first = find(json!("hello"));
    assert_eq!((&first["from"], &first["topic"]), (&json!("bot-1"), &json!("greeting")));
    assert_eq!((&first["priority"], &first["timestamp"]), (&json!("medium"), &json!(17)));
    find(json!({"task": 5}));
    find(json!("no JSON at all"));
    let place = |content: Value| mail.iter().position(|mail| mail["content"] == content);
    assert!(place(json!("hello")) < place(json!({"task": 5})), "first in, first out: {mail:?}");
    let receipts: Vec<_> = mail.iter().map(|mail| &mail["receipt"]).collect();
    let acknowledged = client.post(&format!("/inbox/{agent}/ack"), &json!({"receipts": receipts}));
    assert_eq!(acknowledged.ok(), json!({"acknowledged": 4, "unknown": 0}));
}

#[test]
fn new_mail_reaches_a_bot_that_waits_on_the_old_list() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).variable("legacy_inbox", "true").start();
    let client = hub.admin();
    let agent = unique("agent");
    let mut redis = server.connect();
    let mut sent = Vec::new();
    for content in ["first", "second"] {
        let body = json!({"from": "me", "content": content});
        sent.push(client.post(&format!("/inbox/{agent}"), &body).ok()["msg_id"].clone());
    }
    for (content, id) in ["first", "second"].into_iter().zip(&sent) {
        let mut pop = redis::cmd("BRPOP");
        let (_, mail): (String, String) =
            pop.arg(format!("inbox:{agent}")).arg(5).query(&mut redis).unwrap();
        let mail: Value = serde_json::from_str(&mail).unwrap();
        assert_eq!((&mail["msg_id"], &mail["content"]), (id, &json!(content)));
        assert_eq!((&mail["from"], &mail["topic"]), (&json!("me"), &json!("general")));
    }
    // Who reads over HTTP gets each of them once, and not the list's copy as well.
    let received = client.post_empty(&format!("/inbox/{agent}/receive")).ok();
    let received = received["messages"].as_array().unwrap().iter().map(|mail| &mail["msg_id"]);
    assert!(received.eq(&sent));
}
