//! Whose key a caller brings, and what it may do. There is no other identity.

use serde::Deserialize;

use crate::{Hub, Problem, Request};

/// What a key must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Read,
    Write,
    Trade,
    Admin,
}

/// Who calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The agent whose key it is; none for an operator's key, and for callers without a key.
    pub agent: Option<String>,
    scopes: Vec<String>,
}

/// `GET /auth/me`, as far as it matters here.
#[derive(Deserialize)]
struct Me {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    agent_id: String,
    scopes: Vec<String>,
}

impl Caller {
    /// Asks the hub whose key it is.
    ///
    /// # Errors
    /// The hub's problem, such as 401.
    pub async fn identify(hub: &impl Hub) -> Result<Self, Problem> {
        match hub.call(Request::get(["auth", "me"])).await.read::<Me>() {
            // What begins so is no agent: `@admin`.
            Ok(Me { auth }) => Ok(Self {
                agent: Some(auth.agent_id).filter(|agent| !agent.starts_with('@')),
                scopes: auth.scopes,
            }),
            Err(problem) if problem.status == 401 => {
                // A hub that needs no keys lets anybody see this, but not those with a wrong key.
                let seen = hub.call(Request::get(["cluster", "leader"])).await;
                if seen.status == 200 { Ok(Self::anonymous()) } else { Err(problem) }
            }
            Err(problem) => Err(problem),
        }
    }

    /// Whoever calls an open hub without a key: all but money.
    fn anonymous() -> Self {
        let scopes = ["read", "write", "admin"].map(str::to_owned).to_vec();
        Self { agent: None, scopes }
    }

    /// The same caller with a key of these scopes.
    #[must_use]
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = String>) -> Self {
        Self { scopes: scopes.into_iter().collect(), ..self }
    }

    /// Whether its key allows this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        let name = match scope {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Trade => "trade",
            Scope::Admin => "admin",
        };
        self.scopes.iter().any(|held| held == name)
    }
}
