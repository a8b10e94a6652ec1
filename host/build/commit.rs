//! From which commit the host is built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What goes into the host, below the workspace's root. A change anywhere else does not make it
/// another program.
const SOURCES: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "components",
    "crates",
    "host",
    "openapi.json",
    "spin.toml",
    "wit",
];

/// In a tree that `git archive` has made, this file names its commit.
const ARCHIVED: &str = "host/build/archived";

/// The commit, with `-dirty` where the sources differ from it; `unknown` where nobody can tell.
/// Whoever builds from something else sets `REEF_COMMIT`.
pub(crate) fn commit(root: &Path) -> String {
    println!("cargo::rerun-if-env-changed=REEF_COMMIT");
    let given = env::var("REEF_COMMIT").ok().filter(|given| !given.is_empty());
    given
        .or_else(|| of_git(root))
        .or_else(|| archived(root))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn of_git(root: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        // Somebody may be committing meanwhile.
        git.current_dir(root).args(args).env("GIT_OPTIONAL_LOCKS", "0");
        let output = git.output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_owned())
    };
    // A tree without a repository of its own may lie within another's.
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    // The second one grows with every commit, checkout and reset; a path that is not there would
    // have this run each time.
    for name in ["HEAD", "logs/HEAD"] {
        let file = root.join(git(&["rev-parse", "--git-path", name])?);
        if file.exists() {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    for name in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(name).display());
    }
    let mut status = vec!["status", "--porcelain", "--untracked-files=all", "--"];
    status.extend(SOURCES);
    let mark = if git(&status)?.is_empty() { "" } else { "-dirty" };
    Some(git(&["rev-parse", "HEAD"])? + mark)
}

fn archived(root: &Path) -> Option<String> {
    let file = root.join(ARCHIVED);
    println!("cargo::rerun-if-changed={}", file.display());
    let text = std::fs::read_to_string(file).ok()?;
    let commit = text.trim();
    let is_commit = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| commit.to_owned())
}
