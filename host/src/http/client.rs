//! Who is at the other end of a connection.

use reef_api::KeyId;
use std::net::SocketAddr;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use reef_web::Problem;
use reef_web::auth::unknown_key;
use reef_web::stand_in::{self, Kind};

/// What is known of a client before it has asked for anything.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// It came by TLS.
    pub(crate) is_tls: bool,
    /// What stands for the key that the name of its certificate is bound to.
    pub(crate) certificate: Option<HeaderValue>,
}

impl Client {
    /// Lets a request that brings no key act by the client's certificate.
    pub(super) fn vouch(&self, headers: &mut HeaderMap) {
        if let Some(certificate) = &self.certificate
            && !has_key(headers)
        {
            headers.insert(AUTHORIZATION, certificate.clone());
        }
    }

    /// The scheme of the addresses that it calls.
    pub(super) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }
}

/// Whether a request brings a key, be it a good one or not.
pub(super) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key("x-api-key")
}

/// Refuses what stands for a key and never leaves a host: nobody has it from us, whatever its code says.
///
/// # Errors
/// 401 for a request that brings one.
pub(super) fn refuse_stand_ins(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get_all(AUTHORIZATION).iter().chain(headers.get_all("x-api-key"));
    let texts = given.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
    let is_one = |text: &str| text.split_ascii_whitespace().any(stand_in::stays_within);
    if texts.into_iter().any(is_one) { Err(unknown_key()) } else { Ok(()) }
}

/// What stands for the key of a certificate; `None` on a hub without an admin key, by which alone it
/// could be told from what a client makes up.
pub(super) fn credential_of(admin_key: Option<&str>, name: &str) -> Option<HeaderValue> {
    let (key_id, digest) = stand_in::key_of_certificate(name);
    credential(Kind::Certificate, admin_key?, &key_id, &digest)
}

/// The header that brings a stand-in.
pub(super) fn credential(
    kind: Kind,
    admin_key: &str,
    key_id: &KeyId,
    digest: &str,
) -> Option<HeaderValue> {
    bearer(&stand_in::make(kind, admin_key, key_id, digest))
}

/// The header that brings a key.
pub(super) fn bearer(key: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_speaks_only_where_no_key_does() {
        let certificate = credential_of(Some("reef_k"), "alice.example");
        let client = Client { address: ([10, 0, 0, 1], 1).into(), is_tls: true, certificate };
        for (name, value) in [("authorization", "Bearer wrong"), ("x-api-key", "wrong")] {
            let mut headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )]);
            client.vouch(&mut headers);
            assert_eq!((headers.len(), &headers[name]), (1, &HeaderValue::from_static(value)));
        }
        let mut none = HeaderMap::new();
        client.vouch(&mut none);
        assert!(none[AUTHORIZATION].to_str().unwrap().starts_with("Bearer reef-certificate."));
        assert!(none[AUTHORIZATION].is_sensitive());
        assert_eq!(credential_of(None, "alice.example"), None);
    }

    #[test]
    fn what_only_a_host_may_say_is_refused_from_outside() {
        let headers = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(
                http::HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )])
        };
        for kind in [Kind::Cookie, Kind::Act, Kind::Certificate] {
            let text = stand_in::make(kind, "reef_k", &"key_1".into(), "d1");
            for given in [
                headers("x-api-key", &text),
                headers("authorization", &format!("Bearer {text}")),
                headers("authorization", &format!("bearer   {text} ")),
            ] {
                assert!(refuse_stand_ins(&given).is_err(), "{given:?}");
            }
        }
        assert!(refuse_stand_ins(&headers("authorization", "Bearer reef_k")).is_ok());
    }
}
