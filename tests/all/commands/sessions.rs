//! `reef sessions`, `reef approvals` and `reef flows`.

use std::fs;

use serde_json::json;

use super::Shell;
use crate::harness::Hub;

#[test]
fn a_conversation_is_listed_shown_and_closed() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    assert_eq!(shell.run(&["sessions", "list"]).stderr, "no sessions\n");
    let (session, answer) = shell.conversation();
    shell.ok(&["messages", "append", &answer, "One\nassistant  msg_2  12:00:00"]);
    let list = shell.ok(&["sessions", "list", "--status", "active"]);
    assert!(list.starts_with("SESSION ") && list.contains(&session), "{list}");
    let raw = shell.ok(&["sessions", "list", "--json"]);
    assert_eq!(raw, format!("{}\n", hub.admin().get("/sessions").text()));
    let shown = shell.ok(&["sessions", "show", &session]);
    let lines: Vec<_> = shown.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.contains(&"  A question?") && lines.contains(&"  One"), "{shown}");
    // A text that looks like another speaker stands further right than one.
    assert!(lines.contains(&"  assistant  msg_2  12:00:00"), "{shown}");
    let speaker = lines.iter().find(|line| line.starts_with("assistant  "));
    assert!(speaker.unwrap().ends_with("(open)"), "{shown}");
    let whole = shell.json(&["sessions", "show", &session]);
    assert_eq!(whole["session"], hub.admin().get(&format!("/sessions/{session}")).json());
    assert_eq!(whole["messages"][1]["message_id"], json!(answer));
    let page = shell.run(&["sessions", "show", &session, "--limit", "1"]);
    assert!(page.stderr.contains("there are more: --cursor"), "{page:?}");
    assert_eq!(shell.ok(&["sessions", "close", &session]), format!("{session} is closed\n"));
    assert!(shell.ok(&["sessions", "list", "--status", "closed"]).contains(&session));
    assert_eq!(shell.run(&["sessions", "show", "nobodys"]).code, Some(1));
}

#[test]
fn a_session_is_read_while_it_is_written() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, first) = shell.conversation();
    let tail = shell.start(&["sessions", "tail", &session]);
    shell.ok(&["messages", "append", &first, "All is"]);
    tail.until_printed(" (open)\n  All is");
    // What was said before is not repeated, and what is said meanwhile stands below its speaker.
    let sent = shell.json(&["messages", "send", &session, "Another?"]);
    let second = sent["assistant_message_id"].as_str().unwrap();
    tail.until_printed("\n  Another?\n");
    shell.ok(&["messages", "append", second, "Two\nlines"]);
    tail.until_printed("  Two\n  lines");
    shell.ok(&["messages", "append", &first, " well."]);
    tail.until_printed("  well.");
    for message in [&first, second] {
        shell.ok(&["messages", "complete", message]);
    }
    shell.ok(&["sessions", "close", &session]);
    let ended = tail.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("the session is closed"), "{ended:?}");
    assert!(!ended.stdout.contains("A question?"), "{ended:?}");
    let again = shell.ok(&["sessions", "tail", &session, "--all"]);
    assert!(again.contains("  A question?\n") && again.contains("  All is well.\n"), "{again}");
    let events = shell.ok(&["sessions", "tail", &session, "--all", "--json"]);
    let events: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|it| it["data"]["payload"]["delta"] == " well."), "{events:?}");
}

#[test]
fn a_session_is_interrupted() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    hub.admin().post("/sessions", &json!({"session_id": "chat"})).ok();
    let submit = ["tasks", "submit", "hello", "--session", "chat", "--skill", "nobody"];
    let task = shell.json(&submit)["task_id"].as_str().unwrap().to_owned();
    let other = shell.json(&["tasks", "submit", "other", "--skill", "nobody"]);
    let dry = shell.ok(&["sessions", "interrupt", "chat", "--dry-run"]);
    assert!(dry.contains("matched  1") && dry.contains(&task), "{dry}");
    let done = shell.ok(&["sessions", "interrupt", "chat"]);
    assert!(done.contains("completed") && done.contains("done     1"), "{done}");
    assert_eq!(shell.json(&["tasks", "show", &task])["status"], "cancelled");
    let other = other["task_id"].as_str().unwrap();
    assert_eq!(shell.json(&["tasks", "show", other])["status"], "pending");
    assert_eq!(shell.json(&["sessions", "list"])[0]["status"], "active");
    assert_eq!(shell.run(&["sessions", "interrupt", "nobodys"]).code, Some(1));
}

#[test]
fn approvals_are_the_waits_that_people_decide() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let empty = shell.run(&["approvals", "list"]);
    assert_eq!((empty.code, empty.stderr.as_str()), (Some(0), "nothing is waited for\n"));
    let ask = |name: &str| {
        let task = shell.json(&["tasks", "submit", name, "--approval", "Pay?", "--skill", "pay"]);
        task["wait_id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (ask("one"), ask("two"));
    let list = shell.ok(&["approvals", "list"]);
    assert!(list.contains(&first) && list.contains(&second) && list.contains("Pay?"), "{list}");
    assert!(shell.ok(&["approvals", "show", &first]).contains("approve (Approve)"));
    let said = shell.ok(&["approvals", "approve", &first, "--comment", "Checked."]);
    assert!(said.ends_with("is answered\n"), "{said}");
    let refused = shell.json(&["approvals", "reject", &second]);
    assert_eq!(refused["answers"][0]["decision"], "reject");
    assert_eq!(shell.json(&["approvals", "list"]), json!([]));
}

#[test]
fn a_flow_is_shown_and_drawn() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let file = shell.folder.path().join("flow.json");
    let flow = r##"{"group": {"name": "daily \"x\""}, "tasks": [
        {"name": "fetch", "task_id": "f", "required_skills": ["web"]},
        {"name": "sum\\nup", "task_id": "s", "required_skills": ["llm"], "after": [{"task": "#0"}]}]}"##;
    fs::write(&file, flow).unwrap();
    let made = shell.json(&["tasks", "batch", file.to_str().unwrap()]);
    let group = made["group_id"].as_str().unwrap();
    let shown = shell.ok(&["flows", "show", group]);
    assert!(shown.contains("open         2") && shown.contains("waiting"), "{shown}");
    let whole = shell.json(&["flows", "show", group]);
    assert_eq!(whole["tasks"][1]["task_id"], "s");
    let dot = shell.ok(&["flows", "show", group, "--dot"]);
    assert!(dot.starts_with("digraph flow {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains(r#"label="daily \"x\"\nopen""#), "{dot}");
    assert!(dot.contains("group -> \"f\"") && dot.contains("\"f\" -> \"s\""), "{dot}");
    assert!(!dot.contains("group -> \"s\""), "{dot}");
    let part = shell.run(&["flows", "show", group, "--limit", "1"]);
    assert!(part.stderr.contains("more tasks than --limit 1"), "{part:?}");
}
