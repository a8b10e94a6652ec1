//! Writes that shall be safer than their answer makes them, and what each answer says of it
//! (`contract.md` §1).

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Method};
use reef_api::durability::{Durability, DurabilityGiven};
use reef_redis::{Connection, Reached, Touched};
use reef_store::durability::Safety;
use reef_store::keys::Keys;
use reef_web::durability::{APPLIED, Defaults, PREFER, REACHED, Wish, not_reached};
use reef_web::{Code, Problem, edge};
use tokio::time::Instant;

use super::{Answer, AnswerBody, problem};
use crate::metrics;
use crate::redis::durability;

/// How long a write is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same where a disk is waited for, which many servers sync once a second.
const PATIENCE_DISK: Duration = Duration::from_millis(1250);
/// How long a request may take with its wait: within the two seconds of `contract.md` §1.
const ALTOGETHER: Duration = Duration::from_millis(1900);
/// How young an answer to [`PATH`] is.
const FRESH: Duration = Duration::from_secs(1);

/// Where the host says what it can give; a component lets the caller in.
const PATH: &str = "/api/v1/cluster/durability";
const UNKNOWN: &str = "unknown";

/// How safe writes are made.
#[derive(Debug)]
pub(super) struct Durable {
    defaults: Defaults,
    /// Where a number is written behind the writes that are waited for.
    marker: Arc<str>,
}

/// A write that is under way.
pub(super) struct Write {
    wish: Wish,
    wanted: Safety,
    touched: Touched,
    /// When it was last handed to a component.
    began: Instant,
}

impl Durable {
    pub(super) fn new(defaults: Defaults, keys: &Keys) -> Self {
        Self { defaults, marker: keys.durable().into() }
    }

    /// Takes a request's wish, if it writes. One that cannot be read is left for the component, which
    /// refuses it once it knows the caller.
    pub(super) fn begin(&self, parts: &mut Parts) -> Option<Write> {
        if !edge::is_write(parts.method.as_str()) {
            return None;
        }
        let values = parts.headers.get_all(PREFER).iter().map(HeaderValue::as_bytes);
        let wish = Wish::read(values).ok()?;
        // What is not said here a component would take for its own.
        parts.headers.remove(PREFER);
        let wanted = wish.safety.unwrap_or_else(|| self.defaults.of(parts.uri.path()));
        let touched = Touched::new(&self.marker);
        Some(Write { wish, wanted, touched, began: Instant::now() })
    }

    /// Waits for a write that was made, and says in its answer how safe it is.
    pub(super) async fn finish(&self, write: Write, mut answer: Answer, id: &str) -> Answer {
        if !answer.status().is_success() {
            // A component that is called as by Spin knows no better.
            answer.headers_mut().remove(REACHED);
            return answer;
        }
        let wanted = write.wanted;
        let reached = match write.touched.at_once(wanted) {
            Some(reached) => reached,
            // Boxed because it is rare: it would make the future of every request larger.
            None => Box::pin(write.settle()).await,
        };
        let is_met = matches!(reached, Reached::Known(safety) if safety.meets(wanted));
        if wanted != Safety::MEMORY {
            metrics::durable_writes(is_met, reached == Reached::Unknown).increment(1);
        }
        let shown = match reached {
            Reached::Known(safety) => shown(safety),
            Reached::Unknown => HeaderValue::from_static(UNKNOWN),
        };
        if write.wish.is_strict && !is_met {
            let reached = shown.to_str().unwrap_or(UNKNOWN);
            return problem::answer(not_reached(wanted, reached), id);
        }
        let headers = answer.headers_mut();
        headers.insert(HeaderName::from_static(REACHED), shown);
        if let Some(safety) = write.wish.safety.filter(|_| is_met)
            && let Ok(applied) = HeaderValue::from_str(&format!("durability={safety}"))
        {
            headers.insert(HeaderName::from_static(APPLIED), applied);
        }
        answer
    }

    /// Whether a request asks what can be given.
    pub(super) fn is_asked(parts: &Parts) -> bool {
        let path = parts.uri.path();
        matches!(parts.method, Method::GET | Method::HEAD)
            && path.strip_suffix('/').unwrap_or(path) == PATH
    }

    /// Puts what the host can give in the place of what a component can.
    pub(super) async fn tell(&self, redis: &Connection, mut answer: Answer, id: &str) -> Answer {
        if !answer.status().is_success() {
            return answer;
        }
        let levels = match durability::given(redis, FRESH).await {
            Ok(levels) => levels,
            Err(error) => {
                let detail = "Redis cannot be reached or does not answer.";
                let internal = Some(error.to_string().into());
                let problem = Problem { internal, ..Problem::new(Code::StoreUnavailable, detail) };
                return problem::answer(problem, id);
            }
        };
        let given = DurabilityGiven {
            by: "host".into(),
            levels,
            money: self.defaults.money.to_string().into(),
            default: self.defaults.other.to_string().into(),
        };
        match serde_json::to_vec(&given) {
            Ok(body) => {
                answer.headers_mut().remove(CONTENT_LENGTH);
                *answer.body_mut() = AnswerBody::whole(body);
                answer
            }
            Err(error) => problem::answer(Problem::internal(error.to_string()), id),
        }
    }
}

impl Write {
    /// What takes in what is written to, by nothing yet: a request that waits for something is asked
    /// again and again, and only what was written last is in its answer.
    pub(super) fn touched(&self) -> &Touched {
        self.touched.clear();
        &self.touched
    }

    /// It has waited for something else than Redis until now.
    pub(super) fn has_waited(&mut self) {
        self.began = Instant::now();
    }

    async fn settle(&self) -> Reached {
        let now = Instant::now();
        let patience = match self.wanted.level {
            Durability::Disk | Durability::ReplicaDisk => PATIENCE_DISK,
            Durability::Memory | Durability::Replica => PATIENCE,
        };
        let left = ALTOGETHER.saturating_sub(now - self.began);
        self.touched.settle(self.wanted, now + patience.min(left)).await
    }
}

fn shown(safety: Safety) -> HeaderValue {
    match safety.as_static() {
        Some(name) => HeaderValue::from_static(name),
        None => {
            let text = HeaderValue::from_str(&safety.to_string());
            text.unwrap_or(HeaderValue::from_static(UNKNOWN))
        }
    }
}
