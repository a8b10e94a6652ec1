//! Tools and prompts that ask the client before they answer: the answer to a call are questions then,
//! and the client calls again with what it has to say. The layer only carries this.

use reef_bridge::mcp::Fault;
use serde_json::{Map, Value, json};

/// What a client can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question {
    Person,
    Model,
    Roots,
}

/// Rounds of questions, each with the name under which its answer comes.
type Rounds = &'static [&'static [(&'static str, Question)]];

pub(super) const TOOLS: [(&str, Rounds); 8] = [
    ("test_input_required_result_elicitation", &[&[("user_name", Question::Person)]]),
    ("test_input_required_result_sampling", &[&[("capital_question", Question::Model)]]),
    ("test_input_required_result_list_roots", &[&[("client_roots", Question::Roots)]]),
    ("test_input_required_result_request_state", &[&[("confirm", Question::Person)]]),
    (
        "test_input_required_result_multiple_inputs",
        &[&[
            ("user_name", Question::Person),
            ("greeting", Question::Model),
            ("client_roots", Question::Roots),
        ]],
    ),
    (
        "test_input_required_result_multi_round",
        &[&[("step1", Question::Person)], &[("step2", Question::Person)]],
    ),
    ("test_input_required_result_tampered_state", &[&[("confirm", Question::Person)]]),
    (
        "test_input_required_result_capabilities",
        &[&[("person", Question::Person), ("model", Question::Model)]],
    ),
];

pub(super) const PROMPTS: [(&str, Rounds); 1] =
    [("test_input_required_result_prompt", &[&[("user_context", Question::Person)]])];

impl Question {
    /// What a client says that it can do if it can be asked this.
    fn capability(self) -> &'static str {
        match self {
            Self::Person => "elicitation",
            Self::Model => "sampling",
            Self::Roots => "roots",
        }
    }

    fn request(self) -> Value {
        match self {
            Self::Person => json!({"method": "elicitation/create", "params": {
                "mode": "form", "message": "Well?", "requestedSchema":
                    {"type": "object", "properties": {"name": {"type": "string"}}}}}),
            Self::Model => {
                let message = json!({"role": "user", "content": {"type": "text", "text": "Well?"}});
                json!({"method": "sampling/createMessage",
                    "params": {"messages": [message], "maxTokens": 100}})
            }
            Self::Roots => json!({"method": "roots/list", "params": {}}),
        }
    }
}

/// Whether the client has said that it can do this.
pub(super) fn can(params: &Map<String, Value>, capability: &str) -> bool {
    let meta = params.get("_meta");
    let said = meta.and_then(|meta| meta.get("io.modelcontextprotocol/clientCapabilities"));
    said.is_some_and(|said| said.get(capability).is_some())
}

/// A conversation of one call.
pub(super) struct Dialogue(Rounds);

impl Dialogue {
    pub(super) fn of(known: &[(&str, Rounds)], name: &str) -> Option<Self> {
        known.iter().find(|(known, _)| *known == name).map(|(_, rounds)| Self(rounds))
    }

    /// Asks the next questions that the client can answer, or ends with this result.
    pub(super) fn go_on(
        &self,
        params: &Map<String, Value>,
        result: impl FnOnce() -> Map<String, Value>,
    ) -> Result<Map<String, Value>, Fault> {
        // Which round it is. What a client keeps must be what it was given.
        let state = |round: usize| format!("round {round}");
        let mut round = match params.get("requestState") {
            None => 0,
            Some(kept) => (0..self.0.len())
                .find(|round| *kept == state(*round))
                .ok_or_else(|| Fault::params("requestState: is not what was given"))?,
        };
        let said = params.get("inputResponses");
        let is_answered = |name: &str| said.is_some_and(|said| said[name].is_object());
        if self.0[round].iter().all(|(name, _)| is_answered(name)) {
            round += 1;
        }
        let Some(questions) = self.0.get(round) else { return Ok(result()) };
        let asked = questions.iter().filter(|(_, question)| can(params, question.capability()));
        let requests: Value =
            asked.map(|(name, question)| ((*name).to_owned(), question.request())).collect();
        let asking =
            [("resultType", json!("input_required")), ("requestState", state(round).into())];
        let mut answer: Map<_, _> =
            asking.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        answer.insert("inputRequests".to_owned(), requests);
        Ok(answer)
    }
}
