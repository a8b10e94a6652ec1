//! `reef monitor --hub-url`: the page of a hub elsewhere. The hub is `reef serve`, whose components are
//! called through `wasi:http`, as Spin calls them.

use std::io::{Read, Write};
use std::net::TcpListener;

use reef_web::Request;
use reef_web::stand_in::{self, ADMIN};
use serde_json::json;

use crate::harness::{Client, Hub, RedisServer, Role, unique};

struct Beside {
    server: RedisServer,
    app: Hub,
    monitor: Hub,
}

/// A monitor beside an app, with this admin key.
fn monitor(server: &RedisServer, url: &str, admin_key: &str) -> Hub {
    Hub::options()
        .role(Role::Monitor)
        .redis(server)
        .arg("--hub-url")
        .arg(url)
        .env("SPIN_VARIABLE_ADMIN_KEY", admin_key)
        .start()
}

impl Beside {
    fn new() -> Self {
        let server = RedisServer::start();
        let app = Hub::options().role(Role::Serve).redis(&server).arg("--no-direct").start();
        let monitor = monitor(&server, app.url(), &app.admin_key());
        Self { server, app, monitor }
    }

    fn page(&self) -> Client {
        let page = self.monitor.anonymous().with("origin", self.monitor.url());
        page.with("sec-fetch-site", "same-origin")
    }

    /// A page that has signed in with a key, and may act: the one that reads, and the one that acts.
    #[track_caller]
    fn signed_in(&self, key: &str) -> (Client, Client) {
        let cookie = |answer: &crate::harness::Answer| {
            answer.ok();
            answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
        };
        let session = cookie(&self.page().with_key(key).post_empty("//ui/session"));
        let acts = self.page().post("//ui/act", &json!({"key": key}));
        let page = self.page().with("cookie", &format!("{session}; {}", cookie(&acts)));
        (page.clone(), page.with("x-reef-csrf", acts.ok()["csrf"].as_str().unwrap()))
    }
}

#[test]
fn the_page_of_an_app_reads_and_acts_through_its_monitor() {
    let beside = Beside::new();
    let alice = beside.app.admin().new_agent();
    let (page, acting) = beside.signed_in(&alice.key);
    assert_eq!(page.get("//").status, 200);
    assert_eq!(page.get("/auth/me").ok()["auth"]["agent_id"], *alice.id);
    let once = acting.with("idempotency-key", "click-1");
    let made = once.post("/sessions", &json!({})).ok();
    // What goes on is what was asked, and its answer what was answered.
    let again = once.post("/sessions", &json!({}));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.ok()["session_id"], made["session_id"]);
    assert_eq!(alice.client.get("/sessions").list().len(), 1);
    let listed = page.with("x-request-id", "look-1").get("/sessions?limit=1");
    assert_eq!((listed.list().len(), listed.header("x-request-id")), (1, Some("look-1")));
    let path = format!("/sessions/{}", made["session_id"].as_str().unwrap());
    assert_eq!(page.send("HEAD", &path, None).status, 200);
    acting.delete(&path).ok();
    acting.delete(&format!("/sessions/{}", unique("none"))).problem(404, "not_found");
    acting.post("/invites", &json!({})).problem(403, "forbidden");
    page.post("/sessions", &json!({})).problem(403, "forbidden");

    // The admin as well, whose key goes nowhere.
    let (page, acting) = beside.signed_in(&beside.app.admin_key());
    page.get("/agents").ok();
    acting.post("/agents/register", &json!({"agent_id": unique("new")})).ok();
    // Keys of callers go on as they are.
    let through = beside.monitor.anonymous().with_key(&alice.key);
    through.post("/sessions", &json!({})).ok();
    assert_eq!(beside.monitor.anonymous().get("//health").status, 200);
    beside.monitor.anonymous().get("/nodes").problem(401, "unauthenticated");
    // What is the monitor's own stays so: streams, and what the app has not.
    let mut stream = page.stream("/events/stream");
    assert_eq!(stream.status, 200);
    beside.app.admin().new_node("seen");
    assert!(stream.next_event().is_some());
    page.get("//no/such").problem(404, "not_found");

    // A key that is revoked acts no more.
    let me = alice.client.get("/auth/me").ok();
    let (page, acting) = beside.signed_in(&alice.key);
    let path = format!("/auth/keys/{}", me["auth"]["key_id"].as_str().unwrap());
    alice.client.delete(&path).ok();
    acting.post("/sessions", &json!({})).problem(401, "unauthenticated");
    page.get("/sessions").problem(401, "unauthenticated");
}

#[test]
fn large_bodies_come_through_and_a_cookie_brings_no_large_one() {
    let beside = Beside::new();
    let alice = beside.app.admin().new_agent();
    let (page, acting) = beside.signed_in(&alice.key);
    let task = |bytes: usize| json!({"name": "big", "required_skills": [unique("x")], "parameters": {"a": "x".repeat(bytes)}});
    let through = beside.monitor.anonymous().with_key(&alice.key);
    let made = through.post("/tasks", &task(500_000)).ok();
    let path = format!("/tasks/{}", made["task_id"].as_str().unwrap());
    let shown = page.get(&path);
    assert!(shown.ok()["parameters"]["a"].as_str().unwrap().len() == 500_000);
    acting.post("/tasks", &task(60_000)).ok();
    acting.post("/tasks", &task(66_000)).problem(413, "payload_too_large");
    through.post("/tasks", &task(1_100_000)).problem(413, "payload_too_large");
}

