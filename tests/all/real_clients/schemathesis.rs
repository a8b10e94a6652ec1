//! `openapi.json` against a hub, by whoever takes it at its word.

use std::process::Command;
use std::time::Duration;

use crate::harness::{Hub, Program, root};

/// The run takes half a minute, and the machine may be compiling.
const PATIENCE: Duration = Duration::from_secs(240);

#[test]
fn schemathesis_finds_nothing() {
    let hub = Hub::start();
    let folder = root().join("tests/clients/schemathesis");
    let program = root().join("target/clients/python/bin/st");
    let output = Program::run(
        Command::new(program)
            .current_dir(hub.state_dir())
            .env("PYTHONPATH", &folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg("--config-file")
            .arg(folder.join("schemathesis.toml"))
            .arg("run")
            .arg(root().join("openapi.json"))
            .args(["--url", hub.url(), "--no-color"])
            .args(["--header", &format!("Authorization: Bearer {}", hub.admin_key())]),
        PATIENCE,
    );
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
    // A run that has tested nothing would be a success, too.
    assert!(output.stdout.contains("Tested: 99"), "{}", output.stdout);
}
