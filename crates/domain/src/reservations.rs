//! What the journal says of what is reserved: holds, the margins of intents, and what became of
//! positions. Each kind of entry has its form, and nothing ends twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::impossible::Impossible;
use crate::journal::{Entry, Leg};
use crate::ledger::EXTERNAL;

/// A hold, by its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The entry that placed it.
    pub entry: i64,
    /// Whose money it reserves.
    pub agent: String,
    /// How much, in millionths.
    pub amount: i64,
    /// What became of it.
    pub end: HoldEnd,
}

/// What became of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldEnd {
    /// Nothing yet.
    Pending,
    /// It was paid.
    Posted {
        /// How much of it, in millionths.
        amount: i64,
        /// To whom.
        to: String,
    },
    /// It was released.
    Voided,
    /// Its time was over.
    Expired,
}

impl HoldEnd {
    /// The word of `contract.md` §6.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted { .. } => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

/// An intent, by its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The entry that reserved its margin.
    pub entry: i64,
    /// Whose it is.
    pub agent: String,
    /// The margin that was reserved, in millionths.
    pub margin: i64,
    /// What of it was released when it was taken back; `None`: it was not.
    pub released: Option<i64>,
}

/// The end of both positions of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The entry.
    pub entry: i64,
    /// Who was paid, if anybody was.
    pub legs: Vec<Leg>,
    /// The margins that were released.
    pub locks: Vec<Leg>,
}

/// Everything that was ever reserved.
#[derive(Debug, Clone, Default)]
pub struct Reservations {
    holds: BTreeMap<String, Hold>,
    intents: BTreeMap<String, Intent>,
    matches: BTreeMap<String, i64>,
    match_entries: BTreeSet<i64>,
    closes: BTreeMap<String, Close>,
    index: BTreeMap<String, Vec<i64>>,
    changes_of_margins: u64,
}

/// Account and amount of a list of one.
fn one(legs: &[Leg]) -> Option<(&str, i64)> {
    match legs {
        [leg] => Some((&leg.account, leg.amount.micros())),
        _ => None,
    }
}

/// From whom, to whom, how much, of two legs of which the first pays.
fn payment(legs: &[Leg]) -> Option<(&str, &str, i64)> {
    match legs {
        [from, to] if to.amount.micros() > 0 => {
            Some((&from.account, &to.account, to.amount.micros()))
        }
        _ => None,
    }
}

impl Reservations {
    /// Takes the next entry.
    ///
    /// # Errors
    /// Why no script would have written it. Nothing is changed then.
    pub(crate) fn take(&mut self, entry: &Entry) -> Result<(), Impossible> {
        match entry.kind.as_str() {
            "deposit" | "withdrawal" | "transfer" => check_movement(entry)?,
            "hold" => self.place(entry)?,
            "hold_posted" | "hold_voided" | "hold_expired" => self.end_hold(entry)?,
            "intent" => self.reserve(entry)?,
            "intent_cancelled" => self.cancel(entry)?,
            "match" => self.note_match(entry)?,
            "close" | "liquidation" => self.close(entry)?,
            "restored" if entry.legs.is_empty() && entry.locks.is_empty() => {}
            "restored" => return Err(Impossible::RestorationMoves),
            other => return Err(Impossible::Kind(other.to_owned())),
        }
        let mut agents: Vec<&str> = [&entry.legs, &entry.locks]
            .into_iter()
            .flatten()
            .map(|leg| leg.account.as_str())
            .filter(|account| !account.starts_with('@'))
            .collect();
        agents.sort_unstable();
        agents.dedup();
        for agent in agents {
            self.index.entry(agent.to_owned()).or_default().push(entry.seq);
        }
        Ok(())
    }

    fn place(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let id = &entry.reference;
        let (agent, amount) = one(&entry.locks)
            .filter(|(_, amount)| *amount > 0 && entry.legs.is_empty())
            .ok_or(Impossible::ReservesNothing("hold"))?;
        if self.holds.contains_key(id) {
            return Err(Impossible::HoldAgain(id.clone()));
        }
        let hold =
            Hold { entry: entry.seq, agent: agent.to_owned(), amount, end: HoldEnd::Pending };
        self.holds.insert(id.clone(), hold);
        Ok(())
    }

