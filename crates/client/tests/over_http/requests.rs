use std::time::Duration;

use reef_api::Code;
use reef_client::{Error, Hub, Secret};
use serde_json::json;

use crate::server::{Server, Turn, answer};

const PATIENCE: Duration = Duration::from_secs(20);

fn hub(server: &Server) -> Hub {
    Hub::new(&server.url, Some(Secret::new("sesame").unwrap())).unwrap()
}

fn busy() -> Turn {
    answer("503 Service Unavailable", "retry-after: 0\r\n", r#"{"code":"store_unavailable"}"#)
}

#[tokio::test]
async fn a_request_carries_what_it_was_given() {
    let link = "link: </api/v1/tasks?cursor=c2>; rel=\"next\"\r\n";
    let server = Server::start([answer("200 OK", link, r#"{"b":1,"a":2}"#)]).await;
    let request = hub(&server).post(["tasks", "a b", "retry"]).query("x", "1&2");
    let answer = request.json(&json!({"k": "v"})).idempotency_key("once-1").send().await.unwrap();
    assert_eq!(answer.body(), r#"{"b":1,"a":2}"#);
    assert_eq!(answer.next_cursor(), Some("c2"));
    let requests = server.requests();
    assert!(requests[0].starts_with("post /api/v1/tasks/a%20b/retry?x=1%262 http/1.1"));
    for line in ["authorization: bearer sesame", "idempotency-key: once-1", r#"{"k":"v"}"#] {
        assert!(requests[0].contains(line), "{line}: {requests:?}");
    }
}

#[tokio::test]
async fn a_patient_request_is_repeated_under_the_same_key_until_it_is_answered() {
    let cut = Turn::Say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"".to_owned());
    let server = Server::start([busy(), cut, busy(), answer("200 OK", "", r#"{"a":1}"#)]).await;
    let request = hub(&server).post(["sessions"]).once().patient(PATIENCE);
    assert_eq!(request.fetch().await.unwrap(), json!({"a": 1}));
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|one| *one == requests[0] && one.contains("idempotency-key: ")));
}

#[tokio::test]
async fn what_may_have_arrived_is_not_repeated_unless_that_is_harmless() {
    let server = Server::start([busy(), busy(), busy()]).await;
    for request in [hub(&server).post(["x"]), hub(&server).patch(["x"])] {
        let error = request.patient(PATIENCE).send().await.unwrap_err();
        assert_eq!(error.problem().unwrap().code, Code::StoreUnavailable);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let body = r#"{"code":"conflict","detail":"No.","request_id":"r1"}"#;
    let server = Server::start([answer("409 Conflict", "", body)]).await;
    let error = hub(&server).get(["x"]).patient(PATIENCE).send().await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.status, problem.detail.as_str()), (409, "No."));
    assert_eq!(problem.request_id, "r1");
}

#[tokio::test]
async fn patience_ends_and_the_last_reason_is_told() {
    let server = Server::start([busy()]).await;
    let request = hub(&server).get(["x"]).patient(Duration::from_millis(700));
    let error = request.send().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { may_have_arrived: false, .. }), "{error:?}");
    assert!(error.to_string().contains(&server.url), "{error}");
}

#[tokio::test]
async fn a_pause_that_is_longer_than_the_patience_is_not_begun() {
    let busy = answer("429 Too Many Requests", "retry-after: 3600\r\n", "{}");
    let server = Server::start([busy]).await;
    let error = hub(&server).get(["x"]).patient(PATIENCE).send().await.unwrap_err();
    assert_eq!(error.problem().unwrap().status, 429);
}

#[tokio::test]
async fn silence_is_told_as_such_and_may_have_had_its_effect() {
    let server = Server::start([Turn::SayAndHold(String::new())]).await;
    let request = hub(&server).post(["x"]).timeout(Duration::from_millis(200));
    let error = request.send().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { may_have_arrived: true, .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("sesame"));
}

#[tokio::test]
async fn a_success_that_is_no_json_is_malformed() {
    let server = Server::start([answer("200 OK", "", "<html>")]).await;
    let error = hub(&server).get(["x"]).fetch().await.unwrap_err();
    assert!(matches!(error, Error::Malformed(_)), "{error:?}");
}
