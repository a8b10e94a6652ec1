//! By which names a hub is called, and from which pages: what keeps a browser from being used
//! against it.
//!
//! A page of a stranger can make a browser on the hub's machine or network send requests. Two rules
//! stand against that. *Host*: a name that the attacker has pointed at the hub's address (DNS
//! rebinding) is not one of the hub's. *Origin*: browsers say which page a request that changes
//! something comes from.

mod own_page;

use std::net::{IpAddr, Ipv6Addr};

use reef_domain::limits::{BLOCK_BYTES_MAX, BODY_BYTES_MAX};
use reef_store::variables::BadVariable;

use crate::config::Config;
use crate::problem::{Code, Problem};

pub use own_page::check_own_page;

/// A host, as it is in `Host` or in an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// An address.
    Ip(IpAddr),
    /// A name in lower case, without a final dot.
    Name(String),
}

impl HostName {
    /// Whether it can only mean this machine.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

/// A host and perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: HostName,
    /// The port, if it is named.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                (HostName::Ip(address.parse::<Ipv6Addr>().ok()?.to_canonical()), rest)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (host, rest) = text.split_at(end);
                (name_or_address(host)?, rest)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        Some(Self { host, port })
    }
}

fn name_or_address(text: &str) -> Option<HostName> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(HostName::Ip(ip.to_canonical()));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let is_name = !name.is_empty() && name.bytes().all(fits);
    is_name.then(|| HostName::Name(name.to_ascii_lowercase()))
}

/// The variable `allowed_hosts`: the names by which a hub is called beside those of its machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    any: bool,
    entries: Vec<Authority>,
}

impl AllowedHosts {
    /// Reads hosts with commas between; `*` for all.
    ///
    /// # Errors
    /// One of them is none.
    pub fn parse(text: &str) -> Result<Self, BadVariable> {
        let mut allowed = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match Authority::parse(entry) {
                _ if entry == "*" => allowed.any = true,
                Some(authority) => allowed.entries.push(authority),
                None => {
                    let rule = format!(
                        "has {entry:?}; use names such as hub.example or hub.example:8443 with \
                         commas between, or *"
                    );
                    return Err(BadVariable::new("allowed_hosts", rule));
                }
            }
        }
        Ok(allowed)
    }

    /// Whether the variable says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.any && self.entries.is_empty()
    }

    /// Whether it names this one. An entry without a port stands for every port.
    #[must_use]
    pub fn has(&self, authority: &Authority) -> bool {
        self.any || self.names(authority)
    }

    fn names(&self, authority: &Authority) -> bool {
        self.entries.iter().any(|entry| {
            let fits = entry.port.is_none() || entry.port == authority.port;
            entry.host == authority.host && fits
        })
    }
}

/// The variable `public_url`: where the hub is found from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    port: u16,
    host: HostName,
}

impl PublicUrl {
    /// Reads a scheme, a host and perhaps a port; `None` for an empty text.
    ///
    /// # Errors
    /// It is something else. A path is refused, too: the hub's page and its clients know none.
    pub fn parse(text: &str) -> Result<Option<Self>, BadVariable> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let read = read_origin(text.as_bytes());
        match read.and_then(|(scheme, it)| Some((it.port.or(default_port(scheme))?, it.host))) {
            Some((port, host)) => Ok(Some(Self { text: text.to_owned(), port, host })),
            None => {
                let rule = format!(
                    "is {text:?}; use http:// or https:// and a host, such as https://hub.example, \
                     without a path"
                );
                Err(BadVariable::new("public_url", rule))
            }
        }
    }

    /// Without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn is_origin(&self, scheme: &str, authority: &Authority) -> bool {
        let is_scheme =
            self.text.split_once("://").is_some_and(|(own, _)| own.eq_ignore_ascii_case(scheme));
        let port = authority.port.or(default_port(scheme));
        is_scheme && authority.host == self.host && port == Some(self.port)
    }
}

/// Whether `allowed_hosts` or `public_url` names this host. A proxy may pass on the public name with a
/// port of its own.
#[must_use]
pub fn is_named(config: &Config, authority: &Authority) -> bool {
    let is_public = config.public_url.as_ref().is_some_and(|it| it.host == authority.host);
    is_public || config.allowed_hosts.has(authority)
}

/// Reads the host that a request is for.
///
/// # Errors
/// 400 if it is none.
pub fn read_host(text: &[u8]) -> Result<Authority, Problem> {
    std::str::from_utf8(text)
        .ok()
        .and_then(Authority::parse)
        .ok_or_else(|| Problem::parameter("Host", "must be a host name or an address"))
}

