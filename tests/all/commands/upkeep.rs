use serde_json::json;

use super::Shell;
use crate::contract::Desk;
use crate::harness::Hub;

#[test]
fn what_a_hub_holds_is_counted_and_cleaned_up() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    for _ in 0..2 {
        desk.submit(json!({}));
    }
    let held = desk.claim_one(&node);
    let body = json!({"token": held.token, "result": 1});
    desk.client.post(&format!("/tasks/{}/complete", held.id), &body).ok();
    shell.conversation();

    let stats = shell.ok(&["stats"]);
    let has = |name: &str, count: &str| {
        let mut rows = stats.lines().filter_map(|line| line.strip_prefix(name));
        rows.any(|rest| rest.trim() == count && rest.starts_with(' '))
    };
    for (name, count) in [
        ("nodes", "1"),
        ("nodes online", "1"),
        ("nodes offline", "0"),
        ("tasks pending", "1"),
        ("tasks completed", "1"),
        ("total capacity", "5"),
        ("expiry", "on"),
    ] {
        assert!(has(name, count), "{name} {count}: {stats}");
    }
    let stats = shell.json(&["stats"]);
    assert_eq!(stats["tasks"]["completed"], 1);
    assert_eq!(stats["health"]["nodes_by_status"]["online"], 1);

    let all = ["cleanup", "--tasks", "0d", "--messages", "0d"];
    let would = shell.ok(&[&all[..], &["--dry-run"]].concat());
    assert_eq!(would, "would remove 1 tasks\nwould remove 2 messages\n");
    let recent = shell.ok(&["cleanup", "--tasks", "30d", "--messages", "7d"]);
    assert_eq!(recent, "removed 0 tasks\nremoved 0 messages\n");
    assert_eq!(shell.json(&all), json!({"dry_run": false, "tasks": 1, "messages": 2}));
    assert_eq!(shell.json(&["stats"])["tasks"]["completed"], 0);
    assert_eq!(shell.json(&["stats"])["tasks"]["pending"], 1, "what waits stays");

    assert_eq!(shell.run(&["cleanup"]).code, Some(2));
    assert_eq!(shell.run(&["cleanup", "--messages", "12h"]).code, Some(2));
}
