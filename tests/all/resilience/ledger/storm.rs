//! Fifty agents that deposit, pay, reserve and trade at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Agent, text};
use crate::harness::{Answer, Client, Hub, RedisServer, Role, verified_journal};

const AGENTS: usize = 50;

fn time() -> Duration {
    let full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
    Duration::from_secs(if full { 60 } else { 4 })
}

/// What may come of a request in a storm: success, or a refusal that says that the state does not
/// allow it any more.
#[track_caller]
fn expect(answer: &Answer) -> Option<Value> {
    let is_fine = matches!(answer.status, 200 | 409)
        || (answer.status == 400 && answer.json()["code"] == "insufficient_balance");
    assert!(is_fine, "{answer}");
    (answer.status == 200).then(|| answer.json())
}

struct Storm<'a> {
    agents: &'a [Agent],
    stop: AtomicBool,
    /// Requests that did something.
    done: AtomicUsize,
}

impl Storm<'_> {
    /// One agent's part in it.
    fn deal(&self, own: &Agent) {
        let mut random = fastrand::Rng::new();
        while !self.stop.load(Ordering::Relaxed) {
            let other = &self.agents[random.usize(..AGENTS)];
            let amount = random.u32(1..200);
            let (id, client) = (&own.id, &own.client);
            let post = |path: &str, body: Value| expect(&client.post(path, &body));
            let done = match random.u8(0..6) {
                0 => post("/deposit", json!({"agent_id": id, "amount": amount})),
                1 => post("/withdraw", json!({"agent_id": id, "amount": amount})),
                2 if other.id == *id => continue,
                2 => {
                    let body = json!({"from_agent": id, "to_agent": other.id, "amount": amount});
                    post("/transfer", body)
                }
                3 => {
                    let body = json!({"agent_id": id, "amount": amount, "expires_in_ms": 1000});
                    let hold = post("/holds", body);
                    hold.filter(|_| other.id != *id && random.bool()).and_then(|hold| {
                        let path = format!("/holds/{}/post", text(&hold["hold"]["hold_id"]));
                        post(&path, json!({"to_agent": other.id}))
                    })
                }
                _ => {
                    let side = if random.bool() { "long" } else { "short" };
                    let body = json!({
                        "agent_id": id, "intent_type": side, "asset": "BTC", "size": amount,
                        "leverage": random.u32(1..=20),
                    });
                    post("/intents", body)
                }
            };
            self.done.fetch_add(usize::from(done.is_some()), Ordering::Relaxed);
        }
    }

    /// Matches what is open, marks it, and closes some of it.
    fn make_matches(&self, admin: &Client) {
        let mut random = fastrand::Rng::new();
        while !self.stop.load(Ordering::Relaxed) {
            let open = admin.get("/intents?status=open&limit=50").ok();
            let of = |side: &str| -> Vec<String> {
                let all = open["intents"].as_array().unwrap().iter();
                let all = all.filter(|intent| intent["intent_type"] == side);
                all.map(|intent| text(&intent["intent_id"])).collect()
            };
            for (long, short) in of("long").iter().zip(&of("short")) {
                let body = json!({"with": short, "price": 100});
                let made = admin.post(&format!("/intents/{long}/match"), &body);
                let Some(made) = expect(&made) else { continue };
                let position = text(&made["positions"][random.usize(..2)]["position_id"]);
                let price = json!({"price": random.u32(80..120)});
                let verb = if random.bool() { "close" } else { "mark" };
                expect(&admin.post(&format!("/positions/{position}/{verb}"), &price));
            }
        }
    }
}

#[test]
fn fifty_agents_at_once_leave_books_that_balance() {
    let server = RedisServer::start();
    let hubs = [(); 2].map(|()| Hub::options().role(Role::Serve).redis(&server).start());
    let agents: Vec<_> = (0..AGENTS).map(|n| Agent::with(&hubs[n % 2].admin(), 1000)).collect();
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let storm = Storm { agents: &agents, stop, done };
    let admins = [hubs[0].admin(), hubs[1].admin()];
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for agent in &agents {
            scope.spawn(|| storm.deal(agent));
        }
        for admin in &admins {
            scope.spawn(|| storm.make_matches(admin));
        }
        std::thread::sleep(time());
        storm.stop.store(true, Ordering::Relaxed);
    });
    let done = storm.done.into_inner();
    println!("{done} movements in {:?}", begin.elapsed());
    assert!(done > AGENTS, "nothing moved");
    let shown: Vec<Value> = agents
        .iter()
        .map(|agent| agent.client.get(&format!("/balance/{}", agent.id)).ok())
        .collect();
    // Holds end by themselves as long as a hub is there to let them go.
    drop(hubs);
    let (entries, verifier) = verified_journal(server.connect());
    for kind in ["transfer", "hold_posted", "match", "close"] {
        assert!(entries.iter().any(|entry| entry.kind == kind), "no {kind}");
    }
    for (agent, shown) in agents.iter().zip(shown) {
        let figures = verifier.accounts()[&agent.id];
        let money = |micros| reef_domain::Money::from_micros(micros).unwrap().to_string();
        assert_eq!(shown["balance"], money(figures.balance), "{}", agent.id);
    }
}
