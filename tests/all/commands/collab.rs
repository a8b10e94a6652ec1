use serde_json::json;

use super::Shell;
use crate::harness::Hub;

#[test]
fn agents_find_each_other_propose_and_accept() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let client = hub.admin();
    let asked = client.new_node_with("asked", &["python", "gpu"]);
    let asked = asked["node_id"].as_str().unwrap();
    let asks = client.new_node_with("asks", &["python"]);
    let asks = asks["node_id"].as_str().unwrap();

    let everybody = shell.ok(&["collab", "partners"]);
    assert!(everybody.starts_with("NODE ") && everybody.contains(asks), "{everybody}");
    let partners = shell.ok(&["collab", "partners", "--skill", "python", "--except", asks]);
    let lines: Vec<_> = partners.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with(asked), "{partners}");
    assert!(lines[1].ends_with("5     python gpu"), "{partners}");
    let listed = shell.json(&["collab", "partners", "--except", asks]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0], client.node(asked));
    let nobody = shell.run(&["collab", "partners", "--skill", "cobol"]);
    assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(0), ""), "{nobody:?}");

    let idea = ["collab", "propose", asked, "--from", asks, "--idea", "tidy up"];
    let none = shell.run(&idea);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("--task"), "{none:?}");
    let file = shell.folder.path().join("tasks.json");
    std::fs::write(&file, json!([{"name": "mop", "priority": 1}]).to_string()).unwrap();
    let work = ["--task", "sweep", "--tasks-file", file.to_str().unwrap(), "--value", "8"];
    let proposed = shell.ok(&[&idea[..], &work].concat());
    let id = proposed.strip_prefix("proposed as ").unwrap().split(';').next().unwrap();
    let mail = client.get(&format!("/inbox/{asked}")).ok()["messages"][0].clone();
    assert_eq!((&mail["topic"], &mail["priority"]), (&json!("task_proposal"), &json!("high")));
    assert_eq!(mail["content"]["task_count"], 2);

    let accepted = shell.ok(&["collab", "accept", asked, id]);
    let lines: Vec<_> = accepted.lines().collect();
    assert_eq!(lines[0], format!("accepted for {asked}"));
    assert!(lines.len() == 4 && lines[1].starts_with("task   task_"), "{accepted}");
    assert!(lines[3].starts_with("reply  msg_"), "{accepted}");
    assert_eq!(shell.ok(&["collab", "accept", asked, id]), accepted);
    let other = shell.run(&["collab", "accept", asked, id, "--executor", asks]);
    assert_eq!(other.code, Some(1), "{other:?}");
    let unknown = shell.run(&["collab", "accept", asked, "msg_nowhere"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("no message msg_nowhere"), "{unknown:?}");
}
