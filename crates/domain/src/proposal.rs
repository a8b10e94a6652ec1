//! Proposals: work that one agent asks another to take on, by mail (`contract.md` §4).

use reef_api::task::TaskBody;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::id;
use crate::invalid::Invalid;
use crate::limits::{SUB_TASKS_MAX, TASK_NAME_CHARS_MAX};
use crate::name;
use crate::task::Submission;

/// The topic of a proposal.
pub const TOPIC: &str = "task_proposal";

/// The topic of the answer to one that was accepted.
pub const ANSWER_TOPIC: &str = "task_assignment";

/// A proposal, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Who proposes it; none if an old client named nobody that could be answered.
    pub proposer: Option<String>,
    /// What it is about.
    pub idea: String,
    /// What is to be done.
    pub sub_tasks: Vec<SubTask>,
}

/// A part of a proposal, which becomes a task.
#[derive(Debug, Clone, PartialEq)]
pub struct SubTask {
    /// The task.
    pub submission: Submission,
    /// A JSON object for whoever runs it.
    pub parameters: Map<String, Value>,
    /// A JSON object beside it.
    pub metadata: Map<String, Value>,
}

impl Proposal {
    /// Reads mail, whose members are those of `contract.md` §4 or of an old client's message. `None` if
    /// it is no proposal: a proposal has the topic [`TOPIC`] and says in its content what is
    /// proposed; an old client's has a member `task_proposal`.
    ///
    /// # Errors
    /// What is wrong with the sub-tasks, by their place in `tasks`.
    #[must_use]
    pub fn read(mail: &Map<String, Value>) -> Option<Result<Self, Invalid>> {
        let text = |name: &str| mail.get(name).and_then(Value::as_str);
        let proposed = match mail.get(TOPIC) {
            Some(Value::Object(old)) => old,
            _ if text("topic") == Some(TOPIC) => mail.get("content")?.as_object()?,
            _ => return None,
        };
        let proposer = text("from").or_else(|| text("from_agent"));
        let proposer = proposer.filter(|agent| id::is_valid(agent)).map(str::to_owned);
        let idea = proposed.get("idea").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tasks = proposed.get("tasks").or_else(|| proposed.get("sub_tasks"));
        Some(read_sub_tasks(tasks).map(|sub_tasks| Self { proposer, idea, sub_tasks }))
    }
}

fn read_sub_tasks(given: Option<&Value>) -> Result<Vec<SubTask>, Invalid> {
    let given = given.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !(1..=SUB_TASKS_MAX).contains(&given.len()) {
        return Err(Invalid::one("tasks", "must list between 1 and 100 sub-tasks"));
    }
    let mut invalid = Invalid::new();
    let mut sub_tasks = Vec::with_capacity(given.len());
    for (n, value) in given.iter().enumerate() {
        match SubTask::read(value) {
            Ok(sub_task) => sub_tasks.push(sub_task),
            Err(faults) => {
                for fault in faults.errors() {
                    let field = format!("tasks[{n}].{}", fault.field);
                    invalid.push(field.trim_end_matches('.'), fault.message.clone());
                }
            }
        }
    }
    invalid.finish(sub_tasks)
}

impl SubTask {
    /// Reads a sub-task: its name alone, or an object with the fields of a task (`contract.md` §5).
    ///
    /// # Errors
    /// Which of its fields break a rule; the field is empty where it is the sub-task itself.
    fn read(value: &Value) -> Result<Self, Invalid> {
        let mut given: TaskBody<Map<String, Value>> = match value {
            Value::String(text) => TaskBody {
                name: Some(name::of_text(text, TASK_NAME_CHARS_MAX)),
                description: Some(text.clone()),
                ..TaskBody::default()
            },
            Value::Object(_) => TaskBody::deserialize(value)
                .map_err(|error| Invalid::one("", format!("cannot be read: {error}")))?,
            _ => return Err(Invalid::one("", "must be a text, or an object with a name")),
        };
        let mut invalid = Invalid::new();
        let submission = Submission::read(&mut given, &mut invalid)?;
        let asks = submission.approval.is_some();
        let rule = "is not for tasks of a proposal";
        invalid.require(!asks, "approval", rule);
        invalid.require(submission.after.is_empty(), "after", rule);
        invalid.require(submission.group_id.is_none(), "group_id", rule);
        invalid.finish(Self {
            submission,
            parameters: given.parameters.unwrap_or_default(),
            metadata: given.metadata.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mail: &Value) -> Option<Result<Proposal, Vec<String>>> {
        let read = Proposal::read(mail.as_object().unwrap())?;
        Some(
            read.map_err(|invalid| {
                invalid.errors().iter().map(|error| error.field.clone()).collect()
            }),
        )
    }

    #[test]
    fn a_proposal_is_read_from_its_content() {
        let mail = json!({"from": "a", "topic": "task_proposal", "content": {
            "idea": "tidy up", "difficulty": 5, "value": 8,
            "tasks": ["sweep", {"name": "mop", "required_skills": ["water"], "priority": 1}],
        }});
        let proposal = read(&mail).unwrap().unwrap();
        assert_eq!((proposal.proposer.as_deref(), proposal.idea.as_str()), (Some("a"), "tidy up"));
        let names: Vec<_> = proposal.sub_tasks.iter().map(|it| &it.submission.name).collect();
        assert_eq!(names, ["sweep", "mop"]);
        assert_eq!(proposal.sub_tasks[1].submission.wants.required_skills, ["water"]);
    }

    #[test]
    fn an_old_clients_proposal_is_one_whatever_its_topic() {
        let mail = json!({"from_agent": "b", "topic": "self_evolution", "content": "text",
            "task_proposal": {"idea": "grow", "tasks": ["one"], "status": "pending"}});
        let proposal = read(&mail).unwrap().unwrap();
        assert_eq!((proposal.proposer.as_deref(), proposal.sub_tasks.len()), (Some("b"), 1));
    }

    #[test]
    fn other_mail_is_none() {
        for mail in [
            json!({"from": "a", "topic": "general", "content": {"tasks": ["x"]}}),
            json!({"from": "a", "topic": "task_proposal", "content": "words"}),
        ] {
            assert_eq!(read(&mail), None, "{mail}");
        }
    }

    #[test]
    fn a_malformed_sub_task_is_named_by_its_place() {
        let faults = |tasks: Value| {
            let mail = json!({"from": "a", "topic": "task_proposal", "content": {"tasks": tasks}});
            read(&mail).unwrap().unwrap_err()
        };
        assert_eq!(faults(json!([])), ["tasks"]);
        assert_eq!(faults(json!(vec!["x"; 101])), ["tasks"]);
        assert_eq!(faults(json!("x")), ["tasks"]);
        let several = json!(["ok", 5, {"name": "x", "priority": 9}, {"name": ["x"]}, " "]);
        assert_eq!(faults(several), ["tasks[1]", "tasks[2].priority", "tasks[3]", "tasks[4].name"]);
    }
}
