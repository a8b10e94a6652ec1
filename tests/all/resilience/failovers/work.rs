//! Callers that work on everything at once, and write down what they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Scope;
use std::time::Duration;

use serde_json::{Value, json};

use super::journal::{Blow, Journal, Named, Told, appended_twice, now_ms};
use crate::harness::{
    Answer, Client, Message, NewAgent, PATIENCE, eventually, registration, unique,
};

/// Kinds of work: the lead, registrations, the queue, events, money, messages.
const KINDS: usize = 6;
const WORKERS: usize = 3;
const MESSAGES: usize = 3;
const AMOUNT: i64 = 1000;

/// What they work on.
pub struct Place {
    hubs: Vec<Client>,
    skill: String,
    payers: [NewAgent; 2],
    messages: Vec<String>,
}

impl Place {
    pub fn new(hubs: &[&Client]) -> Self {
        let payers = [0, 1].map(|_| hubs[0].new_agent());
        for NewAgent { id, client, .. } in &payers {
            client.post("/deposit", &json!({"agent_id": id, "amount": AMOUNT})).ok();
        }
        let messages = (0..MESSAGES).map(|_| Message::begin(hubs[0]).id).collect();
        let hubs = hubs.iter().map(|hub| (*hub).clone()).collect();
        Self { hubs, skill: unique("skill"), payers, messages }
    }

    /// One of the hosts, as this caller.
    fn hub(&self, key: Option<&str>) -> Client {
        let hub = &self.hubs[fastrand::usize(..self.hubs.len())];
        key.map_or_else(|| hub.clone(), |key| hub.anonymous().with_key(key))
    }

    /// Sends a request until it is answered; a repeat of what had an effect has none.
    fn insist(&self, key: Option<&str>, path: &str, body: &Value) -> Answer {
        let once = unique("key");
        let body = serde_json::to_vec(body).unwrap();
        eventually(&format!("an answer to {path}"), 2 * PATIENCE, || {
            let client = self.hub(key).with("idempotency-key", &once);
            let answer = client.try_send("POST", path, Some(&body)).ok()?;
            (!matches!(answer.status, 429 | 503 | 504)).then_some(answer)
        })
    }

    /// A question, until it is answered.
    fn ask(&self, path: &str) -> Value {
        eventually(&format!("an answer to {path}"), 2 * PATIENCE, || {
            let answer = self.hub(None).try_send("GET", path, None).ok()?;
            (!matches!(answer.status, 429 | 503 | 504)).then(|| answer.ok())
        })
    }

    /// Each word is in its message once, and only one that may have been lost is not there.
    pub fn assert_messages(&self, journal: &Journal) {
        let mut lost = 0;
        for message in &self.messages {
            let text =
                self.ask(&format!("/messages/{message}"))["text"].as_str().unwrap().to_owned();
            assert_eq!(appended_twice(&text), [""; 0], "{message}");
            let words: BTreeSet<_> = text.split_whitespace().collect();
            for (at, told) in &journal.told {
                let Told::Appended(to, word) = told else { continue };
                if to == message && !words.contains(word.as_str()) {
                    let may = journal.may_be_lost(*at);
                    let around = || journal.around(*at);
                    assert!(may, "{word} was appended to {message} at {at}: {}", around());
                    lost += 1;
                }
            }
        }
        println!("{lost} acknowledged appends were lost");
    }

    /// Payments are in the journal once; only one that may have been lost is not there, and the hub
    /// names it.
    pub fn assert_payments(&self, journal: &Journal) {
        let (mut times, mut cursor): (BTreeMap<String, usize>, _) = (BTreeMap::new(), 0);
        let mut named = BTreeSet::new();
        loop {
            let page = self.ask(&format!("/entries?order=oldest&limit=1000&after={cursor}"));
            let entries = page["entries"].as_array().unwrap();
            let Some(last) = entries.last() else { break };
            cursor = last["seq"].as_i64().unwrap();
            for entry in entries {
                let memo = entry["memo"].as_str().unwrap_or_default();
                match entry["kind"].as_str().unwrap() {
                    "transfer" => *times.entry(memo.to_owned()).or_default() += 1,
                    "restored" => named.extend(Named::read(memo)),
                    _ => {}
                }
            }
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "paid twice: {twice:?}");
        let mut lost = Vec::new();
        for (at, told) in &journal.told {
            let Told::Paid(number, memo) = told else { continue };
            if !times.contains_key(memo) {
                let may = journal.may_be_lost(*at);
                let around = || journal.around(*at);
                assert!(may, "{memo} was paid at {at} and is not there: {}", around());
                lost.push((*at, *number));
            }
        }
        // An entry that names others may be lost with the next primary; its event is elsewhere.
        for (_, told) in &journal.told {
            let Told::Event(_, event) = told else { continue };
            let event: Value = serde_json::from_str(event).unwrap();
            if event["event_type"] == "ledger_rolled_back" {
                let number = |name: &str| event["payload"][name].as_i64().unwrap();
                named.insert(Named { first: number("first"), last: number("last") });
            }
        }
        let named: Vec<_> = named.into_iter().collect();
        journal.assert_named(&lost, &named, self.payers.len());
    }
}

/// What was told so far, and how often each kind of work got on.
#[derive(Default)]
pub struct Work {
    told: Mutex<Vec<(u64, Told)>>,
    counts: [AtomicUsize; KINDS],
}

