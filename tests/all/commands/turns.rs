//! `reef tasks submit` where another task is there, and `reef queue weights`.

use serde_json::json;

use super::Shell;
use crate::harness::Hub;

#[test]
fn there_is_one_of_a_name() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let submit = |more: &[&str]| {
        shell.run(&[&["tasks", "submit", "index", "--unique", "index"][..], more].concat())
    };
    let first = submit(&["--task-id", "first"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let again = submit(&[]);
    assert!(again.stdout.contains("first") && again.stderr.contains("there is one"), "{again:?}");
    let refused = submit(&["--if-there-is-one", "reject"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("first"), "{refused:?}");
    assert_eq!(submit(&["--if-there-is-one", "replace"]).code, Some(0));
    assert_eq!(shell.json(&["tasks", "show", "first"])["status"], "cancelled");
    assert_eq!(submit(&["--debounce-ms", "9", "--if-there-is-one", "reject"]).code, Some(2));
    let late = ["tasks", "submit", "mail", "--unique", "mail", "--debounce-ms", "60000"];
    assert_eq!(shell.json(&late)["status"], "scheduled");
}

#[test]
fn a_session_has_one_task_at_a_time() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let session = hub.admin().post("/sessions", &json!({"session_id": "chat"})).ok();
    assert_eq!(session["session_id"], "chat");
    let ask = |if_busy: &str| {
        shell.run(&["tasks", "submit", "hello", "--session", "chat", "--if-busy", if_busy])
    };
    assert_eq!(ask("reject").code, Some(0));
    assert_eq!(ask("reject").code, Some(1));
    let waits = ask("enqueue");
    assert!(waits.stdout.contains("waiting"), "{waits:?}");
    assert_eq!(ask("later").code, Some(2));
}

#[test]
fn weights_are_set_and_shown() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let set = shell.ok(&["queue", "weights", "acme=3", "a=b=0.5"]);
    assert_eq!(
        set.split_whitespace().collect::<Vec<_>>(),
        ["KEY", "WEIGHT", "a=b", "0.5", "acme", "3"]
    );
    assert_eq!(shell.ok(&["queue", "weights"]), set);
    shell.ok(&["queue", "weights", "--none"]);
    assert_eq!(shell.json(&["queue", "weights"])["weights"], json!({}));
    assert_eq!(shell.run(&["queue", "weights", "acme"]).code, Some(2));
    let share = ["--fairness-key", "acme", "--fairness-weight", "2"];
    let task = shell.json(&[&["tasks", "submit", "x"][..], &share[..]].concat());
    assert_eq!(task["fairness_weight"], 2.0);
}
