//! Named locks (contract.md §3).

use serde_json::{Value, json};

use super::agents::new_agent;
use super::caller;
use crate::harness::{Client, PATIENCE, eventually, unique};

fn acquire(client: &Client, lock: &str, holder: &str, ttl_ms: i64) -> Value {
    let body = json!({"holder": holder, "ttl_ms": ttl_ms});
    client.post(&format!("/locks/{lock}/acquire"), &body).ok()
}

fn term(answer: &Value) -> i64 {
    answer["lock"]["term"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn one_process_holds_a_lock_under_a_term_that_grows() {
    let (_hub, client) = caller();
    let lock = unique("lock");
    let at = |verb: &str| format!("/locks/{lock}/{verb}");
    client.get(&format!("/locks/{lock}")).problem(404, "not_found");
    let first = acquire(&client, &lock, "a", 600_000);
    assert_eq!((&first["is_held"], &first["lock"]["holder"]), (&json!(true), &json!("a")));
    let other = acquire(&client, &lock, "b", 600_000);
    assert_eq!((&other["is_held"], &other["lock"]["holder"]), (&json!(false), &json!("a")));
    assert_eq!(term(&other), term(&first));
    // An answer that was lost is asked for again.
    let again = acquire(&client, &lock, "a", 500_000);
    assert_eq!((&again["is_held"], term(&again)), (&json!(true), term(&first)));
    let shown = client.get(&format!("/locks/{lock}")).ok();
    assert!(shown["ttl_ms"].as_i64() <= Some(500_000), "{shown}");

    let body = json!({"holder": "a", "term": term(&first), "ttl_ms": 550_000});
    let kept = client.post(&at("renew"), &body).ok();
    assert_eq!((&kept["term"], &kept["ttl_ms"]), (&json!(term(&first)), &json!(550_000)));
    for (holder, term) in [("b", term(&first)), ("a", term(&first) - 1), ("a", term(&first) + 1)] {
        let body = json!({"holder": holder, "term": term});
        for verb in ["renew", "release"] {
            client.post(&at(verb), &body).problem(409, "fenced");
        }
    }
    assert_eq!(client.get(&format!("/locks/{lock}")).ok()["holder"], "a", "nothing had an effect");
    client.post(&at("release"), &body).ok();
    client.post(&at("release"), &body).problem(409, "fenced");
    client.get(&format!("/locks/{lock}")).problem(404, "not_found");
    let second = acquire(&client, &lock, "a", 600_000);
    assert!(term(&second) > term(&first), "also where nothing was left of the first");
    client.post(&at("renew"), &body).problem(409, "fenced");
}

#[test]
fn a_lock_is_free_when_its_lease_is_over() {
    let (_hub, client) = caller();
    let lock = unique("lock");
    let first = acquire(&client, &lock, "a", 100);
    let next = eventually("the next holder", PATIENCE, || {
        Some(acquire(&client, &lock, "b", 600_000)).filter(|it| it["is_held"] == true)
    });
    assert!(term(&next) > term(&first));
    let body = json!({"holder": "a", "term": term(&first)});
    for verb in ["renew", "release"] {
        client.post(&format!("/locks/{lock}/{verb}"), &body).problem(409, "fenced");
    }
    assert_eq!(client.get(&format!("/locks/{lock}")).ok()["holder"], "b");
}

#[test]
fn locks_are_listed() {
    let (_hub, client) = caller();
    let locks = [unique("lock"), unique("lock")];
    for lock in &locks {
        acquire(&client, lock, "a", 600_000);
    }
    let mut found = Vec::new();
    let mut path = "/locks?limit=1".to_owned();
    loop {
        let page = client.get(&path);
        found.extend(page.list());
        let Some(link) = page.header("link").map(str::to_owned) else { break };
        let next = link.split(['<', '>']).nth(1).unwrap();
        path = next.strip_prefix("/api/v1").unwrap().to_owned();
    }
    let mine: Vec<_> =
        found.iter().filter(|it| locks.iter().any(|name| it["name"] == *name)).collect();
    assert_eq!(mine.len(), 2, "{found:?}");
    assert_eq!(mine[0]["name"], *locks[1], "the latest change first");
}

#[test]
fn a_lock_is_its_owners() {
    let (hub, _) = caller();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let lock = unique("lock");
    let held = acquire(&alice.client, &lock, "same", 600_000);
    assert_eq!(held["lock"]["owner"], *alice.id);
    // The same name is another process where somebody else says it.
    assert_eq!(acquire(&bob.client, &lock, "same", 600_000)["is_held"], false);
    let body = json!({"holder": "same", "term": term(&held)});
    for verb in ["renew", "release"] {
        bob.client.post(&format!("/locks/{lock}/{verb}"), &body).problem(403, "forbidden");
    }
    hub.client.post(&format!("/locks/{lock}/release"), &body).ok();
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let (_hub, client) = caller();
    let at = |verb: &str| format!("/locks/{}/{verb}", unique("lock"));
    client.post(&at("acquire"), &json!({})).problem_with(422, "validation_failed", "holder");
    for ttl_ms in [json!(99), json!(600_001), json!("x")] {
        let body = json!({"holder": "a", "ttl_ms": ttl_ms});
        assert_eq!(client.post(&at("acquire"), &body).status, 422, "{ttl_ms}");
    }
    client.post(&at("acquire"), &json!({"holder": "a b"})).problem_with(
        422,
        "validation_failed",
        "holder",
    );
    client.post(&at("renew"), &json!({"holder": "a"})).problem_with(
        422,
        "validation_failed",
        "term",
    );
    client.post(&at("release"), &json!({"term": 1})).problem_with(
        422,
        "validation_failed",
        "holder",
    );
    client.post("/locks/a%20b/acquire", &json!({"holder": "a"})).problem(422, "validation_failed");
}
