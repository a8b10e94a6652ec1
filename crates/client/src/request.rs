//! One request, and whether it may be repeated.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{Answer, Error, Hub, Problem};

/// How long an answer may take, where nothing else is said: above the 10 s that a hub gives its
/// components, so that its own word for a timeout arrives.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The pauses between repetitions grow between these, jittered.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long an answer may take at least, also when patience is about to end: a try that cannot
/// succeed would only hide why the others did not.
const LAST_TRY: Duration = Duration::from_secs(1);

/// A request in the making, and what its answer is read as. It is sent once, unless
/// [`Request::patient`] says otherwise.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request<T = Value> {
    hub: Hub,
    method: Method,
    url: Result<Url, Error>,
    body: Option<Bytes>,
    idempotency_key: Option<String>,
    claim_token: Option<String>,
    prefer: Option<String>,
    is_repeatable: bool,
    timeout: Duration,
    patience: Option<Duration>,
    answer: PhantomData<fn() -> T>,
}

impl Request {
    pub(crate) fn new(hub: Hub, method: Method, url: Result<Url, Error>) -> Self {
        let is_repeatable = method == Method::GET || method == Method::PUT;
        Self {
            hub,
            is_repeatable: is_repeatable || method == Method::DELETE,
            method,
            url,
            body: None,
            idempotency_key: None,
            claim_token: None,
            prefer: None,
            timeout: TIMEOUT,
            patience: None,
            answer: PhantomData,
        }
    }
}

impl<T> Request<T> {
    /// Reads the answer as something else.
    pub fn answering<U>(self) -> Request<U> {
        let Self { hub, method, url, body, .. } = self;
        let Self { idempotency_key, claim_token, prefer, .. } = self;
        let Self { is_repeatable, timeout, patience, .. } = self;
        Request {
            hub,
            method,
            url,
            body,
            idempotency_key,
            claim_token,
            prefer,
            is_repeatable,
            timeout,
            patience,
            answer: PhantomData,
        }
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        if let Ok(url) = &mut self.url {
            url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    /// Adds a parameter to the query, if there is one.
    pub fn maybe_query(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Writes to a message under a claim, whose token this is.
    pub fn claim_token(mut self, token: impl Into<String>) -> Self {
        self.claim_token = Some(token.into());
        self
    }

    /// Asks for a write to be this safe when its answer comes: `disk`, `replica;n=2`.
    /// [`Answer::durability`] says what it is. `is_strict`: less is a problem, and the write is made
    /// all the same.
    pub fn durability(mut self, level: &str, is_strict: bool) -> Self {
        let handling = if is_strict { ", handling=strict" } else { "" };
        self.prefer = Some(format!("durability={level}{handling}"));
        self
    }

    /// Sends a body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = Some(body.into()),
            Err(error) => {
                self.url = Err(Error::Invalid(format!("the body is no JSON: {error}")));
            }
        }
        self
    }

    /// Sends a POST under this `Idempotency-Key`: a repeat of it, by this program or another,
    /// gets the first answer.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self.is_repeatable = true;
        self
    }

    /// Sends a POST under an `Idempotency-Key` of its own.
    pub fn once(self) -> Self {
        self.idempotency_key(uuid::Uuid::now_v7().to_string())
    }

    /// The caller knows that this POST or PATCH does no more when it arrives twice.
    pub fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// How long one answer may take; 15 s where nothing is said. Long polls need more.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Repeats the request, for this long in all, while the hub cannot be reached or asks to be
    /// asked again. A POST without an idempotency key (and a PATCH) is repeated only if it has
    /// surely not arrived.
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Sends it and reads the answer.
    ///
    /// # Errors
    /// Any [`Error`] but `Cut`: of several tries, the last one's.
    pub async fn fetch(self) -> Result<T, Error>
    where
        T: DeserializeOwned,
    {
        self.send().await?.value()
    }

    /// Sends it.
    ///
    /// # Errors
    /// Any [`Error`] but `Cut`: of several tries, the last one's.
    pub async fn send(self) -> Result<Answer<T>, Error> {
        let url = self.url.clone()?;
        let Some(patience) = self.patience else {
            return self.attempt(&url, self.timeout).await;
        };
        let deadline = Instant::now() + patience;
        let left = || deadline.saturating_duration_since(Instant::now());
        let pauses = ExponentialBuilder::new()
            .with_min_delay(PAUSE_MIN)
            .with_max_delay(PAUSE_MAX)
            .with_jitter()
            .without_max_times();
        (async || self.attempt(&url, self.timeout.min(left().max(LAST_TRY))).await)
            .retry(pauses)
            .when(|error| self.may_repeat(error))
            .adjust(|error, pause| {
                let asked_for = error.problem().and_then(|problem| problem.retry_after);
                pause
                    .map(|pause| pause.max(asked_for.unwrap_or_default()))
                    .filter(|it| *it < left())
            })
            .await
    }

    fn may_repeat(&self, error: &Error) -> bool {
        error.is_transient() && (self.is_repeatable || !error.may_have_arrived())
    }

    async fn attempt(&self, url: &Url, timeout: Duration) -> Result<Answer<T>, Error> {
        let client = self.hub.client();
        let mut request = client.request(self.method.clone(), url.clone()).timeout(timeout);
        if let Some(body) = &self.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(token) = &self.claim_token {
            request = request.header("x-claim-token", token);
        }
        if let Some(prefer) = &self.prefer {
            request = request.header("prefer", prefer);
        }
        if self.method != Method::GET {
            for (name, value) in self.hub.said() {
                request = request.header(name, value);
            }
        }
        let failed = |error: reqwest::Error| {
            if error.is_builder() {
                return Error::Invalid(error.without_url().to_string());
            }
            self.hub.unreachable(&error, timeout)
        };
        let response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(failed)?;
        if status.is_success() {
            Ok(Answer::new(url, &headers, body))
        } else {
            Err(Error::Problem(Box::new(Problem::read(status, &headers, &body))))
        }
    }
}
