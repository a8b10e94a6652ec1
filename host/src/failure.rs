//! How the program ends when it does not end well: one type, one exit code each.

use std::fmt;
use std::process::ExitCode;

use crate::logging;

/// Why the program ends with something else than 0. The codes are part of the contract and
/// stand in `--help`.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit 1: something went wrong while running.
    Runtime(anyhow::Error),
    /// Exit 2: what was asked for cannot be: a flag, a variable, the manifest, a refused
    /// combination.
    Usage(anyhow::Error),
    /// Exit 3: the Redis that the hub needs cannot be reached.
    Unreachable(anyhow::Error),
    /// This exit code: what was looked at is not as it should be, and standard output says so.
    Found(u8),
    /// Exit 130: SIGINT or SIGTERM arrived before the hub was ready, or a second one while it
    /// was draining.
    Interrupted,
}

impl Failure {
    /// A usage error with a plain sentence.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(anyhow::anyhow!("{message}"))
    }

    /// A Redis that does not answer, with a plain sentence.
    pub(crate) fn unreachable(message: impl fmt::Display) -> Self {
        Self::Unreachable(anyhow::anyhow!("{message}"))
    }

    /// The process exit code for this failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Runtime(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Found(code) => *code,
            Self::Interrupted => 130,
        })
    }

    /// Writes the failure to stderr, as one paragraph a person can act on.
    pub(crate) fn report(&self) {
        match self {
            Self::Runtime(e) | Self::Usage(e) | Self::Unreachable(e) => {
                logging::say(&format!("error: {e:#}"));
            }
            Self::Found(_) => {}
            Self::Interrupted => logging::say("interrupted"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Runtime(error)
    }
}
