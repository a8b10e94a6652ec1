//! How safe a write is when its answer comes, and the wait for more.
//!
//! A server that syncs its append-only file before each answer gives `disk` for nothing. For the rest
//! somebody must ask it (`WAIT`, `WAITAOF`), over a connection of its own: the question blocks whoever
//! asks, and is about the asker's own writes. So a number is written behind the writes that are waited
//! for, and asked about; replication is one stream, and what is in front of the number has arrived
//! when the number has.
//!
//! - [`Facts`]: what a server says of itself. It holds for the link over which it was said.
//! - [`Touched`]: what one request has written to, and how safe that is.
//! - `batch`: the wait itself, for many requests at once.
//! - `trial`: whether what a server says of its file can be believed.

mod batch;
mod facts;
mod trial;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::{join_all, join4};
use redis::Value;
use reef_store::durability::{self, Safety};
use reef_store::packed::Items;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Error;
use crate::cluster::hash_tag;
use crate::lane::{LinkId, Traffic};
use crate::scripts;
use crate::server::Server;
use batch::{Batches, Verdict, Waiter};

pub use facts::{Ability, Facts, together};

/// Facts that are older are looked at anew.
const FACTS_AGE: Duration = Duration::from_secs(30);
/// Those that are much older are not believed.
const FACTS_AGE_MAX: Duration = Duration::from_secs(60);
/// Before a wish is called hopeless, facts that are older are looked at anew: a replica may have come.
const FACTS_AGE_HOPELESS: Duration = Duration::from_secs(1);

/// What is known of where a server's writes go.
#[derive(Default)]
pub(crate) struct Durable {
    /// Somebody wants to know.
    is_watched: AtomicBool,
    batches: Batches,
    trial: Mutex<Option<trial::Outcome>>,
}

/// What a server has said over a link.
#[derive(Default)]
pub(crate) struct Look {
    known: RwLock<Option<Known>>,
    /// Held by whoever looks.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Known {
    link: LinkId,
    at: Instant,
    facts: Arc<Facts>,
}

impl Durable {
    /// Whether somebody wants to know the facts of a link as soon as it is open.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }
}

impl Look {
    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Server {
    /// The facts that hold for what went over a link.
    fn known_of(&self, link: LinkId) -> Option<Known> {
        let known = self.lane(link.traffic).look().known()?;
        (known.link == link && known.at.elapsed() < FACTS_AGE_MAX).then_some(known)
    }

    /// What the server says of itself over the link for this traffic, and over which that was, not longer
    /// ago than `age`.
    pub(crate) async fn facts(
        self: &Arc<Self>,
        traffic: Traffic,
        age: Duration,
    ) -> Result<(LinkId, Arc<Facts>), Error> {
        self.durable().is_watched.store(true, Ordering::Relaxed);
        let lane = self.lane(traffic);
        let _one_at_a_time = lane.look().looking.lock().await;
        let known = lane.look().known().filter(|known| self.is_open_still(known.link));
        if let Some(known) = known.filter(|known| known.at.elapsed() < age) {
            return Ok((known.link, known.facts));
        }
        let at = Instant::now();
        let limit = self.timeouts().call;
        let late = |_| Error::Unavailable(format!("no answer within {limit:?}"));
        let (link, replies) = timeout(limit, self.say(traffic)).await.map_err(late)??;
        let facts = Facts::read(replies)?;
        if facts.is_loading() {
            return Err(Error::Unavailable("the server loads its data".to_owned()));
        }
        let (trial, sync) = (self.trial_of(&facts), self.ask_replicas(&facts).await);
        let facts = Arc::new(facts.with(trial, sync));
        let known = Known { link, at, facts: Arc::clone(&facts) };
        *lane.look().known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok((link, facts))
    }

    /// Whether a link is the one that is open.
    fn is_open_still(&self, link: LinkId) -> bool {
        self.lane(link.traffic).live().is_some_and(|live| live.id == link)
    }

    /// What the server says when it is asked, all over one link.
    async fn say(
        self: &Arc<Self>,
        traffic: Traffic,
    ) -> Result<(LinkId, [Result<Value, Error>; 4]), Error> {
        let [a, b, c, d] = facts::questions();
        let [a, b, c, d] = [&a, &b, &c, &d].map(|question| self.exchange_over(traffic, question));
        let (a, b, c, d) = join4(a, b, c, d).await;
        let link = a.as_ref().map_err(Clone::clone)?.0;
        let replies = [a, b, c, d].map(|answer| match answer {
            Ok((other, _)) if other != link => {
                Err(Error::Unavailable("the connection was opened anew".to_owned()))
            }
            answer => answer.map(|(_, reply)| reply),
        });
        Ok((link, replies))
    }

    /// Looks at the server over the link for this traffic, if there is one and the last look is older
    /// than `age`, and unless somebody does already.
    pub(crate) fn look_soon(self: &Arc<Self>, traffic: Traffic, age: Duration) {
        let lane = self.lane(traffic);
        if lane.live().is_some() && lane.look().looking.try_lock().is_ok() {
            let server = Arc::clone(self);
            tokio::spawn(async move { server.facts(traffic, age).await.map(drop) });
        }
    }
}

/// What one request has written to. Clones share it.
#[derive(Clone)]
pub struct Touched {
    inner: Arc<Inner>,
}

struct Inner {
    /// The key of the number that is written behind what is waited for.
    marker: Arc<str>,
    touches: Mutex<Vec<Touch>>,
}

/// One server, the link over which it was written to, and the hash tag of what was written.
struct Touch {
    server: Arc<Server>,
    link: LinkId,
    tag: Option<Vec<u8>>,
}

/// How safe a write has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// As safe as this.
    Known(Safety),
    /// Another server answers by now, or none: what was written may be there or not.
    Unknown,
}

