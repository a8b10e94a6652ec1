//! An agent on rmcp: sees the tools, submits a task, claims it, ends it twice.
//!
//! Usage: `reef-test-rmcp-client URL KEY`, or `- COMMAND ARG…` for a server on a pipe.

use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService, ServiceExt};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let client = if args[0] == "-" {
        let mut command = tokio::process::Command::new(&args[1]);
        command.args(&args[2..]);
        ().serve(TokioChildProcess::new(command)?).await?
    } else {
        let config = StreamableHttpClientTransportConfig::with_uri(args[0].as_str());
        let config = config.auth_header(args[1].as_str());
        ().serve(StreamableHttpClientTransport::from_config(config)).await?
    };
    let tools = client.list_all_tools().await?;
    let (node, _) = call(&client, "check_in", json!({"skills": ["build"]})).await?;
    call(&client, "submit_task", json!({"name": "t", "required_skills": ["build"]})).await?;
    let (claimed, _) = call(&client, "claim_task", json!({})).await?;
    let task = &claimed["tasks"][0];
    let end = json!({"task_id": task["task_id"], "token": task["token"], "outcome": "completed"});
    let (ended, _) = call(&client, "finish_task", end.clone()).await?;
    let (again, is_error) = call(&client, "finish_task", end).await?;
    let told = json!({
        "tools": tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>(),
        "agent": node["node"]["node_id"],
        "status": ended["status"],
        "error": if is_error { again["problem"]["code"].clone() } else { "no error".into() },
    });
    println!("{told}");
    client.cancel().await?;
    Ok(())
}

/// What a tool answers, and whether that is an error.
async fn call(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> Result<(Value, bool), Failure> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let params = CallToolRequestParams::new(tool).with_arguments(arguments);
    let result = client.call_tool(params).await?;
    Ok((result.structured_content.unwrap_or_default(), result.is_error.unwrap_or_default()))
}
