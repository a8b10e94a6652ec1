//! `reef schedules`: tasks that are submitted again and again.

use clap::{ArgGroup, Args, Subcommand};
use reef_api::schedule::{
    BackfillBody, CatchUp, CatchUpBody, CatchUpMode, Overlap, Run, Schedule, ScheduleBody,
    ScheduleNote, ScheduleRemoved, ScheduleStanding, Spec, SpecBody, TriggerBody,
};
use reef_api::time::UnixMillis;
use reef_api::{ScheduleId, Word as _};
use reef_client::Answer;
use serde_json::Value;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, shortened, shown, text};
use crate::tasks::WorkArgs;
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef schedules set digest --cron '0 9 * * MON-FRI' --timezone Europe/Berlin digest --skill summarise
  reef schedules list
  reef schedules trigger digest
";

/// `reef schedules`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Schedules {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List schedules, newest first
    #[command(before_help = "Examples:\n  reef schedules list\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show a schedule, its upcoming runs and the last ones
    #[command(before_help = "Examples:\n  reef schedules show digest\n", after_help = EXIT_CODES)]
    Show(ScheduleArgs),
    /// Make a schedule, or replace it: what is left out is as for a new one, but for --paused
    #[command(before_help = "Examples:\n  reef schedules set digest --cron '0 9 * * MON-FRI' --timezone Europe/Berlin digest --skill summarise\n  reef schedules set poll --every 5m poll --skill fetch --overlap buffer\n", after_help = EXIT_CODES)]
    Set(Box<SetArgs>),
    /// Remove a schedule; the tasks that it has submitted stay
    #[command(before_help = "Examples:\n  reef schedules remove digest\n", after_help = EXIT_CODES)]
    Remove(ScheduleArgs),
    /// Let no run come due
    #[command(before_help = "Examples:\n  reef schedules pause digest --note 'until the feed is back'\n", after_help = EXIT_CODES)]
    Pause(NoteArgs),
    /// Let runs come due again, from now on
    #[command(before_help = "Examples:\n  reef schedules resume digest\n", after_help = EXIT_CODES)]
    Resume(NoteArgs),
    /// Begin a run now, also of a schedule that is paused
    #[command(before_help = "Examples:\n  reef schedules trigger digest\n  reef schedules trigger digest --overlap allow\n", after_help = EXIT_CODES)]
    Trigger(TriggerArgs),
    /// Begin the runs of a time in the past that have not begun, all at once
    #[command(before_help = "Examples:\n  reef schedules backfill digest --from 2026-02-01T00:00:00Z --to 2026-02-04T00:00:00Z\n", after_help = EXIT_CODES)]
    Backfill(BackfillArgs),
}

#[derive(Debug, Args)]
struct ScheduleArgs {
    /// The schedule's id
    schedule: ScheduleId,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Most of them, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("when").required(true).args(["cron", "every"])))]
struct SetArgs {
    /// The schedule's id
    schedule: ScheduleId,
    /// The name of the task that each run submits
    task: String,
    /// Minute, hour, day of the month, month, day of the week, as in crontab
    #[arg(long, value_name = "PATTERN")]
    cron: Option<String>,
    /// The time zone in which the pattern is read, such as Europe/Berlin; else UTC
    #[arg(long, value_name = "ZONE", conflicts_with = "every")]
    timezone: Option<String>,
    /// In place of a pattern an even pace, such as 90s, 5m or 24h
    #[arg(long, value_name = "TIME", value_parser = every)]
    every: Option<i64>,
    /// No run before then, such as 2026-02-04T04:58:14Z; an even pace counts from there
    #[arg(long, value_name = "TIME")]
    start_at: Option<String>,
    /// No run after then
    #[arg(long, value_name = "TIME")]
    end_at: Option<String>,
    /// Keep each run back for up to so long, always the same for the same run
    #[arg(long, value_name = "MS")]
    jitter_ms: Option<i64>,
    /// What happens to a run while the one before has not ended; else it is skipped
    #[arg(long, value_parser = Overlap::names())]
    overlap: Option<String>,
    /// Which runs are made up for that came due while the hub was away; else the latest
    #[arg(long, value_parser = CatchUpMode::names())]
    catch_up: Option<String>,
    /// How late a run may be that is made up for; else an hour
    #[arg(long, value_name = "MS")]
    catch_up_window_ms: Option<i64>,
    /// How many are made up for with --catch-up all; else 10
    #[arg(long, value_name = "N")]
    catch_up_most: Option<i64>,
    /// Let no further run come due once one has failed
    #[arg(long)]
    pause_on_failure: bool,
    /// Let no run come due; left out, it stays as it is
    #[arg(long)]
    paused: bool,
    /// For people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    work: WorkArgs,
}

