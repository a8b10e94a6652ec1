//! Usage, prices and budgets (contract.md §5).

use serde_json::{Value, json};

use super::super::agents::{Agent, new_agent};
use super::{Desk, Held};
use crate::contract::events::{end, since};
use crate::contract::{Subject, hub};
use crate::harness::{Answer, Client, PATIENCE, eventually, unique};

/// An agent, its desk, and a node of its own.
struct Scene {
    _hub: Subject,
    admin: Client,
    agent: Agent,
    desk: Desk,
    node: String,
}

impl Scene {
    fn new() -> Self {
        let hub = hub();
        let agent = new_agent(&hub);
        let desk = Desk::new(&agent.client);
        let node = desk.node(20);
        Self { admin: hub.client.clone(), _hub: hub, agent, desk, node }
    }

    /// A task with these fields, claimed.
    #[track_caller]
    fn begin(&self, fields: Value) -> Held {
        let id = self.desk.submit(fields);
        let held = self.desk.claim_one(&self.node);
        assert_eq!(held.id, id);
        held
    }

    fn report(&self, held: &Held, usage: Value) -> Answer {
        self.desk.post(held, "progress", json!({"usage": usage}))
    }

    fn budget(&self, scope: &str, id: &str, body: Value) -> Answer {
        self.agent.client.put(&format!("/budgets/{scope}/{id}"), &body)
    }

    #[track_caller]
    fn show(&self, scope: &str, id: &str) -> Value {
        self.agent.client.get(&format!("/budgets/{scope}/{id}")).ok()
    }

    /// Answers what a task waits for.
    #[track_caller]
    fn answer(&self, wait_id: &Value, decision: &str) -> Value {
        let path = format!("/waits/{}/answer", wait_id.as_str().unwrap());
        self.admin.post(&path, &json!({"decision": decision})).ok()
    }
}

fn cost(amount: &str) -> Value {
    json!([{"model": "m", "cost": amount}])
}

#[test]
fn reports_are_sums_so_that_repeats_and_losses_change_nothing() {
    let scene = Scene::new();
    let held = scene.begin(json!({"user_id": "u 1"}));
    let first = json!([{"provider": "p", "model": "m/1", "input": 10, "output": 4, "cached": 6,
        "reasoning": 3, "requests": 1, "cost": "0.5"}]);
    scene.report(&held, first.clone()).ok();
    scene.report(&held, first).ok();
    // What is late, or says less, takes nothing away.
    scene.report(&held, json!([{"provider": "p", "model": "m/1", "input": 5, "output": 9}])).ok();
    scene.report(&held, json!([{"model": "m/1", "input": 1}])).ok();
    let usage = json!([{"provider": "p", "model": "m/1", "input": 20, "output": 9, "requests": 2}]);
    scene
        .desk
        .post(&held, "fail", json!({"error": "again", "retry_in_ms": 0, "usage": usage}))
        .ok();
    let held = scene.desk.claim_one(&scene.node);
    let usage = json!([{"provider": "p", "model": "m/1", "input": 100, "cost": "0.25"}]);
    let task = scene.desk.post(&held, "complete", json!({"result": 1, "usage": usage})).ok();
    let all = json!({"input": 121, "output": 9, "cached": 6, "reasoning": 3, "requests": 2, "cost": "0.75",
    "models": [
        {"model": "m/1", "input": 1, "output": 0, "cached": 0, "reasoning": 0, "requests": 0, "cost": "0"},
        {"provider": "p", "model": "m/1", "input": 120, "output": 9, "cached": 6, "reasoning": 3,
            "requests": 2, "cost": "0.75"},
    ]});
    assert_eq!(task["usage"], all);
    assert_eq!(scene.desk.task(&held.id)["usage"], all, "it stays with the task");

    let by = |by: &str| scene.agent.client.get(&format!("/usage?by={by}")).ok();
    let sum = json!({"input": 121, "output": 9, "cached": 6, "reasoning": 3, "requests": 2, "cost": "0.75"});
    let models = by("model");
    assert_eq!(models["total"], sum);
    let keys: Vec<_> = models["rows"].as_array().unwrap().iter().map(|it| &it["key"]).collect();
    assert_eq!(keys, ["p/m/1", "m/1"], "the dearest first");
    for (what, key) in [
        ("user", "u 1"),
        ("node", scene.node.as_str()),
        ("group", ""),
        ("owner", scene.agent.id.as_str()),
    ] {
        let usage = by(what);
        assert_eq!(usage["rows"].as_array().unwrap().len(), 1, "{usage}");
        assert_eq!((&usage["rows"][0]["key"], &usage["total"]), (&json!(key), &sum), "{what}");
        assert_eq!(usage["rows"][0]["day"], usage["to"]);
    }
    let path = format!("/usage?by=owner&owner={}", scene.agent.id);
    assert_eq!(scene.admin.get(&path).ok()["total"], sum);
    let others = new_agent(&hub());
    assert_eq!(others.client.get(&path).status, 403);
    assert_eq!(others.client.get("/usage").ok()["rows"], json!([]));
}

