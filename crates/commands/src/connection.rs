//! Which hub, and with which key.
//!
//! Each thing is taken from the strongest that says it: a flag, a context that was named with
//! `--context`, the environment, another context (`REEF_CONTEXT`, else the one in use), the default.
//! What a context holds goes to its own hub only: where the address comes from elsewhere, its key and
//! its certificates stay where they are.

use std::path::{Path, PathBuf};

use clap::error::Error as ClapError;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use reef_client::{Hub, Secret, Trust};

use crate::contexts::{self, Known, Store};
use crate::failure::Failure;

/// Where `reef up` keeps what it owns, unless REEF_STATE_DIR says otherwise.
const STATE_DIR: &str = ".reef";
/// The hub that `reef up` starts on this machine.
const LOCAL_HUB: &str = "http://127.0.0.1:8888";

/// Flags of every command that talks to a hub. A key is never one of them: the command line of a
/// process can be read by everybody on its machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The hub, and what is printed")]
struct Typed {
    /// The hub's address; if not given, the context's, else http://127.0.0.1:8888
    #[arg(long, env = "REEF_HUB", value_name = "URL", global = true)]
    hub: Option<String>,

    /// A hub with its key under a name, as `reef context add` keeps them; if not given, the one in use
    #[arg(long, env = "REEF_CONTEXT", value_name = "NAME", global = true)]
    context: Option<String>,

    /// File that holds the key
    #[arg(long, env = "REEF_KEY_FILE", value_name = "FILE", global = true)]
    key_file: Option<PathBuf>,

    /// Authorities (PEM) whose certificates a hub on https may have, and no others; if not given, those
    /// that this machine trusts
    #[arg(long, env = "REEF_CA", value_name = "FILE", global = true)]
    ca: Option<PathBuf>,

    /// Certificate (PEM) to show to a hub on https
    #[arg(long, env = "REEF_CLIENT_CERT", value_name = "FILE", global = true)]
    client_cert: Option<PathBuf>,

    /// Private key (PEM) of that certificate
    #[arg(long, env = "REEF_CLIENT_KEY", value_name = "FILE", global = true)]
    client_key: Option<PathBuf>,

    /// Print what the hub answers, as JSON
    #[arg(long, global = true)]
    json: bool,

    /// Why it is done: the hub's audit keeps it beside what is changed
    #[arg(long, value_name = "TEXT", global = true)]
    reason: Option<String>,
}

/// What was given, and which of it on the command line itself.
#[derive(Debug, Clone)]
pub(crate) struct HubArgs {
    typed: Typed,
    flags: Vec<&'static str>,
    /// Print what the hub answers, as JSON.
    pub(crate) json: bool,
    /// Why it is done.
    pub(crate) reason: Option<String>,
}

impl HubArgs {
    fn read(typed: Typed, flags: Vec<&'static str>) -> Self {
        Self { json: typed.json, reason: typed.reason.clone(), typed, flags }
    }
}

/// Those of the flags that were typed: a variable sets the same values.
fn flags_of(matches: &ArgMatches) -> Vec<&'static str> {
    let all = ["hub", "context", "key_file", "ca", "client_cert", "client_key"];
    let is_typed = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
    all.into_iter().filter(is_typed).collect()
}

impl FromArgMatches for HubArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, ClapError> {
        Ok(Self::read(Typed::from_arg_matches(matches)?, flags_of(matches)))
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, ClapError> {
        let flags = flags_of(matches);
        Ok(Self::read(Typed::from_arg_matches_mut(matches)?, flags))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), ClapError> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for HubArgs {
    fn augment_args(command: Command) -> Command {
        // What comes after is the command's own.
        Typed::augment_args(command).next_help_heading(None::<&str>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Typed::augment_args_for_update(command)
    }
}

/// Where a key was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A file that was named.
    File(PathBuf),
    /// The environment variable REEF_API_KEY.
    Environment,
    /// A file that a context names.
    Context(String, PathBuf),
    /// The admin key that a hub on this machine has made.
    StateDir(PathBuf),
    /// There is none.
    Nowhere,
}

/// What is asked, and as who.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The hub's address, as it was given.
    pub(crate) hub: String,
    pub(crate) key: KeySource,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) client_cert: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
}

impl HubArgs {
    /// The hub. Nothing is sent yet.
    pub(crate) fn connect(&self) -> Result<Hub, Failure> {
        let target = self.target()?;
        Ok(target.open()?.with_key(target.secret()?)?)
    }

    /// The key that is sent to the hub, if there is one.
    pub(crate) fn key(&self) -> Result<Option<Secret>, Failure> {
        self.target()?.secret()
    }

