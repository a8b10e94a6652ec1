//! Long polls: `POST /tasks/claim`, and `GET` of a task, a wait or a group, with `wait_ms`
//! (`contract.md` §5).
//!
//! A component answers at once. Where the answer is that there is nothing yet, the host keeps the
//! request and asks again when an event says that it may be worth it:
//!
//! ```text
//!   request ──▶ component: nothing ──▶ waiters ◀── events of the cluster
//!                   ▲                     │
//!                   └──── asked again ────┘
//! ```
//!
//! Nobody polls Redis for it. Of those who wait for work, one is woken for each task that comes into
//! the queue, the one that has waited longest and has the skills; if it gets nothing, the next.

mod waiters;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Method, Response};
use reef_api::NodeId;
use reef_domain::limits::{WAIT_MS_MAX, WAITS_MAX};
use reef_redis::Connection;
use reef_store::Store;
use reef_store::node::Get;
use reef_web::extract::{lax_int, segment};
use reef_web::http::PENDING;
use reef_web::{Code, Problem};
use serde::Deserialize;
use tokio::time::Instant;

use self::waiters::{Interest, Waiters, Woken};
use crate::http::peers::Peer;
use crate::places::{Place, Places};
use crate::sse::{ClusterWatch, EventStreams, Seen};
use crate::supervise::keep;

/// A waiter asks again after this time even if no event has told it to: what it waits for may have
/// come about in a way that no event tells, such as a node's new skill.
const RECHECK_PERIOD: Duration = Duration::from_secs(10);

/// All long polls of this host.
#[derive(Debug)]
pub(crate) struct LongPolls {
    store: Store<Connection>,
    streams: Arc<EventStreams>,
    waiters: Arc<Waiters>,
    places: Arc<Places<Holder>>,
    /// Runs from the first long poll on.
    watching: std::sync::Once,
}

/// Who waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Key(Vec<u8>),
    Peer(Peer),
}

fn places() -> Arc<Places<Holder>> {
    Places::new(WAITS_MAX, usize::MAX)
}

fn no_place() -> Problem {
    let detail = format!("You have {WAITS_MAX} requests that wait on this host.");
    Problem::new(Code::RateLimited, detail).with("retry-after", "1")
}

/// What a request waits for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    subject: Subject,
    limit: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Subject {
    /// Work for a node.
    Claim(NodeId),
    /// The end of a task, a wait or a group.
    End(String),
}

impl Wait {
    /// What a request waits for, if it waits. Whether it is well-formed is for the component to say.
    pub(crate) fn of(parts: &Parts, body: &Bytes) -> Option<Self> {
        let path = parts.uri.path();
        let rest = path.strip_suffix('/').unwrap_or(path).strip_prefix("/api/v1/")?;
        let (kind, rest) = rest.split_once('/')?;
        let (subject, wait_ms) =
            if parts.method == Method::POST && (kind, rest) == ("tasks", "claim") {
                #[derive(Deserialize)]
                struct Claim {
                    node_id: NodeId,
                    #[serde(default, deserialize_with = "lax_int")]
                    wait_ms: Option<i64>,
                }
                let claim: Claim = serde_json::from_slice(body).ok()?;
                (Subject::Claim(claim.node_id), claim.wait_ms?)
            } else if parts.method == Method::GET
                && matches!(kind, "tasks" | "waits" | "groups")
                && !rest.contains('/')
            {
                let query = parts.uri.query()?;
                let given = query.split('&').find_map(|pair| pair.strip_prefix("wait_ms="))?;
                let id = segment("id", rest).ok()?;
                (Subject::End(id.into_owned()), given.parse().ok()?)
            } else {
                return None;
            };
        let limit = u64::try_from(wait_ms).ok().filter(|ms| *ms > 0)?;
        (wait_ms <= WAIT_MS_MAX).then_some(Self { subject, limit: Duration::from_millis(limit) })
    }
}

impl LongPolls {
    /// None yet.
    pub(crate) fn new(store: Store<Connection>, streams: Arc<EventStreams>) -> Self {
        let waiters = Arc::new(Waiters::default());
        let watching = std::sync::Once::new();
        Self { store, streams, waiters, places: places(), watching }
    }

    /// What a request waits for, if it waits, and its place among those of its key or address.
    ///
    /// # Errors
    /// 429: they have as many as they may have.
    pub(crate) fn holder(
        &self,
        parts: &Parts,
        body: &Bytes,
        peer: Peer,
    ) -> Option<Result<(Wait, Place<Holder>), Problem>> {
        let wait = Wait::of(parts, body)?;
        let key = parts.headers.get("x-api-key").or_else(|| parts.headers.get(AUTHORIZATION));
        let holder = key.map_or(Holder::Peer(peer), |key| Holder::Key(key.as_bytes().to_vec()));
        let place = self.places.take(holder).ok_or_else(no_place);
        Some(place.map(|place| (wait, place)))
    }

