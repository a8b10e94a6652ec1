//! The tables, as the documents show them.

use std::fmt::Write as _;

use reef_store::script::ALL;

use super::LEFT_OUT;
use super::driver::Seen;
use super::steps::{MANY, ONE};
use super::watched::Sample;
use crate::machine::Machine;

/// One of so many samples is left out, from the top: what the machine did meanwhile counts for no script.
const LEFT_OUT_OF: usize = 10;

/// A case is shown beside the usual one from so many times its time on.
const NOTEWORTHY: f64 = 1.5;

/// What a script costs in one case.
#[derive(Debug, Clone, Copy)]
struct Cost {
    us: f64,
    commands_us: f64,
    commands: f64,
    asked: f64,
    answered: f64,
}

impl Cost {
    fn of(samples: &[Sample]) -> Self {
        let mut kept = samples.to_vec();
        kept.sort_by_key(|sample| sample.us);
        kept.truncate(kept.len() - kept.len() / LEFT_OUT_OF);
        let mean = |of: fn(&Sample) -> u64| {
            kept.iter().map(of).sum::<u64>() as f64 / kept.len().max(1) as f64
        };
        Self {
            us: mean(|it| it.us),
            commands_us: mean(|it| it.commands_us),
            commands: mean(|it| it.commands),
            asked: mean(|it| it.asked),
            answered: mean(|it| it.answered),
        }
    }
}

/// What each script costs, with the arguments that are usual, and with others where that costs more.
pub(super) fn costs(seen: &Seen, redis: &str, machine: &Machine, many: usize) -> String {
    let Machine { cores, processor, load_before, .. } = machine;
    let processor = processor.as_deref().unwrap_or("unknown");
    let load = load_before.unwrap_or_default();
    let mut text = format!(
        "# What scripts cost\n\nEvery script of the hub, as Redis {redis} counts it (`INFO \
         commandstats`) on a machine with {cores} cores ({processor}), which others \
         used as well (load {load}): *µs*, the time of a call; *commands µs*, that of \
         the commands which it calls; *ratio*, the one divided by the other; *commands*, how many they \
         are; *asked* and *answered*, bytes of arguments and reply; *code*, bytes of the script. Each \
         was called {many} times or more, between two looks at the counters, so with colder caches \
         than in a loop; the slowest tenth is left out. Lines with a case show arguments that cost \
         {NOTEWORTHY} times as much as the usual ones, or more. What writing to the disk \
         costs is not in it. `cargo xtask bench scripts --write` has measured it and wrote this file; a \
         test says when a script is missing.\n\n| script | case | µs | commands µs | ratio | commands | \
         asked | answered | code |\n|---|---|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for script in ALL {
        if let Some((_, why)) = LEFT_OUT.iter().find(|it| it.0 == script.name) {
            let _ = writeln!(text, "| `{}` | not called: {why} | | | | | | | |", script.name);
            continue;
        }
        lines(&mut text, seen, script.name, script.code.len());
    }
    text
}

fn lines(text: &mut String, seen: &Seen, name: &str, code: usize) {
    let of_script = seen.samples.iter().filter(|(case, _)| case.0 == name);
    let mut costs: Vec<_> = of_script.map(|(case, samples)| (case.1, Cost::of(samples))).collect();
    costs.sort_by(|a, b| a.1.us.total_cmp(&b.1.us));
    let usual = costs.iter().position(|it| it.0.is_empty()).unwrap_or_default();
    let mut shown = Vec::new();
    if usual < costs.len() {
        shown.push(costs.remove(usual));
    }
    if let Some(worst) =
        costs.pop().filter(|worst| shown.iter().all(|it| worst.1.us >= NOTEWORTHY * it.1.us))
    {
        shown.push(worst);
    }
    for (case, cost) in shown {
        let Cost { us, commands_us, commands, asked, answered } = cost;
        let ratio =
            if commands_us < 0.5 { "".to_owned() } else { format!("{:.1}", us / commands_us) };
        let _ = writeln!(
            text,
            "| `{name}` | {case} | {us:.0} | {commands_us:.1} | {ratio} | {commands:.0} | {asked:.0} | \
             {answered:.0} | {code} |"
        );
    }
}

/// Where decisions lie, seen from the document.
const DECISIONS: &str = "../adr/";
/// It walks keys as they lie, so that it asks for more or less with the ids that were made.
const NOT_COUNTED: &str = "/api/v1/entries/audit";

/// What each read asks of Redis. This is counted, and the same wherever it is.
pub(super) fn reads(seen: &Seen) -> String {
    let mut text = format!(
        "# What reads ask of Redis\n\nCalls of scripts, and the commands within them, for each route \
         that reads; for lists with a page of one row and with a page of 50, or with as many as there \
         are. Counted with the admin's key, over one Redis; an agent's key adds one command and no call \
         ([0011]({DECISIONS}0011-checking-keys.md)). This file is made by a test, which says when it is \
         stale: a list that asks once for each row is seen here. `GET /api/v1/entries/audit` is left out: it walks \
         hundreds of keys as they lie, in one call.\n\n| route | calls | commands | calls, \
         50 rows | commands, 50 rows |\n|---|---:|---:|---:|---:|\n",
    );
    let mut routes: Vec<_> = seen.reads.keys().map(|case| case.0).collect();
    routes.dedup();
    for route in routes {
        if route == NOT_COUNTED {
            continue;
        }
        let with = |case| seen.reads.get(&(route, case));
        let Some(one) = with(ONE).or_else(|| with("")) else { continue };
        let _ = write!(text, "| `GET {route}` | {} | {} |", one.calls, one.commands);
        let _ = match with(MANY) {
            Some(many) => writeln!(text, " {} | {} |", many.calls, many.commands),
            None => writeln!(text, " | |"),
        };
    }
    text
}
