//! What the host sends to components in place of what it alone can check: a browser's cookie, or the
//! certificate that a client has shown.
//!
//! A cookie must not hold a key, and the hub keeps no keys, so the host cannot turn one into the
//! other. It sends which key is meant, and a code that only who knows the admin key can make. The key
//! is looked up as if it had been sent, so that a revocation ends what stands for it, too.
//!
//! A stand-in never leaves the host, but for one kind: [`Kind::Relayed`] goes from `reef monitor
//! --hub-url` to a hub elsewhere. Who reads it on the way can do nothing with it: it is good for this one
//! request, to the letter, and for minutes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use reef_api::KeyId;
use reef_domain::access::KEY_NAME_CHARS;
use sha2::{Digest, Sha256};

use crate::edge;
use crate::http::Request;
use crate::once::{digest_of, hex};

/// The longest name of a certificate that a key can be bound to.
pub const CERTIFICATE_NAME_MAX: usize = 253;

/// What [`is_certificate_name`] says of the characters, for `openapi.json`: no capitals, or a colon.
pub const CERTIFICATE_NAME_PATTERN: &str = r"^([!-@\[-~]+|[!-9;-~]*:[!-~]*)$";

/// In place of a key's id, for the deployment's own admin key.
pub const ADMIN: &str = "admin";

/// How long what has an end is good, at least and at most. The clocks of two machines may differ by the
/// first.
const LIFE: (Duration, Duration) = (Duration::from_secs(240), Duration::from_secs(300));

/// What a stand-in was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The cookie by which a page reads: good for `GET` and `HEAD`.
    Cookie,
    /// The right of a page to act: good for what changes something, and for minutes.
    Act,
    /// A certificate, which does what its key allows.
    Certificate,
    /// Any of these on the way to a hub elsewhere: good for one request, and for minutes.
    Relayed,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Cookie, Self::Act, Self::Certificate, Self::Relayed];

    fn prefix(self) -> &'static str {
        match self {
            Self::Cookie => "reef-stand-in",
            Self::Act => "reef-act",
            Self::Certificate => "reef-certificate",
            Self::Relayed => "reef-relayed",
        }
    }

    fn allows(self, method: &str) -> bool {
        match self {
            Self::Cookie => matches!(method, "GET" | "HEAD"),
            Self::Act => edge::is_write(method),
            Self::Certificate | Self::Relayed => true,
        }
    }

    fn has_end(self) -> bool {
        matches!(self, Self::Act | Self::Relayed)
    }
}

/// What a stand-in says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// What it was made of.
    pub kind: Kind,
    /// The id of the key for which it stands, or [`ADMIN`].
    pub key_id: KeyId,
    /// SHA-256 of that key, in hex; empty for the admin's.
    pub digest: String,
}

/// Stands for a key within the host: its id, and the SHA-256 of it.
#[must_use]
pub fn make(kind: Kind, admin_key: &str, key_id: &KeyId, digest: &str) -> String {
    let until = if kind.has_end() { until(now()) } else { 0 };
    write(kind, admin_key, until, (key_id, digest), &Request::default())
}

/// Stands for a key in this one request, on its way to another hub's host: method, target, body and
/// idempotency key are what counts of it.
#[must_use]
pub fn relay(admin_key: &str, key_id: &KeyId, digest: &str, request: &Request) -> String {
    write(Kind::Relayed, admin_key, until(now()), (key_id, digest), request)
}

fn write(
    kind: Kind,
    admin_key: &str,
    until: u64,
    (key_id, digest): (&KeyId, &str),
    request: &Request,
) -> String {
    let code = code(admin_key, kind, until, (key_id.as_str(), digest), request);
    format!("{}.{until}.{key_id}.{digest}.{}", kind.prefix(), code.unwrap_or_default())
}

/// What a stand-in says that comes with this request; `None` if it is none of ours, or not good for
/// that, or no more.
#[must_use]
pub fn read(admin_key: &str, text: &str, request: &Request) -> Option<StandIn> {
    read_at(admin_key, text, request, now())
}

