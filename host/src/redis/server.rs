//! One run of the private Redis server: a process that we started, or one that an earlier host
//! left behind.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use reef_packages::REDIS;
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior};

use super::aof::repair::sentence;
use super::aof::{self, Follower, Found};
use super::control::{self, State};
use super::install;
use crate::cli::Fsync;

/// The name of the file that a server holds, beside its data.
pub(super) const LOCK: &str = "server.lock";
/// How long a server may take to end after `SHUTDOWN`: it writes what it holds to the disk.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);
/// After which a server that is still there is asked again to end.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long a server that holds the data may take until it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause between two looks at it, and after how many a word is said.
const LOOK_PERIOD: Duration = Duration::from_millis(50);
const LOOKS_UNTIL_SAID: u32 = 20;
/// How often it is noted how much of the file is on the disk.
const SEAL_PERIOD: Duration = Duration::from_secs(10);

/// What a private server is started with.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The server program.
    pub(super) program: PathBuf,
    /// Where it listens.
    pub(super) socket: PathBuf,
    /// Where its data lies.
    pub(super) data: PathBuf,
    /// Where its log is appended.
    pub(super) log: PathBuf,
    /// Held by the server for as long as it lives.
    pub(super) lock: PathBuf,
    /// When it writes to the disk.
    pub(super) fsync: Fsync,
    /// The memory that it may use, in bytes; 0 for no bound.
    pub(super) memory: u64,
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    settings: Settings,
    /// `None`: it was there already.
    child: Option<Child>,
    /// `None` while it is at work.
    follower: Option<Follower>,
}

/// Looks for a server program on `PATH`.
pub(crate) fn find_program(path: Option<&OsStr>) -> Result<PathBuf> {
    reef_packages::find(path, REDIS.programs).ok_or_else(|| anyhow!(install::advice()))
}

impl Server {
    /// Takes over the server that listens on the socket, or starts one.
    ///
    /// A server that does not answer is taken over as well, and one that does not listen yet is
    /// waited for: two servers on the same data would destroy it.
    pub(super) async fn adopt_or_start(settings: &Settings) -> Result<Self> {
        let settings = settings.clone();
        let Some(lock) = free_data(&settings).await? else {
            tracing::info!("taking over the private Redis that an earlier host left running");
            let command = format!("CONFIG SET appendfsync {}", settings.fsync.as_str());
            if let Err(error) = control::ask(&settings.socket, &command).await {
                tracing::warn!(%error, "could not set appendfsync on the private Redis");
            }
            let command = format!("CONFIG SET maxmemory {}", settings.memory);
            if let Err(error) = control::ask(&settings.socket, &command).await {
                tracing::warn!(%error, "could not set maxmemory on the private Redis");
            }
            let follower = Some(Follower::of_running(&settings.data));
            return Ok(Self { settings, child: None, follower });
        };
        let data = settings.data.clone();
        let follower = tokio::task::spawn_blocking(move || prepare(&data)).await??;
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(&settings.log);
        let log = log.with_context(|| format!("cannot write {}", settings.log.display()))?;
        let child = Command::new(&settings.program)
            .args(settings.arguments())
            // It never reads it. But the lock is held as long as anybody has this file open, so it
            // lives as long as the server, whatever becomes of this process.
            .stdin(Stdio::from(lock))
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal goes to the whole process group. The server must outlive the
            // requests that the host is still finishing.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", settings.program.display()))?;
        tracing::debug!(pid = child.id(), program = %settings.program.display(), "started Redis");
        Ok(Self { settings, child: Some(child), follower: Some(follower) })
    }

    /// Waits until it serves.
    pub(super) async fn until_ready(&mut self) -> Result<()> {
        let mut waited = Duration::ZERO;
        loop {
            let state = control::state(&self.settings.socket).await;
            match (state, &mut self.child) {
                (State::Ready, _) => return Ok(()),
                (State::Gone, None) => bail!("the private Redis has ended"),
                (_, Some(child)) => {
                    if let Some(status) = child.try_wait()? {
                        bail!(
                            "{} has ended ({status}); the end of its log {}:\n{}",
                            self.settings.program.display(),
                            self.settings.log.display(),
                            last_lines(&self.settings.log)
                        );
                    }
                }
                (State::Busy, None) => {}
            }
            const STEP: Duration = Duration::from_millis(20);
            tokio::time::sleep(STEP).await;
            waited += STEP;
            if waited >= Duration::from_secs(5) {
                tracing::info!("waiting for the private Redis to load its data");
                waited = Duration::ZERO;
            }
        }
    }