#[derive(Debug, Args)]
struct NoteArgs {
    /// The schedule's id
    schedule: ScheduleId,
    /// For people; left out, it stays as it is
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
struct TriggerArgs {
    /// The schedule's id
    schedule: ScheduleId,
    /// What happens while the run before has not ended; else what the schedule says
    #[arg(long, value_parser = Overlap::names())]
    overlap: Option<String>,
}

#[derive(Debug, Args)]
struct BackfillArgs {
    /// The schedule's id
    schedule: ScheduleId,
    /// The first instant whose runs are meant, such as 2026-02-04T04:58:14Z
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The last one; it is not in the future
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Most runs of that time: where there are more, none begins; else 10
    #[arg(long, value_name = "N")]
    most: Option<i64>,
}

/// Reads a pace as it is typed.
fn every(text: &str) -> Result<i64, String> {
    time::span(text).ok_or_else(|| format!("{text:?} is no time such as 90s, 5m or 24h"))
}

impl Schedules {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list(cx, args).await,
            Verb::Show(ScheduleArgs { schedule }) => {
                cx.out.answer(&cx.hub.schedule(&schedule).send().await?, |it| details(&it))
            }
            Verb::Set(args) => set(cx, *args).await,
            Verb::Remove(ScheduleArgs { schedule }) => {
                let answer = cx.hub.remove_schedule(&schedule).once().send().await?;
                cx.out.answer(&answer, |ScheduleRemoved { schedule_id, .. }| {
                    format!("{}: removed", shown(schedule_id))
                })
            }
            Verb::Pause(NoteArgs { schedule, note }) => {
                let request = cx.hub.pause_schedule(&schedule, &ScheduleNote { note });
                cx.out.answer(&request.once().send().await?, |it| schedule_facts(&it, &[]))
            }
            Verb::Resume(NoteArgs { schedule, note }) => {
                let request = cx.hub.resume_schedule(&schedule, &ScheduleNote { note });
                cx.out.answer(&request.once().send().await?, |it| schedule_facts(&it, &[]))
            }
            Verb::Trigger(args) => trigger(cx, args).await,
            Verb::Backfill(args) => backfill(cx, args).await,
        }
    }
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.schedules().maybe_query("limit", args.limit);
    let request = request.maybe_query("cursor", args.cursor);
    let answer: Answer<Vec<Schedule<Value>>> = request.send().await?;
    let schedules = cx.out.read(&answer)?;
    if !cx.out.is_json() && schedules.is_empty() {
        cx.out.note("there are no schedules");
    } else {
        cx.out.shown(&answer, || {
            let rows = schedules.iter().map(|it| {
                [
                    it.schedule_id.to_string(),
                    when(&it.spec),
                    shortened(&text(&it.task, "name")),
                    moment(it.next_at),
                    yes(it.paused),
                    counts(it),
                    shortened(&it.note),
                ]
            });
            columns(["schedule", "when", "task", "next", "paused", "runs", "note"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

async fn set(cx: &Context, args: SetArgs) -> Result<(), Failure> {
    let task = args.work.body(&args.task)?;
    let body = ScheduleBody {
        spec: Some(SpecBody {
            cron: args.cron,
            every_ms: args.every,
            timezone: args.timezone,
            start_at: args.start_at,
            end_at: args.end_at,
            jitter_ms: args.jitter_ms,
        }),
        task: Some(task),
        overlap: args.overlap,
        catch_up: Some(CatchUpBody {
            mode: args.catch_up,
            window_ms: args.catch_up_window_ms,
            most: args.catch_up_most,
        }),
        pause_on_failure: Some(args.pause_on_failure),
        paused: args.paused.then_some(true),
        note: args.note,
    };
    let answer = cx.hub.put_schedule(&args.schedule, &body).once().send().await?;
    cx.out.answer(&answer, |it| schedule_facts(&it, &[]))
}

async fn trigger(cx: &Context, args: TriggerArgs) -> Result<(), Failure> {
    let body = TriggerBody { overlap: args.overlap };
    let answer = cx.hub.trigger_schedule(&args.schedule, &body).once().send().await?;
    cx.out.answer(&answer, |it| {
        let tasks = it.runs.into_iter().filter_map(|run| run.task_id);
        let lines = tasks
            .map(|task_id| format!("{}: submitted {}", shown(&it.schedule_id), shown(task_id)));
        lines.collect::<Vec<_>>().join("\n")
    })
}

async fn backfill(cx: &Context, args: BackfillArgs) -> Result<(), Failure> {
    let body = BackfillBody { from: Some(args.from), to: Some(args.to), most: args.most };
    let answer = cx.hub.backfill_schedule(&args.schedule, &body).once().send().await?;
    let runs = cx.out.read(&answer)?.runs;
    if !cx.out.is_json() && runs.is_empty() {
        cx.out.note("no run of that time is left to begin");
        return Ok(());
    }
    cx.out.shown(&answer, || {
        let rows = runs.iter().map(|run| [time::of(run.due_at), or_empty(run.task_id.as_ref())]);
        columns(["due", "task"], rows)
    })
}

fn yes(is_so: bool) -> String {
    if is_so { "yes".to_owned() } else { String::new() }
}

fn moment(at: Option<UnixMillis>) -> String {
    at.map(time::of).unwrap_or_default()
}

/// A length of time in the largest unit that measures it.
fn span(ms: i64) -> String {
    match ms {
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// When runs come due, in a line.
fn when(spec: &Spec) -> String {
    match (&spec.cron, spec.every_ms) {
        (Some(cron), _) => format!("{cron} {}", spec.timezone),
        (None, Some(every_ms)) => format!("every {}", span(every_ms)),
        (None, None) => String::new(),
    }
}

/// Which late runs are made up for, in a line.
fn made_up_for(catch_up: &CatchUp) -> String {
    let late = span(catch_up.window_ms);
    match catch_up.mode.known() {
        Some(CatchUpMode::Latest) => format!("the latest, at most {late} late"),
        Some(CatchUpMode::All) => format!("the latest {}, at most {late} late", catch_up.most),
        _ => catch_up.mode.to_string(),
    }
}

/// What became of its runs.
fn counts(schedule: &Schedule<Value>) -> String {
    let Schedule { started, skipped, missed, refused, .. } = *schedule;
    let others = [(skipped, "skipped"), (missed, "missed"), (refused, "refused")];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let all = std::iter::once((started, "started")).chain(others);
    all.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

/// The skills that its task requires.
fn skills(task: &Value) -> String {
    let skills = task.get("required_skills").and_then(Value::as_array);
    let skills = skills.into_iter().flatten().filter_map(Value::as_str);
    skills.collect::<Vec<_>>().join(" ")
}

fn schedule_facts(schedule: &Schedule<Value>, upcoming: &[UnixMillis]) -> String {
    // The first of them is what comes next.
    let then = upcoming.iter().filter(|at| Some(**at) != schedule.next_at);
    let jitter = Some(schedule.spec.jitter_ms).filter(|ms| *ms > 0);
    facts([
        ("schedule", schedule.schedule_id.to_string()),
        ("owner", schedule.owner.clone()),
        ("when", when(&schedule.spec)),
        ("from", moment(schedule.spec.start_at)),
        ("until", moment(schedule.spec.end_at)),
        ("jitter", jitter.map(span).unwrap_or_default()),
        ("task", shortened(&text(&schedule.task, "name"))),
        ("skills", skills(&schedule.task)),
        ("overlap", schedule.overlap.to_string()),
        ("catch up", made_up_for(&schedule.catch_up)),
        ("pause on failure", yes(schedule.pause_on_failure)),
        ("paused", yes(schedule.paused)),
        ("note", schedule.note.clone()),
        ("set", time::of(schedule.updated_at)),
        ("next", moment(schedule.next_at)),
        ("then", then.map(|at| time::of(*at)).collect::<Vec<_>>().join(", ")),
        ("runs", counts(schedule)),
    ])
}

/// Everything about one schedule that people want to see.
fn details(standing: &ScheduleStanding<Value>) -> String {
    let head = schedule_facts(&standing.schedule, &standing.upcoming);
    if standing.runs.is_empty() {
        return head;
    }
    format!("{head}\n\n{}", runs_table(&standing.runs))
}

fn runs_table(runs: &[Run]) -> String {
    let rows = runs.iter().map(|run| {
        [
            time::of(run.due_at),
            time::of(run.at),
            run.cause.to_string(),
            run.outcome.to_string(),
            or_empty(run.task_id.as_ref()),
            or_empty(run.status.as_ref()),
            or_empty(run.reason.as_ref()),
        ]
    });
    columns(["due", "at", "cause", "outcome", "task", "status", "reason"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_shown_as_it_is_typed() {
        for text in ["250ms", "90s", "5m", "36h"] {
            assert_eq!(span(every(text).unwrap()), text);
        }
        assert!(every("daily").is_err());
    }

    #[test]
    fn what_late_runs_are_made_up_for_is_a_sentence() {
        let of = |mode| made_up_for(&CatchUp { mode, window_ms: 43_200_000, most: 10 });
        assert_eq!(of(CatchUpMode::Latest.into()), "the latest, at most 12h late");
        assert_eq!(of(CatchUpMode::All.into()), "the latest 10, at most 12h late");
        assert_eq!(of(CatchUpMode::None.into()), "none");
    }
}
