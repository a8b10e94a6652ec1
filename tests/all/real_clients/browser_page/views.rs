use serde_json::json;

use super::{Filled, Used as _, named, one};
use crate::harness::{Browser, Hub, Page};

/// Each view with something that it must show of a filled hub.
fn views(filled: &Filled) -> Vec<(String, &'static str)> {
    let Filled { nodes, failed, waiting, approval, group, message } = filled;
    let all = [
        ("#/overview".to_owned(), "1 node is offline."),
        ("#/tasks".to_owned(), "compile"),
        ("#/tasks?status=failed&name=compile".to_owned(), "exit code 1"),
        (format!("#/tasks/{failed}"), "exit code 1"),
        (format!("#/tasks/{waiting}"), "No node has the skill vision."),
        ("#/nodes".to_owned(), "worker-3.lab"),
        (format!("#/nodes/{}", nodes[1]), "it has shut down"),
        ("#/queue".to_owned(), "vision"),
        ("#/dead".to_owned(), "compile"),
        ("#/approvals".to_owned(), "Deploy to production?"),
        (format!("#/approvals?wait={approval}"), "build"),
        ("#/limits".to_owned(), "provider"),
        ("#/limits/provider".to_owned(), "one account"),
        ("#/limits?tab=budgets".to_owned(), "u1"),
        ("#/limits?tab=prices".to_owned(), "model-1"),
        ("#/schedules".to_owned(), "hourly"),
        ("#/schedules/hourly".to_owned(), "Next runs"),
        ("#/flows".to_owned(), "3 tasks"),
        (format!("#/flows/{group}"), "film"),
        ("#/sessions".to_owned(), "active"),
        (format!("#/sessions/{}?message={}", message.session, message.id), "being made, 40 %"),
        ("#/mail".to_owned(), "Agent or node"),
        (format!("#/mail/{}", nodes[2]), "Nothing waits."),
        ("#/money".to_owned(), "Accounts"),
        ("#/money?tab=journal".to_owned(), "Each entry is linked"),
        ("#/money?tab=holds".to_owned(), "There are no holds."),
        ("#/agents".to_owned(), "Agents"),
        ("#/agents?tab=invites".to_owned(), "There are no open invites."),
        ("#/usage".to_owned(), "model-1"),
        ("#/leader".to_owned(), "elected"),
        ("#/events".to_owned(), "node_offline"),
        ("#/events?tab=audit".to_owned(), "Audit"),
        ("#/health".to_owned(), "Durability of writes"),
    ];
    all.to_vec()
}

/// A name for a picture.
fn picture(hash: &str) -> String {
    let word = hash.trim_start_matches("#/").split('/').next().unwrap_or_default();
    let word = word.replace(['?', '='], "-");
    let is_one = hash.trim_start_matches("#/").contains('/');
    if is_one { format!("{word}-one") } else { word }
}

/// A hub on which nobody falls silent while the page is looked at.
fn still() -> Hub {
    Hub::options().timeout(600.0).start()
}

/// Opens the page, signed in.
fn open(browser: &mut Browser, hub: &Hub, hash: &str) -> Page {
    let mut page = browser.open(&format!("{}/{hash}", hub.url()));
    page.sign_in(&hub.admin_key());
    page
}

