//! A replica that lacks what its primary had answered takes its place: nothing is given out twice,
//! readers are told, and the journal says what it has lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::contract::{Desk, Held};
use crate::harness::{
    Client, EventStream, Hub, HubOptions, PATIENCE, Program, RedisServer, eventually, reef,
    registration,
};

/// The longest tick: the monitor has not seen what was given out last.
const RARELY: [&str; 2] = ["--tick", "60000"];

fn rarely(options: HubOptions) -> HubOptions {
    options.arg(RARELY[0]).arg(RARELY[1])
}

/// What was given out, as `kind number`.
#[derive(Default)]
struct Given(BTreeSet<String>, Vec<String>);

impl Given {
    fn note(&mut self, kind: &str, what: &Value) {
        let one = format!("{kind} {what}");
        if !self.0.insert(one.clone()) {
            self.1.push(one);
        }
    }

    fn register(&mut self, client: &Client, node: &str, skill: &str) -> Value {
        let mut body = registration(node);
        body["node_id"] = json!(node);
        body["available_skills"] = json!([skill]);
        let info = client.post("/nodes/register", &body).ok()["node_info"].clone();
        self.note("incarnation", &info["incarnation"]);
        info["incarnation"].clone()
    }

    fn campaign(&mut self, client: &Client, node: &str) -> Value {
        let body = json!({"node_id": node, "ttl_ms": 600_000});
        let answer = client.post("/cluster/leader/campaign", &body).ok();
        assert_eq!(answer["is_leader"], true, "{answer}");
        self.note("term", &answer["term"]);
        answer["term"].clone()
    }

    /// Takes a lock, and says under which term, and for how long somebody before may not know.
    fn lock(&mut self, client: &Client, holder: &str) -> [Value; 2] {
        let body = json!({"holder": holder, "ttl_ms": 600_000});
        let answer = client.post("/locks/one/acquire", &body).ok();
        assert_eq!(answer["is_held"], true, "{answer}");
        self.note("lock", &answer["lock"]["term"]);
        [answer["lock"]["term"].clone(), answer["former_ttl_ms"].clone()]
    }

    fn claim(&mut self, desk: &Desk, node: &str) -> Held {
        let held = desk.claim_with(node, json!({"limit": 1, "lease_ms": 600_000})).remove(0);
        let number = held.token.split('-').next().unwrap().parse::<i64>().unwrap();
        self.note("claim", &json!(number));
        held
    }
}

/// The cursor behind all that has happened.
fn end(client: &Client) -> String {
    let page = client.get("/cluster/events?after=0&limit=1000").ok();
    page["next"].as_str().unwrap().to_owned()
}

fn served(client: &Client) {
    eventually("the replica in its place", PATIENCE, || {
        (client.get("/nodes").status == 200).then_some(())
    });
}

struct Story {
    hub: Hub,
    _redis: RedisServer,
    desk: Desk,
    given: Given,
    /// Of the data, and what they lack.
    incarnations: [Value; 2],
    claims: [Held; 2],
    cursors: [String; 2],
    stream: EventStream,
}

fn allow(server: &RedisServer, rules: &[&str]) {
    let mut set = redis::cmd("ACL");
    set.arg("SETUSER").arg("reef").arg(rules);
    set.query::<()>(&mut server.connect()).unwrap();
}

