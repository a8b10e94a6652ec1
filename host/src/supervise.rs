//! Keeps what must not end: a fault in such a task is logged, and the task is started again.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// The pause before a task that failed is started again.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs a task until it ends by itself, and again whenever it panics.
pub(crate) async fn keep<F: Future<Output = ()>>(name: &str, mut task: impl FnMut() -> F) {
    while AssertUnwindSafe(async { task().await }).catch_unwind().await.is_err() {
        tracing::error!(task = name, "a part of the host has failed, and is started again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The same for a task that has something of its own to go on with.
pub(crate) async fn keep_with<S>(
    name: &str,
    state: &mut S,
    task: impl for<'s> Fn(&'s mut S) -> BoxFuture<'s, ()>,
) {
    while AssertUnwindSafe(async { task(state).await }).catch_unwind().await.is_err() {
        tracing::error!(task = name, "a part of the host has failed, and is started again");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_started_again() {
        let mut runs = 0;
        keep("test", || {
            runs += 1;
            let is_bad = runs < 3;
            async move { assert!(!is_bad, "on purpose") }
        })
        .await;
        assert_eq!(runs, 3);
        let mut count = 0;
        keep_with("test", &mut count, |count| {
            Box::pin(async {
                *count += 1;
                assert!(*count >= 3, "on purpose");
            })
        })
        .await;
        assert_eq!(count, 3);
    }
}
