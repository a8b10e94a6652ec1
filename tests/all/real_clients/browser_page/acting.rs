use serde_json::{Value, json};

use super::{Filled, Used as _, count, named, one, status};
use crate::harness::{Browser, Hub, NewAgent, Page};

const DIALOG: &str = "document.querySelector('dialog[open]')";

/// Opens the page at a view, signed in and with the right to act.
pub(super) fn open(browser: &mut Browser, hub: &Hub, hash: &str) -> Page {
    let mut page = browser.open(&format!("{}/{hash}", hub.url()));
    page.sign_in(&hub.admin_key());
    page.act(&hub.admin_key());
    page
}

/// The last button of the dialog that is open: the one that does it.
pub(super) fn do_it() -> String {
    format!("{DIALOG}?.querySelector('.buttons button:last-child:not(:disabled)')")
}

/// Waits until the dialog says this.
#[track_caller]
pub(super) fn says(page: &mut Page, text: &str) {
    page.wait_for(&format!("{DIALOG}?.innerText.includes({})", json!(text)));
}

/// Presses until the dialog says this: again where it asks for that, since Redis has not answered in time.
#[track_caller]
pub(super) fn press_until(page: &mut Page, text: &str) {
    loop {
        page.click(&do_it());
        let said = format!("{DIALOG}?.innerText.includes({})", json!(text));
        let asks = format!("{DIALOG}?.innerText.includes('Send it again')");
        page.wait_for(&format!("{said} || {asks}"));
        if page.eval(&said) == true {
            return;
        }
    }
}

/// Takes the dialog that shows what was done away.
pub(super) fn close(page: &mut Page) {
    page.click(&do_it());
    page.wait_for(&format!("!{DIALOG}"));
}

#[test]
fn a_page_reads_until_the_key_is_entered_again() {
    let hub = Hub::start();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/#/tasks/{}", hub.url(), filled.waiting));
    page.sign_in(&hub.admin_key());
    // The cookie that reads changes nothing.
    let refused = page.eval(&format!(
        "fetch('/api/v1/tasks/{}/cancel', {{method: 'POST'}}).then((it) => it.status)",
        filled.waiting
    ));
    assert!(refused == 401 || refused == 403, "{refused}");
    // A button asks for the key first, and goes on with what it was pressed for.
    page.click(&named("Cancel"));
    page.wait_for("document.activeElement?.id === 'act-key'");
    page.assert_accessible("asking for the key");
    page.screenshot("act");
    page.type_text("wrong");
    page.press("Enter");
    page.wait_for("document.getElementById('act-answer')?.textContent.length > 5");
    page.fill("#act-key", &hub.admin_key());
    page.press("Enter");
    says(&mut page, "look (pending)");
    let kept = page.eval("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.body.innerHTML");
    assert!(!kept.to_string().contains(&hub.admin_key()));
    page.press("Escape");
    page.wait_for(&format!("!{DIALOG}"));
    assert_eq!(status(&hub, &format!("/tasks/{}", filled.waiting)), "pending");
    // A reload keeps the right; giving it up ends it.
    page.go(&format!("{}/#/queue", hub.url()));
    page.wait_for("Boolean(document.getElementById('acting'))");
    page.click(&named("Stop acting"));
    page.wait_for("Boolean(document.getElementById('act'))");
    let refused = page.eval(&format!(
        "fetch('/api/v1/tasks/{}/cancel', {{method: 'POST', headers: {{'X-Reef-Csrf': 'x'}}}}).then((it) => it.status)", filled.waiting));
    assert!(refused == 401 || refused == 403, "{refused}");
}

