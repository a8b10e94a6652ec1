use serde_json::json;

use super::{Used as _, named};
use crate::harness::{Browser, Hub};

/// Turns the direction of reading, moves a cursor, rings, and looks like a tag.
const NASTY: &str = "a\u{202e}gnp.exe\u{202c}\u{7}\u{1b}[2Jb <img src=x onerror=\"window.isHit=1\"><script>window.isHit=1</script>";
/// The same as it is to be seen.
const SEEN: &str = "a\\u202egnp.exe\\u202c\\u0007\\u001b[2Jb <img src=x onerror=\"window.isHit=1\"><script>window.isHit=1</script>";

/// Checks that what the page has was made by the page alone, and that nothing turns its direction.
const UNHARMED: &str = "window.isHit === undefined && !document.querySelector('main img, main script, main iframe') \
    && !/[\\u202a-\\u202e\\u2066-\\u2069\\u0007\\u001b]/.test(document.documentElement.innerHTML)";

#[test]
fn what_others_write_is_shown_as_text() {
    let hub = Hub::start();
    let client = hub.admin();
    let node = client.new_node_with("marked", &["<img src=x onerror=alert(1)>"]);
    let node = node["node_id"].as_str().unwrap();
    let task = json!({"name": "<b>bold</b>", "required_skills": ["<img src=x onerror=alert(1)>"], "max_retries": 0,
        "description": NASTY, "parameters": {"text": NASTY, "link": "javascript:window.isHit=1", "page": "https://example.org/x"}});
    let task = client.post("/tasks", &task).ok()["task_id"].as_str().unwrap().to_owned();
    let claim = json!({"node_id": node, "task_id": task});
    let token = client.post("/tasks/claim", &claim).ok()["tasks"][0]["token"].clone();
    client
        .post(
            &format!("/tasks/{task}/fail"),
            &json!({"token": token, "error": NASTY, "retryable": false}),
        )
        .ok();
    let asking = json!({"name": "ask", "approval": {"question": NASTY, "details": {"why": NASTY}}});
    client.post("/tasks", &asking).ok();
    let message = super::Message::begin(&client);
    message.append(NASTY);
    message.post("content", &json!({"content_type": "html", "html": {"html": NASTY}}));
    message.post("content", &json!({"content_type": "image", "image": {"url": "javascript:window.isHit=1", "alt": NASTY}}));
    client.post("/inbox/reader", &json!({"from": "writer", "content": NASTY})).ok();

    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", hub.url()));
    page.sign_in(&hub.admin_key());
    for hash in [
        format!("#/tasks/{task}"),
        "#/dead".to_owned(),
        "#/approvals".to_owned(),
        "#/mail/reader".to_owned(),
        format!("#/sessions/{}?message={}", message.session, message.id),
        "#/tasks?status=failed".to_owned(),
    ] {
        page.view(&hash);
        page.shows(SEEN);
        assert_eq!(page.eval(UNHARMED), true, "{hash}");
    }
    page.view("#/nodes");
    page.shows("<img src=x onerror=alert(1)>");
    assert_eq!(page.eval(UNHARMED), true);
    // Only addresses of the web become links, and they tell nobody where they were followed from.
    page.view(&format!("#/tasks/{task}"));
    page.shows("javascript:window.isHit=1");
    let links = page
        .eval("[...document.querySelectorAll('a[target]')].map((it) => it.href + ' ' + it.rel)");
    assert_eq!(links, json!(["https://example.org/x noopener noreferrer"]));
    // In the dialog that asks, too.
    if page.eval("Boolean(document.getElementById('act'))") == true {
        page.act(&hub.admin_key());
        page.click(&named("Retry"));
        page.wait_for("document.querySelector('dialog[open]')?.innerText.includes('<b>bold</b>')");
        assert_eq!(page.eval(UNHARMED), true);
    }
    // An address that somebody has made up shows nothing that it brings.
    for hash in [
        "#/tasks/%3Cimg%20src%3Dx%20onerror%3D%22window.isHit%3D1%22%3E",
        "#/%E2%80%AE",
        "#/tasks?status=%3Cscript%3E",
        "#/nodes/%ff",
    ] {
        page.eval(&format!("location.hash = {}", json!(hash)));
        page.wait_for("Boolean(document.querySelector('main h1'))");
        assert_eq!(
            page.eval(
                "window.isHit === undefined && !document.querySelector('main img, main script')"
            ),
            true,
            "{hash}"
        );
    }
}
