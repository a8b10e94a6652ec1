//! `reef tasks cancel | retry | rm | edit` of many, and `reef tasks wait-for`.

use serde_json::{Value, json};

use super::Shell;
use crate::harness::{Hub, registration};

/// Tasks that nobody runs, with a label.
fn tasks(shell: &Shell, ids: &[&str]) {
    for id in ids {
        let submit = ["tasks", "submit", "x", "--task-id", id, "--skill", "nobody"];
        shell.ok(&[&submit[..], &["--label", "team=red"]].concat());
    }
}

fn status(shell: &Shell, id: &str) -> Value {
    shell.json(&["tasks", "show", id])["status"].clone()
}

#[test]
fn tasks_that_are_named_are_changed_one_after_the_other() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    tasks(&shell, &["a", "b", "c"]);
    assert_eq!(shell.ok(&["tasks", "cancel", "a"]), "a is cancelled\n");
    assert_eq!(shell.ok(&["tasks", "cancel", "b", "c"]), "b is cancelled\nc is cancelled\n");
    // What cannot be done is said, and the rest is done.
    let some = shell.run(&["tasks", "retry", "a", "none", "b"]);
    assert_eq!((some.code, some.stdout.as_str()), (Some(1), "a is pending\nb is pending\n"));
    assert!(some.stderr.contains("none: ") && some.stderr.contains("1 of 3 tasks"), "{some:?}");
    assert_eq!(shell.run(&["tasks", "rm", "none"]).code, Some(1));
    assert_eq!(shell.ok(&["tasks", "rm", "c"]), "c is removed\n");
    assert_eq!(shell.run(&["tasks", "show", "c"]).code, Some(1));
    let json = shell.ok(&["tasks", "cancel", "a", "b", "--json", "--reason", "naïve"]);
    let lines: Vec<Value> = json.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(lines[1]["status"], "cancelled");
    for wrong in [
        &["tasks", "cancel"][..],
        &["tasks", "cancel", "a", "--label", "team=red"],
        &["tasks", "cancel", "a", "--dry-run"],
        &["tasks", "cancel", "a", "--all"],
        &["tasks", "cancel", "--filter", "colour=red"],
    ] {
        assert_eq!(shell.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn what_a_filter_matches_is_counted_before_it_is_changed() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    tasks(&shell, &["a", "b"]);
    shell.ok(&["tasks", "submit", "x", "--task-id", "other", "--skill", "nobody"]);
    let red = ["--filter", "label=team=red"];
    let run = |verb: &str, more: &[&str]| shell.run(&[&["tasks", verb][..], &red, more].concat());
    let dry = run("cancel", &["--dry-run"]);
    assert!(dry.code == Some(0) && dry.stdout.contains("matched  2"), "{dry:?}");
    // Nobody can be asked here: it says what to type.
    let bare = run("cancel", &[]);
    assert!(bare.code == Some(2) && bare.stderr.contains("--most 2 --reason"), "{bare:?}");
    let few = run("cancel", &["--most", "1", "--reason", "r"]);
    assert!(few.code == Some(1) && few.stderr.contains("2 tasks match"), "{few:?}");
    assert_eq!(status(&shell, "a"), "pending");
    let low = run("edit", &["--priority", "low", "--most", "2", "--reason", "r"]);
    assert_eq!(low.code, Some(0), "{low:?}");
    assert_eq!(shell.json(&["tasks", "show", "b"])["priority"], 3);
    let more = run("edit", &["--priority", "low", "--timeout", "5", "--dry-run"]);
    assert!(more.code == Some(2) && more.stderr.contains("nothing else"), "{more:?}");
    assert_eq!(run("edit", &["--dry-run"]).code, Some(2));
    let done = run("cancel", &["--most", "2", "--reason", "wrong model"]);
    assert!(done.code == Some(0) && done.stdout.contains("done     2"), "{done:?}");
    let same = shell.ok(&["tasks", "list", "--filter", "label=team=red", "--json"]);
    let same: Value = serde_json::from_str(&same).unwrap();
    assert!(same.as_array().unwrap().iter().all(|it| it["status"] == "cancelled"), "{same}");
    assert_eq!(status(&shell, "other"), "pending");
    let none = run("cancel", &["--filter", "status=pending"]);
    assert_eq!((none.code, none.stderr.as_str()), (Some(0), "no task matches\n"));
    let none = run("cancel", &["--filter", "status=pending", "--json"]);
    assert!(none.code == Some(0) && none.stdout.contains("\"matched\":0"), "{none:?}");
    assert_eq!(run("retry", &["--most", "2", "--reason", "r"]).code, Some(0));
    assert_eq!(status(&shell, "a"), "pending");
    run("cancel", &["--most", "2", "--reason", "r"]);
    assert_eq!(run("rm", &["--most", "2", "--reason", "r", "--no-wait"]).code, Some(0));
}

#[test]
fn several_tasks_are_waited_for() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    tasks(&shell, &["a", "b"]);
    let late = shell.run(&["tasks", "wait-for", "a", "b", "--timeout", "0.2"]);
    assert!(
        late.code == Some(1) && late.stderr.contains("2 of 2 tasks have not ended"),
        "{late:?}"
    );
    let all = shell.start(&["tasks", "wait-for", "a", "b"]);
    let any = shell.start(&["tasks", "wait-for", "a", "b", "--any"]);
    let mut body = registration("runner");
    body["available_skills"] = json!(["nobody"]);
    let node = hub.admin().post("/nodes/register", &body).ok()["node_id"].clone();
    let complete = |id: &str| {
        let body = json!({"node_id": node, "task_id": id});
        let claimed = hub.admin().post("/tasks/claim", &body).ok();
        let token = &claimed["tasks"][0]["token"];
        let path = format!("/tasks/{id}/complete");
        hub.admin().post(&path, &json!({"token": token, "result": 1})).ok();
    };
    complete("b");
    let any = any.wait();
    assert_eq!((any.code, any.stdout.as_str()), (Some(0), "b is completed\n"));
    all.until_printed("b is completed\n");
    shell.ok(&["tasks", "cancel", "a"]);
    let all = all.wait();
    assert_eq!((all.code, all.stdout.as_str()), (Some(1), "b is completed\na is cancelled\n"));
    assert_eq!(shell.ok(&["tasks", "wait-for", "b"]), "b is completed\n");
    assert_eq!(shell.run(&["tasks", "wait-for", "none"]).code, Some(1));
}