#[test]
fn buttons_are_offered_to_who_may_press_them() {
    let hub = Hub::start();
    let filled = Filled::of(&hub);
    let NewAgent { client, .. } = hub.admin().new_agent();
    let made = client.post("/auth/keys", &json!({"name": "looks", "scopes": ["read"]})).ok();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/#/nodes/{}", hub.url(), filled.nodes[2]));
    page.sign_in(made["api_key"].as_str().unwrap());
    page.shows("worker-2.lab");
    assert_eq!(page.eval(&named("Drain")), Value::Null);
    assert_eq!(page.eval("document.getElementById('act')"), Value::Null);
    page.view("#/queue");
    page.shows("Gate");
    assert_eq!(page.eval(&named("Pause all")), Value::Null);
    page.click(&one("#out"));
    page.sign_in(&hub.admin_key());
    page.wait_for(&format!("Boolean({})", named("Pause all")));
}

#[test]
fn an_action_is_done_once_under_double_clicks_lost_answers_and_reloads() {
    let hub = Hub::start();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/schedules/hourly");
    let runs = || hub.admin().get("/schedules/hourly").ok()["started"].as_u64().unwrap();

    // A double click on what does it.
    page.click(&named("Run now"));
    says(&mut page, "A run of hourly begins now.");
    page.assert_accessible("a dialog");
    page.screenshot("act-dialog");
    page.click_times(&do_it(), 3);
    says(&mut page, "1 run has begun.");
    assert_eq!((runs(), count(&mut page, "POST", "/schedules/hourly/trigger")), (1, 1));
    close(&mut page);

    // The answer is lost: the page says that it does not know, and sends the same wish again.
    let cancel = |hub: &Hub| {
        let tasks = hub.admin().get("/tasks?name=hourly&status=pending").list();
        for task in tasks {
            hub.admin()
                .post_empty(&format!("/tasks/{}/cancel", task["task_id"].as_str().unwrap()))
                .ok();
        }
    };
    cancel(&hub);
    page.hold_answers("*/trigger");
    page.click(&named("Run now"));
    page.click(&do_it());
    page.lose_answer();
    says(&mut page, "It is not known whether it was done.");
    assert_eq!(runs(), 2);
    page.click(&do_it());
    says(&mut page, "1 run has begun.");
    assert_eq!((runs(), count(&mut page, "POST", "/schedules/hourly/trigger")), (2, 3));
    close(&mut page);

    // The answer is lost, and the page loaded again: the wish is still the same one.
    cancel(&hub);
    page.hold_answers("*/trigger");
    page.click(&named("Run now"));
    page.click(&do_it());
    page.lose_answer();
    says(&mut page, "It is not known whether it was done.");
    page.go(&format!("{}/?again#/schedules/hourly", hub.url()));
    page.wait_for("Boolean(document.getElementById('acting'))");
    page.click(&named("Run now"));
    page.click(&do_it());
    says(&mut page, "1 run has begun.");
    assert_eq!(runs(), 3);
    close(&mut page);
    // And another wish is another one.
    cancel(&hub);
    page.click(&named("Run now"));
    page.click(&do_it());
    says(&mut page, "1 run has begun.");
    assert_eq!(runs(), 4);
    close(&mut page);
    // What was done is said to those who do not see it.
    page.wait_for("document.getElementById('said').textContent === '1 run has begun.'");
    // A new key that is sent twice is shown once, and never again.
    page.view("#/agents");
    page.click(&named("Register an agent"));
    page.fill("#field-display_name", "Fresh");
    page.click_times(&do_it(), 2);
    page.wait_for(&format!("{DIALOG}?.querySelector('.secret input')?.value.startsWith('reef_')"));
    assert_eq!(count(&mut page, "POST", "/agents/register"), 1);
    page.assert_accessible("a new key");
    page.screenshot("new-key");
    close(&mut page);
    assert_eq!(page.eval("document.body.innerHTML.includes('reef_') && /reef_[A-Za-z0-9]{8}_/.test(document.body.innerHTML)"), false);
    drop(filled);
}

