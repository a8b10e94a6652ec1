//! The address of a Redis server, in one piece or in several.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Invalid, Origin, Settings};

/// What need not be encoded in a user or a password.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An address, and where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The address; it may hold a password.
    pub url: String,
    /// Where it comes from; of several pieces, where the host does.
    pub origin: Origin,
}

// Without the address, which may hold a password.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Settings {
    /// The server that is to be used: an address, or else the one that host, port, password and
    /// database make, where the host does not come from a stronger place. Nothing without either.
    ///
    /// # Errors
    /// [`Invalid`] if a piece cannot be used.
    pub fn redis(&self) -> Result<Option<Address>, Invalid> {
        // A password or a port alone name no server.
        let host = self.given("redis.host");
        if let Some(value) = self.given("redis.url")
            && host.is_none_or(|host| host.origin.rank() <= value.origin.rank())
        {
            return Ok(Some(Address { url: value.text.clone(), origin: value.origin.clone() }));
        }
        let Some(host) = host else { return Ok(None) };
        if host.text.contains(['/', '@', '?', '#', ' ']) {
            let words = "redis.host must be a name or an IP address";
            return Err(Invalid(format!("{words} ({})", host.origin)));
        }
        let port: u16 = self.parsed("redis.port", "a port, 1 to 65535")?.unwrap_or(6379);
        let database: u32 = self.parsed("redis.db", "the number of a database")?.unwrap_or(0);
        let is_tls: bool = self.parsed("redis.tls", "true or false")?.unwrap_or(false);
        let scheme = if is_tls { "rediss" } else { "redis" };
        let piece = |name| {
            let text = self.given(name).map(|value| value.text.as_str()).unwrap_or_default();
            utf8_percent_encode(text, PLAIN).to_string()
        };
        let (user, password) = (piece("redis.username"), piece("redis.password"));
        let who = match (user.is_empty(), password.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!("{user}@"),
            (_, false) => format!("{user}:{password}@"),
        };
        let name = host.text.trim_matches(['[', ']']);
        let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        let url = format!("{scheme}://{who}{name}:{port}/{database}");
        Ok(Some(Address { url, origin: host.origin.clone() }))
    }
}

/// An address without the password that it may hold.
#[must_use]
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // What is no address may be a password that was put into the wrong place.
        return "********".to_owned();
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?********"),
        None => (rest, ""),
    };
    // A password may hold any character, so that the last @ ends it.
    match rest.rsplit_once('@') {
        Some((who, place)) => {
            let user = who.split_once(':').map_or("", |(user, _)| user);
            format!("{scheme}://{user}:********@{place}{query}")
        }
        None => format!("{scheme}://{rest}{query}"),
    }
}
