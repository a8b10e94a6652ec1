use reef_domain::shown::as_text;
use serde_json::json;

use super::Message;
use super::{Used as _, agent_with_money, one};
use crate::harness::{Browser, Hub, Page, Proxy, registration, unique};
use crate::real_clients::{Written as _, delta};

/// Waits until the table of nodes shows one with this status, in words.
#[track_caller]
fn wait_for_node(page: &mut Page, hostname: &str, status: &str) {
    page.wait_for(&format!(
        "[...document.querySelectorAll('.table-body .row')].some((row) => \
         row.innerText.includes('{hostname}') && row.innerText.includes('{status}'))"
    ));
}

#[test]
fn the_page_shows_the_cluster_as_it_changes() {
    let hub = Hub::options().timeout(2.0).start();
    let client = hub.admin();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/#/nodes", hub.url()));

    // Without a key nothing is shown; a wrong one is refused in words.
    page.wait_for("document.activeElement?.id === 'key'");
    page.screenshot("sign-in");
    page.assert_accessible("signing in");
    page.type_text("wrong");
    page.press("Enter");
    page.wait_for("document.getElementById('sign-answer').textContent.length > 10");
    let refusals = page.complaints();
    assert!(refusals.iter().all(|text| text.contains("401")), "{refusals:?}");
    page.sign_in(&hub.admin_key());
    let kept = page
        .eval("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)");
    assert!(!kept.to_string().contains(&hub.admin_key()));
    // Who signs in stays where the address led.
    assert_eq!(page.text("view-title"), "Nodes");

    // A node comes and goes, and the page says so without being loaded again.
    page.eval("window.isTheSamePage = true");
    let hostname = unique("newcomer");
    client.post("/nodes/register", &registration(&hostname)).ok();
    wait_for_node(&mut page, &hostname, "online");
    wait_for_node(&mut page, &hostname, "offline");
    page.view("#/events");
    for event in ["node_registered", "node_offline"] {
        wait_for_node(&mut page, &hostname, event);
    }
    page.view("#/overview");
    page.shows("1 node is offline.");
    assert_eq!(page.eval("window.isTheSamePage"), true);

    // Who comes back is still signed in, until they sign out.
    page.go(&format!("{}/", hub.url()));
    page.shows("1 node is offline.");
    assert_eq!(page.complaints(), refusals);
    page.click(&one("#out"));
    page.wait_for("document.activeElement?.id === 'key'");
    page.wait_for("!document.body.innerText.includes('offline')");
    let strange: Vec<_> = page.requests();
    let strange: Vec<_> = strange.iter().filter(|url| !url.starts_with(hub.url())).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// The text of the message that is followed, and how its stream is.
const TEXT: &str = "document.querySelector('article .text')?.textContent ?? ''";
const STATE: &str = "document.querySelector('article')?.dataset.state";

#[test]
fn the_page_shows_a_message_once_and_whole_over_cuts_and_crashes() {
    const DELTAS: usize = 40;
    let mut hub = Hub::start();
    let proxy = Proxy::start(hub.anonymous().address());
    let mut browser = Browser::start();
    let message = Message::begin(&hub.admin());
    message.append("begin ");
    // As an address of the page before this one names it.
    let mut page = browser.open(&format!("{}/#{}/{}", proxy.url(), message.session, message.id));
    page.sign_in(&hub.admin_key());
    let shows = |page: &mut Page, text: &str| {
        page.wait_for(&format!("({TEXT}) === {}", json!(as_text(text))));
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
            page.wait_for(&format!("{STATE} === 'reconnecting'"));
            page.wait_for("document.getElementById('state').className.includes('bad')");
            page.wait_for("document.getElementById('live').dataset.state === 'reconnecting'");
            assert_eq!(page.eval(TEXT), json!(as_text(&text)));
            hub.start_again();
            proxy.lead_to(hub.anonymous().address());
        }
        let message = Message { client: hub.admin(), ..message.clone() };
        message.append(&delta(number));
        text += &delta(number);
        if number == DELTAS / 2 {
            // Live again, and without being asked.
            shows(&mut page, &text);
            page.wait_for(&format!("{STATE} === 'live'"));
        }
    }
    shows(&mut page, &text);
    let message = Message { client: hub.admin(), ..message };
    message.complete();
    page.wait_for(&format!("{STATE} === 'over'"));
    assert_eq!(page.eval(TEXT), json!(as_text(&message.text())));
    page.wait_for("document.getElementById('state').className.includes('good')");
    page.wait_for("document.getElementById('live').dataset.state === 'live'");

    // One that is not there is named as such.
    page.view(&format!("#/sessions/{}?message=nothing", message.session));
    page.wait_for(
        "document.querySelector('article[data-message=nothing]')?.dataset.state === 'refused'",
    );
    assert_eq!(
        page.eval("document.querySelector('article[data-message=nothing] .text')"),
        json!(null)
    );
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
    let mut page = browser.open(&format!("{}/#/money", hub.url()));
    page.sign_in(&hub.admin_key());
    page.wait_for("document.querySelectorAll('.table-body .row').length === 2");
    page.view("#/money?tab=intents");
    page.shows(&agents[0].0);
    page.shows("200");
    // The links of the journal are checked where the page is, over what it has read.
    page.view("#/money?tab=journal");
    page.click(&super::named("Check links"));
    page.wait_for("document.getElementById('journal-check')?.className === 'good'");
    page.view(&format!("#/money/{}", agents[0].0));
    page.shows("ETH-PERP");
    page.prefer("dark");
    page.resize(1280, 1300);
    page.screenshot("money");
    page.assert_fits();

    // An agent sees what is its own.
    page.click(&one("#out"));
    page.wait_for("document.activeElement?.id === 'key'");
    page.sign_in(&agents[1].1);
    page.view("#/money");
    page.wait_for("document.querySelectorAll('.table-body .row').length === 1");
    let shown = page.eval("document.querySelector('.table-body').innerText").to_string();
    assert!(shown.contains(&agents[1].0) && shown.contains("940"), "{shown}");
    page.view(&format!("#/money/{}", agents[0].0));
    page.wait_for("document.querySelector('main .note')?.textContent.length > 10");
    assert!(!page.eval("document.querySelector('main').innerText").to_string().contains("1,000"));
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
    page.wait_for("document.getElementById('live')?.dataset.state === 'live'");
    // The code is neither in the address nor in what was asked for.
    assert_eq!(page.eval("location.hash"), "");
    let requests = page.requests();
    assert!(requests.iter().all(|url| !url.contains("reef_link_")), "{requests:?}");

    // In a page that is open already, and told why it is not taken again.
    page.click(&one("#out"));
    page.wait_for("document.activeElement?.id === 'key'");
    page.go(&used);
    page.wait_for("document.getElementById('sign-answer').textContent.includes('has been used')");
    page.screenshot("sign-in-link-used");
    page.go(&link());
    page.wait_for("document.getElementById('live')?.dataset.state === 'live'");
}

