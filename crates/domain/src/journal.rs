//! The ledger's journal: entries that are never changed, each linked to the one before, so that who
//! has them can tell whether anything was altered, left out or moved (`contract.md` §6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::impossible::Impossible;
use crate::ledger::is_system;
use crate::limits::{MONEY_MAX, SEAL_ENTRIES};
use crate::money::Money;
use crate::reservations::Reservations;
use crate::time::UnixMillis;

/// What the first entry has in place of a link to one before.
pub const NO_LINK: &str = "0000000000000000000000000000000000000000";

/// What the first seal has in place of one before.
pub const NO_SEAL: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A change of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Leg {
    /// An agent's id, or a name of the system's own.
    pub account: String,
    /// By how much.
    pub amount: Money,
}

/// One entry, as `GET /entries` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Entry {
    /// `ent_<seq>`.
    pub entry_id: String,
    /// 1, 2, 3… without a hole.
    pub seq: i64,
    /// What happened: `deposit withdrawal transfer hold …`.
    pub kind: String,
    /// The hold, intent, match, position or settlement that it is about; may be empty.
    pub reference: String,
    /// The caller's words; may be empty.
    pub memo: String,
    /// Changes of balances; their sum is 0.
    pub legs: Vec<Leg>,
    /// Changes of what is reserved.
    pub locks: Vec<Leg>,
    /// The link of the entry before.
    pub previous: String,
    /// SHA-1 over `previous` and [`Entry::canonical`], in hex.
    pub link: String,
    /// When, by the clock of Redis.
    pub created_at: UnixMillis,
}

impl Entry {
    /// The text that the link is made of, apart from the link before. Each part has its length in
    /// front, so that no two entries share a text. `lua/include/journal.lua` makes the same one.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::with_capacity(256);
        push_part(&mut text, &self.seq.to_string());
        push_part(&mut text, &self.created_at.0.to_string());
        for part in [&self.kind, &self.reference, &self.memo] {
            push_part(&mut text, part);
        }
        for legs in [&self.legs, &self.locks] {
            push_part(&mut text, &legs.len().to_string());
            for leg in legs {
                push_part(&mut text, &leg.account);
                push_part(&mut text, &leg.amount.micros().to_string());
            }
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

/// Appends a part with its length in front.
pub(crate) fn push_part(text: &mut String, part: &str) {
    text.push_str(&part.len().to_string());
    text.push(':');
    text.push_str(part);
}

/// A seal: SHA-256 over the seal before and the links of the next [`SEAL_ENTRIES`] entries, in hex.
/// SHA-1 links are made within scripts, which know nothing better; a seal is what nobody can forge.
#[must_use]
pub fn seal<'a>(previous: &str, links: impl IntoIterator<Item = &'a str>) -> String {
    let mut sha = Sha256::new();
    sha.update(previous);
    for link in links {
        sha.update(link);
    }
    hex(sha)
}

fn hex(sha: Sha256) -> String {
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an account has, by its entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The sum of its legs, in millionths.
    pub balance: i64,
    /// The sum of its locks, in millionths.
    pub locked: i64,
}

/// The first entry that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} {reason}")]
pub struct Fault {
    /// Which: the number that the entry has, or the one that was due.
    pub seq: i64,
    /// What is wrong with it.
    pub reason: Impossible,
}

/// Reads a journal from its first entry on, and finds out whether it is whole.
#[derive(Debug, Clone)]
pub struct Verifier {
    entries: i64,
    link: String,
    accounts: BTreeMap<String, Figures>,
    reservations: Reservations,
    seals: Vec<String>,
    next_seal: Sha256,
    restorations: Vec<(i64, String)>,
}

/// Most restorations that are named; a journal that has more has other troubles.
const RESTORATIONS_NAMED: usize = 100;

impl Default for Verifier {
    fn default() -> Self {
        Self {
            entries: 0,
            link: NO_LINK.to_owned(),
            accounts: BTreeMap::new(),
            reservations: Reservations::default(),
            seals: Vec::new(),
            next_seal: Sha256::new_with_prefix(NO_SEAL),
            restorations: Vec::new(),
        }
    }
}

impl Verifier {
    /// Takes the next entry.
    ///
    /// # Errors
    /// What is wrong with it. The verifier then stands where it stood before.
    pub fn feed(&mut self, entry: &Entry) -> Result<(), Fault> {
        let fault = |reason: Impossible| Err(Fault { seq: entry.seq, reason });
        if entry.seq != self.entries + 1 {
            let seq = self.entries + 1;
            let reason = Impossible::Missing { found: entry.seq };
            return Err(Fault { seq, reason });
        }
        if entry.entry_id != format!("ent_{}", entry.seq) {
            return fault(Impossible::Id(entry.entry_id.clone()));
        }
        if entry.previous != self.link {
            return fault(Impossible::NotLinked);
        }
        if entry.link != entry.expected_link() {
            return fault(Impossible::Altered);
        }
        let sum: i128 = entry.legs.iter().map(|leg| i128::from(leg.amount.micros())).sum();
        if sum != 0 {
            return fault(Impossible::Sum(sum));
        }
        let changed = match self.changes(entry) {
            Ok(changed) => changed,
            Err(reason) => return fault(reason),
        };
        if let Err(reason) = self.reservations.take(entry) {
            return fault(reason);
        }
        if entry.kind == "restored" && self.restorations.len() < RESTORATIONS_NAMED {
            self.restorations.push((entry.seq, entry.memo.clone()));
        }
        self.accounts.extend(changed);
        self.entries = entry.seq;
        self.link.clone_from(&entry.link);
        self.next_seal.update(&entry.link);
        if self.entries % SEAL_ENTRIES == 0 {
            let done = hex(std::mem::take(&mut self.next_seal));
            self.next_seal.update(&done);
            self.seals.push(done);
        }
        Ok(())
    }

