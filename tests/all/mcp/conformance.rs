use std::process::Command;
use std::time::Duration;

use super::{clients::node, layer};
use crate::harness::{Hub, Program, prepared, root};

const SUITE: &str =
    "target/clients/mcp-node/node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// Runs what a revision requires of a server. `expected` names what may fail: the suite complains of
/// anything else, and of what is named and does not fail.
#[track_caller]
pub(super) fn run(url: &str, requirements: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command: Command = node();
    command.arg(prepared(SUITE)).args(["server", "--url", url, "--requirements", requirements]);
    command.arg("--expected-failures").arg(root().join("tests/clients/mcp").join(expected));
    command.arg("-o").arg(folder.path()).args(["--timeout", "20000"]);
    let output = Program::run(&mut command, Duration::from_secs(300));
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
}

#[test]
fn a_hub_fails_only_what_asks_for_the_suites_own_tools() {
    // The suite has no way to send a key.
    let hub = Hub::options().open().start();
    let url = format!("{}/mcp?toolsets=all", hub.url());
    run(&url, "2026-07-28", "product-2026-07-28.yml");
    run(&url, "2025-11-25", "product-2025-11-25.yml");
}

#[test]
fn the_layer_by_itself_does_what_the_suite_asks_of_tools_and_prompts() {
    let url = layer::serve();
    run(&url, "2026-07-28", "layer-2026-07-28.yml");
    run(&url, "2025-11-25", "layer-2025-11-25.yml");
}
