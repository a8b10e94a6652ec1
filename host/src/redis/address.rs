//! What can be read from a Redis address without opening it.

use std::path::Path;

use anyhow::{Result, bail};

/// The address without user, password and database, with its port: what a manifest's
/// `allowed_outbound_hosts` takes, and what a log may show.
///
/// # Errors
/// It is no address of a Redis server. The address is not repeated, it may hold a password.
pub(crate) fn without_secrets(url: &str) -> Result<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        bail!(
            "a Redis address looks like redis://HOST:PORT/DB, redis+cluster://HOST:PORT,HOST:PORT, \
             redis+sentinel://HOST:PORT,HOST:PORT/SERVICE or redis+unix:///PATH"
        );
    };
    let end = |stops: &[char]| rest.find(stops).unwrap_or(rest.len());
    match scheme {
        "redis+cluster" | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel" => {
            let (authority, _) = rest.split_at(end(&['/', '?', '#']));
            let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
            if hosts.split(',').any(str::is_empty) {
                bail!("the Redis address must name hosts, with commas between them");
            }
            Ok(format!("{scheme}://{hosts}"))
        }
        "redis" | "rediss" => {
            let (authority, _) = rest.split_at(end(&['/', '?', '#']));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            if host.is_empty() {
                bail!("the Redis address names no host");
            }
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
            Ok(format!("{scheme}://{host}{}", if has_port { "" } else { ":6379" }))
        }
        "redis+unix" | "unix" => {
            let (path, _) = rest.split_at(end(&['?', '#']));
            Ok(format!("{scheme}://{path}"))
        }
        _ => bail!(
            "a Redis address begins with redis://, rediss://, redis+cluster://, \
             redis+sentinel:// or redis+unix://, not {scheme}://"
        ),
    }
}

/// The address of a server on a unix socket. The path must be free of characters that a URL
/// would have to encode, see [`fits_into_address`].
pub(crate) fn of_socket(socket: &Path) -> String {
    format!("redis+unix://{}", socket.display())
}

/// Whether a path can stand in an address as it is.
pub(crate) fn fits_into_address(path: &Path) -> bool {
    path.to_str().is_some_and(|path| {
        path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+~@".contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_databases_are_left_out() {
        for (url, shown) in [
            ("redis://h", "redis://h:6379"),
            ("redis://h:1/3", "redis://h:1"),
            ("redis://user:p%40ss@h:1/3?protocol=resp3", "redis://h:1"),
            ("redis://:p@ss@h", "redis://h:6379"),
            ("rediss://:p@h/1", "rediss://h:6379"),
            ("redis://[::1]/0", "redis://[::1]:6379"),
            ("redis://[::1]:7/0", "redis://[::1]:7"),
            ("redis+unix:///run/r.sock?pass=x", "redis+unix:///run/r.sock"),
            ("redis+cluster://u:p@a:1,b:2/", "redis+cluster://a:1,b:2"),
            ("rediss+sentinel://:p@a,b/hub/1?sentinel_password=x", "rediss+sentinel://a,b"),
        ] {
            assert_eq!(without_secrets(url).unwrap(), shown, "{url}");
        }
    }

    #[test]
    fn a_bad_address_is_not_repeated() {
        for url in ["", "secret", "http://secret@h", "redis://secret@/1", "rediss://secret@"] {
            let error = without_secrets(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn only_plain_paths_fit() {
        assert!(fits_into_address(Path::new("/home/ann/.reef/redis.sock")));
        assert!(!fits_into_address(Path::new("/home/ann/my hub/redis.sock")));
        assert!(!fits_into_address(Path::new("/a%20b")));
    }
}
