//! All that lies in the ledger's keys, compared with the journal.

use std::collections::VecDeque;

use reef_domain::audit::{Audit, Record};
use reef_domain::journal::{Entry, Verifier};

use super::verify::{PAGE, entries_after, feed};
use crate::Context;
use crate::failure::Failure;

/// How often margins that move while they are looked at are looked at again.
const LOOKS: usize = 10;
/// Faults that are named.
const NAMED_MAX: usize = 20;

/// What was compared with the journal.
pub(super) struct Compared {
    pub(super) agents: usize,
    pub(super) records: u64,
}

/// A hub's journal, read as far as it was needed.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) verifier: Verifier,
    /// Entries that were read and not taken yet.
    ahead: VecDeque<Entry>,
    /// The links that an export has.
    kept: Vec<String>,
}

impl Journal {
    /// A journal that must have these links.
    pub(super) fn kept(links: Vec<String>) -> Self {
        Self { kept: links, ..Self::default() }
    }

    /// Reads on until so many entries are taken.
    async fn read_to(&mut self, cx: &Context, entries: i64) -> Result<(), Failure> {
        while self.verifier.entries() < entries {
            if self.ahead.is_empty() {
                self.ahead = entries_after(cx, self.verifier.entries()).await?.into();
            }
            let due = self.verifier.entries() + 1;
            let Some(entry) = self.ahead.pop_front() else {
                return Err(Failure::Failed(format!(
                    "the hub's journal: entry {due} is missing: the head says that there are {entries}"
                )));
            };
            feed(&mut self.verifier, &entry, "the hub's journal")?;
            let kept = usize::try_from(due - 1).ok().and_then(|place| self.kept.get(place));
            if kept.is_some_and(|kept| *kept != entry.link) {
                return Err(Failure::Failed(format!(
                    "entry {due} is not the one in the export: it or one before it was written anew"
                )));
            }
            if due % (100 * i64::from(PAGE)) == 0 {
                cx.out.note(&format!("{due} entries …"));
            }
        }
        Ok(())
    }

    /// That all entries of the export are there.
    pub(super) fn require_kept(&self) -> Result<(), Failure> {
        let (there, kept) = (self.verifier.entries(), self.kept.len());
        if usize::try_from(there).is_ok_and(|there| there >= kept) {
            return Ok(());
        }
        Err(Failure::Failed(format!("the hub has {there} entries, and the export {kept}")))
    }
}

/// Reads the journal and all keys of the ledger, and compares them.
pub(super) async fn audit(cx: &Context, journal: &mut Journal) -> Result<Compared, Failure> {
    let mut looks = 0;
    loop {
        looks += 1;
        let mut audit = Audit::default();
        read_records(cx, journal, &mut audit).await?;
        let agents = compare_indexes(cx, journal, &mut audit).await?;
        let is_blurred = audit.is_blurred(&journal.verifier);
        let records = audit.records();
        let faults = audit.finish(&journal.verifier);
        if !faults.is_empty() {
            return Err(named(&faults));
        }
        if !is_blurred || looks == LOOKS {
            if is_blurred {
                cx.out.note(
                    "margins move all the time, so that those of intents and positions could not \
                     be compared with what is reserved for them",
                );
            }
            return Ok(Compared { agents, records });
        }
    }
}

fn named(faults: &[String]) -> Failure {
    let mut text = format!("{} things in the ledger are not what the journal says:", faults.len());
    if let [fault] = faults {
        return Failure::Failed(fault.clone());
    }
    for fault in faults.iter().take(NAMED_MAX) {
        text.push_str("\n  ");
        text.push_str(fault);
    }
    if faults.len() > NAMED_MAX {
        text.push_str("\n  …");
    }
    Failure::Failed(text)
}

async fn read_records(
    cx: &Context,
    journal: &mut Journal,
    audit: &mut Audit,
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    loop {
        let request = cx.hub.audit::<Record>();
        let answer = request.maybe_query("cursor", cursor.as_deref()).send().await?;
        let page = answer.value()?;
        let head = page.records.first().and_then(Record::entries);
        let entries = head.ok_or_else(|| {
            Failure::Failed("the ledger's head does not say how many entries there are".to_owned())
        })?;
        journal.read_to(cx, entries).await?;
        for record in &page.records {
            audit.compare(record, &journal.verifier);
        }
        match answer.next_cursor() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

/// Returns how many agents have entries.
async fn compare_indexes(
    cx: &Context,
    journal: &Journal,
    audit: &mut Audit,
) -> Result<usize, Failure> {
    let agents = audit.indexed(&journal.verifier);
    for agent in &agents {
        let mut numbers = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let request = cx.hub.entry_index(agent).query("limit", PAGE);
            let request = request.maybe_query("cursor", cursor.as_deref());
            let answer = request.send().await?;
            numbers.extend(answer.value()?.numbers);
            match answer.next_cursor() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        audit.compare_index(agent, &numbers, &journal.verifier);
    }
    Ok(agents.len())
}
