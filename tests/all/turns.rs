//! Programs of several hosts that stop between any two scripts, with a clock that is the test's own: the scripts
//! are loaded so that they read it in Redis. Faults can be put into them on the way.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use reef_store::{Redis, RedisError, Reply};

use crate::harness::Blocking;
use crate::queue::mutants::as_sent;

/// The clock of the scripts: a hash with seconds and microseconds.
const CLOCK: &str = "test:time";

/// A fault that is put into the scripts: what it is, and what stands in the place of what.
pub struct Mutant(pub &'static str, pub &'static str, pub &'static str);

/// Takes a turn with each command, so that whoever polls decides which host goes on.
pub struct Turns {
    redis: Blocking,
    mutant: Option<&'static Mutant>,
}

struct Turn(bool);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Turns {
    pub fn new(connection: redis::Connection, mutant: Option<&'static Mutant>) -> Self {
        Self { redis: Blocking::new(connection), mutant }
    }
}

impl Redis for Turns {
    async fn execute(
        &self,
        command: &str,
        mut args: Vec<Vec<u8>>,
    ) -> Result<Vec<Reply>, RedisError> {
        Turn(false).await;
        if let ("FUNCTION", [_, library]) = (command, args.as_mut_slice()) {
            let text = std::str::from_utf8(library).unwrap();
            assert!(text.contains("call('TIME')"), "no script reads the clock: {text}");
            let ours = format!("call('HMGET','{CLOCK}','s','us')");
            let mut text = text.replace("call('TIME')", &ours);
            if let Some(Mutant(_, from, to)) = self.mutant {
                text = text.replace(&as_sent(from), &as_sent(to));
            }
            *library = text.into_bytes();
        }
        self.redis.execute(command, args).await
    }
}

/// Sets the clock of the scripts.
pub fn set_clock(redis: &mut redis::Connection, now_ms: i64) {
    let (s, us) = (now_ms / 1000, now_ms % 1000 * 1000);
    redis::cmd("HSET").arg(CLOCK).arg("s").arg(s).arg("us").arg(us).query::<()>(redis).unwrap();
}

/// What is under way, as far as it has come.
pub type UnderWay<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Goes on by one script.
pub fn poll<T>(future: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// Goes on to the end.
pub fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Some(outcome) = poll(future.as_mut()) {
            return outcome;
        }
    }
}

/// Checks that a program of some seed finds each fault.
pub fn each_is_found(mutants: &'static [Mutant], run: impl Fn(u64, &'static Mutant)) {
    for mutant in mutants {
        let Mutant(name, from, _) = mutant;
        let stands =
            reef_store::script::ALL.iter().any(|script| script.code.contains(&as_sent(from)));
        assert!(stands, "{name}: this stands in no script any more: {from}");
        let found = (0..200).find(|seed| {
            let play = || run(*seed, mutant);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(play)).is_err()
        });
        let seed = found.unwrap_or_else(|| panic!("not found: {name}"));
        eprintln!("{name}: found with the seed {seed}");
    }
}