#[test]
fn a_report_that_breaks_a_rule_names_the_field() {
    let scene = Scene::new();
    let held = scene.begin(json!({}));
    let long = "x".repeat(129);
    for (usage, field) in [
        (json!([{"input": 1}]), "usage[0].model"),
        (json!([{"model": long}]), "usage[0].model"),
        (json!([{"model": "a\nb"}]), "usage[0].model"),
        (json!([{"model": "@other"}]), "usage[0].model"),
        (json!([{"provider": "a/b", "model": "m"}]), "usage[0].provider"),
        (json!([{"model": "m", "input": -1}]), "usage[0].input"),
        (json!([{"model": "m", "output": 1_000_000_001}]), "usage[0].output"),
        (json!([{"model": "m", "input": 1, "cached": 2}]), "usage[0].cached"),
        (json!([{"model": "m", "output": 1, "reasoning": 2}]), "usage[0].reasoning"),
        (json!([{"model": "m", "cost": "-1"}]), "usage[0].cost"),
        (json!([{"model": "m", "cost": "1000000.000001"}]), "usage[0].cost"),
        (json!([{"model": "m"}, {"model": "m"}]), "usage[1].model"),
        (json!(vec![json!({"model": "m"}); 17]), "usage"),
    ] {
        for verb in ["progress", "complete", "fail", "wait"] {
            let mut body = json!({"usage": usage});
            if verb == "wait" {
                body["kind"] = json!("sleep");
                body["for_ms"] = json!(1000);
            }
            let answer = scene.desk.post(&held, verb, body);
            answer.problem_with(422, "validation_failed", field);
        }
    }
    assert_eq!(scene.desk.task(&held.id).get("usage"), None);
    for (query, name) in [
        ("by=skill", "by"),
        ("from=2026-1-1", "from"),
        ("to=today", "to"),
        ("from=2026-01-01&to=2026-02-01", "from"),
        ("from=2026-01-02&to=2026-01-01", "from"),
    ] {
        let answer = scene.agent.client.get(&format!("/usage?{query}"));
        answer.problem_with(400, "invalid_parameter", name);
    }
    scene.agent.client.get("/usage?from=2026-01-01&to=2026-01-31").ok();
}

