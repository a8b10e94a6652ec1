//! Calls on the queue as a whole: `lua/queue/`.

use reef_domain::limit::Paused as State;

include!(concat!(env!("OUT_DIR"), "/calls_queue.rs"));

/// What is kept back, as the scripts read it.
#[must_use]
pub fn paused_text(state: &State) -> String {
    match state {
        State { all: true, .. } => "*".to_owned(),
        State { skills, .. } if skills.is_empty() => String::new(),
        State { skills, .. } => serde_json::json!(skills).to_string(),
    }
}

/// Reads what [`paused_text`] has written; what nobody has is all.
#[must_use]
pub fn paused_state(text: &str) -> State {
    match text {
        "" => State::default(),
        text => serde_json::from_str(text)
            .map_or(State { all: true, skills: Vec::new() }, |skills| State { all: false, skills }),
    }
}
