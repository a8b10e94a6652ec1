use serde_json::{Value, json};

use super::{LATEST, Mcp, agent};
use crate::harness::Hub;

/// So many of each kind; a failing run names the seed that does it again.
const MESSAGES: usize = 400;

/// Values that somebody may not have thought of.
fn odd(random: &mut fastrand::Rng, depth: usize) -> Value {
    let texts =
        ["", "a", "..", "../x", "\u{0}", "\u{202e}", "@admin", "é\u{1F980}", " x ", "-1", "null"];
    match random.u8(..if depth > 3 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(-3..40_000_000).into(),
        3 => json!(random.f64() * 1e18 - 5e17),
        4 => [i64::MAX, i64::MIN, 0, -1, 1][random.usize(..5)].into(),
        5 => "x".repeat(random.usize(..400)).into(),
        6 => texts[random.usize(..texts.len())].into(),
        7 => (0..random.usize(..4)).map(|_| odd(random, depth + 1)).collect(),
        _ => {
            let names = ["name", "uri", "arguments", "_meta", "x", "content_type"];
            let member = |random: &mut fastrand::Rng| {
                (names[random.usize(..names.len())].to_owned(), odd(random, depth + 1))
            };
            Value::Object((0..random.usize(..4)).map(|_| member(random)).collect())
        }
    }
}

/// Puts something odd somewhere into a message.
fn spoil(random: &mut fastrand::Rng, value: &mut Value) {
    match value {
        Value::Object(members) if !members.is_empty() && random.u8(..6) > 0 => {
            let name = members.keys().nth(random.usize(..members.len())).unwrap().clone();
            if random.u8(..8) == 0 {
                members.remove(&name);
            } else {
                spoil(random, &mut members[&name]);
            }
        }
        Value::Array(items) if !items.is_empty() && random.bool() => {
            let index = random.usize(..items.len());
            spoil(random, &mut items[index]);
        }
        other => *other = odd(random, 0),
    }
}

fn seed() -> u64 {
    let given = std::env::var("REEF_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| fastrand::u64(..1_000_000))
}

#[test]
fn whatever_message_comes_it_is_answered_or_refused() {
    let hub = Hub::start();
    let (alice, _) = agent(&hub.admin(), &["a"]);
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let methods = [
        "server/discover",
        "initialize",
        "ping",
        "tools/list",
        "tools/call",
        "resources/read",
        "prompts/get",
        "resources/list",
        "notifications/x",
        "completion/complete",
    ];
    for number in 0..MESSAGES {
        let method = methods[random.usize(..methods.len())];
        let mut message = json!({"jsonrpc": "2.0", "id": number, "method": method, "params": {
            "name": "list_tasks", "uri": "reef://nodes", "arguments": {"limit": 2},
            "_meta": {"io.modelcontextprotocol/protocolVersion": LATEST,
                "io.modelcontextprotocol/clientCapabilities": {}}}});
        if random.bool() {
            message["params"].as_object_mut().unwrap().remove("_meta");
        }
        spoil(&mut random, &mut message);
        let mut body = message.to_string().into_bytes();
        if random.u8(..5) == 0 {
            body.truncate(random.usize(..body.len()));
        }
        let mut client = alice.client.clone();
        if random.bool() {
            client = client.with("mcp-protocol-version", LATEST).with("mcp-method", method);
            client =
                client.with("mcp-name", ["list_tasks", "x", "=?base64?!?="][random.usize(..3)]);
        }
        let answer = client.send("POST", "//mcp", Some(&body));
        let shown = String::from_utf8_lossy(&body);
        assert!(answer.status < 500, "seed {seed}: {shown}: {answer}");
        if answer.status == 202 {
            assert!(answer.body.is_empty());
            continue;
        }
        let body = answer.json();
        assert_eq!(body["jsonrpc"], "2.0", "seed {seed}: {shown}: {answer}");
        let is_one = body.get("result").is_some() != body.get("error").is_some();
        assert!(is_one, "seed {seed}: {shown}: {answer}");
    }
    assert!(!hub.log().contains("panicked"), "{}", hub.log());
}

#[test]
fn whatever_arguments_come_a_tool_does_it_or_says_why_not() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (alice, _) = agent(&admin, &["a"]);
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    for mcp in [Mcp::with_all(&alice.client), Mcp::with_all(&admin)] {
        let tools = mcp.ask("tools/list", &json!({}))["tools"].clone();
        for tool in tools.as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            let properties = tool["inputSchema"]["properties"].as_object().unwrap();
            for _ in 0..MESSAGES / 40 {
                let mut arguments = json!({});
                for (name, schema) in properties {
                    // Nothing shall wait here.
                    if name != "wait_ms" && random.u8(..3) > 0 {
                        arguments[name] = match schema["type"].as_str() {
                            _ if random.u8(..3) == 0 => odd(&mut random, 0),
                            Some("string") => "t".into(),
                            Some("integer" | "number") => random.i64(0..12_000).into(),
                            Some("boolean") => random.bool().into(),
                            Some("array") => json!(["a"]),
                            _ => json!({"a": odd(&mut random, 1)}),
                        };
                    }
                }
                let params = json!({"name": name, "arguments": arguments});
                let answer = mcp.send("tools/call", &params);
                assert_eq!(answer.status, 200, "seed {seed}: {params}: {answer}");
                let result = &answer.json()["result"];
                let problem = &result["structuredContent"]["problem"];
                if result["isError"] == true {
                    let status = problem["status"].as_i64().unwrap_or_default();
                    assert!((400..500).contains(&status), "seed {seed}: {params}: {answer}");
                    assert!(problem["code"] != "malformed_json", "seed {seed}: {params}: {answer}");
                }
                assert!(result["structuredContent"].is_object(), "seed {seed}: {params}: {answer}");
            }
        }
    }
    assert!(!hub.log().contains("panicked"), "{}", hub.log());
}
