use serde_json::{Value, json};

use super::{Message, Told, Written as _, assert_read_all};
use crate::harness::{Browser, Hub, Page, Proxy};

/// Reads a stream with nothing but what the browser has.
const READ: &str = r#"
    window.told = {ids: [], events: [], cuts: 0, status_at_end: null, closed: false};
    window.source = new EventSource(PATH);
    for (const type of TYPES) source.addEventListener(type, (event) => {
        told.ids.push(event.lastEventId);
        told.events.push({type: event.type, data: JSON.parse(event.data)});
    });
    source.onerror = () => {
        if (source.readyState === EventSource.CLOSED) told.closed = true; else told.cuts += 1;
    };
"#;

/// Begins to read a stream on a page of this origin.
fn read(page: &mut Page, path: &str) {
    let types = json!(["snapshot", "message_start", "text_delta", "content_added", "message_end"]);
    page.eval(&READ.replace("PATH", &json!(path).to_string()).replace("TYPES", &types.to_string()));
}

#[test]
fn event_source_reconnects_by_itself_until_204_stops_it() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    let proxy = Proxy::start(client.address());
    // At whatever byte of an event that is. The page's own connection may carry a stream later.
    proxy.cut_after(25_000);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/healthz", proxy.url()));
    let message = Message::begin(&client);

    let writer = message.write_slowly(200);
    read(&mut page, &format!("/api/v1{}", message.stream()));
    // Behind the last event the stream ends, the browser comes back once more, and is told 204.
    page.wait_for("told.closed");
    writer.join().unwrap();
    let told: Told = serde_json::from_value(page.eval("told")).unwrap();
    assert_read_all(&told, &message);
    // The last of the breaks that it noticed was the end itself.
    assert!(proxy.cuts() >= 2, "{}", proxy.cuts());
    assert_eq!(told.cuts, proxy.cuts() + 1);

    // Whoever begins behind the end gets nothing, and does not come back either.
    read(&mut page, &format!("/api/v1{}?last_id={}", message.stream(), told.ids.last().unwrap()));
    page.wait_for("told.closed");
    assert_eq!(page.eval("[told.cuts, told.events.length]"), json!([0, 0]));
    let asked = page.requests().iter().filter(|url| url.contains("?last_id=")).count();
    assert_eq!(asked, 1);
    assert_eq!(page.eval("source.readyState"), Value::from(2));
}
