//! A primary and a replica under three Sentinels that belong to a test.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::process::{Program, Signal};
use super::redis::{binary, connect, cut_off, free_port};
use super::secured::{Secured, as_args};
use super::{PATIENCE, eventually};

/// What a replica says of itself that hears its primary.
const IN_STEP: &str = "master_link_status:up";

/// Two data servers and three Sentinels.
pub struct RedisSentinel {
    data: [Server; 2],
    sentinels: Vec<Server>,
    secured: Option<Arc<Secured>>,
}

/// A server, and how it is started.
struct Server {
    port: u16,
    /// Its port with TLS, and the rest.
    secured: Option<(u16, Arc<Secured>)>,
    folder: tempfile::TempDir,
    program: Option<Program>,
}

impl RedisSentinel {
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Servers that hubs reach by TLS, as users of little power.
    pub fn start_secured(secured: Secured) -> Self {
        Self::start_with(Some(Arc::new(secured)))
    }

    fn start_with(secured: Option<Arc<Secured>>) -> Self {
        let primary = Server::data(secured.clone(), None);
        let replica = Server::data(secured.clone(), Some(primary.announced()));
        eventually("a replica in step", PATIENCE, || {
            replica.info("replication").contains(IN_STEP).then_some(())
        });
        let sentinels: Vec<_> = (0..3).map(|_| Server::sentinel(&primary)).collect();
        for sentinel in &sentinels {
            eventually("Sentinels that know each other and the replica", PATIENCE, || {
                sentinel.info("sentinel").contains("slaves=1,sentinels=3").then_some(())
            });
        }
        Self { data: [primary, replica], sentinels, secured }
    }

    /// The address that names the Sentinels.
    pub fn url(&self) -> String {
        let places = self.sentinels.iter().map(|it| match &it.secured {
            Some((port, secured)) => format!("{}:{port}", secured.certified),
            None => format!("127.0.0.1:{}", it.port),
        });
        let places = places.collect::<Vec<_>>().join(",");
        match &self.secured {
            Some(secured) => format!(
                "rediss+sentinel://{}{places}/hub/0?sentinel_user=seeker&sentinel_password=look",
                secured.user()
            ),
            None => format!("redis+sentinel://{places}/hub/0"),
        }
    }

    /// Who is connected to a data server, as `CLIENT LIST` tells it; and its port with TLS.
    pub fn clients(&self, index: usize) -> (String, u16) {
        let list = redis::cmd("CLIENT").arg("LIST").query(&mut self.connect(index)).unwrap();
        (list, self.data[index].secured.as_ref().unwrap().0)
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

    /// What a data server says of its replication.
    pub fn replication(&self, index: usize) -> Option<String> {
        self.data[index].try_info("replication")
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
    ///
    /// A Sentinel makes a replica of a primary that came back once it has seen it twice, at intervals
    /// of 10 s. One whose own work was held up for 2 s, as by a busy disk, does nothing for 30 s more.
    pub fn until_replica(&self, index: usize) {
        self.until(index, |views| views[index].contains(IN_STEP));
    }

    /// The same of either server: on a busy machine the Sentinels may change the roles once more.
    pub fn until_either_is_replica(&self, index: usize) {
        self.until(index, |views| views.iter().any(|view| view.contains(IN_STEP)));
    }

    fn until(&self, index: usize, holds: impl Fn(&[String; 2]) -> bool) {
        let views =
            || self.data.each_ref().map(|it| it.try_info("replication").unwrap_or_default());
        let start = Instant::now();
        while !holds(&views()) {
            let sentinels = || self.sentinels.iter().map(|it| it.try_info("sentinel"));
            assert!(
                start.elapsed() < 2 * PATIENCE,
                "no replica in step, {index} was away: {:#?} {:#?}",
                views(),
                sentinels().collect::<Vec<_>>()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Server {
    fn new(secured: Option<Arc<Secured>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secured = secured.map(|secured| (free_port(), secured));
        Self { port: free_port(), secured, folder, program: None }
    }

    fn data(secured: Option<Arc<Secured>>, primary: Option<(&str, u16)>) -> Self {
        let mut server = Self::new(secured);
        match primary {
            Some((host, port)) => server.launch(&["--replicaof", host, &port.to_string()]),
            None => server.launch(&[]),
        }
        server
    }

    /// Host and port that others use.
    fn announced(&self) -> (&'static str, u16) {
        let secured = self.secured.as_ref();
        secured.map_or(("127.0.0.1", self.port), |(port, secured)| (secured.announced, *port))
    }

    fn security(&self) -> Vec<String> {
        let Some((port, secured)) = &self.secured else { return Vec::new() };
        let mut settings = secured.data(*port, "+role");
        settings.push(format!("replica-announce-ip {}", secured.announced));
        as_args(settings)
    }

    fn launch(&mut self, args: &[&str]) {
        let program = Program::start(
            Command::new(binary())
                .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
                .args(["--appendonly", "yes", "--maxmemory-policy", "noeviction"])
                .args(["--repl-diskless-sync-delay", "0"])
                .arg("--dir")
                .arg(self.folder.path())
                .args(self.security())
                .args(args),
        );
        program.line(PATIENCE, |line| {
            line.to_lowercase().contains("ready to accept connections").then_some(())
        });
        self.program = Some(program);
    }

    fn sentinel(primary: &Self) -> Self {
        let secured = primary.secured.as_ref().map(|(_, secured)| Arc::clone(secured));
        let mut server = Self::new(secured);
        let file = server.folder.path().join("sentinel.conf");
        let mut settings = Vec::new();
        let mut watching = String::new();
        if let Some((port, secured)) = &server.secured {
            settings = secured.sentinel(*port);
            watching = secured.watching();
        }
        let (host, port) = primary.announced();
        settings.push(format!(
            "sentinel monitor hub {host} {port} 2\nsentinel down-after-milliseconds hub 1000\n\
             sentinel failover-timeout hub 3000\n{watching}"
        ));
        std::fs::write(&file, settings.join("\n")).unwrap();
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
        let user = self.secured.as_ref().map(|(_, secured)| secured.admin()).unwrap_or_default();
        format!("redis://{user}127.0.0.1:{}/0", self.port)
    }

    fn info(&self, section: &str) -> String {
        redis::cmd("INFO").arg(section).query(&mut connect(&self.url())).unwrap()
    }

    /// The same of one that may be away.
    fn try_info(&self, section: &str) -> Option<String> {
        let client = redis::Client::open(self.url()).unwrap();
        let limit = Duration::from_millis(300);
        let mut redis = client.get_connection_with_timeout(limit).ok()?;
        redis.set_read_timeout(Some(limit)).unwrap();
        redis::cmd("INFO").arg(section).query(&mut redis).ok()
    }
}
