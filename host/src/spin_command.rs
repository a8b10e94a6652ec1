//! `reef spin`: what this program carries, for Spin.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use tempfile::NamedTempFile;

use crate::carried;
use crate::failure::Failure;
use crate::output::print;

/// Shown above the `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef spin export hub && cd hub && spin up       what `reef up` serves, by Spin
";

/// Shown below it.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something went wrong
  2    usage; or files of these names are there, or this reef was built without components
  3    does not happen here: nothing is asked
  130  interrupted
";

/// The manifest among what is written.
const MANIFEST: &str = "spin.toml";

/// `reef spin`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct SpinCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write spin.toml and the .wasm files that this program carries into a folder, for `spin up`
    /// and `spin registry push`
    #[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// The folder; it is made if it is not there
    folder: PathBuf,

    /// Replace files of these names
    #[arg(long)]
    force: bool,
}

/// Runs one of them.
///
/// # Errors
/// [`Failure`], with its exit code.
pub(crate) fn run(command: SpinCommand) -> Result<(), Failure> {
    let Verb::Export(args) = command.verb;
    if !carried::is_there() {
        return Err(Failure::usage(
            "this reef was built without components: build it with `cargo xtask build`, which puts \
             them in, or take a released one",
        ));
    }
    let mut files = carried::files()?;
    // Last, so that no folder ever has a manifest without what it names.
    files.push((MANIFEST, manifest(carried::MANIFEST).into_bytes()));
    if let Some((name, _)) =
        files.iter().find(|(name, _)| !args.force && args.folder.join(name).exists())
    {
        return Err(Failure::usage(format!(
            "{} is there already; --force replaces it",
            args.folder.join(name).display()
        )));
    }
    write(&args.folder, &files)?;
    let (count, folder) = (files.len().saturating_sub(1), args.folder.display());
    print(&format!("{count} components and spin.toml are in {folder}"))
}

/// Writes all of them beside their places before the first is put there, so that a full disk changes
/// nothing.
fn write(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let unfinished: Result<Vec<_>> = files
        .iter()
        .map(|(name, bytes)| {
            let mut file = tempfile::Builder::new()
                .permissions(Permissions::from_mode(0o644))
                .tempfile_in(folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            Ok((folder.join(name), file))
        })
        .collect();
    let unfinished: Vec<(PathBuf, NamedTempFile)> =
        unfinished.with_context(|| format!("cannot write into {}", folder.display()))?;
    for (path, file) in unfinished {
        file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Our own manifest for a folder that holds the `.wasm` files beside it: it names them there, and
/// builds nothing. It is changed line by line, so that its comments stay.
fn manifest(text: &str) -> String {
    let mut exported = String::with_capacity(text.len());
    let mut in_build = false;
    for line in text.lines() {
        if line.is_empty() || line.starts_with('[') {
            in_build = line.starts_with("[component.") && line.ends_with(".build]");
        }
        if in_build {
            continue;
        }
        match line.strip_prefix("source = ").and_then(|path| path.rsplit_once('/')) {
            Some((_, name)) => exported.push_str(&format!("source = \"{name}")),
            None => exported.push_str(line),
        }
        exported.push('\n');
    }
    // Where a table was, one empty line is enough.
    exported.replace("\n\n\n", "\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exported_manifest_names_what_lies_beside_it_and_builds_nothing() {
        let text = manifest(carried::MANIFEST);
        assert!(!text.contains("cargo") && !text.contains("target/"), "{text}");
        let (ours, theirs): (toml::Table, toml::Table) =
            (carried::MANIFEST.parse().unwrap(), text.parse().unwrap());
        for name in ["application", "variables", "trigger"] {
            assert_eq!(ours[name], theirs[name]);
        }
        for (id, component) in theirs["component"].as_table().unwrap() {
            let mut expected = ours["component"][id].clone();
            let source =
                expected["source"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            expected["source"] = source.into();
            expected.as_table_mut().unwrap().remove("build").unwrap();
            assert_eq!(*component, expected);
        }
        // Comments are for whoever sets the variables.
        assert_eq!(text.matches("# ").count(), carried::MANIFEST.matches("# ").count());
    }

    #[test]
    fn nothing_is_written_where_something_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        let files = [("a", vec![1]), ("b", vec![2])];
        assert!(write(folder.path(), &files).is_err());
        // What was unfinished is gone.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