    /// Waits until it has ended, and says how. Meanwhile it is noted what is on the disk.
    pub(super) async fn watch(&mut self) -> String {
        let mut ticks = tokio::time::interval(SEAL_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                reason = self.ended() => return reason,
                _ = ticks.tick() => {}
            }
            self.seal().await;
        }
    }

    async fn seal(&mut self) {
        let follower = self.follower.take();
        let data = self.settings.data.clone();
        let work = move || {
            let mut follower = follower.unwrap_or_else(|| Follower::of_running(&data));
            follower.seal();
            follower
        };
        self.follower = tokio::task::spawn_blocking(work).await.ok();
    }

    /// Waits until it has ended, and says how.
    async fn ended(&mut self) -> String {
        match &mut self.child {
            Some(child) => match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            None => {
                control::until_gone(&self.settings.socket).await;
                "gone".to_owned()
            }
        }
    }

    /// Ends it, with everything on the disk.
    pub(super) async fn shut_down(&mut self) {
        let asked = async {
            loop {
                // The answer to a successful SHUTDOWN is a closed connection.
                match control::ask(&self.settings.socket, "SHUTDOWN").await {
                    Ok(answer) if answer.starts_with('-') => {
                        tracing::error!(%answer, "the private Redis refuses to shut down");
                    }
                    Ok(_) => {}
                    Err(error) => tracing::debug!(%error, "SHUTDOWN of the private Redis"),
                }
                // One that was only just started may not have heard it.
                if tokio::time::timeout(ASK_AGAIN, self.ended()).await.is_ok() {
                    break;
                }
            }
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, asked).await.is_ok() {
            self.seal().await;
            return;
        }
        tracing::error!("the private Redis did not end within {SHUTDOWN_TIMEOUT:?}");
        if let Some(child) = &mut self.child
            && let Err(error) = child.kill().await
        {
            tracing::error!(%error, "it could not be killed either");
        }
    }
}

impl Settings {
    fn arguments(&self) -> Vec<OsString> {
        let memory = self.memory.to_string();
        let fixed = [
            ("--daemonize", "no"),
            ("--port", "0"),
            ("--unixsocketperm", "600"),
            ("--timeout", "0"),
            ("--appendonly", "yes"),
            // What may be dropped was dropped before it was started, and kept; it must drop nothing.
            ("--aof-load-truncated", "no"),
            ("--save", ""),
            ("--maxmemory-policy", "noeviction"),
            ("--maxmemory", &memory),
            // A backup is the only one that asks for a snapshot, so that nobody is waited for.
            ("--repl-diskless-sync-delay", "0"),
            ("--appendfsync", self.fsync.as_str()),
        ];
        let paths = [("--unixsocket", &self.socket), ("--dir", &self.data)];
        let fixed = fixed.into_iter().flat_map(|(k, v)| [OsString::from(k), OsString::from(v)]);
        let paths = paths.into_iter().flat_map(|(k, v)| [OsString::from(k), v.into()]);
        fixed.chain(paths).collect()
    }
}

/// Waits until nobody else has the data, and takes it; `None` if a server listens.
async fn free_data(settings: &Settings) -> Result<Option<File>> {
    let until = Instant::now() + LISTEN_TIMEOUT;
    let mut looks = 0;
    loop {
        if control::state(&settings.socket).await != State::Gone {
            return Ok(None);
        }
        if let Some(lock) = try_take(&settings.lock)? {
            return Ok(Some(lock));
        }
        if Instant::now() >= until {
            bail!(
                "a Redis server that an earlier host has started holds the data ({}), but does not \
                 listen on {}; end it (`fuser {}` names its process), or wait until it has ended",
                settings.lock.display(),
                settings.socket.display(),
                settings.lock.display()
            );
        }
        looks += 1;
        if looks == LOOKS_UNTIL_SAID {
            tracing::info!("waiting for the private Redis that an earlier host has started");
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

/// Takes the lock on a server's data; `None` while a server has it.
///
/// # Errors
/// The file cannot be made or locked.
pub(super) fn try_take(file: &Path) -> Result<Option<File>> {
    let place = || format!("cannot lock {}", file.display());
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let lock = options.open(file).with_context(place)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(place),
    }
}

/// Sees to it that a server may read the data.
fn prepare(data: &Path) -> Result<Follower> {
    match aof::look(data)? {
        Found::Whole(follower) => Ok(follower),
        Found::Torn(torn, follower) => {
            let copy = aof::cut(&torn, data)?;
            tracing::warn!(
                file = %torn.file.display(),
                offset = torn.from,
                bytes = torn.bytes,
                copy = %copy.display(),
                "the private Redis was killed in the middle of a write; what it left unfinished, \
                 which nobody was told of, was cut off and kept"
            );
            Ok(follower)
        }
        Found::Damaged(damage) => bail!(
            "its data is damaged: {}. Nothing was changed. `reef doctor --repair` says what can be \
             saved; `reef restore` into another --state-dir brings a backup back",
            sentence(&damage)
        ),
    }
}

/// The end of a log, for an error message.
fn last_lines(log: &Path) -> String {
    const LINES: usize = 6;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_comes_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().as_os_str());
        let error = find_program(path).unwrap_err().to_string();
        assert!(error.contains("valkey-server") && error.contains("--redis-url"), "{error}");
        std::fs::write(folder.path().join("valkey-server"), "").unwrap();
        assert!(find_program(path).unwrap().ends_with("valkey-server"));
        std::fs::write(folder.path().join("redis-server"), "").unwrap();
        assert!(find_program(path).unwrap().ends_with("redis-server"));
    }

    #[test]
    fn a_private_server_has_no_port_and_never_evicts() {
        let settings = Settings {
            program: "redis-server".into(),
            socket: "/s".into(),
            data: "/d".into(),
            log: "/l".into(),
            lock: "/d/lock".into(),
            fsync: Fsync::Always,
            memory: 1 << 30,
        };
        let arguments = settings.arguments();
        let has = |name: &str, value: &str| {
            arguments.windows(2).any(|pair| pair[0] == name && pair[1] == value)
        };
        assert!(has("--maxmemory", "1073741824"));
        assert!(has("--port", "0") && has("--maxmemory-policy", "noeviction"));
        assert!(has("--aof-load-truncated", "no"));
        assert!(has("--appendonly", "yes") && has("--appendfsync", "always") && has("--save", ""));
    }
}
