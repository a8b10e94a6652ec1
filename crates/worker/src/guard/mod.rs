//! What stops commands when the worker itself cannot.
//!
//! A worker that was killed would leave its commands running, and one that was paused could not
//! stop them before their leases run out; either way a task could run on two machines at once. So
//! the worker starts no command itself. For each it starts a *guard*, this program once more, whose
//! guard in turn starts the command:
//!
//! ```text
//! reef worker ── outer guard ── inner guard ── command, and whatever it starts
//! ```
//!
//! - Nothing runs that a guard did not start, and none is started after its time.
//! - Each of the three keeps the time of the lease by itself, with a clock that runs on while the
//!   machine sleeps, and ends the command when that is over. One or two of them that are paused do
//!   not matter.
//! - Each notices at once when the one above it is gone, as its end of a socket is closed, and ends
//!   everything below.
//! - Each notices when the one below it is gone. On Linux all three are *subreapers*: what loses
//!   its parent becomes a child of the next of them and not of the system's first process. So
//!   whatever a command has left behind is found and ended as well, also when it has left the
//!   command's process group or session.
//!
//! What is ended is ended from below: a guard goes last, so that whoever is killed while it ends
//! things leaves somebody who goes on. So any two of the three may be killed at once. Where all three are, the command itself lives on;
//! systemd and containers end the whole service then. On other systems what is ended is the
//! command's process group.
//!
//! # Layout
//!
//! - `process`: what a guard does. `guarded`: the worker's end of it.
//! - `words`: what they tell each other. `family`: what has been started below a process.

mod below;
mod family;
mod guarded;
mod process;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

pub(crate) use guarded::{End, Guarded, Launch, Pipes};
pub use process::watch;

/// The subcommand under which a program that embeds the worker runs [`watch`].
pub const SUBCOMMAND: &str = "worker-guard";

/// The first word of a guard: which of the two it is.
const OUTER: &str = "outer";
const INNER: &str = "inner";

/// How long each waits for the one below to do what is to be done, before it does it itself.
const MARGIN: Duration = Duration::from_millis(15);

/// This program as a guard. It is the same file also when another has taken its place since.
#[cfg(not(test))]
fn this_program() -> std::io::Result<Vec<std::ffi::OsString>> {
    let file = if cfg!(target_os = "linux") {
        "/proc/self/exe".into()
    } else {
        std::env::current_exe()?.into_os_string()
    };
    Ok(vec![file, SUBCOMMAND.into()])
}

#[cfg(test)]
use tests::this_program;