#[test]
fn a_right_that_was_taken_away_changes_nothing_and_is_asked_for_again() {
    let hub = Hub::start();
    let client = hub.admin();
    let NewAgent { key, client: alice, .. } = client.new_agent();
    let task = alice.post("/tasks", &json!({"name": "hers"})).ok()["task_id"].clone();
    let task = task.as_str().unwrap();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/#/tasks/{task}", hub.url()));
    page.sign_in(&hub.admin_key());
    page.act(&key);
    page.click(&named("Cancel"));
    says(&mut page, "hers (pending)");
    // Meanwhile her key is revoked.
    let me = alice.get("/auth/me").ok();
    client.delete(&format!("/auth/keys/{}", me["auth"]["key_id"].as_str().unwrap())).ok();
    page.click_times(&do_it(), 2);
    says(&mut page, "or the right to act has ended.");
    page.assert_accessible("a right that has ended");
    assert_eq!(status(&hub, &format!("/tasks/{task}")), "pending");
    page.press("Escape");
    page.wait_for("Boolean(document.getElementById('act')) && !document.getElementById('acting')");
    // The page reads on, and asks for a key before the next change.
    page.click(&named("Cancel"));
    page.wait_for("document.activeElement?.id === 'act-key'");
    page.type_text(&hub.admin_key());
    page.press("Enter");
    says(&mut page, "hers (pending)");
    press_until(&mut page, "It is cancelled now.");
}

#[test]
fn many_tasks_are_counted_before_and_after() {
    let hub = Hub::start();
    let client = hub.admin();
    for number in 0..7 {
        client.post("/tasks", &json!({"name": "many", "priority": number % 2 + 1})).ok();
    }
    client.post("/tasks", &json!({"name": "other"})).ok();
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/tasks?name=many");
    page.wait_for("document.querySelectorAll('.table-body .row').length === 7");
    page.click(&named("Cancel all…"));
    says(&mut page, "It would change 7 tasks.");
    // More than one needs a reason.
    page.click(&do_it());
    page.eval("new Promise(requestAnimationFrame)");
    assert_eq!(client.get("/tasks?name=many&status=pending").list().len(), 7);
    page.fill("#field-reason", "检修 provider");
    page.screenshot("bulk");
    page.click(&do_it());
    says(&mut page, "7 of 7 were changed.");
    assert_eq!(client.get("/tasks?name=many&status=cancelled").list().len(), 7);
    assert_eq!(client.get("/tasks?name=other&status=pending").list().len(), 1);
    close(&mut page);
    // Two that were chosen.
    for _ in 0..2 {
        page.click("[...document.querySelectorAll('.table-body input')].find((it) => !it.checked)");
    }
    page.shows("2 chosen");
    page.click(&named("Retry"));
    says(&mut page, "2 tasks were chosen.");
    page.fill("#field-reason", "again");
    page.press("Enter");
    says(&mut page, "Done for 2.");
    assert_eq!(client.get("/tasks?name=many&status=pending").list().len(), 2);
}

#[test]
fn a_fleet_is_mended_by_keyboard_alone() {
    let hub = Hub::start();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/approvals");
    page.shows("Deploy to production?");
    // The question is answered by a letter, in a dialog that Enter ends.
    page.press("a");
    says(&mut page, "Deploy to production?");
    page.fill("#field-comment", "looked at it");
    page.press("Enter");
    says(&mut page, "Decided: answered.");
    page.press("Enter");
    let wait = hub.admin().get(&format!("/waits/{}", filled.approval)).ok();
    assert_eq!(
        (&wait["state"], &wait["answers"][0]["decision"]),
        (&json!("answered"), &json!("approve"))
    );
    page.shows("Nobody asks anything.");

    // A button that has the focus is pressed by Enter: to the gate, and shut it.
    page.press("g");
    page.press("q");
    page.wait_for(&format!("Boolean({})", named("Pause all")));
    page.eval(&format!("{}.focus()", named("Pause all")));
    page.press("Enter");
    says(&mut page, "No task begins");
    page.fill("#field-reason", "the provider shut its gate");
    page.press("Enter");
    says(&mut page, "Done.");
    page.press("Escape");
    page.wait_for("document.getElementById('queue-state')?.className === 'bad'");
    assert_eq!(hub.admin().get("/queue").ok()["paused"], true);
    page.press("g");
    page.press("o");
    page.shows("The queue is paused: no task begins.");
}

