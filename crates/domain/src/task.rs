//! Tasks: what may be submitted, and the words for it (`contract.md` §5).

use reef_api::session::IfBusy;
use reef_api::task::{RetryPolicy, TaskBody};
use reef_api::{GroupId, NodeId, TaskId, Word as _};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::fairness::Share;
use crate::flow::Edge;
use crate::id;
use crate::invalid::Invalid;
use crate::label::{self, Labels};
use crate::limit::Under;
use crate::limits::{
    AUDIENCE_MAX, ITERATIONS_MAX, LABEL_CHARS_MAX, LABELS_MAX, TASK_DELAY_MS_MAX, TASK_KEPT_MS_MAX,
    TASK_NAME_CHARS_MAX, TASK_RETRIES_MAX, TASK_TIMEOUT_MS_MAX, USER_CHARS_MAX,
};
use crate::name;
use crate::node::check_labels_bytes;
use crate::retry;
use crate::unique::Unique;
use crate::usage::{Bounds, Charge};
use crate::wait::Approval;

/// Kinds of tasks. They say something to people, and can be paused.
pub const TASK_TYPES: [&str; 5] =
    ["interactive", "batch", "compute_intensive", "io_intensive", "daemon"];

/// The type of a task that names none.
pub const USUAL_TYPE: &str = "batch";

/// Workflows of session tasks. Each is also a skill: a worker that runs it has that skill.
pub const WORKFLOWS: [&str; 3] = ["simple", "planner", "critic"];

/// Priorities run from 0 (critical) to this (low).
pub const PRIORITY_MAX: i64 = 3;

/// Priority where the caller names none: normal.
pub const PRIORITY_DEFAULT: i64 = 2;

/// Timeout where the caller names none, in seconds.
pub const TIMEOUT_DEFAULT: f64 = 300.0;

/// Whose nodes may run a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Audience {
    /// Everybody's.
    #[default]
    Any,
    /// Those of whoever submits it.
    Owner,
    /// Those of these agents.
    Agents(Vec<String>),
}

/// What an audience must be.
pub const AUDIENCE_RULE: &str = "must be any, owner, or a list of 1 to 20 agents' ids";

impl Audience {
    /// Reads a body's member.
    ///
    /// # Errors
    /// [`AUDIENCE_RULE`], under the field's name.
    pub fn read(given: &Value) -> Result<Self, Invalid> {
        let wrong = || Invalid::one("audience", AUDIENCE_RULE);
        match given {
            Value::String(word) => Self::word(word).ok_or_else(wrong),
            Value::Array(agents) if (1..=AUDIENCE_MAX).contains(&agents.len()) => {
                let id =
                    |agent: &Value| agent.as_str().filter(|it| id::is_valid(it)).map(str::to_owned);
                let agents: Option<Vec<String>> = agents.iter().map(id).collect();
                agents.map(Self::Agents).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    /// Reads one of the two words.
    #[must_use]
    pub fn word(word: &str) -> Option<Self> {
        match word {
            "any" => Some(Self::Any),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }

    /// The agents whose nodes are meant, sorted; `None` for everybody's.
    #[must_use]
    pub fn agents(&self, owner: &str) -> Option<Vec<String>> {
        match self {
            Self::Any => None,
            Self::Owner => Some(vec![owner.to_owned()]),
            Self::Agents(agents) => {
                let mut agents = agents.clone();
                agents.sort_unstable();
                agents.dedup();
                Some(agents)
            }
        }
    }

    /// What [`Audience::agents`] has made of one, for whoever submitted the task.
    #[must_use]
    pub fn of_agents(agents: Vec<String>, owner: &str) -> Self {
        if agents == [owner] { Self::Owner } else { Self::Agents(agents) }
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::Owner => serializer.serialize_str("owner"),
            Self::Agents(agents) => agents.serialize(serializer),
        }
    }
}

/// What a task wants of the node that runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Skills that the node must have.
    pub required_skills: Vec<String>,
    /// Skills that are good to have.
    pub optional_skills: Vec<String>,
    /// Tags of nodes that are preferred.
    pub affinity_tags: Vec<String>,
    /// Whose nodes may run it; `None`: what the hub says.
    pub audience: Option<Audience>,
    /// The one node that may run it.
    pub target_node: Option<NodeId>,
    /// Limits that it is under.
    pub limits: Vec<Under>,
}

impl Wants {
    /// The same wants, whatever order or repetition a caller wrote them in.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let sorted = |labels: &[String]| {
            let mut labels = labels.to_vec();
            labels.sort_unstable();
            labels.dedup();
            labels
        };
        let mut limits = self.limits.clone();
        limits.sort_unstable();
        Self {
            limits,
            required_skills: sorted(&self.required_skills),
            optional_skills: sorted(&self.optional_skills),
            affinity_tags: sorted(&self.affinity_tags),
            audience: self.audience.clone(),
            target_node: self.target_node.clone(),
        }
    }

