//! What is known of callers before they are asked: where they come from, and whether the key that
//! they bring was good before.
//!
//! Callers without a good key have a rate for each address. A wrong key counts as none, so that keys
//! cannot be searched for; a key that was good lately is not counted, so that whoever floods the hub
//! from an address takes nothing from others behind it. All of it is bounded in memory: the tables
//! have a fixed size, and what they mix up costs somebody a few requests a second.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use reef_web::rate::RateLimit;
use reef_web::{Code, Problem};

/// Addresses that are told apart: 256 KiB.
const RATE_SLOTS: usize = 1 << 15;
/// Good keys that are remembered: 64 KiB.
const KEY_SLOTS: usize = 1 << 13;
/// What a full bucket holds: the requests of ten seconds, since a script or a page asks for many things
/// at once and then for none.
const BUCKET: Duration = Duration::from_secs(10);

/// Where a request comes from: an address of IPv4, or a network of IPv6, of which whoever has one
/// address has 2^64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    /// The peer of an address.
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self(match address.ip().to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            ip => ip,
        })
    }
}

/// What has been found out about the caller of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It brings no key.
    Anonymous,
    /// It brings a key of which nothing is known.
    Unproven(u64),
    /// It brings a key that was good before.
    Proven(u64),
}

/// Rates of addresses, and the keys that were good.
#[derive(Debug)]
pub(crate) struct Peers {
    hasher: RandomState,
    started: Instant,
    limit: i64,
    /// What one request takes of a bucket, in nanoseconds; 0: there is no limit.
    cost: u64,
    /// For each address the time at which its bucket will be full again, in nanoseconds.
    rates: Box<[AtomicU64]>,
    keys: Box<[AtomicU64]>,
}

impl Peers {
    /// `limit` requests a second for each address; 0 for no limit.
    pub(crate) fn new(limit: i64) -> Self {
        let slots = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        let cost = u64::try_from(limit).ok().filter(|limit| *limit > 0);
        Self {
            hasher: RandomState::new(),
            started: Instant::now(),
            limit,
            cost: cost.map_or(0, |limit| 1_000_000_000 / limit),
            rates: slots(RATE_SLOTS),
            keys: slots(KEY_SLOTS),
        }
    }

    /// Looks at the key that a request brings, and takes a request from the rate of the address
    /// unless that key was good before.
    ///
    /// # Errors
    /// 429: the address has used up its rate.
    pub(crate) fn admit(&self, peer: Peer, headers: &HeaderMap) -> Result<Standing, Problem> {
        let standing = match headers.get("x-api-key").or_else(|| headers.get(AUTHORIZATION)) {
            None => Standing::Anonymous,
            Some(key) => {
                let hash = self.hasher.hash_one(key.as_bytes()) | 1;
                match slot(&self.keys, hash) {
                    Some(kept) if kept.load(Ordering::Relaxed) == hash => Standing::Proven(hash),
                    _ => Standing::Unproven(hash),
                }
            }
        };
        if matches!(standing, Standing::Proven(_)) {
            return Ok(standing);
        }
        match self.take(peer) {
            Ok(()) => Ok(standing),
            Err(wait) => Err(self.refusal(wait)),
        }
    }

    /// Notes what came of a request: whether the hub has refused its key, or found it good.
    pub(crate) fn settle(&self, peer: Peer, standing: Standing, outcome: Outcome) {
        let (Standing::Unproven(hash) | Standing::Proven(hash)) = standing else { return };
        let Some(kept) = slot(&self.keys, hash) else { return };
        match (outcome, standing) {
            (Outcome::Good, Standing::Unproven(_)) => {
                kept.store(hash, Ordering::Relaxed);
                self.give_back(peer);
            }
            (Outcome::Refused, Standing::Proven(_)) => {
                // Another may have taken the place.
                let _ = kept.compare_exchange(hash, 0, Ordering::Relaxed, Ordering::Relaxed);
                let _ = self.take(peer);
            }
            _ => {}
        }
    }

