use reef_api::agent::Scope;
use reef_api::word::Word as _;
use reef_bridge::Caller;
use reef_bridge::mcp::list;
use reef_bridge::tools::Selection;
use serde_json::{Value, json};

use super::{LATEST, Mcp, agent};
use crate::generated::assert_is;
use crate::harness::Hub;

/// What the tools of the core may take of a model's attention, in bytes.
const CORE_BYTES_MAX: usize = 12_000;

/// An agent of a key with these scopes, as the bridge knows it.
fn caller(scopes: &[Scope]) -> Caller {
    let mut caller = Caller::default();
    caller.agent = Some("alice".to_owned());
    caller.with_scopes(scopes.iter().copied())
}

#[test]
fn the_list_of_tools_is_generated_from_their_types() {
    let all = list(&caller(Scope::ALL), &Selection::parse("all").unwrap());
    assert_is("tests/fixtures/mcp/tools.json", &format!("{:#}\n", Value::from(all)));
}

/// What stands above the tables of `docs/reference/mcp.md`.
const REFERENCE: &str = concat!(
    "\
# MCP

How a hub speaks the Model Context Protocol. [Agents join by MCP](../start/",
    "mcp.md) says how one begins. \
The tables are made from the tools' types; a test says when they are stale.

- **Where.** `POST /mcp` of a host, one message a request, always answered as one JSON object; and \
`reef mcp` on standard input and output, over any hub. There are no sessions: any host of a hub answers \
any request.
- **Revisions.** 2026-07-28, in which each request stands for itself (`server/discover`); and 2025-11-25, \
2025-06-18, 2025-03-26 and 2024-11-05, which begin with `initialize`. No batches, no subscriptions, no \
questions to the client.
- **Who calls.** The key, as on every route: `Authorization: Bearer` or `X-API-Key`. A tool that the key \
may not use is not listed. Where the key is an operator's, or a hub is open and there is none, tools \
that somebody has to do take an `agent_id`.
- **Toolsets.** `/mcp?toolsets=core,money`, `reef mcp --toolsets core,money`; `core` where nothing is \
said, `all` for all.
- **Results.** One object, as `structuredContent` and as text. Whoever has checked in finds `agent` in \
it: its `claims` with `lease_expires_in_ms`, `lost_claims` since its last call, `cancelled` tasks, \
`unread` mail, `drain`, `leader`, as far as there is something to say. Each call renews all claims.
- **Failures.** A tool that could not do it answers with `isError`, the [problem](errors.md), and a text \
that says what to do next. Errors of JSON-RPC are for what is no proper request. Statuses: 401 without a \
good key, 403 from a foreign page, 413, 429 and 503 as everywhere; 400 and 404 as the revision says.
- **Repeats.** Tools whose effect would come twice take an `idempotency_key`, as the header of that name.
- **Resources.** `reef://cluster/health`, `reef://cluster/leader`, `reef://nodes`, `reef://nodes/{id}`, \
`reef://tasks/{id}`, `reef://inbox/{agent}` (one's own), `reef://messages/{id}`. **Prompts.** \
`work_loop`, `coordinate`.

`*`: must be there.
",
);

#[test]
fn the_reference_of_tools_is_generated_from_their_types() {
    let mut page = REFERENCE.to_owned();
    let caller = caller(Scope::ALL);
    for name in ["core", "flow", "stream", "lead", "money", "operate"] {
        page +=
            &format!("\n## Toolset {name}\n\n| tool | arguments | what it does |\n|---|---|---|\n");
        for tool in list(&caller, &Selection::parse(name).unwrap()) {
            let schema = &tool["inputSchema"];
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let shown = properties.keys().map(|name| {
                let mark = if required.contains(&json!(name)) { "*" } else { "" };
                format!("`{name}`{mark}")
            });
            let shown: Vec<_> = shown.collect();
            let text = |name: &str| tool[name].as_str().unwrap().to_owned();
            page += &format!(
                "| `{}` | {} | {} |\n",
                text("name"),
                shown.join(" "),
                text("description")
            );
        }
    }
    assert_is("docs/reference/mcp.md", &page);
}

#[test]
fn the_core_takes_little_of_a_models_attention() {
    let core = list(&caller(&[Scope::Read, Scope::Write, Scope::Trade]), &Selection::default());
    let bytes = json!({"tools": core}).to_string().len();
    assert!(bytes <= CORE_BYTES_MAX, "{bytes}");
    assert_eq!(core.len(), 12);
}

#[test]
fn a_key_does_not_see_what_it_may_not_do() {
    let hub = Hub::start();
    let admin = hub.admin();
    let alice = admin.new_agent();
    let seen = |scopes: &[&str]| {
        let made = alice.client.post("/auth/keys", &json!({"scopes": scopes})).ok();
        let client = hub.anonymous().with_key(made["api_key"].as_str().unwrap());
        (Mcp::with_all(&client).tools(), client)
    };
    let (all, _) = seen(&["read", "write", "trade"]);
    assert!(["check_in", "pay", "campaign"].iter().all(|name| all.iter().any(|it| it == name)));
    assert!(!all.iter().any(|name| name == "redrive"), "{all:?}");
    let (reader, client) = seen(&["read"]);
    let expected = [
        "find_agents",
        "get_task",
        "list_tasks",
        "list_waits",
        "get_group",
        "task_log",
        "find_tasks",
        "list_limits",
        "list_schedules",
        "show_schedule",
        "show_usage",
        "list_budgets",
        "list_prices",
        "read_message",
        "leader",
    ];
    assert_eq!(reader, expected);
    // Nor can it be called.
    let answer =
        Mcp::with_all(&client).send("tools/call", &json!({"name": "pay", "arguments": {}}));
    assert_eq!(answer.json()["error"]["code"], -32602, "{answer}");
    let operator = Mcp::with_all(&admin).tools();
    assert!(operator.iter().any(|name| name == "redrive"));
    // The order is part of what clients keep.
    assert_eq!(Mcp::with_all(&admin).tools(), operator);
}

#[test]
fn toolsets_are_chosen_by_the_address() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let lead = Mcp { client: agent.client.clone(), path: "//mcp?toolsets=lead" };
    assert_eq!(lead.tools(), ["campaign", "resign", "leader"]);
    let wrong = Mcp { client: agent.client, path: "//mcp?toolsets=leed" };
    wrong.send("tools/list", &json!({})).problem(400, "invalid_parameter");
}

#[test]
fn whoever_has_no_key_or_a_foreign_page_is_turned_away() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let ping = json!({"jsonrpc": "2.0", "id": 4, "method": "ping"});
    for client in [hub.anonymous(), hub.anonymous().with_key("reef_no_such")] {
        let refused = client.send_json("POST", "//mcp", &ping);
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
        assert_eq!(refused.json()["id"], 4);
    }
    let foreign = agent.client.with("origin", "http://evil.example");
    foreign.send_json("POST", "//mcp", &ping).problem(403, "forbidden");
    let own = agent.client.with("origin", hub.url());
    assert_eq!(own.send_json("POST", "//mcp", &ping).ok()["result"], json!({}));
    for method in ["GET", "DELETE", "PUT"] {
        let answer = agent.client.send(method, "//mcp", None);
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    for path in
        ["oauth-protected-resource", "oauth-protected-resource/mcp", "oauth-authorization-server"]
    {
        hub.anonymous().get(&format!("//.well-known/{path}")).problem(404, "not_found");
    }
}

#[test]
fn an_open_hub_asks_who_acts() {
    let hub = Hub::options().open().start();
    let mcp = Mcp::with_all(&hub.anonymous());
    let tools = mcp.ask("tools/list", &json!({}));
    let tools = tools["tools"].as_array().unwrap();
    let claim = tools.iter().find(|tool| tool["name"] == "claim_task").unwrap();
    assert_eq!(claim["inputSchema"]["required"], json!(["agent_id"]));
    assert!(!tools.iter().any(|tool| tool["name"] == "pay"));
    assert_eq!(mcp.fail("check_in", &json!({})).0, "validation_failed");
    mcp.call("check_in", &json!({"agent_id": "ada", "skills": ["build"]}));
    assert_eq!(mcp.call("find_agents", &json!({}))["agents"][0]["node_id"], "ada");
}

#[test]
fn resources_and_prompts_are_read() {
    let hub = Hub::start();
    let (alice, mcp) = agent(&hub.admin(), &["build"]);
    let read = |uri: &str| mcp.send("resources/read", &json!({"uri": uri})).ok();
    let text = |answer: &Value| -> Value {
        let text = answer["result"]["contents"][0]["text"].as_str();
        serde_json::from_str(text.unwrap_or_else(|| panic!("{answer}"))).unwrap()
    };
    for listed in mcp.ask("resources/list", &json!({}))["resources"].as_array().unwrap() {
        text(&read(listed["uri"].as_str().unwrap()));
    }
    let node = text(&read(&format!("reef://nodes/{}", alice.id)));
    assert_eq!(node["available_skills"], json!(["build"]));
    assert_eq!(text(&read(&format!("reef://inbox/{}", alice.id)))["depth"], 0);
    for bad in ["reef://nodes/nobody", "reef://inbox/bob", "reef://nodes/..", "file:///etc/passwd"]
    {
        let error = &read(bad)["error"];
        assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(-32602), &json!(bad)), "{bad}");
    }
    let prompt = json!({"name": "work_loop", "arguments": {"skills": "build"}});
    let prompt = mcp.ask("prompts/get", &prompt);
    assert!(prompt["messages"][0]["content"]["text"].as_str().unwrap().contains("build"));
}

