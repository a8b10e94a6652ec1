//! `reef context`: hubs and their keys under names, in the user's configuration folder:
//!
//! ```text
//! $XDG_CONFIG_HOME/reef/          or ~/.config/reef
//!   context                       the name of the one in use
//!   contexts/NAME.json            {"hub": …, "key_file": …, "ca": …}
//!   contexts/NAME.key             a key that was given on standard input, for its owner only
//! ```
//!
//! A file for each, so that two that are added at once do not lose one another.

use std::fs;
use std::io::{ErrorKind, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reef_client::{Hub, Secret, Trust};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::EXIT_CODES;
use crate::failure::Failure;
use crate::output::{Output, aside};
use crate::table::{columns, facts};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef context add lab --hub https://hub.lab:8888 --key-stdin --use < lab.key
  reef context list
  reef tasks list --context lab
";

/// Most bytes of a key on standard input.
const KEY_BYTES_MAX: u64 = 4096;
/// Longest name.
const NAME_CHARS_MAX: usize = 64;

/// A hub, and with what it is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    pub(crate) hub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_key: Option<PathBuf>,
}

/// The folder of the contexts.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// Nobody says where a user's configuration is.
pub(crate) fn nowhere() -> Failure {
    let words = "contexts are kept in XDG_CONFIG_HOME/reef or HOME/.config/reef, and neither \
                 XDG_CONFIG_HOME nor HOME is set";
    Failure::Usage(words.to_owned())
}

/// Reads a key that a context names. One that others can read is no secret any more.
pub(crate) fn read_key(file: &Path) -> Result<Secret, Failure> {
    let key = Secret::read(file)?;
    let mode = fs::metadata(file).map(|it| it.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        let place = file.display();
        return Err(Failure::Usage(format!(
            "others on this machine can read the key in {place}; chmod 600 {place} keeps it private"
        )));
    }
    Ok(key)
}

impl Store {
    /// Where it is for whoever runs this process; none where nobody says where.
    pub(crate) fn find() -> Option<Self> {
        let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
        // A relative one is to be ignored, says the specification.
        let config = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        let home = set("HOME").filter(|path| !path.as_os_str().is_empty());
        let config = config.or_else(|| Some(home?.join(".config")))?;
        Some(Self::at(config.join("reef")))
    }

    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn contexts(&self) -> PathBuf {
        self.folder.join("contexts")
    }

    fn file(&self, name: &str, ending: &str) -> Result<PathBuf, Failure> {
        check(name)?;
        Ok(self.contexts().join(format!("{name}.{ending}")))
    }

    /// A context.
    pub(crate) fn read(&self, name: &str) -> Result<Known, Failure> {
        let path = self.file(name, "json")?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let words = "`reef context list` shows those that there are, `reef context add` \
                             makes one";
                return Err(Failure::Usage(format!("there is no context {name}: {words}")));
            }
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let known: Known =
            serde_json::from_str(&text).map_err(|error| unreadable(&path, &error))?;
        match known.hub {
            Some(_) => Ok(known),
            None => Err(unreadable(&path, &"it names no hub")),
        }
    }

    /// Keeps a context; one that is there only if it `replaces` it.
    pub(crate) fn write(&self, name: &str, known: &Known, replaces: bool) -> Result<(), Failure> {
        let path = self.file(name, "json")?;
        let text = serde_json::to_string_pretty(known)?;
        self.put(&path, &format!("{text}\n"), replaces)
    }

    /// The name of the context in use.
    pub(crate) fn in_use(&self) -> Result<Option<String>, Failure> {
        let path = self.folder.join("context");
        match fs::read_to_string(&path) {
            Ok(name) => Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, &error)),
        }
    }

    /// Takes one into use, or none.
    pub(crate) fn choose(&self, name: Option<&str>) -> Result<(), Failure> {
        let path = self.folder.join("context");
        match name {
            Some(name) => self.put(&path, &format!("{name}\n"), true),
            None => gone(&path),
        }
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        let folder = self.contexts();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(&folder, &error)),
        };
        let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<_> = files
            .filter_map(|file| Some(file.strip_suffix(".json")?.to_owned()))
            .filter(|name| check(name).is_ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Writes a file that appears whole, for its owner only.
    fn put(&self, path: &Path, text: &str, replaces: bool) -> Result<(), Failure> {
        let folder = self.contexts();
        let unwritable = |error: &dyn std::fmt::Display| {
            Failure::Failed(format!("{} cannot be written: {error}", path.display()))
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| unwritable(&error))?;
        let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(|it| unwritable(&it))?;
        file.write_all(text.as_bytes()).map_err(|error| unwritable(&error))?;
        file.as_file().sync_all().map_err(|error| unwritable(&error))?;
        let done = if replaces { file.persist(path) } else { file.persist_noclobber(path) };
        match done {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let words = "--replace puts another in its place";
                Err(Failure::Failed(format!("there is a context {name}; {words}")))
            }
            Err(error) => Err(unwritable(&error.error)),
        }
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("{} cannot be used: {why}", path.display()))
}

