//! The Model Context Protocol: what the bridge makes of a hub, over HTTP and on a pipe.
//!
//! Other people's programs stand in [`clients`] and [`conformance`]; `cargo xtask test` installs what
//! these need, by the names of these modules.

/// The programs that agents run in: packages of Python and TypeScript, the inspector, rmcp.
mod clients;
/// The suite of those who make the protocol.
mod conformance;
/// What people copy.
mod examples;
/// The protocol's layer by itself, with what the suite asks for.
mod layer;
/// What is listed, to whom.
mod listing;
/// Messages and arguments of all kinds.
mod odd;
/// `reef mcp`, and what it prints.
mod pipe;
/// Agents that work: claims, leases, mail, money.
mod work;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, NewAgent};

/// The revision that these tests speak, where it does not matter.
const LATEST: &str = "2026-07-28";

/// A client of MCP over HTTP.
#[derive(Clone)]
struct Mcp {
    client: Client,
    path: &'static str,
}

impl Mcp {
    /// With the core tools.
    fn new(client: &Client) -> Self {
        Self { client: client.clone(), path: "//mcp" }
    }

    /// With all tools.
    fn with_all(client: &Client) -> Self {
        Self { client: client.clone(), path: "//mcp?toolsets=all" }
    }

    /// Sends a request that stands for itself.
    fn send(&self, method: &str, params: &Value) -> Answer {
        let mut params = params.clone();
        params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": LATEST,
            "io.modelcontextprotocol/clientCapabilities": {}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let client = self.client.with("mcp-protocol-version", LATEST).with("mcp-method", method);
        let client = match params["name"].as_str().or(params["uri"].as_str()) {
            Some(name) => client.with("mcp-name", name),
            None => client,
        };
        client.send_json("POST", self.path, &body)
    }

    /// Its result.
    #[track_caller]
    fn ask(&self, method: &str, params: &Value) -> Value {
        let answer = self.send(method, params).ok();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// What a tool answers.
    #[track_caller]
    fn call(&self, tool: &str, arguments: &Value) -> Value {
        let result = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        assert!(result["isError"] != true, "{tool} {arguments}: {result}");
        result["structuredContent"].clone()
    }

    /// Which problem a tool ends with, and what its text says.
    #[track_caller]
    fn fail(&self, tool: &str, arguments: &Value) -> (String, String) {
        let result = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let code = text(&result["structuredContent"]["problem"]["code"]);
        (code, text(&result["content"][0]["text"]))
    }

    /// The names of the tools that it sees.
    #[track_caller]
    fn tools(&self) -> Vec<String> {
        let list = self.ask("tools/list", &json!({}));
        let names = list["tools"].as_array().unwrap().iter();
        names.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// An agent with a key of its own, checked in with these skills.
fn agent(admin: &Client, skills: &[&str]) -> (NewAgent, Mcp) {
    let agent = admin.new_agent();
    let mcp = Mcp::new(&agent.client);
    mcp.call("check_in", &json!({"skills": skills, "max_concurrent_tasks": 5}));
    (agent, mcp)
}
