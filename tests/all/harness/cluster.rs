//! Redis Clusters that belong to a test: three primaries on three ports, and replicas.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::PATIENCE;
use super::eventually;
use super::process::{Program, Signal};
use super::redis::{binary, connect, cut_off, free_port, replicated};
use super::secured::{Secured, as_args};

/// The slots of the three primaries.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

/// A cluster of three primaries, each with a replica.
pub struct RedisCluster {
    /// The primaries first, then their replicas in the same order.
    nodes: Vec<Node>,
    secured: Option<Arc<Secured>>,
}

struct Node {
    port: u16,
    bus_port: u16,
    /// Its port with TLS, and the rest.
    secured: Option<(u16, Arc<Secured>)>,
    folder: tempfile::TempDir,
    program: Option<Program>,
}

impl RedisCluster {
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// One that hubs reach by TLS, as a user of little power.
    pub fn start_secured(secured: Secured) -> Self {
        Self::start_with(Some(Arc::new(secured)))
    }

    fn start_with(secured: Option<Arc<Secured>>) -> Self {
        let nodes = (0..6).map(|_| Node::start(secured.clone())).collect();
        let cluster = Self { nodes, secured };
        for (node, (first, last)) in cluster.nodes.iter().zip(SLOTS) {
            node.cluster(&["ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        for other in &cluster.nodes[1..] {
            let (port, bus_port) = (other.port.to_string(), other.bus_port.to_string());
            cluster.nodes[0].cluster(&["MEET", "127.0.0.1", &port, &bus_port]);
        }
        for node in &cluster.nodes {
            eventually("nodes that know each other", PATIENCE, || {
                let info = node.cluster(&["INFO"]);
                let is_whole = info.contains("cluster_known_nodes:6");
                (is_whole && info.contains("cluster_state:ok")).then_some(())
            });
        }
        let (primaries, replicas) = cluster.nodes.split_at(3);
        for (primary, replica) in primaries.iter().zip(replicas) {
            replica.cluster(&["REPLICATE", &primary.cluster(&["MYID"])]);
        }
        for node in &cluster.nodes {
            eventually("nodes that know who follows whom", PATIENCE, || {
                (node.cluster(&["NODES"]).matches("slave ").count() == 3).then_some(())
            });
        }
        for replica in replicas {
            eventually("a replica in step", PATIENCE, || {
                let mut redis = connect(&replica.url());
                let info: String = redis::cmd("INFO").arg("replication").query(&mut redis).unwrap();
                info.contains("master_link_status:up").then_some(())
            });
        }
        cluster
    }

    /// The address that names the primaries.
    pub fn url(&self) -> String {
        let places = self.nodes.iter().take(3).map(|node| match &node.secured {
            Some((port, secured)) => format!("{}:{port}", secured.certified),
            None => format!("127.0.0.1:{}", node.port),
        });
        let places = places.collect::<Vec<_>>().join(",");
        match &self.secured {
            Some(secured) => format!("rediss+cluster://{}{places}/", secured.user()),
            None => format!("redis+cluster://{places}/"),
        }
    }

    /// A connection to one of the nodes.
    pub fn connect(&self, index: usize) -> redis::Connection {
        connect(&self.nodes[index].url())
    }

    /// Who is connected to one of the nodes, as `CLIENT LIST` tells it.
    pub fn clients(&self, index: usize) -> String {
        redis::cmd("CLIENT").arg("LIST").query(&mut connect(&self.nodes[index].url())).unwrap()
    }

    /// The port of a node with TLS.
    pub fn tls_port(&self, index: usize) -> u16 {
        self.nodes[index].secured.as_ref().unwrap().0
    }

    /// How many keys each of the primaries has, of those that live.
    pub fn sizes(&self) -> Vec<u64> {
        let live = self.nodes.iter().take(3).filter(|node| node.program.is_some());
        live.map(|node| {
            let mut redis = connect(&node.url());
            redis::cmd("DBSIZE").query(&mut redis).unwrap()
        })
        .collect()
    }

    /// Which of the primaries has a key.
    pub fn owner(&self, key: &str) -> usize {
        let slot: u16 = self.nodes[0].cluster(&["KEYSLOT", key]).parse().unwrap();
        SLOTS.iter().position(|(_, last)| slot <= *last).unwrap()
    }

    /// The node that has a key now, whichever it was in the beginning.
    pub fn primary_of(&self, key: &str) -> usize {
        eventually("a primary", 2 * PATIENCE, || {
            let mut ask = redis::cmd("EXISTS");
            ask.arg(key);
            let live = (0..6).filter(|index| self.nodes[*index].program.is_some());
            let mut owners = live.filter(|index| self.nodes[*index].try_ask(&ask).is_some());
            owners.next()
        })
    }

    /// Lets the replica of a primary hear no more of it; returns its address.
    pub fn cut_off_the_replica_of(&self, index: usize) -> String {
        let of_it = format!("master_port:{}\r", self.nodes[index].port);
        let mut live = self.nodes.iter().filter(|node| node.program.is_some());
        let replica = live.find(|node| node.replication().is_some_and(|it| it.contains(&of_it)));
        let replica = replica.expect("it has no replica");
        let url = replica.url();
        cut_off(&mut connect(&url));
        url
    }

    /// Kills a node with SIGKILL; its replica takes its place after a while.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].program = None;
    }

    /// Starts a node that was killed; it follows whoever has taken its place.
    pub fn start_again(&mut self, index: usize) {
        self.nodes[index].launch();
    }

    /// Makes a node stop answering, with all connections open.
    pub fn freeze(&self, index: usize) {
        self.nodes[index].program.as_ref().unwrap().signal(Signal::Stop);
    }

    /// Ends `freeze`.
    pub fn thaw(&self, index: usize) {
        self.nodes[index].program.as_ref().unwrap().signal(Signal::Continue);
    }

    /// Waits until a node follows another one and is in step.
    pub fn until_replica(&self, index: usize) {
        eventually("a replica in step", 2 * PATIENCE, || {
            self.replication(index)?.contains("master_link_status:up").then_some(())
        });
    }

    /// What a node says of its replication.
    pub fn replication(&self, index: usize) -> Option<String> {
        self.nodes[index].replication()
    }

    /// Waits until a node's replica has acknowledged all that the node has taken so far. What it has not may be
    /// lost when it takes the node's place.
    pub fn until_replicated(&self, index: usize) {
        let mut wanted = None;
        eventually("a replica that has all", PATIENCE, || {
            let (taken, acknowledged) = replicated(&self.replication(index)?)?;
            (acknowledged >= *wanted.get_or_insert(taken)).then_some(())
        });
    }

    /// What each node that lives says of all.
    pub fn views(&self) -> Vec<String> {
        let live = self.nodes.iter().filter(|node| node.program.is_some());
        live.map(|node| node.cluster(&["NODES"])).collect()
    }

    /// Says something about the cluster to the node that was a primary with this index in the
    /// beginning.
    pub fn tell(&self, index: usize, words: &[&str]) -> String {
        self.nodes[index].cluster(words)
    }
}

impl Node {
    fn start(secured: Option<Arc<Secured>>) -> Self {
        let (port, bus_port) = (free_port(), free_port());
        let folder = tempfile::tempdir().unwrap();
        let secured = secured.map(|secured| (free_port(), secured));
        let mut node = Self { port, bus_port, secured, folder, program: None };
        node.launch();
        node
    }

