//! `reef waits`, `reef groups`, `reef tasks batch | signal`, and a worker whose command waits.

use std::fs;

use super::Shell;
use crate::harness::Hub;

#[test]
fn a_question_is_found_shown_and_decided() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let submit = ["tasks", "submit", "pay", "--approval", "Pay 120 EUR?", "--skill", "pay"];
    let task = shell.json(&submit);
    let (task_id, wait) = (task["task_id"].as_str().unwrap(), task["wait_id"].as_str().unwrap());
    let list = shell.ok(&["waits", "list", "--kind", "approval"]);
    assert!(list.starts_with("WAIT ") && list.contains("Pay 120 EUR?"), "{list}");
    let shown = shell.ok(&["waits", "show", wait]);
    assert!(shown.contains("approve (Approve), reject (Reject)"), "{shown}");
    assert!(shell.ok(&["tasks", "show", task_id]).contains(wait));
    let why = shell.ok(&["tasks", "why", task_id]);
    assert!(why.contains("Somebody has to decide"), "{why}");
    let wrong = shell.run(&["waits", "answer", wait, "later"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("approve"), "{wrong:?}");
    let said = shell.ok(&["waits", "approve", wait, "--value", "{\"amount\": 100}"]);
    assert!(said.ends_with("is answered\n"), "{said}");
    let shown = shell.ok(&["waits", "show", wait]);
    assert!(shown.contains(r#"{"amount":100}"#) || shown.contains(r#"{"amount": 100}"#), "{shown}");
    let late = shell.run(&["waits", "reject", wait]);
    assert_eq!(late.code, Some(1), "{late:?}");
    assert_eq!(shell.run(&["waits", "list"]).stderr, "nothing is waited for\n");
}

#[test]
fn a_flow_is_submitted_from_a_file_and_watched_as_a_group() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let file = shell.folder.path().join("flow.json");
    let flow = r##"{"group": {"name": "daily"}, "tasks": [
        {"name": "fetch", "required_skills": ["web"]},
        {"name": "sum up", "required_skills": ["llm"], "after": [{"task": "#0"}]}]}"##;
    fs::write(&file, flow).unwrap();
    let made = shell.json(&["tasks", "batch", file.to_str().unwrap()]);
    let group = made["group_id"].as_str().unwrap();
    let said = shell.ok(&["groups", "show", group]);
    assert!(said.contains("daily") && said.contains("open"), "{said}");
    let tasks = shell.ok(&["groups", "tasks", group]);
    assert!(tasks.contains("fetch") && tasks.contains("waiting"), "{tasks}");
    let first = made["tasks"][0]["task_id"].as_str().unwrap();
    let said = shell.ok(&["tasks", "signal", first, "hurry", "--payload", "1"]);
    assert_eq!(said, format!("{first} has 1 signals that it has not taken\n"));
    assert_eq!(shell.ok(&["groups", "cancel", group]), format!("{group}: 2 tasks are cancelled\n"));
    assert_eq!(
        shell.ok(&["groups", "retry", group]),
        format!("{group}: 2 tasks are tried again\n")
    );
    let bad = shell.run(&["tasks", "batch", shell.folder.path().to_str().unwrap()]);
    assert_eq!(bad.code, Some(2), "{bad:?}");
}

/// Asks on its first run, and pays what was decided on its second.
const HANDLER: &str = r#"
import json, sys
task = json.loads(sys.stdin.readline())
if "resume" not in task:
    print(json.dumps({"wait": {"kind": "approval", "question": "Pay?", "checkpoint": {"iban": 7}}}))
else:
    print(json.dumps({"result": [task["checkpoint"]["iban"], task["resume"]["decision"]]}))
"#;

#[test]
fn a_workers_command_waits_and_goes_on_with_the_decision() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let own = Shell::at(hub.url()).with("REEF_API_KEY", &agent.key);
    let state = own.folder.path().join("worker").display().to_string();
    let worker = ["worker", "--skill", "pay", "--hostname", "w", "--state-dir", &state];
    let command = ["--exec", "python3", "-c", HANDLER];
    let _running = own.start(&[&worker[..], &command[..]].concat());
    let task = own.json(&["tasks", "submit", "invoice", "--skill", "pay"]);
    let task_id = task["task_id"].as_str().unwrap();
    let admin = Shell::of(&hub);
    let wait = crate::harness::eventually("a question", crate::harness::PATIENCE, || {
        let open = admin.json(&["waits", "list"]);
        open[0]["wait_id"].as_str().map(str::to_owned)
    });
    // Nobody holds it meanwhile.
    assert_eq!(own.json(&["tasks", "show", task_id])["assigned_node"], serde_json::Value::Null);
    admin.ok(&["waits", "approve", &wait]);
    let ended = own.json(&["tasks", "watch", task_id]);
    assert_eq!(ended["result"], serde_json::json!([7, "approve"]));
}
