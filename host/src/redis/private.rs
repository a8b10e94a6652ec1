//! The private Redis: started with the host, started again when it dies, stopped with the host.
//!
//! A host that is killed leaves its server running; the next host on the same state directory
//! takes it over, so that nothing acknowledged is lost and nobody waits for a reload.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::address;
use super::memory;
use super::server::{self, Server, Settings};
use crate::cli::Fsync;
use crate::state_dir::{self, StateDir};
use crate::supervise::keep;

/// The kernel takes 107 bytes for the path of a unix socket on Linux, 103 on macOS.
const SOCKET_PATH_MAX: usize = 100;
/// The first pause before a server that died is started again, and the longest.
const RESTART_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// A server that has served this long starts with the first pause again.
const STABLE: Duration = Duration::from_secs(30);

/// Where its data lies, in the state directory.
pub(crate) const DATA_FOLDER: &str = "redis";
/// How a private server is to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tuning {
    /// When it writes to the disk.
    pub(crate) fsync: Fsync,
    /// The memory that it may use, in bytes; 0 for no bound, `None` for what the machine allows.
    pub(crate) memory: Option<u64>,
}

/// A private server under supervision.
#[derive(Debug)]
pub(crate) struct PrivateRedis {
    phase: watch::Receiver<Phase>,
    stop: watch::Sender<bool>,
    supervisor: JoinHandle<()>,
}

/// A private server that is not started yet.
#[derive(Debug)]
pub(crate) struct Prepared(Settings);

/// How far the first start has come.
#[derive(Debug, Clone)]
enum Phase {
    Starting,
    Serving,
    Failed(String),
}

impl Prepared {
    /// The server's address, which holds no secret.
    pub(crate) fn address(&self) -> String {
        address::of_socket(&self.0.socket)
    }

    /// Begins to start the server. Must be called inside the tokio runtime.
    pub(crate) fn spawn(self) -> PrivateRedis {
        let (report, phase) = watch::channel(Phase::Starting);
        let (stop, stopped) = watch::channel(false);
        let settings = self.0;
        let supervisor = tokio::spawn(async move {
            // A server that was started before a fault is found again by its socket.
            keep("private Redis", || supervise(&settings, &report, stopped.clone())).await;
        });
        PrivateRedis { phase, stop, supervisor }
    }
}

impl PrivateRedis {
    /// Looks for what is needed to run a server in a state directory.
    ///
    /// # Errors
    /// No server program is found, or its directories cannot be made.
    pub(crate) fn prepare(state_dir: &StateDir, tuning: Tuning) -> Result<Prepared> {
        let data = state_dir.path().join(DATA_FOLDER);
        state_dir::make_private(&data)?;
        Ok(Prepared(Settings {
            program: server::find_program(std::env::var_os("PATH").as_deref())?,
            socket: socket(state_dir)?,
            lock: data.join(server::LOCK),
            data,
            log: state_dir.path().join("redis.log"),
            fsync: tuning.fsync,
            memory: memory::settle(tuning.memory),
        }))
    }

    /// Waits until it serves for the first time.
    ///
    /// # Errors
    /// It ended before that; the text holds the end of its log.
    pub(crate) async fn until_ready(&self) -> Result<()> {
        let mut phase = self.phase.clone();
        let settled = phase.wait_for(|phase| !matches!(phase, Phase::Starting)).await;
        match settled.as_deref() {
            Ok(Phase::Failed(reason)) => Err(anyhow!("the private Redis does not start: {reason}")),
            Ok(_) => Ok(()),
            Err(_) => Err(anyhow!("the supervision of the private Redis has ended")),
        }
    }

    /// Stops it, with everything on the disk.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "the supervision of the private Redis failed");
        }
    }
}

/// The address of the server that a running hub keeps for this state directory.
///
/// # Errors
/// There is no such directory, or no server in it.
pub(crate) fn address_of_running(state_dir: &Path) -> Result<String> {
    let state_dir = state_dir.canonicalize()?;
    let near = state_dir.join("redis.sock");
    let far = far_folder(&state_dir).join("redis.sock");
    match [near, far].into_iter().find(|socket| socket.exists()) {
        Some(socket) => Ok(address::of_socket(&socket)),
        None => Err(anyhow!(
            "the hub of {} has no private Redis; name its Redis with --redis-url",
            state_dir.display()
        )),
    }
}

