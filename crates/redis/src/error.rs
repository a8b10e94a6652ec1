//! Why a command gave no reply, with the text that a component gets to see.

use reef_store::RedisError;

/// Why a command gave no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The command was not sent, because it would spoil the shared connection.
    #[error("{0}")]
    Refused(&'static str),
    /// The server answered with an error; the text is the server's, led by its code.
    #[error("{0}")]
    Server(String),
    /// The reply has no flat form, or is larger than [`REPLY_BYTES_MAX`](crate::REPLY_BYTES_MAX).
    #[error("{0}")]
    Reply(&'static str),
    /// The server could not be reached, or did not answer in time. Whether it carried the command
    /// out is unknown.
    #[error("{0}")]
    Unavailable(String),
}

/// Where a server of a cluster sends whoever asks it for a key of another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Redirection<'t> {
    /// For this command alone: the slot is about to move there, key by key.
    pub(crate) asking: bool,
    /// Empty where it is the host of the server that says it.
    pub(crate) host: &'t str,
    pub(crate) port: u16,
}

impl Error {
    /// Whether the server lacks the script that `EVALSHA` named.
    pub(crate) fn is_no_script(&self) -> bool {
        matches!(self, Self::Server(text) if text.starts_with("NoScript"))
    }

    /// Whether the server is a replica, which takes no writes.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self, Self::Server(text) if text.starts_with("ReadOnly"))
    }

    /// Where the server says that the key is, if that is all it says. It did nothing.
    pub(crate) fn redirection(&self) -> Option<Redirection<'_>> {
        let Self::Server(text) = self else { return None };
        let (kind, rest) = text.split_once(": ")?;
        let asking = match kind {
            "Moved" => false,
            "Ask" => true,
            _ => return None,
        };
        let (_slot, place) = rest.split_once(' ')?;
        let (host, port) = place.rsplit_once(':')?;
        Some(Redirection { asking, host, port: port.parse().ok()? })
    }

    /// Whether the server answers and does not let us in: no password, a wrong one, or a user who may
    /// not do this. The client library tells the first two by words alone.
    #[must_use]
    pub fn is_about_access(&self) -> bool {
        is_about_access(&self.to_string())
    }

    /// Sorts an error of the client library: an answer of the server, or a broken connection.
    pub(crate) fn from_client(error: &redis::RedisError) -> Self {
        match error.kind() {
            redis::ErrorKind::Server(_) | redis::ErrorKind::Extension => {
                Self::Server(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// The same of an error's text.
#[must_use]
pub fn is_about_access(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["authentication", "noauth", "wrongpass", "noperm"].iter().any(|word| text.contains(word))
}

impl From<Error> for RedisError {
    fn from(error: Error) -> Self {
        match error {
            // A broken connection's text is the operating system's and must not be interpreted.
            Error::Unavailable(text) => Self::Unavailable(text),
            other => Self::from_text(&other.to_string()),
        }
    }
}
