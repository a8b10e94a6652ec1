//! Reads the address of a Redis server.

use crate::sentinel::Sentinels;
use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use std::path::PathBuf;
use std::sync::Arc;

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

/// Which server is meant, or where to learn it.
pub(crate) enum Location {
    One(Address),
    /// Some nodes of a cluster, which know the others.
    Cluster(Vec<Address>),
    Sentinel(Arc<Sentinels>),
}

/// Most nodes or Sentinels that an address may name. Whoever is asked knows the others.
const NAMED_MAX: usize = 64;
const SENTINEL_PORT: u16 = 26379;

impl Location {
    /// Reads what [`Connections::open`](crate::Connections::open) takes.
    pub(crate) fn parse(text: &str) -> Result<Self, AddressError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Address::parse(text).map(Self::One);
        };
        let scheme = scheme.to_ascii_lowercase();
        let Some((plain, kind)) = scheme.split_once('+').filter(|(_, kind)| *kind != "unix") else {
            return Address::parse(text).map(Self::One);
        };
        if !matches!(plain, "redis" | "rediss" | "valkey" | "valkeys") {
            return Err(AddressError("expected redis+cluster:// or redis+sentinel://".into()));
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), authority),
        };
        let hosts: Vec<&str> = hosts.split(',').collect();
        if hosts.len() > NAMED_MAX {
            return Err(AddressError(format!("it names more than {NAMED_MAX} servers")));
        }
        match kind {
            "cluster" => {
                let seed = |host: &&str| Address::parse(&format!("{plain}://{user}{host}{tail}"));
                let seeds = hosts.iter().map(seed).collect::<Result<Vec<_>, _>>()?;
                if seeds.iter().any(|seed| seed.handshake.db() != 0) {
                    return Err(AddressError("a cluster has no database but 0".into()));
                }
                Ok(Self::Cluster(seeds))
            }
            "sentinel" => {
                Sentinels::parse(plain, &user, &hosts, tail).map(Arc::new).map(Self::Sentinel)
            }
            _ => Err(AddressError("expected redis+cluster:// or redis+sentinel://".into())),
        }
    }
}

impl Sentinels {
    /// `tail` is `/service[/db][?sentinel_user=…&sentinel_password=…]`.
    fn parse(scheme: &str, user: &str, hosts: &[&str], tail: &str) -> Result<Self, AddressError> {
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let mut segments = path.trim_start_matches('/').splitn(2, '/');
        let service = segments.next().unwrap_or_default();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if service.is_empty() || !service.bytes().all(plain) {
            return Err(AddressError(
                "expected redis+sentinel://host:port,host:port/service, where the service is the \
                 name by which the Sentinels know the primary"
                    .into(),
            ));
        }
        let given = |name: &str| {
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)
        };
        let part = |name| given(name).map(|(_, value)| value).unwrap_or_default();
        let who = match (part("sentinel_user"), part("sentinel_password")) {
            ("", "") => String::new(),
            (user, password) => format!("{user}:{password}@"),
        };
        let sentinel = |host: &&str| {
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
            let port = if has_port { String::new() } else { format!(":{SENTINEL_PORT}") };
            Address::parse(&format!("{scheme}://{who}{host}{port}"))
        };
        let sentinels = hosts.iter().map(sentinel).collect::<Result<Vec<_>, _>>()?;
        let database = segments.next().unwrap_or("0");
        let data = Address::parse(&format!("{scheme}://{user}primary/{database}"))?;
        Ok(Self::new(service.to_owned(), sentinels, data))
    }
}

impl Address {
    /// Another server to which one introduces oneself alike.
    pub(crate) fn elsewhere(&self, host: &str, port: u16) -> Self {
        let host = host.to_owned();
        let endpoint = match &self.endpoint {
            Endpoint::Tls { .. } => Endpoint::Tls { host, port },
            Endpoint::Tcp { .. } | Endpoint::Unix(_) => Endpoint::Tcp { host, port },
        };
        Self { endpoint, handshake: self.handshake.clone() }
    }

    /// Whether there is TLS.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.endpoint, Endpoint::Tls { .. })
    }

    /// Host and port.
    pub(crate) fn place(&self) -> (&str, u16) {
        match &self.endpoint {
            Endpoint::Tcp { host, port } | Endpoint::Tls { host, port } => (host, *port),
            Endpoint::Unix(path) => (path.to_str().unwrap_or_default(), 0),
        }
    }

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
