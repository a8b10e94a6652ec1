//! Long polls. Only the host waits; under Spin every answer comes at once, and so there is nothing
//! to test there.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::{Subject, caller};
use super::{Desk, Held, held};
use crate::harness::{Answer, Client, PATIENCE, eventually};

/// Longer than anything here should take: whoever is woken comes much earlier.
const WAIT_MS: u64 = 14_000;

/// Whoever waits looks again by itself after ten seconds; who is woken has looked by now.
const SOON: Duration = Duration::from_secs(8);

/// The hub under test. Of one that somebody else has started it is found out whether it waits.
fn waiting_hub() -> Option<(Subject, Client)> {
    let (hub, client) = caller();
    if hub.is_given() {
        let id = Desk::new(&client).submit(json!({}));
        let start = Instant::now();
        client.get(&format!("/tasks/{id}?wait_ms=500")).ok();
        if start.elapsed() < Duration::from_millis(500) {
            return None;
        }
    }
    Some((hub, client))
}

/// Asks in the background.
fn later(ask: impl FnOnce() -> Answer + Send + 'static) -> Receiver<Answer> {
    let (sender, answer) = channel();
    std::thread::spawn(move || sender.send(ask()));
    answer
}

fn claim_later(desk: &Desk, node: &str) -> Receiver<Answer> {
    let client = desk.client.clone();
    let body = json!({"node_id": node, "wait_ms": WAIT_MS});
    later(move || client.post("/tasks/claim", &body))
}

/// What came, which must be before the wait was over.
#[track_caller]
fn soon(answer: &Receiver<Answer>) -> Answer {
    answer.recv_timeout(SOON).expect("nobody woke it")
}

#[track_caller]
fn one(answer: &Answer) -> Held {
    let mut tasks = held(&answer.ok());
    assert_eq!(tasks.len(), 1, "{answer}");
    tasks.remove(0)
}

/// Lets a request arrive at the hub that says nothing until it is answered. Should this be too
/// short, the test tests less, and passes all the same.
fn let_it_wait() {
    std::thread::sleep(Duration::from_millis(300));
}

#[test]
fn a_claim_waits_for_a_task() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let node = desk.node(2);
    let waiting = claim_later(&desk, &node);
    let_it_wait();
    let id = desk.submit(json!({}));
    assert_eq!(one(&soon(&waiting)).id, id);
    // One that is there already is not waited for.
    let next = desk.submit(json!({}));
    assert_eq!(one(&soon(&claim_later(&desk, &node))).id, next);
}

#[test]
fn a_claim_waits_for_room_at_its_node() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let [_, next] = [0, 1].map(|_| desk.submit(json!({})));
    let first = desk.claim_one(&node);
    let waiting = claim_later(&desk, &node);
    let_it_wait();
    desk.post(&first, "complete", json!({})).ok();
    assert_eq!(one(&soon(&waiting)).id, next);
}

#[test]
fn a_claim_waits_for_what_another_node_gives_back() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let (node, leaving) = (desk.node(1), desk.node(1));
    let id = desk.submit(json!({}));
    desk.claim_one(&leaving);
    let waiting = claim_later(&desk, &node);
    let_it_wait();
    client.post_empty(&format!("/nodes/{leaving}/shutdown")).ok();
    assert_eq!(one(&soon(&waiting)).id, id);
}

#[test]
fn a_claim_waits_for_its_node_to_be_online() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let node = desk.node(1);
    client.patch(&format!("/nodes/{node}"), &json!({"status": "maintenance"})).ok();
    let id = desk.submit(json!({}));
    let waiting = claim_later(&desk, &node);
    let_it_wait();
    client.patch(&format!("/nodes/{node}"), &json!({"status": "online"})).ok();
    assert_eq!(one(&soon(&waiting)).id, id);
}

#[test]
fn of_two_who_wait_one_gets_the_task_and_the_other_waits_on() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let nodes = [desk.node(1), desk.node(1)];
    let waiting: Vec<_> = nodes.iter().map(|node| claim_later(&desk, node)).collect();
    let_it_wait();
    let id = desk.submit(json!({}));
    let (winner, first) = eventually("an answer", PATIENCE, || {
        waiting.iter().enumerate().find_map(|(n, it)| Some((n, it.try_recv().ok()?)))
    });
    assert_eq!(one(&first).id, id);
    assert!(waiting[1 - winner].try_recv().is_err(), "the other has an answer, too");
    let next = desk.submit(json!({}));
    assert_eq!(one(&soon(&waiting[1 - winner])).id, next);
}

