//! What a request shows of who sends it, before that is looked up.

use reef_api::{InviteId, KeyId};
use reef_domain::access::{invite_id_of, key_id_of};
use subtle::ConstantTimeEq as _;

use crate::config::Config;
use crate::http::Request;
use crate::once::digest_of;
use crate::stand_in::{self, Kind, StandIn};

/// What a caller has shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    Admin,
    Agent {
        key_id: KeyId,
        digest: String,
    },
    /// To the host, in place of a key.
    Certificate {
        key_id: KeyId,
        digest: String,
    },
    Invite {
        invite_id: InviteId,
        digest: String,
    },
}

impl Credential {
    /// `None` for what cannot be a key.
    pub(crate) fn read(raw: &str, config: &Config, request: &Request) -> Option<Self> {
        let admin = config.admin_key.as_deref();
        if admin.is_some_and(|admin| bool::from(admin.as_bytes().ct_eq(raw.as_bytes()))) {
            return Some(Self::Admin);
        }
        if let Some(key_id) = key_id_of(raw) {
            return Some(Self::Agent { key_id, digest: digest_of(raw) });
        }
        if let Some(invite_id) = invite_id_of(raw) {
            return Some(Self::Invite { invite_id, digest: digest_of(raw) });
        }
        let StandIn { kind, key_id, digest } = stand_in::read(admin?, raw, request)?;
        Some(match kind {
            Kind::Certificate => Self::Certificate { key_id, digest },
            // A key's id begins otherwise.
            _ if key_id == *stand_in::ADMIN => Self::Admin,
            Kind::Cookie | Kind::Act | Kind::Relayed => Self::Agent { key_id, digest },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_taken_for_its_key() {
        let request = |method: &str| Request { method: method.into(), ..Request::default() };
        let credential =
            |method: &str, raw: &str| Credential::read(raw, &config(), &request(method));
        let (key_id, digest) = (KeyId::from("key_aB3dEf7h"), "d".to_owned());
        let made = |kind, admin_key| stand_in::make(kind, admin_key, &key_id, &digest);
        let cookie = made(Kind::Cookie, "reef_abc");
        let agent = Credential::Agent { key_id: key_id.clone(), digest: digest.clone() };
        assert_eq!(credential("GET", &cookie), Some(agent));
        assert_eq!(credential("POST", &cookie), None);
        assert_eq!(credential("GET", &made(Kind::Cookie, "x")), None);
        let act = made(Kind::Act, "reef_abc");
        assert!(matches!(credential("POST", &act), Some(Credential::Agent { .. })));
        assert_eq!(credential("GET", &act), None);
        let certificate =
            Credential::Certificate { key_id: key_id.clone(), digest: digest.clone() };
        assert_eq!(credential("POST", &made(Kind::Certificate, "reef_abc")), Some(certificate));
        assert_eq!(credential("POST", &made(Kind::Certificate, "x")), None);
        let of_admin = |kind| {
            credential("POST", &stand_in::make(kind, "reef_abc", &stand_in::ADMIN.into(), ""))
        };
        assert_eq!(of_admin(Kind::Act), Some(Credential::Admin));
        let relayed = stand_in::relay("reef_abc", &stand_in::ADMIN.into(), "", &request("POST"));
        assert_eq!(credential("POST", &relayed), Some(Credential::Admin));
        assert_eq!(of_admin(Kind::Cookie), None);
        assert!(matches!(of_admin(Kind::Certificate), Some(Credential::Certificate { .. })));
    }

    fn config() -> Config {
        let get = |name: &str| if name == "admin_key" { "reef_abc".into() } else { String::new() };
        Config::read(get).unwrap()
    }
}
