//! Who may call: keys, scopes, owners, and the routes that need none. The routes come from the
//! components' own tables, so that a new one cannot be forgotten.

pub mod foreign;
pub mod table;

use reef_api::Word as _;
use reef_domain::access::{Scope, Scopes};
use reef_web::auth::Access;
use serde_json::json;

use self::table::{host_routes, routes};
use super::agents::new_agent;
use super::hub;
use crate::harness::{Answer, registration, unique};

#[track_caller]
fn assert_unauthenticated(answer: &Answer) {
    answer.problem(401, "unauthenticated");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer"), "{answer}: {challenge}");
}

/// A body that breaks every schema: who is not known must not learn that.
fn nonsense(method: &str) -> Option<&'static [u8]> {
    matches!(method, "POST" | "PUT" | "PATCH").then_some(b"[\"nonsense\"]")
}

#[test]
fn without_a_key_every_route_is_closed_but_those_that_are_open() {
    let hub = hub();
    for route in routes().into_iter().chain(host_routes(&hub)) {
        let answer = hub.anonymous.send(route.method, &route.path, nonsense(route.method));
        let is_the_ledgers = !matches!(
            route.access,
            Access::Read | Access::Write | Access::Admin | Access::Admission
        );
        match route.access {
            Access::Open => assert_ne!(answer.status, 401, "{answer}"),
            _ if hub.wants_keys || is_the_ledgers => assert_unauthenticated(&answer),
            _ => assert_ne!(answer.status, 401, "{answer}"),
        }
    }
}

#[test]
fn a_key_that_is_unknown_or_revoked_is_refused_on_every_route_and_in_every_mode() {
    let hub = hub();
    let agent = new_agent(&hub);
    let me = agent.client.get("/auth/me").ok();
    let revoke = format!("/auth/keys/{}", me["auth"]["key_id"].as_str().unwrap());
    agent.client.delete(&revoke).ok();
    let unknown = hub.anonymous.with_key("reef_abcdefgh_0123456789abcdef0123456789abcdef");
    // The host says whether it is ready without asking Redis about a key.
    let all = routes().into_iter().chain(host_routes(&hub));
    for route in all.filter(|route| !hub.has_host || route.pattern != "/readyz") {
        for wrong in [&unknown, &agent.client] {
            assert_unauthenticated(&wrong.send(route.method, &route.path, nonsense(route.method)));
        }
    }
}

#[test]
fn a_key_without_the_scope_of_a_route_is_forbidden_there() {
    let hub = hub();
    let agent = new_agent(&hub);
    // For each scope a key that has all others that an agent's key can have, and one with it alone.
    let keys = Scope::ALL.iter().map(|&scope| {
        let others = agent.key_with(&Scopes::OF_FIRST_KEY.without(scope).names());
        let is_own = Scopes::OF_FIRST_KEY.has(scope);
        let alone = is_own.then(|| agent.key_with(&[scope.as_str()]));
        (scope, others, alone)
    });
    let keys: Vec<_> = keys.collect();
    for route in routes().into_iter().chain(host_routes(&hub)) {
        let Some(scope) = route.access.scope() else { continue };
        let (_, lacking, having) = keys.iter().find(|(it, ..)| *it == scope).unwrap();
        let answer = lacking.send(route.method, &route.path, nonsense(route.method));
        let problem = answer.problem(403, "forbidden");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(scope.as_str()), "{answer}: which scope is missing?");
        // Whoever may read a stream is not answered before it ends.
        if let Some(having) = having.as_ref().filter(|_| !route.path.ends_with("/stream")) {
            let answer = having.send(route.method, &route.path, nonsense(route.method));
            assert_ne!(answer.status, 401, "{answer}");
            let is_refused = answer.text().contains("does not have the scope");
            assert!(!is_refused, "{answer}");
        }
    }
}

#[test]
fn a_wrong_key_is_never_anonymous() {
    let hub = hub();
    for (name, value) in [
        ("x-api-key", "nonsense"),
        ("x-api-key", ""),
        ("authorization", "Bearer "),
        ("authorization", "Bearer"),
        ("authorization", "Basic YWRtaW46YWRtaW4="),
        ("authorization", "nonsense"),
    ] {
        assert_unauthenticated(&hub.anonymous.with(name, value).get("/nodes?limit=1"));
    }
}

#[test]
fn both_headers_carry_a_key() {
    let hub = hub();
    // With a given hub the key is known from the environment only, and an open one has none.
    let Some(key) = hub.key.as_deref() else {
        hub.anonymous.get("/nodes?limit=1").ok();
        return;
    };
    hub.anonymous.with("x-api-key", key).get("/nodes?limit=1").ok();
    hub.anonymous.with("authorization", &format!("Bearer {key}")).get("/nodes?limit=1").ok();
    hub.anonymous.with("authorization", &format!("bearer {key}")).get("/nodes?limit=1").ok();
    let almost = &key[..key.len() - 1];
    assert_unauthenticated(&hub.anonymous.with_key(almost).get("/nodes?limit=1"));
    assert_unauthenticated(&hub.anonymous.with_key(&format!("{key}x")).get("/nodes?limit=1"));
}

#[test]
fn who_is_not_known_does_not_learn_whether_a_body_was_right() {
    let hub = hub();
    let wrong = hub.anonymous.with_key("nonsense");
    for body in [&b"{\"unterminated\": "[..], b"\xff\xfe", b"", b"{}"] {
        assert_unauthenticated(&wrong.send("POST", "/nodes/register", Some(body)));
    }
    assert_unauthenticated(&wrong.get("/nodes/a%7Bb"));
    let hostname = unique("intruder");
    assert_unauthenticated(&wrong.post("/nodes/register", &registration(&hostname)));
    let answer = hub.client.post("/nodes/register", &registration(&hostname));
    assert_eq!(answer.ok()["registered"], true, "the refused one registered nothing");
}

#[test]
fn an_answer_never_shows_a_key() {
    let hub = hub();
    let secret = "reef_sesame00_opensesameopensesameopensesame";
    let answers = [
        hub.anonymous.with_key(secret).get("/nodes"),
        hub.anonymous.with("x-api-key", secret).post("/nodes/register", &json!({})),
    ];
    for answer in answers {
        assert!(!answer.text().contains("sesame"), "{answer}");
        let headers = answer.headers.iter();
        assert!(headers.clone().all(|(_, value)| !value.contains("sesame")), "{answer}");
    }
}
