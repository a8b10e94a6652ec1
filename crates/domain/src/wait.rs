//! Waits: what a task may wait for (`contract.md` §5).

use reef_api::AgentId;
use reef_api::Word as _;
use reef_api::flow::On;
use reef_api::wait::{
    ApprovalBody, OnExpire, Until, WaitBody, WaitKind, WaitOption, WaitOptionBody,
};

use crate::flow::Edge;
use crate::id;
use crate::invalid::Invalid;
use crate::limits::{
    APPROVALS_MAX, ASSIGNEES_MAX, FOLLOWED_MAX, QUESTION_CHARS_MAX, SIGNAL_NAME_CHARS_MAX,
    WAIT_FOR_MS_MAX, WAIT_OPTION_CHARS_MAX, WAIT_OPTIONS_MAX,
};
use crate::name;

/// The answers where whoever asks names none.
const OPTIONS: [(&str, &str); 2] = [("approve", "Approve"), ("reject", "Reject")];

/// What somebody is asked to decide, apart from the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What is asked.
    pub question: String,
    /// What may be answered.
    pub options: Vec<WaitOption>,
    /// Who may answer, besides the task's owner.
    pub assignees: Vec<AgentId>,
    /// How many have to answer the same.
    pub approvals: i64,
    /// Whoever owns the node that asks may not answer.
    pub by_other: bool,
    /// After how long nobody is asked any more, in milliseconds.
    pub expires_in_ms: Option<i64>,
    /// What is done then.
    pub on_expire: OnExpire,
}

impl Approval {
    /// Asks a question as plainly as can be: yes or no, by whoever may, for ever.
    #[must_use]
    pub fn new(question: &str) -> Self {
        Self {
            question: question.to_owned(),
            options: default_options(),
            assignees: Vec::new(),
            approvals: 1,
            by_other: false,
            expires_in_ms: None,
            on_expire: OnExpire::Reject,
        }
    }

    /// Takes one out of a body and adds every broken rule, with `prefix` before the name of each field.
    /// The details stay behind.
    pub fn read<J>(body: &mut ApprovalBody<J>, prefix: &str, invalid: &mut Invalid) -> Self {
        let field = |name: &str| format!("{prefix}{name}");
        let question = body.question.take().unwrap_or_default();
        let length = question.chars().count();
        let is_there = !question.trim().is_empty() && length <= QUESTION_CHARS_MAX;
        let rule = "is required and must have at most 2000 characters";
        invalid.require(is_there, &field("question"), rule);
        let options = body.options.take().map(|all| all.into_iter().map(option_of).collect());
        let options: Vec<WaitOption> = options.unwrap_or_else(default_options);
        check_options(invalid, &field("options"), &options);
        let mut assignees = body.assignees.take().unwrap_or_default();
        invalid.at_most_items(&field("assignees"), &assignees, ASSIGNEES_MAX);
        for (n, agent) in assignees.iter().enumerate() {
            invalid.require(id::is_valid(agent), &format!("{prefix}assignees[{n}]"), id::RULE);
        }
        assignees.sort_unstable();
        assignees.dedup();
        let approvals = body.approvals.unwrap_or(1);
        invalid.within(&field("approvals"), approvals, &(1..=APPROVALS_MAX));
        check_expiry(invalid, &field("expires_in_ms"), body.expires_in_ms);
        let on_expire = body.on_expire.take().unwrap_or_else(|| "reject".to_owned());
        invalid.one_of(&field("on_expire"), &on_expire, &OnExpire::names());
        let on_expire = OnExpire::parse(&on_expire).unwrap_or(OnExpire::Reject);
        Self {
            question,
            options,
            assignees,
            approvals,
            by_other: false,
            expires_in_ms: body.expires_in_ms,
            on_expire,
        }
    }
}

fn option_of(given: WaitOptionBody) -> WaitOption {
    let value = given.value.unwrap_or_default();
    WaitOption { label: given.label.unwrap_or_else(|| value.clone()), value }
}

fn default_options() -> Vec<WaitOption> {
    let option =
        |(value, label): (&str, &str)| WaitOption { value: value.into(), label: label.into() };
    OPTIONS.into_iter().map(option).collect()
}

