//! `allowed_outbound_hosts`: which servers a component may talk to, by Spin's rules.

use anyhow::{Context, bail};
use std::net::IpAddr;
use url::{Host, Url};

/// The servers that a component may talk to.
#[derive(Debug, Default)]
pub(crate) struct AllowedHosts {
    entries: Vec<Entry>,
}

impl AllowedHosts {
    /// Reads the entries of a manifest.
    ///
    /// # Errors
    /// An entry that is not `scheme://host[:port]` (each part may be `*`, the host also `*.domain`
    /// or a range of addresses, the port a range `1000..2000`) nor the address of a unix socket.
    pub(crate) fn parse(entries: &[String]) -> anyhow::Result<Self> {
        let entry = |text: &String| {
            Entry::parse(text).with_context(|| format!("in allowed_outbound_hosts: {text:?}"))
        };
        Ok(Self { entries: entries.iter().map(entry).collect::<anyhow::Result<_>>()? })
    }

    /// Whether a component may open a connection to this address.
    pub(crate) fn allow(&self, address: &str) -> bool {
        if let Some(together) = together(address) {
            return self
                .entries
                .iter()
                .any(|it| matches!(it, Entry::Together(our) if *our == together));
        }
        let Ok(url) = Url::parse(address) else { return false };
        self.entries.iter().any(|entry| entry.allow(address, &url))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Network {
        scheme: Pattern,
        host: HostPattern,
        ports: Ports,
    },
    /// A unix socket, by its whole address. Spin has no such entries.
    Socket(String),
    /// Several servers that stand together, by scheme and all their places. Nor has it these.
    Together(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Exactly(String),
}

#[derive(Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    Exactly(String),
    /// Every host below a domain; the text begins with the dot.
    Below(String),
    /// The addresses that share their first `bits` with this one.
    Network {
        address: IpAddr,
        bits: u8,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Ports {
    Any,
    Range(std::ops::Range<u32>),
}

impl Entry {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((scheme, rest)) = text.split_once("://") else {
            bail!("expected scheme://host:port");
        };
        if let Some(together) = together(text) {
            return Ok(Self::Together(together));
        }
        if is_socket(scheme) {
            return Ok(Self::Socket(without_query(text).to_owned()));
        }
        let (host, ports) = split_port(rest);
        let host = HostPattern::parse(host)?;
        let ports = Ports::parse(ports, scheme)?;
        let scheme = match scheme {
            "*" => Pattern::Any,
            scheme => Pattern::Exactly(scheme.to_ascii_lowercase()),
        };
        Ok(Self::Network { scheme, host, ports })
    }

    fn allow(&self, address: &str, url: &Url) -> bool {
        match self {
            Self::Together(_) => false,
            Self::Socket(socket) => is_socket(url.scheme()) && without_query(address) == socket,
            Self::Network { scheme, host, ports } => {
                let port = url.port().or_else(|| default_port(url.scheme()));
                let scheme = match scheme {
                    Pattern::Any => true,
                    Pattern::Exactly(scheme) => scheme == url.scheme(),
                };
                let port = port.is_some_and(|port| ports.contain(port));
                scheme && port && url.host().is_some_and(|url| host.matches(&url))
            }
        }
    }
}

impl HostPattern {
    fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some((address, bits)) = text.split_once('/')
            && let (Ok(address), Ok(bits)) = (unbracketed(address).parse::<IpAddr>(), bits.parse())
        {
            let most = if address.is_ipv4() { 32 } else { 128 };
            if bits > most {
                bail!("a range of addresses has at most {most} bits");
            }
            return Ok(Self::Network { address, bits });
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.contains(['/', '?', '#']) {
            bail!("a path is not allowed here");
        }
        match text {
            "" => bail!("the host is missing"),
            "*" => Ok(Self::Any),
            _ => match text.strip_prefix('*') {
                Some(domain) if domain.starts_with('.') && !domain.contains('*') => {
                    Ok(Self::Below(domain.to_ascii_lowercase()))
                }
                None if !text.contains('*') => Ok(Self::Exactly(text.to_ascii_lowercase())),
                _ => bail!("a host may only begin with `*.`"),
            },
        }
    }

    fn matches(&self, host: &Host<&str>) -> bool {
        // Schemes that the URL standard does not know keep their host as it was written.
        let name = host.to_string().to_ascii_lowercase();
        match self {
            Self::Any => true,
            Self::Exactly(exactly) => *exactly == name,
            Self::Below(domain) => name.ends_with(domain.as_str()),
            Self::Network { address, bits } => unbracketed(&name)
                .parse::<IpAddr>()
                .is_ok_and(|host| shared_bits(*address, host) >= u32::from(*bits)),
        }
    }
}

impl Ports {
    fn parse(text: Option<&str>, scheme: &str) -> anyhow::Result<Self> {
        let number =
            |text: &str| text.parse::<u16>().with_context(|| format!("{text:?} is not a port"));
        match text {
            Some("*") => Ok(Self::Any),
            Some(range) if range.contains("..") => {
                let (from, to) = range.split_once("..").unwrap_or_default();
                Ok(Self::Range(u32::from(number(from)?)..u32::from(number(to)?)))
            }
            Some(port) => Ok(Self::single(number(port)?)),
            None if scheme == "*" => Ok(Self::Any),
            None => match default_port(scheme) {
                Some(port) => Ok(Self::single(port)),
                None => bail!("the port is missing: {scheme} has no default"),
            },
        }
    }

    fn single(port: u16) -> Self {
        Self::Range(u32::from(port)..u32::from(port) + 1)
    }

    fn contain(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Range(range) => range.contains(&u32::from(port)),
        }
    }
}

fn is_socket(scheme: &str) -> bool {
    matches!(scheme, "redis+unix" | "unix")
}

/// The nodes of a cluster, or Sentinels, as far as they are part of where something is: without
/// credentials and what comes behind them.
fn together(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (_, kind) = scheme.split_once('+')?;
    if !matches!(kind, "cluster" | "sentinel") {
        return None;
    }
    let (authority, _) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let places = authority.rsplit_once('@').map_or(authority, |(_, places)| places);
    Some(format!("{scheme}://{}", places.to_ascii_lowercase()))
}

/// The database and the credentials are not part of where a socket is.
fn without_query(address: &str) -> &str {
    address.split_once('?').map_or(address, |(address, _)| address)
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "redis" | "rediss" => Some(6379),
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "mqtt" => Some(1883),
        _ => None,
    }
}

