use serde_json::json;

use super::Shell;
use crate::harness::{Hub, PATIENCE, eventually, unique};

#[test]
fn mail_is_sent_taken_and_acknowledged() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let agent = &unique("agent");
    let sent = shell.ok(&["inbox", "send", agent, "low\nand slow", "--from", "me"]);
    assert!(sent.starts_with("sent as msg_") && sent.ends_with("; 1 waiting\n"), "{sent}");
    let urgent = ["--from", "me", "--topic", "fire", "--priority", "high", "--content-json"];
    shell.ok(&[&["inbox", "send", agent, r#"{"where": [1]}"#], &urgent[..]].concat());

    let list = shell.ok(&["inbox", "list", agent]);
    let lines: Vec<_> = list.lines().collect();
    assert!(lines[0].starts_with("MESSAGE ") && lines.len() == 3, "{list}");
    assert!(lines[1].contains(r#"fire     high      0      {"where":[1]}"#), "{list}");
    assert!(lines[2].ends_with("low and slow"), "{list}");

    let taken = shell.json(&["inbox", "receive", agent, "--limit", "1"]);
    assert_eq!(taken["messages"][0]["content"], json!({"where": [1]}));
    let receipt = taken["messages"][0]["receipt"].as_str().unwrap();
    assert_eq!(shell.ok(&["inbox", "ack", agent, receipt]), "acknowledged 1\n");
    let again = shell.run(&["inbox", "ack", agent, receipt]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("1 of the receipts"), "{again:?}");

    // A lease that runs out five times makes mail dead; then it can be brought back.
    for attempt in 1..=5 {
        let receive = ["inbox", "receive", agent, "--lease-ms", "100"];
        let receipt = format!(".{attempt} ");
        eventually("the mail again", PATIENCE, || {
            shell.ok(&receive).contains(&receipt).then_some(())
        });
    }
    let dead = eventually("dead mail", PATIENCE, || {
        shell.ok(&["inbox", "receive", agent]);
        Some(shell.ok(&["inbox", "dead", agent])).filter(|dead| !dead.is_empty())
    });
    assert!(dead.contains("low and slow"), "{dead}");
    assert_eq!(shell.ok(&["inbox", "redrive", agent]), "1 wait again, 1 in all\n");
    assert_eq!(shell.run(&["inbox", "dead", agent]).stderr, "no mail\n");
}

#[test]
fn events_are_listed_and_followed() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let client = hub.admin();
    let first = client.new_node("first");
    let list = shell.ok(&["events", "list"]);
    assert!(list.starts_with("EVENT") && list.contains("node_registered"), "{list}");
    assert!(list.contains(&format!("node_id={first}")), "{list}");
    assert!(!shell.ok(&["events", "list", "--type", "node_offline"]).contains(&first));
    let wanted = shell.json(&["events", "list", "--type", "node_registered"]);
    assert_eq!(wanted["events"].as_array().unwrap().len(), 1, "{wanted}");

    // What was before is not shown, and what is not asked for neither.
    let tail = shell.start(&["events", "tail", "--type", "node_registered,node_offline"]);
    let seen = eventually("a new node", PATIENCE, || {
        let id = client.new_node("next");
        client.post(&format!("/nodes/{id}/shutdown"), &json!({})).ok();
        tail.stdout().contains("node_offline").then(|| tail.stdout())
    });
    assert!(!seen.contains(&first) && !seen.contains("snapshot"), "{seen}");
    let from = wanted["events"][0]["event_id"].as_str().unwrap();
    let tail = shell.start(&["events", "tail", "--from", from, "--json"]);
    tail.until_printed("node_offline");
    let printed = tail.stdout();
    let line: serde_json::Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    assert_eq!(line["id"], line["data"]["event_id"]);
    assert!(!printed.contains(&first), "{printed}");
}
