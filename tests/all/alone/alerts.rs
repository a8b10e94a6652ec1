//! Alerts: posted to webhooks that listen, signed, and posted again until they are taken; the monitor
//! waits for none of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::contract::Desk;
use crate::harness::{Hub, HubOptions, PATIENCE, Program, RedisServer, reef};

const SECRET: &str = "a-secret-of-this-test";

/// A webhook. It answers what it is told to, in turn, and then always 200.
struct Webhook {
    url: String,
    posts: Receiver<Post>,
    answers: Arc<Mutex<Vec<u16>>>,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Post {
    head: String,
    body: String,
    status: u16,
}

impl Post {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).unwrap().1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether the signature is what openssl computes.
    #[track_caller]
    fn assert_signed(&self) {
        let signature = self.header("x-reef-signature");
        let (time, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let script = format!("printf '%s' \"$0\" | openssl dgst -sha256 -hmac {SECRET}");
        let signed = format!("{time}.{}", self.body);
        let mut shell = Command::new("sh");
        let output = Program::run(shell.args(["-c", &script, &signed]), PATIENCE);
        assert!(output.stdout.ends_with(mac), "{mac}: {output:?}");
        assert_eq!(self.header("x-reef-alert-id"), self.json()["alert_id"]);
    }
}

impl Webhook {
    fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?token=hidden", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect::<Vec<_>>()));
        let (sender, posts) = channel();
        let left = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if take(stream.unwrap(), &left, &sender).is_none() {
                    return;
                }
            }
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Self { url, posts, answers, folder }
    }

    fn secret_file(&self) -> String {
        self.folder.path().join("secret").display().to_string()
    }

    /// A hub that posts here.
    fn hub(&self) -> HubOptions {
        let hub = Hub::options().env("REEF_ALERT_URL", &self.url);
        hub.env("REEF_ALERT_SECRET_FILE", &self.secret_file())
    }

    /// The next post, which must be signed.
    #[track_caller]
    fn next(&self) -> Post {
        let post = self.posts.recv_timeout(PATIENCE).expect("a post");
        post.assert_signed();
        post
    }

    /// The next alert of a type that is taken.
    #[track_caller]
    fn alert(&self, kind: &str) -> Value {
        loop {
            let post = self.next();
            if post.status == 200 && post.json()["type"] == kind {
                return post.json();
            }
        }
    }
}

/// Reads one request and answers it. `None`: the test has ended.
fn take(mut stream: TcpStream, left: &Mutex<Vec<u16>>, posts: &Sender<Post>) -> Option<()> {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    let (head, body) = loop {
        let read = stream.read(&mut buffer).unwrap();
        received.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        }
        assert!(read > 0, "the request is cut");
    };
    let status = left.lock().unwrap().pop().unwrap_or(200);
    let answer =
        format!("HTTP/1.1 {status} Said\r\ncontent-length: 6\r\nconnection: close\r\n\r\nheard!");
    let _ = stream.write_all(answer.as_bytes());
    posts.send(Post { head, body, status }).ok()
}

#[test]
fn what_happens_is_posted() {
    let webhook = Webhook::start(&[]);
    let hub = webhook.hub().start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(1);
    // The first look of the monitor finds where the events end: what comes later is told.
    let campaign = || {
        let body = json!({"node_id": desk.client.new_node("n"), "ttl_ms": 100});
        desk.client.post("/cluster/leader/campaign", &body).ok()
    };
    let changed = loop {
        campaign();
        if let Ok(post) = webhook.posts.recv_timeout(std::time::Duration::from_millis(300)) {
            post.assert_signed();
            break post.json();
        }
    };
    assert_eq!(changed["type"], "leader_changed");
    assert!(changed["data"]["at"].is_string() && changed["host"].is_string(), "{changed}");

    let task = desk.submit(json!({"max_retries": 0}));
    let held = desk.claim_one(&node);
    let error = json!({"token": held.token, "error": "broken", "retryable": false});
    desk.client.post(&format!("/tasks/{task}/fail"), &error).ok();
    assert_eq!(webhook.alert("task_dead")["data"]["task_id"], task);
    desk.client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    assert_eq!(webhook.alert("node_offline")["data"]["node_id"], node);
    assert!(!hub.log().contains("hidden"), "the address may hold a secret");
}

