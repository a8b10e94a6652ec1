//! Starts and stops hubs and Redis servers, talks to them, and waits for what they do.

mod answer;
mod authority;
mod browser;
mod client;
mod cluster;
mod hub;
mod journal;
mod json;
mod message;
mod process;
mod proxy;
mod redis;
mod secured;
mod sentinel;
mod store;
mod stream;

use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use answer::{Answer, is_timestamp};
pub use authority::{Authority, Pair};
pub use browser::{Browser, Page};
pub use client::{Client, NewAgent, raw, read_answer, registration};
pub use cluster::RedisCluster;
pub use hub::{Hub, HubOptions, Role, reef};
pub use journal::{read_on, verified_journal};
pub use json::field_names;
pub use message::{Message, new_session};
pub use process::{Output, Program, Signal, signal};
pub use proxy::Proxy;
pub use redis::{
    RedisServer, binary as redis_binary, connect, free_port, let_hear_again, replicated,
};
pub use secured::Secured;
pub use sentinel::RedisSentinel;
pub use store::{Blocking, flatten, load_scripts, node_with, now, store};
pub use stream::{End, EventStream, Frame};

/// How long a test waits for something that should happen soon. Generous, because the machine
/// may be compiling, and other programs have waits of their own: a Sentinel that was held up does
/// nothing for 30 s. What must happen fast is measured where it matters.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The workspace's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A file below the root that is made before the tests run.
///
/// Panics with what to do if it is not there, as where somebody has typed `cargo test`.
#[track_caller]
pub fn prepared(file: &str) -> PathBuf {
    let path = root().join(file);
    assert!(
        path.exists(),
        "{file} is not there: these tests start what `cargo xtask test [NAME…]` builds and installs \
         before it runs them; run that, or run it once before `cargo test --release`"
    );
    path
}

/// Lets so many callers begin at the same moment, and returns what each has got.
pub fn race<T: Send>(callers: usize, each: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(callers);
    std::thread::scope(|scope| {
        let (barrier, each) = (&barrier, &each);
        let run = |number| {
            scope.spawn(move || {
                barrier.wait();
                each(number)
            })
        };
        let callers: Vec<_> = (0..callers).map(run).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

/// A name that no other test, in this run or another, uses.
pub fn unique(prefix: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{:x}-{:x}-{count}", std::process::id(), nanos & 0xffff_ffff)
}

/// Waits until `probe` yields something.
///
/// Panics with `what` when that takes longer than `patience`.
pub fn eventually<T>(what: &str, patience: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < patience, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
