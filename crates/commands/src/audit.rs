//! `reef audit`: who has changed what by hand, and whether the record of it is whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use reef_api::audit::{AuditList, AuditSeals};
use reef_client::Request;
use reef_domain::trail::{Chain, Entry, Verifier};
use serde_json::json;
use serde_json::value::RawValue;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::output::json;
use crate::table::{columns, or_empty, shortened};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef audit list
  reef audit list --actor alice --action 'node.*'
  reef audit verify                           whether an entry was altered, dropped or moved
";

/// Entries or seals in one request: the most that a hub answers.
const PAGE: u32 = 1000;

/// How often reading begins anew where the hub drops what is old meanwhile.
const TRIES: usize = 3;

/// `reef audit`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Audit {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List entries, newest first (admin)
    #[command(before_help = "Examples:\n  reef audit list --limit 20\n  reef audit list --target n1\n  reef audit list --action 'key.*' --json\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Check it entry by entry, and against its seals (admin); or an export
    #[command(before_help = "Examples:\n  reef audit verify\n  reef audit verify audit.jsonl\n  reef audit verify --against audit.jsonl\n", after_help = EXIT_CODES)]
    Verify(VerifyArgs),
    /// Write all of it to a file, one entry a line (admin)
    #[command(before_help = "Examples:\n  reef audit export audit.jsonl\n  reef audit export - | gzip > audit.gz\n", after_help = EXIT_CODES)]
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only what this one has done: an agent, @admin, or how it begins and *
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only what is called so, such as node.remove, or node.*
    #[arg(long, value_name = "WHAT")]
    action: Option<String>,
    /// Only what was done to this, or to what begins so and ends in *
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// Only this part: what concerns the cluster, or agents, keys and money
    #[arg(long)]
    chain: Option<Part>,
    /// Most of them, 1 to 1000
    #[arg(long)]
    limit: Option<u32>,
    /// Where the page before said to go on
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Cluster,
    Ledger,
}

impl Part {
    fn chain(self) -> Chain {
        match self {
            Self::Cluster => Chain::Cluster,
            Self::Ledger => Chain::Ledger,
        }
    }
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// An export (`-`: standard input) to check instead of the hub; nothing is asked of a hub then
    #[arg(conflicts_with = "against")]
    file: Option<PathBuf>,

    /// An export that was kept elsewhere: what the hub still keeps of it must be unchanged
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// Where to; `-` for standard output
    file: PathBuf,
}

impl Audit {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list(cx, args).await,
            Verb::Verify(args) => verify(cx, args).await,
            Verb::Export(args) => export(cx, args).await,
        }
    }
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request: Request<AuditList<Entry>> = cx.hub.audit_entries();
    let answer = request
        .maybe_query("actor", args.actor)
        .maybe_query("action", args.action)
        .maybe_query("target", args.target)
        .maybe_query("chain", args.chain.map(|part| part.chain().as_str()))
        .maybe_query("limit", args.limit)
        .maybe_query("cursor", args.cursor)
        .send()
        .await?;
    let header = ["at", "actor", "key", "via", "action", "target", "before", "after", "reason"];
    let facts = |facts: &Option<Box<RawValue>>| or_empty(facts.as_ref().map(|it| it.get()));
    let row = |entry: &Entry| {
        [
            time::of(entry.at),
            entry.actor.clone(),
            or_empty(entry.key_id.as_ref()),
            entry.via.clone(),
            entry.action.clone(),
            entry.target.clone(),
            shortened(&facts(&entry.before)),
            shortened(&facts(&entry.after)),
            shortened(&entry.reason),
        ]
    };
    cx.out.answer(&answer, |page| columns(header, page.entries.iter().map(row)))?;
    cx.out.tell_next(&answer);
    Ok(())
}

/// What one chain was found to be.
struct Verified {
    chain: Chain,
    verifier: Verifier,
    begin: i64,
}

async fn verify(cx: &Context, args: VerifyArgs) -> Result<(), Failure> {
    if let Some(file) = &args.file {
        let found = read_export(file, |_| {})?;
        return report(cx, &found, "export");
    }
    let mut kept = BTreeMap::new();
    if let Some(file) = &args.against {
        read_export(file, |entry| _ = kept.insert((entry.chain, entry.seq), entry.link.clone()))?;
    }
    let mut found = Vec::new();
    for chain in Chain::ALL {
        found.push(verify_chain(cx, chain, &kept).await?);
    }
    report(cx, &found, "hub")
}

type Links = BTreeMap<(Chain, i64), String>;

async fn verify_chain(cx: &Context, chain: Chain, kept: &Links) -> Result<Verified, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let head = head(cx, chain).await?;
        let checked = check_chain(cx, chain, &head, kept).await;
        // What is old may have been dropped meanwhile.
        let is_another = checked.is_err() && self::head(cx, chain).await?.begin != head.begin;
        if !is_another || tries == TRIES {
            return checked;
        }
    }
}

async fn check_chain(
    cx: &Context,
    chain: Chain,
    head: &AuditSeals<Chain>,
    kept: &Links,
) -> Result<Verified, Failure> {
    let name = chain.as_str();
    let failed = |words: String| Err(Failure::Failed(words));
    if head.lost > 0 {
        return failed(format!(
            "{} entries of the {name} could not be written: something else stood in their place",
            head.lost
        ));
    }
    let mut verifier = Verifier::new(chain, head.begin, head.before.as_deref());
    walk(cx, Some(chain), |entry| {
        let entry = read_entry(entry.get(), "the hub's audit")?;
        feed(&mut verifier, &entry, "the hub")?;
        let is_head = entry.seq == head.entries;
        let is_kept = kept.get(&(chain, entry.seq)).is_none_or(|link| *link == entry.link);
        if is_head && entry.link != head.link || !is_kept {
            let than = if is_kept { "what the hub has written" } else { "the export" };
            let seq = entry.seq;
            return Err(Failure::Failed(format!(
                "entry {seq} of the {name} is another than {than}"
            )));
        }
        Ok(())
    })
    .await?;
    verifier
        .finish(head.entries, &head.link)
        .map_err(|fault| Failure::Failed(format!("the hub: {fault}")))?;
    let now = self::head(cx, chain).await?;
    if verifier.last() > now.entries {
        let seq = now.entries + 1;
        return failed(format!("entry {seq} of the {name} was not written by the hub"));
    }
    check_seals(cx, chain, &verifier).await?;
    Ok(Verified { chain, verifier, begin: head.begin })
}

