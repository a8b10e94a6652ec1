//! A success.

use std::marker::PhantomData;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LINK};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{Error, Lenient};

/// A success: its body as the hub has sent it, what it is read as, and what its headers say.
#[derive(Debug, Clone)]
pub struct Answer<T = Value> {
    body: Bytes,
    has_next: bool,
    next_cursor: Option<String>,
    is_replayed: bool,
    durability: Option<String>,
    read_as: PhantomData<fn() -> T>,
}

impl<T> Answer<T> {
    pub(crate) fn new(url: &Url, headers: &HeaderMap, body: Bytes) -> Self {
        let link = headers.get(LINK).and_then(|link| link.to_str().ok());
        let next_cursor = link.and_then(|link| next_cursor(url, link));
        let durability = headers.get("reef-durability").and_then(|it| it.to_str().ok());
        let has_next = link.is_some_and(|link| link.contains("rel=\"next\""));
        Self {
            body,
            has_next,
            next_cursor,
            is_replayed: headers.contains_key("idempotent-replayed"),
            durability: durability.map(str::to_owned),
            read_as: PhantomData,
        }
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What it says.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no JSON, or not of its type.
    pub fn value(&self) -> Result<T, Error>
    where
        T: DeserializeOwned,
    {
        self.json()
    }

    /// The body as another type, such as one of those parts that matter.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no JSON, or not of this type.
    pub fn json<U: DeserializeOwned>(&self) -> Result<U, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Malformed(error.to_string()))
    }

    /// What it says, as far as it can be read.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no JSON at all, or what cannot be read is no entry of a list.
    pub fn lenient(&self) -> Result<Lenient<T>, Error>
    where
        T: DeserializeOwned,
    {
        Lenient::read(&self.body).map_err(|error| Error::Malformed(error.to_string()))
    }

    /// Whether a list goes on behind this page.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.has_next
    }

    /// The value of `cursor` with which a list goes on; none at its end.
    #[must_use]
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    /// How safe a write is known to be: `memory`, `disk`, `replica`, `replica-disk` (with `;n=` for
    /// more than one replica), `unknown`, or `server`, where nobody waits.
    #[must_use]
    pub fn durability(&self) -> Option<&str> {
        self.durability.as_deref()
    }

    /// Whether this is the answer to an earlier request with the same idempotency key.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.is_replayed
    }
}

/// The cursor in `Link: <…?cursor=X>; rel="next"`.
fn next_cursor(url: &Url, link: &str) -> Option<String> {
    let next = link.split(',').find(|one| one.contains("rel=\"next\""))?;
    let (_, after) = next.split_once('<')?;
    let (target, _) = after.split_once('>')?;
    let target = url.join(target).ok()?;
    let mut pairs = target.query_pairs();
    pairs.find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_how_it_goes_on() {
        let url = Url::parse("http://hub/api/v1/nodes").unwrap();
        let link = r#"</api/v1/nodes?limit=2&cursor=a%3Db>; rel="next""#;
        assert_eq!(next_cursor(&url, link).as_deref(), Some("a=b"));
        for other in ["", "</x>; rel=\"prev\"", "</x>; rel=\"next\"", "rel=\"next\""] {
            assert_eq!(next_cursor(&url, other), None, "{other}");
        }
    }
}
