//! The commands that talk to a hub, as people and programs use them: what they print, and what
//! they exit with.

mod agent;
mod agents_of_one_name;
mod audit;
mod checks;
mod collab;
mod config;
mod contexts;
mod demo;
mod failures;
mod guards;
mod history;
mod hostile;
mod inbox_and_events;
mod ledger;
mod ledger_audit;
mod locks;
mod logs;
mod many_tasks;
mod measured;
mod messages;
mod no_redis;
mod old_data;
mod reef_toml;
mod schedules;
mod sessions;
mod tails;
mod turns;
mod upkeep;
mod usage;
mod waits;
mod worker;

use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

use crate::harness::{Hub, PATIENCE, Signal, eventually, reef, signal};

/// A shell's settings: which hub, and which key.
struct Shell {
    /// Where one types.
    folder: tempfile::TempDir,
    envs: Vec<(&'static str, String)>,
}

impl Shell {
    /// Asks this hub, with its admin key.
    fn of(hub: &Hub) -> Self {
        let key_file = hub.state_dir().join("admin.key").display().to_string();
        Self::at(hub.url()).with("REEF_KEY_FILE", &key_file)
    }

    /// Asks the hub at this address, without a key.
    fn at(url: &str) -> Self {
        let shell = Self { folder: tempfile::tempdir().unwrap(), envs: Vec::new() };
        shell.with("REEF_HUB", url)
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.envs.push((name, value.to_owned()));
        self
    }

    /// Starts `reef` with these arguments.
    fn start(&self, args: &[&str]) -> Running {
        let output = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Running { child, output }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = reef();
        // Times are shown in the local zone.
        command.args(args).current_dir(self.folder.path()).env("TZ", "UTC");
        // Contexts are the test's own.
        command.env("XDG_CONFIG_HOME", self.folder.path().join("configuration"));
        command.env_remove("NO_COLOR").envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `reef` with these arguments to its end.
    fn run(&self, args: &[&str]) -> Ended {
        self.start(args).wait()
    }

    /// Runs a command that must succeed, and returns what it prints.
    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended.stdout
    }

    /// Runs a command with `--json` that must succeed, and returns what it prints.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let printed = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// Makes a session with a question in it, and returns the session and the open answer.
    fn conversation(&self) -> (String, String) {
        let session = crate::harness::unique("s");
        let sent = self.json(&["messages", "send", &session, "A question?", "--create"]);
        (session, sent["assistant_message_id"].as_str().unwrap().to_owned())
    }
}

/// A command that runs. Dropping it ends it.
struct Running {
    child: Child,
    output: tempfile::TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Running {
    /// Its standard input; dropping it is the end of it.
    fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    fn stdout(&self) -> String {
        self.printed("stdout")
    }

    fn stderr(&self) -> String {
        self.printed("stderr")
    }

    fn printed(&self, name: &str) -> String {
        let bytes = fs::read(self.output.path().join(name)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn signal(&self, what: Signal) {
        signal(self.child.id(), what);
    }

    /// Waits until its standard output holds this.
    fn until_printed(&self, text: &str) {
        eventually(&format!("{text:?} in the output"), PATIENCE, || {
            self.stdout().contains(text).then_some(())
        });
    }

    /// Waits until it has said this on standard error.
    fn until_said(&self, text: &str) {
        eventually(&format!("{text:?} on standard error"), PATIENCE, || {
            self.stderr().contains(text).then_some(())
        });
    }

    /// Waits for its end.
    fn wait(mut self) -> Ended {
        drop(self.child.stdin.take());
        let child = &mut self.child;
        let status = eventually("the command's end", PATIENCE, || child.try_wait().unwrap());
        Ended { code: status.code(), stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a text piece by piece, so that each is a read of its own or a part of one.
fn feed(input: &mut ChildStdin, pieces: impl IntoIterator<Item = String>) {
    for piece in pieces {
        input.write_all(piece.as_bytes()).unwrap();
        input.flush().unwrap();
    }
}