/// What a chain says of itself, with the first of its seals.
async fn head(cx: &Context, chain: Chain) -> Result<AuditSeals<Chain>, Failure> {
    Ok(cx.hub.audit_seals(chain.as_str()).query("limit", PAGE).fetch().await?)
}

async fn check_seals(cx: &Context, chain: Chain, verifier: &Verifier) -> Result<(), Failure> {
    let (mut theirs, mut total) = (BTreeMap::new(), 0);
    let mut cursor: Option<String> = None;
    loop {
        let request: Request<AuditSeals<Chain>> = cx.hub.audit_seals(chain.as_str());
        let request = request.query("limit", PAGE).maybe_query("cursor", cursor.as_deref());
        let answer = request.send().await?;
        let page = answer.value()?;
        theirs.extend((page.first..).zip(page.seals));
        total = page.total.max(total);
        match answer.next_cursor() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let name = chain.as_str();
    for (number, ours) in verifier.seals().iter().filter(|(number, _)| *number < total) {
        let words = match theirs.get(number).map(String::as_str) {
            Some(seal) if seal == ours => continue,
            None | Some("") => format!("seal {number} of the {name} was removed"),
            Some(_) => format!(
                "seal {number} of the {name} is not that of its hundred entries: they were altered after they \
                 were sealed"
            ),
        };
        return Err(Failure::Failed(words));
    }
    Ok(())
}

fn report(cx: &Context, found: &[Verified], source: &str) -> Result<(), Failure> {
    if cx.out.is_json() {
        let chains = found.iter().map(|it| {
            json!({
                "chain": it.chain, "begin": it.begin, "entries": it.verifier.entries(),
                "last": it.verifier.last(), "link": it.verifier.link(),
                "seals": it.verifier.seals().len(),
            })
        });
        let chains: Vec<_> = chains.collect();
        let report = json!({"ok": true, "source": source, "chains": chains});
        return Ok(cx.out.line(&report.to_string())?);
    }
    for Verified { chain, verifier, begin } in found {
        let (entries, seals) = (verifier.entries(), verifier.seals().len());
        let from = if *begin > 1 { format!(" from {begin} on") } else { String::new() };
        let link = match verifier.link() {
            "" => String::new(),
            link => format!(", last link {link}"),
        };
        let name = chain.as_str();
        cx.out.line(&format!("{name}: {entries} entries{from} are whole, {seals} seals{link}"))?;
    }
    Ok(())
}

fn read_entry(text: &str, place: &str) -> Result<Entry, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Failed(format!("{place} is no entry: {error}")))
}

/// Takes the next entry; a bad one ends the command.
fn feed(verifier: &mut Verifier, entry: &Entry, place: &str) -> Result<(), Failure> {
    verifier.feed(entry).map_err(|fault| Failure::Failed(format!("{place}: {fault}")))
}

/// Reads an export, whose chains may stand in any order among each other, and begin anywhere.
fn read_export(file: &Path, mut each: impl FnMut(&Entry)) -> Result<Vec<Verified>, Failure> {
    let cannot = |error| Failure::Failed(format!("{} cannot be read: {error}", file.display()));
    let lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).map_err(cannot)?))
    };
    let mut chains: BTreeMap<Chain, Verified> = BTreeMap::new();
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(cannot)?;
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("line {}", number + 1);
        let entry = read_entry(&line, &place)?;
        let (chain, begin) = (entry.chain, entry.seq);
        let verified = chains.entry(chain).or_insert_with(|| Verified {
            chain,
            begin,
            verifier: Verifier::new(chain, begin, None),
        });
        feed(&mut verified.verifier, &entry, &place)?;
        each(&entry);
    }
    if chains.is_empty() {
        return Err(Failure::Failed(format!("{} has no entries", file.display())));
    }
    Ok(chains.into_values().collect())
}

/// Hands all entries, oldest first, to `each`.
async fn walk(
    cx: &Context,
    chain: Option<Chain>,
    mut each: impl FnMut(&RawValue) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    loop {
        let request: Request<AuditList<Box<RawValue>>> = cx.hub.audit_entries();
        let request = request.query("order", "oldest").query("limit", PAGE);
        let request = request.maybe_query("chain", chain.map(Chain::as_str));
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        for entry in &answer.value()?.entries {
            each(entry)?;
        }
        match answer.next_cursor() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

async fn export(cx: &Context, args: ExportArgs) -> Result<(), Failure> {
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
    walk(cx, None, |entry| {
        count += 1;
        // To the letter: the link is made of that. On a terminal it must only be read.
        let line = if to_stdout && cx.out.is_terminal() {
            json(entry.get())
        } else {
            entry.get().to_owned()
        };
        writeln!(out, "{line}").map_err(cannot)
    })
    .await?;
    out.flush().map_err(cannot)?;
    if to_stdout {
        return Ok(());
    }
    if cx.out.is_json() {
        cx.out.line(&json!({"file": place, "entries": count}).to_string())?;
    } else {
        cx.out.note(&format!("{count} entries are in {place}"));
    }
    Ok(())
}
