//! A server program for the private Redis, where there is none and somebody wants one.

use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use reef_domain::shown::as_text;
use reef_packages::{Plan, REDIS, System};

use super::private;
use crate::logging;

/// What is known of this machine.
pub(super) fn system() -> System {
    System::here(rustix::process::geteuid().is_root())
}

/// What to do where there is none, in one sentence.
pub(crate) fn advice() -> String {
    let system = system();
    let does_it = match REDIS.plan(&system) {
        Some(plan) if plan.is_possible => "; `reef up --install-redis` does it",
        _ => "",
    };
    format!(
        "this machine has neither redis-server nor valkey-server: install one ({}{does_it}), or \
         give the address of one that runs with --redis-url",
        REDIS.advice(&system)
    )
}

/// Sees to it that there is one: installs it if that was asked for, or if whoever sits at the
/// terminal says so. Nothing is done where nobody wants it.
///
/// # Errors
/// It was wanted, and could not be done.
pub(crate) fn ensure_program(is_asked: bool) -> Result<()> {
    if private::find_program().is_ok() {
        return Ok(());
    }
    match REDIS.plan(&system()).filter(|plan| plan.is_possible) {
        Some(plan) if is_asked || agrees(&plan) => install(&plan),
        None if is_asked => bail!("nothing can be installed here: {}", advice()),
        _ => Ok(()),
    }
}

/// Asks, if there is somebody. Who says nothing has not agreed.
fn agrees(plan: &Plan) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    logging::say_aside(&format!(
        "This machine has no Redis, which keeps a hub's data. Install it now?\n  {}\nType y for \
         yes; anything else leaves it as it is:",
        plan.line()
    ));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "yes")
}

fn install(plan: &Plan) -> Result<()> {
    for step in &plan.steps {
        let line = step.join(" ");
        logging::say_aside(&format!("$ {line}"));
        let (program, args) = step.split_first().context("a plan has commands")?;
        let ended = Command::new(program)
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // sudo may ask for a password.
            .stdin(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {line}"))?;
        if !ended.status.success() {
            let said = [ended.stdout, ended.stderr].concat();
            logging::say_aside(&as_text(String::from_utf8_lossy(&said).trim_end()));
            bail!("`{line}` has failed ({}); what it said stands above", ended.status);
        }
    }
    ensure!(
        private::find_program().is_ok(),
        "its package is installed, but there is still neither redis-server nor valkey-server on PATH"
    );
    Ok(())
}
