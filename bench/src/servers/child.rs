//! A server process: started, waited for, and stopped in order when it is dropped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::oneshot;

/// What a server prints before its address when it can take requests.
pub(crate) const SERVING: &str = "Serving http://";
/// How long a server may take to start: a hub compiles its components.
const START_MAX: Duration = Duration::from_secs(180);
/// How long a server may take to stop: a hub stops its Redis.
const STOP_MAX: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    ///
    /// # Errors
    /// It cannot be started, or does not serve in time.
    pub(crate) async fn start(mut command: Command, stdin: Option<&[u8]>) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped());
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let mut starting = Starting(Some(child));
        let child = starting.0.as_mut().context("the server was just started")?;
        if let (Some(bytes), Some(pipe)) = (stdin, child.stdin.as_mut()) {
            // The pipe stays open: the server ends when it closes.
            std::io::Write::write_all(pipe, bytes)?;
        }
        let stdout = child.stdout.take().context("standard output is piped")?;
        let (found, address) = oneshot::channel();
        std::thread::spawn(move || read_address(stdout, found));
        let address = tokio::time::timeout(START_MAX, address)
            .await
            .with_context(|| format!("{program} does not serve within {START_MAX:?}"))?
            .with_context(|| format!("{program} ended before it served"))?;
        let child = starting.0.take().context("the server was just started")?;
        Ok(Self { child, address })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// A server that may not come up; it is stopped when nobody waits any more.
struct Starting(Option<Child>);

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            stop(child);
        }
    }
}

/// Asks a process to end, and only kills it when it does not: a hub that is killed leaves its
/// Redis behind.
pub(super) fn stop(child: &mut Child) {
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let deadline = Instant::now() + STOP_MAX;
    while asked.is_ok() && Instant::now() < deadline {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Ok(Some(_)) | Err(_) => return,
        }
    }
    eprintln!("process {} does not stop and is killed", child.id());
    let _ = child.kill();
    let _ = child.wait();
}

/// Finds the address, then goes on reading, so that the server never waits for its reader.
fn read_address(stdout: impl std::io::Read, found: oneshot::Sender<SocketAddr>) {
    let mut found = Some(found);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let address = line.strip_prefix(SERVING).and_then(|text| text.trim().parse().ok());
        if let (Some(address), Some(found)) = (address, found.take_if(|_| address.is_some())) {
            let _ = found.send(address);
        }
    }
}
