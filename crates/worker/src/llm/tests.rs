//! One request to an endpoint, which answers well, badly, or not at all.

use super::server::{ModelServer, Script};
use super::*;

/// Longer than anything here takes, unless a test says otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

async fn ask(url: &str, silence_max: Duration) -> (Result<Reply, ChatError>, Vec<String>) {
    let key = Some(Secret::new("sk-test").unwrap());
    let llm = Llm::new(url, "m-1", key, silence_max).unwrap();
    let mut deltas = Vec::new();
    let turns = [Turn::system("Be short."), Turn::user("Why?")];
    let reply = llm.chat(&turns, async |delta| deltas.push(delta)).await;
    (reply, deltas)
}

async fn ask_once(script: Script) -> (Result<Reply, ChatError>, Vec<String>) {
    let server = ModelServer::start([script]);
    ask(&server.url, PATIENCE).await
}

#[tokio::test]
async fn an_answer_comes_piece_by_piece() {
    let server = ModelServer::start([Script::Say(vec!["Be", "cause", " ä\n"])]);
    let (reply, deltas) = ask(&server.url, PATIENCE).await;
    let finish_reason = Some("stop".to_owned());
    let text = "Because ä\n".to_owned();
    assert_eq!(reply, Ok(Reply { text, finish_reason, usage: None }));
    assert_eq!(deltas, ["Be", "cause", " ä\n"]);
    let asked = server.asked();
    assert!(asked[0].head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    assert!(asked[0].head.contains("authorization: Bearer sk-test\r\n"), "{}", asked[0].head);
    assert_eq!(asked[0].body["model"], "m-1");
    assert_eq!(asked[0].body["stream"], true);
    let turn = serde_json::json!({"role": "system", "content": "Be short."});
    assert_eq!(asked[0].body["messages"][0], turn);
}

#[tokio::test]
async fn whatever_an_endpoint_adds_is_passed_over() {
    let text = ": hello\r\n\r\nevent: x\r\ndata: {\"choices\":[]}\r\n\r\ndata:{\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n\
                data: {\"choices\":[{\"delta\":{\"content\":\"a\u{e4}\"},\"finish_reason\":\"length\"}],\"usage\":null}\n\n";
    // It never says [DONE], but that the model has finished.
    let (reply, _) = ask_once(Script::Raw(text)).await;
    let reply = reply.unwrap();
    assert_eq!((reply.text.as_str(), reply.finish_reason.as_deref()), ("aä", Some("length")));
}

#[tokio::test]
async fn a_stream_is_asked_for_what_it_uses_and_an_endpoint_that_knows_nothing_of_it_is_asked_without()
 {
    let refusal = r#"{"error":{"message":"Unrecognized request argument: stream_options"}}"#;
    let usage = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n\
                 data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    let server = ModelServer::start([
        Script::Raw(usage),
        Script::Answer(400, "content-type: application/json", refusal),
        Script::Say(vec!["b"]),
        Script::Say(vec!["c"]),
    ]);
    let llm = Llm::new(&server.url, "m-1", None, PATIENCE).unwrap();
    let turns = [Turn::user("Why?")];
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(llm.chat(&turns, async |_| {}).await.unwrap());
    }
    let used = replies[0].usage.unwrap();
    assert_eq!((used.prompt_tokens, used.completion_tokens, used.cached()), (7, 2, 0));
    assert_eq!((replies[1].text.as_str(), replies[1].usage), ("b", None));
    let asks: Vec<bool> =
        server.asked().iter().map(|it| it.body.get("stream_options").is_some()).collect();
    assert_eq!(asks, [true, true, false, false]);
}

#[tokio::test]
async fn an_endpoint_without_streams_is_understood_too() {
    let body =
        r#"{"choices":[{"message":{"role":"assistant","content":"All."},"finish_reason":"stop"}]}"#;
    let (reply, deltas) =
        ask_once(Script::Answer(200, "content-type: application/json", body)).await;
    assert_eq!((reply.unwrap().text.as_str(), deltas), ("All.", vec!["All.".to_owned()]));
}

#[tokio::test]
async fn a_broken_stream_is_not_an_answer() {
    for script in [
        Script::BreakOff(vec!["half"]),
        Script::Raw("data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n"),
        Script::Raw("data: {\"choi\n\n"),
        Script::Raw("data: {\"error\":{\"message\":\"overloaded\"}}\n\n"),
    ] {
        let (reply, _) = ask_once(script.clone()).await;
        assert!(matches!(reply, Err(ChatError::Broken(_))), "{script:?}: {reply:?}");
    }
}

#[tokio::test]
async fn silence_is_noticed() {
    let server = ModelServer::start([Script::Hang(vec!["half"])]);
    let (reply, deltas) = ask(&server.url, Duration::from_millis(200)).await;
    assert!(matches!(reply, Err(ChatError::Broken(_))), "{reply:?}");
    assert_eq!(deltas, ["half"]);
}

#[tokio::test]
async fn a_refusal_says_whether_to_ask_again_and_never_the_key() {
    let body = r#"{"error": {"message": "no such model", "type": "invalid_request_error"}}"#;
    let (reply, _) = ask_once(Script::Answer(404, "x: y", body)).await;
    let error = reply.unwrap_err();
    assert_eq!(error, ChatError::Refused { status: 404, message: "no such model".to_owned() });
    let (reply, _) = ask_once(Script::Answer(429, "retry-after: 7", "slow down")).await;
    let retry_after = Some(Duration::from_secs(7));
    let message = "slow down".to_owned();
    assert_eq!(reply, Err(ChatError::Busy { status: 429, message, retry_after }));
    let (reply, _) = ask_once(Script::Answer(503, "x: y", r#"{"error": "loading"}"#)).await;
    let message = "loading".to_owned();
    assert_eq!(reply, Err(ChatError::Busy { status: 503, message, retry_after: None }));
    // Nobody listens on the port that was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (reply, _) = ask(&format!("http://{gone}/v1/"), PATIENCE).await;
    let error = reply.unwrap_err();
    assert!(matches!(error, ChatError::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("sk-test"), "{error}");
}

#[test]
fn an_address_is_taken_with_and_without_what_follows_it() {
    for url in ["http://h/v1", "http://h/v1/", "http://h/v1/chat/completions"] {
        assert_eq!(Llm::new(url, "m", None, PATIENCE).unwrap().url, "http://h/v1/chat/completions");
    }
    for url in ["", "h/v1", "ftp://h"] {
        assert!(Llm::new(url, "m", None, PATIENCE).is_err(), "{url}");
    }
}
