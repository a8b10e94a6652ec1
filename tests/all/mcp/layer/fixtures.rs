//! What the suite asks a server to have.

use reef_bridge::mcp::{About, Call, Fault, Offer, Refused};
use serde_json::{Map, Value, json};

use super::dialogues::{self, Dialogue};

/// Some bytes that are said to be a picture, and some that are said to be a sound.
const PICTURE: &str = "iVBORw0KGgo=";
const SOUND: &str = "UklGRg==";

const TOOLS: [&str; 8] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_missing_capability",
    "test_streaming_elicitation",
];
/// Further ones that do nothing that this layer could show; what they send on the way is left out.
const QUIET_TOOLS: [&str; 2] = ["test_logging_tool", "test_tool_with_progress"];

pub(super) struct Fixtures;

impl Offer for Fixtures {
    type Guest = ();

    fn about(&self) -> About {
        About {
            name: "fixtures",
            title: "Fixtures",
            version: "1",
            instructions: "Nothing here is real.",
            capabilities: json!({"tools": {}, "resources": {}, "prompts": {}}),
        }
    }

    async fn admit(&self) -> Result<(), Refused> {
        Ok(())
    }

    fn tools(&self, (): &()) -> Vec<Value> {
        let dialogues = dialogues::TOOLS.iter().map(|(name, _)| *name);
        let names = TOOLS.into_iter().chain(QUIET_TOOLS).chain(dialogues);
        let schema = json!({"type": "object", "properties": {}});
        names
            .map(|name| json!({"name": name, "description": "As named.", "inputSchema": schema}))
            .collect()
    }

    async fn call(&self, (): &(), call: Call<'_>) -> Result<Map<String, Value>, Fault> {
        if let Some(dialogue) = Dialogue::of(&dialogues::TOOLS, call.name) {
            return dialogue.go_on(call.params, || content(&[text("state-ok")]));
        }
        Ok(match call.name {
            "test_image_content" => content(&[picture()]),
            "test_audio_content" => {
                content(&[json!({"type": "audio", "data": SOUND, "mimeType": "audio/wav"})])
            }
            "test_embedded_resource" => content(&[resource("test://embedded-resource")]),
            "test_multiple_content_types" => {
                content(&[text("Several."), picture(), resource("test://mixed-content-resource")])
            }
            "test_error_handling" => {
                let mut result = content(&[text("It went wrong, as it should.")]);
                result.insert("isError".to_owned(), true.into());
                result
            }
            "test_missing_capability" if !dialogues::can(call.params, "sampling") => {
                return Err(Fault::capability("sampling"));
            }
            name if TOOLS.contains(&name) || QUIET_TOOLS.contains(&name) => {
                content(&[text("Done.")])
            }
            name => return Err(Fault::params(format!("There is no tool {name:?}."))),
        })
    }

    fn resources(&self, templates: bool) -> Vec<Value> {
        if templates {
            return vec![json!({"uriTemplate": "test://template/{id}/data", "name": "filled in"})];
        }
        let named = |name: &str| json!({"uri": format!("test://{name}"), "name": name});
        vec![named("static-text"), named("static-binary")]
    }

    async fn read(&self, (): &(), uri: &str) -> Result<Vec<Value>, Fault> {
        let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        Ok(vec![match (uri, id) {
            ("test://static-text", _) => {
                json!({"uri": uri, "mimeType": "text/plain", "text": "A text."})
            }
            ("test://static-binary", _) => {
                json!({"uri": uri, "mimeType": "image/png", "blob": PICTURE})
            }
            (_, Some(id)) => {
                let text = json!({"id": id}).to_string();
                json!({"uri": uri, "mimeType": "application/json", "text": text})
            }
            _ => return Err(Fault::no_such_resource(uri)),
        }])
    }

    fn prompts(&self) -> Vec<Value> {
        let taking = |name: &str, arguments: &[&str]| {
            let arguments = arguments.iter().map(|name| json!({"name": name, "required": true}));
            json!({"name": name, "description": "As named.", "arguments": arguments.collect::<Value>()})
        };
        vec![
            taking("test_simple_prompt", &[]),
            taking("test_prompt_with_arguments", &["arg1", "arg2"]),
            taking("test_prompt_with_embedded_resource", &["resourceUri"]),
            taking("test_prompt_with_image", &[]),
            taking(dialogues::PROMPTS[0].0, &[]),
        ]
    }

    fn prompt(&self, name: &str, params: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let given = |name: &str| {
            let value = params.get("arguments").and_then(|given| given.get(name));
            value.and_then(Value::as_str).unwrap_or_default()
        };
        if let Some(dialogue) = Dialogue::of(&dialogues::PROMPTS, name) {
            return dialogue.go_on(params, || messages(&[text("With a context.")]));
        }
        Ok(messages(&match name {
            "test_simple_prompt" => vec![text("A prompt.")],
            "test_prompt_with_arguments" => {
                vec![text(&format!("{} and {}", given("arg1"), given("arg2")))]
            }
            "test_prompt_with_embedded_resource" => {
                vec![resource(given("resourceUri")), text("Read this.")]
            }
            "test_prompt_with_image" => vec![picture(), text("See this.")],
            _ => return Err(Fault::params("There is no such prompt.")),
        }))
    }
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn picture() -> Value {
    json!({"type": "image", "data": PICTURE, "mimeType": "image/png"})
}

fn resource(uri: &str) -> Value {
    json!({"type": "resource",
        "resource": {"uri": uri, "mimeType": "text/plain", "text": "What is there."}})
}

fn content(blocks: &[Value]) -> Map<String, Value> {
    Map::from_iter([("content".to_owned(), blocks.into())])
}

fn messages(contents: &[Value]) -> Map<String, Value> {
    let messages = contents.iter().map(|content| json!({"role": "user", "content": content}));
    Map::from_iter([("messages".to_owned(), messages.collect())])
}