fn check_options(invalid: &mut Invalid, field: &str, options: &[WaitOption]) {
    let fits = (1..=WAIT_OPTIONS_MAX).contains(&options.len());
    invalid.require(fits, field, "must be 1 to 10 options");
    for (n, option) in options.iter().enumerate() {
        for (part, text) in [("value", &option.value), ("label", &option.label)] {
            let field = format!("{field}[{n}].{part}");
            invalid.at_most_chars(&field, text, WAIT_OPTION_CHARS_MAX);
            name::check(invalid, &field, text);
        }
        invalid.require(!option.value.is_empty(), &format!("{field}[{n}].value"), "is required");
        let is_new = options.iter().take(n).all(|other| other.value != option.value);
        invalid.require(is_new, &format!("{field}[{n}].value"), "must not be given twice");
    }
}

fn check_expiry(invalid: &mut Invalid, field: &str, given: Option<i64>) {
    if let Some(ms) = given {
        invalid.within(field, ms, &(1..=WAIT_FOR_MS_MAX));
    }
}

/// Adds what is wrong with the name of a signal.
pub fn check_signal_name(invalid: &mut Invalid, field: &str, signal: &str) {
    invalid.require(!signal.trim().is_empty(), field, "is required and must not be blank");
    invalid.at_most_chars(field, signal, SIGNAL_NAME_CHARS_MAX);
    name::check(invalid, field, signal);
}

/// What a task waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// That somebody decides.
    Approval(Approval),
    /// A signal of this name.
    Signal {
        /// The name.
        name: String,
        /// After how long it is not waited for any more, in milliseconds.
        expires_in_ms: Option<i64>,
    },
    /// A time.
    Sleep {
        /// How long, in milliseconds.
        for_ms: i64,
    },
    /// The end of other tasks.
    Tasks {
        /// Which, or which group.
        edges: Vec<Edge>,
        /// Which end.
        until: Until,
        /// After how long it is not waited for any more, in milliseconds.
        expires_in_ms: Option<i64>,
    },
}

impl Wait {
    /// Takes one out of a body. What is kept as it is, and the token, stay behind.
    ///
    /// # Errors
    /// Every broken rule; fields of other kinds of waits are among them.
    pub fn read<J>(body: &mut WaitBody<J>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let kind = body.kind.take().unwrap_or_default();
        invalid.one_of("kind", &kind, &WaitKind::names());
        let kind = WaitKind::parse(&kind).unwrap_or(WaitKind::Sleep);
        refuse_others(&mut invalid, body, kind);
        let wait = match kind {
            WaitKind::Approval => {
                let mut asked = ApprovalBody::<()> {
                    question: body.question.take(),
                    details: None,
                    options: body.options.take(),
                    assignees: body.assignees.take(),
                    approvals: body.approvals,
                    expires_in_ms: body.expires_in_ms,
                    on_expire: body.on_expire.take(),
                };
                let approval = Approval::read(&mut asked, "", &mut invalid);
                Self::Approval(Approval { by_other: body.by_other.unwrap_or(false), ..approval })
            }
            WaitKind::Signal => {
                let name = body.name.take().unwrap_or_default();
                check_signal_name(&mut invalid, "name", &name);
                check_expiry(&mut invalid, "expires_in_ms", body.expires_in_ms);
                Self::Signal { name, expires_in_ms: body.expires_in_ms }
            }
            WaitKind::Sleep => {
                let for_ms = body.for_ms.unwrap_or_default();
                invalid.within("for_ms", for_ms, &(1..=WAIT_FOR_MS_MAX));
                Self::Sleep { for_ms }
            }
            WaitKind::Tasks => Self::tasks(body, &mut invalid),
        };
        invalid.finish(wait)
    }