/// Cuts the port off; the colons of an IPv6 address stand in brackets.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let start = text.rfind(']').unwrap_or(0);
    match text.get(start..).and_then(|tail| tail.rfind(':')) {
        Some(colon) => {
            let (host, port) = text.split_at(start + colon);
            (host, port.strip_prefix(':').map(|port| port.strip_suffix('/').unwrap_or(port)))
        }
        None => (text, None),
    }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// How many leading bits two addresses have in common; none across the two families.
fn shared_bits(one: IpAddr, other: IpAddr) -> u32 {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: &str, allowed: &[&str], denied: &[&str]) {
        let hosts = AllowedHosts::parse(&[entry.to_owned()]).unwrap();
        for address in allowed {
            assert!(hosts.allow(address), "{entry} should allow {address}");
        }
        for address in denied {
            assert!(!hosts.allow(address), "{entry} should deny {address}");
        }
    }

    #[test]
    fn scheme_host_and_port_must_match() {
        check(
            "redis://127.0.0.1:6379",
            &["redis://127.0.0.1:6379/0", "redis://127.0.0.1", "redis://u:p@127.0.0.1/3"],
            &["redis://127.0.0.1:6380", "redis://127.0.0.2", "rediss://127.0.0.1:6379", "nonsense"],
        );
        check("rediss://h:6379", &["rediss://:p@h:6379/1", "rediss://h"], &["redis://h:6379"]);
        check("redis://Cache.Test", &["redis://cache.test:6379"], &["redis://cache.test:1"]);
        check("redis://h/", &["redis://h"], &[]);
        check("redis://h:7000/", &["redis://h:7000"], &["redis://h"]);
        check("redis://[::1]:7000", &["redis://[::1]:7000/1"], &["redis://[::2]:7000"]);
    }

    #[test]
    fn a_star_stands_for_any_part() {
        check("*://*:*", &["redis://h:1", "redis://h"], &["redis+unix:///s"]);
        check("redis://*:6379", &["redis://a", "redis://b.c"], &["redis://a:1"]);
        check("redis://*.test", &["redis://a.test", "redis://a.b.test"], &["redis://test"]);
        check("redis://h:*", &["redis://h:1", "redis://h"], &["redis://i:1"]);
        check("redis://h:7000..7002", &["redis://h:7000", "redis://h:7001"], &["redis://h:7002"]);
        check("redis://10.0.0.0/8:6379", &["redis://10.9.8.7"], &["redis://11.0.0.1"]);
        check("redis://0.0.0.0/0:6379", &["redis://10.9.8.7"], &["redis://h"]);
    }

    #[test]
    fn a_unix_socket_is_allowed_by_its_address() {
        check(
            "redis+unix:///run/r.sock",
            &["redis+unix:///run/r.sock", "redis+unix:///run/r.sock?db=1"],
            &["redis+unix:///run/other.sock", "unix:///run/r.sock", "redis://run"],
        );
    }

    #[test]
    fn servers_that_stand_together_are_allowed_together() {
        check(
            "redis+cluster://a:1,b:2",
            &["redis+cluster://a:1,b:2/", "redis+cluster://u:p@a:1,B:2"],
            &["redis+cluster://a:1,b:2,c:3", "rediss+cluster://a:1,b:2", "redis://a:1"],
        );
        check("redis+sentinel://a:1", &["redis+sentinel://a:1/hub/3"], &["redis+cluster://a:1"]);
        check("*://*:*", &[], &["redis+cluster://a:1"]);
    }

    #[test]
    fn entries_that_spin_refuses_are_refused() {
        for bad in ["", "h:1", "redis://", "redis://h:6379/0", "redis://h/0", "other://h"] {
            assert!(AllowedHosts::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
        for bad in ["redis://a.*", "redis://h:x", "redis://h:1..x", "redis://10.0.0.0/33:1"] {
            assert!(AllowedHosts::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
