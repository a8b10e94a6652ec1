use serde_json::{Value, json};

use super::acting::{close, do_it, open, says};
use super::{Used as _, named, one};
use crate::harness::{Browser, Client, Hub, Page, registration};

/// A worker of three, each with room for two tasks.
struct Worker<'a> {
    client: &'a Client,
    id: String,
}

impl<'a> Worker<'a> {
    fn start(client: &'a Client, name: &str) -> Self {
        let mut body = registration(name);
        body["available_skills"] = json!(["llm"]);
        body["max_concurrent_tasks"] = json!(2);
        let node = client.post("/nodes/register", &body).ok();
        Self { client, id: node["node_info"]["node_id"].as_str().unwrap().to_owned() }
    }

    fn claim(&self) -> Vec<Value> {
        let wish = json!({"node_id": self.id, "limit": 2, "lease_ms": 3_600_000});
        let claimed = self.client.post("/tasks/claim", &wish).ok();
        claimed["tasks"].as_array().unwrap().clone()
    }

    fn tell(&self, task: &Value, route: &str, mut body: Value) {
        body["token"] = task["token"].clone();
        let id = task["task_id"].as_str().unwrap();
        self.client.post(&format!("/tasks/{id}/{route}"), &body).ok();
    }

    fn complete(&self, task: &Value) {
        let usage = json!([{"model": "large", "input": 4200, "output": 310}]);
        self.tell(task, "complete", json!({"result": {"words": 180}, "usage": usage}));
    }

    /// Works until there is nothing that it gets, and says how many it has done.
    fn work(&self) -> usize {
        let claims = std::iter::from_fn(|| Some(self.claim()).filter(|tasks| !tasks.is_empty()));
        claims.map(|tasks| tasks.iter().map(|task| self.complete(task)).count()).sum()
    }
}

/// Presses a button of a view, gives a reason, and waits for what is said.
fn press(page: &mut Page, button: &str, reason: &str, counted: &str, said: &str) {
    page.click(&named(button));
    says(page, counted);
    if !reason.is_empty() {
        page.fill("#field-reason", reason);
    }
    page.screenshot(&format!("drill-{}", button.split(' ').next().unwrap().to_lowercase()));
    page.click(&do_it());
    says(page, said);
    close(page);
}

/// The story of `docs/operating/drill.md`, whose pictures these are.
#[test]
fn a_shut_gate_and_a_hung_node_are_found_and_mended_from_the_page() {
    let hub = Hub::options().timeout(600.0).start();
    let client = hub.admin();
    client.put("/limits/model-api", &json!({"concurrency": 6, "note": "our account"})).ok();
    client.put("/prices/large", &json!({"input": "2.5", "output": "10"})).ok();
    let [first, second, third] =
        ["gpu-1.lab", "gpu-2.lab", "gpu-3.lab"].map(|name| Worker::start(&client, name));
    for number in 0..30 {
        let task = json!({"name": "summarise", "required_skills": ["llm"], "user_id": "newsroom",
            "parameters": {"article": 4100 + number}, "limits": [{"name": "model-api"}]});
        client.post("/tasks", &task).ok();
    }
    for worker in [&first, &third, &first, &third] {
        for task in worker.claim() {
            worker.complete(&task);
        }
    }
    // One node has claimed two, says that it is well, and gets nowhere.
    let hung = second.claim();
    let lines = json!([{"text": "loading /models/large, part 7 of 24"},
        {"text": "waiting for the lock of /models (held by pid 811)", "level": "warn"}]);
    second.tell(&hung[0], "log", json!({"lines": lines}));
    client.beat(&second.id, &json!({"cpu_usage": 1.5, "running_tasks": 2}));
    // And the provider wants to be left alone for half an hour.
    let refused = first.claim();
    for task in &refused {
        let id = &task["task_id"];
        let penalty = json!({"retry_after_ms": 1_800_000, "task_id": id, "token": task["token"]});
        client.post("/limits/model-api/penalty", &penalty).ok();
        first.tell(task, "fail", json!({"error": "429", "snooze": true, "retry_in_ms": 0}));
    }
    assert_eq!((third.claim().len(), first.claim().len()), (0, 0));

    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/overview");
    page.resize(1280, 800);
    // What is wrong stands on the first view, and leads to where it is.
    page.shows("The limit model-api is shut");
    page.screenshot("drill-overview");
    page.click(&named("The limit model-api is shut: a provider wants to be left alone."));
    page.shows("Open now");
    page.screenshot("drill-limit");
    // The same, from the side of a task that waits.
    page.view("#/tasks?status=pending");
    page.click("document.querySelector('.table-body .row a')");
    page.wait_for("document.getElementById('why')?.innerText.includes('kept back by a limit')");
    page.screenshot("drill-why");
    // The provider says that it is well again: the gate is opened before its time.
    page.view("#/limits/model-api");
    press(&mut page, "Open now", "", "opens before the time", "Done.");
    page.wait_for(&format!("!{}", named("Open now")));
    assert_eq!(first.work() + third.work(), 20);

    // The queue is empty, and two tasks of one node do not move.
    page.view("#/tasks?status=running");
    page.wait_for("document.querySelectorAll('.table-body .row').length === 2");
    page.click(&one(&format!("a[href='#/tasks/{}']", hung[0]["task_id"].as_str().unwrap())));
    page.shows("waiting for the lock of /models");
    page.screenshot("drill-task");
    page.click(&named(&second.id));
    page.wait_for(&format!("location.hash === '#/nodes/{}'", second.id));
    press(&mut page, "Drain", "", "gpu-2.lab", "Done for 1.");
    let reason = "hangs on a lock of /models";
    press(
        &mut page,
        "Cancel its tasks…",
        reason,
        "It would change 2 tasks.",
        "2 of 2 were changed.",
    );
    let claim = |task: &Value| json!({"task_id": task["task_id"], "token": task["token"]});
    let claims: Vec<_> = hung.iter().map(claim).collect();
    let told = client.beat(&second.id, &json!({"running_tasks": 2, "claims": claims}));
    assert_eq!(told["cancelled"].as_array().map(Vec::len), Some(2), "{told}");
    // They run elsewhere.
    page.view("#/tasks?status=cancelled&name=summarise");
    press(&mut page, "Retry all…", reason, "It would change 2 tasks.", "2 of 2 were changed.");
    assert_eq!(second.claim(), Vec::<Value>::new());
    assert_eq!(first.work() + third.work(), 2);
    page.view("#/overview");
    page.wait_for("Boolean(document.getElementById('all-well'))");
    page.screenshot("drill-well");
    // Who did what, and why, has stayed.
    page.view("#/events?tab=audit");
    page.shows(reason);
    page.screenshot("drill-audit");
    assert_eq!(client.get("/tasks?status=completed&name=summarise").list().len(), 30);
}
