//! `reef man`: a page for `man` of each command, for who packages Reef.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::builder::StyledStr;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Cli;

/// `reef man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages, such as share/man/man1; it is made
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// Writes the pages.
pub(crate) fn write_pages(args: &ManArgs) -> io::Result<()> {
    fs::create_dir_all(&args.out)?;
    let mut reef = Cli::command();
    // Gives each command its full name, by which its page is called.
    reef.build();
    write_below(&reef, &args.out)
}

fn write_below(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_below(below, folder)?;
    }
    let man = Man::new(command.clone()).manual("Reef");
    fs::write(folder.join(man.get_filename()), page(command, &man)?)
}

/// clap_mangen leaves out what stands above a help, and calls what stands below it "EXTRA".
fn page(command: &Command, man: &Man) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::default();
    for text in [command.get_after_help(), command.get_before_help()] {
        sections(text, &mut rest);
    }
    rest.to_writer(&mut page)?;
    Ok(page)
}

/// Each line that ends with a colon, such as `Exit codes:`, begins a section. Lines stay as they
/// are, since most are of tables and commands.
fn sections(text: Option<&StyledStr>, into: &mut Roff) {
    let text = text.map(ToString::to_string).unwrap_or_default();
    if text.trim().is_empty() {
        return;
    }
    for part in text.trim_end().split("\n\n") {
        let (title, body) = match part.split_once(":\n") {
            Some((title, body)) if !title.contains('\n') => (title, body),
            _ => ("", part),
        };
        if title.is_empty() {
            into.control("PP", []);
        } else {
            into.control("SH", [title.to_uppercase().as_str()]);
        }
        into.control("nf", []);
        for line in body.lines() {
            into.text([roman(line)]);
        }
        into.control("fi", []);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_that_says_what_its_help_says() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("man1");
        write_pages(&ManArgs { out: out.clone() }).unwrap();
        let pages = fs::read_dir(&out).unwrap().count();
        assert!(pages > 50, "{pages}");
        let page = fs::read_to_string(out.join("reef-ledger-transfer.1")).unwrap();
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT CODES", "EXAMPLES"] {
            assert!(
                page.contains(&format!(".SH {section}\n"))
                    || page.contains(&format!(".SH \"{section}\"\n")),
                "{section}: {page}"
            );
        }
        assert!(page.contains("reef ledger transfer"), "{page}");
        // What is only for Reef itself has none.
        assert!(!out.join("reef-man.1").exists());
    }
}
