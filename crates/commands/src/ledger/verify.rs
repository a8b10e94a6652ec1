//! Whether the journal is whole, and whether every balance is what it says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use reef_api::Money;
use reef_api::ledger::EntryList;
use reef_client::Request;
use reef_domain::journal::{Entry, Figures, Verifier};
use reef_domain::shown::in_line;
use serde_json::json;
use serde_json::value::RawValue;

use super::audit::{Compared, Journal, audit};
use crate::Context;
use crate::failure::Failure;
use crate::output::json;

/// Entries, numbers or seals in one request: the most that a hub answers.
pub(super) const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// An export (`-`: standard input) to check instead of the hub; nothing is asked of a hub then
    #[arg(conflicts_with = "against")]
    file: Option<PathBuf>,

    /// An export that was kept elsewhere: the hub must still have each of its entries, unchanged
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
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
            read_export(file, |_| {}, &mut verifier)?;
            report(cx, &verifier, "export", None)
        }
        None => verify_against(cx, args.against.as_deref()).await,
    }
}

/// Checks a hub's journal entry by entry, and all that lies in the ledger against it.
pub(crate) async fn verify_hub(cx: &Context) -> Result<(), Failure> {
    verify_against(cx, None).await
}

async fn verify_against(cx: &Context, export: Option<&Path>) -> Result<(), Failure> {
    let mut links = Vec::new();
    if let Some(export) = export {
        read_export(export, |link| links.push(link.to_owned()), &mut Verifier::default())?;
    }
    let mut journal = Journal::kept(links);
    let compared = audit(cx, &mut journal).await?;
    journal.require_kept()?;
    check_seals(cx, &journal.verifier).await?;
    report(cx, &journal.verifier, "hub", Some(&compared))
}

fn report(
    cx: &Context,
    verifier: &Verifier,
    source: &str,
    compared: Option<&Compared>,
) -> Result<(), Failure> {
    let sum: i128 = verifier.accounts().values().map(|it| i128::from(it.balance)).sum();
    if sum != 0 {
        return Err(Failure::Failed(format!("the accounts' sum is {sum} millionths, and not 0")));
    }
    let (entries, accounts) = (verifier.entries(), verifier.accounts().len());
    let restorations = verifier.restorations();
    if cx.out.is_json() {
        let restorations: Vec<_> = restorations
            .iter()
            .map(|(entry, memo)| json!({"entry": entry, "memo": memo}))
            .collect();
        let figures: BTreeMap<_, _> = verifier.accounts().iter().map(shown).collect();
        let report = json!({
            "ok": true, "source": source, "entries": entries, "link": verifier.link(),
            "seals": verifier.seals().len(), "balances_compared": compared.map(|it| it.agents),
            "records_compared": compared.map(|it| it.records), "accounts": figures,
            "restorations": restorations,
        });
        return Ok(cx.out.line(&report.to_string())?);
    }
    for (entry, memo) in restorations {
        let memo = in_line(memo);
        cx.out.line(&format!("before entry {entry} the journal went back: {memo}"))?;
    }
    let compared = match compared {
        Some(Compared { agents, .. }) => {
            format!("; the balances of {agents} agents are what it says")
        }
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

fn read_entry(text: &str, place: &str) -> Result<Entry, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Failed(format!("{place} is no entry: {error}")))
}

/// Takes the next entry; a bad one ends the command.
pub(super) fn feed(verifier: &mut Verifier, entry: &Entry, place: &str) -> Result<(), Failure> {
    verifier.feed(entry).map_err(|fault| Failure::Failed(format!("{place}: {fault}")))
}

/// Reads an export, and hands the link of each entry to `each`.
fn read_export(
    file: &Path,
    mut each: impl FnMut(&str),
    verifier: &mut Verifier,
) -> Result<(), Failure> {
    let cannot = |error| Failure::Failed(format!("{} cannot be read: {error}", file.display()));
    let lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).map_err(cannot)?))
    };
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(cannot)?;
        if !line.trim().is_empty() {
            let place = format!("line {}", number + 1);
            feed(verifier, &read_entry(&line, &place)?, &place)?;
            each(verifier.link());
        }
    }
    Ok(())
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
        let request = oldest_first::<Box<RawValue>>(cx, after);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        let page = answer.value()?;
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

/// The entries after so many, at most a page.
pub(super) async fn entries_after(cx: &Context, after: i64) -> Result<Vec<Entry>, Failure> {
    let page = oldest_first::<Box<RawValue>>(cx, after).fetch().await?;
    page.entries.iter().map(|entry| read_entry(entry.get(), "the hub's journal")).collect()
}

fn oldest_first<E>(cx: &Context, after: i64) -> Request<EntryList<E>> {
    cx.hub.entries().query("order", "oldest").query("limit", PAGE).query("after", after)
}

async fn check_seals(cx: &Context, verifier: &Verifier) -> Result<(), Failure> {
    let mut own = verifier.seals().iter().zip(1..);
    let mut cursor: Option<String> = None;
    loop {
        let request = cx.hub.seals().query("limit", PAGE);
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        for seal in &answer.value()?.seals {
            match own.next() {
                Some((_, number)) if seal.is_empty() => {
                    return Err(Failure::Failed(format!("seal {number} was removed")));
                }
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
