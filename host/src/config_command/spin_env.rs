//! `reef config spin-env`.

use std::path::PathBuf;

use clap::Args;
use reef_settings::{Origin, Settings, VARIABLES};

use crate::admin_key;
use crate::failure::Failure;
use crate::redis::address;
use crate::reef_toml::overridden_by;

#[derive(Debug, Args)]
pub(super) struct SpinEnvArgs {
    /// Also print the admin key that this file holds
    #[arg(long, env = "REEF_ADMIN_KEY_FILE", value_name = "FILE")]
    admin_key_file: Option<PathBuf>,
}

pub(super) fn render(settings: &Settings, args: &SpinEnvArgs) -> Result<String, Failure> {
    let Some(redis) = settings.redis().map_err(Failure::usage)? else {
        return Err(Failure::usage(
            "no Redis is given, and Spin runs none: set REDIS_URL, or host and password in \
             config/secrets.json",
        ));
    };
    let allow = address::without_secrets(&redis.url).map_err(Failure::Usage)?;
    let mut lines = vec![("redis_url".to_owned(), redis.url), ("redis_allow".to_owned(), allow)];
    if let Some(file) = &args.admin_key_file {
        lines.push(("admin_key".to_owned(), admin_key::read(file).map_err(Failure::Usage)?));
    }
    for (setting, variable) in
        [("auth_mode", "auth_mode"), ("node.heartbeat_ttl", "heartbeat_ttl_seconds")]
    {
        if let Some(value) = settings.given(setting).filter(|it| it.origin != Origin::Default) {
            lines.push((variable.to_owned(), value.text.clone()));
        }
    }
    if let Some(toml) = settings.toml() {
        for entry in toml.entries().iter().filter(|entry| entry.is_set()) {
            // Those of the environment are there already.
            if let Some(name) = entry.key.strip_prefix(VARIABLES)
                && overridden_by(&entry.key).is_none()
                && !lines.iter().any(|(known, _)| known == name)
            {
                lines.push((name.to_owned(), entry.text()));
            }
        }
    }
    // A shell that splits the output into words must get each of them whole.
    if let Some((name, _)) = lines.iter().find(|(_, value)| value.contains(char::is_whitespace)) {
        return Err(Failure::usage(format!("the value of {name} has a space in it")));
    }
    let lines = lines.iter().map(|(name, value)| {
        let name = name.to_ascii_uppercase();
        format!("SPIN_VARIABLE_{name}={value}")
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
