//! Servers that belong to a test: nodes of a cluster, data servers, Sentinels.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use reef_redis::{Connection, Connections, Error, Timeouts};
use reef_store::Reply;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something may take that happens by itself.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A `redis-server` on a port of loopback, ended when dropped.
pub struct Process {
    pub port: u16,
    /// Where other nodes of a cluster reach it.
    pub bus_port: u16,
    folder: TempDir,
    args: Vec<String>,
    child: Child,
}

impl Process {
    /// Starts a server with what a command line may say.
    pub fn start(args: &[&str]) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let child = spawn(port, folder.path(), &args);
        Self { port, bus_port: 0, folder, args, child }
    }

    /// A node of a cluster which has not met any other.
    pub fn node(args: &[&str]) -> Self {
        let bus_port = free_port();
        let bus = bus_port.to_string();
        let cluster: &[&str] = &["--cluster-enabled", "yes", "--cluster-port", &bus];
        let patience = &["--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"];
        let mut node = Self::start(&[cluster, patience, args].concat());
        node.bus_port = bus_port;
        node
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        self.child = spawn(self.port, self.folder.path(), &self.args);
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A connection to this server alone.
    pub fn direct(&self) -> Connection {
        open(&format!("redis://{}", self.place()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, folder: &std::path::Path, args: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    // The first argument may name a configuration file.
    let (file, args) = match args.split_first() {
        Some((file, rest)) if !file.starts_with("--") => (Some(file), rest),
        _ => (None, args),
    };
    command.args(file).args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    if file.is_none() {
        command.args(["--save", "", "--appendonly", "no"]);
    }
    command.arg("--dir").arg(folder).args(args);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "redis-server did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

pub fn free_port() -> u16 {
    reef_ports::free_port().unwrap()
}

pub fn open(address: &str) -> Connection {
    Connections::new(Timeouts::default()).open(address).unwrap()
}

pub fn args(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

pub async fn call(connection: &Connection, words: &[&str]) -> Result<Vec<Reply>, Error> {
    connection.execute(words[0], args(&words[1..])).await
}

/// The only element of a reply, as text.
pub async fn text(connection: &Connection, words: &[&str]) -> String {
    let reply = call(connection, words).await.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    match reply.first() {
        Some(Reply::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Reply::Status(text)) => text.clone(),
        Some(Reply::Int(number)) => number.to_string(),
        Some(Reply::Nil) | None => String::new(),
    }
}

/// The elements of a reply that are texts.
pub async fn texts(connection: &Connection, words: &[&str]) -> Vec<String> {
    let reply = call(connection, words).await.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let text = |reply: &Reply| match reply {
        Reply::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    reply.iter().filter_map(text).collect()
}

pub fn bytes(text: &str) -> Reply {
    Reply::Bytes(text.into())
}

/// Waits until something is so.
pub async fn eventually<T>(what: &str, mut is_so: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = is_so().await {
            return value;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