    /// What is asked, and as who.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        self.choose(&Environment::here(), Store::find().as_ref())
    }

    fn is_flag(&self, name: &str) -> bool {
        self.flags.contains(&name)
    }

    fn choose(&self, around: &Environment, store: Option<&Store>) -> Result<Target, Failure> {
        let typed = &self.typed;
        let is_named_first = self.is_flag("context");
        if is_named_first && self.is_flag("hub") {
            let words = "--context names a hub, and so does --hub: give one of them";
            return Err(Failure::Usage(words.to_owned()));
        }
        // As for every variable, an empty one says nothing.
        let hub = typed.hub.clone().filter(|hub| !hub.is_empty() && !is_named_first);
        // The key of a context must not go to another hub.
        let context = match hub {
            Some(_) => None,
            None => self.context(store)?,
        };
        let (name, known) = context.unzip();
        let known: Known = known.unwrap_or_default();
        let said = |name: &str, path: &Option<PathBuf>| -> (Option<PathBuf>, bool) {
            let path = path.clone().filter(|path| !path.as_os_str().is_empty());
            (path, self.is_flag(name))
        };
        let pick = |flag: &str, typed: &Option<PathBuf>, kept: &Option<PathBuf>| {
            let (typed, is_flag) = said(flag, typed);
            if is_named_first && !is_flag { kept.clone().or(typed) } else { typed.or(kept.clone()) }
        };
        let (client_cert, client_key) = if is_named_first && !self.is_flag("client_cert") {
            let given = (typed.client_cert.clone(), typed.client_key.clone());
            if known.client_cert.is_some() { (known.client_cert, known.client_key) } else { given }
        } else if typed.client_cert.is_some() || typed.client_key.is_some() {
            (typed.client_cert.clone(), typed.client_key.clone())
        } else {
            (known.client_cert, known.client_key)
        };
        let mut target = Target {
            hub: hub.unwrap_or_else(|| known.hub.unwrap_or_else(|| LOCAL_HUB.to_owned())),
            key: KeySource::Nowhere,
            ca: pick("ca", &typed.ca, &known.ca),
            client_cert,
            client_key,
        };
        let (file, is_flag) = said("key_file", &typed.key_file);
        let by_context =
            name.zip(known.key_file).map(|(name, file)| KeySource::Context(name, file));
        let by_environment = if around.has_key { Some(KeySource::Environment) } else { None };
        let by_file = file.map(KeySource::File);
        let in_order = match (is_flag, is_named_first) {
            (false, true) => [by_context, by_file, by_environment],
            (true, _) | (_, false) => [by_file, by_environment, by_context],
        };
        target.key = match in_order.into_iter().flatten().next() {
            Some(source) => source,
            None => target.found(around),
        };
        Ok(target)
    }

    /// The context that is meant, with its name.
    fn context(&self, store: Option<&Store>) -> Result<Option<(String, Known)>, Failure> {
        let named = self.typed.context.as_deref().filter(|name| !name.is_empty());
        match (named, store) {
            (Some(name), Some(store)) => Ok(Some((name.to_owned(), store.read(name)?))),
            (Some(_), None) => Err(contexts::nowhere()),
            (None, Some(store)) => store
                .in_use()?
                .map(|name| {
                    let known = store.read(&name)?;
                    Ok((name, known))
                })
                .transpose(),
            (None, None) => Ok(None),
        }
    }

    /// Where the key is taken from.
    pub(crate) fn key_source(&self) -> KeySource {
        self.target().map_or(KeySource::Nowhere, |target| target.key)
    }
}

/// What of the environment matters for the key.
#[derive(Debug, Clone, Default)]
struct Environment {
    has_key: bool,
    state_dir: Option<PathBuf>,
}

impl Environment {
    fn here() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            has_key: set("REEF_API_KEY").is_some(),
            state_dir: set("REEF_STATE_DIR").map(PathBuf::from),
        }
    }
}