#[test]
fn tokens_cost_what_the_price_says_to_the_millionth() {
    let scene = Scene::new();
    let (model, provider) = (unique("model"), "p");
    let price = |name: &str, body: Value| scene.admin.put(&format!("/prices/{name}"), &body).ok();
    let shown = price(&model, json!({"input": "1.25", "output": "10", "cached": "0.125"}));
    assert_eq!((&shown["model"], &shown["cached"]), (&json!(model), &json!("0.125")));
    // The name with the provider comes first; what is cached costs as the rest where nothing is said.
    price(&format!("p%2F{model}"), json!({"input": "9000", "output": "0.000001"}));
    let held = scene.begin(json!({}));
    let usage = json!([
        {"model": model, "input": 1_000_003, "cached": 3, "output": 7},
        {"provider": provider, "model": model, "input": 999_999_999, "cached": 1, "output": 1},
        {"model": "free", "input": 5},
    ]);
    scene.report(&held, usage).ok();
    let models = scene.desk.task(&held.id)["usage"]["models"].clone();
    let cost_of = |at: usize| models[at]["cost"].as_str().unwrap().to_owned();
    // 1.25 + 0.000000375 + 0.00007; 8999999.991 + 0.000000000001; both up to a millionth.
    assert_eq!(
        (cost_of(0), cost_of(1), cost_of(2)),
        ("0".into(), "1.250071".into(), "8999999.991001".into())
    );
    // It counts from the next report on, for all that the try has used; and never takes back.
    price(&model, json!({"input": "2", "output": "10"}));
    scene.report(&held, json!([{"model": model, "input": 1_000_003}])).ok();
    assert_eq!(scene.desk.task(&held.id)["usage"]["models"][1]["cost"], "2.000076");
    let listed = scene.agent.client.get("/prices").list();
    assert!(listed.iter().any(|it| it["model"] == format!("p/{model}")), "{listed:?}");
    scene.admin.delete(&format!("/prices/{model}")).ok();
    scene.admin.delete(&format!("/prices/{model}")).problem(404, "not_found");
    for (name, body, field) in [
        (model.as_str(), json!({"input": "1"}), "output"),
        (&model, json!({"input": "-1", "output": "1"}), "input"),
        (&model, json!({"input": "1", "output": "9000.000001"}), "output"),
        ("%40x", json!({"input": "1", "output": "1"}), "model"),
    ] {
        let answer = scene.admin.put(&format!("/prices/{name}"), &body);
        answer.problem_with(422, "validation_failed", field);
    }
    scene
        .agent
        .client
        .put(&format!("/prices/{model}"), &json!({"input": "1", "output": "1"}))
        .problem(403, "forbidden");
}

#[test]
fn a_task_that_has_used_up_its_budget_asks_for_more() {
    let scene = Scene::new();
    let held = scene.begin(json!({"budget": {"cost": "1", "tokens": 100}}));
    assert_eq!(held.task["budget"], json!({"cost": "1", "tokens": 100, "on_exceed": "wait"}));
    let told =
        scene.report(&held, json!([{"model": "m", "input": 30, "output": 10, "cost": "0.4"}])).ok();
    assert_eq!(told["budget"], json!({"cost_left": "0.6", "tokens_left": 60, "exceeded": false}));
    let usage = json!([{"model": "m", "input": 30, "output": 20, "cost": "1.5"}]);
    let body = json!({"usage": usage, "checkpoint": {"page": 7}});
    let told = scene.desk.post(&held, "progress", body).ok();
    assert_eq!(told["budget"], json!({"cost_left": "-0.5", "tokens_left": 50, "exceeded": true}));
    assert_eq!((&told["status"], &told["cancelled"]), (&json!("waiting"), &json!(false)), "{told}");
    scene.desk.post(&held, "progress", json!({})).problem(409, "fenced");
    let wait =
        scene.agent.client.get(&format!("/waits/{}", told["wait_id"].as_str().unwrap())).ok();
    assert_eq!(
        (&wait["kind"], &wait["name"]),
        (&json!("approval"), &json!("budget/task")),
        "{wait}"
    );
    assert!(wait["question"].as_str().unwrap().contains("budget"), "{wait}");
    scene.answer(&told["wait_id"], "approve");

    // As much again, from where it is now.
    let held = scene.desk.claim_one(&scene.node);
    assert_eq!(
        (&held.task["checkpoint"], &held.task["resume"]["decision"]),
        (&json!({"page": 7}), &json!("approve"))
    );
    let told = scene.report(&held, cost("0.9")).ok();
    assert_eq!(
        (&told["status"], &told["budget"]["cost_left"]),
        (&json!("running"), &json!("0.1")),
        "{told}"
    );
    let told = scene.report(&held, cost("1")).ok();
    assert_eq!(told["status"], "waiting");
    scene.answer(&told["wait_id"], "reject");
    let task = scene.desk.task(&held.id);
    assert_eq!(
        (&task["status"], &task["usage"]["cost"]),
        (&json!("cancelled"), &json!("2.5")),
        "{task}"
    );
    assert!(task["error"].as_str().unwrap().contains("budget"), "{task}");
}

