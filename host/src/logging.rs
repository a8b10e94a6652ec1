//! The log: everything that is not an answer goes to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// What is logged unless `REEF_LOG` says otherwise. wasmtime's own modules report details that
/// help only those who work on wasmtime.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,cranelift=warn";

/// What commands log that are no services: their result is what matters.
const QUIET_FILTER: &str = "warn";

/// Starts logging to standard error. A filter that cannot be read falls back to the default,
/// with a word about it.
pub(crate) fn start(format: LogFormat) {
    start_with(format, DEFAULT_FILTER);
}

/// The same for a command that does one thing and ends.
pub(crate) fn start_quietly() {
    start_with(LogFormat::Text, QUIET_FILTER);
}

fn start_with(format: LogFormat, default: &str) {
    let wanted = std::env::var("REEF_LOG").unwrap_or_default();
    let (filter, problem) = if wanted.is_empty() {
        (EnvFilter::new(default), None)
    } else {
        match EnvFilter::try_new(&wanted) {
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
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Some(error) = problem {
        tracing::warn!(%error, "REEF_LOG cannot be read; logging at the default level");
    }
}
