//! `reef completions`: what lets a shell complete commands and flags.

use clap::{Args, CommandFactory as _, ValueEnum};

use super::Cli;
use crate::failure::Failure;
use crate::output;

/// `reef completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

/// The shells that can be helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// Shown above the `--help` of `reef completions`.
pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  reef completions bash > ~/.local/share/bash-completion/completions/reef
  reef completions zsh > ~/.zfunc/_reef          with fpath+=~/.zfunc before compinit
  reef completions fish > ~/.config/fish/completions/reef.fish
";

/// Shown below it.
pub(super) const COMPLETIONS_EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something went wrong
  2    usage
  3    does not happen here: nothing is asked
  130  interrupted
";

/// Prints the script for a shell.
pub(crate) fn print_completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "reef", &mut script);
    output::write(&script)
}