    /// Asks until there is an answer or the time is up; `ask` gives what the component answers.
    pub(crate) async fn answer<E, F>(
        &self,
        wait: &Wait,
        ask: impl Fn() -> F,
    ) -> Result<Response<Bytes>, E>
    where
        F: Future<Output = Result<Response<Bytes>, E>>,
    {
        let until = Instant::now() + wait.limit;
        let is_answered = |answer: &Result<Response<Bytes>, E>| match answer {
            Ok(answer) => !answer.headers().contains_key(PENDING),
            Err(_) => true,
        };
        let mut answer = ask().await;
        if is_answered(&answer) {
            return answer;
        }
        self.watching.call_once(|| {
            let (streams, waiters) = (Arc::clone(&self.streams), Arc::clone(&self.waiters));
            tokio::spawn(async move {
                keep("long polls", || dispatch(streams.watch_cluster(), &waiters)).await;
            });
        });
        let mut waiter = self.waiters.join(self.interest(&wait.subject).await);
        // What happened between the first answer and now, nobody has told.
        let mut woken = Woken::unasked();
        loop {
            answer = ask().await;
            if is_answered(&answer) {
                woken.served();
                return answer;
            }
            drop(woken);
            let now = Instant::now();
            if now >= until || waiter.is_closing() {
                return answer;
            }
            let next_look = until.min(now + RECHECK_PERIOD);
            woken = match tokio::time::timeout_at(next_look, waiter.wait()).await {
                Ok(woken) => woken,
                Err(_) => Woken::unasked(),
            };
            if Instant::now() >= until {
                return answer;
            }
        }
    }

    async fn interest(&self, subject: &Subject) -> Interest {
        match subject {
            Subject::End(task_id) => Interest::End(task_id.clone()),
            Subject::Claim(node_id) => {
                // Without the skills it is woken for everything, which costs more and is not wrong.
                let found = self.store.call(&Get { node_id }).await.ok().flatten();
                let skills =
                    found.and_then(|f| serde_json::from_str(f.node.available_skills.get()).ok());
                Interest::Work { node_id: node_id.clone(), skills }
            }
        }
    }
}

async fn dispatch(mut watch: ClusterWatch, waiters: &Arc<Waiters>) {
    loop {
        match watch.next().await {
            Seen::Event(event) => waiters.tell(&event),
            Seen::Anything => waiters.wake_all(),
            Seen::Closing => return waiters.close(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(method: &str, target: &str, body: &'static str) -> Option<Wait> {
        let request = http::Request::builder().method(method).uri(target).body(()).unwrap();
        Wait::of(&request.into_parts().0, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn only_what_asks_to_wait_waits() {
        let claim = wait("POST", "/api/v1/tasks/claim", r#"{"node_id":"n","wait_ms":50}"#).unwrap();
        assert_eq!(claim.subject, Subject::Claim("n".into()));
        assert_eq!(claim.limit, Duration::from_millis(50));
        let task = wait("GET", "/api/v1/tasks/t%40x?a=1&wait_ms=30000", "").unwrap();
        assert_eq!(task.subject, Subject::End("t@x".to_owned()));
        for (method, target, body) in [
            ("POST", "/api/v1/tasks/claim", r#"{"node_id":"n"}"#),
            ("POST", "/api/v1/tasks/claim", r#"{"node_id":"n","wait_ms":0}"#),
            ("POST", "/api/v1/tasks/claim", r#"{"node_id":"n","wait_ms":30001}"#),
            ("POST", "/api/v1/tasks/claim", "nonsense"),
            ("GET", "/api/v1/tasks/t", ""),
            ("GET", "/api/v1/tasks/t?wait_ms=-1", ""),
            ("GET", "/api/v1/tasks/t/why?wait_ms=5", ""),
            ("POST", "/api/v1/tasks", r#"{"node_id":"n","wait_ms":50}"#),
        ] {
            assert_eq!(wait(method, target, body), None, "{method} {target} {body}");
        }
    }

    #[test]
    fn so_many_may_wait_with_one_key_and_others_are_not_in_their_way() {
        let places = places();
        let key = |name: &str| Holder::Key(name.into());
        let held: Vec<_> = (0..WAITS_MAX).map(|_| places.take(key("a")).unwrap()).collect();
        assert!(places.take(key("a")).is_none() && no_place().code == Code::RateLimited);
        assert!(places.take(key("b")).is_some());
        drop(held);
        assert!(places.take(key("a")).is_some());
    }
}
