//! How long a claim is certainly ours, by this machine's own clock.
//!
//! The hub counts a lease from the moment it grants it, which lies between the request and the
//! answer. The worker counts from the request, so it always believes its lease to be shorter than
//! it is, however long the answer took, the worker was paused or the machine slept.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::moment::Moment;

/// One claim's lease.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    length: Duration,
    /// When what was granted last was asked for.
    asked: Arc<watch::Sender<Moment>>,
}

impl Lease {
    /// A lease that was asked for at `asked`.
    pub(crate) fn new(length: Duration, asked: Moment) -> Self {
        Self { length, asked: Arc::new(watch::Sender::new(asked)) }
    }

    /// A lease that was granted together with this one, and is renewed apart.
    pub(crate) fn detached(&self) -> Self {
        Self::new(self.length, self.asked())
    }

    /// The hub has granted what was asked for at `asked`.
    pub(crate) fn renew(&self, asked: Moment) {
        // Answers may overtake one another.
        self.asked.send_if_modified(|last| {
            let is_later = asked > *last;
            *last = asked.max(*last);
            is_later
        });
    }

    /// Tells of every renewal from now on.
    pub(crate) fn renewals(&self) -> watch::Receiver<Moment> {
        self.asked.subscribe()
    }

    fn asked(&self) -> Moment {
        *self.asked.borrow()
    }

    /// What the hub is asked for.
    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// When to renew it, if no heartbeat did: half of it is left for tries that fail.
    pub(crate) fn renew_at(&self) -> Moment {
        self.asked() + self.length / 2
    }

    /// When the work must be asked to end, because nothing renewed the lease.
    pub(crate) fn stop_at(&self) -> Moment {
        self.asked() + self.length / 4 * 3
    }

    /// When the work must be over. What is left then is for the system to end its processes.
    pub(crate) fn kill_at(&self) -> Moment {
        self.asked() + self.length / 8 * 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_ends_before_the_lease_and_old_answers_shorten_nothing() {
        let asked = Moment::now();
        let length = Duration::from_secs(30);
        let lease = Lease::new(length, asked);
        assert!(lease.renew_at() < lease.stop_at());
        assert!(lease.stop_at() < lease.kill_at());
        assert!(lease.kill_at() + Duration::from_secs(3) < asked + length);
        let copy = lease.clone();
        copy.renew(asked + Duration::from_secs(10));
        copy.renew(asked + Duration::from_secs(5));
        assert_eq!(lease.renew_at(), asked + Duration::from_secs(25));
    }
}
