//! Counters of one component.

use std::sync::atomic::{AtomicU64, Ordering};

/// What has happened to one component since it was loaded, except where said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Instances that were created.
    pub instances_created: u64,
    /// Calls that were begun, cron events included.
    pub calls: u64,
    /// Calls that ended in a trap.
    pub traps: u64,
    /// Calls that took longer than the request timeout.
    pub deadlines: u64,
    /// Calls that were turned away.
    pub overloads: u64,
    /// Instances that wait for a call at the moment.
    pub idle_instances: u64,
    /// Redis commands that the component sent.
    pub redis_calls: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) instances_created: Counter,
    pub(crate) calls: Counter,
    pub(crate) traps: Counter,
    pub(crate) deadlines: Counter,
    pub(crate) overloads: Counter,
    pub(crate) redis_calls: Counter,
}

impl Counters {
    pub(crate) fn read(&self, idle_instances: u64) -> Stats {
        Stats {
            instances_created: self.instances_created.get(),
            calls: self.calls.get(),
            traps: self.traps.get(),
            deadlines: self.deadlines.get(),
            overloads: self.overloads.get(),
            idle_instances,
            redis_calls: self.redis_calls.get(),
        }
    }

    pub(crate) fn failed(&self, error: &crate::CallError) {
        match error {
            crate::CallError::Trap(_) | crate::CallError::BadResponse(_) => self.traps.count(),
            crate::CallError::Deadline => self.deadlines.count(),
            crate::CallError::Overloaded => self.overloads.count(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
