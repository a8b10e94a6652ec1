//! Calls that take long go on beside the others.
//!
//! A call is one of many that share few threads. One that has computed for long, or has a large body to
//! look at, goes on on threads of lower priority, which get the processor when nobody else needs it:
//! so what one caller sends costs the others little, and nothing on a machine that has time.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::context::TokioContext;
use tokio_util::task::AbortOnDropHandle;

use crate::CallError;

/// A call that has computed for longer, in time of the processor, goes on elsewhere when it next waits or
/// gives way. Nearly all need less.
const PROMPT_MAX: Duration = Duration::from_micros(500);

/// A body of at least so many bytes takes long to look at.
pub(crate) const LARGE_BODY: usize = 64 * 1024;

/// By how much these threads give way: with ten, they get a tenth of what is wanted by others too.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// The threads for calls that take long, started with the first one.
#[derive(Debug, Default)]
pub(crate) struct LongCalls {
    threads: OnceLock<Option<Runtime>>,
}

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send>>;

impl LongCalls {
    /// Runs a call, from its beginning on among the long ones if it `is_long`. Dropping the future ends
    /// the call.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        is_long: bool,
        call: impl Future<Output = Result<T, CallError>> + Send + 'static,
    ) -> Result<T, CallError> {
        let mut call: Boxed<T> = Box::pin(call);
        if !is_long && let Some(answer) = Prompt::new(&mut call).await {
            return answer;
        }
        let Some(threads) = self.threads() else { return call.await };
        // What the call waits for and what it starts stays with the threads that it comes from.
        let call = TokioContext::new(call, Handle::current());
        match AbortOnDropHandle::new(threads.spawn(call)).await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only the end of the runtime cuts it off.
                Err(_) => Err(CallError::Overloaded),
            },
        }
    }

    fn threads(&self) -> Option<&Runtime> {
        let start = || {
            let threads = Builder::new_multi_thread()
                .thread_name("long-calls")
                .on_thread_start(give_way)
                .build();
            let warn = |error: &_| tracing::warn!(%error, "no threads for calls that take long");
            threads.inspect_err(warn).ok()
        };
        self.threads.get_or_init(start).as_ref()
    }
}

impl Drop for LongCalls {
    fn drop(&mut self) {
        // It may be dropped where nothing may block.
        if let Some(threads) = self.threads.take().flatten() {
            threads.shutdown_background();
        }
    }
}

/// Gives this thread a lower priority. Elsewhere than on Linux it is processes that have one.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        let thread = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(thread), NICE) {
            tracing::debug!(%error, "a thread keeps its priority");
        }
    }
}

/// A call for as long as it is prompt; then nothing.
///
/// It counts time of the processor, since real time is also what others have computed meanwhile: a call that was
/// interrupted would be sent where it is interrupted for longer. To ask for that time takes the system a
/// microsecond; so it is asked only of a call that has taken long in real time.
struct Prompt<'a, T> {
    call: &'a mut Boxed<T>,
    taken: Duration,
    used: Duration,
}

impl<'a, T> Prompt<'a, T> {
    fn new(call: &'a mut Boxed<T>) -> Self {
        Self { call, taken: Duration::ZERO, used: Duration::ZERO }
    }
}

impl<T> Future for Prompt<'_, T> {
    type Output = Option<Result<T, CallError>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.used >= PROMPT_MAX {
            return Poll::Ready(None);
        }
        if self.taken < PROMPT_MAX {
            let before = Instant::now();
            let polled = self.call.as_mut().poll(context);
            self.taken += before.elapsed();
            return polled.map(Some);
        }
        let before = thread_time();
        let polled = self.call.as_mut().poll(context);
        self.used += thread_time().saturating_sub(before);
        polled.map(Some)
    }
}

/// How long this thread has computed.
fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    /// Keeps its thread for longer than a prompt call may, some times; whether it ran among the long ones
    /// in the end.
    async fn computes() -> Result<bool, CallError> {
        for _ in 0..4 {
            let began = thread_time();
            while thread_time() < began + PROMPT_MAX {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
        Ok(is_among_long())
    }

    fn is_among_long() -> bool {
        thread::current().name() == Some("long-calls")
    }

    #[tokio::test]
    async fn a_call_that_computes_for_long_goes_on_elsewhere() {
        let calls = LongCalls::default();
        assert_eq!(calls.run(false, async { Ok(is_among_long()) }).await, Ok(false));
        assert_eq!(calls.run(true, async { Ok(is_among_long()) }).await, Ok(true));
        assert_eq!(calls.run(false, computes()).await, Ok(true));
    }

    #[tokio::test]
    async fn what_it_waits_for_comes() {
        let calls = LongCalls::default();
        let waits = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tokio::spawn(async {}).await.map_err(|error| CallError::Trap(error.to_string()))
        };
        assert_eq!(calls.run(true, waits).await, Ok(()));
    }

    #[tokio::test]
    async fn who_is_gone_ends_it() {
        let calls = LongCalls::default();
        let (held, begun) = (Arc::new(()), Arc::new(tokio::sync::Notify::new()));
        let call = {
            let (held, begun) = (Arc::clone(&held), Arc::clone(&begun));
            async move {
                begun.notify_one();
                std::future::pending::<()>().await;
                drop(held);
                Ok(())
            }
        };
        tokio::select! {
            _ = calls.run(true, call) => unreachable!("it never ends by itself"),
            () = begun.notified() => {}
        }
        while Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    #[should_panic(expected = "as it was")]
    async fn a_panic_is_passed_on() {
        let calls = LongCalls::default();
        let _: Result<(), _> = calls.run(true, async { panic!("as it was") }).await;
    }
}