impl Work {
    pub fn begin<'s>(&'s self, scope: &'s Scope<'s, '_>, place: &'s Place, stop: &'s AtomicBool) {
        let keep = |kind: usize, work: Box<dyn FnMut() + Send + 's>| {
            let mut work = work;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    work();
                    self.counts[kind].fetch_add(1, Ordering::Relaxed);
                }
            });
        };
        for _ in 0..2 {
            let node = self.register(place);
            keep(0, Box::new(move || self.lead(place, &node)));
        }
        keep(1, Box::new(move || drop(self.register(place))));
        keep(2, Box::new(move || self.submit(place)));
        for _ in 0..WORKERS {
            let node = self.register(place);
            keep(2, Box::new(move || self.do_tasks(place, &node)));
        }
        let mut cursor = "0".to_owned();
        keep(3, Box::new(move || self.read_events(place, &mut cursor)));
        for payer in 0..2 {
            keep(4, Box::new(move || self.pay(place, payer)));
        }
        for message in &place.messages {
            let (producer, mut next) = (unique("p"), 0);
            keep(5, Box::new(move || self.append(place, message, &producer, &mut next)));
        }
    }

    pub fn counts(&self) -> [usize; KINDS] {
        self.counts.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    pub fn journal(self, blown: Vec<Blow>, is_one_server: bool) -> Journal {
        Journal::new(self.told.into_inner().unwrap(), blown, is_one_server)
    }

    fn note(&self, told: Told) {
        self.told.lock().unwrap().push((now_ms(), told));
    }

    fn register(&self, place: &Place) -> String {
        let mut body = registration(&unique("node"));
        body["available_skills"] = json!([place.skill]);
        let made = place.insist(None, "/nodes/register", &body).ok();
        let node = made["node_id"].as_str().unwrap().to_owned();
        let incarnation = made["node_info"]["incarnation"].as_i64().unwrap();
        self.note(Told::Registered(incarnation, node.clone()));
        std::thread::sleep(Duration::from_millis(10));
        node
    }

    /// Registers a node again that the data do not know any more.
    fn register_again(&self, node: &str, place: &Place) {
        let mut body = registration(node);
        body["node_id"] = json!(node);
        body["available_skills"] = json!([place.skill]);
        let made = place.insist(None, "/nodes/register", &body).ok();
        let incarnation = made["node_info"]["incarnation"].as_i64().unwrap();
        self.note(Told::Registered(incarnation, made["node_id"].as_str().unwrap().to_owned()));
    }

    fn lead(&self, place: &Place, node: &str) {
        let body = json!({"node_id": node, "ttl_ms": 5000});
        let answer = place.insist(None, "/cluster/leader/campaign", &body);
        if answer.status == 404 || answer.status == 409 {
            return self.register_again(node, place);
        }
        let answer = answer.ok();
        if answer["is_leader"] == true {
            let term = answer["term"].as_i64().unwrap();
            self.note(Told::Led(term, node.to_owned()));
            if fastrand::u8(0..3) == 0 {
                let body = json!({"node_id": node, "term": term});
                place.insist(None, "/cluster/leader/resign", &body);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }

    fn submit(&self, place: &Place) {
        let body = json!({"name": "n", "required_skills": [place.skill], "max_retries": 50});
        place.insist(None, "/tasks", &body).ok();
        std::thread::sleep(Duration::from_millis(20));
    }

    fn do_tasks(&self, place: &Place, node: &str) {
        let body = json!({"node_id": node, "limit": 2, "lease_ms": 2000});
        let answer = place.insist(None, "/tasks/claim", &body);
        if answer.status == 404 || answer.status == 409 {
            return self.register_again(node, place);
        }
        let claimed = answer.ok();
        for task in claimed["tasks"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (id, token) = (text(&task["task_id"]), text(&task["token"]));
            let number = token.split('-').next().unwrap().parse().unwrap();
            self.note(Told::Claimed(number, format!("{id} {token}")));
            let body = json!({"token": token, "result": {"token": token}});
            let answer = place.insist(None, &format!("/tasks/{id}/complete"), &body);
            match answer.status {
                200 => self.note(Told::Completed(id, token)),
                // Its task or its claim was lost, or the lease ran out.
                404 | 409 => {}
                _ => panic!("{answer}"),
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }

    fn read_events(&self, place: &Place, cursor: &mut String) {
        let page = place.ask(&format!("/cluster/events?after={cursor}&limit=500"));
        for event in page["events"].as_array().unwrap() {
            let id = event["event_id"].as_str().unwrap().to_owned();
            self.note(Told::Event(id, event.to_string()));
        }
        *cursor = page["next"].as_str().unwrap().to_owned();
        std::thread::sleep(Duration::from_millis(20));
    }

    fn pay(&self, place: &Place, from: usize) {
        let (payer, payee) = (&place.payers[from], &place.payers[1 - from]);
        let memo = unique("memo");
        let body = json!({
            "from_agent": payer.id, "to_agent": payee.id, "amount": "0.000001", "memo": memo,
        });
        let paid = place.insist(Some(&payer.key), "/transfer", &body).ok();
        let entry = paid["settlement"]["entry_id"].as_str().unwrap();
        let number = entry.strip_prefix("ent_").unwrap().parse().unwrap();
        self.note(Told::Paid(number, memo));
        std::thread::sleep(Duration::from_millis(10));
    }

    /// Appends a word under the producer's next number.
    fn append(&self, place: &Place, message: &str, producer: &str, next: &mut i64) {
        let word = unique("w");
        loop {
            let producer = json!({"id": producer, "epoch": 1, "seq": *next});
            let body = json!({"delta": format!("{word} "), "producer": producer});
            let path = format!("/messages/{message}/append");
            let answer = place.insist(None, &path, &body);
            if answer.status == 200 {
                break;
            }
            // What was acknowledged under the number before is lost: it goes on from there.
            *next = answer.problem(409, "conflict")["expected"].as_i64().unwrap();
        }
        *next += 1;
        self.note(Told::Appended(message.to_owned(), word));
        std::thread::sleep(Duration::from_millis(10));
    }
}
