//! How long tasks waited and ran. The scripts sort that into parts for the history, and what `/metrics` shows are the
//! sums of the same counts: they are the hub's, and go on when this host ends.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use reef_store::history::{SPANS_MS, Spans, Tally};

use super::meaning_of;

/// What the monitor has seen last.
static SEEN: Mutex<Option<Tally>> = Mutex::new(None);

/// Shows what was ever counted.
pub(super) fn show(ever: &Tally) {
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(ever.clone());
}

/// Shows nothing until something is seen again.
pub(super) fn hide() {
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The text of the histograms; empty until the monitor has seen something.
pub(super) fn rendered() -> String {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.as_ref().map(text).unwrap_or_default()
}

fn text(tally: &Tally) -> String {
    let mut text = head("reef_task_wait_seconds");
    histogram(&mut text, "reef_task_wait_seconds", &tally.claimed, tally.wait_ms);
    text.push_str(&head("reef_task_run_seconds"));
    histogram(&mut text, "reef_task_run_seconds", &tally.runs(), tally.run_ms);
    text
}

fn head(name: &str) -> String {
    format!("# HELP {name} {}\n# TYPE {name} histogram\n", meaning_of(name))
}

#[expect(clippy::cast_precision_loss, reason = "what is charted needs no more digits")]
fn histogram(text: &mut String, name: &str, spans: &Spans, sum_ms: i64) {
    let bounds = SPANS_MS.iter().map(|ms| (*ms as f64 / 1e3).to_string());
    let mut below = 0;
    for (count, bound) in spans.0.iter().zip(bounds.chain(["+Inf".to_owned()])) {
        below += count;
        // Nothing can go wrong with a text.
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {below}");
    }
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {below}\n", sum_ms as f64 / 1e3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_up_from_below() {
        let mut tally = Tally::default();
        tally.claimed.0[0] = 2;
        tally.claimed.0[2] = 1;
        tally.claimed.0[13] = 4;
        tally.wait_ms = 1_500;
        let text = text(&tally);
        for line in [
            "# TYPE reef_task_wait_seconds histogram",
            "reef_task_wait_seconds_bucket{le=\"0.01\"} 2",
            "reef_task_wait_seconds_bucket{le=\"0.03\"} 2",
            "reef_task_wait_seconds_bucket{le=\"0.1\"} 3",
            "reef_task_wait_seconds_bucket{le=\"10000\"} 3",
            "reef_task_wait_seconds_bucket{le=\"+Inf\"} 7",
            "reef_task_wait_seconds_sum 1.5",
            "reef_task_wait_seconds_count 7",
            "reef_task_run_seconds_count 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is missing in {text}");
        }
    }
}
