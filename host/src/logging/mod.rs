//! The log: everything that is not an answer goes to standard error.
//!
//! Nothing here fails or waits, whatever becomes of standard error: see [`sink`].

mod recent;
pub(crate) mod sink;

use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;

use reef_settings::{Origin, Settings, Value};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::recent::Recent;
use self::sink::Sink;
use crate::cli::LogFormat;

/// What is logged unless `REEF_LOG` says otherwise. wasmtime's own modules report details that
/// help only those who work on wasmtime.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,cranelift=warn";

/// What commands log that are no services: their result is what matters.
const QUIET_FILTER: &str = "warn";

/// How long the end of the program waits for the last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Where the log goes, once it was started.
static LOG: OnceLock<Sink> = OnceLock::new();
/// Its last lines, for whoever asks this process for them.
static RECENT: Recent = Recent::new();
/// Set if each of its lines is JSON.
static IS_JSON: OnceLock<()> = OnceLock::new();

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
    let log = LOG.get_or_init(|| Sink::start(std::io::stderr(), "log", report_lost)).clone();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Events(log))
        .with_ansi(colour)
        // It would go to standard error by another way.
        .log_internal_errors(false);
    // A second call can only happen in tests; the first one's settings stay.
    let _ = match format {
        LogFormat::Text => {
            builder.fmt_fields(crate::log_fields::for_people()).with_target(false).try_init()
        }
        LogFormat::Json => {
            IS_JSON.get_or_init(|| ());
            builder.json().flatten_event(true).try_init()
        }
    };
    std::panic::set_hook(Box::new(report_panic));
    if let Some(error) = problem {
        tracing::warn!(%error, "the level of the log cannot be read; logging at the default level");
    }
}

/// Says something on standard error, beside the log.
pub(crate) fn say(text: &str) {
    let line = format!("{text}\n").into_bytes();
    match LOG.get() {
        // Every line of such a log is JSON, the last ones too.
        Some(_) if IS_JSON.get().is_some() => tracing::error!("{text}"),
        Some(log) => log.write(line),
        // Nothing sensible is left to do when standard error itself is gone.
        None => drop(std::io::stderr().write_all(&line)),
    }
}

/// Whether each line of the log is JSON, for programs.
pub(crate) fn is_json() -> bool {
    IS_JSON.get().is_some()
}

/// Says something on standard error that is never a line of the log, in order with it.
pub(crate) fn say_aside(text: &str) {
    match LOG.get() {
        Some(log) => log.write(format!("{text}\n").into_bytes()),
        None => drop(std::io::stderr().write_all(text.as_bytes())),
    }
}

/// Says something on standard output, whether or not anybody reads it.
pub(crate) fn announce(text: &str) {
    static STDOUT: OnceLock<Sink> = OnceLock::new();
    let out = STDOUT.get_or_init(|| Sink::start(std::io::stdout(), "stdout", |_| {}));
    out.write(text.as_bytes().to_vec());
}

/// How many lines of the log were lost.
pub(crate) fn lines_dropped() -> u64 {
    LOG.get().map(Sink::dropped).unwrap_or_default()
}

/// The last lines of the log, oldest first, whether or not somebody has read them where they went.
pub(crate) fn recent() -> Vec<String> {
    RECENT.lines()
}

/// Lets the last lines be written before the process ends, if somebody reads them.
pub(crate) fn finish() {
    if let Some(log) = LOG.get() {
        log.flush(LAST_LINES);
    }
}

fn report_lost(lines: u64) {
    tracing::warn!(lines, "lines of the log were lost: standard error took none, or too few");
}

/// The standard library's own hook would wait for whoever reads standard error.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or("no text");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    tracing::error!(place, thread, "a fault in the program: {text}");
}

/// Makes a line of each event.
struct Events(Sink);

impl<'a> MakeWriter<'a> for Events {
    type Writer = Event<'a>;

    fn make_writer(&'a self) -> Event<'a> {
        Event { sink: &self.0, line: Vec::new() }
    }
}

/// What is written of one event.
struct Event<'a> {
    sink: &'a Sink,
    line: Vec<u8>,
}

impl Write for Event<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            RECENT.note(&self.line);
            self.sink.write(std::mem::take(&mut self.line));
        }
    }
}

/// A filter as it is; a level of a file, in the words of this or of Python's log, for our own
/// modules.
fn filter_of(value: &Value) -> String {
    let is_of_file = matches!(value.origin, Origin::File(_) | Origin::Line(..));
    if !is_of_file || value.text.contains(['=', ',']) {
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
        let line = || Origin::Line("reef.toml".into(), 3);
        assert_eq!(filter("debug", line()), "debug,wasmtime=warn,cranelift=warn");
        assert_eq!(filter("reef=debug,warn", line()), "reef=debug,warn");
        assert_eq!(filter("reef=debug,warn", Origin::Environment("REEF_LOG")), "reef=debug,warn");
        assert!(EnvFilter::try_new(filter("CRITICAL", file())).is_ok());
    }
}
