//! What is remembered of keys, so that they can be checked on the way (docs/adr/0011-checking-keys.md).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reef_api::AgentId;
use reef_domain::access::Scopes;
use reef_store::admission::Admission;

use crate::auth::{Agent, Caller, presented_key};
use crate::config::{AuthMode, Config};
use crate::credential::Credential;
use crate::http::Request;

/// What keys were found to be, so that the next request with one can say it and have it checked on its
/// way ([`Admission`]). Nothing is decided by it.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashMap<u128, Option<(AgentId, Scopes)>>>);

impl Remembered {
    /// How many keys are remembered; then all are forgotten. Less than a megabyte.
    const MOST: usize = 4096;

    fn all(&self) -> MutexGuard<'_, HashMap<u128, Option<(AgentId, Scopes)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request as its caller would make it if the key were still what it was; `None` for a caller
    /// of whom nothing is known.
    pub(crate) fn caller(
        &self,
        request: &Request,
        config: &Config,
        group: &str,
    ) -> Option<(Agent, Admission)> {
        let raw = presented_key(request).ok()??;
        let (Credential::Agent { key_id, digest } | Credential::Certificate { key_id, digest }) =
            Credential::read(raw, config, request)?
        else {
            return None;
        };
        let (agent_id, scopes) = self.all().get(&place_of(&digest)?)?.clone()?;
        let of_key = (key_id.clone(), digest.clone());
        let admission =
            Admission::new(of_key, (group, config.rate_limit), (agent_id.clone(), scopes));
        let minds_owners = config.auth_mode == AuthMode::Keys;
        Some((Agent { agent_id, key_id, digest, scopes, minds_owners }, admission))
    }

    /// Takes what was found out about a key. `refused`: what was remembered of it did not pass, so that
    /// if it was the same it never will.
    pub(crate) fn take(&self, caller: &Caller, refused: bool) {
        let Caller::Agent(agent) = caller else { return };
        let Some(place) = place_of(&agent.digest) else { return };
        let found = (agent.agent_id.clone(), agent.scopes);
        let mut all = self.all();
        if all.len() >= Self::MOST && !all.contains_key(&place) {
            all.clear();
        }
        let is_useless = refused && all.get(&place) == Some(&Some(found.clone()));
        all.insert(place, (!is_useless).then_some(found));
    }
}

/// The first half of a key's digest.
fn place_of(digest: &str) -> Option<u128> {
    u128::from_str_radix(digest.get(..32)?, 16).ok()
}