    /// Where the journal went back: the number of the entry that says so, and what it says. The first
    /// hundred.
    #[must_use]
    pub fn restorations(&self) -> &[(i64, String)] {
        &self.restorations
    }

    /// The accounts that an entry changes, as it leaves them.
    fn changes(&self, entry: &Entry) -> Result<BTreeMap<String, Figures>, Impossible> {
        let mut changed: BTreeMap<String, Figures> = BTreeMap::new();
        let known = |account: &str| self.accounts.get(account).copied().unwrap_or_default();
        for (legs, is_lock) in [(&entry.legs, false), (&entry.locks, true)] {
            for Leg { account, amount } in legs {
                let figures = changed.entry(account.clone()).or_insert_with(|| known(account));
                let field = if is_lock { &mut figures.locked } else { &mut figures.balance };
                // Two amounts in range cannot leave an i64, and what is out of range is refused.
                *field = field.saturating_add(amount.micros());
            }
        }
        for (account, Figures { balance, locked }) in &changed {
            if balance.abs() > MONEY_MAX {
                return Err(Impossible::Overflow(account.clone()));
            }
            let is_covered = *locked >= 0 && *locked <= *balance;
            let is_fine = if is_system(account) { *locked == 0 } else { is_covered };
            if !is_fine {
                let (account, balance, locked) = (account.clone(), *balance, *locked);
                return Err(Impossible::Uncovered { account, balance, locked });
            }
        }
        Ok(changed)
    }

    /// How many entries it has taken.
    #[must_use]
    pub fn entries(&self) -> i64 {
        self.entries
    }

    /// The link of the last one.
    #[must_use]
    pub fn link(&self) -> &str {
        &self.link
    }

    /// What each account has after them.
    #[must_use]
    pub fn accounts(&self) -> &BTreeMap<String, Figures> {
        &self.accounts
    }

    /// What the entries say of holds, intents and positions.
    #[must_use]
    pub fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    /// The seals that belong to them: one for each [`SEAL_ENTRIES`].
    #[must_use]
    pub fn seals(&self) -> &[String] {
        &self.seals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leg(account: &str, micros: i64) -> Leg {
        Leg { account: account.to_owned(), amount: Money::from_micros(micros).unwrap() }
    }

    /// What writes such an entry.
    fn kind_of(legs: &[Leg], locks: &[Leg]) -> &'static str {
        match (legs, locks) {
            ([_, ..], [_, ..]) => "hold_posted",
            (_, [_, ..]) => "hold",
            ([first, _], []) if first.account == "@external" => "deposit",
            _ => "transfer",
        }
    }

    /// A journal of whole and linked entries.
    fn journal(movements: &[(Vec<Leg>, Vec<Leg>)]) -> Vec<Entry> {
        let mut previous = NO_LINK.to_owned();
        let entries = movements.iter().zip(1..).map(|((legs, locks), seq)| {
            let kind = kind_of(legs, locks);
            // What pays a hold comes right after what placed it.
            let placed = if kind == "hold_posted" { seq - 1 } else { seq };
            let mut entry = Entry {
                entry_id: format!("ent_{seq}"),
                seq,
                kind: kind.into(),
                reference: format!("thing_{placed}"),
                memo: "ü:1".into(),
                legs: legs.clone(),
                locks: locks.clone(),
                previous: previous.clone(),
                link: String::new(),
                created_at: UnixMillis(1_770_181_094_123 + seq),
            };
            entry.link = entry.expected_link();
            previous.clone_from(&entry.link);
            entry
        });
        entries.collect()
    }

    /// Deposits of one millionth.
    fn deposits(count: usize) -> Vec<Entry> {
        journal(&vec![(vec![leg("@external", -1), leg("a", 1)], vec![]); count])
    }

