//! `reef history`, `reef tasks attempts`, `reef tasks dead --by-error`.

use serde_json::json;

use super::Shell;
use crate::contract::Desk;
use crate::harness::Hub;

#[test]
fn what_has_happened_is_shown() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    assert_eq!(shell.run(&["tasks", "dead", "--by-error"]).stderr, "no tasks\n");
    let id = desk.submit(json!({"name": "resize", "max_retries": 1}));
    assert_eq!(shell.run(&["tasks", "attempts", &id]).stderr, "no node has had it yet\n");
    let held = desk.claim_one(&node);
    let usage = json!([{"model": "m", "input": 40, "output": 2, "cost": "0.5"}]);
    let body = json!({"error": "disk 7 is full\nlater", "retry_in_ms": 0, "usage": usage});
    desk.post(&held, "fail", body).ok();
    let held = desk.claim_one(&node);
    desk.post(&held, "fail", json!({"error": "disk 8 is full"})).ok();

    let tries = shell.ok(&["tasks", "attempts", &id]);
    let lines: Vec<&str> = tries.lines().collect();
    assert!(lines.len() == 3 && lines[1].contains("failed") && lines[1].contains(&node), "{tries}");
    assert!(lines[1].contains("  42 ") && lines[1].contains("0.5"), "{tries}");
    assert!(
        lines[1].ends_with("disk 7 is full") && lines[2].ends_with("disk 8 is full"),
        "{tries}"
    );
    assert_eq!(shell.json(&["tasks", "attempts", &id])["attempts"][1]["attempt"], 2);

    let dead = shell.ok(&["tasks", "dead", "--by-error"]);
    assert!(dead.contains("resize") && dead.contains("disk 8 is full"), "{dead}");
    let key = shell.json(&["tasks", "dead", "--by-error"])["groups"][0]["key"].clone();
    let key = key.as_str().unwrap();
    assert!(shell.ok(&["tasks", "list", "--error-key", key]).contains(&id));
    let would = shell.ok(&["tasks", "redrive", "--error-key", key, "--dry-run"]);
    assert!(would.starts_with("1 would wait again") && would.contains(&id), "{would}");
    shell.ok(&["tasks", "redrive", "--error-key", key]);
    assert_eq!(desk.status(&id), "pending");
    assert_eq!(shell.run(&["tasks", "redrive", "--error-key", "x", "--dry-run"]).code, Some(1));

    let overview = shell.ok(&["history"]);
    let row = |name: &str| -> Vec<String> {
        let line = overview.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(row("submitted")[1], "1", "{overview}");
    assert_eq!(row("failed")[1], "2", "{overview}");
    assert_eq!(row("dead")[1], "1", "{overview}");
    assert!(overview.contains('█'), "{overview}");
    let two = shell.ok(&["history", "dead", "cost", "--since", "2h", "--step", "1h", "--points"]);
    let lines: Vec<&str> = two.lines().collect();
    assert!(lines[0] == "AT\tDEAD\tCOST" && (2..=3).contains(&(lines.len() - 1)), "{two}");
    assert!(lines.last().unwrap().ends_with("\t1\t0.5"), "{two}");
    let answer = shell.json(&["history", "submitted", "--since", "1d"]);
    assert!(answer["points"].as_array().unwrap().len() >= 1438, "{answer}");
    for wrong in
        [&["history", "odd"][..], &["history", "--since", "61d"], &["history", "--step", "2m"]]
    {
        assert_eq!(shell.run(wrong).code, Some(2), "{wrong:?}");
    }
}