    fn check(&self, invalid: &mut Invalid) {
        let is_id = self.target_node.as_ref().is_none_or(|node| id::is_valid(node.as_str()));
        invalid.require(is_id, "target_node", id::RULE);
        for (field, labels) in [
            ("required_skills", &self.required_skills),
            ("optional_skills", &self.optional_skills),
            ("affinity_tags", &self.affinity_tags),
        ] {
            invalid.at_most_items(field, labels, LABELS_MAX);
            check_labels_bytes(invalid, field, labels);
            for (n, label) in labels.iter().enumerate() {
                let fits = !label.trim().is_empty() && label.chars().count() <= LABEL_CHARS_MAX;
                invalid.require(
                    fits,
                    &format!("{field}[{n}]"),
                    "must not be blank and must have at most 128 characters",
                );
                if fits {
                    name::check(invalid, &format!("{field}[{n}]"), label);
                }
            }
        }
    }
}

/// A node that was named; an empty name is none.
#[must_use]
pub fn some_node(given: Option<NodeId>) -> Option<NodeId> {
    given.filter(|node| !node.as_str().is_empty())
}

/// A task as a caller describes it, with the defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// What it is called.
    pub name: String,
    /// One of [`TASK_TYPES`].
    pub task_type: String,
    /// For people.
    pub description: String,
    /// What it wants of a node.
    pub wants: Wants,
    /// 0 (critical) to 3 (low).
    pub priority: i64,
    /// Longest run, in seconds.
    pub timeout: f64,
    /// How often it is tried again.
    pub max_retries: i64,
    /// For how long it is kept back, in milliseconds.
    pub delay_ms: i64,
    /// Whom it is for.
    pub user_id: Option<String>,
    /// How long it is kept after it has completed, in milliseconds; `None`: as the hub says.
    pub keep_completed_ms: Option<i64>,
    /// The same after any other end.
    pub keep_failed_ms: Option<i64>,
    /// What its owner finds it by.
    pub labels: Labels,
    /// When it is tried again; `None`: as every task.
    pub retry: Option<RetryPolicy>,
    /// What has to be decided before any node gets it; the details stay in the body.
    pub approval: Option<Approval>,
    /// What it follows.
    pub after: Vec<Edge>,
    /// The group that it joins.
    pub group_id: Option<GroupId>,
    /// What it may use.
    pub budget: Option<Bounds>,
    /// What whoever completes it is paid.
    pub charge: Option<Charge>,
    /// Which share of the queue it is of.
    pub share: Option<Share>,
    /// What it is to be the only one of.
    pub unique: Option<Unique>,
}

impl Default for Submission {
    fn default() -> Self {
        Self::filled(&mut TaskBody::<()>::default(), None)
    }
}

impl Submission {
    /// Takes a submission out of a body, with the defaults filled in, and adds every broken rule.
    /// What is kept as it is (parameters, metadata) and the id stay behind.
    ///
    /// # Errors
    /// [`AUDIENCE_RULE`].
    pub fn read_one<J>(body: &mut TaskBody<J>, invalid: &mut Invalid) -> Result<Self, Invalid> {
        let unique = body.unique.take();
        let mut submission = Self::read(body, invalid)?;
        submission.unique = unique.map(|given| Unique::read(given, &mut submission, invalid));
        let is_either = submission.unique.is_none() || submission.charge.is_none();
        invalid.require(is_either, "unique", "is not for tasks that are paid for");
        Ok(submission)
    }

    /// The same for one that is not submitted by itself.
    ///
    /// # Errors
    /// [`AUDIENCE_RULE`].
    pub fn read<J>(body: &mut TaskBody<J>, invalid: &mut Invalid) -> Result<Self, Invalid> {
        let submission = Self::read_in_batch(body, &[] as &[TaskId], invalid)?;
        let is_alone = submission.charge.is_none()
            || (submission.after.is_empty() && submission.group_id.is_none());
        let rule = "is for tasks that follow no others and are of no group";
        invalid.require(is_alone, "charge", rule);
        Ok(submission)
    }

