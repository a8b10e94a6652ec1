//! A method for each route of schedules.

use reef_api::ScheduleId;
use reef_api::schedule::{
    BackfillBody, RunsAnswer, Schedule, ScheduleBody, ScheduleNote, ScheduleRemoved,
    ScheduleStanding, TriggerBody,
};
use serde::Serialize;
use serde_json::Value;

use crate::{Hub, Request};

/// Schedules, and runs that somebody asks for.
impl Hub {
    /// Lists schedules, newest first.
    pub fn schedules(&self) -> Request<Vec<Schedule<Value>>> {
        self.get(["schedules"]).answering()
    }

    /// Shows a schedule, its upcoming runs and the last ones.
    pub fn schedule(&self, schedule_id: &ScheduleId) -> Request<ScheduleStanding<Value>> {
        self.get(["schedules", schedule_id.as_str()]).answering()
    }

    /// Sets a schedule, whole.
    pub fn put_schedule<J: Serialize>(
        &self,
        schedule_id: &ScheduleId,
        body: &ScheduleBody<J>,
    ) -> Request<Schedule<Value>> {
        self.put(["schedules", schedule_id.as_str()]).json(body).answering()
    }

    /// Removes a schedule; its tasks stay.
    pub fn remove_schedule(&self, schedule_id: &ScheduleId) -> Request<ScheduleRemoved> {
        self.delete(["schedules", schedule_id.as_str()]).answering()
    }

    /// Lets no run of a schedule come due.
    pub fn pause_schedule(
        &self,
        schedule_id: &ScheduleId,
        body: &ScheduleNote,
    ) -> Request<Schedule<Value>> {
        self.post(["schedules", schedule_id.as_str(), "pause"]).json(body).answering()
    }

    /// Lets runs of a schedule come due again.
    pub fn resume_schedule(
        &self,
        schedule_id: &ScheduleId,
        body: &ScheduleNote,
    ) -> Request<Schedule<Value>> {
        self.post(["schedules", schedule_id.as_str(), "resume"]).json(body).answering()
    }

    /// Begins a run of a schedule now.
    pub fn trigger_schedule(
        &self,
        schedule_id: &ScheduleId,
        body: &TriggerBody,
    ) -> Request<RunsAnswer> {
        self.post(["schedules", schedule_id.as_str(), "trigger"]).json(body).answering()
    }

    /// Begins the runs of a time in the past that have not begun.
    pub fn backfill_schedule(
        &self,
        schedule_id: &ScheduleId,
        body: &BackfillBody,
    ) -> Request<RunsAnswer> {
        self.post(["schedules", schedule_id.as_str(), "backfill"]).json(body).answering()
    }
}
