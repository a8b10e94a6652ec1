//! Who reads a stream, and for how long: until the key is revoked, expires or is suspended.
//!
//! A stream is answered once and then goes on for days, so its reader's key is looked at again once
//! in each comment period, and at once when this host itself has changed the key or its agent.

use reef_api::AgentId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use reef_redis::Connection;
use reef_store::Store;
use reef_web::auth::{Access, Caller, recognize};
use reef_web::{Code, Config, Problem, Request};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::http::peers::Peer;
use crate::metrics::{self, Refusal};

/// What the host knows of a reader beside its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor {
    /// Where it reads from.
    pub(crate) peer: Peer,
    /// How long the cookie that stands for its key is good, if it came with one.
    pub(crate) leaves_in: Option<Duration>,
}

/// Whose readers are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Agent(AgentId),
    Peer(Peer),
}

/// The readers of all streams, by who they are.
#[derive(Debug)]
pub(super) struct Readers {
    /// 0 for no limit.
    most: usize,
    table: Mutex<HashMap<Holder, Held>>,
}

#[derive(Debug)]
struct Held {
    count: usize,
    /// Readers by the id of their key.
    keys: HashMap<String, usize>,
    /// Tells them to look at their keys.
    look: watch::Sender<()>,
}

/// A reader's place among those of its agent or address.
#[derive(Debug)]
struct Seat {
    readers: Arc<Readers>,
    holder: Holder,
    key_id: String,
}

/// A reader, as long as it may read.
#[derive(Debug)]
pub(super) struct Standing {
    _seat: Option<Seat>,
    look: Option<watch::Receiver<()>>,
    /// The key may have changed since it was looked at.
    is_told: bool,
    key: Option<Key>,
    next_look: Instant,
    period: Duration,
    leaves_at: Option<Instant>,
}

/// A key that has to stay good.
#[derive(Debug)]
struct Key {
    store: Store<Connection>,
    config: Config,
    /// Nothing but what shows who reads.
    request: Request,
    agent_id: AgentId,
}

impl Readers {
    pub(super) fn new(most: i64) -> Arc<Self> {
        let most = usize::try_from(most).unwrap_or_default();
        Arc::new(Self { most, table: Mutex::default() })
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Holder, Held>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sit(self: &Arc<Self>, holder: Holder, key_id: &str) -> Option<(Seat, watch::Receiver<()>)> {
        let mut table = self.table();
        let held = match table.entry(holder.clone()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                place.insert(Held { count: 0, keys: HashMap::new(), look: watch::Sender::new(()) })
            }
        };
        if self.most > 0 && held.count >= self.most {
            return None;
        }
        held.count += 1;
        *held.keys.entry(key_id.to_owned()).or_default() += 1;
        let look = held.look.subscribe();
        drop(table);
        Some((Seat { readers: Arc::clone(self), holder, key_id: key_id.to_owned() }, look))
    }

    /// Has readers look at their keys, if a request that was carried out may have changed one.
    pub(super) fn note_change(&self, method: &Method, path: &str) {
        if matches!(*method, Method::GET | Method::HEAD) {
            return;
        }
        let Some(rest) = path.strip_prefix("/api/v1/") else { return };
        let mut segments = rest.split('/');
        match (segments.next(), segments.next(), segments.next()) {
            (Some("auth"), Some("keys"), Some(key_id)) => {
                let table = self.table();
                let theirs = table.values().filter(|held| held.keys.contains_key(key_id));
                theirs.for_each(|held| {
                    held.look.send_replace(());
                });
            }
            (Some("agents"), Some(agent_id), _) => {
                if let Some(held) = self.table().get(&Holder::Agent(agent_id.into())) {
                    held.look.send_replace(());
                }
            }
            _ => {}
        }
    }

