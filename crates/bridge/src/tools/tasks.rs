//! Tasks as those see them who submit and watch them.

use reef_api::agent::Scope;
use reef_api::limit::TaskLimitBody;
use reef_api::task::{TaskBody, UniqueBody};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{About, Answer, Context, Effect, Operation, Toolset, brief, listed};
use crate::{Hub, Request};

/// What is shown of a task among others.
const SHOWN: [&str; 9] = [
    "task_id",
    "name",
    "status",
    "priority",
    "required_skills",
    "assigned_node",
    "submitted_at",
    "progress",
    "error",
];

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SubmitTask {
    /// What it is called.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What is to be done.
    description: Option<String>,
    /// Skills that its agent must have.
    required_skills: Option<Vec<String>>,
    /// Only this agent shall have it.
    target_agent: Option<String>,
    /// 0 critical, 1 high, 2 normal, 3 low.
    #[schemars(range(min = 0, max = 3))]
    priority: Option<i64>,
    /// Data for whoever does it.
    parameters: Option<Map<String, Value>>,
    /// Longest run, in seconds; 300 if left out.
    timeout: Option<f64>,
    /// How often it is tried again; 3 if left out.
    max_retries: Option<i64>,
    /// Keep it back for so long.
    delay_ms: Option<i64>,
    /// Forget it so long after it has completed.
    keep_completed_ms: Option<i64>,
    /// The same after another end.
    keep_failed_ms: Option<i64>,
    /// It begins once all of these limits are open.
    #[schemars(length(max = 4))]
    limits: Option<Vec<Under>>,
    /// What it may use: cost (such as "2.50"), tokens; on_exceed: cancel, wait for an approval, or flag.
    budget: Option<Map<String, Value>>,
    /// max (such as "5"): what whoever completes it, or to, is paid out of your balance.
    charge: Option<Map<String, Value>>,
    /// Its tenant: each has a share of the queue.
    fairness_key: Option<String>,
    /// There is one task of this key: that is the answer.
    unique_key: Option<String>,
    /// Take that one's place, or follow it if it runs.
    replace: Option<bool>,
    /// Wait so long for its end.
    #[schemars(range(min = 0, max = 20_000))]
    wait_ms: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Under {
    name: String,
    /// Such as a user; left out, all together.
    key: Option<String>,
    tokens: Option<i64>,
}

impl Operation for SubmitTask {
    const ABOUT: About = About {
        name: "submit_task",
        title: "Submit work",
        description: "Puts a task into the queue, for an agent that has the skills. get_task waits \
                      for its result.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("task", "object")],
    };

    fn wait_ms(&self) -> u64 {
        self.wait_ms.unwrap_or(0)
    }

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body =
            TaskBody {
                name: Some(self.name),
                description: self.description,
                required_skills: self.required_skills,
                target_node: self.target_agent.map(Into::into),
                priority: self.priority,
                parameters: self.parameters,
                timeout: self.timeout,
                limits: self.limits.map(|limits| {
                    let under = limits.into_iter().map(|Under { name, key, tokens }| {
                        TaskLimitBody { name: Some(name.into()), key, tokens, cost: None }
                    });
                    under.collect()
                }),
                max_retries: self.max_retries,
                delay_ms: self.delay_ms,
                keep_completed_ms: self.keep_completed_ms,
                keep_failed_ms: self.keep_failed_ms,
                fairness_key: self.fairness_key,
                unique: self.unique_key.map(|key| UniqueBody {
                    key: Some(key),
                    then: self.replace.unwrap_or_default().then(|| "replace".to_owned()),
                    ..UniqueBody::default()
                }),
                ..TaskBody::default()
            };
        let mut request = Request::post(["tasks"], &body);
        if let Some(Value::Object(body)) = &mut request.body {
            body.insert("budget".to_owned(), json!(self.budget));
            body.insert("charge".to_owned(), json!(self.charge));
        }
        let task = cx.ask_once(request).await?;
        let wait_ms = self.wait_ms.unwrap_or(0);
        match task.get("task_id").and_then(Value::as_str) {
            Some(task_id) if wait_ms > 0 => show(cx, task_id, wait_ms).await,
            _ => Ok(Map::from_iter([("task".to_owned(), Value::Object(task))])),
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetTask {
    /// Which task.
    task_id: String,
    /// Wait so long for its end.
    #[schemars(range(min = 0, max = 20_000))]
    wait_ms: Option<u64>,
}

impl Operation for GetTask {
    const ABOUT: About = About {
        name: "get_task",
        title: "Look at a task",
        description: "Shows a task with its result, or why it is still waiting.",
        toolset: Toolset::Core,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("task", "object"), ("why", "object")],
    };

    fn wait_ms(&self) -> u64 {
        self.wait_ms.unwrap_or(0)
    }

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        show(cx, &self.task_id, self.wait_ms.unwrap_or(0)).await
    }
}

/// The task, and why it waits if it does.
async fn show<H: Hub>(cx: &Context<'_, H>, task_id: &str, wait_ms: u64) -> Answer {
    let request = Request::get(["tasks", task_id]).waiting(wait_ms);
    let task = cx.ask(request.query("wait_ms", Some(wait_ms).filter(|wait| *wait > 0))).await?;
    let mut answer = Map::new();
    if task.get("status").is_some_and(|status| status == "pending") {
        // It may have begun or gone meanwhile, which is no failure of this call.
        if let Ok(why) = cx.ask(Request::get(["tasks", task_id, "why"])).await {
            answer.insert("why".to_owned(), Value::Object(why));
        }
    }
    answer.insert("task".to_owned(), Value::Object(task));
    Ok(answer)
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListTasks {
    /// pending, scheduled, waiting, running, completed, failed, cancelled or timeout.
    status: Option<String>,
    /// Only those that this agent has or had.
    assigned_to: Option<String>,
    /// Only those of this session.
    session_id: Option<String>,
    /// Most tasks; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for ListTasks {
    const ABOUT: About = About {
        name: "list_tasks",
        title: "List tasks",
        description: "Lists tasks in brief, newest first.",
        toolset: Toolset::Core,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("tasks", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["tasks"]).query("limit", Some(self.limit.unwrap_or(20)));
        let request = request.query("status", self.status).query("session_id", self.session_id);
        let request = request.query("assigned_node", self.assigned_to).query("cursor", self.cursor);
        let (tasks, next_cursor) = cx.list(request).await?;
        let tasks = tasks.iter().map(|task| brief(task, &SHOWN)).collect();
        Ok(listed("tasks", tasks, next_cursor))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CancelTask {
    /// Which task.
    task_id: String,
}

impl Operation for CancelTask {
    const ABOUT: About = About {
        name: "cancel_task",
        title: "Cancel a task",
        description: "Calls a task off. Whoever runs it hears of it with its next call.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Ends,
        answers: &[("task_id", "string"), ("status", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let task = cx.ask(Request::post(["tasks", &self.task_id, "cancel"], &json!({}))).await?;
        Ok(match brief(&Value::Object(task), &SHOWN) {
            Value::Object(task) => task,
            _ => Map::new(),
        })
    }
}
