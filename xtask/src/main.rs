//! Everything that a person or CI types: `cargo xtask up | build | wasm | test | bench | openapi | ci`.
//!
//! Each command prepares what it needs by itself (the wasm target, a Redis server, the builds),
//! so that a fresh machine with git and rustup needs no other step. What it says goes to
//! standard error; standard output belongs to the program that it runs.

mod build;
mod dist;
mod fuzz;
mod machine;
mod process;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How many seconds each fuzz target has in CI. Two minutes for all of them catch what a change has
/// broken; whoever changes what a target reads runs it for longer.
const FUZZED_IN_CI: u32 = 20;

/// Builds, runs, tests and measures Reef.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prepare, build, and start a hub here: http://127.0.0.1:8888 if nothing else is asked for.
    Up {
        /// Handed to `reef up`; see `cargo xtask up -- --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build the components that spin.toml names, and target/release/reef, which carries them.
    Build,
    /// Build the components alone; `spin build` needs no more.
    Wasm,
    /// Prepare, then run every test, or the contract tests alone against a running hub.
    Test(TestArgs),
    /// Prepare, then measure the hub; see `cargo xtask bench -- --help`.
    Bench {
        /// Handed to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build what a release consists of, in target/dist.
    Dist(dist::DistArgs),
    /// Write openapi.json from the route tables and the types; a test fails when it is stale.
    Openapi,
    /// Feed what reads others' bytes with odd ones, from the seeds in `fuzz/corpus`.
    Fuzz {
        /// How long each target.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u32,
    },
    /// What CI runs: formatting, spelling, dependencies, lints, some fuzzing, then every test.
    Ci,
    /// The contract tests, twice against one hub that calls its components as Spin does.
    ContractTwice,
}

/// What to test.
#[derive(clap::Args)]
struct TestArgs {
    /// Run only the contract tests, against the hub that answers here (ours or Spin's).
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file that holds that hub's admin key; without it the hub must run open.
    #[arg(long, value_name = "FILE", requires = "url")]
    admin_key_file: Option<PathBuf>,
    /// Only tests whose name contains one of these; with --url, only groups of the contract
    /// tests, such as `nodes` or `leadership`.
    filter: Vec<String>,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up { args } => {
            machine::ensure_redis()?;
            build::everything()?;
            process::replace_with(process::command(build::hub_binary()).arg("up").args(args))
        }
        Command::Build => build::everything(),
        Command::Wasm => build::components(),
        Command::Test(TestArgs { url: Some(url), admin_key_file, filter }) => {
            verify::contract_of(&url, admin_key_file.as_deref(), &filter)
        }
        Command::Test(TestArgs { filter, .. }) => verify::tests(&filter),
        Command::Bench { args } => {
            machine::ensure_redis()?;
            build::everything()?;
            build::benchmark()?;
            process::replace_with(process::command(build::benchmark_binary()).args(args))
        }
        Command::Dist(args) => dist::dist(&args),
        Command::Openapi => build::openapi(),
        Command::Fuzz { seconds } => fuzz::run_all(seconds),
        Command::Ci => {
            verify::lints()?;
            fuzz::run_all(FUZZED_IN_CI)?;
            verify::tests(&[])
        }
        Command::ContractTwice => verify::contract_twice(),
    }
}
