//! `reef history`: what has happened, by minutes or hours.

use chrono::{TimeDelta, Utc};
use clap::Args;
use reef_api::Word as _;
use reef_api::history::{History as Found, HistoryPoint, Series};
use serde_json::Value;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::columns;
use crate::{Context, time};

/// Shown above `reef history --help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef history
  reef history submitted completed wait_p95 --since 12h
  reef history dead --since 30d --step 1h --points
";

/// Characters of a line that shows a series.
const WIDTH: usize = 48;

/// How many points it goes back at most: one less than a hub shows, whose clock may say the next minute already.
const BACK_MAX: i64 = 1_438;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is shown where nothing is named: what an overview needs.
const USUAL: &str = "submitted,completed,failed,timeout,cancelled,dead,wait_p50,wait_p95,run_p50,run_p95,\
                     nodes_online,running,waiting";

/// `reef history`.
#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    /// What is shown, such as submitted or wait_p95; else what an overview needs
    #[arg(value_parser = series)]
    series: Vec<Series>,
    /// How far back it goes: a number of m, h or d
    #[arg(long, value_name = "SPAN", default_value = "3h", value_parser = since)]
    since: i64,
    /// How long a point is: 1m, or 1h; else 1m up to a day, and 1h beyond
    #[arg(long, value_name = "SPAN", value_parser = step)]
    step: Option<i64>,
    /// Print each point
    #[arg(long)]
    points: bool,
}

fn series(text: &str) -> Result<Series, String> {
    Series::parse(text).ok_or_else(|| format!("there are {}", Series::names().join(", ")))
}

fn since(text: &str) -> Result<i64, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let ms = days.and_then(|days| days.checked_mul(86_400_000)).or_else(|| time::span(text));
    // As many hours as one answer has points.
    let in_range = ms.filter(|ms| (60_000..=60 * 86_400_000).contains(ms));
    in_range.ok_or_else(|| {
        "use a number and m, h or d, such as 3h; at most 60d, by the hour".to_owned()
    })
}

fn step(text: &str) -> Result<i64, String> {
    match text {
        "1m" | "60" => Ok(60),
        "1h" | "3600" => Ok(3600),
        _ => Err("use 1m or 1h".to_owned()),
    }
}

impl History {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let step = self.step.unwrap_or(if self.since <= 86_400_000 { 60 } else { 3600 });
        // By whole points, so that there are as many as were asked for.
        let points = ((self.since / 1000 - 1) / step).min(BACK_MAX);
        if self.since > 86_400_000 && step == 60 {
            let words = "--step 1m shows at most a day: leave it out, or ask for --since 24h";
            return Err(Failure::Usage(words.to_owned()));
        }
        let from = Utc::now() - TimeDelta::seconds(points * step);
        let named: Vec<&str> = self.series.iter().map(|series| series.as_str()).collect();
        let named = if named.is_empty() { USUAL.to_owned() } else { named.join(",") };
        let request = cx
            .hub
            .history()
            .query("from", from.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
            .query("step", step.to_string())
            .query("series", named.as_str());
        let answer = request.send().await?;
        let found: Found = cx.out.read(&answer)?;
        let names: Vec<&str> = named.split(',').collect();
        cx.out.shown(&answer, || {
            if self.points { each(&found, &names) } else { overview(&found, &names) }
        })
    }
}

/// The value of a series at each point.
fn values(points: &[HistoryPoint], name: &str) -> Vec<Option<f64>> {
    let value = |point| serde_json::to_value(point).ok()?.get(name).and_then(Value::as_f64);
    points.iter().map(value).collect()
}

/// Whether the sum of a series says something.
fn is_counted(name: &str) -> bool {
    let of_a_moment = ["nodes_online", "nodes_total", "capacity", "running", "waiting"];
    !of_a_moment.contains(&name) && !name.contains("_p")
}

/// A line for each series: how much it is, and its course.
fn overview(found: &Found, names: &[&str]) -> String {
    let rows = names.iter().map(|name| {
        let values = values(&found.points, name);
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        let sum = known.iter().sum::<f64>();
        let sum = if is_counted(name) { short(sum) } else { String::new() };
        let last = known.last().map(|last| short(*last)).unwrap_or_default();
        let most = known.iter().copied().reduce(f64::max).map(short).unwrap_or_default();
        [(*name).to_owned(), sum, last, most, line(&values)]
    });
    let table = columns(["series", "sum", "last", "most", "course"], rows);
    let length = if found.step == 60 { "minute" } else { "hour" };
    format!(
        "{} to {}, by the {length}; waits and runs in seconds\n\n{table}",
        time::of(found.from),
        time::of(found.to)
    )
}

/// A line for each point.
fn each(found: &Found, names: &[&str]) -> String {
    let all: Vec<Vec<Option<f64>>> = names.iter().map(|name| values(&found.points, name)).collect();
    let rows = found.points.iter().enumerate().map(|(n, point)| {
        let cells = all
            .iter()
            .map(|values| values.get(n).copied().flatten().map(short).unwrap_or_default());
        let cells: Vec<String> = cells.collect();
        [time::of(point.at), cells.join("\t")]
    });
    let mut lines = vec![format!("AT\t{}", names.join("\t").to_uppercase())];
    lines.extend(rows.map(|[at, cells]| format!("{at}\t{cells}")));
    lines.join("\n")
}

/// A course in a few characters: each the highest of some points, against the highest of all. A space is where
/// nothing is known.
#[expect(clippy::cast_precision_loss, reason = "a bar has eight heights")]
fn line(values: &[Option<f64>]) -> String {
    let most = values.iter().copied().flatten().fold(0.0, f64::max);
    let size = values.len().div_ceil(WIDTH).max(1);
    let bar = |some: &[Option<f64>]| {
        let Some(value) = some.iter().copied().flatten().reduce(f64::max) else { return ' ' };
        let share = if most > 0.0 { value / most } else { 0.0 };
        let mut heights = BARS.iter().enumerate().skip(1);
        let reached = heights.rfind(|(n, _)| share * 7.0 > *n as f64 - 0.5);
        // What is not nothing is not drawn as nothing.
        let least = usize::from(value > 0.0);
        let height = reached.map_or(0, |(n, _)| n).max(least);
        BARS.get(height).copied().unwrap_or(' ')
    };
    values.chunks(size).map(bar).collect::<String>().trim_end().to_owned()
}

/// A number with as many digits as people read.
fn short(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1000.0 {
        return format!("{value:.0}");
    }
    let digits = format!("{value:.3}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_drawn_against_its_highest() {
        let line_of = |values: &[f64]| line(&values.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(line_of(&[0.0, 1.0, 60.0, 100.0]), "▁▂▅█");
        assert_eq!(line_of(&[0.0, 0.0]), "▁▁");
        assert_eq!(line(&[Some(1.0), None, Some(1.0), None]), "█ █");
        let many = line_of(&(0..1440).map(f64::from).collect::<Vec<_>>());
        assert_eq!(many.chars().count(), WIDTH);
    }

    #[test]
    fn a_span_is_bounded() {
        assert_eq!((since("3h"), since("2d")), (Ok(10_800_000), Ok(172_800_000)));
        for bad in ["1s", "61d", "-1h", "d", "9999999999999999999d", "3"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 7.0, 0.125, 1.5, 123_456.7].map(short);
        assert_eq!(shown, ["0", "7", "0.125", "1.5", "123457"]);
    }
}
