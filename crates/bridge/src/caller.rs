//! Whose key a caller brings, and what it may do. There is no other identity.

use reef_api::agent::Scope;
use reef_api::word::Open;
use serde::Deserialize;

use crate::{Hub, Problem, Request};

/// Who calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The agent whose key it is; none for an operator's key, and for callers without a key.
    pub agent: Option<String>,
    scopes: Vec<Scope>,
}

/// `GET /auth/me`, as far as it matters here.
#[derive(Deserialize)]
struct Me {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    agent_id: String,
    scopes: Vec<Open<Scope>>,
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
                scopes: auth.scopes.iter().filter_map(Open::known).collect(),
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
        let scopes = vec![Scope::Read, Scope::Write, Scope::Approve, Scope::Admin];
        Self { agent: None, scopes }
    }

    /// The same caller with a key of these scopes.
    #[must_use]
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self { scopes: scopes.into_iter().collect(), ..self }
    }

    /// Whether its key allows this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}
