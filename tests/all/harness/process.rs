//! Programs that the tests start, listen to, and end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::eventually;

/// What can be done to a process from outside.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Asks it to end.
    Terminate,
    /// Ends it as Ctrl-C does.
    Interrupt,
    /// Ends it without a word.
    Kill,
    /// Freezes it; its sockets stay open and silent.
    Stop,
    /// Lets it go on.
    Continue,
    /// Has it read its files anew.
    HangUp,
}

/// Sends a signal by the shell's own `kill`: the standard library knows only `Kill`, and calling
/// the system directly would need unsafe code.
pub fn signal(pid: u32, signal: Signal) {
    let name = match signal {
        Signal::Terminate => "TERM",
        Signal::Interrupt => "INT",
        Signal::Kill => "KILL",
        Signal::Stop => "STOP",
        Signal::Continue => "CONT",
        Signal::HangUp => "HUP",
    };
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "process {pid} is not there to receive {signal:?}");
}

/// A running program. Dropping it ends it.
pub struct Program {
    child: Child,
    stdout: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<Vec<String>>>,
    stderr_reader: JoinHandle<()>,
}

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// Starts a program with its output captured.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let (sender, stdout) = channel();
        let stderr = Arc::new(Mutex::new(Vec::new()));
        forward_lines(child.stdout.take().unwrap(), sender);
        let stderr_reader = collect_lines(child.stderr.take().unwrap(), Arc::clone(&stderr));
        Self { child, stdout: Mutex::new(stdout), stderr, stderr_reader }
    }

    /// Runs a program to its end, which must come within `patience`.
    pub fn run(command: &mut Command, patience: Duration) -> Output {
        let mut program = Self::start(command);
        let status = program.wait(patience);
        eventually("the end of its output", patience, || {
            program.stderr_reader.is_finished().then_some(())
        });
        let stdout = program.stdout.lock().unwrap().iter().collect::<Vec<_>>().join("\n");
        Output { status, stdout, stderr: program.stderr() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line on standard output in which `pick` finds something.
    pub fn line<T>(&self, patience: Duration, pick: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + patience;
        let lines = self.stdout.lock().unwrap();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(found) = pick(&line) {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no such line within {patience:?}; stderr:\n{}", self.stderr())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended instead; stderr:\n{}", self.stderr())
                }
            }
        }
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().join("\n")
    }

    pub fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let child = &mut self.child;
        eventually("the program's end", patience, || child.try_wait().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let stderr = self.stderr.lock().unwrap();
            let tail = stderr.iter().rev().take(40).rev().cloned().collect::<Vec<_>>().join("\n");
            eprintln!("--- last words of process {}:\n{tail}", self.child.id());
        }
    }
}

fn forward_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // Nobody may be listening any more; the pipe must be emptied all the same.
            let _ = to.send(line);
        }
    });
}

fn collect_lines(
    from: impl Read + Send + 'static,
    into: Arc<Mutex<Vec<String>>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            into.lock().unwrap().push(line);
        }
    })
}