    /// The same in a batch; `earlier` are the ids of the tasks before it there.
    ///
    /// # Errors
    /// [`AUDIENCE_RULE`].
    pub fn read_in_batch<J>(
        body: &mut TaskBody<J>,
        earlier: &[TaskId],
        invalid: &mut Invalid,
    ) -> Result<Self, Invalid> {
        let audience = body.audience.take().map(|it| Audience::read(&it)).transpose()?;
        let mut submission = Self::filled(body, audience);
        let (key, weight) = (body.fairness_key.take(), body.fairness_weight);
        submission.share = Share::read(key, weight, invalid);
        submission.retry = body.retry.take().map(|given| retry::read(&given, invalid));
        submission.check(invalid);
        let limits = body.limits.take().unwrap_or_default();
        submission.wants.limits = Under::read_all(limits, invalid);
        submission.budget = body.budget.take().map(|given| Bounds::of_task(given, invalid));
        submission.charge = body.charge.take().map(|given| Charge::read(given, invalid));
        let after = body.after.take().unwrap_or_default();
        submission.after = Edge::read_all(&after, earlier, "after", invalid);
        let is_now = submission.delay_ms == 0 || submission.after.is_empty();
        invalid.require(is_now, "delay_ms", "must be 0 where the task follows others");
        let is_id = submission.group_id.as_ref().is_none_or(|group| id::is_valid(group));
        invalid.require(is_id, "group_id", id::RULE);
        submission.check_group(submission.group_id.as_ref(), invalid);
        let rule = "is for tasks that are submitted one by one";
        invalid.require(body.unique.is_none(), "unique", rule);
        if let Some(asked) = &mut body.approval {
            submission.approval = Some(Approval::read(asked, "approval.", invalid));
            let is_now = submission.delay_ms == 0;
            invalid.require(is_now, "delay_ms", "must be 0 where an approval is asked for");
        }
        Ok(submission)
    }

    fn filled<J>(body: &mut TaskBody<J>, audience: Option<Audience>) -> Self {
        Self {
            name: body.name.take().unwrap_or_default(),
            task_type: body.task_type.take().unwrap_or_else(|| USUAL_TYPE.to_owned()),
            description: body.description.take().unwrap_or_default(),
            wants: Wants {
                required_skills: body.required_skills.take().unwrap_or_default(),
                optional_skills: body.optional_skills.take().unwrap_or_default(),
                affinity_tags: body.affinity_tags.take().unwrap_or_default(),
                audience,
                target_node: some_node(body.target_node.take()),
                limits: Vec::new(),
            },
            priority: body.priority.unwrap_or(PRIORITY_DEFAULT),
            timeout: body.timeout.unwrap_or(TIMEOUT_DEFAULT),
            max_retries: body.max_retries.unwrap_or(3),
            delay_ms: body.delay_ms.unwrap_or_default(),
            user_id: body.user_id.take().filter(|user| !user.is_empty()),
            keep_completed_ms: body.keep_completed_ms,
            keep_failed_ms: body.keep_failed_ms,
            labels: body.labels.take().unwrap_or_default(),
            retry: None,
            approval: None,
            after: Vec::new(),
            group_id: body.group_id.take().filter(|group| !group.is_empty()),
            budget: None,
            charge: None,
            share: None,
            unique: None,
        }
    }

    /// Adds the fault of a task that follows the group that it is of: that would never end.
    pub fn check_group(&self, group: Option<&GroupId>, invalid: &mut Invalid) {
        let follows = |group: &GroupId| self.after.iter().any(|edge| edge.is_group(group));
        let rule = "must not name the group that the task is of";
        invalid.require(!group.is_some_and(follows), "after", rule);
    }

    /// The timeout in whole milliseconds.
    #[must_use]
    pub fn timeout_ms(&self) -> i64 {
        #[allow(clippy::cast_possible_truncation, reason = "checked to be at most a week")]
        let ms = (self.timeout * 1000.0).round() as i64;
        ms.max(1)
    }

    /// Adds every broken rule.
    pub fn check(&self, invalid: &mut Invalid) {
        let name_fits =
            !self.name.trim().is_empty() && self.name.chars().count() <= TASK_NAME_CHARS_MAX;
        invalid.require(name_fits, "name", "is required and must have at most 255 characters");
        if name_fits {
            name::check(invalid, "name", &self.name);
        }
        invalid.one_of("task_type", &self.task_type, &TASK_TYPES);
        self.wants.check(invalid);
        invalid.require(
            (0..=PRIORITY_MAX).contains(&self.priority),
            "priority",
            "must be 0 (critical), 1 (high), 2 (normal) or 3 (low)",
        );
        #[allow(clippy::cast_precision_loss, reason = "a week of milliseconds is exact")]
        let longest = TASK_TIMEOUT_MS_MAX as f64 / 1000.0;
        invalid.require(
            self.timeout > 0.0 && self.timeout <= longest,
            "timeout",
            "must be more than 0 and at most 604800 seconds",
        );
        invalid.within("max_retries", self.max_retries, &(0..=TASK_RETRIES_MAX));
        invalid.within("delay_ms", self.delay_ms, &(0..=TASK_DELAY_MS_MAX));
        check_user(invalid, self.user_id.as_deref());
        label::check(invalid, "labels", &self.labels);
        let keeps = [
            ("keep_completed_ms", self.keep_completed_ms),
            ("keep_failed_ms", self.keep_failed_ms),
        ];
        for (field, keep) in keeps {
            invalid.within(field, keep.unwrap_or_default(), &(0..=TASK_KEPT_MS_MAX));
        }
    }
}

