use serde_json::{Value, json};

use crate::harness::{Browser, Hub, Page};

/// What a function of one of the page's modules makes of its arguments.
fn of(page: &mut Page, module: &str, function: &str, arguments: &Value) -> Value {
    page.eval(&format!("import('/ui/{module}').then((it) => it.{function}(...{arguments}))"))
}

#[test]
fn the_pieces_of_the_page_keep_their_rules() {
    let hub = Hub::options().open().start();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", hub.url()));
    page.wait_for("document.getElementById('live')?.dataset.state === 'live'");

    // Marks that end with the word they stand at may stay, as in the commands.
    for (text, seen) in [
        ("plain\n\ttext é 漢字 🦀", "plain\n\ttext é 漢字 🦀"),
        ("a\u{202e}b\u{2066}c\u{2029}d", "a\\u202eb\\u2066c\\u2029d"),
        ("\u{0}\u{7f}\u{9b}2J\r", "\\u0000\\u007f\\u009b2J\\r"),
        ("\u{200f}ok\u{200d}", "\u{200f}ok\u{200d}"),
    ] {
        assert_eq!(of(&mut page, "lib/visible.js", "visible", &json!([text])), seen);
    }
    // Colours become classes; what else a terminal would obey stays what it is.
    let line = "\u{1b}[31mred\u{1b}[0m \u{1b}[1;38;5;200mbold\u{1b}[2J end";
    let parts = of(&mut page, "lib/ansi.js", "parts", &json!([line]));
    let expected = json!([
        {"text": "red", "classes": "ansi-red"}, {"text": " ", "classes": ""},
        {"text": "bold\u{1b}[2J end", "classes": "ansi-bold"},
    ]);
    assert_eq!(parts, expected);
    // Addresses: of the web alone.
    for (address, is_safe) in [
        ("https://example.org", true),
        ("HTTP://x", true),
        ("javascript:alert(1)", false),
        (" https://x", false),
        ("data:text/html,x", false),
        ("//x", false),
        ("/x", false),
    ] {
        let link = of(&mut page, "lib/view.js", "safeLink", &json!([address]));
        assert_eq!(link.is_string(), is_safe, "{address}");
    }
    // An address and what it stands for.
    let place =
        of(&mut page, "lib/router.js", "parse", &json!(["#/tasks/a%2Fb?name=x%20y&status=failed"]));
    assert_eq!(
        place,
        json!({"path": ["tasks", "a/b"], "query": {"name": "x y", "status": "failed"}})
    );
    let old = of(&mut page, "lib/router.js", "parse", &json!(["#sess_1/msg_2"]));
    assert_eq!(old, json!({"path": ["sessions", "sess_1"], "query": {"message": "msg_2"}}));
    let broken = of(&mut page, "lib/router.js", "parse", &json!(["#/nodes/%ff"]));
    assert_eq!(broken["path"], json!(["nodes", ""]));
    // What follows what, in columns.
    let nodes = json!([[{"id": "a"}, {"id": "b", "after": ["a"]}, {"id": "c", "after": ["a", "b"]},
        {"id": "d", "after": ["elsewhere"]}, {"id": "e", "after": ["e"]}]]);
    let columns = of(&mut page, "lib/graph.js", "layers", &nodes);
    let ids: Vec<Vec<&str>> = columns
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            column.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect()
        })
        .collect();
    assert_eq!(ids, [vec!["a", "d"], vec!["b", "e"], vec!["c"]]);
    // A list that is read anew from its front.
    let join = |page: &mut Page, fresh: Value, known: Value| {
        page.eval(&format!(
            "import('/ui/lib/list.js').then((it) => it.joined({fresh}, {known}, String))"
        ))
    };
    assert_eq!(join(&mut page, json!([9, 8, 7]), json!([8, 7, 6, 5])), json!([9, 8, 7, 6, 5]));
    assert_eq!(join(&mut page, json!([9, 8]), json!([6, 5])), Value::Null);
    assert_eq!(join(&mut page, json!([]), json!([6, 5])), json!([]));
    // Sums of money are exact.
    let rows = json!([[
        {"key": "m", "cost": "0.1", "input": 1, "output": 0, "cached": 0, "reasoning": 0, "requests": 1},
        {"key": "m", "cost": "0.2", "input": 2, "output": 0, "cached": 0, "reasoning": 0, "requests": 1},
        {"key": "n", "cost": "9007199254.740993", "input": 1, "output": 0, "cached": 0, "reasoning": 0, "requests": 1},
    ]]);
    let sums = page.eval(&format!(
        "import('/ui/views/usage.js').then((it) => it.summed(...{rows}).map((row) => [row.key, row.cost]))"));
    assert_eq!(sums, json!([["n", "9007199254.740993"], ["m", "0.3"]]));
}

#[test]
fn the_page_finds_an_entry_that_was_altered() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    for amount in ["1000", "0.000001", "12.5"] {
        agent.client.post("/deposit", &json!({"agent_id": agent.id, "amount": amount})).ok();
    }
    agent.client.post("/holds", &json!({"agent_id": agent.id, "amount": "7"})).ok();
    let entries = hub.admin().get("/entries").ok()["entries"].take();
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("{}/", hub.url()));
    page.wait_for("document.activeElement?.id === 'key'");
    let whole = of(&mut page, "lib/journal.js", "checked", &json!([entries]));
    assert_eq!(whole, json!({"count": 4, "first": 1, "last": 4}));
    let mut altered = entries.clone();
    altered[1]["memo"] = "other".into();
    let seq = altered[1]["seq"].clone();
    let found = of(&mut page, "lib/journal.js", "checked", &json!([altered]));
    assert_eq!(found["broken"], seq);
    let mut missing = entries;
    missing.as_array_mut().unwrap().remove(1);
    assert_eq!(of(&mut page, "lib/journal.js", "checked", &json!([missing]))["broken"], 4);
}