    fn end_hold(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let id = &entry.reference;
        let hold = self.holds.get_mut(id).ok_or_else(|| Impossible::NoHold(id.clone()))?;
        if hold.end != HoldEnd::Pending {
            return Err(Impossible::HoldEnded { id: id.clone(), status: hold.end.status() });
        }
        if one(&entry.locks) != Some((&hold.agent, -hold.amount)) {
            return Err(Impossible::HoldRelease(id.clone()));
        }
        hold.end = match (entry.kind.as_str(), payment(&entry.legs)) {
            ("hold_posted", Some((from, to, amount)))
                if from == hold.agent && amount <= hold.amount =>
            {
                HoldEnd::Posted { amount, to: to.to_owned() }
            }
            ("hold_voided", None) if entry.legs.is_empty() => HoldEnd::Voided,
            ("hold_expired", None) if entry.legs.is_empty() => HoldEnd::Expired,
            _ => return Err(Impossible::HoldPayment(id.clone())),
        };
        Ok(())
    }

    fn reserve(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let id = &entry.reference;
        let (agent, margin) = one(&entry.locks)
            .filter(|(_, margin)| *margin > 0 && entry.legs.is_empty())
            .ok_or(Impossible::ReservesNothing("intent"))?;
        if self.intents.contains_key(id) {
            return Err(Impossible::IntentAgain(id.clone()));
        }
        let intent = Intent { entry: entry.seq, agent: agent.to_owned(), margin, released: None };
        self.intents.insert(id.clone(), intent);
        self.changes_of_margins += 1;
        Ok(())
    }

    fn cancel(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let id = &entry.reference;
        let intent = self
            .intents
            .get_mut(id)
            .filter(|intent| intent.released.is_none())
            .ok_or_else(|| Impossible::NoIntent(id.clone()))?;
        match one(&entry.locks) {
            Some((agent, change))
                if agent == intent.agent
                    && (-intent.margin..=0).contains(&change)
                    && entry.legs.is_empty() =>
            {
                intent.released = Some(-change);
                self.changes_of_margins += 1;
                Ok(())
            }
            _ => Err(Impossible::IntentRelease(id.clone())),
        }
    }

    fn note_match(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let id = &entry.reference;
        if !(entry.legs.is_empty() && entry.locks.is_empty()) {
            return Err(Impossible::MatchMoves);
        }
        if self.matches.insert(id.clone(), entry.seq).is_some() {
            return Err(Impossible::MatchAgain(id.clone()));
        }
        self.match_entries.insert(entry.seq);
        self.changes_of_margins += 1;
        Ok(())
    }

    fn close(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let id = &entry.reference;
        let releases = entry.locks.iter().all(|leg| leg.amount.micros() <= 0);
        if entry.locks.len() != 2 || !releases {
            return Err(Impossible::Margins(id.clone()));
        }
        if let Some((loser, _, paid)) = payment(&entry.legs) {
            let margin = entry.locks.iter().find(|leg| leg.account == loser);
            if margin.is_none_or(|leg| paid > -leg.amount.micros()) {
                return Err(Impossible::BeyondMargin(id.clone()));
            }
        } else if !entry.legs.is_empty() {
            return Err(Impossible::Sides(id.clone()));
        }
        if self.closes.contains_key(id) {
            return Err(Impossible::CloseAgain(id.clone()));
        }
        let (legs, locks) = (entry.legs.clone(), entry.locks.clone());
        self.closes.insert(id.clone(), Close { entry: entry.seq, legs, locks });
        self.changes_of_margins += 1;
        Ok(())
    }

    /// All holds.
    #[must_use]
    pub fn holds(&self) -> &BTreeMap<String, Hold> {
        &self.holds
    }

    /// All intents.
    #[must_use]
    pub fn intents(&self) -> &BTreeMap<String, Intent> {
        &self.intents
    }

    /// All matches, with their entries.
    #[must_use]
    pub fn matches(&self) -> &BTreeMap<String, i64> {
        &self.matches
    }

    /// Whether an entry is that of a match.
    #[must_use]
    pub fn is_match(&self, entry: i64) -> bool {
        self.match_entries.contains(&entry)
    }

    /// What ended positions, by the position that each names. It ends the other side, too.
    #[must_use]
    pub fn closes(&self) -> &BTreeMap<String, Close> {
        &self.closes
    }

    /// The entries that move something of an agent's. Those of matches name no agent.
    #[must_use]
    pub fn index(&self) -> &BTreeMap<String, Vec<i64>> {
        &self.index
    }

    /// Grows with every entry that changes an intent or a position.
    #[must_use]
    pub fn changes_of_margins(&self) -> u64 {
        self.changes_of_margins
    }
}

fn check_movement(entry: &Entry) -> Result<(), Impossible> {
    let fits = payment(&entry.legs).is_some_and(|(from, to, _)| match entry.kind.as_str() {
        "deposit" => from == EXTERNAL,
        "withdrawal" => to == EXTERNAL,
        _ => from != EXTERNAL && to != EXTERNAL,
    });
    if fits && entry.locks.is_empty() {
        return Ok(());
    }
    Err(Impossible::Movement(entry.kind.clone()))
}
