//! What the host sends to components in place of a browser's cookie.
//!
//! A cookie must not hold a key, and the hub keeps no keys, so the host cannot turn one into the
//! other. It sends which key the cookie was made with, and a code that only who knows the admin key
//! can make. The key is looked up as if it had been sent, so that a revocation ends its cookies, too.
//! A stand-in is good for reading only, and never leaves the host.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::once::hex;

const PREFIX: &str = "reef-stand-in";

/// Stands for a key: its id, and the SHA-256 of it.
#[must_use]
pub fn make(admin_key: &str, key_id: &str, digest: &str) -> String {
    let code = mac(admin_key, key_id, digest).map(|mac| hex(mac.finalize().into_bytes()));
    format!("{PREFIX}.{key_id}.{digest}.{}", code.unwrap_or_default())
}

/// The id and the digest of the key for which a stand-in is; `None` if it is none of ours.
#[must_use]
pub fn read(admin_key: &str, text: &str) -> Option<(String, String)> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let (Some(PREFIX), Some(key_id), Some(digest), Some(code), None) =
        (next(), next(), next(), next(), next())
    else {
        return None;
    };
    let expected = hex(mac(admin_key, key_id, digest)?.finalize().into_bytes());
    let is_ours = subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), code.as_bytes());
    bool::from(is_ours).then(|| (key_id.to_owned(), digest.to_owned()))
}

fn mac(admin_key: &str, key_id: &str, digest: &str) -> Option<Hmac<Sha256>> {
    // A key of any length will do, so that this never fails.
    let mut mac = Hmac::<Sha256>::new_from_slice(admin_key.as_bytes()).ok()?;
    mac.update(format!("reef stand-in {key_id} {digest}").as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_names_its_key_and_cannot_be_made_by_others() {
        let good = make("admin", "key_1", "d1");
        assert_eq!(read("admin", &good), Some(("key_1".into(), "d1".into())));
        assert_eq!(read("other", &good), None);
        for forged in [good.replace("key_1", "key_2"), good.replace("d1", "d2"), format!("{good}0")]
        {
            assert_eq!(read("admin", &forged), None, "{forged}");
        }
        assert_eq!(read("admin", "reef-stand-in.key_1.d1."), None);
    }
}