fn read_at(admin_key: &str, text: &str, request: &Request, now: u64) -> Option<StandIn> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let (Some(prefix), Some(until), Some(key_id), Some(digest), Some(given), None) =
        (next(), next(), next(), next(), next(), next())
    else {
        return None;
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
    let until: u64 = until.parse().ok()?;
    let expected = code(admin_key, kind, until, (key_id, digest), request)?;
    let is_ours = subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), given.as_bytes());
    let is_in_time = !kind.has_end() || (now < until && until <= now + 2 * LIFE.1.as_secs());
    (bool::from(is_ours) && is_in_time && kind.allows(&request.method)).then(|| StandIn {
        kind,
        key_id: key_id.into(),
        digest: digest.to_owned(),
    })
}

/// Whether a text that came in place of a key was made of a browser's cookie, good or not.
#[must_use]
pub fn is_of_a_cookie(text: &str) -> bool {
    text.starts_with(Kind::Cookie.prefix())
}

/// Whether a text looks like a stand-in that no client can have: one of those that never leave the host.
#[must_use]
pub fn stays_within(text: &str) -> bool {
    let prefix = text.split('.').next().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix);
    kind.is_some_and(|kind| kind != Kind::Relayed)
}

/// Ends are whole minutes, so that what stands for a key stays the same for a while, and can be
/// recognised.
fn until(now: u64) -> u64 {
    (now / 60 + 1) * 60 + LIFE.0.as_secs()
}

/// Seconds since 1970, by the clock of whoever runs this.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The id and the digest of the key that is bound to certificates of a name. No text that could be
/// sent as a key has this digest.
#[must_use]
pub fn key_of_certificate(name: &str) -> (KeyId, String) {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let hash = Sha256::digest(format!("reef key id {name}"));
    let chars = hash.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
    let chars: String = chars.take(KEY_NAME_CHARS).map(|char| char::from(*char)).collect();
    (format!("key_{chars}").into(), digest_of(&format!("reef certificate {name}")))
}

/// Whether a name can be that of a certificate: a URI or a DNS name in lower case.
#[must_use]
pub fn is_certificate_name(name: &str) -> bool {
    let is_uri = name.contains(':');
    let fits = |b: u8| b.is_ascii_graphic() && (is_uri || !b.is_ascii_uppercase());
    (1..=CERTIFICATE_NAME_MAX).contains(&name.len()) && name.bytes().all(fits)
}