impl Target {
    /// The hub, to be called without a key.
    fn open(&self) -> Result<Hub, Failure> {
        let identity = match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
            (None, None) => None,
            _ => {
                let words = "--client-cert and --client-key are given together, or neither";
                return Err(Failure::Usage(words.to_owned()));
            }
        };
        Ok(Hub::trusting(&self.hub, None, Trust { ca: self.ca.clone(), identity })?)
    }

    fn secret(&self) -> Result<Option<Secret>, Failure> {
        Ok(match &self.key {
            KeySource::File(file) | KeySource::StateDir(file) => Some(Secret::read(file)?),
            KeySource::Context(_, file) => Some(contexts::read_key(file)?),
            KeySource::Environment => {
                Some(Secret::new(&std::env::var("REEF_API_KEY").unwrap_or_default())?)
            }
            KeySource::Nowhere => None,
        })
    }

    /// The key of this machine's own hub, if that is asked.
    fn found(&self, around: &Environment) -> KeySource {
        let state_dir = around.state_dir.clone();
        let file = state_dir.unwrap_or_else(|| Path::new(STATE_DIR).to_owned()).join("admin.key");
        let is_local = self.open().is_ok_and(|hub| hub.is_local());
        // What some folder holds goes to this machine's own hub only.
        // Whoever shows a certificate means to act by that.
        if is_local && self.client_cert.is_none() && file.is_file() {
            return KeySource::StateDir(file);
        }
        KeySource::Nowhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What flags and variables say, in this order: hub, context, key file.
    fn args(flags: [Option<&str>; 3], variables: [Option<&str>; 3]) -> HubArgs {
        let pick = |n: usize| flags[n].or(variables[n]).map(str::to_owned);
        let names = ["hub", "context", "key_file"];
        let typed = Typed {
            hub: pick(0),
            context: pick(1),
            key_file: pick(2).map(PathBuf::from),
            ca: None,
            client_cert: None,
            client_key: None,
            json: false,
            reason: None,
        };
        let flags = names.into_iter().zip(flags).filter(|(_, flag)| flag.is_some());
        HubArgs::read(typed, flags.map(|(name, _)| name).collect())
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("reef"));
        for name in ["lab", "home"] {
            let known = Known {
                hub: Some(format!("https://{name}")),
                key_file: Some(format!("/keys/{name}").into()),
                ca: Some(format!("/ca/{name}").into()),
                ..Known::default()
            };
            store.write(name, &known, false).unwrap();
        }
        store.choose(Some("home")).unwrap();
        (folder, store)
    }

    #[test]
    fn a_flag_is_stronger_than_a_variable_and_both_than_the_context_in_use() {
        let (_folder, store) = store();
        let around = Environment { has_key: false, state_dir: Some("/none".into()) };
        let chosen = |flags, variables| {
            let target = args(flags, variables).choose(&around, Some(&store)).unwrap();
            (target.hub, target.key, target.ca.map(|it| it.display().to_string()))
        };
        let none = [None, None, None];
        let of = |name: &str| {
            let key = KeySource::Context(name.to_owned(), format!("/keys/{name}").into());
            (format!("https://{name}"), key, Some(format!("/ca/{name}")))
        };
        assert_eq!(chosen(none, none), of("home"));
        assert_eq!(chosen(none, [None, Some("lab"), None]), of("lab"));
        assert_eq!(chosen([None, Some("lab"), None], [None, Some("home"), None]), of("lab"));
        // What a variable says is weaker than a context that was typed.
        assert_eq!(
            chosen([None, Some("lab"), None], [Some("http://v"), None, Some("/v")]),
            of("lab")
        );
        // And stronger than one that was not; the context's key does not go to another hub.
        let bare = ("http://v".to_owned(), KeySource::Nowhere, None);
        assert_eq!(chosen(none, [Some("http://v"), None, None]), bare);
        assert_eq!(chosen(none, [Some("http://v"), Some("lab"), None]), bare);
        assert_eq!(chosen([Some("http://v"), None, None], none), bare);
        let (hub, key, _) = chosen(none, [None, None, Some("/v")]);
        assert_eq!((hub.as_str(), key), ("https://home", KeySource::File("/v".into())));
        let (hub, key, _) = chosen([None, Some("lab"), Some("/f")], [None, None, Some("/v")]);
        assert_eq!((hub.as_str(), key), ("https://lab", KeySource::File("/f".into())));
    }

    #[test]
    fn without_a_context_all_is_as_ever() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("admin.key");
        std::fs::write(&file, "k").unwrap();
        let state_dir = Some(folder.path().to_owned());
        let around = Environment { has_key: false, state_dir: state_dir.clone() };
        let none = [None, None, None];
        let target = args(none, none).choose(&around, None).unwrap();
        assert_eq!((target.hub.as_str(), target.key), (LOCAL_HUB, KeySource::StateDir(file)));
        let elsewhere = args([Some("http://10.0.0.1"), None, None], none);
        assert_eq!(elsewhere.choose(&around, None).unwrap().key, KeySource::Nowhere);
        let around = Environment { has_key: true, state_dir };
        assert_eq!(args(none, none).choose(&around, None).unwrap().key, KeySource::Environment);
        let empty = [Some(""), Some(""), Some("")];
        let target = args(none, empty).choose(&around, None).unwrap();
        assert_eq!((target.hub.as_str(), target.key), (LOCAL_HUB, KeySource::Environment));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let (_folder, store) = store();
        let around = Environment::default();
        let none = [None, None, None];
        let both = args([Some("http://h"), Some("lab"), None], none);
        assert!(matches!(both.choose(&around, Some(&store)), Err(Failure::Usage(_))));
        for name in ["gone", "../lab", ""] {
            let named = args([None, Some(name), None], none).choose(&around, Some(&store));
            assert_eq!(named.is_err(), !name.is_empty(), "{name}");
        }
    }
}
