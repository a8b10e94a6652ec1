//! A machine without a Redis: what is said, and what is done about it. Its package manager is one
//! of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Hub, PATIENCE, Program, reef};

/// The only folder of a machine's PATH.
struct Machine(tempfile::TempDir);

impl Machine {
    /// What `apt-get install` does there is said in the words of a shell.
    fn new(installs: &str) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.installs(installs);
        // Who is not root needs it.
        machine.program("sudo", "exec \"$@\"");
        machine
    }

    fn installs(&self, how: &str) {
        self.program("apt-get", &format!("case \"$*\" in update*) exit 0;; esac\n{how}"));
    }

    fn program(&self, name: &str, script: &str) {
        let file = self.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn path_text(&self) -> String {
        self.path().display().to_string()
    }

    /// `reef up` there, in a folder of its own.
    fn up(&self, args: &[&str]) -> Command {
        let options = Hub::options().env("PATH", &self.path_text());
        let mut command = options.command(&self.path().join("state"));
        command.args(args);
        command
    }
}

/// Where this machine has its server.
fn redis_server() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut files = std::env::split_paths(&path).map(|folder| folder.join("redis-server"));
    files.find(|file| file.is_file()).unwrap()
}

/// An `apt-get install` that works.
fn works(machine: &Path) -> String {
    format!("/bin/ln -s {} {}/redis-server", redis_server().display(), machine.display())
}

#[test]
fn without_one_it_is_said_what_to_install_here() {
    let machine = Machine::new("exit 1");
    let refused = Program::run(&mut machine.up(&[]), PATIENCE);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    for said in
        ["install -y -q --no-install-recommends redis-server`", "--install-redis", "--redis-url"]
    {
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    // Nobody sits there, and so nobody is asked.
    assert!(!refused.stderr.contains("Install it now"), "{refused:?}");
    let mut doctor = reef();
    doctor.args(["doctor", "--hub", "http://127.0.0.1:1"]).env("PATH", machine.path());
    let doctor = Program::run(doctor.current_dir(machine.path()), PATIENCE);
    assert!(doctor.stdout.contains("apt-get install"), "{doctor:?}");

    fs::remove_file(machine.path().join("apt-get")).unwrap();
    let refused = Program::run(&mut machine.up(&["--install-redis"]), PATIENCE);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("nothing can be installed here"), "{refused:?}");
}

#[test]
fn it_is_installed_where_that_is_asked_for() {
    let machine = Machine::new("");
    let options = Hub::options().env("PATH", &machine.path_text());
    // It says that it did, and there is none.
    let lies = Program::run(&mut machine.up(&["--install-redis"]), PATIENCE);
    assert_eq!(lies.status.code(), Some(1), "{lies:?}");
    assert!(lies.stderr.contains("still neither"), "{lies:?}");

    machine.program("apt-get", "echo from the mirror; echo E: no network >&2; exit 100");
    let fails = Program::run(&mut machine.up(&["--install-redis"]), PATIENCE);
    assert_eq!(fails.status.code(), Some(1), "{fails:?}");
    for said in ["apt-get update -q", "from the mirror", "E: no network", "100"] {
        assert!(fails.stderr.contains(said), "{said}: {fails:?}");
    }

    machine.installs(&works(machine.path()));
    let hub = options.arg("--install-redis").start();
    hub.admin().new_node("first");
    assert!(hub.log().contains("apt-get install"), "{}", hub.log());
}

/// Runs a command on a terminal, types once it is asked, and ends it once it serves.
const AT_A_TERMINAL: &str = r#"
import os, pty, signal, sys
typed, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    # Python itself was found by the test's own PATH.
    os.environ["PATH"] = os.environ["MACHINE"]
    os.execv(command[0], command)
said, asked, over = b"", False, False
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    said += read
    if b"Type y" in said and not asked:
        asked = True
        os.write(terminal, typed.encode() + b"\n")
    if b"reef events tail" in said and not over:
        over = True
        os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
sys.stdout.write(said.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(status))
"#;

/// What `reef up` says at a terminal where somebody answers its question so.
fn answered(machine: &Machine, answer: &str) -> crate::harness::Output {
    let up = machine.up(&[]);
    let mut python = Command::new("python3");
    python.args(["-c", AT_A_TERMINAL, answer]).arg(up.get_program()).args(up.get_args());
    python.env("MACHINE", machine.path());
    for (name, value) in up.get_envs().filter(|(name, _)| *name != "PATH") {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    Program::run(&mut python, PATIENCE * 4)
}

#[test]
fn who_sits_at_a_terminal_is_asked_and_told_how_to_go_on() {
    let machine = Machine::new("");
    machine.installs(&works(machine.path()));
    for no in ["", "n", "maybe"] {
        let refused = answered(&machine, no);
        assert_eq!(refused.status.code(), Some(2), "{no}: {refused:?}");
        assert!(refused.stdout.contains("Install it now?"), "{refused:?}");
    }
    let yes = answered(&machine, "y");
    assert_eq!(yes.status.code(), Some(0), "{yes:?}");
    for said in ["$ ", "apt-get install", "#sign-in=reef_link_admin.", "reef agents register alice"]
    {
        assert!(yes.stdout.contains(said), "{said}: {yes:?}");
    }
}
