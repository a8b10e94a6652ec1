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
    Tcp {
        host: String,
        port: u16,
    },
    /// The same with TLS on it.
    Tls {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

/// A server, and how to introduce oneself to it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) endpoint: Endpoint,
    pub(crate) handshake: RedisConnectionInfo,
}

impl Address {
    /// Reads `redis://[user:password@]host[:port][/db]`, the same with `rediss://` for TLS,
    /// `redis+unix:///path[?db=…]` or `unix:///path[?db=…]`.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        // The client library is built without TLS, which lies below what it does.
        let (text, is_tls) = match text.split_once("://") {
            Some((scheme, rest)) if is_tls(scheme) => (format!("redis://{rest}"), true),
            _ => (text.to_owned(), false),
        };
        let info = text.as_str().into_connection_info().map_err(|error| {
            let expected = "expected redis://host:port/db or redis+unix:///path";
            match error.detail() {
                Some(detail) if error.kind() == redis::ErrorKind::InvalidClientConfig => {
                    AddressError(detail.to_owned())
                }
                _ => AddressError(expected.to_owned()),
            }
        })?;
        let endpoint = match info.addr() {
            ConnectionAddr::Tcp(host, port) if is_tls => {
                Endpoint::Tls { host: host.clone(), port: *port }
            }
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

fn is_tls(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("rediss") || scheme.eq_ignore_ascii_case("valkeys")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> String {
        match Address::parse(text).map(|address| address.endpoint) {
            Ok(Endpoint::Tcp { host, port }) => format!("{host} {port}"),
            Ok(Endpoint::Tls { host, port }) => format!("TLS {host} {port}"),
            Ok(Endpoint::Unix(path)) => path.display().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn tcp_and_unix_addresses_are_read() {
        assert_eq!(endpoint("redis://example.test"), "example.test 6379");
        assert_eq!(endpoint("redis://[::1]:7000/3"), "::1 7000");
        assert_eq!(endpoint("rediss://:p@h:6380/1"), "TLS h 6380");
        assert_eq!(endpoint("valkeys://h"), "TLS h 6379");
        assert_eq!(endpoint("redis+unix:///run/redis.sock"), "/run/redis.sock");
        assert_eq!(endpoint("unix:///run/redis.sock?db=2"), "/run/redis.sock");
        let handshake = Address::parse("redis://ann:s%40crt@h:1/3").unwrap().handshake;
        assert_eq!(handshake.db(), 3);
        assert_eq!(handshake.username(), Some("ann"));
        assert_eq!(handshake.password(), Some("s@crt"));
    }

    #[test]
    fn a_bad_address_is_refused_without_being_repeated() {
        for bad in [
            "",
            "hello",
            "http://h",
            "redis://:secret@",
            "redis://:secret@h/nine",
            "rediss://:secret@",
        ] {
            let text = endpoint(bad);
            assert!(text.starts_with("not a usable Redis address"), "{bad}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
