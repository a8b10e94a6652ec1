//! What the components have in common that take tasks.

use reef_domain::limits::CLASSES_MAX;
use reef_store::task::Submitted;

use crate::{Code, Problem};

/// Fields of a task that only the hub decides.
pub const READ_ONLY: [&str; 17] = [
    "status",
    "assigned_node",
    "submitted_at",
    "scheduled_at",
    "started_at",
    "completed_at",
    "retry_count",
    "result",
    "error",
    "session_id",
    "message_id",
    "progress",
    "token",
    "owner",
    "routable",
    "usage",
    "paid",
];

/// More different tasks wait than a claim could look at.
#[must_use]
pub fn too_many_classes() -> String {
    format!("Tasks with {CLASSES_MAX} different sets of required skills wait already.")
}

/// What a task cannot follow.
#[must_use]
pub fn unknown_followed(what: &str) -> String {
    match what.split_once(':') {
        Some(("limit", name)) => {
            format!("There is no limit {name}; an admin makes one: PUT /api/v1/limits/{name}.")
        }
        Some((_, group_id)) => format!("There is no group {group_id} of the same owner."),
        None => format!("There is no task {what} of the same owner that could be followed."),
    }
}

/// A budget is used up.
#[must_use]
pub fn exhausted(what: &str) -> Problem {
    let (scope, id) = what.split_once('/').unwrap_or(("owner", what));
    Problem::new(Code::BudgetExhausted, format!("The budget of the {scope} {id} is used up."))
}

/// Why a task was not taken.
#[must_use]
pub fn not_submitted(refused: &Submitted, task_id: &str) -> Problem {
    match refused {
        Submitted::TooManyClasses => Problem::new(Code::Conflict, too_many_classes()),
        Submitted::Unknown { what } => Problem::new(Code::Conflict, unknown_followed(what)),
        Submitted::Exhausted { what } => exhausted(what),
        Submitted::Held { holder: Some(other) } => {
            let detail = format!("The task {other} is the only one of this key.");
            Problem::new(Code::Conflict, detail)
        }
        Submitted::Held { holder: None } => {
            Problem::new(Code::Conflict, "A task of somebody else is the only one of this key.")
        }
        Submitted::Sealed => Problem::new(Code::Conflict, "The group takes no further tasks."),
        _ => Problem::new(Code::Conflict, format!("The task id {task_id} is in use.")),
    }
}