/// What a hub gives out before and after a replica that lacks the last of it takes the primary's place.
fn story(may_look: bool) -> Story {
    let primary = RedisServer::start();
    let mut replica = primary.replica();
    let url = primary.url().replace("redis://", "redis://reef:secret@");
    for server in [&primary, &replica] {
        allow(server, &["on", ">secret", "~*", "&*", "+@all"]);
    }
    let hub = rarely(Hub::options().redis_at(&url)).start();
    if !may_look {
        for server in [&primary, &replica] {
            allow(server, &["-info"]);
        }
    }
    let client = hub.admin();
    let desk = Desk::new(&client);
    let mut given = Given::default();
    let before = given.register(&client, "n", &desk.skill);
    given.register(&client, "m", &desk.skill);
    given.campaign(&client, "n");
    let [kept, former] = given.lock(&client, "first");
    assert_eq!(former, Value::Null);
    let kept = json!({"holder": "first", "term": kept});
    for _ in 0..3 {
        desk.submit(json!({}));
    }
    let held = given.claim(&desk, "n");
    let copied = end(&client);
    let mut stream = client.stream(&format!("/events/stream?last_id={copied}"));

    replica.cut_off();
    let after = given.register(&client, "n", &desk.skill);
    given.campaign(&client, "n");
    client.post("/locks/one/release", &kept).ok();
    given.lock(&client, "second");
    let lost_claim = given.claim(&desk, "m");
    let lost = end(&client);
    while stream.next_event().unwrap().cursor() != lost {}
    replica.take_the_place_of(primary);
    served(&client);

    // The node that leads by the data lets go, and another one follows.
    let _ = client.post("/nodes/n/shutdown", &json!({}));
    given.register(&client, "n", &desk.skill);
    given.campaign(&client, "m");
    // So does whoever holds the lock by the data.
    let _ = client.post("/locks/one/release", &kept);
    given.lock(&client, "third");
    given.claim(&desk, "m");
    Story {
        hub,
        _redis: replica,
        desk,
        given,
        incarnations: [before, after],
        claims: [held, lost_claim],
        cursors: [copied, lost],
        stream,
    }
}

#[test]
fn what_a_failover_lost_is_not_given_out_again() {
    let mut story = story(true);
    assert_eq!(story.given.1, [""; 0], "given out twice");
    let client = story.hub.admin();
    for incarnation in &story.incarnations {
        // `n` has registered anew.
        let beat = json!({"incarnation": incarnation});
        client.post("/nodes/n/heartbeat", &beat).problem(409, "fenced");
    }
    // The claim that was lost has no effect.
    let [_, lost] = &story.claims;
    story.desk.post(lost, "complete", json!({"result": 1})).problem(409, "fenced");

    // Readers are told, whether they were there or come back.
    let [copied, lost] = &story.cursors;
    let page = client.get(&format!("/cluster/events?after={lost}&limit=1000")).ok();
    assert_eq!(page["gap"], json!({"from": lost, "to": copied}), "{page}");
    let told = &page["events"][0];
    assert_eq!(told["event_type"], "store_changed", "{page}");
    assert_eq!(told["payload"]["last_event_id"], *copied, "{told}");
    assert_ne!(told["payload"]["from"], told["payload"]["to"], "{told}");
    let gap = story.stream.next_event().unwrap();
    assert_eq!(gap.told().1, json!({"gap": {"from": lost, "to": copied}}));
    assert_eq!(story.stream.next_event().unwrap().told().0, "store_changed");
    assert!(story.hub.log().contains("another process of Redis answers"));
}

/// The checker finds it where nobody looks which process of Redis answers.
#[test]
fn without_a_look_at_the_server_numbers_come_twice() {
    let story = story(false);
    let twice = story.given.1;
    for kind in ["term", "incarnation", "claim", "lock"] {
        assert!(twice.iter().any(|one| one.starts_with(kind)), "{kind} is not among {twice:?}");
    }
    let ready = story.hub.anonymous().get("//readyz").text();
    assert!(ready.contains("may not use INFO"), "{ready}");
}