    fn verify(entries: &[Entry]) -> Result<Verifier, Fault> {
        let mut verifier = Verifier::default();
        entries.iter().try_for_each(|entry| verifier.feed(entry)).map(|()| verifier)
    }

    #[test]
    fn a_link_is_made_of_every_part_with_its_length() {
        let mut entry =
            journal(&[(vec![leg("@external", -5), leg("a", 5)], vec![leg("a", 2)])]).remove(0);
        entry.kind = "transfer".into();
        entry.reference.clear();
        assert_eq!(
            entry.canonical(),
            "1:113:17701810941248:transfer0:4:ü:11:29:@external2:-51:a1:51:11:a1:2"
        );
        // Forty zeros and the text above, through the sha1sum of coreutils.
        assert_eq!(entry.expected_link(), "989323f518aae6abc8e76546a9777f1a891d7289");
    }

    #[test]
    fn a_whole_journal_yields_what_each_account_has() {
        let entries = journal(&[
            (vec![leg("@external", -10), leg("a", 10)], vec![]),
            (vec![], vec![leg("a", 4)]),
            (vec![leg("a", -3), leg("b", 3)], vec![leg("a", -4)]),
        ]);
        let verifier = verify(&entries).unwrap();
        assert_eq!(verifier.accounts()["a"], Figures { balance: 7, locked: 0 });
        assert_eq!(verifier.accounts()["b"], Figures { balance: 3, locked: 0 });
        assert_eq!(verifier.accounts()["@external"].balance, -10);
        assert_eq!((verifier.entries(), verifier.link()), (3, entries[2].link.as_str()));
    }

    #[test]
    fn what_no_script_would_write_is_a_fault() {
        for (legs, locks, says) in [
            (vec![leg("a", 1)], vec![], "sum"),
            (vec![leg("a", -1), leg("b", 1)], vec![], "leaves a"),
            (vec![], vec![leg("a", 1)], "reserved"),
            (vec![], vec![leg("@external", 1)], "leaves @external"),
        ] {
            let fault = verify(&journal(&[(legs, locks)])).unwrap_err();
            assert!(fault.reason.to_string().contains(says), "{fault}");
        }
        let most = vec![leg("@external", -MONEY_MAX), leg("a", MONEY_MAX)];
        let fault = verify(&journal(&[(most.clone(), vec![]), (most, vec![])])).unwrap_err();
        assert!(fault.to_string().starts_with("entry 2 leaves"), "{fault}");
    }

    #[test]
    fn seals_cover_a_thousand_links_each() {
        let entries = deposits(2500);
        let links: Vec<&str> = entries.iter().map(|entry| entry.link.as_str()).collect();
        let first = seal(NO_SEAL, links[..1000].iter().copied());
        let second = seal(&first, links[1000..2000].iter().copied());
        assert_eq!(verify(&entries).unwrap().seals(), [first, second]);
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let entry = &deposits(1)[0];
        let json = serde_json::to_string(entry).unwrap();
        let names = ["entry_id", "seq", "kind", "reference", "memo", "legs", "locks", "previous"];
        let places = names.map(|name| json.find(&format!("\"{name}\":")).unwrap());
        assert!(places.is_sorted(), "{json}");
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), *entry);
    }

    /// What somebody may do to a journal behind the ledger's back.
    fn tamper(entries: &mut Vec<Entry>, at: usize, how: usize, digit: u8) {
        let entry = &mut entries[at];
        match how {
            0 => drop(entries.remove(at)),
            1 => entries.swap(at, at + 1),
            2 => entry.memo.push(char::from(digit)),
            3 => entry.legs[1].account.push(char::from(digit)),
            4 => entry.created_at.0 += 1,
            5 => entry.kind = "transfer".into(),
            6 => entry.seq += 1,
            7 => entry.entry_id.push('0'),
            8 => entry.reference.push(char::from(digit)),
            9 => {
                entry.legs[0] = leg("@external", -2);
                entry.legs[1] = leg("a", 2);
            }
            10 => {
                entry.memo.push('!');
                entry.link = entry.expected_link();
            }
            _ => entries.insert(at, entries[at].clone()),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_done_to_a_journal_the_first_bad_entry_is_named(
            at in 0usize..9, how in 0usize..12, digit in b'0'..=b'z',
        ) {
            let mut entries = deposits(10);
            tamper(&mut entries, at, how, digit);
            let fault = verify(&entries).unwrap_err();
            let bad = i64::try_from(at).unwrap() + 1;
            // An entry with a link that fits is found by the one after it, as is a repeated one.
            let named = if how >= 10 { bad + 1 } else { bad };
            prop_assert_eq!(fault.seq, named, "{}", fault);
        }
    }
}
