//! What `reef verify --nagios` says: a line with performance data, and an exit code that Nagios and its
//! like know.

use std::process::ExitCode;

use reef_api::cluster::ClusterHealth;
use reef_api::task::TaskStats;
use reef_client::Error;

use crate::Context;
use crate::failure::{Failure, sentence};
use crate::finding::{Finding, Level};
use crate::output::Output;
use crate::table::shown;

/// The codes that plugins have beside 0.
const WARNING: u8 = 1;
const CRITICAL: u8 = 2;
const UNKNOWN: u8 = 3;

/// Says what was found. The worst decides.
pub(crate) async fn conclude(cx: &Context, findings: &[Finding]) -> Result<(), Failure> {
    let health = cx.hub.cluster_health().fetch().await?;
    let tasks = cx.hub.task_stats().fetch().await?;
    let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Level::Ok);
    let (word, code) = match worst {
        Level::Ok => ("OK", 0),
        Level::Warn => ("WARNING", WARNING),
        Level::Fail => ("CRITICAL", CRITICAL),
    };
    let bad = findings.iter().filter(|it| it.status != Level::Ok && it.status == worst);
    let mut words: Vec<_> = bad.map(|it| format!("{}: {}", it.check, it.message)).collect();
    if words.is_empty() {
        words.push(format!("{} things were looked at", findings.len()));
    }
    let text = line(word, &words.join("; "));
    cx.out.line(&format!("{text} | {}", figures(&health, &tasks)))?;
    if code == 0 { Ok(()) } else { Err(Failure::Said(code)) }
}

/// How it ends where what was typed is no command: what is unknown is not critical.
#[must_use]
pub fn typed_wrongly(words: &str) -> ExitCode {
    ended(&Failure::Usage(words.to_owned()))
}

/// How it ends where nothing was found, because nobody could be asked: a hub that does not answer is as
/// bad as can be; what was asked wrongly says nothing of the hub.
pub(crate) fn ended(failure: &Failure) -> ExitCode {
    let (code, words) = match failure {
        Failure::Said(code) => return ExitCode::from(*code),
        Failure::Hub(error) => {
            let refused = error.problem().is_some_and(|problem| problem.status < 500);
            let is_unknown = refused || matches!(error, Error::Invalid(_) | Error::Malformed(_));
            (if is_unknown { UNKNOWN } else { CRITICAL }, sentence(error))
        }
        Failure::Failed(words) | Failure::Usage(words) => (UNKNOWN, words.clone()),
        _ => (UNKNOWN, "interrupted".to_owned()),
    };
    let word = if code == CRITICAL { "CRITICAL" } else { "UNKNOWN" };
    // Whoever has stopped reading hears the code.
    let _ = Output::new(false).line(&line(word, &words));
    ExitCode::from(code)
}

/// A line of which no part is taken for figures.
fn line(word: &str, words: &str) -> String {
    format!("REEF {word} - {}", shown(words).replace('|', "/"))
}

/// The figures: `name=value;warning;critical;least;most`.
fn figures(health: &ClusterHealth, tasks: &TaskStats) -> String {
    let total = health.total_nodes;
    let alive = health.online_nodes + health.busy_nodes;
    [
        format!("nodes_online={alive};;;0;{total}"),
        format!("nodes_silent={};;;0;{total}", health.timeout_nodes_count),
        format!("capacity_used={};;;0;{}", health.used_capacity, health.total_capacity),
        format!("tasks_waiting={};;;0", tasks.waiting),
        format!("tasks_running={};;;0", tasks.running),
        format!("tasks_dead={};;;0", tasks.dead),
    ]
    .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_within_a_line_ends_it_or_looks_like_figures() {
        let said = line("OK", "a | nodes=9\nb");
        assert_eq!(said, "REEF OK - a / nodes=9\\nb");
    }

    #[test]
    fn figures_have_bounds() {
        let health =
            ClusterHealth { total_nodes: 3, online_nodes: 1, busy_nodes: 1, ..Default::default() };
        let text = figures(&health, &TaskStats { waiting: 7, ..TaskStats::default() });
        assert!(
            text.starts_with("nodes_online=2;;;0;3 ") && text.contains(" tasks_waiting=7;;;0"),
            "{text}"
        );
    }
}