#[test]
fn each_view_can_be_read_in_any_light_and_width() {
    let hub = still();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/overview");
    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        page.prefer(scheme);
        for (hash, word) in views(&filled) {
            page.resize(1280, 900);
            page.view(&hash);
            page.shows(word);
            page.assert_accessible(&format!("{hash}, {scheme}"));
            page.screenshot(&format!("{}-{scheme}", picture(&hash)));
            page.resize(320, 700);
            page.assert_fits();
            page.screenshot(&format!("{}-{scheme}-320", picture(&hash)));
            let poor = page.eval(include_str!("contrast.js"));
            assert_eq!(poor, json!([]), "{hash}, {scheme}: text that is hard to see");
        }
        backgrounds.push(page.eval("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(backgrounds[0], backgrounds[1]);
    // All that can be used has a name.
    let controls = page.controls();
    assert!(controls.iter().all(|(_, name)| !name.is_empty()), "{controls:?}");
    // The console stays empty: nothing that the policy refuses, nothing that is not there. That a key
    // is needed is said once, before it was given.
    let mut complaints = page.complaints();
    complaints.retain(|text| !text.contains("status of 401"));
    assert_eq!(complaints, Vec::<String>::new());
}

/// Keys of texts that the page's own files name, as far as they are written out.
fn keys_in_code() -> Vec<String> {
    let folder = crate::harness::root().join("host/src/http/own/ui");
    let mut keys = Vec::new();
    for part in ["", "lib", "views"] {
        for file in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|it| it != "js") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split(" t(\"").skip(1).chain(text.split("{t(\"").skip(1)) {
                let (key, after) = rest.split_once('"').unwrap();
                if !after.starts_with(" +") {
                    keys.push(key.to_owned());
                }
            }
        }
    }
    keys
}

#[test]
fn each_view_speaks_both_languages() {
    let hub = still();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/healthz", hub.url()));
    page.speak("zh-CN,zh;q=0.9,en;q=0.5");
    page.go(&format!("{}/", hub.url()));
    page.sign_in(&hub.admin_key());
    assert_eq!(page.eval("document.documentElement.lang"), "zh-CN");
    page.shows("需要关注");
    for (hash, _) in views(&filled) {
        page.view(&hash);
        page.wait_for("!document.querySelector('main').innerText.includes('加载中')");
        page.assert_accessible(&format!("{hash}, zh"));
        page.screenshot(&format!("{}-zh", picture(&hash)));
    }
    // It can be chosen, and stays chosen.
    page.eval("document.getElementById('language').value = 'en';
               document.getElementById('language').dispatchEvent(new Event('change', {bubbles: true})); 0");
    page.wait_for("document.documentElement.lang === 'en'");
    page.go(&format!("{}/", hub.url()));
    page.shows("What needs attention");

    // Both catalogues have the same texts, with the same places in them.
    let catalogues = "Promise.all(['en', 'zh'].map((it) => import(`/ui/words/${it}.js`))).then((all) => {
        const flat = (tree, prefix, into) => {
          for (const [name, it] of Object.entries(tree)) {
            const key = [prefix, name].filter(Boolean).join('.');
            if (typeof it === 'string') into[key] = [...new Set(it.match(/\\{\\w+\\}/g) ?? [])].sort().join();
            else flat(it, key, into);
          }
          return into;
        };
        return all.map((it) => flat(it.default, '', {}));
      })";
    let both = page.eval(catalogues);
    assert_eq!(both[0], both[1]);
    // What the code asks for is there.
    let known = both[0].as_object().unwrap();
    let keys = keys_in_code();
    assert!(keys.len() > 300, "{}", keys.len());
    for key in keys {
        assert!(known.contains_key(&key), "no text {key}");
    }
}

