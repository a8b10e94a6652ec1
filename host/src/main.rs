//! `reef`: the host of a Reef hub, and its command line.
//!
//! It reads the `spin.toml` that Spin reads, runs the same `.wasm` files with wasmtime, keeps a
//! private Redis when none is given, and runs the monitor. It never links a component as Rust
//! code: what a component does is known here only by its answers.
//!
//! The way in is [`up::run_blocking`]; what is typed becomes a [`config::Config`] first. What a hub
//! can be asked from the command line is in [`reef_commands`], which knows nothing of the host.

mod accord;
mod admin_key;
mod alerts;
mod alerts_test;
mod app;
mod carried;
mod cli;
mod config;
mod config_command;
mod cron;
mod debug;
mod descriptors;
mod era;
mod examine;
mod failure;
mod http;
mod init;
mod log_fields;
mod logging;
mod long_poll;
mod maintenance;
mod manifest;
mod metrics;
mod monitor;
mod output;
mod places;
mod redis;
mod reef_toml;
mod seen;
mod shutdown;
mod spin_command;
mod sse;
mod state_dir;
mod supervise;
mod up;
mod welcome;

use std::process::ExitCode;

use clap::Parser;
use reef_settings::Settings;

// Serving one request through a component allocates a few dozen small objects on whichever
// thread happens to run it and frees them on another. glibc's allocator spends a third of the
// cost of such a request on its arena locks; with mimalloc the same hub serves 25 % more
// requests per second, for some 40 MB more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    let code = match cli.command {
        Some(command) => run(command),
        None => ended(cli::print_version(&cli.version)),
    };
    logging::finish();
    code
}

/// Says what was typed wrongly, or the help that was asked for.
fn not_understood(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|arg| arg == "--nagios") {
        let words = error.to_string();
        let said: Vec<_> =
            words.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        return reef_commands::typed_wrongly(said.join(" ").trim_start_matches("error: "));
    }
    error.exit()
}

fn run(command: cli::Subcommands) -> ExitCode {
    match command {
        cli::Subcommands::Host(command) => ended(host(command)),
        cli::Subcommands::Config(command) => ended(config_command::run(command)),
        cli::Subcommands::Spin(command) => ended(spin_command::run(command)),
        cli::Subcommands::Init(args) => ended(init::run(&args)),
        cli::Subcommands::Completions(args) => ended(cli::print_completions(&args)),
        cli::Subcommands::Man(args) => {
            ended(cli::write_pages(&args).map_err(|error| failure::Failure::Runtime(error.into())))
        }
        cli::Subcommands::Data(command) => {
            logging::start_quietly();
            ended(maintenance::run_blocking(command))
        }
        cli::Subcommands::Alerts(command) => ended(alerts_test::run_blocking(&command.verb)),
        cli::Subcommands::Client(command) => {
            if let Some(args) = command.is_service() {
                match reef_toml::load(args) {
                    Ok(settings) => logging::start(&settings, None),
                    Err(failure) => return ended(Err(failure)),
                }
            }
            let (examine, repair) = (examine::examine, examine::repair);
            reef_commands::run(command, reef_commands::Host { examine, repair })
        }
    }
}

/// Runs a host until it is asked to end.
fn host(command: cli::Command) -> Result<(), failure::Failure> {
    let settings = Settings::load(&command.common().settings).map_err(failure::Failure::usage)?;
    let command = reef_toml::complete(command, &settings)?;
    logging::start(&settings, command.common().log_format);
    for note in settings.notes() {
        tracing::warn!("{note}");
    }
    config::Config::from_command(command, &settings).and_then(up::run_blocking)
}

/// Says what went wrong, if anything did.
fn ended(result: Result<(), failure::Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}
