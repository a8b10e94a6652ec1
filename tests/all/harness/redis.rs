//! Redis servers that belong to a test.

use std::io::Write;
use std::process::{Command, Stdio};

use super::process::{Program, Signal};
use super::{PATIENCE, eventually};

/// A Redis server of the test's own, which it can freeze, kill and start again. What was
/// acknowledged survives that: the server writes each change to its disk before it answers.
pub struct RedisServer {
    port: u16,
    folder: tempfile::TempDir,
    /// Where other nodes would reach it, if it runs as Redis Cluster.
    bus_port: Option<u16>,
    program: Option<Program>,
}

impl RedisServer {
    /// A server that throws data away when its memory is full, and keeps none over a restart.
    pub fn start_careless() -> Self {
        let server = Self::start();
        let mut redis = server.connect();
        for (name, value) in
            [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru"), ("appendonly", "no")]
        {
            redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query::<()>(&mut redis).unwrap();
        }
        server
    }

    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { port: free_port(), folder, bus_port: None, program: None };
        server.start_again();
        server
    }

    /// A Redis Cluster of one server that owns all slots. It refuses a script whose keys lie in
    /// two of them.
    pub fn start_cluster() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server =
            Self { port: free_port(), folder, bus_port: Some(free_port()), program: None };
        server.start_again();
        let mut redis = server.connect();
        let mut own = redis::cmd("CLUSTER");
        own.arg("ADDSLOTSRANGE").arg(0).arg(16383).query::<()>(&mut redis).unwrap();
        eventually("a cluster that serves", PATIENCE, || {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut redis).unwrap();
            info.contains("cluster_state:ok").then_some(())
        });
        server
    }

    /// A server that follows this one, and is in step.
    pub fn replica(&self) -> Self {
        let replica = Self::start();
        let mut redis = replica.connect();
        let mut follow = redis::cmd("REPLICAOF");
        follow.arg("127.0.0.1").arg(self.port).query::<()>(&mut redis).unwrap();
        eventually("a replica in step", PATIENCE, || {
            let info: String = redis::cmd("INFO").arg("replication").query(&mut redis).unwrap();
            info.contains("master_link_status:up").then_some(())
        });
        replica
    }

    /// Lets a replica hear no more of its primary, which does not notice.
    pub fn cut_off(&self) {
        cut_off(&mut self.connect());
    }

    /// Kills another server and serves at its port, with the data that this one has.
    pub fn take_the_place_of(&mut self, mut other: Self) {
        let mut redis = self.connect();
        other.kill();
        redis::cmd("REPLICAOF").arg("NO").arg("ONE").query::<()>(&mut redis).unwrap();
        let mut config = redis::cmd("CONFIG");
        config.arg("SET").arg("port").arg(other.port).query::<()>(&mut redis).unwrap();
        self.port = other.port;
    }

    /// Starts it where it was, with the data it had. As whoever runs one must after a kill, it cuts
    /// off a transaction whose end was not written: Redis by itself leaves the beginning in its file.
    pub fn start_again(&mut self) {
        let manifest = self.folder.path().join("appendonlydir/appendonly.aof.manifest");
        if manifest.is_file() {
            let checker = binary().replace("-server", "-check-aof");
            let mut checker = Command::new(checker);
            let mut checker = checker.arg("--fix").arg(manifest).stdin(Stdio::piped());
            checker = checker.stdout(Stdio::null()).stderr(Stdio::null());
            let mut checker = checker.spawn().unwrap();
            let _ = checker.stdin.take().unwrap().write_all(b"y\n");
            checker.wait().unwrap();
        }
        let port = &self.port.to_string();
        let bus_port = self.bus_port.map(|port| port.to_string());
        let cluster =
            bus_port.iter().flat_map(|port| ["--cluster-enabled", "yes", "--cluster-port", port]);
        let program = Program::start(
            Command::new(binary())
                .args(["--port", port, "--bind", "127.0.0.1", "--save", ""])
                .args(cluster)
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

    /// Lets it forget everything at its end, which makes each write much faster.
    pub fn keep_nothing(&self) {
        let mut config = redis::cmd("CONFIG");
        config.arg("SET").arg("appendonly").arg("no");
        config.query::<()>(&mut self.connect()).unwrap();
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

/// Lets a replica hear no more of its primary: it has a password that the primary does not know.
pub fn cut_off(replica: &mut redis::Connection) {
    let mut config = redis::cmd("CONFIG");
    config.arg("SET").arg("masterauth").arg("unknown").query::<()>(replica).unwrap();
    redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("master").query::<()>(replica).unwrap();
}

/// How much a primary has taken, and how much of that its first replica has acknowledged, which it does
/// once a second: from what the primary says of replication.
pub fn replicated(info: &str) -> Option<(u64, u64)> {
    let number = |behind: &str| -> Option<u64> {
        let digits = info.split_once(behind)?.1;
        digits.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()
    };
    number("master_repl_offset:").zip(number(",offset="))
}

/// Ends `cut_off`, of the server at this address.
pub fn let_hear_again(url: &str) {
    let mut config = redis::cmd("CONFIG");
    config.arg("SET").arg("masterauth").arg("").query::<()>(&mut connect(url)).unwrap();
}

/// Connects to a server, by `redis://` or `unix://`.
pub fn connect(url: &str) -> redis::Connection {
    let client = redis::Client::open(url).unwrap();
    let connection = client.get_connection().unwrap_or_else(|error| panic!("{url}: {error}"));
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

/// The server that this machine has.
pub fn binary() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |name: &&str| std::env::split_paths(&path).any(|it| it.join(name).is_file());
    let found = ["redis-server", "valkey-server"].into_iter().find(is_here);
    found.expect("there is no Redis server here: `cargo xtask test` installs one")
}

pub fn free_port() -> u16 {
    reef_ports::free_port().unwrap()
}
