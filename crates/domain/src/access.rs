//! What a key allows, and how keys look (`contract.md` §1).

use std::fmt;

pub use reef_api::agent::Scope;
use reef_api::{InviteId, KeyId, Open, Word as _};

fn bit(scope: Scope) -> u8 {
    match scope {
        Scope::Read => 1,
        Scope::Write => 2,
        Scope::Trade => 4,
        Scope::Approve => 16,
        Scope::Admin => 8,
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// What the first key of an agent has (`contract.md` §6): not `approve`, lest the agent that asks be
    /// the one that decides.
    pub const OF_FIRST_KEY: Self = Self(1 | 2 | 4);
    /// All there are.
    pub const ALL: Self = Self(1 | 2 | 4 | 8 | 16);

    /// Reads names; `None` if one is no scope.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut bits = 0;
        for name in names {
            bits |= bit(Scope::parse(name)?);
        }
        Some(Self(bits))
    }

    /// Reads what [`fmt::Display`] writes; unknown names count as none.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        text.split(' ').filter_map(|name| Self::parse([name])).fold(Self(0), |a, b| Self(a.0 | b.0))
    }

    /// Whether a scope is in it. `admin` is not the others, too: a key has what it names.
    #[must_use]
    pub fn has(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// All of it but one.
    #[must_use]
    pub fn without(self, scope: Scope) -> Self {
        Self(self.0 & !bit(scope))
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it has nothing that the other has not.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        Scope::ALL.iter().filter(|scope| self.has(**scope)).map(|scope| scope.as_str()).collect()
    }

    /// The words, as answers have them.
    #[must_use]
    pub fn words(self) -> Vec<Open<Scope>> {
        self.names().into_iter().map(Open::read).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

/// Whose admin keys are. No agent can be called so.
pub const ADMIN: &str = "@admin";

/// Characters of a key that name it: `reef_<8 chars>_<32 url-safe chars>`.
pub const KEY_NAME_CHARS: usize = 8;

/// Characters of a key that are its secret.
pub const KEY_SECRET_CHARS: usize = 32;

/// The id of the key that a text looks like: `key_<8 chars>`; `None` if it is no issued key.
#[must_use]
pub fn key_id_of(raw: &str) -> Option<KeyId> {
    let (name, secret) = raw.strip_prefix("reef_")?.split_at_checked(KEY_NAME_CHARS)?;
    let secret = secret.strip_prefix('_')?;
    let url_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_key = name.bytes().all(|b| b.is_ascii_alphanumeric())
        && secret.len() == KEY_SECRET_CHARS
        && secret.bytes().all(url_safe);
    is_key.then(|| format!("key_{name}").into())
}

/// The id of the invite that a text looks like: `invite_<8 chars>` of
/// `reef_invite_<8 chars>_<32 url-safe chars>`; `None` if it is no invite. None is a key.
#[must_use]
pub fn invite_id_of(raw: &str) -> Option<InviteId> {
    let as_key = format!("reef_{}", raw.strip_prefix("reef_invite_")?);
    let id = key_id_of(&as_key)?;
    id.as_str().strip_prefix("key_").map(|name| format!("invite_{name}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_what_was_named() {
        let scopes = Scopes::parse(["trade", "read"]).unwrap();
        assert_eq!(scopes.to_string(), "read trade");
        assert_eq!(Scopes::stored("read trade"), scopes);
        assert!(scopes.has(Scope::Trade) && !scopes.has(Scope::Write));
        assert!(scopes.is_within(Scopes::OF_FIRST_KEY) && !Scopes::ALL.is_within(scopes));
        assert_eq!(Scopes::parse(["read", "root"]), None);
        assert!(Scopes::parse([]).unwrap().is_empty());
    }

    #[test]
    fn a_key_names_itself() {
        let secret = "0123456789abcdefABCDEF_-01234567";
        assert_eq!(key_id_of(&format!("reef_aB3dEf7h_{secret}")), Some("key_aB3dEf7h".into()));
        for bad in
            ["", "reef_", "reef_aB3dEf7h_short", "reef_aB-dEf7h_0123456789abcdefABCDEF_-01234567"]
        {
            assert_eq!(key_id_of(bad), None, "{bad}");
        }
        let invite = format!("reef_invite_aB3dEf7h_{secret}");
        assert_eq!(invite_id_of(&invite), Some("invite_aB3dEf7h".into()));
        assert_eq!((key_id_of(&invite), invite_id_of(&invite[..40])), (None, None));
        assert_eq!(invite_id_of(&format!("reef_aB3dEf7h_{secret}")), None);
        assert_eq!(key_id_of(&format!("reef_aB3dEf7h_{secret}x")), None);
        assert_eq!(key_id_of(&format!("reef_äB3dEf7_{secret}")), None);
    }
}
