//! Servers whose way of keeping data a test chooses, and their replicas.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{PATIENCE, Program, Signal, connect, eventually, free_port, redis_binary};
use crate::resilience::valkey;

/// A server with an append-only file.
pub struct Server {
    binary: PathBuf,
    port: u16,
    folder: tempfile::TempDir,
    args: Vec<String>,
    /// What is loaded into it.
    preload: Option<PathBuf>,
    program: Option<Program>,
}

/// Valkey's server.
pub fn valkey() -> PathBuf {
    valkey::server()
}

impl Server {
    /// The server of this machine.
    pub fn start(args: &[&str]) -> Self {
        Self::start_as(Path::new(redis_binary()), args)
    }

    pub fn start_as(binary: &Path, args: &[&str]) -> Self {
        let mut server = Self::prepare(binary, args, None);
        server.start_again();
        server
    }

    /// One that has not been started.
    pub fn prepare(binary: &Path, args: &[&str], preload: Option<PathBuf>) -> Self {
        Self {
            binary: binary.to_path_buf(),
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            preload,
            program: None,
        }
    }

    /// With other arguments from its next start on.
    pub fn set_args(&mut self, args: &[&str]) {
        self.args = args.iter().map(|arg| (*arg).to_owned()).collect();
    }

    pub fn start_again(&mut self) {
        let mut command = Command::new(&self.binary);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
        command.args(["--repl-diskless-sync-delay", "0"]);
        command.arg("--dir").arg(self.folder.path()).args(&self.args);
        if let Some(library) = &self.preload {
            command.env("LD_PRELOAD", library);
        }
        let program = Program::start(&mut command);
        program.line(PATIENCE, |line| {
            line.to_lowercase().contains("ready to accept connections").then_some(())
        });
        self.program = Some(program);
    }

    /// A replica of it, in step.
    pub fn replica(&self) -> Self {
        self.replica_with(&[])
    }

    /// The same, which keeps its data in another way.
    pub fn replica_with(&self, args: &[&str]) -> Self {
        let port = self.port.to_string();
        let args = [&["--replicaof", "127.0.0.1", &port], args].concat();
        let replica = Self::start_as(&self.binary, &args);
        let mut redis = self.connect();
        eventually("a replica in step", PATIENCE, || {
            let info: String = redis::cmd("INFO").arg("replication").query(&mut redis).unwrap();
            info.contains("state=online").then_some(())
        });
        replica
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn connect(&self) -> redis::Connection {
        connect(&self.url())
    }

    /// Major and minor.
    pub fn version(&self) -> String {
        let info: String = redis::cmd("INFO").arg("server").query(&mut self.connect()).unwrap();
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap();
        version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
    }

    pub fn signal(&self, what: Signal) {
        self.program.as_ref().unwrap().signal(what);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.program = None;
    }
}
