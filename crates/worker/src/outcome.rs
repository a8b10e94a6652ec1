//! How the work on a task ends.

use std::time::Duration;

use reef_api::Money;
use serde_json::{Map, Value};
use tokio::sync::watch;

/// How the work on a task ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    /// It was done.
    Completed {
        /// What the task's `result` becomes.
        result: Value,
        /// The block that takes the placeholder's place in the task's message.
        content: Option<Map<String, Value>>,
        /// What it costs whoever pays for the task; `None`: all that was reserved.
        amount: Option<Money>,
    },
    /// It could not be done.
    Failed {
        /// One sentence for whoever waits for it.
        error: String,
        /// Another try could succeed.
        retryable: bool,
    },
    /// It could not be tried yet: that counts as no try.
    Snoozed {
        /// Why, in one sentence.
        error: String,
        /// When it is tried again; `None`: as the task's own policy says.
        after: Option<Duration>,
    },
    /// It waits for something that is no node: the members of `POST /tasks/{id}/wait`, without the token.
    Waits(Map<String, Value>),
    /// The worker was told to stop it, so there is nothing to tell the hub.
    Stopped(Reason),
}

impl Ended {
    /// A failure that another try may mend.
    pub(crate) fn retryable(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), retryable: true }
    }

    /// A failure that every other try would repeat.
    pub(crate) fn fatal(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), retryable: false }
    }
}

/// Why a task is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody cancelled it.
    Cancelled,
    /// The hub says that the claim is no longer ours: another worker may be at it already.
    Lost,
    /// The lease could not be renewed and is about to run out.
    LeaseEnding,
    /// A budget is used up, and the task waits for an approval.
    OverBudget,
    /// This worker ends.
    Leaving,
}

/// An order to stop a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) reason: Reason,
    /// How long it may take to end by itself.
    pub(crate) grace: Duration,
}

/// Gives orders to one task. The first reason stays; a later order can only shorten the grace.
#[derive(Debug, Clone)]
pub(crate) struct Stopper(watch::Sender<Option<Order>>);

/// Receives the orders of a [`Stopper`].
#[derive(Debug, Clone)]
pub(crate) struct Orders(watch::Receiver<Option<Order>>);

/// A stopper and its other end.
pub(crate) fn stopper() -> (Stopper, Orders) {
    let (sender, receiver) = watch::channel(None);
    (Stopper(sender), Orders(receiver))
}

impl Stopper {
    /// Orders the task to stop.
    pub(crate) fn stop(&self, reason: Reason, grace: Duration) {
        self.0.send_if_modified(|order| match order {
            None => {
                *order = Some(Order { reason, grace });
                true
            }
            Some(order) if grace < order.grace => {
                order.grace = grace;
                true
            }
            Some(_) => false,
        });
    }

    /// Whether the task was ordered to stop.
    pub(crate) fn has_stopped(&self) -> bool {
        self.0.borrow().is_some()
    }
}

impl Orders {
    /// The order, if there is one.
    pub(crate) fn current(&self) -> Option<Order> {
        *self.0.borrow()
    }

    /// Waits for the next order: the first one, or one that shortens its grace.
    pub(crate) async fn next(&mut self) -> Order {
        loop {
            if self.0.changed().await.is_err() {
                // Nobody is left to give one.
                std::future::pending::<()>().await;
            }
            let order = *self.0.borrow_and_update();
            if let Some(order) = order {
                return order;
            }
        }
    }

    /// Waits until the task was ordered to stop, before or after this call.
    pub(crate) async fn ordered(&self) -> Order {
        let _ = self.0.clone().wait_for(Option::is_some).await;
        match self.current() {
            Some(order) => order,
            // Nobody is left to give one.
            None => std::future::pending().await,
        }
    }
}
