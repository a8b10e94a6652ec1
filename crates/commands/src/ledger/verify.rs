//! Whether the journal is whole, and whether every balance is what it says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use reef_domain::Money;
use reef_domain::journal::{Entry, Figures, Verifier};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::Context;
use crate::failure::Failure;
use crate::output::json;

/// Entries, agents or seals in one request: the most that a hub answers.
const PAGE: u32 = 1000;
/// How often a ledger that moves while it is looked at is looked at again.
const LOOKS: usize = 10;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// An export (`-`: standard input) to check instead of the hub; nothing is asked of a hub then
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Where to; `-` for standard output
    file: PathBuf,
}

pub(super) async fn verify(cx: &Context, args: VerifyArgs) -> Result<(), Failure> {
    match &args.file {
        Some(file) => {
            let mut verifier = Verifier::default();
            read_export(file, &mut verifier)?;
            report(cx, &verifier, "export", None)
        }
        None => verify_hub(cx).await,
    }
}

/// Checks a hub's journal entry by entry, and every balance against it.
pub(crate) async fn verify_hub(cx: &Context) -> Result<(), Failure> {
    let mut verifier = Verifier::default();
    read_hub(cx, &mut verifier).await?;
    check_seals(cx, &verifier).await?;
    let agents = check_balances(cx, &mut verifier).await?;
    report(cx, &verifier, "hub", Some(agents))
}

fn report(
    cx: &Context,
    verifier: &Verifier,
    source: &str,
    agents: Option<usize>,
) -> Result<(), Failure> {
    let sum: i128 = verifier.accounts().values().map(|it| i128::from(it.balance)).sum();
    if sum != 0 {
        return Err(Failure::Failed(format!("the accounts' sum is {sum} millionths, and not 0")));
    }
    let (entries, accounts) = (verifier.entries(), verifier.accounts().len());
    if cx.out.is_json() {
        let figures: BTreeMap<_, _> = verifier.accounts().iter().map(shown).collect();
        let report = json!({
            "ok": true, "source": source, "entries": entries, "link": verifier.link(),
            "seals": verifier.seals().len(), "balances_compared": agents, "accounts": figures,
        });
        return Ok(cx.out.line(&report.to_string())?);
    }
    let compared = match agents {
        Some(agents) => format!("; the balances of {agents} agents are what it says"),
        None => String::new(),
    };
    let seals = verifier.seals().len();
    Ok(cx.out.line(&format!(
        "{entries} entries are whole: {accounts} accounts, sum 0, {seals} seals{compared}\nlast link {}",
        verifier.link()
    ))?)
}

fn shown((account, figures): (&String, &Figures)) -> (String, serde_json::Value) {
    let money = |micros| Money::from_micros(micros).unwrap_or_default().to_string();
    let figures = json!({"balance": money(figures.balance), "locked": money(figures.locked)});
    (account.clone(), figures)
}

/// Takes the next entry; a bad one ends the command.
fn feed(verifier: &mut Verifier, text: &str, place: &str) -> Result<(), Failure> {
    let entry: Entry = serde_json::from_str(text)
        .map_err(|error| Failure::Failed(format!("{place} is no entry: {error}")))?;
    verifier.feed(&entry).map_err(|fault| Failure::Failed(format!("{place}: {fault}")))
}

fn read_export(file: &Path, verifier: &mut Verifier) -> Result<(), Failure> {
    let cannot = |error| Failure::Failed(format!("{} cannot be read: {error}", file.display()));
    let lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).map_err(cannot)?))
    };
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(cannot)?;
        if !line.trim().is_empty() {
            feed(verifier, &line, &format!("line {}", number + 1))?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<Box<RawValue>>,
}

