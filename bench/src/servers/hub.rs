//! The hub as users run it: `reef up` with a private Redis and keys.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use tempfile::TempDir;

use super::child::Server;
use crate::call::Call;
use crate::load::connection::Connection;
use crate::options::Options;
use crate::redis::Redis;
use crate::template::Numbers;

/// The admin key of the hubs that are measured; they live for minutes, on loopback.
const ADMIN_KEY: &str = "reef_bench000_0123456789abcdefghijklmnopqrstuv";

/// The agent that asks, if not the admin does.
pub(crate) const AGENT: &str = "bench";

/// What one agent that stands for all of a hub's callers needs: its requests are counted, as every
/// agent's are, and never too many; and it may have as much as all of them.
const ROOM: &[(&str, &str)] = &[
    ("rate_limit_per_second", "100000"),
    ("quota_nodes", "1000000000"),
    ("quota_tasks", "1000000000"),
    ("quota_task_bytes", "1000000000"),
    ("quota_classes", "1000000"),
    ("quota_schedules", "1000000"),
    ("quota_locks", "1000000"),
    ("quota_mail_bytes", "1000000000"),
];

/// How long nodes live without a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    /// As long as the hub has it unless told otherwise.
    Usual,
    /// Longer than any measurement, so that a cluster whose nodes send no heartbeats of their own
    /// stays as one whose nodes do.
    Endless,
}

impl Liveness {
    /// The variables by which hub and native server learn it.
    pub(crate) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Usual => &[],
            Self::Endless => {
                &[("heartbeat_timeout_seconds", "86400"), ("heartbeat_ttl_seconds", "86400")]
            }
        }
    }
}

/// A hub with an empty Redis of its own.
#[derive(Debug)]
pub(crate) struct Hub {
    // Stopped before its files go.
    server: Server,
    /// Its Redis.
    pub(crate) redis: Redis,
    /// Where its Redis listens.
    pub(crate) socket: PathBuf,
    /// How long its nodes live without a heartbeat.
    pub(crate) liveness: Liveness,
    agent_key: String,
    is_admin: bool,
    _folder: TempDir,
}

impl Hub {
    /// Starts a hub.
    pub(crate) async fn start(options: &Options, liveness: Liveness) -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("reef-bench-").tempdir_in(&options.state_dir)?;
        let key_file = folder.path().join("admin.key");
        write_private(&key_file, ADMIN_KEY)?;
        let log = folder.path().join("log");
        let state_dir = folder.path().join("hub");
        let mut command = Command::new(options.reef());
        command
            .args(["up", "--listen", "127.0.0.1:0", "--auth-mode", "keys"])
            .args(["--max-connections", "20000", "--redis-fsync", &options.redis_fsync])
            .arg("--admin-key-file")
            .arg(&key_file)
            .arg("--state-dir")
            .arg(&state_dir)
            .arg("--spin-file")
            .arg(options.spin_file())
            .env_remove("REDIS_URL")
            .env_remove("REEF_REDIS_URL")
            .stderr(std::fs::File::create(&log)?);
        for (name, value) in liveness.variables().iter().chain(ROOM) {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        let server = match Server::start(command, None).await {
            Ok(server) => server,
            Err(error) => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(error.context(format!("the hub does not start; it said:\n{said}")));
            }
        };
        let socket = state_dir.join("redis.sock");
        let redis = Redis::connect(&redis_url(&socket)).await.context("the hub's Redis")?;
        let agent_key = make_agent(&server, AGENT).await?;
        let is_admin = options.admin;
        Ok(Self { server, redis, socket, liveness, agent_key, is_admin, _folder: folder })
    }

    /// The running process.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// What a request needs to be let in: an agent's key, as users have, unless the admin's was asked
    /// for.
    pub(crate) fn key(&self) -> &str {
        if self.is_admin { ADMIN_KEY } else { &self.agent_key }
    }

    /// Whose that is.
    pub(crate) fn owner(&self) -> &'static str {
        if self.is_admin { "@admin" } else { AGENT }
    }

    /// The key of [`AGENT`].
    pub(crate) fn agent_key(&self) -> &str {
        &self.agent_key
    }

    /// The variables that a server beside it needs to be the same.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.liveness.variables().iter().chain(ROOM)
    }

    /// The admin's key.
    pub(crate) fn admin_key(&self) -> &'static str {
        ADMIN_KEY
    }

    /// The address of its Redis.
    pub(crate) fn redis_url(&self) -> String {
        redis_url(&self.socket)
    }
}

/// Makes an agent; its key.
pub(crate) async fn make_agent(server: &Server, name: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Made {
        api_key: String,
    }
    let call = Call {
        method: "POST",
        target: "/api/v1/agents/register".to_owned(),
        body: format!(r#"{{"agent_id":"{name}"}}"#),
        numbers: Numbers { below: 1 },
    };
    let opened = Connection::open(server.address).await;
    let mut connection = opened.map_err(|fault| anyhow!("cannot connect: {fault}"))?;
    let answer = connection.ask(&call, ADMIN_KEY).await?;
    let made: Made = serde_json::from_slice(answer).context("the answer to a registration")?;
    Ok(made.api_key)
}

fn redis_url(socket: &Path) -> String {
    format!("redis+unix://{}", socket.display())
}

fn write_private(file: &Path, text: &str) -> Result<()> {
    let mut out =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    std::io::Write::write_all(&mut out, text.as_bytes())?;
    Ok(())
}
