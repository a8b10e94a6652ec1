use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::clients::node;
use super::layer;
use crate::harness::{Hub, Program, prepared, root};

const SUITE: &str = "target/clients/mcp-node/node_modules/@modelcontextprotocol/conformance";

/// Runs what a revision requires of a server. A file of expected failures names what may fail: the suite
/// complains of anything else, and of what is named and does not fail.
#[track_caller]
fn run(url: &str, what: &str, requirements: &str) {
    let suite = prepared(SUITE);
    let expected = root().join(format!("tests/clients/mcp/{what}-{requirements}.yml"));
    let folder = tempfile::tempdir().unwrap();
    let mut command: Command = node();
    command.arg(suite.join("dist/index.js"));
    command.args(["server", "--url", url, "--requirements", requirements]);
    command.arg("--expected-failures").arg(&expected);
    command.arg("-o").arg(folder.path()).args(["--timeout", "20000"]);
    let output = Program::run(&mut command, Duration::from_secs(300));
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);

    // It has seen to it that exactly those fail that are named. What it runs beyond the requirements
    // counts for nothing.
    let scenarios = |file| {
        let text = fs::read_to_string(file).unwrap();
        let all: Value = serde_norway::from_str(&text).unwrap();
        let named = all["server"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        named.map(|it| it.split(':').next().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let required = scenarios(suite.join(format!("requirements/{requirements}.yaml")));
    for name in &required {
        assert!(output.stdout.contains(&format!(" {name}: ")), "{name}: {}", output.stdout);
    }
    let (all, fail) = (required.len(), scenarios(expected).len());
    println!("{what}, {requirements}: {} of {all} scenarios pass", all - fail);
}

#[test]
fn a_hub_fails_only_what_asks_for_the_suites_own_tools() {
    // The suite has no way to send a key.
    let hub = Hub::options().open().start();
    let url = format!("{}/mcp?toolsets=all", hub.url());
    run(&url, "product", "2026-07-28");
    run(&url, "product", "2025-11-25");
}

#[test]
fn the_layer_by_itself_does_what_the_suite_asks_of_tools_and_prompts() {
    let url = layer::serve();
    run(&url, "layer", "2026-07-28");
    run(&url, "layer", "2025-11-25");
}