/// Adds what is wrong with the name of whom a task or a session is for.
pub fn check_user(invalid: &mut Invalid, user_id: Option<&str>) {
    let user_id = user_id.unwrap_or_default();
    invalid.at_most_chars("user_id", user_id, USER_CHARS_MAX);
    name::check(invalid, "user_id", user_id);
}

/// Adds what is wrong with a workflow and its number of iterations.
pub fn check_workflow(invalid: &mut Invalid, workflow: &str, max_iterations: i64) {
    invalid.one_of("workflow", workflow, &WORKFLOWS);
    invalid.within("max_iterations", max_iterations, &(1..=ITERATIONS_MAX));
}

/// Reads what a task does while others of its session are unfinished; `None` where nothing is said.
pub fn read_if_busy(given: Option<String>, invalid: &mut Invalid) -> Option<IfBusy> {
    let given = given?;
    invalid.one_of("if_busy", &given, &IfBusy::names());
    IfBusy::parse(&given)
}

/// Adds what is wrong with an id that a caller brings.
pub fn check_task_id(invalid: &mut Invalid, task_id: Option<&str>) {
    if let Some(Err(rule)) = task_id.map(id::check_own) {
        invalid.push("task_id", rule);
    }
    // `POST /tasks/batch` stands beside the ids.
    invalid.require(task_id != Some("batch"), "task_id", id::RULE);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(submission: &Submission) -> Vec<String> {
        let mut invalid = Invalid::new();
        submission.check(&mut invalid);
        invalid.errors().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn a_name_is_enough() {
        let good = Submission { name: "index".into(), ..Submission::default() };
        assert_eq!(faults(&good), Vec::<String>::new());
        assert_eq!(good.timeout_ms(), 300_000);
    }

    #[test]
    fn every_broken_rule_names_its_field() {
        let bad = Submission {
            name: " ".into(),
            task_type: "odd".into(),
            wants: Wants { required_skills: vec!["ok".into(), " ".into()], ..Wants::default() },
            priority: 4,
            timeout: -1.0,
            max_retries: -1,
            delay_ms: -1,
            user_id: Some("u".repeat(129)),
            keep_completed_ms: Some(-1),
            keep_failed_ms: Some(TASK_KEPT_MS_MAX + 1),
            ..Submission::default()
        };
        assert_eq!(
            faults(&bad),
            [
                "name",
                "task_type",
                "required_skills[1]",
                "priority",
                "timeout",
                "max_retries",
                "delay_ms",
                "user_id",
                "keep_completed_ms",
                "keep_failed_ms"
            ]
        );
        let nan = Submission { name: "n".into(), timeout: f64::NAN, ..Submission::default() };
        assert_eq!(faults(&nan), ["timeout"]);
    }

    #[test]
    fn an_audience_is_a_word_or_agents() {
        let read = |value: serde_json::Value| Audience::read(&value).ok();
        assert_eq!(read(json!("any")), Some(Audience::Any));
        assert_eq!(read(json!("owner")).and_then(|it| it.agents("a")), Some(vec!["a".into()]));
        let some = read(json!(["b", "a", "b"])).unwrap();
        assert_eq!(some.agents("c"), Some(vec!["a".to_owned(), "b".to_owned()]));
        for bad in [
            json!(""),
            json!("all"),
            json!([]),
            json!([1]),
            json!(["@admin"]),
            json!({}),
            json!(vec!["a"; 21]),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
        assert_eq!(Audience::of_agents(vec!["a".into()], "a"), Audience::Owner);
    }

    #[test]
    fn wants_are_the_same_in_any_order() {
        let one = Wants { required_skills: vec!["b".into(), "a".into()], ..Wants::default() };
        let two =
            Wants { required_skills: vec!["a".into(), "b".into(), "a".into()], ..Wants::default() };
        assert_eq!(one.canonical(), two.canonical());
    }
}
