//! `reef debug`: what a hub knows of itself, in one file to look at or to hand on.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use reef_client::{Answer, Error};
use serde_json::{Map, Value};

use crate::Context;
use crate::archive::tar_gz;
use crate::connection::HubArgs;
use crate::failure::Failure;

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef debug --output bundle.tgz     look at it before you hand it on
  reef debug --json                  the same, as the hub answers it
";

/// How long a part's name may be.
const NAME_CHARS_MAX: usize = 60;

/// `reef debug`.
#[derive(Debug, Args)]
pub struct Debug {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// The new file, a .tar.gz that only its owner can read; -: standard output
    #[arg(long, short, value_name = "FILE", required_unless_present = "json")]
    output: Option<PathBuf>,
}

impl Debug {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let answer = ask(cx).await?;
        let Some(path) = self.output else {
            return cx.out.shown(&answer, String::new);
        };
        let parts: Map<String, Value> = answer.json()?;
        let now = chrono::Utc::now();
        let folder = format!("reef-debug-{}", now.format("%Y%m%dT%H%M%SZ"));
        let files: Vec<_> = parts.iter().enumerate().map(|(n, it)| file(&folder, n, it)).collect();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let unwritable =
            |error| Failure::Failed(format!("{} cannot be written: {error}", path.display()));
        let packed = tar_gz(&files, seconds).map_err(unwritable)?;
        if path == Path::new("-") {
            if cx.out.is_terminal() {
                let words = "--output - is for a file or a program, and not for a terminal";
                return Err(Failure::Usage(words.to_owned()));
            }
            return std::io::stdout().write_all(&packed).map_err(unwritable);
        }
        let mut options = std::fs::OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(&path);
        let mut made = made.map_err(unwritable)?;
        made.write_all(&packed).and_then(|()| made.sync_all()).map_err(unwritable)?;
        if cx.out.is_json() {
            return cx.out.shown(&answer, String::new);
        }
        cx.out.line(&format!(
            "{}: {} files, {} bytes",
            path.display(),
            files.len(),
            packed.len()
        ))?;
        cx.out.note("secrets are masked by the hub; look at it all the same before you hand it on");
        Ok(())
    }
}

/// Asks the hub, by either of the addresses that the route has had.
async fn ask(cx: &Context) -> Result<Answer<Value>, Failure> {
    let is_unknown =
        |error: &Error| error.problem().is_some_and(|problem| matches!(problem.status, 404 | 405));
    match cx.hub.get(["debug"]).send().await {
        Err(error) if is_unknown(&error) => {}
        other => return Ok(other?),
    }
    match cx.hub.get_own(["debug"]).send().await {
        Err(error) if is_unknown(&error) => Err(Failure::Failed(format!(
            "{} has no GET /debug: it is older than this program, or runs under Spin, where \
             `reef monitor` beside it has it; `reef doctor` looks at what can be seen from here",
            cx.hub.address()
        ))),
        other => Ok(other?),
    }
}

/// A part as a file: a text or lines as they are, all else as JSON.
fn file(folder: &str, n: usize, (name, part): (&String, &Value)) -> (String, Vec<u8>) {
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_safe = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(is_good);
    // What a hub answers must not name another place.
    let name = if is_safe { name.clone() } else { format!("part-{n}") };
    let lines = part.as_array().map(|all| all.iter().map(Value::as_str).collect::<Vec<_>>());
    let (ending, text) = match (part, lines) {
        (Value::String(text), _) => ("txt", text.clone()),
        (_, Some(lines)) if !lines.is_empty() && lines.iter().all(Option::is_some) => {
            ("log", lines.into_iter().flatten().flat_map(|line| [line, "\n"]).collect())
        }
        _ => ("json", format!("{part:#}\n")),
    };
    (format!("{folder}/{name}.{ending}"), text.into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_part_is_a_file_within_the_folder() {
        let made = |name: &str, part: Value| {
            let (name, bytes) = file("f", 3, (&name.to_owned(), &part));
            (name, String::from_utf8(bytes).unwrap())
        };
        assert_eq!(made("log", json!(["a", "b"])), ("f/log.log".to_owned(), "a\nb\n".to_owned()));
        assert_eq!(made("metrics", json!("x 1\n")).0, "f/metrics.txt");
        assert_eq!(made("versions", json!({"reef": "1"})).0, "f/versions.json");
        assert_eq!(made("../../etc/passwd", json!("x")).0, "f/part-3.txt");
    }
}
