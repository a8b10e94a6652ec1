//! `reef mcp hook`: tells an agent that mail waits, by a hook of the program that it runs in.

use clap::Args;
use reef_bridge::{Caller, Request};
use serde_json::{Value, json};

use super::connect;
use super::over_http::OverHttp;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::output;

/// Shown above its `--help`.
pub(super) const EXAMPLES: &str = "\
Examples:
  reef mcp hook --key-file alice.key
  reef mcp hook --key-file alice.key --event SessionStart
";

/// `reef mcp hook`.
#[derive(Debug, Args)]
pub(super) struct HookArgs {
    /// The event of the hook
    #[arg(long, value_name = "NAME", default_value = "UserPromptSubmit")]
    event: String,
}

impl HookArgs {
    pub(super) async fn run(&self, args: &HubArgs) -> Result<(), Failure> {
        // A hook that exits with 2 keeps the user from going on, which is more than this may do.
        self.tell(args).await.map_err(|failure| match failure {
            Failure::Usage(words) => Failure::Failed(words),
            Failure::Hub(error @ reef_client::Error::Invalid(_)) => {
                Failure::Failed(error.to_string())
            }
            other => other,
        })
    }

    async fn tell(&self, args: &HubArgs) -> Result<(), Failure> {
        let hub = OverHttp(connect(args)?);
        let refused = |problem: reef_bridge::Problem| Failure::Failed(problem.advise());
        let caller = Caller::identify(&hub).await.map_err(refused)?;
        let Some(agent) = caller.agent else {
            let words = "this key is no agent's, so it has no inbox: use --key-file".to_owned();
            return Err(Failure::Failed(words));
        };
        let request = Request::get(["inbox", &agent]).query("limit", Some(1));
        let inbox: Value = reef_bridge::Hub::call(&hub, request).await.read().map_err(refused)?;
        let text = match inbox.get("depth").and_then(Value::as_u64) {
            None | Some(0) => return Ok(()),
            Some(1) => "You have 1 unread message. read_inbox reads it.".to_owned(),
            Some(unread) => format!("You have {unread} unread messages. read_inbox reads them."),
        };
        let told = json!({"hookEventName": self.event, "additionalContext": text});
        Ok(output::message(&json!({"hookSpecificOutput": told}))?)
    }
}
