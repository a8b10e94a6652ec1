//! Each POST of money sent three times at once, through two hosts over one Redis: it happens once.

use serde_json::{Value, json};

use super::{Agent, text};
use crate::harness::{Answer, Hub, RedisServer, Role, race, unique, verified_journal};

struct Stage {
    server: RedisServer,
    hubs: [Hub; 2],
    alice: Agent,
    bob: Agent,
}

/// One request: where to, what, and what would be another.
struct Post {
    path: String,
    body: Value,
    altered: Value,
    /// By the admin.
    by_admin: bool,
    /// Entries of the journal that it writes.
    entries: i64,
}

impl Stage {
    fn new() -> Self {
        let server = RedisServer::start();
        let hub = || Hub::options().role(Role::Serve).redis(&server).start();
        let hubs = [hub(), hub()];
        let admin = hubs[0].admin();
        let (alice, bob) = (Agent::with(&admin, 10_000), Agent::with(&admin, 10_000));
        Self { server, hubs, alice, bob }
    }

    fn entries(&self) -> i64 {
        let mut redis = self.server.connect();
        redis::cmd("HGET").arg("reef:ledger").arg("entries").query(&mut redis).unwrap()
    }

    fn hold(&self) -> String {
        let body = json!({"agent_id": self.alice.id, "amount": 10});
        text(&self.alice.client.post("/holds", &body).ok()["hold"]["hold_id"])
    }

    fn intent(&self, agent: &Agent, side: &str) -> String {
        let body = json!({"agent_id": agent.id, "intent_type": side, "asset": "BTC", "size": "10"});
        text(&agent.client.post("/intents", &body).ok()["intent"]["intent_id"])
    }

    fn position(&self) -> String {
        let (a, b) = (self.intent(&self.alice, "long"), self.intent(&self.bob, "short"));
        let body = json!({"with": b, "price": 100});
        let made = self.hubs[0].admin().post(&format!("/intents/{a}/match"), &body).ok();
        text(&made["positions"][0]["position_id"])
    }

    /// A request of each kind, about things of its own.
    fn requests(&self) -> Vec<Post> {
        let alice = &self.alice.id;
        let plain = |path: &str, with: fn(&str, &str, i64) -> Value| Post {
            path: path.to_owned(),
            body: with(alice, &self.bob.id, 1),
            altered: with(alice, &self.bob.id, 2),
            by_admin: false,
            entries: 1,
        };
        let amount = |agent: &str, _: &str, n: i64| json!({"agent_id": agent, "amount": n});
        let of = |path: String, body: Value, altered: Value| Post {
            path,
            body,
            altered,
            by_admin: true,
            entries: 1,
        };
        let (a, b) = (self.intent(&self.alice, "long"), self.intent(&self.bob, "short"));
        let pay = |n: i64| json!({"to_agent": self.bob.id, "amount": n});
        let price = |n: i64| json!({"price": n});
        vec![
            plain("/deposit", amount),
            plain("/withdraw", amount),
            plain("/holds", amount),
            plain(
                "/transfer",
                |from, to, n| json!({"from_agent": from, "to_agent": to, "amount": n}),
            ),
            plain(
                "/intents",
                |agent, _, n| json!({"agent_id": agent, "intent_type": "long", "asset": "BTC", "size": n}),
            ),
            of(format!("/holds/{}/post", self.hold()), pay(1), pay(2)),
            of(format!("/holds/{}/void", self.hold()), json!({}), json!({"why": 1})),
            of(
                format!("/intents/{a}/match"),
                json!({"with": b, "price": 1}),
                json!({"with": b, "price": 2}),
            ),
            of(format!("/positions/{}/close", self.position()), price(101), price(102)),
            Post {
                entries: 0,
                ..of(format!("/positions/{}/mark", self.position()), price(101), price(102))
            },
        ]
    }

    /// Sends bodies at the same moment under one key, through one host and the other.
    fn at_once(&self, post: &Post, bodies: &[&Value]) -> Vec<Answer> {
        let key = unique("key");
        race(bodies.len(), |number| {
            let hub = &self.hubs[number % self.hubs.len()];
            let agent = hub.anonymous().with_key(&self.alice.key);
            let client = if post.by_admin { hub.admin() } else { agent };
            client.with("idempotency-key", &key).post(&post.path, bodies[number])
        })
    }
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

#[test]
fn equal_requests_at_once_through_two_hosts_have_one_effect() {
    let stage = Stage::new();
    for post in stage.requests() {
        let before = stage.entries();
        let answers = stage.at_once(&post, &[&post.body; 3]);
        for answer in &answers {
            answer.ok();
            assert_eq!(answer.text(), answers[0].text(), "{answer}");
        }
        let replays = answers.iter().filter(|answer| is_replay(answer)).count();
        assert_eq!(replays, 2, "{}", post.path);
        assert_eq!(stage.entries() - before, post.entries, "{}", post.path);
    }
    verified_journal(stage.server.connect());
}

#[test]
fn different_requests_at_once_under_one_key_have_the_effect_of_one() {
    let stage = Stage::new();
    for post in stage.requests() {
        let before = stage.entries();
        let answers = stage.at_once(&post, &[&post.body, &post.altered, &post.body]);
        let [first, altered, third] = &answers[..] else { panic!() };
        if altered.status == 200 {
            first.problem(422, "idempotency_mismatch");
            third.problem(422, "idempotency_mismatch");
        } else {
            altered.problem(422, "idempotency_mismatch");
            first.ok();
            assert_eq!(first.text(), third.text());
            assert_ne!(is_replay(first), is_replay(third), "{first}");
        }
        assert_eq!(stage.entries() - before, post.entries, "{}", post.path);
    }
    verified_journal(stage.server.connect());
}
