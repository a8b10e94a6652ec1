//! The audit: who has changed what, in entries that are never changed, each linked to the one before, so that
//! who has them can tell whether anything was altered, left out or moved (`contract.md` §9).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::journal::{NO_LINK, NO_SEAL, push_part, seal};
use crate::limits::AUDIT_SEAL_ENTRIES;
use crate::time::UnixMillis;

/// Where an entry was written: a script touches one partition, so that each has a chain of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AuditChain"))]
#[serde(rename_all = "lowercase")]
pub enum Chain {
    /// Nodes, tasks, limits, schedules and what else the cluster has.
    Cluster,
    /// Agents, keys, invites and money.
    Ledger,
}

impl Chain {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Cluster, Self::Ledger];

    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Ledger => "ledger",
        }
    }
}

/// One entry, as `GET /audit` answers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AuditEntry"))]
pub struct Entry {
    /// Which chain it belongs to.
    pub chain: Chain,
    /// 1, 2, 3… in its chain, without a hole.
    pub seq: i64,
    /// When, by the clock of Redis.
    pub at: UnixMillis,
    /// Who: an agent's id; `@admin` for whoever has the hub's admin key, or another admin key; `@anybody` where the
    /// hub asks nobody for a key; `@` and an invite's id for whoever comes in by it; `@hub` for the hub itself.
    pub actor: String,
    /// The key that was used; none for the hub's own admin key, and where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// `page`, `cli` or `api`; `hub` for what the hub has noted by itself.
    pub via: String,
    /// What was done, such as `task.cancel`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// Why, in the caller's words; may be empty.
    pub reason: String,
    /// The request that did it, as the log calls it.
    pub request_id: String,
    /// What the thing was before, as far as that was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<serde_json::Value>"))]
    pub before: Option<Box<RawValue>>,
    /// What it is since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<serde_json::Value>"))]
    pub after: Option<Box<RawValue>>,
    /// The link of the entry before.
    pub previous: String,
    /// SHA-1 over `previous` and [`Entry::canonical`], in hex.
    pub link: String,
}

impl Entry {
    /// The text that the link is made of, apart from the link before. Each part has its length in front, so
    /// that no two entries share a text. `lua/include/audit.lua` makes the same one.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::with_capacity(512);
        let json =
            |value: &Option<Box<RawValue>>| value.as_ref().map_or("", |it| it.get()).to_owned();
        push_part(&mut text, &self.seq.to_string());
        push_part(&mut text, &self.at.0.to_string());
        for part in [
            &self.actor,
            self.key_id.as_deref().unwrap_or_default(),
            &self.via,
            &self.action,
            &self.target,
            &self.reason,
            &self.request_id,
            &json(&self.before),
            &json(&self.after),
        ] {
            push_part(&mut text, part);
        }
        text
    }

    /// The link that it should have.
    #[must_use]
    pub fn expected_link(&self) -> String {
        let mut sha = sha1_smol::Sha1::new();
        sha.update(self.previous.as_bytes());
        sha.update(self.canonical().as_bytes());
        sha.digest().to_string()
    }
}

/// The first entry that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} of the {} {reason}", .chain.as_str())]
pub struct Fault {
    /// In which chain.
    pub chain: Chain,
    /// Which: the number that the entry has, or the one that was due.
    pub seq: i64,
    /// What is wrong with it.
    pub reason: Wrong,
}

/// Why an entry cannot be the one that was written: a sentence without its subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("is missing: entry {found} stands in its place")]
    Missing { found: i64 },
    #[error("is missing: it was the last")]
    Gone,
    #[error("is not linked to the entry before it")]
    NotLinked,
    #[error("was altered: its link is not that of its content")]
    Altered,
    #[error("is not the one that the hub has written last: its link is another")]
    NotTheHead,
    #[error("belongs to the {}", .0.as_str())]
    Elsewhere(Chain),
}

