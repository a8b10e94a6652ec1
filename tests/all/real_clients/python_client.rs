//! `clients/python`, the client that Reef brings: its own tests, in the environment of theirs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Program, prepared, root};

/// The suite takes a minute, and the machine may be compiling.
const PATIENCE: Duration = Duration::from_secs(600);

fn folder() -> PathBuf {
    root().join("clients/python")
}

/// The interpreter, which leaves nothing in the source tree.
fn python() -> Command {
    let mut python = Command::new(prepared("target/clients/python/bin/python"));
    python.current_dir(folder()).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

#[test]
fn the_suite_passes() {
    let path = std::env::join_paths([folder().join("src"), folder().join("tests")]).unwrap();
    let output = Program::run(
        python()
            .args(["-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--durations=5"])
            .env("PYTHONPATH", path)
            .env("REEF_BIN", prepared("target/release/reef")),
        PATIENCE,
    );
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
    // A run that has tested nothing would be a success, too.
    let passed = output.stdout.lines().last().and_then(|line| line.split(" passed").next());
    let passed = passed.and_then(|before| before.rsplit(' ').next()?.parse().ok());
    assert!(passed.is_some_and(|passed: usize| passed >= 70), "{}", output.stdout);
}

#[test]
fn its_types_and_its_reference_are_generated() {
    for tool in ["tools/generate_types.py", "tools/generate_reference.py"] {
        let mut python = python();
        python.arg(tool);
        if std::env::var_os("REEF_WRITE_GENERATED").is_none() {
            python.arg("--check");
        }
        let output = Program::run(&mut python, PATIENCE);
        assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
    }
}
