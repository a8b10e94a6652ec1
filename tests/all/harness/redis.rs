//! Redis servers that belong to a test.

use std::net::TcpListener;
use std::process::Command;

use super::PATIENCE;
use super::process::{Program, Signal};

/// A Redis server of the test's own, which it can freeze, kill and start again. What was
/// acknowledged survives that: the server writes each change to its disk before it answers.
pub struct RedisServer {
    port: u16,
    folder: tempfile::TempDir,
    program: Option<Program>,
}

impl RedisServer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { port: free_port(), folder, program: None };
        server.start_again();
        server
    }

    /// Starts it where it was, with the data it had.
    pub fn start_again(&mut self) {
        let program = Program::start(
            Command::new(binary())
                .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
                .args(["--appendonly", "yes", "--appendfsync", "always"])
                .args(["--maxmemory-policy", "noeviction", "--daemonize", "no"])
                .arg("--dir")
                .arg(self.folder.path()),
        );
        program.line(PATIENCE, |line| {
            line.to_lowercase().contains("ready to accept connections").then_some(())
        });
        self.program = Some(program);
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn connect(&self) -> redis::Connection {
        connect(&self.url())
    }

    /// Makes it stop answering, with all connections open.
    pub fn freeze(&self) {
        self.program.as_ref().unwrap().signal(Signal::Stop);
    }

    /// Ends `freeze`.
    pub fn thaw(&self) {
        self.program.as_ref().unwrap().signal(Signal::Continue);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.program = None;
    }
}

/// Connects to a server, by `redis://` or `unix://`.
pub fn connect(url: &str) -> redis::Connection {
    let client = redis::Client::open(url).unwrap();
    let connection = client.get_connection().unwrap_or_else(|error| panic!("{url}: {error}"));
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

/// The server that this machine has.
fn binary() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    let has_redis = folders.any(|folder| folder.join("redis-server").is_file());
    if has_redis { "redis-server" } else { "valkey-server" }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