/// Reads one chain from the first entry that is kept on, and finds out whether it is whole.
#[derive(Debug, Clone)]
pub struct Verifier {
    chain: Chain,
    /// The number of the entry that is due.
    due: i64,
    /// What it must be linked to; `None`: whatever it says, since what was before is not kept.
    link: Option<String>,
    entries: i64,
    before: String,
    links: Vec<String>,
    seals: Vec<(i64, String)>,
}

impl Verifier {
    /// Of a chain whose first kept entry has this number. `before`: the seal of those that are not kept any more; none
    /// where all are kept, or nobody has sealed.
    #[must_use]
    pub fn new(chain: Chain, begin: i64, before: Option<&str>) -> Self {
        let (due, before) = (begin.max(1), before.unwrap_or(NO_SEAL).to_owned());
        let link = (due == 1).then(|| NO_LINK.to_owned());
        Self { chain, due, link, entries: 0, before, links: Vec::new(), seals: Vec::new() }
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// What is wrong with it. The verifier then stands where it stood before.
    pub fn feed(&mut self, entry: &Entry) -> Result<(), Fault> {
        let chain = self.chain;
        let fault = |seq, reason| Err(Fault { chain, seq, reason });
        if entry.chain != chain {
            return fault(self.due, Wrong::Elsewhere(entry.chain));
        }
        if entry.seq != self.due {
            return fault(self.due, Wrong::Missing { found: entry.seq });
        }
        if self.link.as_ref().is_some_and(|link| *link != entry.previous) {
            return fault(entry.seq, Wrong::NotLinked);
        }
        if entry.link != entry.expected_link() {
            return fault(entry.seq, Wrong::Altered);
        }
        self.link = Some(entry.link.clone());
        self.entries += 1;
        self.due += 1;
        // What is kept begins where a seal does; an export may begin anywhere.
        if !self.links.is_empty() || (entry.seq - 1) % AUDIT_SEAL_ENTRIES == 0 {
            self.links.push(entry.link.clone());
        }
        if entry.seq % AUDIT_SEAL_ENTRIES == 0 && !self.links.is_empty() {
            self.before = seal(&self.before, self.links.iter().map(String::as_str));
            self.seals.push((entry.seq / AUDIT_SEAL_ENTRIES - 1, self.before.clone()));
            self.links.clear();
        }
        Ok(())
    }

    /// How many entries it has taken.
    #[must_use]
    pub fn entries(&self) -> i64 {
        self.entries
    }

    /// The number of the last; the one before the first that is due, if there was none.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.due - 1
    }

    /// The link of the last one; empty if there was none.
    #[must_use]
    pub fn link(&self) -> &str {
        self.link.as_deref().unwrap_or_default()
    }

    /// The seals that belong to what it has taken, with their numbers from 0.
    #[must_use]
    pub fn seals(&self) -> &[(i64, String)] {
        &self.seals
    }