    fn tasks<J>(body: &mut WaitBody<J>, invalid: &mut Invalid) -> Self {
        let until = body.until.take().unwrap_or_else(|| "ended".to_owned());
        invalid.one_of("until", &until, &Until::names());
        let until = Until::parse(&until).unwrap_or(Until::Ended);
        let on = if until == Until::Completed { On::Completed } else { On::Ended };
        let (tasks, group) = (body.task_ids.take(), body.group_id.take());
        let is_one = tasks.as_ref().is_some_and(|tasks| !tasks.is_empty()) != group.is_some();
        invalid.require(is_one, "task_ids", "or group_id is required, one of them");
        let mut tasks = tasks.unwrap_or_default();
        invalid.at_most_items("task_ids", &tasks, FOLLOWED_MAX);
        for (n, task) in tasks.iter().enumerate() {
            invalid.require(id::is_valid(task), &format!("task_ids[{n}]"), id::RULE);
        }
        tasks.sort_unstable();
        tasks.dedup();
        let is_id = group.as_ref().is_none_or(|group| id::is_valid(group));
        invalid.require(is_id, "group_id", id::RULE);
        check_expiry(invalid, "expires_in_ms", body.expires_in_ms);
        let tasks = tasks.into_iter().map(|task| Edge { what: task.into(), on });
        let group = group.map(|group| Edge::group(&group, on));
        Self::Tasks {
            edges: tasks.chain(group).collect(),
            until,
            expires_in_ms: body.expires_in_ms,
        }
    }
}

/// Whoever sends a field that another kind of wait has would find it ignored.
fn refuse_others<J>(invalid: &mut Invalid, body: &WaitBody<J>, kind: WaitKind) {
    use WaitKind::{Approval, Signal, Sleep, Tasks};
    let given: [(&str, bool, &[WaitKind]); 12] = [
        ("question", body.question.is_some(), &[Approval]),
        ("details", body.details.is_some(), &[Approval]),
        ("options", body.options.is_some(), &[Approval]),
        ("assignees", body.assignees.is_some(), &[Approval]),
        ("approvals", body.approvals.is_some(), &[Approval]),
        ("on_expire", body.on_expire.is_some(), &[Approval]),
        ("expires_in_ms", body.expires_in_ms.is_some(), &[Approval, Signal, Tasks]),
        ("name", body.name.is_some(), &[Signal]),
        ("for_ms", body.for_ms.is_some(), &[Sleep]),
        ("task_ids", body.task_ids.is_some(), &[Tasks]),
        ("group_id", body.group_id.is_some(), &[Tasks]),
        ("until", body.until.is_some(), &[Tasks]),
    ];
    for (field, is_given, kinds) in given {
        let rule = format!("is not for a wait of the kind {}", kind.as_str());
        invalid.require(!is_given || kinds.contains(&kind), field, &rule);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(body: Value) -> Vec<String> {
        let mut body: WaitBody<Value> = serde_json::from_value(body).unwrap();
        let errors = Wait::read(&mut body).err();
        let fields = errors.iter().flat_map(|invalid| invalid.errors());
        fields.map(|error| error.field.clone()).collect()
    }

    #[test]
    fn a_question_is_enough() {
        let mut body: WaitBody<Value> =
            serde_json::from_value(json!({"kind": "approval", "question": "Pay?"})).unwrap();
        let Ok(Wait::Approval(approval)) = Wait::read(&mut body) else { panic!() };
        assert_eq!(approval.options, default_options());
        assert_eq!((approval.approvals, approval.on_expire), (1, OnExpire::Reject));
        assert_eq!(faults(json!({"kind": "signal", "name": "paid"})), Vec::<String>::new());
        assert_eq!(faults(json!({"kind": "sleep", "for_ms": 1})), Vec::<String>::new());
    }

    #[test]
    fn every_broken_rule_names_its_field() {
        let twice = json!([{"value": "a"}, {"value": "a"}, {"value": ""}]);
        assert_eq!(
            faults(json!({"kind": "approval", "options": twice, "assignees": ["a b"],
                "approvals": 6, "expires_in_ms": 0, "on_expire": "ask"})),
            [
                "question",
                "options[1].value",
                "options[2].value",
                "assignees[0]",
                "approvals",
                "expires_in_ms",
                "on_expire"
            ],
        );
        assert_eq!(faults(json!({"kind": "nap"})), ["kind", "for_ms"]);
        assert_eq!(faults(json!({"kind": "sleep", "for_ms": 1, "name": "x"})), ["name"]);
        assert_eq!(
            faults(json!({"kind": "signal", "name": " ", "for_ms": 1})),
            ["for_ms", "name", "name"]
        );
    }
}