#[test]
fn a_budget_may_cancel_or_only_tell() {
    let scene = Scene::new();
    let before = end(&scene.admin);
    let held = scene.begin(json!({"budget": {"tokens": 5, "on_exceed": "cancel"}}));
    let told = scene.report(&held, json!([{"model": "m", "input": 5}])).ok();
    assert_eq!(
        (&told["cancelled"], &told["status"]),
        (&json!(true), &json!("cancelled")),
        "{told}"
    );
    assert_eq!(scene.desk.status(&held.id), "cancelled");
    // Nothing is left for another try.
    let held =
        scene.begin(json!({"budget": {"tokens": 5, "on_exceed": "cancel"}, "max_retries": 5}));
    let body = json!({"error": "x", "usage": [{"model": "m", "output": 6}]});
    assert_eq!(scene.desk.post(&held, "fail", body).ok()["status"], "failed");
    let held = scene.begin(json!({"budget": {"cost": "1", "on_exceed": "flag"}}));
    let told = scene.report(&held, cost("7")).ok();
    assert_eq!((&told["status"], &told["budget"]["exceeded"]), (&json!("running"), &json!(true)));
    scene.report(&held, cost("8")).ok();
    scene.desk.post(&held, "complete", json!({"usage": cost("9")})).ok();
    let events = since(&scene.admin, &before);
    let is_told = |it: &&Value| {
        it["event_type"] == "budget_exceeded" && it["payload"]["task_id"] == held.id.as_str()
    };
    let told: Vec<_> = events.iter().filter(is_told).collect();
    assert_eq!(told.len(), 1, "{events:?}");
    assert_eq!(told[0]["payload"]["scope"], "task");
    for (budget, field) in [
        (json!({}), "budget.cost"),
        (json!({"cost": "0"}), "budget.cost"),
        (json!({"tokens": 0}), "budget.tokens"),
        (json!({"cost": "1", "on_exceed": "explode"}), "budget.on_exceed"),
    ] {
        let body = json!({"name": "x", "budget": budget});
        let answer = scene.agent.client.post("/tasks", &body);
        answer.problem_with(422, "validation_failed", field);
    }
}

#[test]
fn what_a_user_and_a_group_have_used_up_takes_no_further_tasks() {
    let scene = Scene::new();
    let user = unique("user");
    let made = scene
        .budget("user", &user, json!({"cost": "2", "period": "month", "on_exceed": "cancel"}))
        .ok();
    assert_eq!(
        (&made["owner"], &made["cost_used"]),
        (&json!(scene.agent.id), &json!("0")),
        "{made}"
    );
    let first = scene.begin(json!({"user_id": user}));
    let second = scene.begin(json!({"user_id": user}));
    scene.report(&first, cost("1.5")).ok();
    // Each may go over it by the one report.
    let told = scene.report(&second, cost("0.75")).ok();
    assert_eq!(
        (&told["cancelled"], &told["budget"]["cost_left"]),
        (&json!(true), &json!("-0.25")),
        "{told}"
    );
    let shown = scene.show("user", &user);
    assert_eq!(
        (&shown["cost_used"], &shown["exceeded"]),
        (&json!("2.25"), &json!(true)),
        "{shown}"
    );
    let body = json!({"name": "more", "user_id": user, "required_skills": [scene.desk.skill]});
    let refused = scene.agent.client.post("/tasks", &body);
    refused.problem(409, "budget_exhausted");
    assert!(refused.text().contains(&user), "{}", refused.text());
    scene
        .agent
        .client
        .post("/tasks/batch", &json!({"tasks": [body]}))
        .problem(409, "budget_exhausted");
    scene.desk.submit(json!({"user_id": "another"}));
    // A higher one takes them again; what was used stays used.
    let made = scene.budget("user", &user, json!({"cost": "3", "period": "month"})).ok();
    assert_eq!((&made["cost_used"], &made["exceeded"]), (&json!("2.25"), &json!(false)));
    scene.desk.submit(json!({"user_id": user}));
    scene.budget("user", &user, json!({"cost": "1", "on_exceed": "wait"})).ok();
    assert_eq!(scene.show("user", &user)["cost_used"], "0", "another period begins anew");
    scene.agent.client.delete(&format!("/budgets/user/{user}")).ok();
    scene.agent.client.get(&format!("/budgets/user/{user}")).problem(404, "not_found");

    let batch = json!({"tasks": [{"name": "one", "required_skills": [scene.desk.skill]}],
        "group": {"sealed": false}});
    let group = scene.agent.client.post("/tasks/batch", &batch).ok()["group_id"]
        .as_str()
        .unwrap()
        .to_owned();
    scene.budget("group", &group, json!({"tokens": 10, "on_exceed": "wait"})).ok();
    let held = scene
        .desk
        .claim(&scene.node)
        .into_iter()
        .find(|it| it.task["group_id"] == group.as_str())
        .unwrap();
    let told = scene.report(&held, json!([{"model": "m", "input": 11}])).ok();
    assert_eq!(told["status"], "waiting", "{told}");
    let body = json!({"name": "more", "group_id": group});
    scene.agent.client.post("/tasks", &body).problem(409, "budget_exhausted");
    // Whoever is let go on is not stopped again by what others have used up.
    scene.answer(&told["wait_id"], "approve");
    let held = scene.desk.claim_one(&scene.node);
    assert_eq!(scene.report(&held, json!([{"model": "m", "input": 50}])).ok()["status"], "running");
}