#[test]
fn a_page_that_nobody_looks_at_asks_nothing() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", hub.url()));
    page.wait_for("document.getElementById('live')?.dataset.state === 'live'");
    page.hide(true);
    // What was under way has ended once the page has been told.
    page.eval("new Promise((done) => setTimeout(done, 1500))");
    let before = page.requests().len();
    for number in 0..20 {
        client.new_node(&format!("unseen-{number}"));
    }
    // Longer than the pace of any view, so that each has had its turn to ask.
    page.eval("new Promise((done) => setTimeout(done, 11000))");
    assert_eq!(page.requests().len(), before);
    // It brings what it has missed as soon as somebody looks again.
    page.hide(false);
    page.shows("20 of 20");
    page.view("#/events");
    // With the head; only those that can be seen are drawn.
    page.wait_for("document.querySelector('.table')?.getAttribute('aria-rowcount') >= 21");
}

#[test]
fn a_host_that_only_monitors_says_what_it_lacks() {
    let redis = crate::harness::RedisServer::start();
    let options = Hub::options().variable("auth_mode", "open").role(crate::harness::Role::Monitor);
    let monitor = options.redis(&redis).start();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", monitor.url()));
    page.shows("This host shows events only");
    page.view("#/tasks");
    page.wait_for("document.querySelector('main .note')?.textContent.includes('monitor')");
}
