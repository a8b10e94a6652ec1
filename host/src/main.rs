//! `reef`: the host of a Reef hub, and its command line.
//!
//! It reads the `spin.toml` that Spin reads, runs the same `.wasm` files with wasmtime, keeps a
//! private Redis when none is given, and runs the monitor. It never links a component as Rust
//! code: what a component does is known here only by its answers.
//!
//! The way in is [`up::run_blocking`]; what is typed becomes a [`config::Config`] first. What a hub
//! can be asked from the command line is in [`reef_commands`], which knows nothing of the host.

mod admin_key;
mod alerts;
mod alerts_test;
mod app;
mod cli;
mod config;
mod cron;
mod failure;
mod http;
mod logging;
mod long_poll;
mod maintenance;
mod manifest;
mod metrics;
mod monitor;
mod redis;
mod shutdown;
mod sse;
mod state_dir;
mod up;

use std::process::ExitCode;

use clap::Parser;

// Serving one request through a component allocates a few dozen small objects on whichever
// thread happens to run it and frees them on another. glibc's allocator spends a third of the
// cost of such a request on its arena locks; with mimalloc the same hub serves 25 % more
// requests per second, for some 40 MB more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::Cli::parse().command {
        cli::Subcommands::Host(command) => host(command),
        cli::Subcommands::Data(command) => {
            logging::start_quietly();
            ended(maintenance::run_blocking(command))
        }
        cli::Subcommands::Alerts(command) => ended(alerts_test::run_blocking(&command.verb)),
        cli::Subcommands::Client(command) => {
            if command.is_service() {
                logging::start(cli::LogFormat::Text);
            }
            reef_commands::run(command)
        }
    }
}

/// Runs a host until it is asked to end.
fn host(command: cli::Command) -> ExitCode {
    logging::start(command.common().log_format);
    ended(config::Config::from_command(command).and_then(up::run_blocking))
}

fn ended(result: Result<(), failure::Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}
