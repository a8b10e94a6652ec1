//! `reef init`: a `reef.toml` in which every key stands with its meaning and its default.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, CommandFactory as _};
use reef_settings::{InToml, KNOWN, REEF_TOML, VARIABLES};

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::print;
use crate::reef_toml::{Flag, environment_of, flags, variables};

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef init                      writes reef.toml, from which `reef up` starts
  reef init /etc/reef/reef.toml  for: reef up --config /etc/reef/reef.toml
";

/// Shown below everything else by its `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    written
  1    it could not be written
  2    usage; or the file is there already
  3    does not occur
  130  interrupted
";

/// The longest line.
const WIDTH: usize = 100;

/// What stands above all.
const HEAD: &str = "\
What `reef up`, `reef serve` and `reef monitor` start with; `reef config` and `reef doctor` read
it, too. From strongest to weakest: a flag, the environment, this file, the files in config/, the
default. Every key is here with its default: remove the # before it and change it.
`reef config show --origin` says what holds in the end, `reef doctor` what is wrong.

This file may hold a secret as long as no one else can read it (chmod 600); \"${NAME}\" is
replaced by that variable of the environment.";

/// `reef init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file
    #[arg(default_value = REEF_TOML)]
    pub(crate) file: PathBuf,

    /// Replace it, if it is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Writes the file.
pub(crate) fn run(args: &InitArgs) -> Result<(), Failure> {
    let shown = args.file.display();
    write(&args.file, &text(), args.force)?;
    let flag = if args.file == Path::new(REEF_TOML) { "" } else { " --config " };
    let named = if flag.is_empty() { String::new() } else { shown.to_string() };
    print(&format!("{shown} is written; `reef up{flag}{named}` starts from it"))
}

/// Written beside and renamed, so that nobody ever reads a half of it. For its owner only, so that
/// secrets can be put in.
fn write(file: &Path, text: &str, replaces: bool) -> Result<(), Failure> {
    let place = || format!("cannot write {}", file.display());
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    let mut beside =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(place)?;
    let written = beside.write_all(text.as_bytes()).and_then(|()| beside.as_file().sync_all());
    written.with_context(place)?;
    let kept = if replaces { beside.persist(file) } else { beside.persist_noclobber(file) };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            let shown = file.display();
            Err(Failure::usage(format!("{shown} is there already; --force replaces it")))
        }
        Err(error) => Err(Failure::Runtime(anyhow!(error.error).context(place()))),
    }
}

/// The whole file.
fn text() -> String {
    let mut text = String::new();
    for line in HEAD.lines() {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    for flag in flags() {
        let help = flag.arg.get_long_help().or(flag.arg.get_help());
        let mut meaning = help.map(ToString::to_string).unwrap_or_default();
        let of = hosts_with(&flag);
        if of.len() < HOSTS.len() {
            let _ = write!(meaning, ". Of {}", of.join(" and "));
        }
        put(&mut text, &meaning, &flag.key, &flag.key, &default_of(&flag));
    }
    let mut table = "";
    for known in KNOWN {
        let InToml::Setting(doc) = known.in_toml else { continue };
        let (group, name) = known.name.split_once('.').unwrap_or(("", known.name));
        if table != group {
            table = group;
            let _ = write!(text, "\n[{group}]\n");
        }
        put(&mut text, doc, known.name, name, &written(known.default.unwrap_or_default()));
    }
    let _ = write!(text, "\n[{}]\n", VARIABLES.trim_end_matches('.'));
    for variable in variables() {
        let key = format!("{VARIABLES}{}", variable.name);
        put(&mut text, variable.doc, &key, variable.name, &written(variable.default));
    }
    text
}

/// The subcommands that start a host.
const HOSTS: [&str; 3] = ["up", "serve", "monitor"];

fn hosts_with(flag: &Flag) -> Vec<&'static str> {
    let reef = Cli::command();
    let has = |name: &&str| {
        let host = reef.find_subcommand(name);
        host.is_some_and(|host| host.get_arguments().any(|arg| arg.get_id() == flag.arg.get_id()))
    };
    HOSTS.into_iter().filter(has).collect()
}

fn default_of(flag: &Flag) -> String {
    if flag.is_list() {
        return "[]".to_owned();
    }
    written(&flag.default())
}

/// A default as it is written in TOML.
fn written(text: &str) -> String {
    let is_bare = matches!(text, "true" | "false") || text.parse::<u64>().is_ok();
    if is_bare { text.to_owned() } else { toml::Value::String(text.to_owned()).to_string() }
}

/// A key with what it means and what sets it, too.
fn put(text: &mut String, meaning: &str, key: &str, name: &str, default: &str) {
    let environment = environment_of(key).join(", ");
    let mut letters = meaning.chars();
    let first = letters.next().map(char::to_uppercase);
    let sentence: String = first.into_iter().flatten().chain(letters).collect();
    let mut line = String::from("\n#");
    let mut width = 1;
    for word in format!("{sentence} ({environment})").split_whitespace() {
        if width + 1 + word.chars().count() > WIDTH {
            line.push_str("\n#");
            width = 1;
        }
        line.push(' ');
        line.push_str(word);
        width += 1 + word.chars().count();
    }
    let _ = write!(text, "{line}\n#{name} = {default}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_there_with_its_default() {
        let text = text();
        for line in [
            "#listen = \"127.0.0.1:8888\"",
            "#tick = 1000",
            "#drain_timeout = 10",
            "#insecure = false",
            "#alert_url = []",
            "#redis_memory = \"\"",
            "#auth_mode = \"keys\"",
            "[redis]",
            "#password = \"\"",
            "[variables]",
            "#heartbeat_timeout_seconds = 90",
            "#legacy_inbox = false",
            "#key_prefix = \"\"",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(toml::from_str::<toml::Table>(&text).is_ok());
    }

    #[test]
    fn a_file_is_replaced_only_if_that_is_asked_for() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reef.toml");
        write(&file, "one", false).unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(matches!(write(&file, "two", false), Err(Failure::Usage(_))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one");
        write(&file, "two", true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
