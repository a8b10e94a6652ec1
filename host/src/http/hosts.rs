//! Which hosts this host answers to, and which requests a stranger's page has made.

use std::net::SocketAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};
use reef_web::edge::{self, Authority, HostName, Provenance};
use reef_web::{Code, Config, Problem};

/// The hosts by which requests may call this host, beside `allowed_hosts` and `public_url`.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// Only those of this machine, and these.
    listens: Vec<HostName>,
    /// Nobody but this machine reaches it.
    is_loopback: bool,
}

impl Hosts {
    /// Of the host that was asked for and the address that it came to.
    pub(crate) fn new(asked: &str, address: SocketAddr) -> Self {
        let mut listens = vec![HostName::Ip(address.ip().to_canonical())];
        listens.extend(Authority::parse(asked).map(|authority| authority.host));
        Self { listens, is_loopback: address.ip().to_canonical().is_loopback() }
    }

    /// Refuses a request that says no host, or one by which this host is not called, or that a page
    /// of another origin has made. The `Host` header has the request's host then, whatever form
    /// the request came in.
    ///
    /// # Errors
    /// 400, 421 or 403.
    pub(crate) fn check(&self, config: &Config, parts: &mut Parts) -> Result<(), Problem> {
        settle_host(parts)?;
        let host = parts.headers.get(HOST).map(HeaderValue::as_bytes);
        if let Some(host) = host
            && (self.is_loopback || !config.allowed_hosts.is_empty())
            && !self.knows(config, &edge::read_host(host)?)
        {
            return Err(edge::misdirected());
        }
        if !edge::is_write(parts.method.as_str()) {
            return Ok(());
        }
        let header = |name: &str| parts.headers.get(name).map(HeaderValue::as_bytes);
        let origin = parts.headers.get(ORIGIN).map(HeaderValue::as_bytes);
        edge::check_origin(
            config,
            Provenance { host, origin, fetch_site: header("sec-fetch-site") },
        )
    }

    fn knows(&self, config: &Config, authority: &Authority) -> bool {
        let is_address = matches!(authority.host, HostName::Ip(_));
        authority.host.is_this_machine()
            || self.listens.contains(&authority.host)
            || edge::is_named(config, authority)
            // An address cannot be pointed elsewhere, and probes call a machine by it.
            || (!self.is_loopback && is_address)
    }
}

/// Makes `Host` the one host of the request (RFC 9112 §3.2).
fn settle_host(parts: &mut Parts) -> Result<(), Problem> {
    let unreadable = |detail: &str| Err(Problem::new(Code::MalformedRequest, detail));
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return unreadable("The request has more than one Host header.");
    }
    let is_missing = host.is_none_or(HeaderValue::is_empty);
    if parts.version == Version::HTTP_11 && is_missing {
        return unreadable("A request of HTTP/1.1 needs a Host header.");
    }
    if parts.version == Version::HTTP_2 && is_missing && parts.uri.authority().is_none() {
        return unreadable("A request of HTTP/2 needs an :authority.");
    }
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        edge::read_host(host.as_bytes())?;
    }
    // In a target with a host that one counts, and the header does not.
    if let Some(authority) = parts.uri.authority() {
        edge::read_host(authority.as_str().as_bytes())?;
        let value = HeaderValue::from_str(authority.as_str());
        let value = value.map_err(|error| Problem::internal(error.to_string()))?;
        parts.headers.insert(HOST, value);
    }
    Ok(())
}

/// A header as text, if it is text.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(allowed: &str) -> Config {
        Config::read(|name| match name {
            "allowed_hosts" => allowed.to_owned(),
            _ => String::new(),
        })
        .unwrap()
    }

    fn check(hosts: &Hosts, allowed: &str, target: &str, given: &[&str]) -> Option<Code> {
        let mut request = http::Request::builder().uri(target);
        for host in given {
            request = request.header("host", *host);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        hosts.check(&config(allowed), &mut parts).err().map(|problem| problem.code)
    }

    #[test]
    fn on_a_loopback_address_only_this_machine_is_called() {
        let hosts = Hosts::new("hub.lab:8888", "127.0.0.1:8888".parse().unwrap());
        for good in
            ["localhost", "LOCALHOST:9", "127.0.0.1:8888", "127.8.8.8", "[::1]:1", "hub.lab"]
        {
            assert_eq!(check(&hosts, "", "/", &[good]), None, "{good}");
        }
        for bad in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0", "a.localhost"]
        {
            assert_eq!(check(&hosts, "", "/", &[bad]), Some(Code::Misdirected), "{bad}");
        }
        assert_eq!(check(&hosts, "evil.example", "/", &["evil.example:1"]), None);
        assert_eq!(check(&hosts, "*", "/", &["evil.example"]), None);
    }

    #[test]
    fn elsewhere_names_are_looked_at_where_some_are_given() {
        let hosts = Hosts::new("0.0.0.0:8888", "0.0.0.0:8888".parse().unwrap());
        assert_eq!(check(&hosts, "", "/", &["anything.example"]), None);
        for good in ["hub.example", "localhost", "10.0.0.1:8888"] {
            assert_eq!(check(&hosts, "hub.example", "/", &[good]), None, "{good}");
        }
        assert_eq!(check(&hosts, "hub.example", "/", &["b.example"]), Some(Code::Misdirected));
    }

    #[test]
    fn a_request_has_one_host() {
        let hosts = Hosts::new("127.0.0.1:1", "127.0.0.1:1".parse().unwrap());
        assert_eq!(check(&hosts, "", "/", &[]), Some(Code::MalformedRequest));
        assert_eq!(check(&hosts, "", "/", &[""]), Some(Code::MalformedRequest));
        assert_eq!(
            check(&hosts, "", "/", &["localhost", "localhost"]),
            Some(Code::MalformedRequest)
        );
        assert_eq!(check(&hosts, "", "/", &["a b"]), Some(Code::InvalidParameter));
        assert_eq!(check(&hosts, "", "/", &["x@localhost"]), Some(Code::InvalidParameter));
        let absolute = |target: &str, host: &str| check(&hosts, "", target, &[host]);
        assert_eq!(absolute("http://localhost:1/x", "evil.example"), None);
        assert_eq!(absolute("http://evil.example/x", "localhost"), Some(Code::Misdirected));
    }
}