    /// Starts it with what it knows of the cluster.
    fn launch(&mut self) {
        let (port, bus_port) = (self.port.to_string(), self.bus_port.to_string());
        let program = Program::start(
            Command::new(binary())
                .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
                .args(["--cluster-enabled", "yes", "--cluster-port", &bus_port])
                .args(["--cluster-node-timeout", "1000"])
                .args(["--cluster-require-full-coverage", "no"])
                .args(["--appendonly", "yes", "--maxmemory-policy", "noeviction"])
                .args(["--repl-diskless-sync-delay", "0"])
                .args(self.security())
                .arg("--dir")
                .arg(self.folder.path()),
        );
        program.line(PATIENCE, |line| {
            line.to_lowercase().contains("ready to accept connections").then_some(())
        });
        self.program = Some(program);
    }

    fn security(&self) -> Vec<String> {
        let Some((port, secured)) = &self.secured else { return Vec::new() };
        let mut settings = secured.data(*port, "+cluster|shards +asking");
        settings.push("tls-cluster yes".to_owned());
        if secured.announced != "127.0.0.1" {
            settings.push(format!("cluster-announce-hostname {}", secured.announced));
            settings.push("cluster-preferred-endpoint-type hostname".to_owned());
        }
        as_args(settings)
    }

    /// Where the test itself finds it.
    fn url(&self) -> String {
        let user = self.secured.as_ref().map(|(_, secured)| secured.admin()).unwrap_or_default();
        format!("redis://{user}127.0.0.1:{}/0", self.port)
    }

    /// What it answers within a moment; nothing if it is away or refuses.
    fn try_ask(&self, command: &redis::Cmd) -> Option<redis::Value> {
        let client = redis::Client::open(self.url()).unwrap();
        let limit = Duration::from_millis(300);
        let mut redis = client.get_connection_with_timeout(limit).ok()?;
        redis.set_read_timeout(Some(limit)).unwrap();
        command.query(&mut redis).ok()
    }

    /// What it says of its replication.
    fn replication(&self) -> Option<String> {
        let mut info = redis::cmd("INFO");
        info.arg("replication");
        match self.try_ask(&info)? {
            redis::Value::BulkString(text) => String::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Says something about the cluster to this node, and returns its answer as text.
    fn cluster(&self, words: &[&str]) -> String {
        let mut redis = connect(&self.url());
        let answer: redis::Value = redis::cmd("CLUSTER").arg(words).query(&mut redis).unwrap();
        match answer {
            redis::Value::BulkString(text) => String::from_utf8(text).unwrap(),
            redis::Value::SimpleString(text) => text,
            redis::Value::Int(number) => number.to_string(),
            _ => String::new(),
        }
    }
}
