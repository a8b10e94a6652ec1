//! A chat endpoint that speaks OpenAI's protocol: `POST {url}/chat/completions`, answered as a
//! stream of server-sent events that ends with `[DONE]`.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use reef_client::Secret;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sse_core::{SseDecoder, SseEvent};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest piece of an answer, in bytes: some endpoints send all of it in one.
const EVENT_BYTES_MAX: NonZeroUsize = NonZeroUsize::new(8 << 20).unwrap();
/// What asks a stream for what it uses. Endpoints that do not know it name it when they refuse.
const STREAM_OPTIONS: &str = "stream_options";
/// How much of an endpoint's own words about an error are passed on, in characters.
const ERROR_CHARS_MAX: usize = 500;

/// An endpoint and the model that it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Llm {
    http: reqwest::Client,
    url: String,
    model: String,
    key: Option<Secret>,
    /// The endpoint knows no `stream_options`.
    is_plain: Arc<AtomicBool>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Turn {
    role: &'static str,
    content: String,
}

impl Turn {
    /// What the model shall be.
    pub(crate) fn system(content: impl Into<String>) -> Self {
        Self { role: "system", content: content.into() }
    }

    /// What the model is asked.
    pub(crate) fn user(content: impl Into<String>) -> Self {
        Self { role: "user", content: content.into() }
    }
}

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) text: String,
    /// Why the model stopped, e.g. `stop`, or `length` when it had to.
    pub(crate) finish_reason: Option<String>,
    /// What it has used, where the endpoint says so.
    pub(crate) usage: Option<Usage>,
}

/// What an answer has used, as endpoints say it. What they leave out is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: i64,
    pub(crate) completion_tokens: i64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<i64>,
}

impl Usage {
    /// How many of the prompt's tokens came from a cache.
    pub(crate) fn cached(self) -> i64 {
        self.prompt_tokens_details.and_then(|it| it.cached_tokens).unwrap_or_default()
    }

    /// How many of the completion's tokens were reasoning.
    pub(crate) fn reasoning(self) -> i64 {
        self.completion_tokens_details.and_then(|it| it.reasoning_tokens).unwrap_or_default()
    }
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChatError {
    /// The same request would be refused again.
    #[error("the model's endpoint answered {status}: {message}")]
    Refused { status: u16, message: String },
    /// The same request may succeed later.
    #[error("the model's endpoint answered {status}: {message}")]
    Busy { status: u16, message: String, retry_after: Option<Duration> },
    /// Nobody answered.
    #[error("the model's endpoint cannot be reached: {0}")]
    Unreachable(String),
    /// The answer ended before it was whole.
    #[error("the model's answer broke off: {0}")]
    Broken(String),
}

/// A piece of a streamed answer, or a whole one.
#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    /// Of a stream the last piece has it. An odd one costs nobody the answer.
    #[serde(default)]
    usage: Value,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Delta {
    content: Option<String>,
}

impl Llm {
    /// An endpoint. `silence_max` is how long it may say nothing.
    ///
    /// # Errors
    /// The address is none, or TLS cannot be used.
    pub(crate) fn new(
        url: &str,
        model: &str,
        key: Option<Secret>,
        silence_max: Duration,
    ) -> Result<Self, String> {
        let url = url.trim().trim_end_matches('/');
        let url = url.strip_suffix("/chat/completions").unwrap_or(url);
        let url = format!("{url}/chat/completions");
        let parsed = reqwest::Url::parse(&url).ok();
        let parsed = parsed.filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(parsed) = parsed else {
            return Err("the model's address must look like https://host/v1".to_owned());
        };
        let tls = reef_client::tls(parsed.scheme()).map_err(|error| error.to_string())?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("reef/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(silence_max)
            // The key is for this endpoint, not for where it may point to.
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { http, url, model: model.to_owned(), key, is_plain: Arc::default() })
    }

