//! Tasks that are changed: one that waits, or many.

use std::collections::BTreeMap;

use reef_api::agent::Scope;
use reef_api::bulk::BulkBody;
use reef_api::find::TaskFilter;
use reef_api::task::TaskEditBody;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{About, Answer, Context, Effect, Operation, Toolset, listed};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct EditTask {
    /// Which task.
    task_id: String,
    /// 0 critical, 1 high, 2 normal, 3 low.
    #[schemars(range(min = 0, max = 3))]
    priority: Option<i64>,
    /// Kept back so long from now on; 0: no longer.
    #[schemars(range(min = 0))]
    delay_ms: Option<i64>,
    /// Skills that its agent must have.
    #[schemars(length(max = 100))]
    required_skills: Option<Vec<String>>,
    /// Data for whoever does it.
    parameters: Option<Map<String, Value>>,
    /// All labels that it is to have.
    labels: Option<BTreeMap<String, String>>,
}

impl Operation for EditTask {
    const ABOUT: About = About {
        name: "edit_task",
        title: "Change a task that waits",
        description: "Changes one of your tasks that nobody runs yet; what is left out stays.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Sets,
        answers: &[("task_id", "string"), ("status", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = TaskEditBody {
            priority: self.priority,
            delay_ms: self.delay_ms,
            required_skills: self.required_skills,
            parameters: self.parameters,
            labels: self.labels,
            ..TaskEditBody::default()
        };
        let edited = cx.ask(Request::patch(["tasks", &self.task_id], &body)).await?;
        Ok(edited.into_iter().filter(|(name, _)| name == "task_id" || name == "status").collect())
    }
}

/// Which tasks: those of which all is so that is said.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Which {
    /// pending, scheduled, waiting, running, completed, failed, cancelled or timeout.
    status: Option<String>,
    /// What they are called.
    name: Option<String>,
    /// Labels that they have.
    labels: Option<BTreeMap<String, String>>,
    /// Submitted then or later: 2026-02-04T04:58:14Z.
    since: Option<String>,
    /// Submitted before.
    until: Option<String>,
    /// A text in what went wrong.
    #[schemars(length(max = 64))]
    error: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct FindTasks {
    /// Which tasks.
    filter: Which,
    /// Most tasks; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for FindTasks {
    const ABOUT: About = About {
        name: "find_tasks",
        title: "Find tasks",
        description: "Lists tasks by name, labels, time and what went wrong, newest first.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("tasks", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Which { status, name, labels, since, until, error } = self.filter;
        let labels = labels.map(|labels| {
            let pairs: Vec<_> =
                labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            pairs.join(",")
        });
        let request = Request::get(["tasks"]).query("limit", Some(self.limit.unwrap_or(20)));
        let request = request.query("status", status).query("name", name).query("label", labels);
        let request = request.query("since", since).query("until", until).query("error~", error);
        let (tasks, next_cursor) = cx.list(request.query("cursor", self.cursor)).await?;
        Ok(listed("tasks", tasks, next_cursor))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ChangeTasks {
    /// cancel, retry, remove or set_priority.
    action: String,
    /// Which tasks.
    filter: Which,
    /// With set_priority: 0 critical, 1 high, 2 normal, 3 low.
    #[schemars(range(min = 0, max = 3))]
    priority: Option<i64>,
    /// What a look has matched: if more match, nothing is changed. Left out: only look.
    #[schemars(range(min = 0, max = 1_000_000))]
    most: Option<i64>,
    /// Why; needed to change anything.
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

impl Operation for ChangeTasks {
    const ABOUT: About = About {
        name: "change_tasks",
        title: "Change many tasks at once",
        description: "Cancels, retries or removes the tasks that a filter finds, or sets their \
                      priority. Call it first without most: it says how many match, and changes \
                      none. Then again with most and reason.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Spends,
        answers: &[
            ("bulk_id", "string"),
            ("status", "string"),
            ("matched", "integer"),
            ("done", "integer"),
        ],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Which { status, name, labels, since, until, error } = self.filter;
        let filter =
            TaskFilter { status, name, labels, since, until, error, ..TaskFilter::default() };
        let body = BulkBody {
            action: Some(self.action),
            filter: Some(filter),
            priority: self.priority,
            dry_run: Some(self.most.is_none()),
            most: self.most,
            reason: self.reason,
        };
        cx.ask_once(Request::post(["bulk"], &body)).await
    }
}