    fn take(&self, peer: Peer) -> Result<(), Duration> {
        let full = u64::try_from(BUCKET.as_nanos()).unwrap_or(u64::MAX);
        let Some(rate) = self.rate_of(peer) else { return Ok(()) };
        let now = self.now();
        let taken = rate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| {
            let until = until.max(now) + self.cost;
            (until <= now + full).then_some(until)
        });
        taken.map(|_| ()).map_err(|until| {
            Duration::from_nanos((until.max(now) + self.cost).saturating_sub(now + full))
        })
    }

    fn give_back(&self, peer: Peer) {
        if let Some(rate) = self.rate_of(peer) {
            let _ = rate.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| {
                Some(until.saturating_sub(self.cost))
            });
        }
    }

    fn rate_of(&self, peer: Peer) -> Option<&AtomicU64> {
        if self.cost == 0 {
            return None;
        }
        slot(&self.rates, self.hasher.hash_one(peer))
    }

    /// Nanoseconds; half a thousand years fit.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX / 2)
    }

    fn refusal(&self, wait: Duration) -> Problem {
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let RateLimit { limit, wait_ms, .. } = RateLimit { limit: self.limit, left: 0, wait_ms };
        let seconds = (wait_ms.max(1) - 1) / 1000 + 1;
        let detail = format!("Without a good key one address may send {limit} requests a second.");
        Problem::new(Code::RateLimited, detail).with("retry-after", seconds.to_string())
    }
}

/// What came of a request, as far as its key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The key was looked at and is good.
    Good,
    /// The key was refused.
    Refused,
    /// The key was not looked at.
    Unknown,
}

fn slot(slots: &[AtomicU64], hash: u64) -> Option<&AtomicU64> {
    // The length is a power of two. The lowest bit of a key's hash is always set.
    let index = usize::try_from(hash >> 20).unwrap_or_default() & (slots.len().wrapping_sub(1));
    slots.get(index)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::of(text.parse().unwrap())
    }

    fn key(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(text))])
    }

    #[test]
    fn an_address_is_one_peer_and_so_is_a_network_of_version_6() {
        assert_eq!(peer("10.0.0.1:1"), peer("10.0.0.1:2"));
        assert_ne!(peer("10.0.0.1:1"), peer("10.0.0.2:1"));
        assert_eq!(peer("[::ffff:10.0.0.1]:1"), peer("10.0.0.1:1"));
        assert_eq!(peer("[2001:db8:1:2::1]:1"), peer("[2001:db8:1:2:ffff::9]:1"));
        assert_ne!(peer("[2001:db8:1:2::1]:1"), peer("[2001:db8:1:3::1]:1"));
    }

    #[test]
    fn an_address_without_a_key_has_its_rate_and_takes_nobody_elses() {
        let peers = Peers::new(5);
        let (mallory, bob) = (peer("10.0.0.1:1"), peer("10.0.0.2:1"));
        let admitted = (0..100).filter(|_| peers.admit(mallory, &HeaderMap::new()).is_ok()).count();
        // The bucket fills again while the test runs.
        assert!((50..60).contains(&admitted), "{admitted}");
        let refused = peers.admit(mallory, &HeaderMap::new()).unwrap_err();
        assert_eq!(refused.code, Code::RateLimited);
        assert_eq!(refused.headers, [("retry-after", "1".to_owned())]);
        assert!(peers.admit(bob, &HeaderMap::new()).is_ok());
    }

    #[test]
    fn no_limit_is_no_limit() {
        let peers = Peers::new(0);
        assert!((0..1000).all(|_| peers.admit(peer("10.0.0.1:1"), &HeaderMap::new()).is_ok()));
    }

    #[test]
    fn a_good_key_is_not_counted_and_a_wrong_one_is() {
        let peers = Peers::new(2);
        let here = peer("10.0.0.1:1");
        let good = peers.admit(here, &key("Bearer good")).unwrap();
        assert!(matches!(good, Standing::Unproven(_)));
        peers.settle(here, good, Outcome::Good);
        while let Ok(wrong) = peers.admit(here, &key("Bearer wrong")) {
            peers.settle(here, wrong, Outcome::Refused);
        }
        for _ in 0..100 {
            let known = peers.admit(here, &key("Bearer good")).unwrap();
            assert!(matches!(known, Standing::Proven(_)));
            peers.settle(here, known, Outcome::Good);
        }
        // Revoked: from now on it is one among the wrong ones.
        peers.settle(here, good_again(&peers, here), Outcome::Refused);
        assert!(peers.admit(here, &key("Bearer good")).is_err());
    }

    fn good_again(peers: &Peers, here: Peer) -> Standing {
        peers.admit(here, &key("Bearer good")).unwrap()
    }

    #[test]
    fn what_was_not_looked_at_proves_nothing() {
        let peers = Peers::new(50);
        let here = peer("10.0.0.1:1");
        let first = peers.admit(here, &key("Bearer x")).unwrap();
        peers.settle(here, first, Outcome::Unknown);
        assert!(matches!(peers.admit(here, &key("Bearer x")), Ok(Standing::Unproven(_))));
    }
}