/// Removes a file, if it is there.
fn gone(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::Failed(format!("{} cannot be removed: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// A name is also that of a file.
fn check(name: &str) -> Result<(), Failure> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty()
        || name.len() > NAME_CHARS_MAX
        || name.starts_with(['.', '-'])
        || !name.chars().all(is_good)
    {
        return Err(Failure::Usage(format!(
            "the name of a context is 1 to {NAME_CHARS_MAX} letters, digits, -, _ and ., and not {name:?}"
        )));
    }
    Ok(())
}

/// `reef context`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Contexts {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Keep a hub and its key under a name; nothing is sent to it
    #[command(before_help = "Examples:\n  reef context add lab --hub https://hub.lab:8888 --key-file lab.key --ca lab.pem\n  reef context add lab --hub https://hub.lab:8888 --key-stdin --use < lab.key\n", after_help = EXIT_CODES)]
    Add(AddArgs),
    /// Take one into use: for each command that names no other hub
    #[command(before_help = "Examples:\n  reef context use lab\n  reef context use --none\n", after_help = EXIT_CODES)]
    Use(UseArgs),
    /// List those that are kept
    #[command(before_help = "Examples:\n  reef context list\n", after_help = EXIT_CODES)]
    List,
    /// Show one, else the one in use; never the key itself
    #[command(before_help = "Examples:\n  reef context show\n  reef context show lab\n", after_help = EXIT_CODES)]
    Show(ShowArgs),
    /// Forget one, with the key that was kept for it
    #[command(before_help = "Examples:\n  reef context rm lab\n", after_help = EXIT_CODES)]
    Rm(RmArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// What it is called: letters, digits, -, _ and .
    name: String,
    /// The hub's address
    #[arg(long, value_name = "URL")]
    hub: String,
    /// File that holds the key, which stays where it is and which nobody else may read
    #[arg(long, value_name = "FILE", conflicts_with = "key_stdin")]
    key_file: Option<PathBuf>,
    /// Read the key from standard input, and keep it beside the context in a file that only its owner
    /// can read
    #[arg(long)]
    key_stdin: bool,
    /// Authorities (PEM) whose certificates the hub may have, and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Certificate (PEM) to show to the hub
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Take it into use as well
    #[arg(long = "use")]
    is_used: bool,
    /// Also in place of one of this name
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
struct UseArgs {
    /// Which
    #[arg(required_unless_present = "none")]
    name: Option<String>,
    /// None: this machine's own hub is asked where nothing else is said
    #[arg(long, conflicts_with = "name")]
    none: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Which; else the one in REEF_CONTEXT or in use
    name: Option<String>,
}

#[derive(Debug, Args)]
struct RmArgs {
    /// Which
    name: String,
}

impl Contexts {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let store = Store::find().ok_or_else(nowhere)?;
        let out = Output::new(self.json);
        match self.verb {
            Verb::Add(args) => add(&store, &out, args),
            Verb::Use(args) => take(&store, &out, args.name.as_deref()),
            Verb::List => list(&store, &out),
            Verb::Show(args) => show(&store, &out, args.name),
            Verb::Rm(args) => remove(&store, &out, &args.name),
        }
    }
}

fn add(store: &Store, out: &Output, args: AddArgs) -> Result<(), Failure> {
    let own_key = store.file(&args.name, "key")?;
    let absolute = |path: Option<PathBuf>| -> Result<Option<PathBuf>, Failure> {
        let unknown = |error| Failure::Failed(format!("cannot say where files are: {error}"));
        path.map(|path| std::path::absolute(path).map_err(unknown)).transpose()
    };
    let mut known = Known {
        hub: Some(args.hub.clone()),
        key_file: absolute(args.key_file)?,
        ca: absolute(args.ca)?,
        client_cert: absolute(args.client_cert)?,
        client_key: absolute(args.client_key)?,
    };
    // What cannot be used is better said now.
    let identity = known.client_cert.clone().zip(known.client_key.clone());
    let trust = Trust { ca: known.ca.clone(), identity };
    if trust.ca.is_some() || trust.identity.is_some() {
        // A hub of plain HTTP would never read them.
        trust.config("https")?;
    }
    Hub::trusting(&args.hub, None, trust)?;
    if let Some(file) = &known.key_file {
        read_key(file)?;
    }
    let secret = if args.key_stdin { Some(typed_key()?) } else { None };
    let is_there = store.file(&args.name, "json")?.exists();
    if is_there && !args.replace {
        let words = "--replace puts another in its place";
        return Err(Failure::Failed(format!("there is a context {}; {words}", args.name)));
    }
    if let Some(secret) = secret {
        store.put(&own_key, &format!("{}\n", secret.expose()), true)?;
        known.key_file = Some(own_key);
    } else if is_there && known.key_file.as_ref() != Some(&own_key) {
        gone(&own_key)?;
    }
    store.write(&args.name, &known, args.replace)?;
    if args.is_used {
        store.choose(Some(&args.name))?;
    }
    show(store, out, Some(args.name))
}

fn typed_key() -> Result<Secret, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let words = "what is typed here can be seen: --key-stdin takes the key from a file or a \
                     program, as in `--key-stdin < lab.key`";
        return Err(Failure::Usage(words.to_owned()));
    }
    let mut text = String::new();
    let unread = |error| Failure::Failed(format!("standard input cannot be read: {error}"));
    input.take(KEY_BYTES_MAX).read_to_string(&mut text).map_err(unread)?;
    Ok(Secret::new(&text)?)
}

