//! How a command ends when it does not end well: one plain sentence, what to do next, and an exit
//! code that programs can rely on.

use std::io;
use std::process::ExitCode;

use reef_client::{Error, Problem};
use reef_worker::WorkerError;

use crate::connection::{HubArgs, KeySource};
use crate::output;

/// Why a command ends with something else than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What came back from the hub, or did not. Exit 1, 2, 3 or 4.
    Hub(Error),
    /// Exit 1: a sentence of our own.
    Failed(String),
    /// Exit 1: what was looked at is not as it should be, and standard output says so.
    Found,
    /// Standard output has said what there is to say, to a program that knows this code.
    Said(u8),
    /// Exit 2: what was typed makes no sense.
    Usage(String),
    /// Exit 130.
    Interrupted,
    /// Nobody reads the output any longer. Exit 141, as of a program that dies of SIGPIPE.
    NobodyReads,
}

impl Failure {
    /// The exit code, as `--help` lists them.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) | Self::Found => 1,
            Self::Said(code) => *code,
            Self::Hub(error) => match error {
                Error::Invalid(_) => 2,
                Error::Unreachable { .. } => 3,
                Error::Cut { .. } => 4,
                _ => 1,
            },
            Self::Usage(_) => 2,
            Self::Interrupted => 130,
            Self::NobodyReads => 141,
        })
    }

    /// Says on standard error what is wrong, and what to do next.
    pub(crate) fn report(&self, args: Option<&HubArgs>) {
        match self {
            Self::Hub(error) => {
                output::error(&sentence(error));
                for line in details(error) {
                    output::aside(&format!("  {line}"));
                }
                if let Some(hint) = args.and_then(|args| hint(error, args)) {
                    output::hint(&hint);
                }
            }
            Self::Failed(sentence) | Self::Usage(sentence) => output::error(sentence),
            Self::Interrupted => output::aside("interrupted"),
            Self::Found | Self::Said(_) | Self::NobodyReads => {}
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(format!("this cannot be written as JSON: {error}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Hub(error)
    }
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Hub(error) => Self::Hub(error),
            WorkerError::Usage(words) => Self::Usage(words),
            WorkerError::Interrupted => Self::Interrupted,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::NobodyReads;
        }
        Self::Failed(format!("the output cannot be written: {error}"))
    }
}

/// What a hub's refusal, or its silence, is called.
pub(crate) fn sentence(error: &Error) -> String {
    match error.problem() {
        Some(problem) if problem.status >= 500 && !problem.request_id.is_empty() => {
            format!("{problem} (request {})", problem.request_id)
        }
        _ => error.to_string(),
    }
}

/// The fields that break a rule, where the sentence names only the first.
fn details(error: &Error) -> Vec<String> {
    let errors = error.problem().map(|problem| problem.errors.as_slice()).unwrap_or_default();
    if errors.len() < 2 {
        return Vec::new();
    }
    errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect()
}

/// What to do next.
fn hint(error: &Error, args: &HubArgs) -> Option<String> {
    match error {
        Error::Unreachable { .. } => Some(
            "start a hub with `reef up`, or name another with --hub URL, REEF_HUB or --context NAME"
                .to_owned(),
        ),
        Error::Malformed(_) => {
            let target = args.target().ok()?;
            Some(format!("is {} a hub?", target.hub))
        }
        Error::Cut { .. } => {
            Some("run the command again: --from continues behind a known event".to_owned())
        }
        Error::Problem(problem) => hint_for(problem, args),
        _ => None,
    }
}

fn hint_for(problem: &Problem, args: &HubArgs) -> Option<String> {
    match problem.status {
        401 => Some(match args.key_source() {
            KeySource::Nowhere => "give a key with --key-file FILE, REEF_KEY_FILE or \
                                       REEF_API_KEY; the admin key of a hub that was started with \
                                       `reef up` is in its .reef/admin.key"
                .to_owned(),
            KeySource::Environment => {
                "the key in REEF_API_KEY is not, or no longer, one of this hub".to_owned()
            }
            KeySource::Context(name, file) => format!(
                "the key of the context {name}, in {}, is not, or no longer, one of this hub: `reef \
                 context add {name} --replace` takes another",
                file.display()
            ),
            KeySource::File(file) | KeySource::StateDir(file) => {
                format!("the key in {} is not, or no longer, one of this hub", file.display())
            }
        }),
        403 => Some("use a key of the owner, or one with the scope that this needs".to_owned()),
        502..=504 => Some("try again in a moment".to_owned()),
        500 => Some("the hub's log says more under this request".to_owned()),
        _ => None,
    }
}
