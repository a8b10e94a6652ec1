//! Agents' keys where a hub of its own is needed: rates, restarts, streams, the page's sessions.

use serde_json::json;

use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually};

/// Registers an agent and returns its key.
fn new_key(hub: &Hub) -> String {
    hub.admin().new_agent().key
}

fn number(answer: &crate::harness::Answer, header: &str) -> i64 {
    answer.header(header).unwrap_or_else(|| panic!("{answer}: no {header}")).parse().unwrap()
}

#[test]
fn a_key_may_ask_so_often_of_a_group_of_routes_on_all_hosts_together() {
    let server = RedisServer::start();
    let start = || Hub::options().redis(&server).variable("rate_limit_per_second", "5").start();
    let hubs = [start(), start()];
    let key = new_key(&hubs[0]);
    let clients: Vec<Client> = hubs.iter().map(|hub| hub.anonymous().with_key(&key)).collect();

    let mut left = Vec::new();
    // One second's requests are let through at once, and a few more while they are sent.
    let refused = (0..1000).map(|n| clients[n % 2].get("/nodes?limit=1")).find_map(|answer| {
        if answer.status == 429 {
            return Some(answer);
        }
        answer.list();
        assert_eq!(number(&answer, "ratelimit-limit"), 5);
        assert!(answer.header("ratelimit").unwrap().starts_with("\"key\";r="), "{answer}");
        left.push(number(&answer, "ratelimit-remaining"));
        None
    });
    let refused = refused.expect("no request was refused");
    refused.problem(429, "rate_limited");
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    let wait = number(&refused, "retry-after");
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(left[..3], [4, 3, 2], "the hosts count apart");

    // Another group of routes, another key, and the admin are not concerned.
    clients[0].get("/cluster/state").ok();
    hubs[0].anonymous().with_key(&new_key(&hubs[0])).get("/nodes").list();
    for _ in 0..20 {
        let answer = hubs[1].admin().get("/nodes?limit=1");
        answer.list();
        assert!(answer.header("ratelimit").is_none(), "{answer}");
    }
    eventually("room for one more", PATIENCE, || {
        (clients[1].get("/nodes?limit=1").status == 200).then_some(())
    });
}

#[test]
fn without_a_limit_nothing_is_counted() {
    let hub = Hub::options().variable("rate_limit_per_second", "0").start();
    let client = hub.anonymous().with_key(&new_key(&hub));
    for _ in 0..30 {
        let answer = client.get("/cluster/state");
        answer.ok();
        assert!(answer.header("ratelimit").is_none(), "{answer}");
    }
}

#[test]
fn keys_survive_every_kind_of_restart() {
    let mut hub = Hub::start();
    let key = new_key(&hub);
    let check = |hub: &Hub| {
        hub.anonymous().with_key(&key).get("/auth/me").ok();
    };
    check(&hub);
    hub.kill();
    hub.start_again();
    check(&hub);
    hub.terminate();
    assert!(hub.wait().success());
    hub.start_again();
    check(&hub);
    assert!(!hub.log().contains(&key), "the key stands in the log");
}

#[test]
fn streams_of_others_are_not_there() {
    let hub = Hub::start();
    let [alice, bob] = [(); 2].map(|()| hub.anonymous().with_key(&new_key(&hub)));
    let session = alice.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let sent = alice.post(&format!("/sessions/{session}/messages"), &json!({"content": "x"})).ok();
    let user = sent["user_message_id"].as_str().unwrap();
    let path = format!("/sessions/{session}/messages/{user}/stream");
    alice.stream(&path);
    bob.get(&path).problem(404, "not_found");
    hub.admin().stream(&path);
}

#[test]
fn a_pages_session_stands_for_an_agents_key_as_long_as_that_is_good() {
    let hub = Hub::start();
    let key = new_key(&hub);
    let agent = hub.anonymous().with_key(&key);
    let made = agent.post_empty("//ui/session");
    made.ok();
    let cookie = made.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(!cookie.contains(&key[10..]), "{cookie}");
    let page = hub.anonymous().with("cookie", &cookie);
    let me = page.get("/auth/me").ok();
    assert_eq!(me["auth"]["scopes"], json!(["read", "write", "trade"]));
    page.post_empty("/sessions").problem(403, "forbidden");
    page.get("//metrics").text();
    let path = format!("/auth/keys/{}", me["auth"]["key_id"].as_str().unwrap());
    agent.delete(&path).ok();
    page.get("/auth/me").problem(401, "unauthenticated");
}

