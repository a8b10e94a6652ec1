//! `reef doctor --repair`: damage in the data of the private Redis, shown and mended.

use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Result, bail};

use super::aof::repair::plan;
use super::private::{DATA_FOLDER, socket_in};
use super::server::{self, LOCK};
use crate::state_dir::StateDir;

/// Looks at the data of a state directory without touching it, where there is some and no server
/// has it: a sentence about what is damaged.
pub(crate) fn look(state_dir: &Path) -> Option<Result<Option<String>>> {
    let data = state_dir.join(DATA_FOLDER);
    let is_served = socket_in(state_dir).is_some_and(|it| UnixStream::connect(it).is_ok());
    if is_served || !data.is_dir() || matches!(server::try_take(&data.join(LOCK)), Ok(None)) {
        return None;
    }
    Some(plan(&data).map(|plan| plan.map(|plan| plan.damage())))
}

/// Mends it, if `agree` does when it is told what that means. Says what was done.
///
/// # Errors
/// The hub runs; nothing can be mended; or the files cannot be copied.
pub(crate) fn repair(state_dir: &Path, agree: &mut dyn FnMut(&str) -> bool) -> Result<String> {
    let data = state_dir.join(DATA_FOLDER);
    if !data.is_dir() {
        return Ok(format!("{} holds no private Redis", state_dir.display()));
    }
    let held = StateDir::take(state_dir)?;
    let data = held.path().join(DATA_FOLDER);
    let Some(_lock) = server::try_take(&data.join(LOCK))? else {
        bail!("the private Redis of {} still runs: stop the hub first", state_dir.display());
    };
    let Some(plan) = plan(&data)? else {
        return Ok("the data of the private Redis is whole; nothing was changed".to_owned());
    };
    if !plan.is_repairable() {
        bail!(
            "{}. It cannot be mended: bring a backup back with `reef restore` into another \
             --state-dir, or a copy of the folder",
            plan.damage()
        );
    }
    let question = format!(
        "{}.\nIf you go on, {}.\nAll files are kept as they are in {}.",
        plan.damage(),
        plan.what_is_lost()?,
        data.join("damaged-…").display()
    );
    if !agree(&question) {
        bail!("nothing was changed");
    }
    let copy = plan.carry_out()?;
    Ok(format!("mended; the files as they were are in {}", copy.display()))
}
