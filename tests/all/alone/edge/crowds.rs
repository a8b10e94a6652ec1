//! Many requests and many connections of one caller.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::{half, idle, metric};
use crate::harness::{Hub, PATIENCE, eventually, read_answer};

const WRONG_KEY: &str = "reef_aB3dEf7h_0123456789abcdefABCDEF_-01234567";

#[test]
fn an_address_without_a_key_has_a_rate_and_those_with_one_do_not_feel_it() {
    let hub = Hub::options().variable("anonymous_rate_per_second", "5").start();
    let (nobody, agent) = (hub.anonymous(), hub.admin().new_agent());
    agent.client.get("/auth/me").ok();
    let refused = (0..1000).find_map(|_| {
        let answer = nobody.get("/nodes");
        (answer.status != 401).then_some(answer)
    });
    let refused = refused.expect("1000 requests within 200 s were let in");
    refused.problem(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Neither those that are known, nor whether the hub lives.
    for _ in 0..20 {
        agent.client.get("/auth/me").ok();
        hub.admin().get("/nodes?limit=1").list();
        assert_eq!(nobody.get("//healthz").status, 200);
    }
    assert!(metric(&hub.admin(), "reef_http_refusals_total{reason=\"rate\"}") >= 1.0);
    eventually("room for one more", PATIENCE, || {
        (nobody.get("/nodes").status == 401).then_some(())
    });
}

#[test]
fn wrong_keys_are_counted_as_none_and_good_ones_beside_them_go_on() {
    let hub = Hub::options().variable("anonymous_rate_per_second", "5").start();
    let agent = hub.admin().new_agent();
    agent.client.get("/auth/me").ok();
    let guess = |n: usize| {
        let key = format!("{}{n:04}", &WRONG_KEY[..WRONG_KEY.len() - 4]);
        hub.anonymous().with_key(&key).get("/nodes")
    };
    let refused = (0..1000).map(guess).find(|answer| answer.status != 401);
    refused.expect("1000 guesses were answered").problem(429, "rate_limited");
    agent.client.get("/auth/me").ok();
    // A path that nobody answers does not make a key a good one.
    let client = hub.anonymous().with_key(WRONG_KEY);
    eventually("the rate to allow one", PATIENCE, || {
        (client.get("/nope").status == 404).then_some(())
    });
    let refused = (0..1000).map(|_| client.get("/nodes")).find(|answer| answer.status == 429);
    assert!(refused.is_some());
}

#[test]
fn in_open_mode_those_without_a_key_have_the_rate_of_a_key() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    for _ in 0..200 {
        client.get("/nodes?limit=1").list();
    }
}

#[test]
fn idle_connections_give_way_to_who_asks() {
    let hub = Hub::options().arg("--max-connections").arg("64").start();
    let client = hub.anonymous();
    let _idle: Vec<TcpStream> = (0..200).map(|_| idle(&client)).collect();
    let _half: Vec<TcpStream> =
        (0..200).map(|_| half(&client, "GET /healthz HTTP/1.1\r\nHost: loc")).collect();
    for _ in 0..5 {
        // A connection of its own each time.
        assert_eq!(hub.anonymous().get("//healthz").status, 200);
        hub.admin().get("/nodes").list();
    }
}

#[test]
fn connections_in_use_leave_a_reserve_for_callers_with_keys() {
    let hub = Hub::options().open().arg("--max-connections").arg("16");
    let hub = hub.variable("quota_streams", "0").start();
    let nobody = hub.anonymous();
    let mut readers = Vec::new();
    // So many that no more are let in; each is in use for as long as it is open.
    let refused = (0..16).find_map(|_| {
        let stream = nobody.stream("/events/stream");
        if stream.status == 200 {
            readers.push(stream);
            return None;
        }
        Some((stream.status, stream.header("retry-after").map(str::to_owned)))
    });
    assert_eq!(refused, Some((503, Some("1".to_owned()))), "{} were let in", readers.len());
    hub.admin().get("/nodes").list();
    assert_eq!(hub.anonymous().get("//healthz").status, 200);
    let answer = hub.anonymous().get("/nodes");
    answer.problem(503, "overloaded");
    assert_eq!(answer.header("connection"), Some("close"), "{answer}");
}

#[test]
fn one_address_has_a_bound_and_who_has_a_key_is_let_in_beyond_it() {
    let hub = Hub::options().open().arg("--max-connections-per-address").arg("8");
    let hub = hub.variable("quota_streams", "0").start();
    let agent = hub.admin().new_agent();
    agent.client.get("/nodes").list();
    let nobody = hub.anonymous();
    let open = || nobody.stream("/events/stream");
    let readers: Vec<_> = (0..8).map(|_| open()).collect();
    assert!(readers.iter().all(|reader| reader.status == 200));
    assert_eq!(open().status, 503);
    let others: Vec<_> = (0..20).map(|_| agent.client.stream("/events/stream")).collect();
    assert!(others.iter().all(|reader| reader.status == 200));
    drop(readers);
    eventually("room for one more", PATIENCE, || (open().status == 200).then_some(()));
}

#[test]
fn who_finds_no_place_is_told_so() {
    let hub = Hub::options().open().arg("--max-connections").arg("8");
    let hub = hub.variable("quota_streams", "0").start();
    let admin = hub.admin();
    // Connections in use of callers with keys may take all.
    let readers: Vec<_> = (0..8).map(|_| admin.stream("/events/stream")).collect();
    assert_eq!(readers.iter().filter(|reader| reader.status == 200).count(), 8);
    let mut late = idle(&admin);
    late.set_read_timeout(Some(PATIENCE)).unwrap();
    let answer = read_answer(&mut late, "a connection");
    answer.problem(503, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(readers);
    eventually("room again", PATIENCE, || {
        admin.try_send("GET", "/nodes", None).is_ok_and(|it| it.status == 200).then_some(())
    });
}

#[test]
fn requests_one_after_another_on_a_connection_are_answered_in_order() {
    let hub = Hub::start();
    let client = hub.admin();
    let key = hub.admin_key();
    let one = |path: &str, rest: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n{rest}\r\n")
    };
    let all = one("/health", "") + &one("/nope", "") + &one("/healthz", "Connection: close\r\n");
    let mut stream = half(&client, &all);
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let answer = read_answer(&mut stream, "three");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200);
    let (second, third) = (text.find("HTTP/1.1 404").unwrap(), text.rfind("HTTP/1.1 200").unwrap());
    assert!(second < third);
    assert!(client.post("/sessions", &json!({})).status == 200);
}