#[test]
fn everybody_registers_where_the_hub_says_so() {
    for hub in
        [Hub::options().variable("registration", "open").start(), Hub::options().open().start()]
    {
        let agent = hub.anonymous().new_agent();
        agent.client.get("/auth/me").ok();
        // An invite is still what it says.
        let made = hub.admin().post("/invites", &json!({"scopes": ["read"]})).ok();
        let guest = hub.anonymous().with_key(made["invite"].as_str().unwrap());
        let made = guest.post("/agents/register", &json!({})).ok();
        assert_eq!(made["api_key_info"]["scopes"], json!(["read"]));
    }
}

#[test]
fn a_suspension_counts_on_every_host_and_for_the_pages_session() {
    let server = RedisServer::start();
    let hubs = [(); 2].map(|()| Hub::options().redis(&server).start());
    let agent = hubs[0].admin().new_agent();
    let there = hubs[1].anonymous().with_key(&agent.key);
    let made = there.post_empty("//ui/session");
    let cookie = made.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let page = hubs[1].anonymous().with("cookie", &cookie);
    page.get("/auth/me").ok();
    let path = format!("/agents/{}", agent.id);
    hubs[0].admin().patch(&path, &json!({"status": "suspended"})).ok();
    for client in [&agent.client, &there, &page] {
        client.get("/auth/me").problem(403, "forbidden");
        client.get("/events/stream").problem(403, "forbidden");
    }
    hubs[1].admin().patch(&path, &json!({"status": "active"})).ok();
    page.get("/auth/me").ok();
}

#[test]
fn a_key_that_was_seen_before_is_checked_in_the_call_that_the_request_is_for() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.anonymous().with_key(&new_key(&hub));
    client.get("/nodes?limit=1").list();

    let mut redis = server.connect();
    let mut set = |name: &str, value: &str| {
        redis::cmd("CONFIG").arg("SET").arg(name).arg(value).exec(&mut redis).unwrap();
    };
    set("slowlog-max-len", "100000");
    set("slowlog-log-slower-than", "0");
    for _ in 0..5 {
        client.get("/nodes?limit=1").list();
    }
    set("slowlog-log-slower-than", "-1");
    let log = redis::cmd("SLOWLOG").arg("GET").arg(100_000).query(&mut redis).unwrap();
    let log: Vec<(i64, i64, i64, Vec<String>, String, String)> = log;
    let called = |name: &str| {
        let functions = log.iter().filter(|entry| entry.3[0].eq_ignore_ascii_case("FCALL"));
        functions.filter(|entry| entry.3[1].starts_with(name)).map(|entry| &entry.3[1]).collect()
    };
    let lists: Vec<&String> = called("reef_node_list_");
    assert!(lists.len() == 5 && lists.iter().all(|it| it.ends_with("_with_key")), "{lists:?}");
    let checks: Vec<&String> = called("reef_key_check_");
    assert!(checks.is_empty(), "{checks:?}");
}

#[test]
fn what_a_host_remembers_of_a_key_lets_nothing_through() {
    let server = RedisServer::start();
    let hubs = [(); 2].map(|()| Hub::options().redis(&server).start());
    let admin = hubs[0].admin();
    let agents = [admin.new_agent(), admin.new_agent()];
    let clients = agents.each_ref().map(|agent| hubs[1].anonymous().with_key(&agent.key));
    let begin = |client: &Client, session: &str| {
        client.post("/sessions", &json!({ "session_id": session }))
    };
    for client in &clients {
        client.get("/sessions").list();
        client.get("/sessions").list();
    }

    let key_id = clients[0].get("/auth/me").ok()["auth"]["key_id"].as_str().unwrap().to_owned();
    admin.delete(&format!("/auth/keys/{key_id}")).ok();
    begin(&clients[0], "of-a-revoked-key").problem(401, "unauthenticated");
    let status = |status: &str| {
        let path = format!("/agents/{}", agents[1].id);
        admin.patch(&path, &json!({ "status": status })).ok();
    };
    status("suspended");
    begin(&clients[1], "of-somebody-suspended").problem(403, "forbidden");
    for session in ["of-a-revoked-key", "of-somebody-suspended"] {
        admin.get(&format!("/sessions/{session}")).problem(404, "not_found");
    }
    status("active");
    begin(&clients[1], "of-somebody-active").ok();
}