fn take(store: &Store, out: &Output, name: Option<&str>) -> Result<(), Failure> {
    if let Some(name) = name {
        store.read(name)?;
    }
    store.choose(name)?;
    let words = match name {
        Some(name) => format!("{name} is in use"),
        None => "none is in use".to_owned(),
    };
    say(out, &json!({ "in_use": name }), &words)
}

fn list(store: &Store, out: &Output) -> Result<(), Failure> {
    let (names, in_use) = (store.names()?, store.in_use()?);
    let mut all = Vec::new();
    for name in names {
        match store.read(&name) {
            Ok(known) => all.push((in_use.as_ref() == Some(&name), name, known)),
            // The others can be used all the same.
            Err(Failure::Usage(words)) => aside(&words),
            Err(failure) => return Err(failure),
        }
    }
    if all.is_empty() && !out.is_json() {
        aside("there are no contexts: `reef context add` makes one");
        return Ok(());
    }
    let json: Vec<_> = all.iter().map(|(used, name, known)| object(name, known, *used)).collect();
    let rows = all.iter().map(|(used, name, known)| {
        let mark = if *used { "*" } else { "" };
        let key = known.key_file.as_ref().map(|it| it.display().to_string());
        let hub = known.hub.clone().unwrap_or_default();
        [mark.to_owned(), name.clone(), hub, key.unwrap_or_default()]
    });
    say(out, &json.into(), &columns(["", "context", "hub", "key file"], rows))
}

fn show(store: &Store, out: &Output, name: Option<String>) -> Result<(), Failure> {
    let given = std::env::var("REEF_CONTEXT").ok().filter(|name| !name.is_empty());
    let in_use = store.in_use()?;
    let Some(name) = name.or(given).or_else(|| in_use.clone()) else {
        let words = "none is in use: this machine's own hub is asked where nothing else is said";
        if out.is_json() {
            return Ok(out.line("null")?);
        }
        aside(words);
        return Ok(());
    };
    let known = store.read(&name)?;
    let is_used = in_use.as_ref() == Some(&name);
    let path = |path: &Option<PathBuf>| {
        path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    };
    let words = facts([
        ("context", name.clone()),
        ("hub", known.hub.clone().unwrap_or_default()),
        ("key file", path(&known.key_file)),
        ("authorities", path(&known.ca)),
        ("certificate", path(&known.client_cert)),
        ("in use", if is_used { "yes" } else { "no" }.to_owned()),
    ]);
    say(out, &object(&name, &known, is_used), &words)
}

fn remove(store: &Store, out: &Output, name: &str) -> Result<(), Failure> {
    // One that cannot be read can be removed all the same.
    if !store.file(name, "json")?.exists() {
        store.read(name)?;
    }
    if store.in_use()?.as_deref() == Some(name) {
        store.choose(None)?;
        aside(&format!("{name} was in use; none is now"));
    }
    gone(&store.file(name, "json")?)?;
    gone(&store.file(name, "key")?)?;
    say(out, &json!({ "removed": name }), &format!("{name} is removed"))
}

fn object(name: &str, known: &Known, is_used: bool) -> serde_json::Value {
    json!({
        "name": name, "hub": known.hub, "key_file": known.key_file, "ca": known.ca,
        "client_cert": known.client_cert, "client_key": known.client_key, "in_use": is_used,
    })
}

fn say(out: &Output, json: &serde_json::Value, words: &str) -> Result<(), Failure> {
    let json = json.to_string();
    Ok(out.line(if out.is_json() { &json } else { words })?)
}