impl Touched {
    /// By nothing yet. `marker` is the key of the number that is written behind what is waited for.
    #[must_use]
    pub fn new(marker: &Arc<str>) -> Self {
        let touches = Mutex::default();
        Self { inner: Arc::new(Inner { marker: Arc::clone(marker), touches }) }
    }

    /// Takes in that a command went over a link, if it may leave something.
    pub(crate) fn note(&self, server: &Arc<Server>, link: LinkId, command: &str, args: &[Vec<u8>]) {
        if durability::may_leave(command, args) {
            self.touch(server, link, args.get(if scripts::is_script(command) { 2 } else { 0 }));
        }
    }

    /// The same of the call of a function: its name, how many keys, the key.
    pub(crate) fn note_function(&self, server: &Arc<Server>, link: LinkId, mut args: Items<'_>) {
        if args.next().is_none_or(durability::function_may_leave) {
            self.touch(server, link, args.nth(1));
        }
    }

    fn touch(&self, server: &Arc<Server>, link: LinkId, key: Option<impl AsRef<[u8]>>) {
        let mut touches = self.inner.touches.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |touch: &Touch| touch.link == link && Arc::ptr_eq(&touch.server, server);
        if !touches.iter().any(same) {
            let tag = key.and_then(|key| hash_tag(key.as_ref()).map(<[u8]>::to_vec));
            touches.push(Touch { server: Arc::clone(server), link, tag });
        }
    }

    /// By nothing any more: the request begins anew.
    pub fn clear(&self) {
        self.inner.touches.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How safe all that was written is, where it is as safe as `wanted` without a wait: nearly always.
    #[must_use]
    pub fn at_once(&self, wanted: Safety) -> Option<Reached> {
        let touches = self.inner.touches.lock().unwrap_or_else(PoisonError::into_inner);
        match touches.as_slice() {
            [] => Some(Reached::Known(wanted)),
            [touch] => touch.at_once(wanted),
            _ => None,
        }
    }

    /// Waits until all that was written is as safe as `wanted`, or until `until`, and says how safe
    /// it is then. Where nothing was written, nothing can be lost.
    pub async fn settle(&self, wanted: Safety, until: Instant) -> Reached {
        let touches = {
            let mut touches = self.inner.touches.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *touches)
        };
        match touches.as_slice() {
            [] => Reached::Known(wanted),
            [touch] => touch.settle(wanted, &self.inner.marker, until).await,
            many => {
                let all = many.iter().map(|it| it.settle(wanted, &self.inner.marker, until));
                let all = join_all(all).await;
                all.into_iter().reduce(|a, b| weaker(a, b, wanted)).unwrap_or(Reached::Unknown)
            }
        }
    }
}

/// What holds of two servers, if `a` holds of one and `b` of the other.
fn weaker(a: Reached, b: Reached, wanted: Safety) -> Reached {
    match (a, b) {
        (Reached::Unknown, _) | (_, Reached::Unknown) => Reached::Unknown,
        (a, b) if a == b => a,
        (Reached::Known(a), Reached::Known(b)) => {
            // One may have been waited for while the other needed no wait, or gave up.
            let is_on_disk = |it: Safety| it.meets(Safety::DISK);
            Reached::Known(match () {
                () if a.meets(wanted) && b.meets(wanted) => wanted,
                () if is_on_disk(a) && is_on_disk(b) => Safety::DISK,
                () => Safety::MEMORY,
            })
        }
    }
}

impl Touch {
    fn at_once(&self, wanted: Safety) -> Option<Reached> {
        let known = self.server.known_of(self.link)?;
        if known.at.elapsed() >= FACTS_AGE {
            self.server.look_soon(self.link.traffic, FACTS_AGE);
        }
        let given = if known.facts.syncs_first() { Safety::DISK } else { Safety::MEMORY };
        given.meets(wanted).then_some(Reached::Known(given))
    }