fn code(
    admin_key: &str,
    kind: Kind,
    until: u64,
    (key_id, digest): (&str, &str),
    request: &Request,
) -> Option<String> {
    // A key of any length will do, so that this never fails.
    let mut mac = Hmac::<Sha256>::new_from_slice(admin_key.as_bytes()).ok()?;
    mac.update(format!("{} {until} {key_id} {digest}", kind.prefix()).as_bytes());
    if kind == Kind::Relayed {
        let once = request.raw_header("idempotency-key");
        let said = [request.method.as_bytes(), request.target.as_bytes(), once.unwrap_or_default()];
        // Each with its length, lest one part passes for another.
        for part in said {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.update(&Sha256::digest(&request.body));
    }
    Some(hex(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str) -> Request {
        Request { method: method.into(), target: "/api/v1/nodes".into(), ..Request::default() }
    }

    fn made(kind: Kind, request: &Request) -> String {
        match kind {
            Kind::Relayed => relay("admin", &"key_1".into(), "d1", request),
            kind => make(kind, "admin", &"key_1".into(), "d1"),
        }
    }

    #[test]
    fn a_stand_in_names_its_key_and_cannot_be_made_by_others() {
        for kind in Kind::ALL {
            let request = request(if kind == Kind::Act { "POST" } else { "GET" });
            let good = made(kind, &request);
            let said = StandIn { kind, key_id: "key_1".into(), digest: "d1".into() };
            assert_eq!(read("admin", &good, &request), Some(said));
            assert_eq!(read("other", &good, &request), None);
            let until = good.split('.').nth(1).unwrap();
            for forged in [
                good.replace("key_1", "key_2"),
                good.replace("d1", "d2"),
                good.replace(until, "9"),
                format!("{good}0"),
                format!("{}.{until}.key_1.d1.", kind.prefix()),
                format!("{}.key_1.d1.", kind.prefix()),
            ] {
                assert_eq!(read("admin", &forged, &request), None, "{forged}");
            }
            for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
                let turned = good.replace(kind.prefix(), other.prefix());
                assert_eq!(read("admin", &turned, &request), None, "{turned}");
            }
        }
    }

    #[test]
    fn a_cookie_reads_and_the_right_to_act_changes() {
        for (kind, reads, writes) in
            [(Kind::Cookie, true, false), (Kind::Act, false, true), (Kind::Certificate, true, true)]
        {
            for (method, may) in [
                ("GET", reads),
                ("HEAD", reads),
                ("OPTIONS", kind == Kind::Certificate),
                ("POST", writes),
                ("PATCH", writes),
                ("DELETE", writes),
                ("NONSENSE", writes),
            ] {
                // What is right is the code: it is the method that is looked at.
                let text = made(kind, &request("GET"));
                let is_good = read("admin", &text, &request(method)).is_some();
                assert_eq!(is_good, may, "{kind:?} {method}");
            }
        }
    }

    #[test]
    fn what_has_an_end_ends() {
        for kind in [Kind::Act, Kind::Relayed] {
            let post = request("POST");
            let text = made(kind, &post);
            let until: u64 = text.split('.').nth(1).unwrap().parse().unwrap();
            let at = |time| read_at("admin", &text, &post, time).is_some();
            assert!(at(until - 1) && !at(until) && !at(until - 601), "{text}");
            let life = until - now();
            assert!((LIFE.0.as_secs()..=LIFE.1.as_secs()).contains(&life), "{life}");
        }
        let cookie = made(Kind::Cookie, &request("GET"));
        assert!(read_at("admin", &cookie, &request("GET"), u64::MAX).is_some());
    }

    #[test]
    fn what_is_relayed_is_good_for_one_request_to_the_letter() {
        let with = |method: &str, target: &str, key: &str, body: &str| Request {
            method: method.into(),
            target: target.into(),
            headers: [("Idempotency-Key", key)].into_iter().collect(),
            body: body.into(),
        };
        let sent = with("POST", "/api/v1/tasks?a=1", "k1", "{}");
        let text = made(Kind::Relayed, &sent);
        assert!(read("admin", &text, &sent).is_some());
        for other in [
            with("PATCH", "/api/v1/tasks?a=1", "k1", "{}"),
            with("POST", "/api/v1/tasks?a=2", "k1", "{}"),
            with("POST", "/api/v1/tasks?a=1", "k2", "{}"),
            with("POST", "/api/v1/tasks?a=", "1k1", "{}"),
            with("POST", "/api/v1/tasks?a=1", "k1", "{ }"),
        ] {
            assert_eq!(read("admin", &text, &other), None, "{other:?}");
        }
    }

    #[test]
    fn what_stays_within_the_host_is_known_by_its_look() {
        for kind in Kind::ALL {
            let is_within = kind != Kind::Relayed;
            assert_eq!(stays_within(&made(kind, &request("GET"))), is_within, "{kind:?}");
        }
        for other in ["", "reef_aB3dEf7h_0123456789abcdefABCDEF_-01234567", "reef-action.1"] {
            assert!(!stays_within(other), "{other}");
        }
    }

    #[test]
    fn each_name_of_a_certificate_has_a_key() {
        let (key_id, digest) = key_of_certificate("alice.example");
        assert!(key_id.as_str().len() == 12 && digest.len() == 64);
        let (other_id, other_digest) = key_of_certificate("alice.examplf");
        assert!(key_id != other_id && digest != other_digest);
        for good in ["alice.example", "spiffe://Fleet/alice"] {
            assert!(is_certificate_name(good), "{good}");
        }
        for bad in ["", "Alice.example", "a b", "ä", &"x".repeat(254)] {
            assert!(!is_certificate_name(bad), "{bad}");
        }
    }
}
