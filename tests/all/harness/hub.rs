//! Hubs that belong to a test: `reef` as a process, with a state directory of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use super::client::Client;
use super::cluster::RedisCluster;
use super::process::{Program, Signal};
use super::redis::{RedisServer, connect};
use super::{PATIENCE, prepared, root};

/// What a `reef` process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, with a Redis of its own unless one is given.
    Up,
    /// The components and the cron trigger over a given Redis.
    Serve,
    /// The monitor alone beside a given Redis.
    Monitor,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Serve => "serve",
            Self::Monitor => "monitor",
        }
    }
}

/// How a hub is to be started.
#[derive(Clone)]
pub struct HubOptions {
    role: Role,
    listen: String,
    open: bool,
    redis_url: Option<String>,
    spin_file: PathBuf,
    args: Vec<String>,
    envs: Vec<(String, String)>,
}

impl HubOptions {
    /// Anonymous callers may do all that is not about money.
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Listens at this address.
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = address.to_owned();
        self
    }

    /// Uses this server instead of a private one.
    pub fn redis(mut self, server: &RedisServer) -> Self {
        self.redis_url = Some(server.url());
        self
    }

    /// Uses what is at this address.
    pub fn redis_at(mut self, url: &str) -> Self {
        self.redis_url = Some(url.to_owned());
        self
    }

    /// Uses this cluster, in the layout that it needs.
    pub fn redis_cluster(mut self, cluster: &RedisCluster) -> Self {
        self.redis_url = Some(cluster.url());
        self.variable("key_layout", "cluster")
    }

    /// Serves another manifest than the project's.
    pub fn spin_file(mut self, path: &Path) -> Self {
        self.spin_file = path.to_path_buf();
        self
    }

    /// Sets a variable of the manifest.
    pub fn variable(self, name: &str, value: &str) -> Self {
        self.arg("--variable").arg(&format!("{name}={value}"))
    }

    /// Nodes are offline after this many seconds without a heartbeat.
    pub fn timeout(self, seconds: f64) -> Self {
        self.variable("heartbeat_timeout_seconds", &seconds.to_string())
    }

    /// Sets an environment variable for the process.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.envs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds an argument to the command line.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Starts the hub and waits until it serves.
    pub fn start(self) -> Hub {
        let state = tempfile::tempdir().unwrap();
        share_compiled_code(state.path());
        Hub::launch(self, state)
    }

    /// The command that starts it, for tests of how that fails.
    pub fn command(&self, state_dir: &Path) -> Command {
        let mut command = reef();
        command.arg(self.role.name()).args(["--listen", &self.listen]);
        command.arg("--spin-file").arg(&self.spin_file);
        if self.role != Role::Monitor {
            command.arg("--state-dir").arg(state_dir);
            command.args(["--auth-mode", if self.open { "open" } else { "keys" }]);
        }
        if self.role == Role::Serve {
            let key_file = state_dir.join("given.key");
            std::fs::write(&key_file, "a-key-that-only-this-test-knows\n").unwrap();
            command.arg("--admin-key-file").arg(key_file);
        }
        if let Some(url) = &self.redis_url {
            command.args(["--redis-url", url]);
        }
        command.args(&self.args);
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The host's binary, without the settings that the developer's shell may hold for it.
pub fn reef() -> Command {
    let mut command = Command::new(prepared("target/release/reef"));
    // It serves these, one for each folder of `components/`.
    for component in std::fs::read_dir(root().join("components")).unwrap() {
        let name = component.unwrap().file_name().to_str().unwrap().replace('-', "_");
        prepared(&format!("target/wasm32-wasip2/component/{name}.wasm"));
    }
    for (name, _) in std::env::vars() {
        if ["REEF_", "SPIN_", "REDIS_", "CLAWSTER_"].iter().any(|it| name.starts_with(it)) {
            command.env_remove(name);
        }
    }
    command
}

/// A running hub. Dropping it ends it and its private Redis.
pub struct Hub {
    options: HubOptions,
    /// Nothing while it is down.
    program: Option<Program>,
    url: String,
    state: tempfile::TempDir,
}

impl Hub {
    /// A hub with nothing special about it, and keys on.
    pub fn start() -> Self {
        Self::options().start()
    }

    pub fn options() -> HubOptions {
        HubOptions {
            role: Role::Up,
            listen: "127.0.0.1:0".to_owned(),
            open: false,
            redis_url: None,
            spin_file: root().join("spin.toml"),
            args: Vec::new(),
            envs: Vec::new(),
        }
    }

    fn launch(options: HubOptions, state: tempfile::TempDir) -> Self {
        let mut hub = Self { options, program: None, url: String::new(), state };
        hub.start_again();
        hub
    }

    /// Starts it where it was (though on another port) with the state it had.
    pub fn start_again(&mut self) {
        let program = Program::start(&mut self.options.command(self.state.path()));
        // The first start of all compiles the components to machine code.
        let patience = Duration::from_secs(120);
        self.url = program.line(patience, |line| {
            line.split_once("Serving ").map(|(_, url)| url.trim().to_owned())
        });
        self.program = Some(program);
    }

    /// Starts it again at the address where it was, for callers that know no other.
    pub fn start_again_there(&mut self) {
        self.options.listen = self.anonymous().address().to_owned();
        self.start_again();
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    pub fn admin_key(&self) -> String {
        let name = if self.options.role == Role::Serve { "given.key" } else { "admin.key" };
        std::fs::read_to_string(self.state.path().join(name)).unwrap().trim().to_owned()
    }

    /// A caller with the admin key.
    pub fn admin(&self) -> Client {
        self.anonymous().with_key(&self.admin_key())
    }

    /// A caller without a key.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// What it wrote to its log so far.
    pub fn log(&self) -> String {
        self.program.as_ref().map(Program::stderr).unwrap_or_default()
    }

    /// Kills it with SIGKILL; its private Redis may live on.
    pub fn kill(&mut self) {
        self.program = None;
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.program.as_ref().unwrap().signal(Signal::Terminate);
    }

    /// Makes it stop where it is, with all connections open.
    pub fn freeze(&self) {
        self.program.as_ref().unwrap().signal(Signal::Stop);
    }

    /// Ends `freeze`.
    pub fn thaw(&self) {
        self.program.as_ref().unwrap().signal(Signal::Continue);
    }

    /// Has it read its certificate anew.
    pub fn reload(&self) {
        self.program.as_ref().unwrap().signal(Signal::HangUp);
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.program.as_mut().unwrap().wait(PATIENCE);
        self.program = None;
        status
    }

    /// A connection to its private Redis.
    pub fn private_redis(&self) -> redis::Connection {
        let socket = self.private_socket().expect("no private Redis");
        connect(&format!("unix://{}", socket.display()))
    }

    /// The process of its private Redis.
    pub fn private_redis_pid(&self) -> u32 {
        self.try_private_redis_pid().expect("no private Redis answers")
    }

    /// The process of its private Redis, if that answers.
    pub fn try_private_redis_pid(&self) -> Option<u32> {
        let client = redis::Client::open(format!("unix://{}", self.private_socket()?.display()));
        let mut redis = client.ok()?.get_connection().ok()?;
        let info: String = redis::cmd("INFO").arg("server").query(&mut redis).ok()?;
        info.lines().find_map(|line| line.strip_prefix("process_id:"))?.trim().parse().ok()
    }

    fn private_socket(&self) -> Option<PathBuf> {
        find(self.state.path(), &|path| path.extension().is_some_and(|it| it == "sock"))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.program = None;
        // A killed hub leaves its Redis behind for its successor. Here there is none.
        if let Some(socket) = self.private_socket()
            && let Ok(client) = redis::Client::open(format!("unix://{}", socket.display()))
            && let Ok(mut redis) = client.get_connection()
        {
            let _ = redis::cmd("SHUTDOWN").arg("NOSAVE").query::<()>(&mut redis);
        }
    }
}

/// The first file below a folder that is wanted.
fn find(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find_map(|path| {
        if wanted(&path) {
            Some(path)
        } else if path.is_dir() && !path.is_symlink() {
            find(&path, wanted)
        } else {
            None
        }
    })
}

/// Lets all hubs of the tests use one cache of compiled code, so that each starts at once.
fn share_compiled_code(state_dir: &Path) {
    let shared = root().join("target/fixtures/compiled");
    std::fs::create_dir_all(&shared).unwrap();
    // A hub refuses a directory that others can write.
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(&shared, state_dir.join("cache")).unwrap();
}