#[test]
fn what_stands_for_a_key_on_the_way_is_good_for_one_request() {
    let beside = Beside::new();
    let alice = beside.app.admin().new_agent();
    let key_id = alice.client.get("/auth/me").ok()["auth"]["key_id"].as_str().unwrap().to_owned();
    // As if somebody on the way had read it.
    let sent = Request {
        method: "POST".into(),
        target: "/api/v1/sessions".into(),
        headers: [("idempotency-key", "click-1")].into_iter().collect(),
        body: b"{}".to_vec(),
    };
    let secret = beside.app.admin_key();
    let signed = stand_in::relay(&secret, &ADMIN.into(), "", &sent);
    let stolen = beside.app.anonymous().with_key(&signed);
    let once = stolen.with("idempotency-key", "click-1");
    once.send_json("POST", "/sessions", &json!({})).ok();
    // Sent again it does nothing again.
    let again = once.send_json("POST", "/sessions", &json!({}));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    for answer in [
        stolen.with("idempotency-key", "click-2").send_json("POST", "/sessions", &json!({})),
        stolen.send_json("POST", "/sessions", &json!({})),
        once.send_json("POST", "/sessions", &json!({"user_id": "mallory"})),
        once.send_json("POST", "/sessions?x=1", &json!({})),
        once.send_json("POST", "/invites", &json!({})),
        once.get("/sessions"),
    ] {
        answer.problem(401, "unauthenticated");
    }
    // What stays within a host is no good at an app, either, unless it was made with its key.
    let kinds = [stand_in::Kind::Cookie, stand_in::Kind::Act];
    for kind in kinds {
        let forged = stand_in::make(kind, "another-key", &key_id.as_str().into(), "d");
        let outside = beside.app.anonymous().with_key(&forged);
        outside.get("/sessions").problem(401, "unauthenticated");
        outside.post("/sessions", &json!({})).problem(401, "unauthenticated");
    }
}

#[test]
fn a_monitor_with_another_admin_key_sends_nothing_that_stands_for_a_key() {
    let beside = Beside::new();
    let alice = beside.app.admin().new_agent();
    let other = monitor(&beside.server, beside.app.url(), "another-key-than-the-apps");
    let other = Beside { monitor: other, ..beside };
    let (page, acting) = other.signed_in(&alice.key);
    for answer in [page.get("/sessions"), acting.post("/sessions", &json!({}))] {
        let detail = answer.problem(409, "conflict")["detail"].to_string();
        assert!(detail.contains("another admin key"), "{detail}");
    }
    // Its key is good all the same.
    let through = other.monitor.anonymous().with_key(&alice.key);
    through.post("/sessions", &json!({})).ok();
}

#[test]
fn neither_cookies_nor_what_is_between_two_ends_go_on() {
    let server = RedisServer::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let monitor = monitor(&server, &url, "a-key-that-only-this-test-knows");
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut piece = [0; 4096];
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&head));
            head.extend_from_slice(&piece[..count]);
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
                      set-cookie: reef_act=x\r\naccess-control-allow-origin: *\r\n\
                      connection: x-hop\r\nx-hop: 1\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let client = monitor.anonymous().with("cookie", "reef_session=x; other=y");
    let client = client.with("x-forwarded-for", "10.0.0.1").with("spin-client-addr", "10.0.0.1:1");
    let answer = client.with("x-api-key", "k").get("/nodes/%2e%2E/tasks?a=b%20c");
    answer.ok();
    for name in ["set-cookie", "access-control-allow-origin", "x-hop"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    let head = heard.join().unwrap();
    assert!(head.starts_with("get /api/v1/tasks?a=b%20c http/1.1\r\n"), "{head}");
    assert!(head.contains("x-api-key: k\r\n"), "{head}");
    for name in ["cookie", "x-forwarded", "spin-", "origin", "sec-"] {
        assert!(!head.contains(&format!("\r\n{name}")), "{name} in {head}");
    }
    // Nobody is there any more; and what is no path of the hub is not asked.
    let problem = monitor.anonymous().get("/nodes").problem(502, "hub_unavailable");
    assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
    monitor.anonymous().get("/../../healthz").problem(404, "not_found");
}

#[test]
fn a_hub_on_another_machine_is_asked_with_tls_or_not_at_all() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "http://10.0.0.1:8888",
        "http://hub.example",
        "ftp://127.0.0.1",
        "127.0.0.1:8888",
        "http://127.0.0.1/api",
        "http://me:sesame@127.0.0.1",
        "http://127.0.0.1?x",
    ] {
        let options = Hub::options().role(Role::Monitor).redis(&server);
        let output = options.arg("--hub-url").arg(url).command(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{url}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--hub-url") && !said.contains("sesame"), "{said}");
    }
    let options = Hub::options().role(Role::Monitor).redis(&server);
    options.arg("--hub-url").arg("http://10.0.0.1:8888").arg("--insecure").start();
}