    async fn settle(&self, wanted: Safety, marker: &str, until: Instant) -> Reached {
        let known = match self.server.known_of(self.link) {
            Some(known) => known,
            // What asks for nothing waits for nothing.
            None if wanted == Safety::MEMORY => {
                self.server.look_soon(self.link.traffic, FACTS_AGE);
                return Reached::Known(Safety::MEMORY);
            }
            None => match self.look(FACTS_AGE, until).await {
                Some(known) => known,
                None => return Reached::Unknown,
            },
        };
        if known.at.elapsed() >= FACTS_AGE {
            self.server.look_soon(self.link.traffic, FACTS_AGE);
        }
        let at_once = if known.facts.syncs_first() { Safety::DISK } else { Safety::MEMORY };
        if at_once.meets(wanted) {
            return Reached::Known(at_once);
        }
        let mut facts = known.facts;
        if !facts.may_reach(wanted) && known.at.elapsed() >= FACTS_AGE_HOPELESS {
            match self.look(FACTS_AGE_HOPELESS, until).await {
                Some(known) => facts = known.facts,
                None => return Reached::Unknown,
            }
        }
        if !facts.may_reach(wanted) {
            if facts.wants_trial() {
                self.server.try_it(&facts, tagged(marker, self.tag.as_deref()));
            }
            return Reached::Known(at_once);
        }
        let marker = tagged(marker, self.tag.as_deref());
        let (waiter, told, heard) = Waiter::new(wanted, &facts, marker, until);
        self.server.durable().batches.join(&self.server, waiter);
        let verdict = match timeout_at(until, told).await {
            Ok(Ok(verdict)) => Some(verdict),
            Ok(Err(_)) if Instant::now() < until => Some(Verdict::Unknown),
            // A round that ends just then lets go of whom it finds too late.
            Ok(Err(_)) | Err(_) => None,
        };
        match verdict {
            Some(Verdict::Reached) => Reached::Known(wanted),
            Some(Verdict::Refused) => Reached::Known(at_once),
            Some(Verdict::Unknown) => Reached::Unknown,
            None => {
                // The next one need not wait in vain, if it was for a replica that has gone.
                self.server.look_soon(self.link.traffic, FACTS_AGE_HOPELESS);
                let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                Reached::Known(if heard.is_on_disk() { Safety::DISK } else { at_once })
            }
        }
    }

    async fn look(&self, age: Duration, until: Instant) -> Option<Known> {
        if !self.server.is_open_still(self.link) {
            return None;
        }
        let looked = timeout_at(until, self.server.facts(self.link.traffic, age)).await;
        let (link, facts) = looked.ok()?.ok()?;
        let at = Instant::now();
        (link == self.link).then_some(Known { link, at, facts })
    }
}

/// The marker's key beside a key with this hash tag: where keys have tags, it has that one.
fn tagged(marker: &str, tag: Option<&[u8]>) -> Vec<u8> {
    let marker = marker.as_bytes();
    match (hash_tag(marker), tag) {
        (Some(own), Some(tag)) => {
            let at =
                marker.windows(own.len() + 1).position(|it| it.strip_prefix(b"{") == Some(own));
            let (before, rest) =
                marker.split_at_checked(at.unwrap_or_default() + 1).unwrap_or_default();
            [before, tag, rest.get(own.len()..).unwrap_or_default()].concat()
        }
        _ => marker.to_vec(),
    }
}

impl fmt::Debug for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Touched").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safety(text: &str) -> Safety {
        Safety::parse(text).unwrap()
    }

    #[test]
    fn of_two_servers_the_weaker_one_is_told() {
        let both = |a: &str, b: &str, wanted: &str| {
            weaker(Reached::Known(safety(a)), Reached::Known(safety(b)), safety(wanted))
        };
        assert_eq!(both("disk", "memory", "disk"), Reached::Known(Safety::MEMORY));
        assert_eq!(both("replica", "memory", "replica"), Reached::Known(Safety::MEMORY));
        assert_eq!(both("replica-disk", "disk", "replica-disk"), Reached::Known(Safety::DISK));
        assert_eq!(both("disk", "replica-disk", "disk"), Reached::Known(Safety::DISK));
        assert_eq!(both("replica", "replica", "replica"), Reached::Known(safety("replica")));
        let disk = Reached::Known(Safety::DISK);
        assert_eq!(weaker(Reached::Unknown, disk, Safety::DISK), Reached::Unknown);
    }

    #[test]
    fn the_marker_lies_where_the_write_does() {
        let key = |marker: &str, tag: Option<&str>| {
            String::from_utf8(tagged(marker, tag.map(str::as_bytes))).unwrap()
        };
        assert_eq!(key("p:reef:durable", None), "p:reef:durable");
        assert_eq!(key("p:{cluster}:reef:durable", None), "p:{cluster}:reef:durable");
        assert_eq!(key("p:{cluster}:reef:durable", Some("inbox:a")), "p:{inbox:a}:reef:durable");
        assert_eq!(key("p:reef:durable", Some("x")), "p:reef:durable");
    }
}
