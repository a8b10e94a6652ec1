//! What the fields of a log line look like, for people. Values are often others' texts: written
//! out so that none of them looks like a line, or a field, of its own.

use std::fmt;

use reef_domain::shown::in_line;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// Writes the message as it is read and fields as `name=value`, each in one line.
pub(crate) fn for_people() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    debug_fn(write).delimited(" ")
}

fn write(to: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    let value = in_line(&value);
    match field.name() {
        "message" => write!(to, "{value}"),
        name if to.has_ansi_escapes() => {
            write!(to, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
        }
        name => write!(to, "{name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_others_have_written_makes_no_line_of_its_own() {
        let log = Log::default();
        let to = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .fmt_fields(for_people())
            .with_target(false)
            .with_ansi(false)
            .without_time()
            .with_writer(move || to.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let name = "h\n2026 ERROR forged\u{1b}[2J\u{202e}";
            tracing::info!(node = %name, n = 5, "{name} came");
        });
        let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let shown = r"h\n2026 ERROR forged\u001b[2J\u202e";
        assert_eq!(said, format!(" INFO {shown} came node={shown} n=5\n"));
    }
}
