//! What the host sends to components in place of what it alone can check: a browser's cookie, or the
//! certificate that a client has shown.
//!
//! A cookie must not hold a key, and the hub keeps no keys, so the host cannot turn one into the
//! other. It sends which key is meant, and a code that only who knows the admin key can make. The key
//! is looked up as if it had been sent, so that a revocation ends what stands for it, too. A stand-in
//! never leaves the host.

use hmac::{Hmac, KeyInit, Mac};
use reef_api::KeyId;
use reef_domain::access::KEY_NAME_CHARS;
use sha2::{Digest, Sha256};

use crate::once::{digest_of, hex};

/// The longest name of a certificate that a key can be bound to.
pub const CERTIFICATE_NAME_MAX: usize = 253;

/// What [`is_certificate_name`] says of the characters, for `openapi.json`: no capitals, or a colon.
pub const CERTIFICATE_NAME_PATTERN: &str = r"^([!-@\[-~]+|[!-9;-~]*:[!-~]*)$";

/// What a stand-in was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A browser's cookie, which is good for reading only.
    Cookie,
    /// A certificate, which does what its key allows.
    Certificate,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Cookie, Self::Certificate];

    fn prefix(self) -> &'static str {
        match self {
            Self::Cookie => "reef-stand-in",
            Self::Certificate => "reef-certificate",
        }
    }

    fn allows(self, method: &str) -> bool {
        self == Self::Certificate || matches!(method, "GET" | "HEAD")
    }
}

/// What a stand-in says.
#[derive(Debug, PartialEq, Eq)]
pub struct StandIn {
    /// What it was made of.
    pub kind: Kind,
    /// The id of the key for which it stands.
    pub key_id: KeyId,
    /// SHA-256 of that key, in hex.
    pub digest: String,
}

/// Stands for a key: its id, and the SHA-256 of it.
#[must_use]
pub fn make(kind: Kind, admin_key: &str, key_id: &KeyId, digest: &str) -> String {
    let code =
        mac(kind, admin_key, key_id.as_str(), digest).map(|mac| hex(mac.finalize().into_bytes()));
    format!("{}.{key_id}.{digest}.{}", kind.prefix(), code.unwrap_or_default())
}

/// What a stand-in says that comes with a request of this method; `None` if it is none of ours, or
/// not good for that.
#[must_use]
pub fn read(admin_key: &str, text: &str, method: &str) -> Option<StandIn> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let (Some(prefix), Some(key_id), Some(digest), Some(code), None) =
        (next(), next(), next(), next(), next())
    else {
        return None;
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
    let expected = hex(mac(kind, admin_key, key_id, digest)?.finalize().into_bytes());
    let is_ours = subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), code.as_bytes());
    (bool::from(is_ours) && kind.allows(method)).then(|| StandIn {
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

fn mac(kind: Kind, admin_key: &str, key_id: &str, digest: &str) -> Option<Hmac<Sha256>> {
    // A key of any length will do, so that this never fails.
    let mut mac = Hmac::<Sha256>::new_from_slice(admin_key.as_bytes()).ok()?;
    mac.update(format!("{} {key_id} {digest}", kind.prefix()).as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_names_its_key_and_cannot_be_made_by_others() {
        for kind in Kind::ALL {
            let good = make(kind, "admin", &"key_1".into(), "d1");
            let said = StandIn { kind, key_id: "key_1".into(), digest: "d1".into() };
            assert_eq!(read("admin", &good, "GET"), Some(said));
            assert_eq!(read("other", &good, "GET"), None);
            for forged in
                [good.replace("key_1", "key_2"), good.replace("d1", "d2"), format!("{good}0")]
            {
                assert_eq!(read("admin", &forged, "GET"), None, "{forged}");
            }
            let bare = format!("{}.key_1.d1.", kind.prefix());
            assert_eq!(read("admin", &bare, "GET"), None);
        }
    }

    #[test]
    fn a_cookie_reads_and_does_not_turn_into_a_certificate() {
        let cookie = make(Kind::Cookie, "admin", &"key_1".into(), "d1");
        assert_eq!(read("admin", &cookie, "POST"), None);
        let turned = cookie.replace(Kind::Cookie.prefix(), Kind::Certificate.prefix());
        assert_eq!(read("admin", &turned, "POST"), None);
        let certificate = make(Kind::Certificate, "admin", &"key_1".into(), "d1");
        assert!(read("admin", &certificate, "POST").is_some());
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
