//! The log: everything that is not an answer goes to standard error.

use std::io::IsTerminal;

use reef_settings::{Origin, Settings, Value};
use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// What is logged unless `REEF_LOG` says otherwise. wasmtime's own modules report details that
/// help only those who work on wasmtime.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,cranelift=warn";

/// What commands log that are no services: their result is what matters.
const QUIET_FILTER: &str = "warn";

/// Starts logging to standard error. A filter that cannot be read falls back to the default,
/// with a word about it.
pub(crate) fn start(settings: &Settings, format: Option<LogFormat>) {
    let wanted = settings.given("logging.level").map(filter_of).unwrap_or_default();
    let format = format.unwrap_or_else(|| match settings.value("logging.format") {
        Some(value) if value.text == "json" => LogFormat::Json,
        _ => LogFormat::Text,
    });
    start_with(&wanted, format, DEFAULT_FILTER);
}

/// The same for a command that does one thing and ends.
pub(crate) fn start_quietly() {
    let wanted = std::env::var("REEF_LOG").unwrap_or_default();
    start_with(&wanted, LogFormat::Text, QUIET_FILTER);
}

fn start_with(wanted: &str, format: LogFormat, default: &str) {
    let (filter, problem) = if wanted.is_empty() {
        (EnvFilter::new(default), None)
    } else {
        match EnvFilter::try_new(wanted) {
            Ok(filter) => (filter, None),
            Err(error) => (EnvFilter::new(default), Some(error)),
        }
    };
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour);
    // A second call can only happen in tests; the first one's settings stay.
    let _ = match format {
        LogFormat::Text => {
            builder.fmt_fields(crate::log_fields::for_people()).with_target(false).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Some(error) = problem {
        tracing::warn!(%error, "the level of the log cannot be read; logging at the default level");
    }
}

/// A filter of the environment as it is; a level of a file, in the words of this or of Python's
/// log, for our own modules.
fn filter_of(value: &Value) -> String {
    if !matches!(value.origin, Origin::File(_)) {
        return value.text.clone();
    }
    let level = match value.text.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        other => other.to_owned(),
    };
    DEFAULT_FILTER.replacen("info", &level, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_taken_in_the_words_of_either_log() {
        let filter = |text: &str, origin| filter_of(&Value { text: text.to_owned(), origin });
        let file = || Origin::File("config/config.json".into());
        assert_eq!(filter("WARNING", file()), "warn,wasmtime=warn,cranelift=warn");
        assert_eq!(filter("DEBUG", file()), "debug,wasmtime=warn,cranelift=warn");
        assert_eq!(filter("reef=debug,warn", Origin::Environment("REEF_LOG")), "reef=debug,warn");
        assert!(EnvFilter::try_new(filter("CRITICAL", file())).is_ok());
    }
}
