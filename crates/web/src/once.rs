//! `Idempotency-Key` (`contract.md` §1).

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use reef_domain::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use reef_store::Once;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::auth::Caller;
use crate::http::Request;
use crate::problem::Problem;

/// How deep a body may nest that is compared by its value: each level is read once more, and takes
/// some of a component's small stack.
const CANONICAL_DEPTH_MAX: usize = 64;

/// Reads the header, if there is one.
///
/// # Errors
/// 400 if it is empty, too long or not printable ASCII.
pub fn key_of(request: &Request) -> Result<Option<&[u8]>, Problem> {
    let Some(key) = request.raw_header("idempotency-key") else { return Ok(None) };
    let printable = key.iter().all(|b| (0x20..0x7f).contains(b));
    if !(1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) || !printable {
        return Err(Problem::parameter(
            "Idempotency-Key",
            "must be 1-255 printable ASCII characters",
        ));
    }
    Ok(Some(key))
}

/// What makes a request idempotent. Ids are made of the digest, so that only who knows the hub's
/// secret can tell them.
#[must_use]
pub fn of(request: &Request, key: &[u8], caller: &Caller, secret: &str) -> Once {
    let (method, path) = (request.method.as_bytes(), request.path().as_bytes());
    let scope = [caller.name().as_bytes(), place_of(request, caller), method, path, key];
    Once {
        digest: keyed_hash(secret, &scope),
        fingerprint: hash(&[request.query().as_bytes(), &canonical(&request.body)]),
    }
}

/// Where nobody says who calls, callers are told apart by where they call from, as far as the
/// platform says it.
fn place_of<'a>(request: &'a Request, caller: &Caller) -> &'a [u8] {
    let address = match caller {
        Caller::Anonymous => request.header("spin-client-addr").unwrap_or_default(),
        _ => "",
    };
    // Without the port, which is another one with each connection.
    address.rsplit_once(':').map_or(address, |(host, _)| host).as_bytes()
}

/// An id for something that a request makes: of the idempotency key, so that a repeat finds what it
/// made, else a new one. One request may make two things.
#[must_use]
pub fn made_id<Id: From<String>>(prefix: &str, once: Option<&Once>, second: bool) -> Id {
    let half = if second { 32..64 } else { 0..32 };
    let made = match once.and_then(|once| once.digest.get(half)) {
        Some(tail) => format!("{prefix}_{tail}"),
        None => format!("{prefix}_{}", uuid::Uuid::now_v7().simple()),
    };
    made.into()
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

/// A body as it is compared with another: JSON by its value, so that neither the order of fields nor
/// white space matters, and anything else by its bytes. Numbers are compared as they are written,
/// since some bodies are kept as they are.
fn canonical(body: &[u8]) -> Cow<'_, [u8]> {
    let text = std::str::from_utf8(body).ok();
    let written = text.filter(|text| is_shallow(text)).and_then(|text| {
        let value: &RawValue = serde_json::from_str(text).ok()?;
        let mut out = Vec::with_capacity(body.len());
        write_value(value, &mut out)?;
        Some(out)
    });
    written.map_or(Cow::Borrowed(body), Cow::Owned)
}

/// Whether a text nests no deeper than what [`write_value`] can follow.
fn is_shallow(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_inside, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_inside => is_escaped = true,
            b'"' => is_inside = !is_inside,
            b'[' | b'{' if !is_inside => depth += 1,
            b']' | b'}' if !is_inside => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest <= CANONICAL_DEPTH_MAX
}

/// Writes a value without white space, fields in the order of their names; of a field that comes
/// twice, the last. `None` for what is no JSON after all.
fn write_value(value: &RawValue, out: &mut Vec<u8>) -> Option<()> {
    let text = value.get();
    match text.bytes().next()? {
        b'{' => {
            let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
            out.push(b'{');
            for (name, value) in fields {
                serde_json::to_writer(&mut *out, &name).ok()?;
                out.push(b':');
                write_value(value, out)?;
                out.push(b',');
            }
            out.push(b'}');
        }
        b'[' => {
            let values: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            out.push(b'[');
            for value in values {
                write_value(value, out)?;
                out.push(b',');
            }
            out.push(b']');
        }
        // Escapes are another way to write the same characters.
        b'"' => {
            let text: Cow<'_, str> = serde_json::from_str(text).ok()?;
            serde_json::to_writer(&mut *out, &text).ok()?;
        }
        _ => out.extend_from_slice(text.as_bytes()),
    }
    Some(())
}

