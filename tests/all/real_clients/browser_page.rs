//! It is used as a person uses it: by the keyboard, through windows of several sizes, for hours.

use serde_json::json;

use super::{Message, Written as _, delta};
use crate::harness::{Browser, Hub, NewAgent, Page, Proxy, unique};

/// Signs in by the keyboard, with the focus where the page has put it.
#[track_caller]
fn sign_in(page: &mut Page, key: &str) {
    page.wait_for("document.activeElement?.id === 'key'");
    page.type_text(key);
    page.press("Enter");
    page.wait_for("document.getElementById('live').textContent === 'live'");
}

/// Waits until the table shows a node with this status.
#[track_caller]
fn wait_for_node(page: &mut Page, hostname: &str, status: &str) {
    page.wait_for(&format!(
        "[...document.querySelectorAll('#nodes tr')].some((row) => \
         row.innerText.includes('{hostname}') && row.querySelector('.{status}'))"
    ));
}

/// Waits until the list of events has these words in one line.
#[track_caller]
fn wait_for_event(page: &mut Page, what: &str, about: &str) {
    page.wait_for(&format!(
        "[...document.querySelectorAll('#events li')].some((line) => \
         line.innerText.includes('{what}') && line.innerText.includes('{about}'))"
    ));
}

/// Checks that nothing has to be scrolled sideways to be read, tables apart.
#[track_caller]
fn assert_fits(page: &mut Page) {
    let widths =
        page.eval("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
    assert!(widths[0].as_u64() <= widths[1].as_u64(), "{widths}");
}

/// Fills the page with what a small cluster has.
fn populate(hub: &Hub) -> Message {
    let client = hub.admin();
    let skills: &[&[&str]] =
        &[&["python", "gpu"], &["node", "browser", "pdf"], &["rust"], &["chat"]];
    for (index, skills) in skills.iter().enumerate() {
        let node = client.new_node_with(&format!("worker-{index}.lab"), skills);
        let id = node["node_id"].as_str().unwrap();
        client.beat(id, &json!({"cpu_usage": 17.5 * index as f64, "running_tasks": index}));
    }
    let nodes = client.get("/nodes").list();
    let id = |index: usize| nodes[index]["node_id"].as_str().unwrap();
    client.patch(&format!("/nodes/{}", id(0)), &json!({"status": "maintenance"})).ok();
    client.post_empty(&format!("/nodes/{}/shutdown", id(1))).ok();
    client.post("/cluster/leader/campaign", &json!({"node_id": id(2)})).ok();
    let message = Message::begin(&client);
    message.append("The three nodes answered. ");
    message.append("Two of them agree on the result; the third is draining.\n\n");
    let code = json!({"content_type": "code", "code": {"code": "let x = 1;", "language": "rust"}});
    message.post("content", &code);
    message.post("tasks", &json!({"task_id": "draw", "task_type": "image_generation"}));
    let path = format!("/messages/{}/tasks/draw", message.id);
    client.patch(&path, &json!({"status": "processing", "progress": 0.4})).ok();
    message
}

#[test]
fn the_page_shows_the_cluster_as_it_changes() {
    let hub = Hub::options().timeout(2.0).start();
    let client = hub.admin();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", hub.url()));

    // Without a key nothing is shown; a wrong one is refused in words.
    page.wait_for("document.activeElement?.id === 'key'");
    page.screenshot("sign-in");
    page.type_text("wrong");
    page.press("Enter");
    page.wait_for("document.getElementById('sign-answer').textContent.length > 10");
    let refusals = page.complaints();
    assert!(refusals.iter().all(|text| text.contains("401")), "{refusals:?}");
    sign_in(&mut page, &hub.admin_key());
    assert!(
        !page
            .eval("document.cookie + JSON.stringify(localStorage)")
            .to_string()
            .contains(&hub.admin_key())
    );

    // A node comes and goes, and the page says so without being loaded again.
    page.eval("window.isTheSamePage = true");
    let hostname = unique("newcomer");
    let registration = crate::harness::registration(&hostname);
    client.post("/nodes/register", &registration).ok();
    wait_for_node(&mut page, &hostname, "online");
    wait_for_event(&mut page, "node registered", &hostname);
    wait_for_node(&mut page, &hostname, "offline");
    wait_for_event(&mut page, "node offline", &hostname);
    // What others write is shown as text.
    let mark = "<img src=x onerror=alert(1)>";
    client.new_node_with("marked", &[mark]);
    page.wait_for(&format!("document.getElementById('nodes').innerText.includes('{mark}')"));
    assert_eq!(page.eval("window.isTheSamePage"), true);

    // Who comes back is still signed in, until they sign out.
    page.go(&format!("{}/", hub.url()));
    wait_for_node(&mut page, &hostname, "offline");
    assert_eq!(page.complaints(), refusals);
    page.eval("document.getElementById('out').click()");
    page.wait_for("document.activeElement?.id === 'key'");
    page.wait_for("document.getElementById('nodes').children.length === 0");
    let strange: Vec<_> = page.requests();
    let strange: Vec<_> = strange.iter().filter(|url| !url.starts_with(hub.url())).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn the_page_shows_a_message_once_and_whole_over_cuts_and_crashes() {
    const DELTAS: usize = 40;
    let mut hub = Hub::start();
    let proxy = Proxy::start(hub.anonymous().address());
    let mut browser = Browser::start();
    let message = Message::begin(&hub.admin());
    message.append("begin ");
    let mut page = browser.open(&format!("{}/#{}/{}", proxy.url(), message.session, message.id));
    sign_in(&mut page, &hub.admin_key());
    let shows = |page: &mut Page, text: &str| {
        let text = json!(text);
        page.wait_for(&format!("document.getElementById('text').textContent === {text}"));
    };
    shows(&mut page, "begin ");

    let mut text = "begin ".to_owned();
    for number in 0..DELTAS {
        if number == DELTAS / 4 {
            proxy.cut();
        }
        if number == DELTAS / 2 {
            // What was shown stays while the hub is away, and the page says that it is.
            shows(&mut page, &text);
            hub.kill();
            proxy.cut();
            page.wait_for(
                "document.getElementById('message-state').textContent === 'reconnecting…'",
            );
            page.wait_for("document.getElementById('state').className === 'bad'");
            assert_eq!(page.text("text"), text);
            hub.start_again();
            proxy.lead_to(hub.anonymous().address());
        }
        let message = Message { client: hub.admin(), ..message.clone() };
        message.append(&delta(number));
        text += &delta(number);
        if number == DELTAS / 2 {
            // Live again, and without being asked.
            shows(&mut page, &text);
            page.wait_for("document.getElementById('message-state').textContent === 'live'");
        }
    }
    shows(&mut page, &text);
    let message = Message { client: hub.admin(), ..message };
    message.complete();
    page.wait_for("document.getElementById('message-state').textContent === 'complete'");
    assert_eq!(page.text("text"), message.text());
    page.wait_for("document.getElementById('state').className === 'good'");
    page.wait_for("document.getElementById('live').textContent === 'live'");

    // One that is not there is named as such.
    page.eval("location.hash = '#nobody/nothing'");
    page.wait_for("document.getElementById('message-state').className === 'bad'");
    assert_eq!(page.text("text"), "");
}

/// Registers an agent with some money and returns its id and key.
fn agent_with_money(hub: &Hub) -> (String, String) {
    let NewAgent { id, key, client } = hub.admin().new_agent();
    client.post("/deposit", &json!({"agent_id": id, "amount": "1000"})).ok();
    (id, key)
}

#[test]
fn the_page_shows_money_to_who_may_see_it() {
    let hub = Hub::start();
    let agents = [agent_with_money(&hub), agent_with_money(&hub)];
    let intents = ["long", "short"].iter().zip(&agents).map(|(side, (agent, key))| {
        let body = json!({
            "agent_id": agent, "intent_type": side, "asset": "ETH-PERP", "leverage": 5,
            "size": if *side == "long" { "500" } else { "300" },
        });
        let opened = hub.anonymous().with_key(key).post("/intents", &body).ok();
        opened["intent"]["intent_id"].as_str().unwrap().to_owned()
    });
    let intents: Vec<_> = intents.collect();
    let body = json!({"with": intents[1], "price": "2000"});
    hub.admin().post(&format!("/intents/{}/match", intents[0]), &body).ok();

    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", hub.url()));
    sign_in(&mut page, &hub.admin_key());
    page.wait_for("document.getElementById('balances').children.length === 2");
    page.wait_for("document.getElementById('positions').children.length === 2");
    let open = page.text("intents");
    assert!(open.contains(&agents[0].0) && open.contains("200"), "{open}");
    page.prefer("dark");
    page.resize(1280, 1300);
    page.screenshot("money");
    assert_fits(&mut page);

    // An agent sees what is its own.
    page.eval("document.getElementById('out').click()");
    page.wait_for("document.activeElement?.id === 'key'");
    sign_in(&mut page, &agents[1].1);
    page.wait_for("document.getElementById('positions').children.length === 1");
    assert_eq!(page.eval("document.getElementById('balances').children.length"), 1);
    let shown = page.text("balances");
    assert!(shown.contains(&agents[1].0) && shown.contains("940"), "{shown}");
    // Only that a key is needed was ever refused, to whatever was asked as the page signed out.
    let refusals = page.complaints();
    assert!(refusals.iter().all(|text| text.contains("status of 401")), "{refusals:?}");
}

#[test]
fn the_page_can_be_read_in_any_light_and_width_and_by_keyboard() {
    let hub = Hub::options().open().start();
    let message = populate(&hub);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/#{}/{}", hub.url(), message.session, message.id));
    page.wait_for("document.getElementById('nodes').children.length === 4");
    page.wait_for("document.getElementById('blocks').innerText.includes('40 %')");
    wait_for_event(&mut page, "leader changed", "worker-1");

    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        for (width, height) in [(1280, 900), (800, 1000), (400, 800)] {
            page.resize(width, height);
            assert_fits(&mut page);
            page.screenshot(&format!("{scheme}-{width}"));
        }
        backgrounds.push(page.eval("getComputedStyle(document.body).backgroundColor"));
        let poor = page.eval(include_str!("contrast.js"));
        assert_eq!(poor, json!([]), "{scheme}: text that is hard to see");
    }
    assert_ne!(backgrounds[0], backgrounds[1]);

    // All that can be used has a name, and the keyboard gets everywhere.
    let controls = page.controls();
    assert!(controls.iter().all(|(_, name)| !name.is_empty()), "{controls:?}");
    for wanted in
        [("button", "Follow"), ("combobox", "Session"), ("table", "Nodes"), ("list", "Events")]
    {
        assert!(
            controls.iter().any(|(role, name)| (role.as_str(), name.as_str()) == wanted),
            "{wanted:?} in {controls:?}"
        );
    }
    page.eval("document.body.focus()");
    page.press("Tab");
    assert_eq!(page.eval("document.activeElement.className"), "skip");
    let mut reached = Vec::new();
    for _ in 0..12 {
        page.press("Tab");
        reached.push(page.eval("document.activeElement.id").as_str().unwrap().to_owned());
    }
    for id in ["sid", "mid", "text", "events"] {
        assert!(reached.iter().any(|it| it == id), "{id} in {reached:?}");
    }
    assert_eq!(page.complaints(), Vec::<String>::new());
    assert_eq!(page.eval("document.documentElement.lang"), "en");
}

#[test]
fn the_page_signs_in_by_a_link_once() {
    let hub = Hub::start();
    let link = || {
        let made = hub.admin().post_empty("//ui/sign-in-links").ok();
        format!("{}/#sign-in={}", hub.url(), made["code"].as_str().unwrap())
    };
    let mut browser = Browser::start();
    let used = link();
    let mut page = browser.open(&used);
    page.wait_for("document.getElementById('live').textContent === 'live'");
    // The code is neither in the address nor in what was asked for.
    assert_eq!(page.eval("location.hash"), "");
    let requests = page.requests();
    assert!(requests.iter().all(|url| !url.contains("reef_link_")), "{requests:?}");

    // In a page that is open already, and told why it is not taken again.
    page.eval("document.getElementById('out').click()");
    page.wait_for("document.activeElement?.id === 'key'");
    page.go(&used);
    page.wait_for("document.getElementById('sign-answer').textContent.includes('has been used')");
    page.screenshot("sign-in-link-used");
    page.go(&link());
    page.wait_for("document.getElementById('live').textContent === 'live'");
}