/// Hands all entries from one on, oldest first, to `each`; returns the number to go on after.
async fn walk(
    cx: &Context,
    after: i64,
    mut each: impl FnMut(&RawValue) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    let mut walked: u64 = 0;
    loop {
        let request = cx.hub.get(["entries"]).query("order", "oldest").query("limit", PAGE);
        let request = request.query("after", after);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        let page: Entries = answer.json()?;
        for entry in &page.entries {
            each(entry)?;
        }
        walked += page.entries.len() as u64;
        match answer.next_cursor() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(()),
        }
        if walked.is_multiple_of(100 * u64::from(PAGE)) {
            cx.out.note(&format!("{walked} entries …"));
        }
    }
}

async fn read_hub(cx: &Context, verifier: &mut Verifier) -> Result<(), Failure> {
    walk(cx, verifier.entries(), |entry| feed(verifier, entry.get(), "the hub's journal")).await
}

#[derive(Deserialize)]
struct Seals {
    seals: Vec<String>,
}

async fn check_seals(cx: &Context, verifier: &Verifier) -> Result<(), Failure> {
    let mut own = verifier.seals().iter().zip(1..);
    let mut cursor: Option<String> = None;
    loop {
        let request = cx.hub.get(["entries", "seals"]).query("limit", PAGE);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        let page: Seals = answer.json()?;
        for seal in &page.seals {
            match own.next() {
                Some((ours, number)) if ours != seal => {
                    return Err(Failure::Failed(format!(
                        "seal {number} is not that of its thousand entries: they were altered \
                         after they were sealed"
                    )));
                }
                _ => {}
            }
        }
        match answer.next_cursor() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Agents {
    agents: Vec<Agent>,
}

#[derive(Deserialize)]
struct Agent {
    agent_id: String,
    balance: Option<Money>,
    locked: Option<Money>,
}

/// Compares every agent's balance with the journal, at a moment at which nothing moved; returns how
/// many there are.
async fn check_balances(cx: &Context, verifier: &mut Verifier) -> Result<usize, Failure> {
    for _ in 0..LOOKS {
        let before = verifier.entries();
        let agents = read_agents(cx).await?;
        read_hub(cx, verifier).await?;
        if verifier.entries() == before {
            return compare(verifier, &agents).map(|()| agents.len());
        }
    }
    cx.out
        .note("money moves all the time, so that balances could not be compared with the journal");
    Ok(0)
}

async fn read_agents(cx: &Context) -> Result<Vec<Agent>, Failure> {
    let mut agents = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let request = cx.hub.get(["agents"]).query("limit", PAGE);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        let page: Agents = answer.json()?;
        agents.extend(page.agents);
        match answer.next_cursor() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(agents),
        }
    }
}

fn compare(verifier: &Verifier, agents: &[Agent]) -> Result<(), Failure> {
    for agent in agents {
        let figures = verifier.accounts().get(&agent.agent_id).copied().unwrap_or_default();
        let shown = [agent.balance, agent.locked].map(|it| it.unwrap_or_default().micros());
        if shown != [figures.balance, figures.locked] {
            let [balance, locked] = shown;
            return Err(Failure::Failed(format!(
                "{} has {balance} millionths, {locked} of them reserved; by the journal it has {} \
                 and {}",
                agent.agent_id, figures.balance, figures.locked
            )));
        }
    }
    Ok(())
}

pub(super) async fn export(cx: &Context, args: ExportArgs) -> Result<(), Failure> {
    let place = args.file.display().to_string();
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Failed(format!("{place} cannot be written: {error}")),
    };
    let to_stdout = args.file == Path::new("-");
    let mut out: Box<dyn Write> = if to_stdout {
        Box::new(BufWriter::new(std::io::stdout()))
    } else {
        Box::new(BufWriter::new(File::create(&args.file).map_err(cannot)?))
    };
    let mut count: u64 = 0;
    walk(cx, 0, |entry| {
        count += 1;
        // On a terminal a memo must only be read; what is written out there is the same JSON.
        let line = if to_stdout { json(entry.get()) } else { entry.get().to_owned() };
        writeln!(out, "{line}").map_err(cannot)
    })
    .await?;
    out.flush().map_err(cannot)?;
    if !to_stdout {
        cx.out.note(&format!("{count} entries are in {place}"));
    }
    Ok(())
}
