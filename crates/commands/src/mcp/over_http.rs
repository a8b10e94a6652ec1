//! A hub over HTTP, as the bridge asks it.

use std::time::Duration;

use reef_bridge::{Method, Problem, Request, Response};
use reef_client::{Error, Hub};
use serde_json::{Map, Value, json};

/// How long an answer may take beyond what the request itself waits for.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A hub over HTTP.
#[derive(Debug, Clone)]
pub(super) struct OverHttp(pub(super) Hub);

impl reef_bridge::Hub for OverHttp {
    async fn call(&self, request: Request) -> Response {
        let Self(hub) = self;
        let path = request.path.iter();
        let sent = match request.method {
            Method::Get => hub.get(path),
            Method::Post => hub.post(path),
            Method::Put => hub.put(path),
            Method::Patch => hub.patch(path),
            Method::Delete => hub.delete(path),
        };
        let mut sent = sent.timeout(TIMEOUT + Duration::from_millis(request.wait_ms));
        for (name, value) in &request.query {
            sent = sent.query(name, value);
        }
        if let Some(body) = &request.body {
            sent = sent.json(body);
        }
        if let Some(key) = request.idempotency_key {
            sent = sent.idempotency_key(key);
        }
        if let Some(token) = request.claim_token {
            sent = sent.claim_token(token);
        }
        match sent.send().await {
            Ok(answer) => Response {
                status: 200,
                body: answer.body().to_vec(),
                retry_after: None,
                next_cursor: answer.next_cursor().map(str::to_owned),
            },
            Err(error) => refused(&error),
        }
    }
}

/// Why there is no answer, as a problem.
fn refused(error: &Error) -> Response {
    let problem = match error {
        Error::Problem(problem) => {
            let mut members: Map<String, Value> = problem.members.clone();
            let texts = [
                ("title", problem.title.as_str()),
                ("detail", &problem.detail),
                ("code", problem.code.as_str()),
                ("request_id", &problem.request_id),
            ];
            for (name, text) in texts {
                if !text.is_empty() {
                    members.insert(name.to_owned(), text.into());
                }
            }
            if !problem.errors.is_empty() {
                let errors = problem.errors.iter();
                let errors = errors.map(|it| json!({"field": it.field, "message": it.message}));
                members.insert("errors".to_owned(), errors.collect());
            }
            let response = Response::of_problem(problem.status, &Value::Object(members));
            let retry_after = problem.retry_after.map(|pause| pause.as_secs());
            return Response { retry_after, ..response };
        }
        Error::Invalid(_) => Problem::of_arguments(&error.to_string()),
        Error::Malformed(_) => Problem::unreadable(),
        _ => Problem::new(503, "unreachable", &format!("{error}.")),
    };
    Response::of_problem(problem.status, &problem.to_value())
}
