//! Sessions: opening, finding and closing them (contract.md §5).

use serde_json::{Value, json};

use super::caller;
use super::idempotency::{assert_replayed, keyed};
use crate::harness::{Client, is_timestamp, unique};

/// The fields of a session, in order.
const SESSION_FIELDS: &[&str] =
    &["session_id", "user_id", "status", "metadata", "created_at", "updated_at", "audience"];

#[track_caller]
fn new_session_of(client: &Client, user: &str) -> String {
    let opened = client.post("/sessions", &json!({"user_id": user})).ok();
    opened["session_id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn ids(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["session_id"].as_str().unwrap()).collect()
}

#[test]
fn a_session_is_opened_shown_and_closed() {
    let (_hub, client) = caller();
    let user = unique("user");
    let body = json!({"user_id": user, "metadata": {"list": [], "object": {}}});
    let opened =
        client.post("/sessions", &body).has_fields(&["session_id", "status", "created_at"]);
    let id = opened["session_id"].as_str().unwrap();
    assert!(id.starts_with("sess_"), "{opened}");
    assert_eq!(opened["status"], "active");
    assert!(is_timestamp(&opened["created_at"]));

    let path = format!("/sessions/{id}");
    let shown = client.get(&path).has_fields(SESSION_FIELDS);
    assert_eq!((&shown["session_id"], &shown["user_id"]), (&json!(id), &json!(user)));
    assert_eq!((&shown["status"], &shown["metadata"]), (&json!("active"), &body["metadata"]));
    assert_eq!(shown["created_at"], opened["created_at"]);

    let closed = client.delete(&path).has_fields(&["session_id", "status"]);
    assert_eq!(closed, json!({"session_id": id, "status": "closed"}));
    let shown = client.get(&path).ok();
    assert_eq!(shown["status"], "closed");
    // Closing it again changes nothing.
    assert_eq!(client.delete(&path).ok(), closed);
    assert_eq!(client.get(&path).ok(), shown);
}

#[test]
fn a_session_needs_nothing() {
    let (_hub, client) = caller();
    for answer in [client.post_empty("/sessions"), client.post("/sessions", &json!({}))] {
        let opened = answer.ok();
        let id = opened["session_id"].as_str().unwrap();
        let shown = client.get(&format!("/sessions/{id}")).ok();
        assert_eq!((&shown["user_id"], &shown["metadata"]), (&Value::Null, &json!({})));
    }
}

#[test]
fn a_caller_may_bring_the_id() {
    let (_hub, client) = caller();
    let id = unique("own");
    let opened = client.post("/sessions", &json!({"session_id": id, "user_id": "a"})).ok();
    assert_eq!(opened["session_id"], id);
    // The session that is there is found, as it is.
    let again = client.post("/sessions", &json!({"session_id": id, "user_id": "b"})).ok();
    assert_eq!(again, opened);
    assert_eq!(client.get(&format!("/sessions/{id}")).ok()["user_id"], "a");
}

#[test]
fn sessions_are_found_by_user_and_status_newest_first() {
    let (_hub, client) = caller();
    let (user, other) = (unique("user ü"), unique("user"));
    let mut mine: Vec<String> = (0..5).map(|_| new_session_of(&client, &user)).collect();
    new_session_of(&client, &other);
    client.delete(&format!("/sessions/{}", mine[1])).ok();
    mine.reverse();
    let encoded = user.replace(' ', "%20").replace('ü', "%C3%BC");
    let list = |query: &str| client.get(&format!("/sessions?user_id={encoded}{query}")).list();
    assert_eq!(ids(&list("")), mine);
    assert_eq!(ids(&list("&status=closed")), [&mine[3]]);
    assert_eq!(list("&status=active").len(), 4);
    assert!(list("&status=active").iter().all(|session| session["status"] == "active"));
    let nobody = unique("nobody");
    assert!(client.get(&format!("/sessions?user_id={nobody}")).list().is_empty());
    // The list of all has them as well.
    let all = client.get("/sessions?limit=1000").list();
    assert!(mine.iter().all(|id| ids(&all).contains(&id.as_str())));
}

#[test]
fn pages_of_sessions_join_while_new_ones_arrive() {
    let (_hub, client) = caller();
    let user = unique("user");
    let mut mine: Vec<String> = (0..7).map(|_| new_session_of(&client, &user)).collect();
    mine.reverse();
    let mut seen = Vec::new();
    let mut next = Some(format!("/sessions?user_id={user}&limit=3"));
    while let Some(target) = next {
        let answer = client.get(&target);
        let page = answer.list();
        assert!(page.len() <= 3);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        new_session_of(&client, &user);
        next = answer.header("link").map(|link| {
            let target = link.trim_start_matches('<').split_once('>').unwrap().0;
            target.strip_prefix("/api/v1").unwrap().to_owned()
        });
    }
    assert_eq!(seen, mine);
}

#[test]
fn unknown_and_malformed_sessions_are_refused() {
    let (_hub, client) = caller();
    let path = format!("/sessions/{}", unique("unknown"));
    client.get(&path).problem(404, "not_found");
    client.delete(&path).problem(404, "not_found");
    for (field, body) in [
        ("session_id", json!({"session_id": "a{b}"})),
        ("session_id", json!({"session_id": "@external"})),
        ("session_id", json!({"session_id": "x".repeat(129)})),
        ("user_id", json!({"user_id": "x".repeat(129)})),
        ("user_id", json!({"user_id": 7})),
        ("metadata", json!({"metadata": [1]})),
    ] {
        client.post("/sessions", &body).problem_with(422, "validation_failed", field);
    }
    client.get("/sessions/%40external").problem(422, "validation_failed");
    for (field, query) in [
        ("status", "status=x"),
        ("limit", "limit=0"),
        ("limit", "limit=1001"),
        ("cursor", "cursor=x"),
    ] {
        let answer = client.get(&format!("/sessions?{query}"));
        answer.problem_with(400, "invalid_parameter", field);
    }
}

#[test]
fn a_repeated_opening_opens_one() {
    let (_hub, client) = caller();
    let user = unique("user");
    let body = json!({"user_id": user});
    let opened = assert_replayed(&client, "/sessions", &body);
    let found = client.get(&format!("/sessions?user_id={user}")).list();
    assert_eq!(ids(&found), [opened["session_id"].as_str().unwrap()]);

    let keyed = keyed(&client, &unique("key"));
    keyed.post("/sessions", &body).ok();
    let other = json!({"user_id": unique("user")});
    keyed.post("/sessions", &other).problem(422, "idempotency_mismatch");
    // And the refused one is in nobody's list.
    let user = other["user_id"].as_str().unwrap();
    assert!(client.get(&format!("/sessions?user_id={user}")).list().is_empty());
}
