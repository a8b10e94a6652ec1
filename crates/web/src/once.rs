//! `Idempotency-Key` (`api.md` §1).

use reef_domain::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use reef_store::Once;
use sha2::{Digest, Sha256};

use crate::auth::Caller;
use crate::http::Request;
use crate::problem::Problem;

/// Reads the header, if there is one.
///
/// # Errors
/// 400 if it is empty, too long or not printable ASCII.
pub fn read(request: &Request, caller: &Caller) -> Result<Option<Once>, Problem> {
    let mut values =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
    let Some((_, key)) = values.next() else { return Ok(None) };
    let printable = key.iter().all(|b| (0x20..0x7f).contains(b));
    if !(1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) || !printable {
        return Err(Problem::parameter(
            "Idempotency-Key",
            "must be 1-255 printable ASCII characters",
        ));
    }
    let route = [request.method.as_bytes(), request.path().as_bytes()];
    Ok(Some(Once {
        digest: hash(&[&[caller.name().as_bytes()], &route[..], &[key]].concat()),
        fingerprint: hash(&[request.query().as_bytes(), &request.body]),
    }))
}

/// An id for something that a request makes: of the idempotency key, so that a repeat finds what it
/// made, else a new one. One request may make two things.
#[must_use]
pub fn made_id(prefix: &str, once: Option<&Once>, second: bool) -> String {
    let half = if second { 32..64 } else { 0..32 };
    match once.and_then(|once| once.digest.get(half)) {
        Some(tail) => format!("{prefix}_{tail}"),
        None => format!("{prefix}_{}", uuid::Uuid::now_v7().simple()),
    }
}

/// SHA-256 in hex, as keys are stored.
#[must_use]
pub fn digest_of(text: &str) -> String {
    hex(Sha256::digest(text))
}

/// Bytes in hex.
pub(crate) fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in hex over parts, each with its length in front, so that no two lists of parts look
/// alike.
fn hash(parts: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    hex(sha.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(key: &str, body: &str) -> Request {
        Request {
            method: "POST".into(),
            target: "/api/v1/nodes/register".into(),
            headers: vec![("Idempotency-Key".into(), key.into())],
            body: body.into(),
        }
    }

    #[test]
    fn caller_route_and_key_name_the_record_and_the_body_is_its_fingerprint() {
        let first = read(&post("k", "{}"), &Caller::Admin).unwrap().unwrap();
        let repeat = read(&post("k", "{}"), &Caller::Admin).unwrap().unwrap();
        let altered = read(&post("k", "{ }"), &Caller::Admin).unwrap().unwrap();
        let stranger = read(&post("k", "{}"), &Caller::Anonymous).unwrap().unwrap();
        assert_eq!(first, repeat);
        assert_eq!(first.digest, altered.digest);
        assert_ne!(first.fingerprint, altered.fingerprint);
        assert_ne!(first.digest, stranger.digest);
    }

    #[test]
    fn keys_have_bounds() {
        for bad in ["", "é", "a\tb", &"k".repeat(256)] {
            assert!(read(&post(bad, ""), &Caller::Admin).is_err(), "{bad}");
        }
        assert!(read(&post(&"k".repeat(255), ""), &Caller::Admin).is_ok());
    }
}
