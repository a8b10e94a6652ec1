//! Readers of event streams: how many an agent has, and how long.

use serde_json::{Value, json};

use super::metric;
use crate::harness::{
    Client, End, EventStream, Hub, Message, NewAgent, PATIENCE, RedisServer, Role, eventually,
};

/// Checks that the stream says that its key is not good any more, and ends.
#[track_caller]
fn assert_shut_out(mut stream: EventStream) {
    let (frames, end) = stream.rest();
    assert_eq!(end, End::Said, "{frames:?}");
    let last = frames.last().unwrap_or_else(|| panic!("no last words"));
    let (event, data) = last.told();
    assert_eq!((event, &data["code"]), ("gone", &json!("unauthenticated")), "{frames:?}");
    assert_eq!(last.id, None);
}

/// Both kinds of streams of an agent, opened by a client of it.
fn open(agent: &NewAgent, by: &Client) -> Vec<EventStream> {
    let message = Message::begin(&agent.client);
    let streams = vec![by.stream("/events/stream"), by.stream(&message.stream())];
    assert!(streams.iter().all(|stream| stream.status == 200));
    streams
}

/// Another key of the agent.
fn key(agent: &NewAgent, body: &Value) -> (String, Client) {
    let made = agent.client.post("/auth/keys", body).ok();
    let id = made["key_info"]["key_id"].as_str().unwrap().to_owned();
    let client = agent.client.anonymous().with_key(made["api_key"].as_str().unwrap());
    (id, client)
}

#[test]
fn a_stream_ends_when_its_key_is_revoked_at_once_on_the_host_that_is_told() {
    // So long that the look which comes by itself is not what ends it.
    let hub = Hub::options().arg("--stream-comment-period").arg("600").start();
    let agent = hub.admin().new_agent();
    let (id, reader) = key(&agent, &json!({"scopes": ["read"]}));
    let (_, other) = key(&agent, &json!({"scopes": ["read"]}));
    let (streams, kept) = (open(&agent, &reader), open(&agent, &other));
    agent.client.delete(&format!("/auth/keys/{id}")).ok();
    streams.into_iter().for_each(assert_shut_out);
    reader.get("/nodes").problem(401, "unauthenticated");
    // The agent's other streams go on.
    agent.client.new_node("still");
    for mut stream in kept.into_iter().take(1) {
        let told = std::iter::from_fn(|| stream.next_event());
        assert!(told.map(|frame| frame.event.unwrap()).any(|event| event == "node_registered"));
    }
}

#[test]
fn a_stream_on_another_host_ends_within_a_comment_period() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let other = Hub::options().role(Role::Serve).redis(&server);
    let other = other.arg("--stream-comment-period").arg("0.3").start();
    let agent = hub.admin().new_agent();
    let (id, reader) = key(&agent, &json!({"scopes": ["read"]}));
    let there = Client::new(other.url()).with_key(&reader_key(&reader));
    let streams = open(&agent, &there);
    agent.client.delete(&format!("/auth/keys/{id}")).ok();
    streams.into_iter().for_each(assert_shut_out);
}

fn reader_key(client: &Client) -> String {
    client.key().expect("no key").to_owned()
}

#[test]
fn a_stream_ends_when_its_key_expires() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).arg("--stream-comment-period").arg("0.3").start();
    let agent = hub.admin().new_agent();
    let (id, reader) = key(&agent, &json!({"scopes": ["read"], "expires_in_days": 1}));
    let streams = open(&agent, &reader);
    // A day passes.
    let mut redis = server.connect();
    let named: String = format!("reef:key:{id}");
    let _: i64 =
        redis::cmd("HSET").arg(&named).arg("expires_at").arg("1").query(&mut redis).unwrap();
    streams.into_iter().for_each(assert_shut_out);
}

#[test]
fn a_stream_that_is_busy_is_looked_at_too() {
    let hub = Hub::options().arg("--stream-comment-period").arg("600").start();
    let agent = hub.admin().new_agent();
    let (id, reader) = key(&agent, &json!({"scopes": ["read"]}));
    let mut stream = reader.stream("/events/stream");
    agent.client.new_node("before");
    assert!(stream.next_event().is_some());
    agent.client.delete(&format!("/auth/keys/{id}")).ok();
    for _ in 0..20 {
        agent.client.new_node("after");
    }
    let (frames, end) = stream.rest();
    assert_eq!(end, End::Said);
    assert_eq!(frames.last().unwrap().told().1["code"], "unauthenticated");
    assert!(frames.len() < 20, "{} events after the revocation", frames.len());
}

#[test]
fn the_page_of_a_key_that_is_revoked_reads_no_more() {
    let hub = Hub::options().arg("--stream-comment-period").arg("600").start();
    let agent = hub.admin().new_agent();
    let (id, reader) = key(&agent, &json!({"scopes": ["read"]}));
    let session = reader.post_empty("//ui/session");
    let cookie = session.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let page = hub.anonymous().with("cookie", &cookie);
    let stream = page.stream("/events/stream");
    assert_eq!(stream.status, 200);
    agent.client.delete(&format!("/auth/keys/{id}")).ok();
    assert_shut_out(stream);
}

#[test]
fn an_agent_has_so_many_streams_and_others_have_theirs() {
    let hub = Hub::options().variable("quota_streams", "3").start();
    let (one, other) = (hub.admin().new_agent(), hub.admin().new_agent());
    let (_, second) = key(&one, &json!({"scopes": ["read"]}));
    let mut held: Vec<_> = (0..2).map(|_| one.client.stream("/events/stream")).collect();
    held.push(second.stream("/events/stream"));
    assert!(held.iter().all(|stream| stream.status == 200));
    let refused = one.client.get("/events/stream");
    refused.problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(other.client.stream("/events/stream").status, 200);
    for _ in 0..5 {
        assert_eq!(hub.admin().stream("/events/stream").status, 200);
    }
    held.pop();
    eventually("a place", PATIENCE, || {
        (one.client.stream("/events/stream").status == 200).then_some(())
    });
}

#[test]
fn a_claim_that_waits_does_not_outlive_its_key() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let (id, worker) = key(&agent, &json!({"scopes": ["read", "write"]}));
    let node =
        agent.client.new_node_with("waiting", &["late"])["node_id"].as_str().unwrap().to_owned();
    let calls = "reef_component_calls_total{component=\"tasks\"}";
    let before = metric(&hub.admin(), calls);
    let waiting = std::thread::spawn({
        let (worker, node) = (worker.clone(), node.clone());
        move || worker.post("/tasks/claim", &json!({"node_id": node, "wait_ms": 12_000}))
    });
    eventually("the first look", PATIENCE, || (metric(&hub.admin(), calls) > before).then_some(()));
    agent.client.delete(&format!("/auth/keys/{id}")).ok();
    agent.client.post("/tasks", &json!({"name": "late", "required_skills": ["late"]})).ok();
    waiting.join().unwrap().problem(401, "unauthenticated");
    let claimed = agent.client.post("/tasks/claim", &json!({"node_id": node})).ok();
    assert_eq!(claimed["tasks"].as_array().unwrap().len(), 1);
}