/// HMAC-SHA256 in hex over parts, told apart in the same way.
fn keyed_hash(secret: &str, parts: &[&[u8]]) -> String {
    // A key of any length will do, so that this never fails.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            for part in parts {
                mac.update(&(part.len() as u64).to_be_bytes());
                mac.update(part);
            }
            hex(mac.finalize().into_bytes())
        },
    )
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
            headers: [("Idempotency-Key", key)].into_iter().collect(),
            body: body.into(),
        }
    }

    fn once(key: &str, body: &str, caller: &Caller, secret: &str) -> Once {
        let request = post(key, body);
        of(&request, key_of(&request).unwrap().unwrap(), caller, secret)
    }

    #[test]
    fn caller_route_and_key_name_the_record_and_the_body_is_its_fingerprint() {
        let first = once("k", "{}", &Caller::Admin, "s");
        let repeat = once("k", "{}", &Caller::Admin, "s");
        let altered = once("k", "[]", &Caller::Admin, "s");
        let stranger = once("k", "{}", &Caller::Anonymous, "s");
        let elsewhere = once("k", "{}", &Caller::Admin, "t");
        assert_eq!(first, repeat);
        assert_eq!((first.digest.len(), &first.digest), (64, &altered.digest));
        assert_ne!(first.fingerprint, altered.fingerprint);
        assert_ne!(first.digest, stranger.digest);
        assert_ne!(first.digest, elsewhere.digest);
    }

    #[test]
    fn nobody_in_particular_is_told_apart_by_address() {
        let from = |address: &str, caller: &Caller| {
            let mut request = post("k", "{}");
            request.headers.push("spin-client-addr", address.as_bytes());
            of(&request, b"k", caller, "s").digest
        };
        let nobody = &Caller::Anonymous;
        assert_eq!(from("10.0.0.1:1", nobody), from("10.0.0.1:2", nobody));
        assert_ne!(from("10.0.0.1:1", nobody), from("10.0.0.2:1", nobody));
        assert_eq!(from("[::1]:1", nobody), from("[::1]:2", nobody));
        assert_eq!(from("10.0.0.1:1", &Caller::Admin), from("10.0.0.2:1", &Caller::Admin));
    }

    #[test]
    fn a_body_is_known_by_its_value() {
        let print = |body: &str| once("k", body, &Caller::Admin, "s").fingerprint;
        for (body, same) in [
            (
                r#"{"a":1,"b":[1,{"c":null,"d":"x"}]}"#,
                "{ \"b\" : [1,{\"d\":\"x\",\n\"c\":null}],\t\"a\":1 }",
            ),
            (r#"{"a":"A\/é"}"#, r#"{"\u0061":"\u0041/\u00e9"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            assert_eq!(print(body), print(same), "{body}");
        }
        for (body, other) in [
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":1}"#, r#"{"a":1.0}"#),
            (r#"{"a":"1"}"#, r#"{"a":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{},"b":1}"#),
            (r#"{"a":12345678901234567890123}"#, r#"{"a":12345678901234567890124}"#),
            ("{", "{ "),
            ("", "{}"),
        ] {
            assert_ne!(print(body), print(other), "{body}");
        }
        let deep = |blank: &str| format!("{}{blank}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_ne!(print(&deep("")), print(&deep(" ")), "what is too deep is known by its bytes");
    }

    #[test]
    fn keys_have_bounds() {
        for bad in ["", "é", "a\tb", &"k".repeat(256)] {
            assert!(key_of(&post(bad, "")).is_err(), "{bad}");
        }
        assert!(key_of(&post(&"k".repeat(255), "")).is_ok());
    }
}