#[test]
fn any_instance_serves_any_request() {
    let server = crate::harness::RedisServer::start();
    let first = Hub::options().redis(&server).start();
    let second = Hub::options().redis(&server).start();
    let (alice, mcp) = agent(&first.admin(), &["build"]);
    let elsewhere = Mcp::new(&second.anonymous().with_key(&alice.key));
    let task = elsewhere.call("submit_task", &json!({"name": "t", "required_skills": ["build"]}));
    let claimed = mcp.call("claim_task", &json!({"wait_ms": 10_000}));
    assert_eq!(claimed["tasks"][0]["task_id"], task["task"]["task_id"]);
    let seen = elsewhere.call("check_in", &json!({}));
    assert_eq!(seen["agent"]["claims"][0]["task_id"], task["task"]["task_id"]);
}

#[test]
fn every_revision_is_greeted_and_answered_alike() {
    let hub = Hub::start();
    let alice = hub.admin().new_agent();
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
        let hello = alice.client.send_json("POST", "//mcp", &hello);
        assert_eq!(hello.ok()["result"]["protocolVersion"], version);
        assert_eq!(hello.header("mcp-session-id"), None);
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        // Some clients name a newer revision in their header than they have agreed on.
        for header in [version, LATEST] {
            let client = alice.client.with("mcp-protocol-version", header);
            let list = client.send_json("POST", "//mcp", &list).ok();
            assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 12);
            assert!(list["result"].get("ttlMs").is_none());
        }
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let note = alice.client.send_json("POST", "//mcp", &note);
        assert_eq!((note.status, note.body.len()), (202, 0));
    }
    let discovered = Mcp::new(&alice.client).ask("server/discover", &json!({}));
    assert_eq!(discovered["supportedVersions"][0], LATEST);
}

#[test]
fn the_bridge_knows_neither_components_nor_what_runs_them() {
    let tree =
        std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([
                "tree",
                "--offline",
                "-p",
                "reef-bridge",
                "--edges",
                "normal",
                "--prefix",
                "none",
            ])
            .current_dir(crate::harness::root())
            .output()
            .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"reef-api"));
    for foreign in
        ["tokio", "hyper", "reqwest", "wasmtime", "spin-sdk", "redis", "reef-web", "reef-store"]
    {
        assert!(!names.contains(&foreign), "{foreign}");
    }
}
