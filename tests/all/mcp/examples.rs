use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Hub, Program, prepared, root};

const PATIENCE: Duration = Duration::from_secs(60);

fn example(name: &str) -> Command {
    let mut command = Command::new(prepared("target/clients/mcp-python/bin/python"));
    command.arg(root().join("examples/mcp").join(name));
    command
}

#[test]
fn a_worker_claims_and_finishes_what_there_is() {
    let hub = Hub::start();
    let admin = hub.admin();
    let task = admin
        .post(
            "/tasks",
            &json!({"name": "count", "required_skills": ["count-words"],
                "parameters": {"text": "one two three"}}),
        )
        .ok();
    let agent = admin.new_agent();
    let mut command = example("worker.py");
    command.args([&format!("{}/mcp", hub.url()), "--once"]).env("REEF_API_KEY", &agent.key);
    let output = Program::run(&mut command, PATIENCE);
    assert!(output.status.success(), "{output:?}");
    let task = admin.get(&format!("/tasks/{}", task["task_id"].as_str().unwrap())).ok();
    assert_eq!(task["result"], json!({"words": 3}), "{output:?}");
    assert_eq!(task["assigned_node"], agent.id);
}

#[test]
fn two_agents_share_work_and_one_pays_the_other() {
    let hub = Hub::start();
    let (alice, bob) = (hub.admin().new_agent(), hub.admin().new_agent());
    alice.client.post("/deposit", &json!({"agent_id": alice.id, "amount": "10"})).ok();
    let mut command = example("two_agents.py");
    command.arg(format!("{}/mcp", hub.url()));
    let output =
        Program::run(command.env("ALICE_KEY", &alice.key).env("BOB_KEY", &bob.key), PATIENCE);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, "result: guten Morgen\nleft: 7.5");
    let balance = bob.client.get(&format!("/balance/{}", bob.id)).ok();
    assert_eq!(balance["available"], "2.5");
}
