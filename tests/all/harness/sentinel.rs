//! A primary and a replica under three Sentinels that belong to a test.

use std::process::Command;

use super::process::{Program, Signal};
use super::redis::{binary, connect, cut_off, free_port};
use super::{PATIENCE, eventually};

/// Two data servers and three Sentinels.
pub struct RedisSentinel {
    data: [Server; 2],
    sentinels: Vec<Server>,
}

/// A server, and how it is started.
struct Server {
    port: u16,
    folder: tempfile::TempDir,
    program: Option<Program>,
}

impl RedisSentinel {
    pub fn start() -> Self {
        let primary = Server::data(None);
        let replica = Server::data(Some(primary.port));
        eventually("a replica in step", PATIENCE, || {
            replica.info("replication").contains("master_link_status:up").then_some(())
        });
        let sentinels: Vec<_> = (0..3).map(|_| Server::sentinel(primary.port)).collect();
        for sentinel in &sentinels {
            eventually("Sentinels that know each other and the replica", PATIENCE, || {
                sentinel.info("sentinel").contains("slaves=1,sentinels=3").then_some(())
            });
        }
        Self { data: [primary, replica], sentinels }
    }

    /// The address that names the Sentinels.
    pub fn url(&self) -> String {
        let places = self.sentinels.iter().map(|it| format!("127.0.0.1:{}", it.port));
        format!("redis+sentinel://{}/hub/0", places.collect::<Vec<_>>().join(","))
    }

    /// Which of the data servers takes writes.
    pub fn primary(&self) -> usize {
        eventually("a primary", PATIENCE, || {
            let live = (0..2).filter(|index| self.data[*index].program.is_some());
            let mut masters = live.filter(|index| {
                self.data[*index]
                    .try_info("replication")
                    .is_some_and(|it| it.contains("role:master"))
            });
            masters.next()
        })
    }

    /// A connection to a data server.
    pub fn connect(&self, index: usize) -> redis::Connection {
        connect(&self.data[index].url())
    }

    /// Lets the replica of a primary hear no more of it; returns its address.
    pub fn cut_off_the_replica_of(&self, index: usize) -> String {
        cut_off(&mut self.connect(1 - index));
        self.data[1 - index].url()
    }

    /// Kills a data server with SIGKILL.
    pub fn kill(&mut self, index: usize) {
        self.data[index].program = None;
    }

    /// Starts one that was killed, which the Sentinels then make a replica.
    pub fn start_again(&mut self, index: usize) {
        self.data[index].launch(&[]);
    }

    /// Makes a data server stop answering, with all connections open.
    pub fn freeze(&self, index: usize) {
        self.data[index].program.as_ref().unwrap().signal(Signal::Stop);
    }

    /// Ends `freeze`.
    pub fn thaw(&self, index: usize) {
        self.data[index].program.as_ref().unwrap().signal(Signal::Continue);
    }

    /// Has the Sentinels put the replica in the primary's place, which lives on.
    pub fn switch(&self) {
        let mut redis = connect(&self.sentinels[0].url());
        let mut failover = redis::cmd("SENTINEL");
        failover.arg("FAILOVER").arg("hub").query::<()>(&mut redis).unwrap();
    }

    /// Waits until a data server follows the other one and is in step.
    pub fn until_replica(&self, index: usize) {
        eventually("a replica in step", 2 * PATIENCE, || {
            let info = self.data[index].try_info("replication")?;
            info.contains("master_link_status:up").then_some(())
        });
    }
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { port: free_port(), folder, program: None }
    }

    fn data(primary: Option<u16>) -> Self {
        let mut server = Self::new();
        match primary {
            Some(port) => server.launch(&["--replicaof", "127.0.0.1", &port.to_string()]),
            None => server.launch(&[]),
        }
        server
    }

    fn launch(&mut self, args: &[&str]) {
        let program = Program::start(
            Command::new(binary())
                .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
                .args(["--appendonly", "yes", "--maxmemory-policy", "noeviction"])
                .arg("--dir")
                .arg(self.folder.path())
                .args(args),
        );
        program.line(PATIENCE, |line| {
            line.to_lowercase().contains("ready to accept connections").then_some(())
        });
        self.program = Some(program);
    }

    fn sentinel(primary: u16) -> Self {
        let mut server = Self::new();
        let file = server.folder.path().join("sentinel.conf");
        let settings = format!(
            "sentinel monitor hub 127.0.0.1 {primary} 2\nsentinel down-after-milliseconds hub 1000\n\
             sentinel failover-timeout hub 3000\n"
        );
        std::fs::write(&file, settings).unwrap();
        let program = Program::start(Command::new(binary()).arg(&file).args([
            "--sentinel",
            "--port",
            &server.port.to_string(),
            "--bind",
            "127.0.0.1",
        ]));
        server.program = Some(program);
        eventually("a Sentinel", PATIENCE, || server.try_info("sentinel").map(drop));
        server
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    fn info(&self, section: &str) -> String {
        redis::cmd("INFO").arg(section).query(&mut connect(&self.url())).unwrap()
    }

    /// The same of one that may be away.
    fn try_info(&self, section: &str) -> Option<String> {
        let client = redis::Client::open(self.url()).unwrap();
        let limit = std::time::Duration::from_millis(300);
        let mut redis = client.get_connection_with_timeout(limit).ok()?;
        redis.set_read_timeout(Some(limit)).unwrap();
        redis::cmd("INFO").arg(section).query(&mut redis).ok()
    }
}