#[test]
fn each_of_the_other_actions_does_what_it_says() {
    let hub = Hub::start();
    let filled = Filled::of(&hub);
    let client = hub.admin();
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/overview");
    let told = || client.get("/audit?limit=1000").ok()["entries"].as_array().unwrap().len();
    // What is one wish is pressed twice at once, its answer is lost, and it is pressed again. Those of
    // nodes say what failed of each, and are pressed once.
    let press = |page: &mut Page, hash: &str, button: &str, fields: &[(&str, &str)], said: &str| {
        let before = told();
        // Who speaks in it may close a session: the audit has nothing of that.
        let once = before + usize::from(!hash.starts_with("#/sessions/"));
        page.view(hash);
        page.click(&named(button));
        page.wait_for(&format!("Boolean({DIALOG})"));
        for (field, text) in fields {
            page.fill(&format!("#field-{field}"), text);
        }
        if !hash.starts_with("#/nodes/") {
            page.hold_answers("*/api/v1/*");
            page.click_times(&do_it(), 2);
            page.lose_answer();
            says(page, "It is not known whether it was done.");
            assert_eq!(told(), once, "{button}: the hub has done it");
        }
        page.click(&do_it());
        says(page, said);
        close(page);
        assert_eq!(told(), once, "{button} was done once");
    };
    let task = |id: &str| format!("#/tasks/{id}");
    press(&mut page, &task(&filled.failed), "Retry", &[], "It is pending now.");
    press(&mut page, &task(&filled.failed), "Cancel", &[], "It is cancelled now.");
    press(&mut page, &task(&filled.failed), "Remove", &[], "Done.");
    client.get(&format!("/tasks/{}", filled.failed)).problem(404, "not_found");
    let node = |index: usize| format!("#/nodes/{}", filled.nodes[index]);
    press(&mut page, &node(0), "Resume", &[], "Done for 1.");
    assert_eq!(client.node(&filled.nodes[0])["status"], "online");
    press(&mut page, &node(0), "Drain", &[], "Done for 1.");
    assert_eq!(client.node(&filled.nodes[0])["status"], "maintenance");
    press(&mut page, &node(3), "Shut down", &[], "Done for 1.");
    assert_eq!(client.node(&filled.nodes[3])["status"], "offline");
    press(&mut page, &node(3), "Remove", &[], "Done for 1.");
    client.get(&format!("/nodes/{}", filled.nodes[3])).problem(404, "not_found");
    press(&mut page, "#/limits/provider", "Pause", &[], "Done.");
    let limit = client.get("/limits/provider").ok();
    assert_eq!(
        (&limit["paused"], &limit["concurrency"], &limit["note"]),
        (&json!(true), &json!(2), &json!("one account"))
    );
    press(&mut page, "#/limits/provider", "Open", &[], "Done.");
    press(&mut page, "#/schedules/hourly", "Pause", &[("note", "repairs")], "Done.");
    assert_eq!(client.get("/schedules/hourly").ok()["paused"], true);
    press(
        &mut page,
        "#/limits?tab=budgets",
        "New budget",
        &[("id", "u2"), ("cost", "3.5")],
        "Done.",
    );
    assert_eq!(client.get("/budgets/user/u2").ok()["cost"], "3.5");
    press(
        &mut page,
        &format!("#/flows/{}", filled.group),
        "Cancel",
        &[("reason", "not needed")],
        "Done for 3.",
    );
    press(&mut page, "#/leader", "End its lead", &[], "Done.");
    assert_eq!(client.get("/cluster/leader").ok()["leader"], Value::Null);
    press(
        &mut page,
        &format!("#/sessions/{}", filled.message.session),
        "Close session",
        &[],
        "Done.",
    );
    assert_eq!(status(&hub, &format!("/sessions/{}", filled.message.session)), "closed");
    // What is refused says what to do, and leaves the dialog open.
    page.view("#/limits?tab=budgets");
    page.click(&named("New budget"));
    page.fill("#field-id", "u3");
    page.fill("#field-cost", "much");
    page.click(&do_it());
    says(&mut page, "Mend what is named");
    says(&mut page, "cost");
}
