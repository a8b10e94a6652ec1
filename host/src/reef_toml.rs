//! `reef.toml` and the command line: which keys there are, what the flags of a host become by them,
//! and what is refused.
//!
//! A value of the file is a flag's default, so that the same parser reads both, and what is typed or
//! in the environment wins by clap's own rule.

use clap::builder::OsStr;
use clap::{Arg, ArgAction, CommandFactory as _, FromArgMatches as _};
use reef_commands::Finding;
use reef_settings::{
    Entry, InToml, Invalid, KNOWN, ReefToml, Settings, SettingsArgs, VARIABLES, redis,
};
use reef_store::variables;

use crate::carried;
use crate::cli::{Cli, Command, Subcommands};
use crate::failure::Failure;
use crate::manifest::Manifest;

/// What is looked at and then done once, and what the file itself needs to be found.
const NOT_IN_FILE: [&str; 5] =
    ["config", "config_dir", "variables", "install_redis", "sign_in_link"];
/// Flags that are weaker than further environment variables; whoever takes them asks the settings.
const BY_SETTINGS: [&str; 3] = ["redis_url", "auth_mode", "log_format"];
/// Variables that are flags, too, and stand in the file as these.
const ALSO_FLAGS: [&str; 2] = ["redis_url", "auth_mode"];

/// A flag that may stand in the file.
pub(crate) struct Flag {
    /// Its key: the flag, with `_` for `-`.
    pub(crate) key: String,
    pub(crate) arg: Arg,
}

impl Flag {
    /// Whether it takes several values.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.arg.get_action(), ArgAction::Append)
    }

    /// What it is where nobody sets it, if anything.
    pub(crate) fn default(&self) -> String {
        let known = || KNOWN.iter().find(|known| known.key() == Some(&self.key))?.default;
        match self.arg.get_default_values().first() {
            Some(default) => default.to_string_lossy().into_owned(),
            None if self.is_switch() => "false".to_owned(),
            None => known().unwrap_or_default().to_owned(),
        }
    }

    fn is_switch(&self) -> bool {
        matches!(self.arg.get_action(), ArgAction::SetTrue)
    }

    /// Checks a value as the command line does.
    fn check(&self, entry: &Entry) -> Result<(), String> {
        if entry.is_list && !self.is_list() {
            return Err("must be one value, not a list".to_owned());
        }
        for text in entry.texts.iter().filter(|text| !text.is_empty()) {
            if self.is_switch() {
                let is_one = matches!(text.as_str(), "true" | "false");
                is_one.then_some(()).ok_or("must be true or false")?;
                continue;
            }
            let arg = Arg::new("it").long("it").value_parser(self.arg.get_value_parser().clone());
            let alone = clap::Command::new("reef").no_binary_name(true).arg(arg);
            if let Err(error) = alone.try_get_matches_from([format!("--it={text}")]) {
                return Err(format!("cannot be {text:?}: {}", reason(&error)));
            }
        }
        Ok(())
    }
}

/// What clap says is wrong with a value, without the words around it.
fn reason(error: &clap::Error) -> String {
    let said = error.to_string();
    let said = said.split("\n\n").next().unwrap_or_default();
    let said = said.split_once("'--it <it>'").map_or(said, |(_, said)| said);
    said.trim_start_matches(':').split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The flags that may stand in the file: those of `reef up`, which has all.
pub(crate) fn flags() -> Vec<Flag> {
    let reef = Cli::command();
    let up = reef.find_subcommand("up");
    let args = up.into_iter().flat_map(clap::Command::get_arguments);
    args.filter(|arg| !NOT_IN_FILE.contains(&arg.get_id().as_str()))
        .filter_map(|arg| Some(Flag { key: arg.get_long()?.replace('-', "_"), arg: arg.clone() }))
        .collect()
}

/// The variables that may stand in the file, of those that there are.
pub(crate) fn variables() -> impl Iterator<Item = &'static variables::Variable> {
    variables::VARIABLES.iter().filter(|it| !ALSO_FLAGS.contains(&it.name))
}