/// What is in the data stays good: nobody who works has to begin anew.
#[test]
fn claims_and_incarnations_that_were_not_lost_stay_good() {
    let mut server = RedisServer::start();
    let hub = rarely(Hub::options().redis(&server)).start();
    let client = hub.admin();
    let desk = Desk::new(&client);
    let mut given = Given::default();
    let incarnation = given.register(&client, "n", &desk.skill);
    let term = given.campaign(&client, "n");
    let [held_under, _] = given.lock(&client, "first");
    desk.submit(json!({}));
    let held = given.claim(&desk, "n");
    server.kill();
    server.start_again();
    served(&client);
    client.post("/nodes/n/heartbeat", &json!({"incarnation": incarnation})).ok();
    desk.post(&held, "complete", json!({"result": 1})).ok();
    // The server may have lost something, as far as the hub can tell: nobody leads, and a term that was
    // held is over.
    let resign = json!({"node_id": "n", "term": term});
    client.post("/cluster/leader/resign", &resign).problem(409, "fenced");
    let led = client.post("/cluster/leader/campaign", &json!({"node_id": "n"})).ok();
    assert!(led["term"].as_i64() > term.as_i64(), "{led}");
    // The same of a lock. Whoever held it may not know it yet.
    let body = json!({"holder": "first", "term": held_under});
    client.post("/locks/one/renew", &body).problem(409, "fenced");
    client.get("/locks/one").problem(404, "not_found");
    assert_eq!(client.get("/locks").list(), Vec::<Value>::new());
    let [term, former] = given.lock(&client, "second");
    assert!(term.as_i64() > held_under.as_i64(), "{term}");
    assert!(former.as_i64() > Some(500_000), "as long as the first lease ran: {former}");
}

#[test]
fn a_private_server_that_is_started_again_has_lost_nothing() {
    let hub = rarely(Hub::options()).start();
    let client = hub.admin();
    let mut given = Given::default();
    given.register(&client, "n", "s");
    let term = given.campaign(&client, "n");
    let cursor = end(&client);
    let pid = hub.private_redis_pid();
    crate::harness::signal(pid, crate::harness::Signal::Kill);
    eventually("another process", PATIENCE, || {
        hub.try_private_redis_pid().filter(|it| *it != pid).map(drop)
    });
    served(&client);
    client.post("/cluster/leader/resign", &json!({"node_id": "n", "term": term})).ok();
    let page = client.get(&format!("/cluster/events?after={cursor}")).ok();
    assert_eq!(page["gap"], Value::Null, "{page}");
    assert_eq!(page["events"].as_array().unwrap().len(), 1, "{page}");
}

#[test]
fn the_journal_says_which_entries_it_has_lost() {
    let primary = RedisServer::start();
    let mut replica = primary.replica();
    let hub = Hub::options().redis(&primary).start();
    let client = hub.admin();
    let agent = client.new_agent();
    let deposit = |amount: i64| {
        let body = json!({"agent_id": agent.id, "amount": amount});
        agent.client.post("/deposit", &body)
    };
    deposit(1).ok();
    deposit(2).ok();
    replica.cut_off();
    deposit(4).ok();
    deposit(8).ok();
    // Some rounds of the monitor, which remembers how far the journal goes.
    std::thread::sleep(std::time::Duration::from_millis(3500));
    replica.take_the_place_of(primary);
    served(&client);
    deposit(16).ok();

    let page = eventually("the event", PATIENCE, || {
        let page = client.get("/cluster/events?after=0&limit=1000").ok();
        let events = page["events"].as_array().unwrap();
        events.iter().find(|it| it["event_type"] == "ledger_rolled_back").cloned()
    });
    assert_eq!(page["payload"], json!({"first": 3, "last": 4}), "{page}");
    let ready = client.get("//readyz").text();
    assert!(ready.contains("ledger_rolled_back"), "{ready}");
    let entries = client.get("/entries?order=oldest").ok();
    let told = &entries["entries"][2];
    assert_eq!(
        (&told["kind"], &told["memo"]),
        (&json!("restored"), &json!("entries 3 to 4 are no more"))
    );
    let balance = agent.client.get(&format!("/balance/{}", agent.id)).ok();
    assert_eq!(balance["balance"], "19", "{balance}");
    let mut verify = reef();
    verify.args(["ledger", "verify", "--hub", hub.url()]).env("REEF_API_KEY", hub.admin_key());
    let verified = Program::run(&mut verify, PATIENCE);
    assert!(verified.status.success(), "{verified:?}");
    let said = "before entry 3 the journal went back: entries 3 to 4 are no more";
    assert!(verified.stdout.contains(said), "{verified:?}");
}
