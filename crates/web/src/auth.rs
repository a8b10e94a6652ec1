//! Who calls, and what that caller may do (`api.md` §1).

use reef_store::node::Writer;
use subtle::ConstantTimeEq;

use crate::config::{AuthMode, Config};
use crate::http::Request;
use crate::problem::{Code, Problem};

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing, in every mode.
    Open,
    /// To read.
    Read,
    /// To write.
    Write,
    /// To administer. In `auth_mode=open` everybody may.
    Admin,
}

impl Access {
    fn scope(self) -> &'static str {
        match self {
            Self::Open => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// Whoever holds the admin key.
    Admin,
}

impl Caller {
    /// A name under which idempotency keys are kept apart, and by which resources are owned.
    /// Agents' ids cannot begin with `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "@anonymous",
            Self::Admin => "@admin",
        }
    }

    /// What the caller may write to.
    #[must_use]
    pub fn writer(&self) -> Writer<'_> {
        match self {
            Self::Anonymous | Self::Admin => Writer::Any,
        }
    }

    /// Checks what a route asks.
    ///
    /// # Errors
    /// 401 for a caller who must say who it is, 403 for one who may not.
    pub fn authorize(&self, access: Access, mode: AuthMode) -> Result<(), Problem> {
        match (self, access, mode) {
            (_, Access::Open, _) | (Self::Admin, ..) | (Self::Anonymous, _, AuthMode::Open) => {
                Ok(())
            }
            (Self::Anonymous, _, AuthMode::Keys) => Err(Problem::new(
                Code::Unauthenticated,
                format!("This route needs a key with the scope {}.", access.scope()),
            )),
        }
    }
}

/// Finds out who calls. A key that is present but not valid never makes an anonymous caller.
///
/// # Errors
/// 401 for such a key.
pub fn authenticate(request: &Request, config: &Config) -> Result<Caller, Problem> {
    let Some(key) = presented_key(request)? else { return Ok(Caller::Anonymous) };
    let is_admin = config
        .admin_key
        .as_ref()
        .is_some_and(|admin| bool::from(admin.as_bytes().ct_eq(key.as_bytes())));
    if is_admin { Ok(Caller::Admin) } else { Err(unknown_key()) }
}

fn unknown_key() -> Problem {
    Problem::new(Code::Unauthenticated, "This key is unknown, expired or revoked.")
}

/// The caller's key. A header that is no text is no valid key, and not the same as none.
fn presented_key(request: &Request) -> Result<Option<&str>, Problem> {
    let text = |name: &str| match request.raw_header(name) {
        None => Ok(None),
        Some(value) => std::str::from_utf8(value).map(Some).map_err(|_| unknown_key()),
    };
    if let Some(key) = text("x-api-key")? {
        return Ok(Some(key.trim()));
    }
    let Some(authorization) = text("authorization")? else { return Ok(None) };
    match authorization.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(key.trim())),
        _ => Err(Problem::new(Code::Unauthenticated, "Use Authorization: Bearer <key>.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(mode: &str) -> Config {
        Config::read(|name| match name {
            "admin_key" => "reef_abc".into(),
            "auth_mode" => mode.into(),
            _ => String::new(),
        })
        .unwrap()
    }

    fn with(name: &str, value: &str) -> Request {
        Request { headers: vec![(name.into(), value.into())], ..Request::default() }
    }

    #[test]
    fn a_key_comes_in_either_header() {
        let config = config("keys");
        for request in [
            with("Authorization", "Bearer reef_abc"),
            with("authorization", "bearer  reef_abc"),
            with("X-API-Key", "reef_abc"),
        ] {
            assert_eq!(authenticate(&request, &config).unwrap(), Caller::Admin);
        }
        assert_eq!(authenticate(&Request::default(), &config).unwrap(), Caller::Anonymous);
    }

    #[test]
    fn a_wrong_key_is_never_anonymous() {
        let config = config("open");
        for request in [
            with("X-API-Key", "reef_abd"),
            with("X-API-Key", ""),
            with("Authorization", "Basic cmVlZg=="),
            with("Authorization", "Bearer"),
        ] {
            assert_eq!(authenticate(&request, &config).unwrap_err().code, Code::Unauthenticated);
        }
        let no_text =
            Request { headers: vec![("X-API-Key".into(), vec![0xff])], ..Request::default() };
        assert!(authenticate(&no_text, &config).is_err());
    }

    #[test]
    fn anonymous_callers_get_in_where_the_mode_is_open() {
        let anonymous = Caller::Anonymous;
        assert!(anonymous.authorize(Access::Write, AuthMode::Open).is_ok());
        assert!(anonymous.authorize(Access::Write, AuthMode::Keys).is_err());
        assert!(anonymous.authorize(Access::Open, AuthMode::Keys).is_ok());
    }
}
