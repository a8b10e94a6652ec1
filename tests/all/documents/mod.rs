//! What the README and the documents show is what happens.
//!
//! Each document gets a hub of its own, and its console blocks are run as one would type them, one
//! command after the other: what they print must be what is shown. A command without output must
//! only succeed. Blocks of another kind (`text`) are not run: there is no Docker, Spin or Kubernetes
//! here, and the longest commands are what these tests run under.

mod compare;
mod named;
mod reference;
mod shown;
mod variables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Hub, root};
use compare::Known;
use shown::Shown;

/// A hub whose key lies, as in the documents, in `.reef` below the folder where one types.
fn hub_and_folder() -> (Hub, tempfile::TempDir) {
    let hub = Hub::start();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(hub.state_dir(), folder.path().join(".reef")).unwrap();
    (hub, folder)
}

/// Where one types, and what the shell knows by then.
struct Shell<'h> {
    hub: &'h Hub,
    folder: &'h Path,
    /// Assignments like `KEY=…`, which last.
    assigned: String,
}

impl Shell<'_> {
    /// Runs a command that must succeed, and returns what it prints.
    fn run(&mut self, command: &str) -> String {
        let command = command.replace("http://127.0.0.1:8888", self.hub.url());
        let binary = root().join("target/release");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&path)));
        let mut shell = Command::new("sh");
        shell.arg("-ec").arg(format!("{}{command}\n", self.assigned)).current_dir(self.folder);
        for name in ["REEF_KEY_FILE", "REEF_API_KEY", "REEF_STATE_DIR", "REDIS_URL", "REDIS_HOST"] {
            shell.env_remove(name);
        }
        // Times are shown in the local zone.
        shell.env("PATH", path.unwrap()).env("REEF_HUB", self.hub.url()).env("TZ", "UTC");
        shell.env("REEF_SPIN_FILE", root().join("spin.toml"));
        // Where contexts are kept, which are nobody else's.
        shell.env("XDG_CONFIG_HOME", self.folder.join("configuration")).env_remove("REEF_CONTEXT");
        let run = shell.output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{command}: {said}");
        if is_assignment(&command) {
            self.assigned.push_str(&command);
            self.assigned.push('\n');
        }
        String::from_utf8(run.stdout).unwrap()
    }
}

/// Whether a command is `NAME=…` and nothing else.
fn is_assignment(command: &str) -> bool {
    let name = command.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// Runs the console blocks of a document.
fn run(document: &Path) {
    let text = fs::read_to_string(document).unwrap();
    let all = shown::commands(&text);
    if all.is_empty() {
        return;
    }
    let (hub, folder) = hub_and_folder();
    let mut shell = Shell { hub: &hub, folder: folder.path(), assigned: String::new() };
    let mut known = Known::default();
    for Shown { command, output } in &all {
        let printed = shell.run(&known.as_here(command));
        if !output.is_empty() {
            let place = format!("{}: {command}", document.display());
            known.assert_same(output, &printed, &place);
        }
    }
}

/// All documents with something to run, or to be looked at: the README, and what `docs/` holds.
fn documents() -> Vec<PathBuf> {
    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|it| it == "md") {
                into.push(path);
            }
        }
    }
    let mut found = vec![root().join("README.md")];
    collect(&root().join("docs"), &mut found);
    found.sort();
    found
}

#[test]
fn the_commands_of_the_readme_do_what_it_shows() {
    let readme = root().join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    assert!(shown::commands(&text).len() >= 20, "the README shows too little");
    run(&readme);
}

#[test]
fn the_commands_of_the_documents_do_what_they_show() {
    let readme = root().join("README.md");
    let others: Vec<_> = documents().into_iter().filter(|path| *path != readme).collect();
    assert!(others.len() > 10, "{others:?}");
    // Each has a hub of its own; two at a time keep the machine usable.
    let (left, right) = others.split_at(others.len() / 2);
    std::thread::scope(|scope| {
        for half in [left, right] {
            scope.spawn(|| half.iter().for_each(|document| run(document)));
        }
    });
}