/// The rule for hosts where nothing is known about the address that is listened on, as under Spin:
/// with `allowed_hosts` set, only the names in it and those of this machine are answered. An address
/// is no name, and cannot be pointed elsewhere.
///
/// # Errors
/// 400 for what is no host, 421 for a name that is not allowed.
pub fn check_host(config: &Config, host: Option<&[u8]>) -> Result<(), Problem> {
    let Some(host) = host.filter(|_| !config.allowed_hosts.is_empty()) else { return Ok(()) };
    let authority = read_host(host)?;
    let is_known = matches!(authority.host, HostName::Ip(_))
        || authority.host.is_this_machine()
        || is_named(config, &authority);
    if is_known { Ok(()) } else { Err(misdirected()) }
}

/// A host by which the hub is not called.
#[must_use]
pub fn misdirected() -> Problem {
    Problem::new(
        Code::Misdirected,
        "This hub does not answer to the host of this request. If it is a name of the hub, set the \
         variable allowed_hosts to it, or public_url to its address.",
    )
}

/// The largest body that a route takes, before a component has been asked. A test compares it with the
/// tables of all components.
#[must_use]
pub fn body_max(method: &str, path: &str) -> usize {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.strip_prefix("/api/v1/").unwrap_or_default().split('/');
    let mut next = || segments.next().unwrap_or_default();
    match (method, next(), next(), next(), next(), next()) {
        // What holds a content block.
        ("POST", "messages", _, "content", "", "")
        | ("PATCH", "messages", _, "tasks", _, "")
        | ("POST", "tasks", _, "complete", "", "") => BLOCK_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    }
}

/// Whether a method changes something.
#[must_use]
pub fn is_write(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// What a browser says about the page that a request comes from, and the host that it is for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Provenance<'a> {
    /// The host of the request.
    pub host: Option<&'a [u8]>,
    /// `Origin`.
    pub origin: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a [u8]>,
}

/// Refuses a write that a page of another origin has caused. Programs send neither header.
///
/// # Errors
/// 403 for such a write.
pub fn check_origin(config: &Config, provenance: Provenance<'_>) -> Result<(), Problem> {
    let Provenance { host, origin, fetch_site } = provenance;
    let listed = |origin: &[u8]| {
        config.cors_origins.iter().any(|one| one == "*" || one.as_bytes() == origin)
    };
    if origin.is_some_and(listed) {
        return Ok(());
    }
    let is_foreign_site = fetch_site.is_some_and(|site| {
        site.eq_ignore_ascii_case(b"cross-site") || site.eq_ignore_ascii_case(b"same-site")
    });
    let is_foreign = match origin.map(|origin| (origin, read_origin(origin))) {
        None => is_foreign_site,
        Some((_, None)) => true,
        Some((_, Some((scheme, authority)))) => {
            // Behind a proxy the hub may see another host than the browser does.
            let is_named = config.allowed_hosts.names(&Authority {
                port: authority.port.or(default_port(scheme)),
                host: authority.host.clone(),
            }) || config.allowed_hosts.names(&authority)
                || config.public_url.as_ref().is_some_and(|url| url.is_origin(scheme, &authority));
            let own = host.and_then(|host| std::str::from_utf8(host).ok());
            let own = own.and_then(Authority::parse);
            let port = |authority: &Authority| authority.port.or(default_port(scheme));
            let is_own =
                own.is_some_and(|own| own.host == authority.host && port(&own) == port(&authority));
            !is_named && (!is_own || is_foreign_site)
        }
    };
    if !is_foreign {
        return Ok(());
    }
    Err(Problem::new(
        Code::Forbidden,
        "A page of another origin may not change anything here. If the page is to be trusted, set \
         the variable cors_origins to its origin; if it is the hub's own behind a proxy, set \
         public_url to its address.",
    ))
}

