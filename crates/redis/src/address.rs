//! Reads the address of a Redis server.

use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use std::path::PathBuf;

/// An address that cannot be used. The text names the fault, never the address: it may hold a
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Redis address: {0}")]
pub struct AddressError(String);

/// Where a server listens.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

/// A server, and how to introduce oneself to it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) endpoint: Endpoint,
    pub(crate) handshake: RedisConnectionInfo,
}

impl Address {
    /// Reads `redis://[user:password@]host[:port][/db]`, `redis+unix:///path[?db=…]` or
    /// `unix:///path[?db=…]`.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        if scheme.eq_ignore_ascii_case("rediss") || scheme.eq_ignore_ascii_case("valkeys") {
            return Err(AddressError(
                "TLS (rediss://) is not built in; use redis:// through a local TLS proxy".into(),
            ));
        }
        let info = text.into_connection_info().map_err(|error| {
            let detail = if error.kind() == redis::ErrorKind::InvalidClientConfig {
                error.to_string()
            } else {
                "expected redis://host:port/db or redis+unix:///path".to_owned()
            };
            AddressError(detail)
        })?;
        let endpoint = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Endpoint::Tcp { host: host.clone(), port: *port },
            ConnectionAddr::Unix(path) => Endpoint::Unix(path.clone()),
            _ => return Err(AddressError("this kind of address is not supported".into())),
        };
        // The name appears in CLIENT LIST, where an operator looks for who is connected.
        let handshake =
            info.redis_settings().clone().set_lib_name("reef", env!("CARGO_PKG_VERSION"));
        Ok(Self { endpoint, handshake })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> String {
        match Address::parse(text).map(|address| address.endpoint) {
            Ok(Endpoint::Tcp { host, port }) => format!("{host} {port}"),
            Ok(Endpoint::Unix(path)) => path.display().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn tcp_and_unix_addresses_are_read() {
        assert_eq!(endpoint("redis://example.test"), "example.test 6379");
        assert_eq!(endpoint("redis://[::1]:7000/3"), "::1 7000");
        assert_eq!(endpoint("redis+unix:///run/redis.sock"), "/run/redis.sock");
        assert_eq!(endpoint("unix:///run/redis.sock?db=2"), "/run/redis.sock");
        let handshake = Address::parse("redis://ann:s%40crt@h:1/3").unwrap().handshake;
        assert_eq!(handshake.db(), 3);
        assert_eq!(handshake.username(), Some("ann"));
        assert_eq!(handshake.password(), Some("s@crt"));
    }

    #[test]
    fn a_bad_address_is_refused_without_being_repeated() {
        for bad in ["", "hello", "http://h", "redis://:secret@", "redis://:secret@h/nine"] {
            let text = endpoint(bad);
            assert!(text.starts_with("not a usable Redis address"), "{bad}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
        assert!(endpoint("rediss://h:6380").contains("TLS"));
    }
}
