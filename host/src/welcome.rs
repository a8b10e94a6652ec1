//! What `reef up` tells whoever has started it: the page, signed in, and the first two commands.
//!
//! It goes past the log, which others may read: the link in it is as good as the key for a minute.

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};

use reef_redis::Connection;
use reef_store::Store;
use reef_web::config::AuthMode;
use reef_web::edge::PublicUrl;

use crate::config::{self, AdminKey, Config, Welcome};
use crate::http::ui_session;
use crate::logging;

/// Where `reef` looks for a hub by itself.
const USUAL_HUB: &str = "http://127.0.0.1:8888";
/// Where it looks for the admin key by itself.
const USUAL_STATE_DIR: &str = ".reef";

/// Says it, if somebody is there to read it or has asked for it.
pub(crate) async fn say(
    config: &Config,
    scheme: &str,
    listens: SocketAddr,
    store: &Store<Connection>,
    web: &reef_web::Config,
) {
    let is_wanted = match config.welcome {
        Welcome::Asked => true,
        Welcome::People => std::io::stderr().is_terminal() && !logging::is_json(),
        Welcome::Nobody => false,
    };
    if !is_wanted {
        return;
    }
    let hub = format!("{scheme}://{}", reachable(listens));
    let public = web.public_url.as_ref().map_or(hub.as_str(), PublicUrl::as_str);
    let page = format!("{public}/");
    let signed_in = if web.admin_key.is_none() || web.auth_mode == AuthMode::Open {
        None
    } else {
        match ui_session::admin_link(store, &page).await {
            Ok(link) => Some(link),
            Err(reason) => {
                tracing::warn!("there is no sign-in link: {reason}");
                None
            }
        }
    };
    logging::say_aside(&text(&page, signed_in.as_deref(), &flags(config, &hub)));
}

fn text(page: &str, signed_in: Option<&str>, flags: &str) -> String {
    let page = match signed_in {
        Some(link) => {
            format!("The page, signed in (this link is good once, for a minute):\n  {link}")
        }
        None => format!("The page:\n  {page}"),
    };
    format!(
        "\n{page}\nNext, in another terminal:\n  reef agents register alice --save alice.key{flags}\n  \
         reef events tail{flags}\n"
    )
}

/// An address at which a browser of this machine finds the hub.
fn reachable(listens: SocketAddr) -> SocketAddr {
    if listens.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listens.port())
    } else {
        listens
    }
}

/// What the commands need to find this hub and its key, where they would not by themselves.
fn flags(config: &Config, hub: &str) -> String {
    let mut flags = String::new();
    if hub != USUAL_HUB {
        flags.push_str(&format!(" --hub {hub}"));
    }
    if let Some(serving) = &config.serving {
        let file = match &serving.admin_key {
            AdminKey::File(file) => Some(file.clone()),
            AdminKey::StateDir if serving.state_dir.as_os_str() != USUAL_STATE_DIR => {
                Some(config::admin_key_file(&serving.state_dir))
            }
            AdminKey::StateDir | AdminKey::Variable => None,
        };
        if let Some(file) = file {
            flags.push_str(&format!(" --key-file {}", file.display()));
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_all_is_one_for_this_machine() {
        for (listens, shown) in [
            ("0.0.0.0:8888", "127.0.0.1:8888"),
            ("[::]:1", "127.0.0.1:1"),
            ("10.0.0.5:8888", "10.0.0.5:8888"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), shown);
        }
    }

    #[test]
    fn the_commands_stand_on_lines_of_their_own() {
        let text = text("http://h/", None, " --hub http://h");
        assert!(text.contains("\n  reef events tail --hub http://h\n"), "{text}");
        assert!(!text.contains("sign-in"), "{text}");
    }
}
