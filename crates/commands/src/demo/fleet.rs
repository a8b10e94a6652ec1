//! The hub and the workers, each a process of its own, and how they end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reef_client::{Hub, Secret};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::Demo;
use crate::failure::Failure;
use crate::output::aside;

/// How long the hub may take to serve: the first time it compiles the components.
const HUB_START: Duration = Duration::from_secs(180);
/// How long a process may take to end when it is asked to. Then it is killed.
const STOP: Duration = Duration::from_secs(40);
/// After which silence the demo's hub marks a node offline, in seconds: soon, because somebody
/// waits for it.
const NODE_TIMEOUT: &str = "3";
/// How much of a log is shown when something went wrong.
const LOG_LINES: usize = 15;

/// All processes of the demo, and the folder that holds what they make.
#[derive(Debug)]
pub(super) struct Fleet {
    folder: TempDir,
    program: PathBuf,
    listen: String,
    /// `None`: what the program carries.
    spin_file: Option<PathBuf>,
    hub: Option<Child>,
    workers: Vec<Worker>,
}

/// An agent's worker.
#[derive(Debug)]
struct Worker {
    name: String,
    process: Child,
}

impl Fleet {
    /// Nothing runs yet.
    ///
    /// # Errors
    /// The manifest is not there, or no folder can be made.
    pub(super) fn new(demo: &Demo) -> Result<Self, Failure> {
        let here = Some(Path::new("spin.toml")).filter(|file| file.exists());
        // The hub looks from another folder.
        let spin_file = demo.spin_file.as_deref().or(here).map(|file| {
            file.canonicalize().map_err(|error| {
                let file = file.display();
                Failure::Usage(format!(
                    "the manifest {file} cannot be read ({error}); name another with --spin-file"
                ))
            })
        });
        let spin_file = spin_file.transpose()?;
        let folder = tempfile::Builder::new().prefix("reef-demo-").tempdir().map_err(cannot)?;
        let fleet = Self {
            folder,
            program: std::env::current_exe().map_err(cannot)?,
            listen: demo.listen.clone(),
            spin_file,
            hub: None,
            workers: Vec::new(),
        };
        fs::create_dir(fleet.hub_dir()).map_err(cannot)?;
        if let Ok(compiled) = demo.state_dir.join("cache").canonicalize() {
            std::os::unix::fs::symlink(compiled, fleet.hub_dir().join("cache")).map_err(cannot)?;
        }
        Ok(fleet)
    }

    fn hub_dir(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    /// The file with the admin key.
    pub(super) fn admin_key(&self) -> PathBuf {
        self.hub_dir().join("admin.key")
    }

    /// The file with an agent's key.
    pub(super) fn key_of(&self, agent: &str) -> PathBuf {
        self.folder.path().join(format!("{agent}.key"))
    }

    /// Starts the hub and waits until it serves.
    ///
    /// # Errors
    /// [`Failure::Failed`] if it ends instead, or takes too long.
    pub(super) async fn start_hub(&mut self) -> Result<Hub, Failure> {
        let mut command = self.command("hub")?;
        command.args(["up", "--listen", &self.listen]);
        command.arg("--state-dir").arg(self.hub_dir());
        if let Some(file) = &self.spin_file {
            command.arg("--spin-file").arg(file);
        }
        command.args(["--variable", &format!("heartbeat_timeout_seconds={NODE_TIMEOUT}")]);
        let mut hub = command.stdout(Stdio::piped()).spawn().map_err(cannot)?;
        let said = hub.stdout.take();
        self.hub = Some(hub);
        let failed = |why: &str| Failure::Failed(format!("the demo's hub {why}"));
        let said = said.ok_or_else(|| failed("has no output"))?;
        let mut lines = BufReader::new(said).lines();
        let url = timeout(HUB_START, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(url) = line.strip_prefix("Serving ") {
                    return Some(url.to_owned());
                }
            }
            None
        });
        let url = url.await.map_err(|_| failed("did not serve in time"))?;
        let url = url.ok_or_else(|| failed("has ended before it served"))?;
        // What else it prints must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Hub::new(&url, Some(Secret::read(&self.admin_key())?))?)
    }

    /// Starts the worker of an agent, which runs a shell script for each task.
    pub(super) fn start_worker(
        &mut self,
        hub: &Hub,
        agent: &str,
        script: &str,
    ) -> Result<(), Failure> {
        let mut command = self.command(agent)?;
        command.args(["worker", "--hub", hub.address(), "--hostname", agent, "--skill", "demo"]);
        command.arg("--key-file").arg(self.key_of(agent));
        command.arg("--state-dir").arg(self.folder.path().join(agent));
        command.args(["--drain-timeout", "1", "--exec", "sh", "-c", script]);
        let process = command.stdout(Stdio::null()).spawn().map_err(cannot)?;
        self.workers.push(Worker { name: agent.to_owned(), process });
        Ok(())
    }

    /// Kills the worker of an agent with SIGKILL, and returns its process id.
    pub(super) async fn kill_worker(&mut self, agent: &str) -> Result<u32, Failure> {
        let found = self.workers.iter_mut().find(|worker| worker.name == agent);
        let worker = found.ok_or_else(|| Failure::Failed(format!("{agent} does not run")))?;
        let id = worker.process.id().unwrap_or_default();
        worker.process.kill().await.map_err(cannot)?;
        Ok(id)
    }

    /// A command of this program in the demo's folder, apart from what the shell has set for it.
    /// It gets no signals of the terminal: who ends when is decided here.
    fn command(&self, name: &str) -> Result<Command, Failure> {
        let log = File::create(self.log(name)).map_err(cannot)?;
        let mut command = Command::new(&self.program);
        for (variable, _) in std::env::vars_os() {
            let text = variable.to_string_lossy();
            if ["REEF_", "SPIN_", "REDIS_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&variable);
            }
        }
        command.stdin(Stdio::null()).stderr(log).current_dir(self.folder.path());
        command.process_group(0).kill_on_drop(true);
        Ok(command)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// Shows the ends of all logs.
    pub(super) fn show_logs(&self) {
        let names = self.workers.iter().map(|worker| worker.name.as_str());
        for name in std::iter::once("hub").chain(names) {
            let log = last_lines(&self.log(name));
            if !log.is_empty() {
                aside(&format!("the end of the log of {name}:"));
                log.lines().for_each(aside);
            }
        }
    }

    /// Ends everything: the workers first, the hub, which stops its Redis, last.
    pub(super) async fn stop(mut self) {
        for worker in &self.workers {
            ask_to_end(&worker.process);
        }
        for worker in &mut self.workers {
            until_gone(&mut worker.process).await;
        }
        if let Some(hub) = &mut self.hub {
            ask_to_end(hub);
            until_gone(hub).await;
        }
    }
}

/// Sends SIGTERM to a process that has not ended yet.
fn ask_to_end(process: &Child) {
    let id = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id {
        // It fails only if the process has just ended, which is what is wanted.
        let _ = kill_process(id, Signal::TERM);
    }
}

async fn until_gone(process: &mut Child) {
    if timeout(STOP, process.wait()).await.is_err() {
        // Nothing sensible is left to do when that fails, too.
        let _ = process.kill().await;
    }
}

fn last_lines(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

/// Something that this machine does not let us do.
pub(super) fn cannot(error: std::io::Error) -> Failure {
    Failure::Failed(format!("the demo cannot go on: {error}"))
}