#[test]
fn a_fleet_that_falls_silent_at_once_is_told() {
    let webhook = Webhook::start(&[]);
    let hub = webhook.hub().timeout(1.0).start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..6).map(|n| client.new_node(&format!("silent-{n}"))).collect();
    // They are last heard of at one moment, however long it took to register them.
    let beats: Vec<_> = nodes.iter().map(|node| json!({"node_id": node})).collect();
    client.post("/heartbeats", &json!(beats)).list();
    let reason = webhook.alert("expiry_suspended")["data"]["reason"].clone();
    assert!(reason.as_str().is_some_and(|reason| !reason.is_empty()), "{reason}");
}

#[test]
fn a_post_that_is_not_taken_is_repeated_and_holds_nothing_up() {
    let webhook = Webhook::start(&[]);
    let mut hub = webhook.hub().start();
    let pid = hub.private_redis_pid();
    webhook.answers.lock().unwrap().extend([503, 500]);
    crate::harness::signal(pid, crate::harness::Signal::Stop);
    let refused = [webhook.next(), webhook.next()];
    let taken = webhook.next();
    crate::harness::signal(pid, crate::harness::Signal::Continue);
    assert_eq!(
        refused.map(|post| (post.status, post.body)),
        [(500, taken.body.clone()), (503, taken.body.clone()),]
    );
    assert_eq!((taken.status, &taken.json()["type"]), (200, &json!("monitor_failing")));
    hub.terminate();
    assert!(hub.wait().success());
}

#[test]
fn a_test_alert_shows_the_answer() {
    let webhook = Webhook::start(&[200, 403]);
    let secret = webhook.secret_file();
    let test = |url: &str| {
        let args = ["alerts", "test", "--alert-url", url, "--alert-secret-file", &secret];
        Program::run(reef().args(args), PATIENCE)
    };
    let taken = test(&webhook.url);
    assert_eq!(taken.status.code(), Some(0), "{taken:?}");
    assert!(taken.stdout.ends_with("  200  heard!"), "{taken:?}");
    assert_eq!(webhook.next().json()["type"], "test");
    let refused = test(&webhook.url);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stdout.contains("  403  "), "{refused:?}");
    let nobody = test("http://127.0.0.1:1/secret-path");
    assert_eq!(nobody.status.code(), Some(3), "{nobody:?}");
    assert!(!nobody.stderr.contains("secret-path"), "{nobody:?}");
    assert_eq!(test("ftp://x").status.code(), Some(2));
    let unsigned =
        Program::run(reef().args(["alerts", "test", "--alert-url", "http://h"]), PATIENCE);
    assert_eq!(unsigned.status.code(), Some(2), "{unsigned:?}");
    assert_eq!(Program::run(reef().args(["alerts", "test"]), PATIENCE).status.code(), Some(2));
}

#[test]
fn a_redis_that_is_nearly_full_is_told() {
    let webhook = Webhook::start(&[]);
    let server = RedisServer::start();
    let hub = webhook.hub().redis(&server).start();
    let mut redis = server.connect();
    let info: String = redis::cmd("INFO").arg("memory").query(&mut redis).unwrap();
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    let used: u64 = used.unwrap().trim().parse().unwrap();
    let max = used / 95 * 100;
    redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(max).exec(&mut redis).unwrap();
    let data = webhook.alert("store_nearly_full")["data"].clone();
    assert_eq!(data["max"], max);
    assert!(data["used"].as_u64() > Some(max / 100 * 90), "{data}");
    drop(hub);
}
