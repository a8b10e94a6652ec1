//! What a look at something has found, for `reef verify` and `reef doctor`.

use serde::Serialize;

use crate::Context;
use crate::failure::Failure;
use crate::table::columns;

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at; a word that programs may know.
    pub check: &'static str,
    /// How good it is.
    pub status: Level,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do about it; empty where nothing has to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cure: String,
}

impl Finding {
    /// It is as it should be.
    #[must_use]
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, status: Level::Ok, message: message.into(), cure: String::new() }
    }

    /// Somebody should look at it.
    #[must_use]
    pub fn warn(check: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { check, status: Level::Warn, message: message.into(), cure: cure.into() }
    }

    /// It does not work.
    #[must_use]
    pub fn fail(check: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { check, status: Level::Fail, message: message.into(), cure: cure.into() }
    }
}

/// All of them, for programs.
#[derive(Serialize)]
struct Report<'a> {
    healthy: bool,
    checks: &'a [Finding],
}

/// Prints what was found. Good is what has no failure; if `is_strict`, no warning either.
///
/// # Errors
/// [`Failure::Found`] where it is not good.
pub(crate) fn conclude(cx: &Context, findings: &[Finding], is_strict: bool) -> Result<(), Failure> {
    let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Level::Ok);
    let healthy = worst == Level::Ok || (worst == Level::Warn && !is_strict);
    if cx.out.is_json() {
        let report = Report { healthy, checks: findings };
        cx.out.line(&serde_json::to_string(&report)?)?;
    } else {
        cx.out.line(&table(findings))?;
        let verdict = match (healthy, worst) {
            (true, Level::Ok) => "healthy",
            (true, _) => "healthy, with warnings",
            (false, _) => "not healthy",
        };
        cx.out.line(&format!("\n{verdict}"))?;
    }
    if healthy { Ok(()) } else { Err(Failure::Found) }
}

/// A row for each, and below it what to do.
fn table(findings: &[Finding]) -> String {
    let mut rows = Vec::new();
    for finding in findings {
        let mark = match finding.status {
            Level::Ok => "✓",
            Level::Warn => "!",
            Level::Fail => "✗",
        };
        let name = format!("{mark} {}", finding.check);
        rows.push([name, finding.message.clone()]);
        if !finding.cure.is_empty() {
            rows.push([String::new(), format!("→ {}", finding.cure)]);
        }
    }
    columns(["check", "found"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_row_and_its_cure_another() {
        let findings =
            [Finding::ok("hub", "it serves"), Finding::fail("leader", "nobody leads", "campaign")];
        let table = table(&findings);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[1], "✓ hub     it serves");
        assert!(lines[2].starts_with("✗ leader") && lines[3].trim_start() == "→ campaign");
        let json = serde_json::to_value(&findings).unwrap();
        assert_eq!(
            json[0],
            serde_json::json!({"check": "hub", "status": "ok", "message": "it serves"})
        );
    }
}
