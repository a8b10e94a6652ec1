//! Tasks that are submitted again and again.

use reef_api::agent::Scope;
use reef_api::schedule::{
    BackfillBody, CatchUpBody, ScheduleBody, ScheduleNote, SpecBody, TriggerBody,
};
use reef_api::task::TaskBody;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{About, Answer, Context, Effect, Operation, Toolset, brief, listed};
use crate::{Hub, Request};

/// What is shown of a schedule among others.
const SHOWN: [&str; 9] =
    ["schedule_id", "spec", "paused", "note", "next_at", "started", "skipped", "missed", "refused"];

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListSchedules {
    /// Most schedules; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for ListSchedules {
    const ABOUT: About = About {
        name: "list_schedules",
        title: "List schedules",
        description: "Lists your schedules in brief, newest first: when each submits its task, and \
                      how often it has.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("schedules", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["schedules"]).query("limit", Some(self.limit.unwrap_or(20)));
        let (schedules, next_cursor) = cx.list(request.query("cursor", self.cursor)).await?;
        let schedules = schedules.iter().map(|it| brief(it, &SHOWN)).collect();
        Ok(listed("schedules", schedules, next_cursor))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ShowSchedule {
    /// Which schedule.
    schedule_id: String,
}

impl Operation for ShowSchedule {
    const ABOUT: About = About {
        name: "show_schedule",
        title: "Look at a schedule",
        description: "Shows a schedule with its task, its next runs, and what became of the last ones.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("schedule_id", "string"), ("upcoming", "array"), ("runs", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        cx.ask(Request::get(["schedules", &self.schedule_id])).await
    }
}

/// What each run submits.
#[derive(Debug, Deserialize, JsonSchema)]
struct Work {
    /// What it is called.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What is to be done, for whoever does it.
    description: Option<String>,
    /// Skills that its agent must have.
    #[schemars(length(max = 100))]
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
    #[schemars(range(min = 0, max = 100))]
    max_retries: Option<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetSchedule {
    /// What it is called.
    #[schemars(length(min = 1, max = 100))]
    schedule_id: String,
    /// Minute, hour, day of the month, month, day of the week, such as 0 9 * * MON-FRI.
    cron: Option<String>,
    /// The time zone of cron, such as Europe/Berlin; UTC if left out.
    timezone: Option<String>,
    /// In place of cron, an even pace.
    #[schemars(range(min = 1000))]
    every_ms: Option<i64>,
    /// No run before then: 2026-02-04T04:58:14Z.
    start_at: Option<String>,
    /// No run after then.
    end_at: Option<String>,
    /// What each run submits.
    task: Work,
    /// While the run before has not ended: skip, buffer, cancel or allow; skip if left out.
    overlap: Option<String>,
    /// What is made up for after an outage: none, latest or all; latest if left out.
    catch_up: Option<String>,
    /// How late a run may be that is made up for; an hour if left out.
    #[schemars(range(min = 0))]
    catch_up_window_ms: Option<i64>,
    /// A failed run pauses it.
    pause_on_failure: Option<bool>,
    /// No run comes due; left out, it stays as it is.
    paused: Option<bool>,
    /// For people.
    #[schemars(length(max = 500))]
    note: Option<String>,
}

impl Operation for SetSchedule {
    const ABOUT: About = About {
        name: "set_schedule",
        title: "Set a schedule",
        description: "Has a task submitted again and again, by a pattern of the calendar (cron) or at \
                      an even pace (every_ms). Replaces a schedule of this id as a whole.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Sets,
        answers: &[("schedule_id", "string"), ("spec", "object"), ("paused", "boolean")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let work = self.task;
        let body = ScheduleBody {
            spec: Some(SpecBody {
                cron: self.cron,
                every_ms: self.every_ms,
                timezone: self.timezone,
                start_at: self.start_at,
                end_at: self.end_at,
                jitter_ms: None,
            }),
            task: Some(TaskBody {
                name: Some(work.name),
                description: work.description,
                required_skills: work.required_skills,
                target_node: work.target_agent.map(Into::into),
                priority: work.priority,
                parameters: work.parameters,
                timeout: work.timeout,
                max_retries: work.max_retries,
                ..TaskBody::default()
            }),
            overlap: self.overlap,
            catch_up: Some(CatchUpBody {
                mode: self.catch_up,
                window_ms: self.catch_up_window_ms,
                most: None,
            }),
            pause_on_failure: self.pause_on_failure,
            paused: self.paused,
            note: self.note,
        };
        cx.ask(Request::put(["schedules", &self.schedule_id], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PauseSchedule {
    /// Which schedule.
    schedule_id: String,
    /// Whether no run comes due; false resumes it.
    paused: bool,
    /// For people; left out, it stays as it is.
    #[schemars(length(max = 500))]
    note: Option<String>,
}

impl Operation for PauseSchedule {
    const ABOUT: About = About {
        name: "pause_schedule",
        title: "Pause or resume a schedule",
        description: "Lets no run of a schedule come due, or lets them again from now on. What came due \
                      meanwhile is left to backfill_schedule.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Sets,
        answers: &[("schedule_id", "string"), ("paused", "boolean")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let verb = if self.paused { "pause" } else { "resume" };
        let body = ScheduleNote { note: self.note };
        cx.ask(Request::post(["schedules", &self.schedule_id, verb], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct TriggerSchedule {
    /// Which schedule.
    schedule_id: String,
    /// While the run before has not ended: skip, buffer, cancel or allow; left out, as the schedule says.
    overlap: Option<String>,
}

impl Operation for TriggerSchedule {
    const ABOUT: About = About {
        name: "trigger_schedule",
        title: "Begin a run now",
        description: "Submits the task of a schedule now, also where it is paused.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("schedule_id", "string"), ("runs", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = TriggerBody { overlap: self.overlap };
        let request = Request::post(["schedules", &self.schedule_id, "trigger"], &body);
        let mut begun = cx.ask_once(request).await?;
        begun.remove("success");
        Ok(begun)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct BackfillSchedule {
    /// Which schedule.
    schedule_id: String,
    /// The first instant whose runs are meant: 2026-02-04T04:58:14Z.
    from: String,
    /// The last one; not in the future.
    to: String,
    /// Most runs of that time: if there are more, none begins. 10 if left out.
    #[schemars(range(min = 1, max = 100))]
    most: Option<i64>,
}

impl Operation for BackfillSchedule {
    const ABOUT: About = About {
        name: "backfill_schedule",
        title: "Begin runs of the past",
        description: "Begins the runs of a time in the past that have not begun, all at once.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Sets,
        answers: &[("schedule_id", "string"), ("runs", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = BackfillBody { from: Some(self.from), to: Some(self.to), most: self.most };
        let request = Request::post(["schedules", &self.schedule_id, "backfill"], &body);
        let mut begun = cx.ask(request).await?;
        begun.remove("success");
        Ok(begun)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RemoveSchedule {
    /// Which schedule.
    schedule_id: String,
}

impl Operation for RemoveSchedule {
    const ABOUT: About = About {
        name: "remove_schedule",
        title: "Remove a schedule",
        description: "Ends a schedule. The tasks that it has submitted stay.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Ends,
        answers: &[("schedule_id", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let mut removed = cx.ask(Request::delete(["schedules", &self.schedule_id])).await?;
        removed.remove("success");
        Ok(removed)
    }
}
