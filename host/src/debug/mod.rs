//! The debug bundle: what whoever helps from afar asks for, in one answer of `GET /debug`.
//!
//! It is bounded, and shows no secret: what is known to be one is left out, and every text is looked
//! through for those that may have come into it by another way.

mod secrets;

use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use reef_redis::Connection;
use reef_settings::redis::masked;
use reef_store::Store;
use reef_store::variables::VARIABLES;
use serde_json::{Map, Value, json};

use self::secrets::Secrets;
use crate::carried::BUILT;
use crate::config::Config;
use crate::logging;
use crate::manifest::variables::Variables;
use crate::redis::inspect;

/// Most bytes of the metrics.
const METRICS_BYTES: usize = 1 << 20;
/// Most bytes of what one server says of itself, and most servers.
const INFO_BYTES: usize = 64 << 10;
const SERVERS: usize = 16;

/// What is shown for a secret.
const MASK: &str = "********";

/// What does not change while a host runs, and where the rest is asked.
#[derive(Debug)]
pub(crate) struct Debug {
    started: Instant,
    host: Value,
    configuration: Value,
    variables: Value,
    secrets: Secrets,
    store: Store<Connection>,
}

impl Debug {
    /// Of a host with this configuration. `role` is the subcommand.
    pub(crate) fn new(
        role: &str,
        config: &Config,
        variables: &Variables,
        store: Store<Connection>,
    ) -> Self {
        let host = json!({
            "role": role,
            "listen": config.asked_listen,
            "tls": config.tls.is_some(),
            "process": std::process::id(),
            "built": *BUILT,
        });
        let secrets = Secrets::of(config, variables);
        let configuration = config.shown.clone();
        let variables = shown(variables);
        Self { started: Instant::now(), host, configuration, variables, secrets, store }
    }

    /// The bundle; `readiness` and `metrics` are what the routes of these names answer.
    pub(crate) async fn bundle(&self, readiness: Value, metrics: &str) -> Value {
        let (log, dropped) = (logging::recent(), logging::lines_dropped());
        let mut bundle = json!({
            "success": true,
            "at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            "up_seconds": self.started.elapsed().as_secs(),
            "host": self.host,
            "configuration": self.configuration,
            "variables": self.variables,
            "readiness": readiness,
            "redis": self.redis().await,
            "metrics": cut(metrics, METRICS_BYTES),
            "log": log,
            "log_lines_dropped": dropped,
        });
        self.secrets.mask(&mut bundle);
        bundle
    }

    /// What each server says of itself.
    async fn redis(&self) -> Value {
        let said = async {
            let mut servers = Vec::new();
            for server in self.store.redis().primaries().await?.iter().take(SERVERS) {
                let info = inspect::info(server).await?;
                servers.push(json!({ "info": cut(&info, INFO_BYTES) }));
            }
            Ok::<_, reef_redis::Error>(servers)
        };
        match said.await {
            Ok(servers) => json!({ "servers": servers }),
            Err(error) => json!({ "error": error.to_string() }),
        }
    }
}

/// The variables as they count here. Of what only this manifest has, nothing is known.
fn shown(variables: &Variables) -> Value {
    let mut all = Map::new();
    for variable in VARIABLES {
        let Some(value) = variables.get(variable.name) else { continue };
        let value = match variable.name {
            _ if variable.is_secret && !value.is_empty() => MASK.to_owned(),
            "redis_url" | "redis_allow" => masked(value),
            _ => value.to_owned(),
        };
        all.insert(variable.name.to_owned(), value.into());
    }
    all.into()
}

/// The beginning of a text, up to the end of a line.
fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let start = text.get(..text.floor_char_boundary(most)).unwrap_or_default();
    start.rsplit_once('\n').map_or(start, |(lines, _)| lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_with_a_line() {
        assert_eq!(cut("a\nb\n", 9), "a\nb\n");
        assert_eq!(cut("a\nbcd", 4), "a");
        assert_eq!(cut("äöü", 3), "ä");
    }
}
