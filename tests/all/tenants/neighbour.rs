//! One tenant does its worst, in each dimension by itself, while another goes on working: nothing of
//! it is lost or refused. Times are never asserted; `REEF_NEIGHBOUR_ROUNDS=300` with `--no-capture`
//! prints how long the other's requests took, beside its own in the quiet between;
//! `REEF_NEIGHBOUR_KINDS=bytes,lists` only what these cost.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{new_tenant, task};
use crate::harness::{Answer, Client, Hub, Message, registration, unique};

/// Requests that the noisy tenant has under way at any time.
const HANDS: usize = 8;

/// How long each of a victim's requests took.
type Times = BTreeMap<&'static str, Vec<Duration>>;

/// An agent at its daily work.
struct Victim {
    id: String,
    client: Client,
    partner: String,
    from_partner: Client,
    node: Value,
    skill: String,
    message: String,
    appended: String,
    paid: usize,
}

impl Victim {
    fn new(hub: &Hub) -> Self {
        let (id, client) = new_tenant(hub);
        let (partner, from_partner) = new_tenant(hub);
        let skill = unique("dig");
        let node = client.new_node_with("worker", &[&skill])["node_id"].clone();
        client.post("/deposit", &json!({"agent_id": id, "amount": "100000"})).ok();
        let message = Message::begin(&client).id;
        let appended = String::new();
        Self { id, client, partner, from_partner, node, skill, message, appended, paid: 0 }
    }

    /// One of everything, each of which must succeed.
    fn work(&mut self, times: &mut Times) {
        let client = self.client.clone();
        let mut timed = |name: &'static str, ask: &dyn Fn() -> Answer| {
            let begun = Instant::now();
            let answer = ask();
            times.entry(name).or_default().push(begun.elapsed());
            assert_eq!(answer.status, 200, "{name}: {answer}");
            answer
        };
        let node = self.node.as_str().unwrap();
        let beat = json!({"cpu_usage": 1});
        timed("heartbeat", &|| client.post(&format!("/nodes/{node}/heartbeat"), &beat));
        let submitted = timed("submit", &|| client.post("/tasks", &task(&self.skill))).json();
        let claim = json!({"node_id": node});
        let claimed = timed("claim", &|| client.post("/tasks/claim", &claim)).json();
        let claimed = &claimed["tasks"][0];
        assert_eq!(claimed["task_id"], submitted["task_id"]);
        let path = format!("/tasks/{}/complete", claimed["task_id"].as_str().unwrap());
        let token = json!({"token": claimed["token"]});
        timed("complete", &|| client.post(&path, &token));

        let inbox = format!("/inbox/{}", self.id);
        let mail = json!({"from": self.partner, "content": "x", "priority": "high"});
        let sent = timed("send", &|| self.from_partner.post(&inbox, &mail)).json();
        timed("look", &|| client.get(&format!("{inbox}?limit=10")));
        let take = json!({"limit": 1});
        let mail = timed("receive", &|| client.post(&format!("{inbox}/receive"), &take)).json();
        assert_eq!(mail["messages"][0]["msg_id"], sent["msg_id"]);
        let receipts = json!({"receipts": [mail["messages"][0]["receipt"]]});
        timed("ack", &|| client.post(&format!("{inbox}/ack"), &receipts));

        let delta = json!({"delta": "word "});
        let path = format!("/messages/{}/append", self.message);
        timed("append", &|| client.post(&path, &delta));
        self.appended.push_str("word ");
        let pay = json!({"from_agent": self.id, "to_agent": self.partner, "amount": "1"});
        timed("transfer", &|| client.post("/transfer", &pay));
        self.paid += 1;
        timed("readyz", &|| client.get("//readyz"));
    }

    /// Nothing of what was done is lost.
    fn assert_whole(&self) {
        let message = self.client.get(&format!("/messages/{}", self.message)).ok();
        assert_eq!(message["text"], self.appended);
        let balance = self.client.get(&format!("/balance/{}", self.id)).ok();
        assert_eq!(balance["balance"], (100_000 - self.paid).to_string());
        assert_eq!(self.client.node(self.node.as_str().unwrap())["status"], "online");
    }
}

/// What a noisy tenant does over and over; `n` is another number each time.
type Deed = Box<dyn Fn(&Client, u64) -> u16 + Sync>;

/// Sends a request; 0 for one that got no answer, which is the noisy tenant's own affair.
fn status(client: &Client, method: &str, path: &str, body: &Value) -> u16 {
    let body = (!body.is_null()).then(|| body.to_string().into_bytes());
    client.try_send(method, path, body.as_deref()).map_or(0, |answer| answer.status)
}

