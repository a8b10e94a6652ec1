//! Tasks that wait for people, for signals and for each other.

use reef_api::agent::Scope;
use reef_api::flow::{AfterBody, BatchBody, GroupBody};
use reef_api::task::TaskBody;
use reef_api::wait::{SignalBody, WaitAnswerBody, WaitBody};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{About, Answer, Context, Effect, Operation, Toolset, listed};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AskApproval {
    /// A task of yours that you hold.
    task_id: String,
    /// As claim_task gave it.
    token: String,
    /// What a person is asked.
    #[schemars(length(min = 1, max = 2000))]
    question: String,
    /// What that person has to know.
    details: Option<Value>,
    /// Agents that may answer, besides the task's owner.
    #[schemars(length(max = 20))]
    assignees: Option<Vec<String>>,
    /// What you, or whoever goes on, will need: it comes back with the next claim of the task.
    checkpoint: Option<Value>,
    /// Ask no longer than this; then it counts as rejected.
    #[schemars(range(min = 1))]
    expires_in_ms: Option<i64>,
}

impl Operation for AskApproval {
    const ABOUT: About = About {
        name: "ask_approval",
        title: "Let a person decide",
        description: "Puts a task that you hold aside until somebody has decided. You hold it no \
                      more: stop working on it. Whoever claims it next gets the decision in \
                      `resume`, and your `checkpoint`.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Adds,
        answers: &[("task_id", "string"), ("status", "string"), ("wait_id", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let assignees = self.assignees.map(|all| all.into_iter().map(Into::into).collect());
        let body = WaitBody {
            token: Some(self.token.into()),
            kind: Some("approval".to_owned()),
            checkpoint: self.checkpoint,
            question: Some(self.question),
            details: self.details,
            assignees,
            expires_in_ms: self.expires_in_ms,
            ..WaitBody::default()
        };
        let mut begun = cx.ask_once(Request::post(["tasks", &self.task_id, "wait"], &body)).await?;
        begun.remove("success");
        Ok(begun)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListWaits {
    /// approval, signal, sleep or tasks.
    kind: Option<String>,
    /// Most waits; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for ListWaits {
    const ABOUT: About = About {
        name: "list_waits",
        title: "List what tasks wait for",
        description: "Lists open questions, and what else tasks wait for: those of your tasks, and \
                      those that you may answer.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("waits", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["waits"]).query("limit", Some(self.limit.unwrap_or(20)));
        let request = request.query("kind", self.kind).query("cursor", self.cursor);
        let (waits, next_cursor) = cx.list(request).await?;
        Ok(listed("waits", waits, next_cursor))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AnswerWait {
    /// Which wait.
    wait_id: String,
    /// One of its options.
    #[schemars(length(min = 1, max = 64))]
    decision: String,
    /// What the task is told besides.
    value: Option<Value>,
    /// The same for people.
    #[schemars(length(max = 2000))]
    comment: Option<String>,
}

impl Operation for AnswerWait {
    const ABOUT: About = About {
        name: "answer_wait",
        title: "Decide what a task waits for",
        description: "Decides an open question; the first decision stands.",
        toolset: Toolset::Flow,
        scope: Scope::Approve,
        acts: false,
        effect: Effect::Sets,
        answers: &[("wait", "object")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Self { wait_id, decision, value, comment } = self;
        let body = WaitAnswerBody { decision: Some(decision), value, comment };
        let wait = cx.ask(Request::post(["waits", &wait_id, "answer"], &body)).await?;
        Ok(Map::from_iter([("wait".to_owned(), Value::Object(wait))]))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SignalTask {
    /// Which task.
    task_id: String,
    /// What the signal is called.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// What it brings.
    payload: Option<Value>,
}

impl Operation for SignalTask {
    const ABOUT: About = About {
        name: "signal_task",
        title: "Send a signal to a task",
        description: "Tells one of your tasks something: one that waits for it goes on, another \
                      one finds it when it asks.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("task_id", "string"), ("queued", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = SignalBody { name: Some(self.name), payload: self.payload };
        let mut told =
            cx.ask_once(Request::post(["tasks", &self.task_id, "signal"], &body)).await?;
        told.remove("success");
        Ok(told)
    }
}

/// A task of a flow.
#[derive(Debug, Deserialize, JsonSchema)]
struct Step {
    /// What it is called.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What is to be done, for whoever does it.
    description: Option<String>,
    /// Skills that its agent must have.
    #[schemars(length(max = 100))]
    required_skills: Option<Vec<String>>,
    /// Data for whoever does it.
    parameters: Option<Map<String, Value>>,
    /// Places, from 0, of earlier tasks of this list that have to be completed first; their results come
    /// with it.
    #[schemars(length(max = 100))]
    after: Option<Vec<u32>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SubmitFlow {
    /// What it is called.
    #[schemars(length(max = 200))]
    name: Option<String>,
    /// The tasks.
    #[schemars(length(min = 1, max = 100))]
    tasks: Vec<Step>,
}

impl Operation for SubmitFlow {
    const ABOUT: About = About {
        name: "submit_flow",
        title: "Submit work in several steps",
        description: "Puts several tasks into the queue at once, all or none; a task may wait for \
                      earlier ones. get_group waits for their end.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("group_id", "string"), ("tasks", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let task = |step: Step| {
            let after =
                |place: u32| AfterBody { task: Some(format!("#{place}")), ..AfterBody::default() };
            TaskBody {
                name: Some(step.name),
                description: step.description,
                required_skills: step.required_skills,
                parameters: step.parameters,
                after: step.after.map(|all| all.into_iter().map(after).collect()),
                ..TaskBody::default()
            }
        };
        let body = BatchBody::<Map<String, Value>> {
            tasks: Some(self.tasks.into_iter().map(task).collect()),
            group: Some(GroupBody { name: self.name, ..GroupBody::default() }),
            ..BatchBody::default()
        };
        cx.ask_once(Request::post(["tasks", "batch"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetGroup {
    /// Which group, as submit_flow gave it.
    group_id: String,
    /// Wait so long for its end.
    #[schemars(range(min = 0, max = 20_000))]
    wait_ms: Option<u64>,
}

impl Operation for GetGroup {
    const ABOUT: About = About {
        name: "get_group",
        title: "Look at a group of tasks",
        description: "Shows how many tasks of a flow have ended, and how.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("group", "object")],
    };

    fn wait_ms(&self) -> u64 {
        self.wait_ms.unwrap_or(0)
    }

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let wait_ms = self.wait_ms.unwrap_or(0);
        let request = Request::get(["groups", &self.group_id]).waiting(wait_ms);
        let group =
            cx.ask(request.query("wait_ms", Some(wait_ms).filter(|wait| *wait > 0))).await?;
        Ok(Map::from_iter([("group".to_owned(), Value::Object(group))]))
    }
}
