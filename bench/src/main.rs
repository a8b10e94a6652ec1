//! Measures the hub, and shows what its layers cost: the same operations through the wasm
//! components in the host, through the same handlers compiled natively, and as bare scripts on
//! Redis, all against one Redis and in one run.
//!
//! It prints tables to standard output and its progress to standard error. It asserts nothing:
//! it fails only when something could not be run.
//!
//! # Layout
//! - [`parts`]: what is measured; each part starts what it needs and returns what it found.
//! - [`operation`], [`message`], [`task`], [`call`], [`template`]: the requests.
//! - [`load`]: the load generator: closed loop, paced, readers of event streams.
//! - [`floor`]: `redis-benchmark` with the script that a request comes down to.
//! - [`scripts`]: the table of all scripts.
//! - [`servers`]: the hub and the native server as processes.
//! - [`seed`], [`redis`], [`process`], [`machine`]: what measuring needs.
//! - [`report`]: the tables.

#![allow(clippy::cast_precision_loss, reason = "no figure of a table has 53 bits")]

mod call;
mod floor;
mod load;
mod machine;
mod message;
mod operation;
mod options;
mod parts;
mod process;
mod redis;
mod report;
mod sample;
mod scripts;
mod seed;
mod servers;
mod task;
mod template;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

use options::{Cli, Command, Options, Part};
use report::Report;

// The host runs with it, so the native baseline must as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::NativeServer(server)) => servers::native_server::run(&server),
        Some(Command::Scripts(options)) => run(scripts::run(&options)),
        Some(Command::Scale(options)) => run(measure(&options.for_sizing())),
        None => run(measure(&cli.options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(measurement: impl Future<Output = Result<()>>) -> Result<()> {
    process::raise_open_files_max();
    // One thread: the load generator shares the machine with what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        // Dropping the measurement stops the servers that it has started.
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = measurement => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
        }
    })
}

async fn measure(options: &Options) -> Result<()> {
    let mut report = Report::begin(options);
    for part in options.parts() {
        match part {
            Part::Operations => {
                report.operations = Some(parts::operations::run(options).await?);
            }
            Part::Scale => report.scale = Some(parts::scale::run(options).await?),
            Part::Fleet => report.fleet = Some(parts::fleet::run(options).await?),
            Part::Messages => report.messages = Some(parts::messages::run(options).await?),
            Part::Append => report.append = Some(parts::append::run(options).await?),
            Part::Streams => report.streams = Some(parts::streams::run(options).await?),
            Part::Tasks => report.tasks = Some(parts::tasks::run(options).await?),
            Part::Ledger => report.ledger = Some(parts::ledger::run(options).await?),
            Part::Costs => report.costs = Some(parts::costs::run(options).await?),
            Part::Shards => report.shards = Some(parts::shards::run(options).await?),
        }
    }
    report.print().context("cannot write to standard output")?;
    if let Some(file) = &options.against {
        report.compare(file)?;
    }
    if let Some(file) = &options.json {
        let text = serde_json::to_vec_pretty(&report)?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
