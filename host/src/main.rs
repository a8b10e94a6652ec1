//! `reef`: the host of a Reef hub, and its command line.
//!
//! It reads the `spin.toml` that Spin reads, runs the same `.wasm` files with wasmtime, keeps a
//! private Redis when none is given, and runs the monitor. It never links a component as Rust
//! code: what a component does is known here only by its answers.
//!
//! The way in is [`up::run`]; what is typed becomes a [`config::Config`] first.

mod admin_key;
mod app;
mod cli;
mod config;
mod cron;
mod failure;
mod http;
mod logging;
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
    let cli = cli::Cli::parse();
    logging::start(cli.command.common().log_format);
    match config::Config::from_cli(cli).and_then(up::run_blocking) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}
