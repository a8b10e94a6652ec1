//! What `openapi.json` says of schedules.

use reef_api::Word as _;
use reef_api::schedule::{
    BackfillBody, CatchUp, CatchUpBody, CatchUpMode, Overlap, Run, RunCause, RunOutcome,
    RunsAnswer, Schedule, ScheduleNote, ScheduleRemoved, ScheduleStanding, SpecBody, TriggerBody,
};
use reef_api::task::TaskStatus;
use reef_domain::json::Json;
use reef_domain::limits::{
    BACKFILL_MOST_MAX, CATCH_UP_MOST, CATCH_UP_WINDOW_MS, CATCH_UP_WINDOW_MS_DEFAULT,
    CRON_CHARS_MAX, PAGE_DEFAULT, SCHEDULE_EVERY_MS, SCHEDULE_NOTE_CHARS_MAX,
    SCHEDULE_RUNS_AT_ONCE, TIMEZONE_CHARS_MAX,
};
use reef_web::Code;
use reef_web::openapi::Api;
use reef_web::openapi::schema::{
    between, default, list_of, name, number_cursor, object, one_of, point_in_time,
    some_point_in_time, text,
};
use serde_json::json;

use crate::schedules::PutBody;

/// Describes the routes.
pub(super) fn routes(api: &mut Api) {
    api.get("/api/v1/schedules", "list_schedules", "List the caller's schedules, newest first")
        .says("The admin sees everybody's.")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The schedules.", list_of("Schedule"));
    api.get("/api/v1/schedules/{id}", "show_schedule", "Show a schedule and its runs")
        .answers::<ScheduleStanding<Json>>("The schedule, its next runs and its last ones.")
        .refuses(&[Code::NotFound]);
    api.put("/api/v1/schedules/{id}", "set_schedule", "Make a schedule, or set it anew")
        .says(
            "What is left out is as for a new one, but for `paused`. Each run submits `task` as its owner's, \
             under the id `sch_<schedule>_<milliseconds since 1970>`, with the label `schedule` and \
             `metadata.schedule`, which says when the run came due. A task has no `task_id`, `group_id`, \
             `after` or `delay_ms`.",
        )
        .takes::<PutBody>()
        .example(json!({
            "spec": { "cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin" },
            "task": { "name": "digest", "required_skills": ["summarise"] },
        }))
        .answers::<Schedule<Json>>("The schedule.")
        .refuses(&[Code::Conflict, Code::QuotaExceeded]);
    api.delete("/api/v1/schedules/{id}", "remove_schedule", "Remove a schedule")
        .says("The tasks that it has submitted stay.")
        .answers::<ScheduleRemoved>("It is gone.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/schedules/{id}/pause", "pause_schedule", "Pause a schedule")
        .may_take::<ScheduleNote>()
        .answers::<Schedule<Json>>("The schedule.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/schedules/{id}/resume", "resume_schedule", "Resume a schedule")
        .says("What came due while it was paused is not made up for: see `backfill`.")
        .may_take::<ScheduleNote>()
        .answers::<Schedule<Json>>("The schedule.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/schedules/{id}/trigger", "trigger_schedule", "Begin a run now")
        .says("Also where the schedule is paused.")
        .may_take::<TriggerBody>()
        .answers::<RunsAnswer>("The run.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.post("/api/v1/schedules/{id}/backfill", "backfill_schedule", "Begin the runs of a time in the past")
        .says(
            "Those that have begun before are left out. The others begin at once, and do not wait for each \
             other; where they should, let their task be under a limit.",
        )
        .takes::<BackfillBody>()
        .example(json!({ "from": "2026-02-01T00:00:00Z", "to": "2026-02-03T00:00:00Z" }))
        .answers::<RunsAnswer>("The runs that have begun.")
        .refuses(&[Code::NotFound, Code::Conflict]);
}

/// Describes what they take and answer.
pub(super) fn schemas(api: &mut Api) {
    api.body::<SpecBody>()
        .set("cron", text(1, CRON_CHARS_MAX))
        .set("every_ms", between(*SCHEDULE_EVERY_MS.start(), *SCHEDULE_EVERY_MS.end()))
        .set("timezone", default(text(1, TIMEZONE_CHARS_MAX), "UTC"))
        .set("start_at", point_in_time())
        .set("end_at", point_in_time())
        .set("jitter_ms", default(between(0, SCHEDULE_EVERY_MS.end() / 2), 0));
    api.body::<CatchUpBody>()
        .set("mode", default(one_of(&CatchUpMode::names()), "latest"))
        .set(
            "window_ms",
            default(
                between(*CATCH_UP_WINDOW_MS.start(), *CATCH_UP_WINDOW_MS.end()),
                CATCH_UP_WINDOW_MS_DEFAULT,
            ),
        )
        .set(
            "most",
            default(between(*CATCH_UP_MOST.start(), *CATCH_UP_MOST.end()), SCHEDULE_RUNS_AT_ONCE),
        );
    api.body::<PutBody>()
        .require(&["spec", "task"])
        .set("overlap", default(one_of(&Overlap::names()), "skip"))
        .set("pause_on_failure", json!({ "default": false }))
        .set("note", name(0, SCHEDULE_NOTE_CHARS_MAX));
    api.body::<ScheduleNote>().set("note", name(0, SCHEDULE_NOTE_CHARS_MAX));
    api.body::<TriggerBody>().set("overlap", one_of(&Overlap::names()));
    api.body::<BackfillBody>()
        .require(&["from", "to"])
        .set("from", some_point_in_time())
        .set("to", some_point_in_time())
        .set("most", default(between(1, BACKFILL_MOST_MAX), SCHEDULE_RUNS_AT_ONCE));
    api.answer::<CatchUp>().set("mode", one_of(&CatchUpMode::names()));
    api.answer::<Schedule<Json>>().set("overlap", one_of(&Overlap::names())).set("task", object());
    api.answer::<ScheduleStanding<Json>>()
        .set("overlap", one_of(&Overlap::names()))
        .set("task", object());
    api.answer::<Run>()
        .set("cause", one_of(&RunCause::names()))
        .set("outcome", one_of(&RunOutcome::names()))
        .set("status", one_of(&TaskStatus::names()));
}