/// Reads all that is set, for a command that needs no manifest.
///
/// # Errors
/// A file cannot be used; the text names the line.
pub(crate) fn load(args: &SettingsArgs) -> Result<Settings, Failure> {
    let settings = Settings::load(args).map_err(Failure::usage)?;
    if let Some(toml) = settings.toml() {
        check(toml, manifest(&settings).as_ref()).map_err(Failure::usage)?;
    }
    Ok(settings)
}

/// The manifest that a hub would take, if it can be read.
fn manifest(settings: &Settings) -> Option<Manifest> {
    carried::find_manifest(carried::named_manifest(settings).as_deref()).ok()
}

/// The command as it is with what the file says.
///
/// # Errors
/// A flag has a value that it does not take; the text names the line.
pub(crate) fn complete(command: Command, settings: &Settings) -> Result<Command, Failure> {
    let Some(toml) = settings.toml() else { return Ok(command) };
    check_values(toml).map_err(Failure::usage)?;
    let mut reef = Cli::command();
    for name in ["up", "serve", "monitor"] {
        reef = reef.mut_subcommand(name, |host| with_defaults(host, toml));
    }
    let cli = Cli::from_arg_matches(&reef.get_matches()).map_err(Failure::usage)?;
    match cli.command {
        Some(Subcommands::Host(completed)) => Ok(completed),
        _ => Ok(command),
    }
}

fn with_defaults(mut host: clap::Command, toml: &ReefToml) -> clap::Command {
    let ids: Vec<_> = host.get_arguments().map(|arg| arg.get_id().clone()).collect();
    for flag in flags().into_iter().filter(|flag| ids.contains(flag.arg.get_id())) {
        let Some(entry) = toml.entry(&flag.key) else { continue };
        // The environment's key is stronger, but clap does not know that the two are one thing.
        let is_weaker = flag.key == "admin_key_file" && overridden_by(&flag.key).is_some();
        if BY_SETTINGS.contains(&flag.key.as_str()) || is_weaker {
            continue;
        }
        let values: Vec<OsStr> = entry.texts.iter().map(OsStr::from).collect();
        host = host.mut_arg(flag.arg.get_id(), |arg| arg.default_values(values));
    }
    host
}

fn check_values(toml: &ReefToml) -> Result<(), Invalid> {
    for flag in flags() {
        let entry = toml.entries().iter().find(|entry| entry.key == flag.key);
        if let Some(entry) = entry {
            let wrong = |why: String| toml.wrong(entry.line, &entry.key, &why);
            flag.check(entry).map_err(wrong)?;
        }
    }
    Ok(())
}

/// Refuses keys that nobody knows, secrets that others can read, and what contradicts itself.
///
/// # Errors
/// [`Invalid`]; the text names the line and says what to do.
pub(crate) fn check(toml: &ReefToml, manifest: Option<&Manifest>) -> Result<(), Invalid> {
    let of_manifest: Option<Vec<(String, bool)>> = manifest.map(|manifest| {
        manifest.variables.iter().map(|(name, it)| (name.clone(), it.secret)).collect()
    });
    let variables = of_manifest.unwrap_or_else(|| {
        variables::VARIABLES.iter().map(|it| (it.name.to_owned(), it.is_secret)).collect()
    });
    // Each key, and whether its value must not be shown.
    let mut known: Vec<(String, bool)> =
        flags().into_iter().map(|it| (it.key, it.arg.is_hide_env_values_set())).collect();
    let settings = KNOWN.iter().filter(|known| matches!(known.in_toml, InToml::Setting(_)));
    known.extend(settings.map(|known| (known.name.to_owned(), known.is_secret)));
    let variables = variables.into_iter().filter(|it| !ALSO_FLAGS.contains(&it.0.as_str()));
    known.extend(variables.map(|(name, is_secret)| (format!("{VARIABLES}{name}"), is_secret)));
    let keys: Vec<String> = known.iter().map(|(key, _)| key.clone()).collect();
    for entry in toml.entries() {
        let Some((_, is_secret)) = known.iter().find(|(key, _)| *key == entry.key) else {
            return Err(toml.unknown(entry, &keys));
        };
        // An address is one only if it holds a password.
        let is_secret = *is_secret
            && entry.is_set()
            && !entry.is_elsewhere
            && (entry.key != "redis_url" || redis::masked(&entry.text()) != entry.text());
        if is_secret && toml.others_can_read() {
            let path = toml.path().display();
            let why = format!(
                "is a secret, and others on this machine can read it; close the file with: chmod \
                 600 {path}, or write \"${{NAME}}\" for a variable of the environment"
            );
            return Err(toml.wrong(entry.line, &entry.key, &why));
        }
    }
    match (toml.entry("variables.admin_key"), toml.entry("admin_key_file")) {
        (Some(key), Some(file)) => {
            let why = format!("says the same as admin_key_file in line {}: keep one", file.line);
            Err(toml.wrong(key.line, &key.key, &why))
        }
        _ => Ok(()),
    }
}