/// Scheme and authority of an origin; `None` for `null` and whatever else is none.
fn read_origin(origin: &[u8]) -> Option<(&str, Authority)> {
    let (scheme, authority) = std::str::from_utf8(origin).ok()?.split_once("://")?;
    Some((scheme, Authority::parse(authority)?))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Config {
        Config::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map_or(String::new(), |(_, value)| (*value).to_owned())
        })
        .unwrap()
    }

    #[test]
    fn hosts_are_read_as_they_are_written() {
        for (text, same) in [
            ("LocalHost.:80", "localhost:80"),
            ("127.0.0.1", "127.0.0.1:"),
            ("[::1]:8", "[0:0:0:0:0:0:0:1]:8"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
        ] {
            assert_eq!(Authority::parse(text).unwrap(), Authority::parse(same).unwrap());
        }
        for bad in
            ["", ":80", "a:b", "a:70000", "::1", "[::1", "[x]", "a@b", "a b", "a/b", "é", "."]
        {
            assert_eq!(Authority::parse(bad), None, "{bad}");
        }
        for (text, is_this_machine) in [
            ("localhost", true),
            ("127.255.0.9", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost.evil.example", false),
            ("evil.localhost", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(Authority::parse(text).unwrap().host.is_this_machine(), is_this_machine);
        }
    }

    #[test]
    fn the_variable_names_hosts_with_and_without_a_port() {
        let allowed = AllowedHosts::parse("hub.example, b.example:8443").unwrap();
        for (text, fits) in [
            ("hub.example", true),
            ("HUB.example:1", true),
            ("b.example:8443", true),
            ("b.example", false),
            ("x.hub.example", false),
        ] {
            assert_eq!(allowed.has(&Authority::parse(text).unwrap()), fits, "{text}");
        }
        assert!(AllowedHosts::parse("").unwrap().is_empty());
        assert!(AllowedHosts::parse("http://hub").unwrap_err().name == "allowed_hosts");
    }

    #[test]
    fn the_public_address_is_a_scheme_a_host_and_a_port() {
        for (text, is) in [
            ("https://hub.example", "https://hub.example"),
            (" http://10.0.0.5:8888/ ", "http://10.0.0.5:8888"),
            ("https://[::1]:1", "https://[::1]:1"),
        ] {
            assert_eq!(PublicUrl::parse(text).unwrap().unwrap().as_str(), is);
        }
        assert_eq!(PublicUrl::parse("").unwrap(), None);
        for bad in [
            "hub.example",
            "ftp://hub.example",
            "https://",
            "https://h/x",
            "https://a@h",
            "https://h?x",
        ] {
            let refused = PublicUrl::parse(bad).unwrap_err();
            assert!(refused.to_string().starts_with("public_url is "), "{bad}: {refused}");
        }
    }

    #[test]
    fn the_public_address_names_a_host_and_leaves_other_names_alone() {
        let public = config(&[("public_url", "https://hub.example:8443")]);
        for host in ["hub.example", "HUB.example:8443", "hub.example:1"] {
            assert!(is_named(&public, &Authority::parse(host).unwrap()), "{host}");
        }
        assert!(!is_named(&public, &Authority::parse("evil.example").unwrap()));
        assert!(check_host(&public, Some(b"reef.internal")).is_ok());
        let both = config(&[("public_url", "https://hub.example"), ("allowed_hosts", "a.example")]);
        assert!(check_host(&both, Some(b"hub.example")).is_ok());
        assert!(check_host(&both, Some(b"b.example")).is_err());
    }

    #[test]
    fn without_an_address_to_go_by_names_are_checked_where_some_are_given() {
        let open = config(&[]);
        assert!(check_host(&open, Some(b"evil.example")).is_ok());
        let named = config(&[("allowed_hosts", "hub.example")]);
        for host in ["hub.example:1", "localhost", "10.0.0.1:80"] {
            assert!(check_host(&named, Some(host.as_bytes())).is_ok(), "{host}");
        }
        let refused = check_host(&named, Some(b"evil.example")).unwrap_err();
        assert_eq!(refused.code, Code::Misdirected);
        assert_eq!(check_host(&named, Some(b"a b")).unwrap_err().code, Code::InvalidParameter);
    }

    #[test]
    fn a_write_comes_from_a_program_the_hubs_own_page_or_one_that_is_listed() {
        let plain = config(&[]);
        let proxied = config(&[("allowed_hosts", "hub.example")]);
        let listed = config(&[("cors_origins", "https://a.example")]);
        let public = config(&[("public_url", "https://hub.example")]);
        for (config, host, origin, site, fits) in [
            (&plain, "h:8", "", "", true),
            (&plain, "h:8", "", "none", true),
            (&plain, "h:8", "", "same-origin", true),
            (&plain, "h:8", "", "cross-site", false),
            (&plain, "h:8", "", "same-site", false),
            (&plain, "h:8", "http://h:8", "same-origin", true),
            (&plain, "H:80", "http://h", "", true),
            (&plain, "h", "https://h:443", "", true),
            (&plain, "h:8", "http://h:8", "cross-site", false),
            (&plain, "h:8", "http://h:9", "", false),
            (&plain, "h:8", "http://evil.example", "", false),
            (&plain, "h:8", "null", "", false),
            (&plain, "h:8", "nonsense", "", false),
            (&proxied, "127.0.0.1:8", "https://hub.example", "same-origin", true),
            (&proxied, "127.0.0.1:8", "https://b.example", "", false),
            (&public, "127.0.0.1:8", "https://hub.example", "same-origin", true),
            (&public, "127.0.0.1:8", "https://hub.example:443", "", true),
            (&public, "127.0.0.1:8", "http://hub.example", "", false),
            (&public, "127.0.0.1:8", "https://hub.example:8443", "", false),
            (&listed, "h:8", "https://a.example", "cross-site", true),
            (&listed, "h:8", "https://b.example", "cross-site", false),
        ] {
            let given = |text: &'static str| Some(text.as_bytes()).filter(|text| !text.is_empty());
            let provenance =
                Provenance { host: given(host), origin: given(origin), fetch_site: given(site) };
            let refused = check_origin(config, provenance).err().map(|problem| problem.code);
            assert_eq!(refused, (!fits).then_some(Code::Forbidden), "{host} {origin} {site}");
        }
    }
}