    /// Gives a reader its place.
    ///
    /// # Errors
    /// 429: its agent or address has as many as it may have.
    pub(super) fn admit(
        self: &Arc<Self>,
        caller: &Caller,
        visitor: Visitor,
        request: &Request,
        of: (&Store<Connection>, &Config),
        period: Duration,
    ) -> Result<Standing, Problem> {
        let now = Instant::now();
        let mut standing = Standing {
            _seat: None,
            look: None,
            is_told: false,
            key: None,
            next_look: now + period,
            period,
            leaves_at: visitor.leaves_in.map(|left| now + left),
        };
        let (holder, key_id) = match caller {
            // It is not counted, and ends with the process.
            Caller::Admin => return Ok(standing),
            Caller::Agent(agent) => (Holder::Agent(agent.agent_id.clone()), agent.key_id.as_str()),
            Caller::Anonymous | Caller::Invited(_) => (Holder::Peer(visitor.peer), ""),
        };
        let Some((seat, look)) = self.sit(holder, key_id) else {
            metrics::refusal(Refusal::Streams).increment(1);
            let detail = format!("You have {} event streams open on this host.", self.most);
            return Err(Problem::new(Code::RateLimited, detail).with("retry-after", "5"));
        };
        standing._seat = Some(seat);
        if let Caller::Agent(agent) = caller {
            let (store, config) = of;
            standing.look = Some(look);
            standing.key = Some(Key {
                store: store.clone(),
                config: config.clone(),
                request: shown(request),
                agent_id: agent.agent_id.clone(),
            });
        }
        Ok(standing)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.readers.table();
        let Some(held) = table.get_mut(&self.holder) else { return };
        held.count -= 1;
        if let Some(count) = held.keys.get_mut(&self.key_id) {
            *count -= 1;
            if *count == 0 {
                held.keys.remove(&self.key_id);
            }
        }
        if held.count == 0 {
            table.remove(&self.holder);
        }
    }
}

/// A request with nothing but its key.
fn shown(request: &Request) -> Request {
    let is_key = |name: &str| {
        name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("x-api-key")
    };
    Request {
        method: request.method.clone(),
        target: request.target.clone(),
        headers: request.headers.iter().filter(|(name, _)| is_key(name)).collect(),
        body: Vec::new(),
    }
}

impl Standing {
    /// When somebody has to look next.
    pub(super) fn next_look(&self) -> Instant {
        self.leaves_at.map_or(self.next_look, |leaves_at| leaves_at.min(self.next_look))
    }

    /// Waits until the key may have changed.
    pub(super) async fn changed(&mut self) {
        match &mut self.look {
            // The sender lives as long as this reader's seat.
            Some(look) => drop(look.changed().await),
            None => std::future::pending().await,
        }
        self.is_told = true;
    }

    /// Whether the reader may still read; asks Redis when it is time to.
    pub(super) async fn holds(&mut self, now: Instant) -> bool {
        if self.leaves_at.is_some_and(|leaves_at| now >= leaves_at) {
            return false;
        }
        if let Some(look) = &mut self.look {
            self.is_told |= look.has_changed().unwrap_or_default();
            look.mark_unchanged();
        }
        if now < self.next_look && !self.is_told {
            return true;
        }
        self.is_told = false;
        self.next_look = now + self.period;
        match &self.key {
            Some(key) => key.is_good().await,
            None => true,
        }
    }
}

impl Key {
    async fn is_good(&self) -> bool {
        match recognize(&self.request, &self.config, &self.store).await {
            Ok(Caller::Agent(agent)) if agent.agent_id == self.agent_id => {
                let caller = Caller::Agent(agent);
                caller.authorize(Access::Read, self.config.auth_mode).is_ok()
            }
            Ok(_) => false,
            Err(problem) => !matches!(problem.code, Code::Unauthenticated | Code::Forbidden),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> Holder {
        Holder::Agent(name.into())
    }

    #[test]
    fn an_agent_has_so_many_seats_and_gets_them_back() {
        let readers = Readers::new(2);
        let first = readers.sit(agent("a"), "key_1").unwrap();
        let _second = readers.sit(agent("a"), "key_2").unwrap();
        assert!(readers.sit(agent("a"), "key_1").is_none());
        assert!(readers.sit(agent("b"), "key_3").is_some());
        drop(first);
        assert!(readers.sit(agent("a"), "key_1").is_some());
        assert_eq!(readers.table().len(), 1);
    }

    #[test]
    fn a_change_of_a_key_or_its_agent_is_told_to_its_readers_alone() {
        let readers = Readers::new(0);
        let (_seat, mut mine) = readers.sit(agent("a"), "key_1").unwrap();
        let (_other, mut theirs) = readers.sit(agent("b"), "key_2").unwrap();
        for (method, path, told) in [
            (Method::DELETE, "/api/v1/auth/keys/key_1", true),
            (Method::POST, "/api/v1/auth/keys/key_1/rotate", true),
            (Method::PATCH, "/api/v1/agents/a", true),
            (Method::DELETE, "/api/v1/agents/a", true),
            (Method::GET, "/api/v1/agents/a", false),
            (Method::POST, "/api/v1/auth/keys", false),
            (Method::DELETE, "/api/v1/nodes/a", false),
        ] {
            readers.note_change(&method, path);
            assert_eq!(mine.has_changed().unwrap(), told, "{method} {path}");
            assert!(!theirs.has_changed().unwrap(), "{method} {path}");
            mine.mark_unchanged();
            theirs.mark_unchanged();
        }
    }
}
