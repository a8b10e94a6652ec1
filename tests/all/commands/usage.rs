//! `reef usage`, `reef budgets`, `reef prices`, and `reef tasks submit --budget` and `--pay`.

use super::Shell;
use crate::harness::Hub;

#[test]
fn what_tasks_use_is_bounded_and_shown() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    assert_eq!(shell.run(&["prices", "list"]).stderr, "there are no prices\n");
    assert_eq!(shell.run(&["budgets", "list"]).stderr, "there are no budgets\n");
    assert!(shell.run(&["usage"]).stderr.starts_with("nothing was used from "));
    let price = shell.ok(&["prices", "set", "p/small", "--input", "0.25", "--output", "2"]);
    assert!(price.contains("cached  0.25"), "{price}");
    assert!(shell.ok(&["prices", "list"]).contains("p/small"));
    let set = ["budgets", "set", "user", "u 42", "--cost", "1", "--on-exceed", "cancel"];
    let made = shell.ok(&[&set[..], &["--period", "day"][..]].concat());
    assert!(made.contains("cost    0 of 1") && made.contains("period  day"), "{made}");
    assert_eq!(
        shell.run(&["budgets", "set", "user", "u"]).code,
        Some(2),
        "neither cost nor tokens"
    );
    let wrong = shell.run(&["budgets", "set", "node", "n", "--cost", "1"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("owner, user, group"), "{wrong:?}");

    let submit = ["tasks", "submit", "chat", "--skill", "llm", "--user", "u 42", "--budget", "5"];
    let task = shell.json(&submit);
    assert_eq!(task["budget"]["cost"], "5", "{task}");
    let client = hub.admin();
    let mut body = crate::harness::registration("reader");
    body["available_skills"] = serde_json::json!(["llm"]);
    let node = client.post("/nodes/register", &body).ok()["node_id"].clone();
    let claimed = client.post("/tasks/claim", &serde_json::json!({"node_id": node})).ok();
    let usage = serde_json::json!([{"provider": "p", "model": "small", "input": 1_000_000, "output": 500_000}]);
    let body = serde_json::json!({"token": claimed["tasks"][0]["token"], "usage": usage});
    let path = format!("/tasks/{}/progress", claimed["tasks"][0]["task_id"].as_str().unwrap());
    assert_eq!(client.post(&path, &body).ok()["cancelled"], true);

    let shown = shell.ok(&["tasks", "show", task["task_id"].as_str().unwrap()]);
    assert!(shown.contains("1.25"), "{shown}");
    let shown = shell.ok(&["budgets", "show", "user", "u 42"]);
    assert!(shown.contains("1.25 of 1") && shown.contains("used up"), "{shown}");
    assert!(shell.ok(&["budgets", "list"]).contains("used up"));
    let refused = shell.run(&submit);
    assert!(refused.code == Some(1) && refused.stderr.contains("u 42 is used up"), "{refused:?}");
    let usage = shell.ok(&["usage", "--by", "model"]);
    assert!(
        usage.contains("p/small") && usage.lines().last().unwrap().ends_with("1.25"),
        "{usage}"
    );
    assert_eq!(shell.json(&["usage", "--by", "user"])["rows"][0]["key"], "u 42");
    assert_eq!(shell.ok(&["budgets", "remove", "user", "u 42"]), "user u 42: removed\n");
    assert_eq!(shell.ok(&["prices", "remove", "p/small"]), "p/small: removed\n");
    assert_eq!(shell.run(&["prices", "remove", "p/small"]).code, Some(1));
}

#[test]
fn a_task_is_paid_for() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let agent = hub.admin().new_agent();
    shell.ok(&["ledger", "deposit", &agent.id, "5"]);
    let pay = ["tasks", "submit", "work", "--pay", "2", "--pay-from", &agent.id];
    let task = shell.json(&pay);
    assert_eq!(
        (&task["charge"]["max"], &task["status"]),
        (&"2".into(), &"pending".into()),
        "{task}"
    );
    assert!(shell.ok(&["ledger", "balance", &agent.id]).contains("locked     2"));
    shell.ok(&["tasks", "cancel", task["task_id"].as_str().unwrap()]);
    assert!(shell.ok(&["ledger", "balance", &agent.id]).contains("locked     0"));
    let dear = shell.run(&["tasks", "submit", "work", "--pay", "6", "--pay-from", &agent.id]);
    assert!(dear.code == Some(1) && dear.stderr.contains("5 is available"), "{dear:?}");
}
