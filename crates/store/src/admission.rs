//! The check of a caller's key, made in the call that the request is for.
//!
//! Whose a key is changes what a script is asked, so that it must be known before. What was found when
//! the key was seen the last time is remembered, and goes with the call: the script runs only where the
//! key is still good, and still what is remembered. So a revocation works at once, on every host.

use std::sync::{Mutex, PoisonError};

use futures_util::lock;
use reef_api::{AgentId, KeyId};
use reef_domain::access::Scopes;

use crate::key::{Check, Checked};
use crate::port::Reply;
use crate::script::Arguments;

/// A key that a request brings, and what is remembered of it.
#[derive(Debug)]
pub struct Admission {
    key_id: KeyId,
    digest: String,
    group: String,
    rate: i64,
    agent_id: AgentId,
    scopes: Scopes,
    verdict: Mutex<Option<Verdict>>,
    turn: lock::Mutex<()>,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is as it was remembered, and the request is counted.
    Admitted {
        /// How many requests may follow at once, if that is limited.
        left: Option<i64>,
    },
    /// It is not, or the key has been used too often: nothing was done.
    Refused,
}

impl Admission {
    /// Of the key `key_id`, whose SHA-256 is `digest`, for a request that counts in `group`, of which
    /// `rate` a second may come (0: any number). It is remembered as a key of `agent_id` that allows
    /// `scopes`.
    #[must_use]
    pub fn new(
        (key_id, digest): (KeyId, String),
        (group, rate): (&str, i64),
        (agent_id, scopes): (AgentId, Scopes),
    ) -> Self {
        let group = group.to_owned();
        let (verdict, turn) = (Mutex::default(), lock::Mutex::new(()));
        Self { key_id, digest, group, rate, agent_id, scopes, verdict, turn }
    }

    pub(crate) async fn turn(&self) -> lock::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(crate) fn verdict(&self) -> Option<Verdict> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, verdict: Verdict) -> Verdict {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        verdict
    }

    /// The check as a call of its own.
    pub(crate) fn check(&self) -> Check<'_> {
        let Self { key_id, digest, group, rate, .. } = self;
        Check { key_id, digest, group, rate: *rate }
    }

    /// What such a call has found.
    pub(crate) fn judge(&self, found: &Checked) -> Verdict {
        self.decide(match found {
            Checked::Ok { agent_id, scopes, left }
                if *agent_id == self.agent_id && *scopes == self.scopes =>
            {
                Verdict::Admitted { left: *left }
            }
            _ => Verdict::Refused,
        })
    }

    /// Takes the check's part out of the reply of a function that made it; `None`: it was refused.
    pub(crate) fn judge_by(&self, mut reply: Vec<Reply>) -> Option<Vec<Reply>> {
        if matches!(reply.first(), Some(Reply::Bytes(status)) if status == b"not_admitted") {
            self.decide(Verdict::Refused);
            return None;
        }
        let left = match reply.pop() {
            Some(Reply::Int(left)) => Some(left),
            _ => None,
        };
        self.decide(Verdict::Admitted { left });
        Some(reply)
    }

    /// The last six arguments of such a function.
    pub(crate) fn append(&self, arguments: &mut Arguments) {
        arguments
            .text(self.key_id.as_str())
            .text(&self.digest)
            .text(&self.group)
            .number(self.rate)
            .text(self.agent_id.as_str())
            .text(self.scopes.to_string());
    }
}