/// The environment variables that are stronger than a key of the file.
pub(crate) fn environment_of(key: &str) -> Vec<String> {
    if let Some(variable) = key.strip_prefix(VARIABLES) {
        return vec![format!("SPIN_VARIABLE_{}", variable.to_ascii_uppercase())];
    }
    let known = KNOWN.iter().filter(|known| known.key() == Some(key));
    let mut names: Vec<String> =
        known.flat_map(|known| known.variables).map(|it| (*it).to_owned()).collect();
    let flag = flags().into_iter().find(|flag| flag.key == key);
    let env = flag.and_then(|flag| Some(flag.arg.get_env()?.to_string_lossy().into_owned()));
    names.extend(env.filter(|env| !names.contains(env)));
    match key {
        "redis_url" => names.push("REDIS_HOST".to_owned()),
        "admin_key_file" => names.push("SPIN_VARIABLE_ADMIN_KEY".to_owned()),
        _ => {}
    }
    names
}

/// The environment variable because of which a key of the file has no effect.
pub(crate) fn overridden_by(key: &str) -> Option<String> {
    let is_set = |name: &String| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    environment_of(key).into_iter().find(is_set)
}

/// What `reef doctor` says of the file.
pub(crate) fn findings(settings: &Settings) -> Vec<Finding> {
    const CHECK: &str = "reef.toml";
    let Some(toml) = settings.toml() else { return Vec::new() };
    let checked = check(toml, manifest(settings).as_ref()).and_then(|()| check_values(toml));
    if let Err(error) = checked {
        let cure = "correct it; a hub does not start with it";
        return vec![Finding::fail(CHECK, error.to_string(), cure)];
    }
    let value = |name: &str| {
        let entry = toml.entry(&format!("{VARIABLES}{name}"));
        entry.map(Entry::text).unwrap_or_default()
    };
    if let Err(error) = reef_web::Config::read(value) {
        let words = format!("{}: {error}", toml.path().display());
        return vec![Finding::fail(CHECK, words, "correct it; a hub does not start with it")];
    }
    let set: Vec<_> = toml.entries().iter().filter(|entry| entry.is_set()).collect();
    let words = format!("{} sets {} keys", toml.path().display(), set.len());
    let mut findings = vec![Finding::ok(CHECK, words)];
    for entry in set {
        if let Some(name) = overridden_by(&entry.key) {
            let words = format!("{}: {} has no effect", toml.origin(entry), entry.key);
            let cure = format!("{name} in the environment is stronger: remove one of the two");
            findings.push(Finding::warn(CHECK, words, cure));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_a_host_is_a_key() {
        let keys: Vec<String> = flags().into_iter().map(|flag| flag.key).collect();
        for key in ["listen", "tick", "alert_url", "redis_memory", "state_dir", "insecure"] {
            assert!(keys.iter().any(|it| it == key), "{key}: {keys:?}");
        }
        let by_settings = KNOWN.iter().filter_map(|known| match known.in_toml {
            InToml::Flag(key) => Some(key),
            _ => None,
        });
        for key in by_settings.chain(BY_SETTINGS) {
            assert!(keys.iter().any(|it| it == key), "{key}: {keys:?}");
        }
    }

    #[test]
    fn what_is_stronger_than_a_key_is_known() {
        assert_eq!(environment_of("tick"), ["REEF_TICK"]);
        assert_eq!(environment_of("variables.key_prefix"), ["SPIN_VARIABLE_KEY_PREFIX"]);
        assert!(environment_of("redis_url").contains(&"REDIS_HOST".to_owned()));
        assert_eq!(environment_of("auth_mode").len(), 2);
    }
}
