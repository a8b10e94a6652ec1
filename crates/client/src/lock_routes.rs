//! A method for each route of locks.

use reef_api::LockId;
use reef_api::lock::{
    Lock, LockAcquireBody, LockAcquired, LockReleaseBody, LockReleased, LockRenewBody,
};

use crate::{Hub, Request};

/// Named locks.
impl Hub {
    /// Lists the locks that somebody holds. What is asked for is in the query.
    pub fn locks(&self) -> Request<Vec<Lock>> {
        self.get(["locks"]).answering()
    }

    /// Asks who holds a lock.
    pub fn lock(&self, name: &LockId) -> Request<Lock> {
        self.get(["locks", name.as_str()]).answering()
    }

    /// Takes a lock, or renews it. An old answer that came again would speak of a lease that may be over,
    /// so this is not for an idempotency key.
    pub fn acquire_lock(&self, name: &LockId, body: &LockAcquireBody) -> Request<LockAcquired> {
        self.post(["locks", name.as_str(), "acquire"]).json(body).answering()
    }

    /// Keeps a lock; not for an idempotency key either.
    pub fn renew_lock(&self, name: &LockId, body: &LockRenewBody) -> Request<Lock> {
        self.post(["locks", name.as_str(), "renew"]).json(body).answering()
    }

    /// Hands a lock back.
    pub fn release_lock(&self, name: &LockId, body: &LockReleaseBody) -> Request<LockReleased> {
        self.post(["locks", name.as_str(), "release"]).json(body).answering()
    }
}
