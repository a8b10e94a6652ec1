//! Values that a script does not hand out. Redis hashes each text that a script touches, byte by byte, and
//! serves nobody else meanwhile: eight megabytes take it twenty milliseconds, and three by a plain command. So a
//! script says where a large one lies.

use crate::port::{Redis, RedisError, Reply};
use crate::script::{FromReply, Malformed, Reader, Store, StoreError};

/// How often a thing is looked at anew that has changed between the script and the plain command: a text
/// moves once, when its message ends.
pub const LOOKS_MAX: usize = 3;

/// A text, or where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// The text.
    Here(String),
    /// It is large.
    Apart(Place),
}

/// Where a large text lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    key: String,
    field: Option<String>,
    /// How many bytes it had. What has come behind them since is not part of it.
    bytes: usize,
}

impl FromReply for Text {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (text, bytes) = (reply.text()?, reply.int()?);
        if bytes == 0 {
            return Ok(Self::Here(text));
        }
        let bytes = usize::try_from(bytes).map_err(|_| Malformed(format!("{bytes} bytes")))?;
        Ok(Self::Apart(Place { key: reply.text()?, field: reply.filled()?, bytes }))
    }
}

impl Text {
    /// The text; `None` where it is no longer what the script has seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read<R: Redis>(self, store: &Store<R>) -> Result<Option<String>, StoreError> {
        let Place { key, field, bytes } = match self {
            Self::Here(text) => return Ok(Some(text)),
            Self::Apart(place) => place,
        };
        let (command, args) = match field {
            None => ("GET", vec![key.into_bytes()]),
            Some(field) => ("HGET", vec![key.into_bytes(), field.into_bytes()]),
        };
        let reply = store.redis().execute(command, args).await?.pop();
        let Some(Reply::Bytes(mut text)) = reply else { return Ok(None) };
        if text.len() < bytes {
            return Ok(None);
        }
        text.truncate(bytes);
        // The hub writes whole characters; somebody else may have written anything.
        let shown = String::from_utf8(text);
        Ok(Some(shown.unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned())))
    }
}

/// Looks at a thing, anew while something has changed between the script and the plain command.
pub(crate) async fn steady<T>(
    mut look: impl AsyncFnMut() -> Result<Option<T>, StoreError>,
) -> Result<T, StoreError> {
    for _ in 0..LOOKS_MAX {
        if let Some(found) = look().await? {
            return Ok(found);
        }
    }
    Err(unsteady())
}

/// The error for a thing that has changed each time of [`LOOKS_MAX`].
#[must_use]
pub fn unsteady() -> StoreError {
    RedisError::Unavailable("it changes whenever it is looked at".to_owned()).into()
}
