//! Calls on the queue as a whole: `lua/queue/`.

use reef_domain::limit::Paused as State;
use reef_domain::task::USUAL_TYPE;

include!(concat!(env!("OUT_DIR"), "/calls_queue.rs"));

/// What is kept back, as the scripts read it: types behind a line feed, which no skill has.
#[must_use]
pub fn paused_text(state: &State) -> String {
    let State { all, skills, types } = state;
    if *all {
        return "*".to_owned();
    }
    let types = types.iter().map(|kind| format!("\n{}", stored_type(kind)));
    let names: Vec<String> = skills.iter().cloned().chain(types).collect();
    if names.is_empty() { String::new() } else { serde_json::json!(names).to_string() }
}

/// Reads what [`paused_text`] has written; what nobody has is all.
#[must_use]
pub fn paused_state(text: &str) -> State {
    if text.is_empty() {
        return State::default();
    }
    let Ok(names) = serde_json::from_str::<Vec<String>>(text) else {
        return State { all: true, ..State::default() };
    };
    let (types, skills) = names.into_iter().partition::<Vec<_>, _>(|name| name.starts_with('\n'));
    let types = types.iter().map(|kind| match kind.trim_start() {
        "" => USUAL_TYPE.to_owned(),
        kind => kind.to_owned(),
    });
    State { all: false, skills, types: types.collect() }
}

/// A type as the scripts know it: the usual one is not said.
pub(crate) fn stored_type(kind: &str) -> &str {
    if kind == USUAL_TYPE { "" } else { kind }
}
