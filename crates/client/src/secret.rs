//! A key that is not shown.

use std::fmt;
use std::path::Path;

use reqwest::header::HeaderValue;

use crate::Error;

/// An API key. It goes into the requests of a [`Hub`](crate::Hub) and nowhere else: `Debug` hides
/// it, and there is no way to display it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a key; white space around it is dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is empty or has characters that a header cannot carry.
    pub fn new(key: &str) -> Result<Self, Error> {
        let key = key.trim();
        if key.is_empty() {
            return Err(Error::Invalid("the key is empty".to_owned()));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Invalid("the key has characters that no key has".to_owned()));
        }
        Ok(Self(key.to_owned()))
    }

    /// Reads a key from a file that holds nothing else.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the file cannot be read or holds no key; it names the file.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Error::Invalid(format!("the key file {} cannot be read: {error}", file.display()))
        })?;
        Self::new(&text).map_err(|error| Error::Invalid(format!("{}: {error}", file.display())))
    }

    /// The key itself, for whoever hands it on.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value of the header `Authorization`.
    pub(crate) fn bearer(&self) -> Result<HeaderValue, Error> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| Error::Invalid("the key does not fit into a header".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_trimmed_checked_and_never_shown() {
        let secret = Secret::new(" reef_12345678_abc\n").unwrap();
        assert_eq!(secret.expose(), "reef_12345678_abc");
        assert!(!format!("{secret:?} {:?}", secret.bearer().unwrap()).contains("abc"));
        for bad in ["", " \n", "a b", "ä", "a\nb"] {
            let error = Secret::new(bad).unwrap_err().to_string();
            assert!(bad.trim().is_empty() || !error.contains(bad), "{error}");
        }
    }
}