    /// Checks that nothing is missing at the end, where the hub says that there are so many entries, of which
    /// the last has this link.
    ///
    /// # Errors
    /// The entry that is not there, or not the last that was written.
    pub fn finish(&self, entries: i64, link: &str) -> Result<(), Fault> {
        let fault = |seq, reason| Err(Fault { chain: self.chain, seq, reason });
        if self.last() < entries {
            return fault(self.due, Wrong::Gone);
        }
        if self.last() == entries && entries > 0 && self.entries > 0 && self.link() != link {
            return fault(entries, Wrong::NotTheHead);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(text: &str) -> Option<Box<RawValue>> {
        Some(RawValue::from_string(text.to_owned()).unwrap())
    }

    fn chain(entries: i64) -> Vec<Entry> {
        let mut previous = NO_LINK.to_owned();
        let written = (1..=entries).map(|seq| {
            let mut entry = Entry {
                chain: Chain::Cluster,
                seq,
                at: UnixMillis(1_770_181_094_123 + seq),
                actor: "@admin".into(),
                key_id: None,
                via: "cli".into(),
                action: "node.remove".into(),
                target: format!("n{seq}"),
                reason: "ü:1".into(),
                request_id: "r1".into(),
                before: raw(r#"{"status":"online"}"#),
                after: None,
                previous: previous.clone(),
                link: String::new(),
            };
            entry.link = entry.expected_link();
            previous.clone_from(&entry.link);
            entry
        });
        written.collect()
    }

    fn verify(entries: &[Entry]) -> Result<Verifier, Fault> {
        let mut verifier = Verifier::new(Chain::Cluster, 1, None);
        entries.iter().try_for_each(|entry| verifier.feed(entry)).map(|()| verifier)
    }

    #[test]
    fn a_link_is_made_of_every_part_with_its_length() {
        let entry = &chain(1)[0];
        assert_eq!(
            entry.canonical(),
            "1:113:17701810941246:@admin0:3:cli11:node.remove2:n14:ü:12:r119:{\"status\":\"online\"}0:"
        );
    }

    #[test]
    fn seals_cover_a_hundred_links_each_wherever_the_chain_begins() {
        let entries = chain(250);
        let links: Vec<&str> = entries.iter().map(|entry| entry.link.as_str()).collect();
        let first = seal(NO_SEAL, links[..100].iter().copied());
        let second = seal(&first, links[100..200].iter().copied());
        let whole = verify(&entries).unwrap();
        assert_eq!(whole.seals(), [(0, first.clone()), (1, second.clone())]);
        let mut trimmed = Verifier::new(Chain::Cluster, 101, Some(&first));
        entries[100..].iter().try_for_each(|entry| trimmed.feed(entry)).unwrap();
        assert_eq!(trimmed.seals(), [(1, second)]);
        assert_eq!((trimmed.entries(), trimmed.last()), (150, 250));
        trimmed.finish(250, links[249]).unwrap();
        assert_eq!(trimmed.finish(251, links[249]).unwrap_err().reason, Wrong::Gone);
        assert_eq!(trimmed.finish(250, links[0]).unwrap_err().reason, Wrong::NotTheHead);
        // Without the first that is kept.
        let mut robbed = Verifier::new(Chain::Cluster, 101, Some(&first));
        let fault = robbed.feed(&entries[101]).unwrap_err();
        assert_eq!((fault.seq, fault.reason), (101, Wrong::Missing { found: 102 }));
    }

    #[test]
    fn an_entry_is_read_as_it_was_written_byte_for_byte() {
        let mut entry = chain(1).remove(0);
        entry.after = raw(r#"{"b":1.50,"a":"\/"}"#);
        entry.link = entry.expected_link();
        let json = serde_json::to_string(&entry).unwrap();
        assert!(json.contains(r#""after":{"b":1.50,"a":"\/"}"#), "{json}");
        verify(&[serde_json::from_str(&json).unwrap()]).unwrap();
    }

    /// What somebody may do to a chain behind the hub's back.
    fn tamper(entries: &mut Vec<Entry>, at: usize, how: usize) {
        let entry = &mut entries[at];
        match how {
            0 => drop(entries.remove(at)),
            1 => entries.swap(at, at + 1),
            2 => entry.reason.push('!'),
            3 => entry.actor = "alice".into(),
            4 => entry.at.0 += 1,
            5 => entry.key_id = Some("key_1".into()),
            6 => entry.before = None,
            7 => std::mem::swap(&mut entry.before, &mut entry.after),
            8 => entry.chain = Chain::Ledger,
            9 => {
                entry.target.push('!');
                entry.link = entry.expected_link();
            }
            _ => entries.insert(at, entries[at].clone()),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_done_to_a_chain_the_first_bad_entry_is_named(at in 0usize..9, how in 0usize..11) {
            let mut entries = chain(10);
            tamper(&mut entries, at, how);
            let fault = verify(&entries).unwrap_err();
            let bad = i64::try_from(at).unwrap() + 1;
            // An entry with a link that fits is found by the one after it, as is a repeated one.
            let named = if how >= 9 { bad + 1 } else { bad };
            prop_assert_eq!(fault.seq, named, "{}", fault);
        }
    }
}
