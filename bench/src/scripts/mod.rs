//! What each script costs, and what each read asks: every operation of the hub, over a Redis that is
//! watched. A script that no operation comes to is in the table with the reason.

mod driver;
mod steps;
mod table;
mod watched;

use std::io::Write as _;

use anyhow::{Context, Result, bail};
use reef_store::script::ALL;

use crate::machine::Machine;
use crate::options::{Scripts, checkout};
use crate::servers::bare_redis::BareRedis;
use driver::{Driver, Seen};
use watched::Watched;

/// Scripts that no operation comes to, and why not.
const LEFT_OUT: &[(&str, &str)] = &[];

/// How often each operation is asked for.
const MANY: usize = 200;
/// The same for a look that shows only that everything works.
const MANY_QUICK: usize = 60;

/// Where the tables are kept.
const COSTS: &str = "docs/reference/script-costs.md";
const READS: &str = "docs/reference/read-costs.md";

/// Measures, and prints the tables or writes them into the documents.
pub(crate) async fn run(options: &Scripts) -> Result<()> {
    let machine = Machine::look();
    let many = if options.quick { MANY_QUICK } else { MANY };
    let (seen, redis) = watch(many).await?;
    let mut missing: Vec<String> = unseen(&seen).into_iter().map(str::to_owned).collect();
    missing.extend(seen.untouched.iter().cloned());
    if !missing.is_empty() {
        bail!("nothing has asked for {missing:?}: bench/src/scripts/steps is where that is done");
    }
    let texts =
        [(COSTS, table::costs(&seen, &redis, &machine, many)), (READS, table::reads(&seen))];
    for (file, text) in texts {
        if options.write {
            let file = checkout().join(file);
            std::fs::write(&file, text)
                .with_context(|| format!("cannot write {}", file.display()))?;
        } else {
            writeln!(std::io::stdout(), "{text}").context("cannot write to standard output")?;
        }
    }
    Ok(())
}

/// Asks for everything, `many` times each.
async fn watch(many: usize) -> Result<(Seen, String)> {
    let server = BareRedis::start(&std::env::temp_dir()).await?;
    let watched = Watched::new(server.redis.connection.clone());
    let driver = Driver::new(watched, many)?;
    steps::all(&driver).await?;
    Ok((driver.seen(), server.redis.version.clone()))
}

/// Scripts that were not called and of which nobody says why.
fn unseen(seen: &Seen) -> Vec<&'static str> {
    let is_known = |name: &str| {
        LEFT_OUT.iter().any(|it| it.0 == name) || seen.samples.keys().any(|it| it.0 == name)
    };
    ALL.iter().map(|script| script.name).filter(|name| !is_known(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of documents that are made: writes them instead of comparing.
    const WRITE: &str = "REEF_WRITE_GENERATED";

    #[test]
    fn every_script_and_route_is_asked_for_and_the_table_of_reads_is_generated() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = tokio::task::LocalSet::new();
        let (seen, _) = local.block_on(&runtime, watch(MANY_QUICK)).unwrap();
        assert_eq!(
            unseen(&seen),
            Vec::<&str>::new(),
            "bench/src/scripts/steps asks for none of them"
        );
        assert_eq!(
            seen.untouched,
            Vec::<String>::new(),
            "bench/src/scripts/steps asks for none of them"
        );
        let called = |it: &&(&str, &str)| seen.samples.keys().any(|case| case.0 == it.0);
        assert_eq!(LEFT_OUT.iter().find(called), None, "it is called after all");

        let (file, text) = (checkout().join(READS), table::reads(&seen));
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&file, text).unwrap();
            return;
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        let differs = found.lines().zip(text.lines()).find(|(found, made)| found != made);
        assert!(
            found == text,
            "{READS} is stale ({differs:?}): `{WRITE}=1 cargo xtask test is_generated` writes it"
        );
    }

    #[test]
    fn the_table_of_costs_has_every_script() {
        let document = std::fs::read_to_string(checkout().join(COSTS)).unwrap();
        for script in ALL {
            let line = format!("| `{}` |", script.name);
            assert!(
                document.contains(&line),
                "{COSTS} lacks {}: `cargo xtask bench scripts --write`",
                script.name
            );
        }
        let listed =
            document.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        for name in listed {
            assert!(
                ALL.iter().any(|script| script.name == name),
                "{COSTS}: there is no script {name}"
            );
        }
    }
}
