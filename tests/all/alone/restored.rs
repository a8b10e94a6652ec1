//! An older copy of the data: what was given out after it is void, nothing is given out twice, and
//! readers of events are told. `reef restore` brings that about, and a host that notices.

use serde_json::{Value, json};

use super::backups::{ok, server, stop};
use crate::contract::{Desk, Held};
use crate::harness::{Client, Hub, PATIENCE, Program, RedisServer, eventually, reef, registration};

/// A hub whose data are a copy now, and what was given out before and after it was taken.
struct Story {
    hub: Hub,
    redis: RedisServer,
    desk: Desk,
    node: String,
    /// Incarnations: of the copy, and after it.
    incarnations: [i64; 2],
    /// Claims: one that ran when the copy was taken, and one of after it.
    claims: [Held; 2],
    /// Terms: of the copy, and after it.
    terms: [i64; 2],
    /// Cursors: the last event of the copy, and one of after it.
    cursors: [String; 2],
    session_message: String,
    taken_at: String,
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn register(client: &Client, node: &str, skill: &str) -> i64 {
    let mut body = registration(node);
    body["node_id"] = json!(node);
    // The tasks of sessions ask for their workflow as well.
    body["available_skills"] = json!([skill, "simple"]);
    number(&client.post("/nodes/register", &body).ok()["node_info"]["incarnation"])
}

fn campaign(client: &Client, node: &str) -> i64 {
    let body = json!({"node_id": node, "ttl_ms": 600_000});
    let answer = client.post("/cluster/leader/campaign", &body).ok();
    assert_eq!(answer["is_leader"], true, "{answer}");
    number(&answer["term"])
}

/// The cursor behind all that has happened.
fn end(client: &Client) -> String {
    let mut cursor = "0".to_owned();
    loop {
        let page = client.get(&format!("/cluster/events?after={cursor}&limit=1000")).ok();
        if page["events"].as_array().unwrap().is_empty() {
            return cursor;
        }
        cursor = page["next"].as_str().unwrap().to_owned();
    }
}

fn events(client: &Client, after: &str) -> Value {
    client.get(&format!("/cluster/events?after={after}&limit=1000")).ok()
}

fn types(page: &Value) -> Vec<String> {
    let list = page["events"].as_array().unwrap().iter();
    list.map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
}

fn claim_one(desk: &Desk, node: &str) -> Held {
    desk.claim_with(node, json!({"limit": 1, "lease_ms": 600_000})).remove(0)
}

/// Takes a copy, gives out more, and restores the copy.
fn story() -> Story {
    let redis = server();
    let mut hub = Hub::options().redis(&redis).start();
    let client = hub.admin();
    let desk = Desk::new(&client);
    let node = "n".to_owned();
    let before = register(&client, &node, &desk.skill);
    let first_term = campaign(&client, &node);
    // A session's task, whose runner may write to its message.
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let body = json!({"task_description": "say it", "required_skills": [desk.skill]});
    let task = client.post(&format!("/sessions/{session}/tasks"), &body).ok();
    let held = claim_one(&desk, &node);
    assert_eq!(held.id, task["task_id"]);
    let message = held.task["message_id"].as_str().unwrap().to_owned();
    let cursor = end(&client);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b").display().to_string();
    let url = redis.url();
    ok(&["backup", &file, "--redis-url", &url]);

    desk.submit(json!({}));
    let later = claim_one(&desk, &node);
    let done = json!({"token": held.token, "result": 1});
    client.post(&format!("/tasks/{}/complete", held.id), &done).ok();
    let after = register(&client, &node, &desk.skill);
    let last_term = campaign(&client, &node);
    assert!(after > before && last_term > first_term);
    let last = end(&client);
    stop(&mut hub);
    redis::cmd("FLUSHALL").query::<()>(&mut redis.connect()).unwrap();
    let restored = ok(&["restore", &file, "--redis-url", &url]);
    assert_eq!(restored["released"], 1, "{restored}");
    hub.start_again();
    let desk = Desk { client: hub.admin(), skill: desk.skill };
    Story {
        hub,
        redis,
        desk,
        node,
        incarnations: [before, after],
        claims: [held, later],
        terms: [first_term, last_term],
        cursors: [cursor, last],
        session_message: message,
        taken_at: restored["taken_at"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn what_was_given_out_before_a_restoration_is_void_and_does_not_come_again() {
    let story = story();
    let client = story.hub.admin();
    // Incarnations: that of the copy, that of after it.
    for incarnation in story.incarnations {
        let beat = json!({"incarnation": incarnation});
        client.post(&format!("/nodes/{}/heartbeat", story.node), &beat).problem(409, "fenced");
    }
    // Claims: the task is back in the queue, and no retry is counted.
    let [held, later] = &story.claims;
    let task = story.desk.task(&held.id);
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(0)), "{task}");
    let complete = |held: &Held| {
        let body = json!({"token": held.token, "result": 1});
        client.post(&format!("/tasks/{}/complete", held.id), &body)
    };
    complete(held).problem(409, "fenced");
    complete(later).problem(404, "not_found");
    let delta = json!({"delta": "late"});
    let append = format!("/messages/{}/append", story.session_message);
    let stale = client.with("x-claim-token", &held.token).post(&append, &delta);
    assert_eq!(stale.status, 409, "{stale}");
    // Terms: nobody leads, and the one of after the copy can resign no more.
    assert_eq!(client.get("/cluster/leader").ok()["leader"], Value::Null);
    for term in story.terms {
        let resign = json!({"node_id": story.node, "term": term});
        client.post("/cluster/leader/resign", &resign).problem(409, "fenced");
    }
    // And what is new is above all of it.
    let incarnation = register(&client, &story.node, &story.desk.skill);
    assert!(incarnation > story.incarnations[1], "{incarnation}");
    let beat = json!({"incarnation": incarnation});
    client.post(&format!("/nodes/{}/heartbeat", story.node), &beat).ok();
    let body = json!({"node_id": story.node});
    let led = client.post("/cluster/leader/campaign", &body).ok();
    assert!(number(&led["term"]) > story.terms[1], "{led}");
    // Who led after the copy is not known, so that whoever cannot check terms waits.
    assert!(number(&led["former_ttl_ms"]) > 0, "{led}");
    let again = claim_one(&story.desk, &story.node);
    assert_eq!(again.id, held.id);
    let claim = |held: &Held| held.token.split('-').next().unwrap().parse::<i64>().unwrap();
    assert!(claim(&again) > claim(later), "{again:?}");
    complete(&again).ok();
}

#[test]
fn readers_of_events_are_told_of_a_restoration() {
    let story = story();
    let client = story.hub.admin();
    let [copied, lost] = &story.cursors;
    client.new_node("since");
    // A node that is in the copy goes on, and reads of it.
    let page = events(&client, copied);
    assert_eq!(page["gap"], Value::Null, "{page}");
    let told = &page["events"][0];
    assert_eq!(told["event_type"], "restored", "{told}");
    let said = json!({"taken_at": story.taken_at, "last_event_id": copied});
    assert_eq!(told["payload"], said, "{told}");
    assert!(types(&page).contains(&"leader_changed".to_owned()), "{page}");
    assert_eq!(types(&page).last().unwrap(), "node_registered");
    // Whoever has read what is no more is told so, and reads from the end of the copy on.
    let again = events(&client, lost);
    assert_eq!(again["gap"], json!({"from": lost, "to": copied}), "{again}");
    assert_eq!(again["events"], page["events"]);
    // The cursors of after it have no gap.
    let next = again["next"].as_str().unwrap();
    assert_eq!(events(&client, next)["gap"], Value::Null);
    client.new_node("later");
    let later = events(&client, next);
    assert_eq!((&later["gap"], types(&later).len()), (&Value::Null, 1), "{later}");

    // The same as a stream.
    let mut stream = client.stream(&format!("/events/stream?last_id={lost}"));
    let first = stream.next_event().unwrap();
    assert_eq!(first.cursor(), copied);
    let gap = json!({"gap": {"from": lost, "to": copied}});
    assert_eq!(first.told(), ("snapshot", gap));
    assert_eq!(stream.next_event().unwrap().told().0, "restored");
    let mut stream = client.stream(&format!("/events/stream?last_id={copied}"));
    assert_eq!(stream.next_event().unwrap().told().0, "restored");
}

#[test]
fn a_copy_that_is_restored_twice_is_told_twice() {
    let story = story();
    let client = story.hub.admin();
    let between = end(&client);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b").display().to_string();
    ok(&["backup", &file, "--redis-url", &story.redis.url()]);
    client.new_node("lost");
    let lost = end(&client);
    let mut hub = story.hub;
    stop(&mut hub);
    redis::cmd("FLUSHALL").query::<()>(&mut story.redis.connect()).unwrap();
    ok(&["restore", &file, "--redis-url", &story.redis.url()]);
    hub.start_again();
    let client = hub.admin();
    for (cursor, to) in [(&lost, &between), (&story.cursors[1], &story.cursors[0])] {
        let page = events(&client, cursor);
        assert_eq!(page["gap"], json!({"from": cursor, "to": to}), "{page}");
    }
    let incarnation = register(&client, &story.node, &story.desk.skill);
    // Each restoration begins far above the one before.
    assert!(incarnation > 10_000_000_000_000, "{incarnation}");
}

#[test]
fn the_journal_tells_where_a_copy_was_restored() {
    let redis = server();
    let mut hub = Hub::options().redis(&redis).start();
    let client = hub.admin();
    client.post("/agents/register", &json!({"agent_id": "alice"})).ok();
    let deposit = json!({"agent_id": "alice", "amount": "100"});
    client.post("/deposit", &deposit).ok();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let url = redis.url();
    ok(&["backup", &file("b"), "--redis-url", &url]);
    client.post("/deposit", &deposit).ok();
    let ledger = |hub: &Hub, args: &[&str]| {
        let mut command = reef();
        command.arg("ledger").args(args).args(["--hub", hub.url()]);
        Program::run(command.env("REEF_API_KEY", hub.admin_key()), PATIENCE)
    };
    let exported = ledger(&hub, &["export", &file("journal")]);
    assert!(exported.status.success(), "{exported:?}");
    stop(&mut hub);
    redis::cmd("FLUSHALL").query::<()>(&mut redis.connect()).unwrap();
    let restored = ok(&["restore", &file("b"), "--redis-url", &url]);
    hub.start_again();
    let client = hub.admin();
    let entries = client.get("/entries?order=oldest").ok();
    let told = &entries["entries"][1];
    assert_eq!(told["kind"], "restored", "{entries}");
    let memo = format!("the copy of {}", restored["taken_at"].as_str().unwrap());
    assert_eq!((&told["memo"], &told["legs"]), (&json!(memo), &json!([])), "{told}");
    // The journal goes on and is whole; that of before the restoration is another one.
    client.post("/deposit", &deposit).ok();
    let whole = ledger(&hub, &["verify"]);
    assert!(whole.status.success() && whole.stdout.contains("3 entries are whole"), "{whole:?}");
    let against = ledger(&hub, &["verify", "--against", &file("journal")]);
    assert!(!against.status.success(), "{against:?}");
    let said = against.stdout + &against.stderr;
    assert!(said.contains("entry 2"), "{said}");
}

/// What a server has on its disk goes back to what it was.
#[test]
fn a_host_that_runs_notices_an_older_copy() {
    let redis = server();
    let hub = Hub::options().redis(&redis).start();
    let client = hub.admin();
    let desk = Desk::new(&client);
    let before = register(&client, "n", &desk.skill);
    desk.submit(json!({}));
    let held = claim_one(&desk, "n");
    let copied = end(&client);
    let mut connection = redis.connect();
    let kept = dump(&mut connection);
    let mut stream = client.stream(&format!("/events/stream?last_id={copied}"));
    let after = register(&client, "n", &desk.skill);
    let term = campaign(&client, "n");
    let lost = end(&client);
    while stream.next_event().unwrap().cursor() != lost {}
    // A round of the monitor, which remembers how far the events go.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    undo(&mut connection, &kept);
    eventually_noticed(&hub);
    eventually("the claim is void", PATIENCE, || {
        (desk.task(&held.id)["status"] == "pending").then_some(())
    });
    for incarnation in [before, after] {
        let beat = json!({"incarnation": incarnation});
        client.post("/nodes/n/heartbeat", &beat).problem(409, "fenced");
    }
    assert!(register(&client, "n", &desk.skill) > after);
    assert!(campaign(&client, "n") > term);
    let page = events(&client, &lost);
    assert_eq!(page["gap"], json!({"from": lost, "to": copied}), "{page}");
    assert_eq!(page["events"][0]["event_type"], "restored", "{page}");
    assert_eq!(page["events"][0]["payload"]["taken_at"], Value::Null, "{page}");
    // A stream that was open all the time has a gap, and goes on.
    let gap = stream.next_event().unwrap();
    assert_eq!(gap.told().1, json!({"gap": {"from": lost, "to": copied}}));
    assert_eq!(stream.next_event().unwrap().told().0, "restored");
}

#[test]
fn a_host_that_starts_notices_an_older_copy() {
    let redis = server();
    let mut hub = Hub::options().redis(&redis).start();
    let client = hub.admin();
    let before = register(&client, "n", "s");
    let copied = end(&client);
    let mut connection = redis.connect();
    let kept = dump(&mut connection);
    let after = register(&client, "n", "s");
    let lost = end(&client);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    stop(&mut hub);
    undo(&mut connection, &kept);
    hub.start_again();
    let client = hub.admin();
    eventually_noticed(&hub);
    let page = events(&client, &lost);
    assert_eq!(page["gap"], json!({"from": lost, "to": copied}), "{page}");
    for incarnation in [before, after] {
        let beat = json!({"incarnation": incarnation});
        client.post("/nodes/n/heartbeat", &beat).problem(409, "fenced");
    }
    // Once: the next start finds nothing new.
    stop(&mut hub);
    hub.start_again();
    let client = hub.admin();
    client.new_node("later");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let told = types(&events(&client, &copied));
    assert_eq!(told.iter().filter(|it| *it == "restored").count(), 1, "{told:?}");
}

/// Waits until a host says that it has made void what was given out. The event `restored` comes
/// earlier: registrations are gone through after it.
fn eventually_noticed(hub: &Hub) {
    eventually("the host notices", PATIENCE, || hub.log().contains("older copy").then_some(()));
}

type Dump = Vec<(String, i64, Vec<u8>)>;

/// All keys as they are.
fn dump(redis: &mut redis::Connection) -> Dump {
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(redis).unwrap();
    let mut dumped = Vec::new();
    for key in keys {
        let ttl: i64 = redis::cmd("PTTL").arg(&key).query(redis).unwrap();
        let value: Option<Vec<u8>> = redis::cmd("DUMP").arg(&key).query(redis).unwrap();
        dumped.extend(value.map(|value| (key, ttl.max(0), value)));
    }
    dumped
}

/// Puts them back in one step, as a replica does that lagged behind and is the primary now.
fn undo(redis: &mut redis::Connection, kept: &Dump) {
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("FLUSHALL").ignore();
    for (key, ttl, value) in kept {
        pipe.cmd("RESTORE").arg(key).arg(ttl).arg(value).ignore();
    }
    pipe.query::<()>(redis).unwrap();
}
