//! What has happened.

use std::collections::HashSet;

use reef_api::history::{Attempt, Attempts, History, HistoryPoint, Series, TaskTotals};
use reef_api::{Open, Word as _};
use reef_domain::filter::{TIME_RULE, read_time};
use reef_domain::limits::HISTORY_POINTS_MAX;
use reef_domain::time::UnixMillis;
use reef_store::Redis;
use reef_store::history::{Tally, now, read};
use reef_store::task::{ListAttempts, Try};
use reef_web::extract::Query;
use reef_web::route::Answer;
use reef_web::{Context, Problem, Response};

use crate::owners::unknown_task;

/// What is shown of the last so many points where a request does not say from when on: three hours, a week.
const MINUTES: i64 = 180;
const HOURS: i64 = 168;

/// What only those may see who see everybody's usage.
const SPENT: [Series; 3] = [Series::TokensIn, Series::TokensOut, Series::Cost];

fn time(query: &Query, name: &str) -> Result<Option<i64>, Problem> {
    let text = query.get(name).filter(|text| !text.is_empty());
    text.map(|text| read_time(text).map(|time| time.0))
        .map(|time| time.ok_or_else(|| Problem::parameter(name, TIME_RULE)))
        .transpose()
}

fn series(query: &Query, sees_all: bool) -> Result<HashSet<Series>, Problem> {
    let Some(text) = query.get("series").filter(|text| !text.is_empty()) else {
        let all = Series::ALL.iter().copied();
        return Ok(all.filter(|series| sees_all || !SPENT.contains(series)).collect());
    };
    let word = |word: &str| {
        let known = Series::parse(word.trim());
        let rule =
            || format!("must be some of {}, with commas between", Series::names().join(", "));
        known.ok_or_else(|| Problem::parameter("series", &rule()))
    };
    let named: HashSet<Series> = text.split(',').map(word).collect::<Result<_, _>>()?;
    if !sees_all && SPENT.iter().any(|spent| named.contains(spent)) {
        return Err(Problem::foreign("usage"));
    }
    Ok(named)
}

/// `GET /history`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let step = match query.get("step").filter(|step| !step.is_empty()) {
        None | Some("60") => 60,
        Some("3600") => 3600,
        Some(_) => return Err(Problem::parameter("step", "must be 60 or 3600")),
    };
    let series = series(&query, cx.caller.writer().as_argument().is_empty())?;
    let step_ms = step * 1000;
    let to = match time(&query, "to")? {
        Some(to) => to,
        None => now(cx.store).await?,
    };
    // The point in which that lies is the last.
    let end = to.saturating_add(step_ms - 1).div_euclid(step_ms);
    let first = match time(&query, "from")? {
        Some(from) => from.div_euclid(step_ms),
        None => end - if step == 60 { MINUTES } else { HOURS },
    };
    if first < 0 || first >= end {
        return Err(Problem::parameter("from", "must be before `to`"));
    }
    if end - first > HISTORY_POINTS_MAX {
        let rule = format!("must be at most {HISTORY_POINTS_MAX} points before `to`");
        return Err(Problem::parameter("from", &rule));
    }
    let found = read(cx.store, step / 60, first..=end - 1).await?;
    let nothing = Tally::default();
    let points = (first..end).map(|number| {
        point(UnixMillis(number * step_ms), found.get(&number).unwrap_or(&nothing), &series)
    });
    Ok(Response::json(&History {
        success: true,
        step,
        from: UnixMillis(first * step_ms),
        to: UnixMillis(end * step_ms),
        points: points.collect(),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "what people look at needs no more digits")]
fn point(at: UnixMillis, tally: &Tally, series: &HashSet<Series>) -> HistoryPoint {
    let mut point = HistoryPoint { at, ..HistoryPoint::default() };
    let totals = totals(tally);
    let runs = tally.runs();
    let standing = tally.standing;
    for one in series {
        match one {
            Series::Submitted => point.submitted = Some(totals.submitted),
            Series::Claimed => point.claimed = Some(totals.claimed),
            Series::Completed => point.completed = Some(totals.completed),
            Series::Failed => point.failed = Some(totals.failed),
            Series::Timeout => point.timeout = Some(totals.timeout),
            Series::Cancelled => point.cancelled = Some(totals.cancelled),
            Series::Dead => point.dead = Some(totals.dead),
            Series::Fenced => point.fenced = Some(totals.fenced),
            Series::WaitP50 => point.wait_p50 = tally.claimed.quantile(0.5),
            Series::WaitP95 => point.wait_p95 = tally.claimed.quantile(0.95),
            Series::RunP50 => point.run_p50 = runs.quantile(0.5),
            Series::RunP95 => point.run_p95 = runs.quantile(0.95),
            Series::TokensIn => point.tokens_in = Some(tally.tokens_in),
            Series::TokensOut => point.tokens_out = Some(tally.tokens_out),
            Series::Cost => point.cost = Some(tally.cost as f64 / 1e6),
            Series::NodesOnline => point.nodes_online = standing.map(|it| it.nodes_online),
            Series::NodesTotal => point.nodes_total = standing.map(|it| it.nodes_total),
            Series::Capacity => point.capacity = standing.map(|it| it.capacity),
            Series::Running => point.running = standing.map(|it| it.running),
            Series::Waiting => point.waiting = standing.map(|it| it.waiting),
        }
    }
    point
}

/// What was counted, as numbers.
pub(crate) fn totals(tally: &Tally) -> TaskTotals {
    TaskTotals {
        submitted: tally.submitted,
        claimed: tally.claimed.count(),
        completed: tally.completed.count(),
        failed: tally.failed.count(),
        timeout: tally.timeout.count(),
        cancelled: tally.cancelled,
        dead: tally.dead,
        fenced: tally.fenced,
    }
}

/// `GET /tasks/{id}/attempts`
pub(crate) async fn attempts<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let found = cx.store.call(&ListAttempts { task_id: &task_id }).await?;
    let found = found.filter(|found| cx.caller.may_see(&[&found.owner, &found.runner]));
    let tries = found.ok_or_else(|| unknown_task(&task_id))?.tries;
    let attempts = tries.into_iter().map(shown).collect();
    Ok(Response::json(&Attempts { success: true, attempts }))
}

fn shown(one: Try) -> Attempt {
    let Try { attempt, node, from, to, outcome, error, used } = one;
    Attempt {
        attempt,
        node_id: node,
        from,
        to,
        outcome: Open::read(outcome),
        error,
        tokens_in: used.map(|(input, _, _)| input),
        tokens_out: used.map(|(_, output, _)| output),
        cost: used.map(|(_, _, cost)| cost),
    }
}