/// Where the server listens when its state directory's path is too long.
fn far_folder(state_dir: &Path) -> PathBuf {
    Path::new("/tmp").join(format!("reef-{:016x}", fingerprint(state_dir)))
}

/// Where the server listens: in the state directory, or under a short name in the directory for
/// temporary files when that path is too long or would need encoding in an address. The name
/// depends only on the state directory, so that a later host finds the server again.
fn socket(state_dir: &StateDir) -> Result<PathBuf> {
    let near = state_dir.path().join("redis.sock");
    if near.as_os_str().len() <= SOCKET_PATH_MAX && address::fits_into_address(&near) {
        return Ok(near);
    }
    let folder = far_folder(state_dir.path());
    state_dir::make_private(&folder).context("choose a shorter --state-dir")?;
    // Anybody can put a link into that directory.
    ensure!(
        folder.symlink_metadata()?.is_dir(),
        "{} is a link; choose a shorter --state-dir",
        folder.display()
    );
    Ok(folder.join("redis.sock"))
}

/// The socket on which the private server of a state directory listens, if it has ever run.
pub(crate) fn socket_in(state_dir: &Path) -> Option<PathBuf> {
    let state_dir = state_dir.canonicalize().ok()?;
    let near = state_dir.join("redis.sock");
    let far = far_folder(&state_dir).join("redis.sock");
    [near, far].into_iter().find(|socket| socket.exists() && address::fits_into_address(socket))
}

/// The program that `reef up` would start.
///
/// # Errors
/// There is none; the text says how to get one.
pub(crate) fn find_program() -> Result<PathBuf> {
    server::find_program(std::env::var_os("PATH").as_deref())
}

/// FNV-1a, because it must come out the same in every build, which `std`'s hasher does not
/// promise.
fn fingerprint(path: &Path) -> u64 {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

async fn supervise(
    settings: &Settings,
    report: &watch::Sender<Phase>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut pause = RESTART_PAUSE.0;
    let mut has_served = matches!(*report.borrow(), Phase::Serving);
    loop {
        let started = Instant::now();
        let starting = tokio::select! {
            starting = Server::adopt_or_start(settings) => starting,
            () = asked(&mut stopped) => return,
        };
        let reason = match starting {
            Err(error) => format!("{error:#}"),
            Ok(mut server) => {
                let lifetime = async {
                    if let Err(error) = server.until_ready().await {
                        return format!("{error:#}");
                    }
                    has_served = true;
                    report.send_replace(Phase::Serving);
                    server.watch().await
                };
                tokio::select! {
                    reason = lifetime => reason,
                    () = asked(&mut stopped) => {
                        server.shut_down().await;
                        return;
                    }
                }
            }
        };
        if !has_served {
            report.send_replace(Phase::Failed(reason));
            return;
        }
        if started.elapsed() >= STABLE {
            pause = RESTART_PAUSE.0;
        }
        tracing::error!(%reason, "the private Redis has ended; starting it again in {pause:?}");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = asked(&mut stopped) => return,
        }
        pause = (pause * 2).min(RESTART_PAUSE.1);
    }
}

/// Waits until the supervision is asked to end, which it is also when nobody can ask any more.
async fn asked(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_odd_path_gets_a_short_socket() {
        let folder = tempfile::tempdir().unwrap();
        let plain = StateDir::take(&folder.path().join("plain")).unwrap();
        assert!(socket(&plain).unwrap().starts_with(plain.path()));
        for name in ["a b".to_owned(), "x".repeat(120)] {
            let state_dir = StateDir::take(&folder.path().join(name)).unwrap();
            let first = socket(&state_dir).unwrap();
            assert!(first.as_os_str().len() < SOCKET_PATH_MAX, "{}", first.display());
            assert_eq!(first, socket(&state_dir).unwrap());
            std::fs::remove_dir(first.parent().unwrap()).unwrap();
        }
    }
}
