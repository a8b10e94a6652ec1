//! Whether a request that acts by a cookie comes from the hub's own page.

use super::{AllowedHosts, Authority, HostName, Provenance, default_port, read_origin};
use crate::config::Config;
use crate::problem::{Code, Problem};

impl AllowedHosts {
    /// Whether it names the host of an origin, at the port that the entry says, or at the usual one.
    /// What listens on another port of a host is another's page.
    fn names_origin(&self, host: &HostName, port: Option<u16>, scheme: &str) -> bool {
        let fits = |entry: &&Authority| {
            entry.host == *host && port.is_some() && entry.port.or(default_port(scheme)) == port
        };
        self.entries.iter().any(|entry| fits(&entry))
    }
}

/// Refuses what a page does by its cookie unless it is the hub's own page: browsers say so, and whatever
/// says less is no page of this hub. Pages of `cors_origins` bring keys of their own.
///
/// `is_https`: it is known that the request came by TLS.
///
/// # Errors
/// 403, whose words say what is missing or wrong.
pub fn check_own_page(
    config: &Config,
    provenance: Provenance<'_>,
    is_https: bool,
) -> Result<(), Problem> {
    let Provenance { host, origin, fetch_site } = provenance;
    let refuse = |detail: &str| Err(Problem::new(Code::Forbidden, detail));
    if fetch_site.is_some_and(|site| !site.eq_ignore_ascii_case(b"same-origin")) {
        return refuse(
            "Sec-Fetch-Site is not same-origin: only the hub's own page may act by its cookie.",
        );
    }
    let Some(origin) = origin else {
        return refuse("Origin is missing: only the hub's own page may act by its cookie.");
    };
    let is_own = read_origin(origin).is_some_and(|(scheme, authority)| {
        let port = authority.port.or(default_port(scheme));
        let host = host.and_then(|host| std::str::from_utf8(host).ok()).and_then(Authority::parse);
        let is_host = host.is_some_and(|own| {
            own.host == authority.host && own.port.or(default_port(scheme)) == port
        });
        let is_public =
            config.public_url.as_ref().is_some_and(|it| it.is_origin(scheme, &authority));
        let has_right_scheme = !is_https || scheme.eq_ignore_ascii_case("https");
        let is_named = || config.allowed_hosts.names_origin(&authority.host, port, scheme);
        has_right_scheme && (is_host || is_public || is_named())
    });
    if is_own {
        return Ok(());
    }
    refuse(
        "Origin is not this hub: only its own page may act by its cookie. If this is the hub's page \
         behind a proxy, set public_url to its address.",
    )
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
    fn by_its_cookie_only_the_hubs_own_page_acts() {
        let plain = config(&[("cors_origins", "*,https://a.example")]);
        let named = config(&[("allowed_hosts", "hub.example, b.example:8443, *")]);
        let public = config(&[("public_url", "https://hub.example")]);
        for (config, host, origin, site, is_https, fits) in [
            (&plain, "h:8", "http://h:8", "same-origin", false, true),
            (&plain, "h:8", "http://h:8", "", false, true),
            (&plain, "h", "https://h", "Same-Origin", true, true),
            (&plain, "h:8", "http://h:8", "same-site", false, false),
            (&plain, "h:8", "http://h:8", "cross-site", false, false),
            (&plain, "h:8", "http://h:8", "none", false, false),
            (&plain, "h:8", "", "same-origin", false, false),
            (&plain, "h:8", "", "", false, false),
            (&plain, "h:8", "http://h:9", "", false, false),
            (&plain, "h:8", "http://x.h:8", "", false, false),
            (&plain, "h:8", "null", "", false, false),
            (&plain, "h:8", "https://a.example", "", false, false),
            (&plain, "h", "http://h", "same-origin", true, false),
            (&plain, "", "http://h", "", false, false),
            (&named, "10.0.0.1:8", "https://hub.example", "same-origin", true, true),
            (&named, "10.0.0.1:8", "https://b.example:8443", "", false, true),
            (&named, "10.0.0.1:8", "https://hub.example:444", "", false, false),
            (&named, "10.0.0.1:8", "https://b.example", "", false, false),
            (&named, "10.0.0.1:8", "https://c.example", "", false, false),
            (&public, "10.0.0.1:8", "https://hub.example", "", false, true),
            (&public, "10.0.0.1:8", "http://hub.example", "", false, false),
        ] {
            let given = |text: &'static str| Some(text.as_bytes()).filter(|text| !text.is_empty());
            let provenance =
                Provenance { host: given(host), origin: given(origin), fetch_site: given(site) };
            let refused = check_own_page(config, provenance, is_https).err();
            let refused = refused.map(|problem| problem.code);
            let case = format!("{host} {origin} {site} {is_https}");
            assert_eq!(refused, (!fits).then_some(Code::Forbidden), "{case}");
        }
    }
}