#[test]
fn each_of_many_who_wait_gets_one() {
    const NODES: usize = 12;
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let nodes: Vec<_> = (0..NODES).map(|_| desk.node(1)).collect();
    let waiting: Vec<_> = nodes.iter().map(|node| claim_later(&desk, node)).collect();
    let_it_wait();
    let mut sent: Vec<_> = (0..NODES).map(|_| desk.submit(json!({}))).collect();
    let mut got: Vec<_> = waiting.iter().map(|waiting| one(&soon(waiting)).id).collect();
    sent.sort_unstable();
    got.sort_unstable();
    assert_eq!(got, sent);
}

#[test]
fn a_claim_that_finds_nothing_ends_when_its_time_is_up() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let node = desk.node(1);
    for wait_ms in [json!(400), json!("400")] {
        let start = Instant::now();
        let body = json!({"node_id": node, "wait_ms": wait_ms});
        let answer = client.post("/tasks/claim", &body);
        assert_eq!(held(&answer.ok()).len(), 0);
        assert!(start.elapsed() >= Duration::from_millis(400), "too early");
    }
}

/// The host goes by it, and so may whoever asks a hub that does not wait.
#[test]
fn an_answer_says_whether_there_is_nothing_yet() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let pending = |answer: &Answer| answer.header("reef-pending").map(str::to_owned);
    let claim = || client.post("/tasks/claim", &json!({"node_id": node}));
    assert_eq!(pending(&claim()).as_deref(), Some("1"));
    let id = desk.submit(json!({}));
    assert_eq!(pending(&client.get(&format!("/tasks/{id}"))).as_deref(), Some("1"));
    let answer = claim();
    assert_eq!(pending(&answer), None, "{answer}");
    desk.post(&one(&answer), "complete", json!({"result": 1})).ok();
    assert_eq!(pending(&client.get(&format!("/tasks/{id}"))), None);
}

/// A status, and how a task comes to end in it.
type End = (&'static str, fn(&Desk, &Held) -> Answer);

#[test]
fn the_end_of_a_task_can_be_waited_for() {
    let Some((_hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let ends: [End; 3] = [
        ("completed", |desk, held| desk.post(held, "complete", json!({"result": 1}))),
        ("failed", |desk, held| desk.post(held, "fail", json!({"retryable": false}))),
        ("cancelled", |desk, held| desk.client.post_empty(&format!("/tasks/{}/cancel", held.id))),
    ];
    for (status, end) in ends {
        let id = desk.submit(json!({}));
        let path = format!("/tasks/{id}?wait_ms={WAIT_MS}");
        let watcher = client.clone();
        let waiting = later({
            let path = path.clone();
            move || watcher.get(&path)
        });
        let_it_wait();
        // That it runs is not its end.
        let held = desk.claim_one(&node);
        desk.post(&held, "progress", json!({"progress": 0.5})).ok();
        assert!(waiting.try_recv().is_err(), "{status}: answered before its end");
        let end = end(&desk, &held).ok();
        assert_eq!(end["status"], status);
        assert_eq!(soon(&waiting).ok(), end);
        // One that has ended is not waited for.
        let start = Instant::now();
        assert_eq!(client.get(&path).ok(), end);
        assert!(start.elapsed() < SOON);
    }
    let id = desk.submit(json!({}));
    let shown: Value = client.get(&format!("/tasks/{id}?wait_ms=200")).ok();
    assert_eq!(shown["status"], "pending", "as it is when the time is up");
}

#[test]
fn who_goes_away_leaves_the_task_to_the_next() {
    let Some((hub, client)) = waiting_hub() else { return };
    let desk = Desk::new(&client);
    let (gone, next) = (desk.node(1), desk.node(1));
    let body = json!({"node_id": gone, "wait_ms": WAIT_MS}).to_string();
    let mut request = format!(
        "POST /api/v1/tasks/claim HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n",
        client.address(),
        body.len(),
    );
    if let Some(key) = &hub.key {
        request += &format!("authorization: Bearer {key}\r\n");
    }
    let mut leaver = TcpStream::connect(client.address()).unwrap();
    leaver.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
    let_it_wait();
    drop(leaver);
    let waiting = claim_later(&desk, &next);
    let_it_wait();
    let id = desk.submit(json!({}));
    assert_eq!(one(&soon(&waiting)).id, id);
    assert_eq!(desk.task(&id)["assigned_node"], *next);
}
