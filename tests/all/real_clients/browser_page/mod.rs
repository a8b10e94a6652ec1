//! The page is used as a person uses it: by the mouse and by the keyboard, through windows of several
//! sizes, in both languages, for hours.

/// What it changes, and that it does so once.
mod acting;
/// A night with an operator, from the first view to the audit.
mod drill;
/// What others write, shown as text.
mod hostile;
/// What it shows as the cluster changes, over cuts and crashes.
mod live;
/// The rules of its parts, each asked by itself.
mod pieces;
/// Ten thousand nodes.
mod scale;
/// Each view: by mouse, by keyboard, in each light, width and language, and what axe says of it.
mod views;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Message;
use crate::harness::{Hub, NewAgent, Page, prepared};

/// axe-core: it looks for what keeps people from using a page.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = prepared("target/clients/node").join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(file).unwrap()
});

/// What axe is asked for: all rules of WCAG 2.2 at level AA, and its best practices.
const LOOK: &str = "axe.run(document, {resultTypes: ['violations']}).then((found) => \
    found.violations.map((it) => it.id + ': ' + it.nodes.map((node) => \
    node.target + ' ' + node.failureSummary).slice(0, 3).join(' | ')))";

/// An element of the page by a selector, as an expression.
fn one(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

/// A button or link with this text, within the open dialog if there is one.
fn named(text: &str) -> String {
    format!(
        "[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('button, a')]\
         .find((it) => it.textContent.trim() === {} && !it.disabled)",
        json!(text)
    )
}

/// What a person does with the page.
trait Used {
    fn sign_in(&mut self, key: &str);
    fn view(&mut self, hash: &str);
    fn shows(&mut self, text: &str);
    fn assert_fits(&mut self);
    fn assert_accessible(&mut self, what: &str);
    fn act(&mut self, key: &str);
    fn focused(&mut self) -> String;
    fn fill(&mut self, selector: &str, text: &str);
}

impl Used for Page {
    /// Signs in by the keyboard, with the focus where the page has put it.
    #[track_caller]
    fn sign_in(&mut self, key: &str) {
        self.wait_for("document.activeElement?.id === 'key'");
        self.type_text(key);
        self.press("Enter");
        self.wait_for("document.getElementById('live')?.dataset.state === 'live'");
    }

    /// Goes to a view and waits until it is there.
    #[track_caller]
    fn view(&mut self, hash: &str) {
        self.eval(&format!("location.hash = {}", json!(hash)));
        self.wait_for("document.querySelector('main h1') && document.querySelector('main').children.length > 1");
        self.wait_for("!document.querySelector('main').innerText.includes('Loading…')");
    }

    /// Waits until what is to be seen has this text.
    #[track_caller]
    fn shows(&mut self, text: &str) {
        self.wait_for(&format!("document.body.innerText.includes({})", json!(text)));
    }

    /// Checks that nothing has to be scrolled sideways to be read, tables apart.
    #[track_caller]
    fn assert_fits(&mut self) {
        let widths = self
            .eval("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
        assert!(widths[0].as_u64() <= widths[1].as_u64(), "{widths}");
    }

    /// Checks that axe finds nothing.
    #[track_caller]
    fn assert_accessible(&mut self, what: &str) {
        if self.eval("typeof window.axe") == "undefined" {
            self.eval(&format!("{}; 0", &*AXE));
        }
        assert_eq!(self.eval(LOOK), json!([]), "{what}");
    }

    /// Takes the right to act, by the keyboard.
    #[track_caller]
    fn act(&mut self, key: &str) {
        self.click(&one("#act"));
        self.wait_for("document.activeElement?.id === 'act-key'");
        self.type_text(key);
        self.press("Enter");
        self.wait_for("Boolean(document.getElementById('acting'))");
        self.wait_for("!document.querySelector('dialog[open]')");
    }

    /// What has the focus: its text, or its name.
    fn focused(&mut self) -> String {
        let text = "(document.activeElement?.getAttribute('aria-label') || \
                    document.activeElement?.innerText || document.activeElement?.id || '').trim()";
        self.eval(text).as_str().unwrap().to_owned()
    }

    /// Types into a field, which is empty.
    #[track_caller]
    fn fill(&mut self, selector: &str, text: &str) {
        let field = one(selector);
        self.wait_for(&format!("Boolean({field})"));
        self.eval(&format!("{field}.focus()"));
        self.type_text(text);
    }
}

/// Fills a hub with what a small cluster has.
struct Filled {
    nodes: Vec<String>,
    failed: String,
    waiting: String,
    approval: String,
    group: String,
    message: Message,
}

impl Filled {
    fn of(hub: &Hub) -> Self {
        let client = hub.admin();
        let skills: &[&[&str]] =
            &[&["python", "gpu"], &["node", "browser", "pdf"], &["rust"], &["chat"]];
        let nodes: Vec<String> = skills
            .iter()
            .enumerate()
            .map(|(index, skills)| {
                let node = client.new_node_with(&format!("worker-{index}.lab"), skills);
                let id = node["node_id"].as_str().unwrap().to_owned();
                client
                    .beat(&id, &json!({"cpu_usage": 17.5 * index as f64, "running_tasks": index}));
                id
            })
            .collect();
        client.patch(&format!("/nodes/{}", nodes[0]), &json!({"status": "maintenance"})).ok();
        client.post_empty(&format!("/nodes/{}/shutdown", nodes[1])).ok();
        client.post("/cluster/leader/campaign", &json!({"node_id": nodes[2]})).ok();
        client.put("/limits/provider", &json!({"concurrency": 2, "note": "one account"})).ok();
        client.put("/budgets/user/u1", &json!({"cost": "5", "period": "day"})).ok();
        client.put("/prices/model-1", &json!({"input": "2.5", "output": "10"})).ok();
        let often = json!({"spec": {"every_ms": 3_600_000}, "task": {"name": "hourly"}});
        client.put("/schedules/hourly", &often).ok();

        let failing = json!({"name": "compile", "required_skills": ["rust"], "max_retries": 0});
        let failed = client.post("/tasks", &failing).ok()["task_id"].as_str().unwrap().to_owned();
        let claim = json!({"node_id": nodes[2], "task_id": failed});
        let token = client.post("/tasks/claim", &claim).ok()["tasks"][0]["token"].clone();
        let end = json!({"token": token, "error": "exit code 1", "retryable": false,
            "usage": [{"model": "model-1", "input": 1000, "output": 200}]});
        client.post(&format!("/tasks/{failed}/fail"), &end).ok();
        let wanting = json!({"name": "look", "required_skills": ["vision"], "user_id": "u1",
            "parameters": {"picture": "fish", "sizes": [1, 2, 3]}, "limits": [{"name": "provider"}]});
        let waiting = client.post("/tasks", &wanting).ok()["task_id"].as_str().unwrap().to_owned();
        let asking = json!({"name": "deploy", "approval": {"question": "Deploy to production?", "details": {"build": 7}}});
        let approval = client.post("/tasks", &asking).ok()["wait_id"].as_str().unwrap().to_owned();
        let flow = json!({"group": {"name": "film"}, "tasks": [{"name": "split"},
            {"name": "scene", "after": [{"task": "#0"}]}, {"name": "join", "after": [{"task": "#1"}]}]});
        let group =
            client.post("/tasks/batch", &flow).ok()["group_id"].as_str().unwrap().to_owned();

        let message = Message::begin(&client);
        message.append("The three nodes answered. ");
        message.append("Two of them agree on the result; the third is draining.\n\n");
        let code =
            json!({"content_type": "code", "code": {"code": "let x = 1;", "language": "rust"}});
        message.post("content", &code);
        message.post("tasks", &json!({"task_id": "draw", "task_type": "image_generation"}));
        let path = format!("/messages/{}/tasks/draw", message.id);
        client.patch(&path, &json!({"status": "processing", "progress": 0.4})).ok();
        Self { nodes, failed, waiting, approval, group, message }
    }
}

/// Registers an agent with some money and returns its id and key.
fn agent_with_money(hub: &Hub) -> (String, String) {
    let NewAgent { id, key, client } = hub.admin().new_agent();
    client.post("/deposit", &json!({"agent_id": id, "amount": "1000"})).ok();
    (id, key)
}

/// How many requests of a method and path the page has sent.
fn count(page: &mut Page, method: &str, path: &str) -> usize {
    page.sent().iter().filter(|(sent, url, _)| sent == method && url.ends_with(path)).count()
}

/// The value of a member of what the hub says.
fn status(hub: &Hub, path: &str) -> Value {
    hub.admin().get(path).ok()["status"].clone()
}