#[test]
fn the_page_is_used_by_keyboard_alone() {
    let hub = still();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/overview");
    page.shows("What needs attention");

    // The first Tab offers to skip the menu, and Enter takes it.
    page.go(&format!("{}/?again#/overview", hub.url()));
    page.shows("What needs attention");
    page.press("Tab");
    assert_eq!(page.focused(), "To the content");
    page.press("Enter");
    assert_eq!(page.focused(), "Overview");

    // Keys go to views, and the focus to their headings.
    for (letter, title) in [
        ("t", "Tasks"),
        ("q", "Queue"),
        ("d", "Dead letters"),
        ("a", "Approvals"),
        ("s", "Schedules"),
        ("f", "Flows"),
        ("n", "Nodes"),
        ("l", "Leader and monitor"),
        ("h", "Health"),
        ("c", "Sessions"),
        ("i", "Inboxes"),
        ("b", "Limits and budgets"),
        ("u", "Usage"),
        ("m", "Money"),
        ("k", "Agents and keys"),
        ("e", "Events and audit"),
        ("o", "Overview"),
    ] {
        page.press("g");
        page.press(letter);
        page.wait_for(&format!("document.activeElement?.id === 'view-title' && document.activeElement.textContent === {}", json!(title)));
        page.wait_for(&format!("document.title.startsWith({})", json!(title)));
    }

    // Help names them, and Escape closes it and gives the focus back.
    page.press("?");
    page.wait_for("document.querySelector('dialog[open]')?.innerText.includes('Dead letters')");
    page.assert_accessible("help");
    page.press("Escape");
    page.wait_for("!document.querySelector('dialog[open]')");

    // To the filter, and from row to row.
    page.press("g");
    page.press("n");
    page.wait_for("document.querySelectorAll('.table-body .row').length === 4");
    page.press("/");
    assert_eq!(page.eval("document.activeElement.dataset.filter"), "first");
    page.type_text("worker-2");
    page.wait_for("document.querySelectorAll('.table-body .row').length === 1");
    page.wait_for("location.hash.includes('text=worker-2')");
    page.eval("document.querySelector('.table').focus()");
    page.press("j");
    page.wait_for("document.activeElement?.textContent.startsWith('worker-2.lab')");
    page.press("Enter");
    page.wait_for(&format!(
        "document.activeElement?.id === 'view-title' && location.hash === '#/nodes/{}'",
        filled.nodes[2]
    ));
    // Back brings the filter back, too.
    page.eval("history.back()");
    page.wait_for("location.hash.includes('text=worker-2') && document.querySelectorAll('.table-body .row').length === 1");

    // Single keys can be turned off.
    page.press("?");
    page.wait_for("Boolean(document.querySelector('dialog[open]'))");
    page.click(&one("dialog[open] input[type=checkbox]"));
    page.press("Escape");
    page.wait_for("!document.querySelector('dialog[open]')");
    page.press("?");
    page.eval("new Promise(requestAnimationFrame)");
    assert_eq!(page.eval("document.querySelector('dialog[open]')"), json!(null));
    // Each thing that can be pressed is reached by Tab.
    let reachable = page.eval("[...document.querySelectorAll('a[href], button, input, select')].every((it) => it.tabIndex >= 0)");
    assert_eq!(reachable, true);
}

#[test]
fn each_view_is_found_by_mouse() {
    let hub = still();
    let filled = Filled::of(&hub);
    let mut browser = Browser::start();
    let mut page = open(&mut browser, &hub, "#/overview");
    // From what is wrong to what mends it.
    page.click(&named("1 node is offline."));
    page.wait_for("location.hash === '#/nodes?status=offline'");
    page.click(&one(&format!("a[href='#/nodes/{}']", filled.nodes[1])));
    page.shows("it has shut down");
    // Each view stands in the menu.
    let menu = page.eval("[...document.querySelectorAll('#menu a')].map((it) => it.textContent)");
    for name in menu.as_array().unwrap() {
        let link = format!(
            "[...document.querySelectorAll('#menu a')].find((it) => it.textContent === {name})"
        );
        page.click(&link);
        page.wait_for(&format!("document.getElementById('view-title').textContent === {name}"));
    }
    // A dead letter, to its task, to its node.
    page.view("#/dead");
    page.click(&named("compile"));
    page.wait_for(&format!("location.hash === '#/tasks/{}'", filled.failed));
    page.shows("exit code 1");
    page.click(&named(&filled.nodes[2]));
    page.wait_for(&format!("location.hash === '#/nodes/{}'", filled.nodes[2]));
    // On a small window the menu is behind a button.
    page.resize(360, 700);
    assert_eq!(page.eval("getComputedStyle(document.getElementById('menu')).display"), "none");
    page.click(&one(".menu-button"));
    page.wait_for("getComputedStyle(document.getElementById('menu')).display !== 'none'");
    page.click(&named("Usage"));
    page.wait_for("document.getElementById('view-title').textContent === 'Usage'");
    page.shows("model-1");
    assert_eq!(page.eval("getComputedStyle(document.getElementById('menu')).display"), "none");
}