/// Its worst, dimension by dimension.
fn deeds(hub: &Hub, victim: &Victim, mallory: &str, client: &Client) -> Vec<(&'static str, Deed)> {
    let (me, prey) = (mallory.to_owned(), victim.id.clone());
    let node = client.new_node("flapping");
    let skills: Vec<String> = (0..99).map(|n| format!("skill-{n}")).collect();
    let mut decoy: Vec<&str> = skills.iter().map(String::as_str).collect();
    decoy.push(&victim.skill);
    client.new_node_with("decoy", &decoy);
    let wanted = victim.skill.clone();
    let address = hub.anonymous().address().to_owned();
    let agent = mallory.to_owned();
    let large = "x".repeat(500_000);
    let text = "x".repeat(60_000);
    vec![
        (
            "bytes",
            Box::new(move |client, _| {
                let body = json!({"name": "large", "required_skills": ["never"],
                "parameters": {"text": large}});
                status(client, "POST", "/tasks", &body)
            }),
        ),
        (
            "classes",
            Box::new(move |client, n| {
                // The victim's node has the first of these skills.
                let wants = [&wanted, &skills[n as usize % 99], &skills[n as usize / 99 % 99]];
                status(
                    client,
                    "POST",
                    "/tasks",
                    &json!({"name": "decoy", "required_skills": wants}),
                )
            }),
        ),
        (
            "streams",
            Box::new(|client, _| {
                let streams: Vec<_> =
                    (0..20).filter_map(|_| client.stream_and_cut("/events/stream", 1)).collect();
                if streams.is_empty() { 429 } else { 200 }
            }),
        ),
        (
            "connections",
            Box::new(move |_, _| {
                let opened: Vec<_> =
                    (0..25).filter_map(|_| TcpStream::connect(&address).ok()).collect();
                for mut connection in &opened {
                    let _ =
                        connection.write_all(b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n");
                }
                std::thread::sleep(Duration::from_millis(50));
                200
            }),
        ),
        (
            "events",
            Box::new(move |client, n| {
                let state = ["maintenance", "online"][n as usize % 2];
                status(client, "PATCH", &format!("/nodes/{node}"), &json!({"status": state}))
            }),
        ),
        (
            "mail",
            Box::new(move |client, n| {
                let to = if n % 2 == 0 { prey.clone() } else { format!("nobody-{n}") };
                let body = json!({"from": me, "content": text, "priority": "low"});
                status(client, "POST", &format!("/inbox/{to}"), &body)
            }),
        ),
        ("sessions", Box::new(|client, _| status(client, "POST", "/sessions", &json!({})))),
        (
            "deposits",
            Box::new(move |client, _| {
                status(client, "POST", "/deposit", &json!({"agent_id": agent, "amount": "100000"}))
            }),
        ),
        ("tasks", Box::new(|client, _| status(client, "POST", "/tasks", &task("never")))),
        (
            "lists",
            Box::new(|client, n| {
                let path = [
                    "/tasks?limit=1000",
                    "/cluster/events?limit=1000",
                    "/sessions?limit=1000",
                    "/nodes?limit=1000",
                ][n as usize % 4];
                status(client, "GET", path, &Value::Null)
            }),
        ),
        (
            "registrations",
            Box::new(|client, n| {
                status(client, "POST", "/nodes/register", &registration(&format!("host-{n}")))
            }),
        ),
    ]
}

fn p99(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() * 99).div_ceil(100) - 1]
}

fn print_row(name: &str, times: &Times, quiet: &Times) {
    let all = |times: &Times| times.values().flatten().copied().collect::<Vec<_>>();
    let whole = p99(&all(times)).as_secs_f64() / p99(&all(quiet)).as_secs_f64();
    let cells = times.iter().map(|(operation, times)| {
        let (now, before) = (p99(times), p99(&quiet[operation]));
        let times = now.as_secs_f64() / before.as_secs_f64();
        format!("{operation} {:.1} ms ({times:.1}x)", now.as_secs_f64() * 1e3)
    });
    println!("| {name} | {whole:.1}x | {} |", cells.collect::<Vec<_>>().join(" | "));
}

/// Rounds of the victim between two changes of what the neighbour does. What a machine gives changes
/// over minutes, so that both are measured beside each other.
const BLOCK: usize = 15;

/// Gives this thread the lowest priority. A neighbour's own program would be on another machine; here it
/// would take the processors from the hub, which is not what is measured.
fn give_way() {
    let thread = rustix::thread::gettid();
    rustix::process::setpriority_process(Some(thread), 19).unwrap();
}

/// The victim works while the neighbour does its worst.
fn beside(
    deed: &Deed,
    client: &Client,
    victim: &mut Victim,
    times: &mut Times,
    counts: &[AtomicU64; 3],
) {
    let stop = AtomicBool::new(false);
    let [number, done, refused] = counts;
    std::thread::scope(|scope| {
        for _ in 0..HANDS {
            scope.spawn(|| {
                give_way();
                while !stop.load(Ordering::Relaxed) {
                    let status = deed(client, number.fetch_add(1, Ordering::Relaxed));
                    let count = if status == 200 { done } else { refused };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Whatever fails here, the others must end, or this would never.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..BLOCK {
                victim.work(times);
            }
            victim.assert_whole();
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = worked {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn a_noisy_neighbour_costs_nobody_anything() {
    let rounds = std::env::var("REEF_NEIGHBOUR_ROUNDS").ok().map(|text| text.parse().unwrap());
    let (rounds, prints) = (rounds.unwrap_or(BLOCK), rounds.is_some());
    let only = std::env::var("REEF_NEIGHBOUR_KINDS").unwrap_or_default();
    let hub = Hub::options().arg("--redis-fsync").arg("everysec").start();
    let mut victim = Victim::new(&hub);
    let (mallory, client) = new_tenant(&hub);
    for (name, deed) in deeds(&hub, &victim, &mallory, &client) {
        if !only.is_empty() && !only.split(',').any(|kind| kind == name) {
            continue;
        }
        let counts = Default::default();
        let (mut quiet, mut times) = (Times::new(), Times::new());
        for _ in 0..rounds.div_ceil(BLOCK) {
            eprintln!("the neighbour is at {name}");
            beside(&deed, &client, &mut victim, &mut times, &counts);
            for _ in 0..BLOCK {
                victim.work(&mut quiet);
            }
        }
        let [_, done, refused] = counts.map(AtomicU64::into_inner);
        assert!(done + refused > 0, "{name}: nobody was noisy");
        if prints {
            print_row(&format!("{name} ({done} done, {refused} refused)"), &times, &quiet);
        }
    }
}