#[test]
fn what_an_agent_may_use_as_a_whole_the_admin_says() {
    let scene = Scene::new();
    let path = format!("/budgets/owner/{}", scene.agent.id);
    scene.agent.client.put(&path, &json!({"cost": "1000"})).problem(403, "forbidden");
    scene.admin.put(&path, &json!({"cost": "1", "period": "day", "on_exceed": "wait"})).ok();
    assert_eq!(scene.agent.client.get(&path).ok()["period"], "day");
    scene.agent.client.delete(&path).problem(403, "forbidden");
    let held = scene.begin(json!({}));
    assert_eq!(scene.report(&held, cost("1")).ok()["status"], "waiting");
    scene.agent.client.post("/tasks", &json!({"name": "x"})).problem(409, "budget_exhausted");
    let listed = scene.agent.client.get("/budgets").list();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let stranger = new_agent(&hub());
    assert_eq!(stranger.client.get("/budgets").list(), Vec::<Value>::new());
    stranger.client.get(&path).problem(404, "not_found");
    scene.admin.delete(&path).ok();
    scene.desk.submit(json!({}));
    for (body, field) in [
        (json!({}), "cost"),
        (json!({"cost": "1", "period": "year"}), "period"),
        (json!({"cost": "1", "on_exceed": "x"}), "on_exceed"),
        (json!({"cost": "1", "owner": "not an id"}), "owner"),
    ] {
        let answer = scene.budget("user", "u", body);
        answer.problem_with(422, "validation_failed", field);
    }
    scene.budget("node", "n", json!({"cost": "1"})).problem(422, "validation_failed");
}

#[test]
fn what_a_wait_reports_counts_too_and_a_checkpoint_outlives_a_lost_lease() {
    let scene = Scene::new();
    let held = scene.begin(json!({}));
    let body = json!({"kind": "signal", "name": "go", "usage": [{"model": "m", "input": 3}]});
    scene.desk.post(&held, "wait", body).ok();
    assert_eq!(scene.desk.task(&held.id)["usage"]["input"], 3);
    scene.agent.client.post(&format!("/tasks/{}/signal", held.id), &json!({"name": "go"})).ok();
    let held = scene.desk.claim_for(&scene.node, 5000);
    scene.desk.post(&held, "progress", json!({"checkpoint": [1, 2], "lease_ms": 5000})).ok();
    let again = eventually("the lease ran out", PATIENCE, || scene.desk.claim(&scene.node).pop());
    assert_eq!((&again.id, &again.task["checkpoint"]), (&held.id, &json!([1, 2])));
    let large = json!({"checkpoint": "x".repeat(256 << 10)});
    scene.desk.post(&again, "progress", large).problem(422, "validation_failed");
}