    /// The model's name.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Sends a request, which may ask for what its answer uses.
    async fn send(&self, turns: &[Turn], with_usage: bool) -> Result<reqwest::Response, ChatError> {
        let mut body = serde_json::json!({"model": self.model, "messages": turns, "stream": true});
        if let (true, Some(body)) = (with_usage, body.as_object_mut()) {
            let options = serde_json::json!({"include_usage": true});
            body.insert(STREAM_OPTIONS.to_owned(), options);
        }
        let mut request = self.http.post(&self.url).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        let response = request.body(body.to_string()).send().await.map_err(unreachable)?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    /// Asks once. Each piece of the answer is handed to `on_delta` as it comes.
    pub(crate) async fn chat(
        &self,
        turns: &[Turn],
        mut on_delta: impl AsyncFnMut(String),
    ) -> Result<Reply, ChatError> {
        let response = match self.send(turns, !self.is_plain.load(Relaxed)).await {
            Err(ChatError::Refused { message, .. }) if message.contains(STREAM_OPTIONS) => {
                self.is_plain.store(true, Relaxed);
                self.send(turns, false).await?
            }
            sent => sent?,
        };
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|it| it.to_str().ok()).unwrap_or_default();
        if content_type.starts_with("application/json") {
            // Some endpoints know no streams.
            let body = response.bytes().await.map_err(|error| broken(&error))?;
            let mut reply = Reply::default();
            take(&String::from_utf8_lossy(&body), &mut reply, &mut on_delta).await?;
            return Ok(reply);
        }
        read_stream(response, on_delta).await
    }
}

async fn read_stream(
    mut response: reqwest::Response,
    mut on_delta: impl AsyncFnMut(String),
) -> Result<Reply, ChatError> {
    let mut decoder = SseDecoder::with_limit(EVENT_BYTES_MAX);
    let mut reply = Reply::default();
    while let Some(mut arrived) = response.chunk().await.map_err(|error| broken(&error))? {
        while let Some(event) = decoder.next(&mut arrived) {
            let event = event.map_err(|error| ChatError::Broken(error.to_string()))?;
            let SseEvent::Message(message) = event else { continue };
            if message.data.trim() == "[DONE]" {
                return Ok(reply);
            }
            take(&message.data, &mut reply, &mut on_delta).await?;
        }
    }
    if reply.finish_reason.is_some() {
        // All was said; only the last word is missing, which some endpoints never send.
        return Ok(reply);
    }
    Err(ChatError::Broken("the stream ended without its end".to_owned()))
}

/// Takes what one piece says.
async fn take(
    data: &str,
    reply: &mut Reply,
    on_delta: &mut impl AsyncFnMut(String),
) -> Result<(), ChatError> {
    let chunk: Chunk = serde_json::from_str(data)
        .map_err(|error| ChatError::Broken(format!("it is not understood: {error}")))?;
    if let Some(error) = chunk.error {
        return Err(ChatError::Broken(words_of(&error)));
    }
    if chunk.usage.is_object() {
        reply.usage = serde_json::from_value(chunk.usage).ok();
    }
    // Only one answer is asked for.
    let Some(choice) = chunk.choices.into_iter().next() else { return Ok(()) };
    if choice.finish_reason.is_some() {
        reply.finish_reason = choice.finish_reason;
    }
    let delta = choice.delta.and_then(|delta| delta.content).unwrap_or_default();
    if !delta.is_empty() {
        reply.text.push_str(&delta);
        on_delta(delta).await;
    }
    Ok(())
}

/// What an answer that is no success means.
async fn refusal(response: reqwest::Response) -> ChatError {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|text| text.trim().parse().ok());
    let retry_after = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let body = response.bytes().await.unwrap_or_default();
    let message = match serde_json::from_slice::<Value>(&body) {
        Ok(body) => words_of(body.get("error").unwrap_or(&body)),
        Err(_) => shortened(&String::from_utf8_lossy(&body)),
    };
    if matches!(status, 408 | 409 | 425 | 429 | 500..) {
        ChatError::Busy { status, message, retry_after }
    } else {
        ChatError::Refused { status, message }
    }
}

/// The sentence in an error, whichever of the usual forms it has.
fn words_of(error: &Value) -> String {
    let text = ["message", "detail"].iter().find_map(|name| error.get(name)?.as_str());
    shortened(text.or(error.as_str()).unwrap_or(&error.to_string()))
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        "nothing".to_owned()
    } else {
        text.chars().take(ERROR_CHARS_MAX).collect()
    }
}

fn unreachable(error: reqwest::Error) -> ChatError {
    ChatError::Unreachable(root_cause(&error.without_url()))
}

fn broken(error: &reqwest::Error) -> ChatError {
    ChatError::Broken(root_cause(error))
}

/// The innermost reason: the outer ones only say that there was an error.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod tests;
