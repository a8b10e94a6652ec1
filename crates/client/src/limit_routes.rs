//! A method for each route of limits.

use reef_api::LimitId;
use reef_api::fairness::{Fairness, FairnessBody};
use reef_api::limit::{
    Limit, LimitBody, LimitRemoved, LimitStanding, PenaltyAnswer, PenaltyBody, QueueBody,
    QueueState,
};

use crate::{Hub, Request};

/// Limits, and what is kept back.
impl Hub {
    /// Lists limits.
    pub fn limits(&self) -> Request<Vec<Limit>> {
        self.get(["limits"]).answering()
    }

    /// Shows a limit; `.query("key", …)` chooses the key.
    pub fn limit(&self, name: &LimitId) -> Request<LimitStanding> {
        self.get(["limits", name.as_str()]).answering()
    }

    /// Sets a limit, whole.
    pub fn put_limit(&self, name: &LimitId, body: &LimitBody) -> Request<Limit> {
        self.put(["limits", name.as_str()]).json(body).answering()
    }

    /// Removes a limit.
    pub fn remove_limit(&self, name: &LimitId) -> Request<LimitRemoved> {
        self.delete(["limits", name.as_str()]).answering()
    }

    /// Shuts a limit for a time.
    pub fn penalise(&self, name: &LimitId, body: &PenaltyBody) -> Request<PenaltyAnswer> {
        self.post(["limits", name.as_str(), "penalty"]).json(body).answering()
    }

    /// Shows the weights of keys of fairness.
    pub fn fairness(&self) -> Request<Fairness> {
        self.get(["fairness"]).answering()
    }

    /// Sets the weights of keys of fairness.
    pub fn put_fairness(&self, body: &FairnessBody) -> Request<Fairness> {
        self.put(["fairness"]).json(body).answering()
    }

    /// Shows what of the queue is kept back.
    pub fn queue(&self) -> Request<QueueState> {
        self.get(["queue"]).answering()
    }

    /// Keeps all of the queue back, some skills, or nothing.
    pub fn put_queue(&self, body: &QueueBody) -> Request<QueueState> {
        self.put(["queue"]).json(body).answering()
    }
}
