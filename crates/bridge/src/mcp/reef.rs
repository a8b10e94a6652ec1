//! A hub as it is offered over the protocol.

use serde_json::{Map, Value, json};

use super::offer::{About, Call, Fault, Offer, Refused};
use crate::tools::{self, Effect, Selection, Tool};
use crate::{Caller, Hub, prompts, resources};

/// A hub, and which of its toolsets are offered.
#[derive(Debug, Clone)]
pub struct Reef<H> {
    hub: H,
    selection: Selection,
}

impl<H: Hub> Reef<H> {
    /// Offers these toolsets of a hub.
    #[must_use]
    pub fn new(hub: H, selection: Selection) -> Self {
        Self { hub, selection }
    }
}

impl<H: Hub> Offer for Reef<H> {
    type Guest = Caller;

    fn about(&self) -> About {
        About {
            name: "reef",
            title: "Reef",
            version: env!("CARGO_PKG_VERSION"),
            instructions: prompts::INSTRUCTIONS,
            capabilities: json!({"tools": {}, "resources": {}, "prompts": {}}),
        }
    }

    async fn admit(&self) -> Result<Caller, Refused> {
        Caller::identify(&self.hub).await.map_err(Refused)
    }

    fn tools(&self, caller: &Caller) -> Vec<Value> {
        list(caller, &self.selection)
    }

    async fn call(&self, caller: &Caller, call: Call<'_>) -> Result<Map<String, Value>, Fault> {
        let arguments = call.arguments.cloned().unwrap_or_default();
        let called = tools::call(&self.hub, caller, &self.selection, call.name, arguments).await;
        let outcome = called.map_err(|problem| Fault::params(problem.detail()))?;
        let value = Value::Object(outcome.value);
        // Clients that do not show a model the object show it the text.
        let text = match &outcome.failure {
            Some(failure) => format!("{failure}\n{value}"),
            None => value.to_string(),
        };
        let mut result = Map::new();
        result.insert("content".to_owned(), json!([{"type": "text", "text": text}]));
        result.insert("structuredContent".to_owned(), value);
        if outcome.failure.is_some() {
            result.insert("isError".to_owned(), true.into());
        }
        Ok(result)
    }

    fn resources(&self, templates: bool) -> Vec<Value> {
        resources::listed(templates)
    }

    async fn read(&self, caller: &Caller, uri: &str) -> Result<Vec<Value>, Fault> {
        match resources::read(&self.hub, caller, uri).await {
            Ok(value) => Ok(vec![
                json!({"uri": uri, "mimeType": "application/json", "text": value.to_string()}),
            ]),
            Err(problem) if matches!(problem.status, 404 | 422) => {
                Err(Fault::no_such_resource(uri))
            }
            Err(problem) => Err(Fault::of(&problem)),
        }
    }

    fn prompts(&self) -> Vec<Value> {
        let shown = |prompt: &prompts::Prompt| {
            let (name, description) = prompt.argument;
            json!({"name": prompt.name, "title": prompt.title, "description": prompt.description,
                "arguments": [{"name": name, "description": description, "required": false}]})
        };
        prompts::ALL.iter().map(shown).collect()
    }

    fn prompt(&self, name: &str, params: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let found = prompts::ALL.into_iter().find(|prompt| prompt.name == name);
        let prompt = found.ok_or_else(|| Fault::params("There is no such prompt."))?;
        let given = params.get("arguments").and_then(|given| given.get(prompt.argument.0));
        let text = prompt.fill(given.and_then(Value::as_str));
        let message = json!({"role": "user", "content": {"type": "text", "text": text}});
        let mut result = Map::new();
        result.insert("description".to_owned(), prompt.description.into());
        result.insert("messages".to_owned(), json!([message]));
        Ok(result)
    }
}

/// The tools of a caller, as they are listed.
#[must_use]
pub fn list(caller: &Caller, selection: &Selection) -> Vec<Value> {
    tools::offered(caller, selection).iter().map(|tool| shown(tool, caller)).collect()
}

fn shown(tool: &Tool, caller: &Caller) -> Value {
    let about = &tool.about;
    // What is left out is false, or means nothing of a tool that only reads.
    let mut hints = Map::from_iter([("openWorldHint".to_owned(), false.into())]);
    let mut hint = |name: &str, value: bool| hints.insert(name.to_owned(), value.into());
    match about.effect {
        Effect::Reads => hint("readOnlyHint", true),
        Effect::Ends | Effect::Spends => hint("destructiveHint", true),
        Effect::Sets | Effect::Adds => hint("destructiveHint", false),
    };
    if matches!(about.effect, Effect::Sets | Effect::Ends) {
        hint("idempotentHint", true);
    }
    json!({
        "name": about.name,
        "title": about.title,
        "description": about.description,
        "inputSchema": tool.input(caller),
        "outputSchema": tool.output(),
        "annotations": hints,
    })
}
