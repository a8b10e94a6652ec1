//! A Redis server of our own that loads a snapshot, is read, and goes again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::Error;

/// The snapshot's name in the server's folder.
const SNAPSHOT: &str = "snapshot.rdb";
const LOG: &str = "log";
/// A snapshot holds all databases of its server; 16 is what most have.
const DATABASES: &str = "1024";

/// A folder for a snapshot, and a server over it once it is there.
pub(crate) struct Scratch {
    folder: TempDir,
}

/// The server. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) connection: MultiplexedConnection,
    _child: Child,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { folder: tempfile::Builder::new().prefix("reef-backup-").tempdir()? })
    }

    /// Where the snapshot goes.
    pub(crate) fn snapshot(&self) -> PathBuf {
        self.folder.path().join(SNAPSHOT)
    }

    /// Starts a server that has loaded the snapshot.
    pub(crate) async fn serve(&self, program: &Path, database: i64) -> Result<Server, Error> {
        self.start(program, database, "").await
    }

    /// Starts a server that follows another one, which listens at this port of this machine and
    /// wants the password.
    pub(crate) async fn follow(
        &self,
        program: &Path,
        port: u16,
        password: &str,
    ) -> Result<Server, Error> {
        let more = format!("replicaof 127.0.0.1 {port}\nmasterauth {password}\n");
        self.start(program, 0, &more).await
    }

    /// What the server says of a snapshot that it cannot read.
    pub(crate) fn complaint(&self) -> Option<String> {
        let log = std::fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        let is_it =
            |line: &&str| line.contains("RDB format") || line.contains("Internal error in RDB");
        log.lines().find(is_it).map(str::to_owned)
    }

    async fn start(&self, program: &Path, database: i64, more: &str) -> Result<Server, Error> {
        let socket = self.folder.path().join("s");
        let log = self.folder.path().join(LOG);
        // Not on the command line, which others see.
        let settings = format!(
            "port 0\ndaemonize no\nsave \"\"\nappendonly no\ndatabases {DATABASES}\n\
             dbfilename {SNAPSHOT}\ndir \"{}\"\nunixsocket \"{}\"\nunixsocketperm 600\n\
             logfile \"{}\"\n{more}",
            self.folder.path().display(),
            socket.display(),
            log.display(),
        );
        let mut child = Command::new(program)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::File(format!("cannot start {}: {error}", program.display())))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(settings.as_bytes()).await?;
        }
        let address = format!("redis+unix://{}?db={database}", socket.display());
        loop {
            if let Some(status) = child.try_wait()? {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let why = log.lines().rev().find(|line| line.contains('#')).unwrap_or_default();
                return Err(unreadable(program, &format!("{status}: {why}")));
            }
            if let Ok(connection) = connect(&address).await {
                return Ok(Server { connection, _child: child });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The error for a server of ours that is older than the one whose data it was given.
pub(crate) fn unreadable(program: &Path, why: &str) -> Error {
    Error::Refused(format!(
        "{} cannot read the snapshot ({why}). It must be as new as the server that the snapshot is of",
        program.display()
    ))
}

/// Fails while the server does not listen, or loads.
async fn connect(address: &str) -> Result<MultiplexedConnection, redis::RedisError> {
    let mut connection = open(address).await?;
    redis::cmd("PING").query_async::<String>(&mut connection).await?;
    Ok(connection)
}

/// Opens a connection without deadlines: large values take their time.
pub(crate) async fn open(
    server: impl redis::IntoConnectionInfo,
) -> Result<MultiplexedConnection, redis::RedisError> {
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(5)))
        .set_response_timeout(None);
    redis::Client::open(server)?.get_multiplexed_async_connection_with_config(&config).await
}
