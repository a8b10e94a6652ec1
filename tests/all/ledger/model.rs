//! What the ledger should be: maps, and arithmetic that cannot overflow.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use reef_domain::journal::{Entry, Figures};
use reef_domain::limits::MONEY_MAX;

use super::driver::Record;
use super::operation::{Operation, Outcome};

/// Overdue holds that any write settles on its way.
const ON_THE_WAY: usize = 5;

pub struct Hold {
    pub agent: String,
    pub amount: i64,
    pub posted: i64,
    pub status: &'static str,
    /// In half steps of time.
    due: Option<i64>,
}

pub struct Intent {
    pub agent: String,
    long: bool,
    asset: usize,
    size: i64,
    pub filled: i64,
    leverage: i64,
    pub margin: i64,
    pub status: &'static str,
}

pub struct Position {
    pub agent: String,
    long: bool,
    size: i64,
    entry: i64,
    mark: i64,
    pub margin: i64,
    pub status: &'static str,
    counter: String,
    unrealized: i64,
    pub realized: i64,
}

/// What an entry of the journal must say.
#[derive(Debug, PartialEq)]
struct Movement {
    kind: &'static str,
    reference: String,
    legs: Vec<(String, i64)>,
    locks: Vec<(String, i64)>,
}

#[derive(Default)]
pub struct Model {
    pub accounts: BTreeMap<String, Figures>,
    pub holds: BTreeMap<String, Hold>,
    pub intents: BTreeMap<String, Intent>,
    pub positions: BTreeMap<String, Position>,
    /// Pending holds that end by themselves.
    due: BTreeSet<(i64, String)>,
    /// In half steps of time.
    clock: i64,
    /// First answers, by idempotency key.
    answers: HashMap<String, (String, Outcome)>,
    /// What the operation under way has written so far.
    movement: Option<Movement>,
}

fn refused(why: &'static str) -> Outcome {
    Outcome::Refused(why)
}

/// Rounded down, whatever the product.
fn pnl(size: i64, change: i64, entry: i64) -> i64 {
    let exact = i128::from(size) * i128::from(change) / i128::from(entry);
    i64::try_from(exact).map_or(MONEY_MAX, |pnl| pnl.min(MONEY_MAX))
}

fn margin_for(size: i64, leverage: i64) -> i64 {
    (size + leverage - 1) / leverage
}

impl Model {
    pub fn new(agents: &[String]) -> Self {
        let accounts = agents.iter().map(|agent| (agent.clone(), Figures::default()));
        let mut model = Self { accounts: accounts.collect(), ..Self::default() };
        model.accounts.insert("@external".to_owned(), Figures::default());
        model
    }

    /// Does what was done, and checks that the same came of it: the outcome, and these entries.
    pub fn follow(&mut self, record: &Record, entries: &[Entry]) {
        let Record { request, outcome, replayed, .. } = record;
        let operation = &request.operation;
        let known = request.once.as_ref().and_then(|once| self.answers.get(&once.digest));
        if let Some((fingerprint, first)) = known {
            let is_same = request.once.as_ref().unwrap().fingerprint == *fingerprint;
            let expected = if is_same { (first.clone(), true) } else { (Outcome::Mismatch, false) };
            assert_eq!((outcome.clone(), *replayed), expected, "{request:?}");
            assert!(entries.is_empty(), "{request:?} was done twice: {entries:?}");
            return;
        }
        assert!(!replayed, "{request:?} had no first answer");
        let expired = entries.iter().take_while(|entry| entry.kind == "hold_expired").count();
        let (expired, rest) = entries.split_at(expired);
        for entry in expired {
            self.expire(entry);
        }
        let expected = self.apply(operation);
        assert_eq!(*outcome, expected, "{request:?}");
        let movement = self.movement.take();
        let settles = movement.is_some() || matches!(outcome, Outcome::Insufficient(_));
        if (settles && expired.len() < ON_THE_WAY) || *operation == Operation::Settle {
            let next = self.due.first();
            assert!(next.is_none_or(|(due, _)| *due > self.clock), "{request:?} left {next:?}");
        }
        if *operation != Operation::Settle {
            assert!(expired.len() <= ON_THE_WAY + 1, "{request:?} settled {}", expired.len());
        }
        let written: Vec<_> = rest.iter().map(movement_of).collect();
        assert_eq!(written, movement.into_iter().collect::<Vec<_>>(), "{request:?}");
        if let Some(once) = &request.once {
            self.answers.insert(once.digest.clone(), (once.fingerprint.clone(), expected));
        }
    }

    /// A hold ended by itself: it must have been due.
    fn expire(&mut self, entry: &Entry) {
        let hold = self.holds.get_mut(&entry.reference).unwrap();
        assert!(hold.due.is_some_and(|due| due <= self.clock), "{entry:?} was not due");
        assert_eq!(hold.status, "pending", "{entry:?}");
        hold.status = "expired";
        self.due.remove(&(hold.due.unwrap(), entry.reference.clone()));
        let (agent, amount) = (hold.agent.clone(), hold.amount);
        self.post("hold_expired", &entry.reference, vec![], vec![(&agent, -amount)]);
        assert_eq!(Some(movement_of(entry)), self.movement.take());
    }

    fn post(
        &mut self,
        kind: &'static str,
        reference: &str,
        legs: Vec<(&str, i64)>,
        locks: Vec<(&str, i64)>,
    ) {
        for (account, amount) in &legs {
            self.accounts.get_mut(*account).unwrap().balance += amount;
        }
        for (account, amount) in &locks {
            self.accounts.get_mut(*account).unwrap().locked += amount;
        }
        for (account, figures) in &self.accounts {
            let fits = account.starts_with('@') || (0..=figures.balance).contains(&figures.locked);
            assert!(fits, "{kind} leaves {account} with {figures:?}");
        }
        let owned = |list: Vec<(&str, i64)>| {
            list.into_iter().map(|(account, amount)| (account.to_owned(), amount)).collect()
        };
        let reference = reference.to_owned();
        let movement = Movement { kind, reference, legs: owned(legs), locks: owned(locks) };
        assert_eq!(self.movement.replace(movement), None, "one operation, one entry");
    }

    fn is_agent(&self, id: &str) -> bool {
        self.accounts.contains_key(id)
    }

    fn available(&self, agent: &str) -> i64 {
        self.accounts[agent].balance - self.accounts[agent].locked
    }

    fn has(&self, agent: &str) -> Outcome {
        Outcome::Has(self.accounts[agent].balance, self.accounts[agent].locked)
    }

    fn apply(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Deposit { agent, amount } => {
                if !self.is_agent(agent) {
                    return refused("agent");
                }
                if self.accounts["@external"].balance - amount < -MONEY_MAX {
                    return refused("full");
                }
                self.post("deposit", "", vec![("@external", -amount), (agent, *amount)], vec![]);
                self.has(agent)
            }
            Operation::Withdraw { agent, amount } => {
                if !self.is_agent(agent) {
                    return refused("agent");
                }
                if self.available(agent) < *amount {
                    return Outcome::Insufficient(self.available(agent));
                }
                self.post("withdrawal", "", vec![(agent, -amount), ("@external", *amount)], vec![]);
                self.has(agent)
            }
            Operation::Transfer { id, from, to, amount } => {
                if !self.is_agent(from) || !self.is_agent(to) {
                    return refused("agent");
                }
                if self.available(from) < *amount {
                    return Outcome::Insufficient(self.available(from));
                }
                self.post("transfer", id, vec![(from, -amount), (to, *amount)], vec![]);
                Outcome::Done
            }
            Operation::Place { id, agent, amount, steps } => self.place(id, agent, *amount, *steps),
            Operation::Post { id, owner, amount, to } => self.pay(id, owner, *amount, to),
            Operation::Void { id, owner } => self.void(id, owner),
            Operation::Submit { .. } => self.submit(operation),
            Operation::Cancel { id, owner } => self.cancel(id, owner),
            Operation::Match { .. } => self.make_match(operation),
            Operation::Close { id, owner, price } => self.close(id, owner, *price),
            Operation::Mark { id, price } => self.mark(id, *price),
            Operation::Balance { agent } => {
                if self.is_agent(agent) {
                    self.has(agent)
                } else {
                    refused("agent")
                }
            }
            Operation::Pass { steps } => {
                self.clock += 2 * steps;
                Outcome::Done
            }
            Operation::Settle => Outcome::Done,
        }
    }

    fn place(&mut self, id: &str, agent: &str, amount: i64, steps: Option<i64>) -> Outcome {
        if !self.is_agent(agent) {
            return refused("agent");
        }
        if self.holds.contains_key(id) {
            return refused("exists");
        }
        if self.available(agent) < amount {
            return Outcome::Insufficient(self.available(agent));
        }
        let due = steps.map(|steps| self.clock + 2 * steps + 1);
        if let Some(due) = due {
            self.due.insert((due, id.to_owned()));
        }
        let agent = agent.to_owned();
        self.post("hold", id, vec![], vec![(&agent, amount)]);
        self.holds.insert(id.to_owned(), Hold { agent, amount, posted: 0, status: "pending", due });
        Outcome::Hold("pending", 0)
    }

    /// Whose a pending hold is, how much it reserves; or why it cannot be ended.
    fn pending(&self, id: &str, owner: &str) -> Result<(String, i64), Outcome> {
        let hold = self.holds.get(id).ok_or(refused("unknown"))?;
        if !owner.is_empty() && hold.agent != owner {
            return Err(refused("foreign"));
        }
        // One that is overdue has expired by now: the entries of this request said so.
        let is_overdue = hold.due.is_some_and(|due| due <= self.clock);
        assert!(hold.status != "pending" || !is_overdue, "{id} is overdue");
        if hold.status != "pending" {
            return Err(refused(hold.status));
        }
        Ok((hold.agent.clone(), hold.amount))
    }

    fn end_hold(&mut self, id: &str, status: &'static str, posted: i64) -> Outcome {
        let hold = self.holds.get_mut(id).unwrap();
        hold.status = status;
        hold.posted = posted;
        if let Some(due) = hold.due {
            self.due.remove(&(due, id.to_owned()));
        }
        Outcome::Hold(status, posted)
    }

    fn pay(&mut self, id: &str, owner: &str, amount: Option<i64>, to: &str) -> Outcome {
        let (agent, reserved) = match self.pending(id, owner) {
            Ok(found) => found,
            Err(why) => return why,
        };
        let amount = amount.unwrap_or(reserved);
        if !self.is_agent(to) {
            return refused("agent");
        }
        if to == agent {
            return refused("self");
        }
        if amount > reserved {
            return refused("over");
        }
        let legs = vec![(agent.as_str(), -amount), (to, amount)];
        self.post("hold_posted", id, legs, vec![(&agent, -reserved)]);
        self.end_hold(id, "posted", amount)
    }

    fn void(&mut self, id: &str, owner: &str) -> Outcome {
        let (agent, reserved) = match self.pending(id, owner) {
            Ok(found) => found,
            Err(why) => return why,
        };
        self.post("hold_voided", id, vec![], vec![(&agent, -reserved)]);
        self.end_hold(id, "voided", 0)
    }

    fn submit(&mut self, operation: &Operation) -> Outcome {
        let Operation::Submit { id, agent, long, asset, size, leverage } = operation else {
            panic!("{operation:?}")
        };
        if !self.is_agent(agent) {
            return refused("agent");
        }
        if self.intents.contains_key(id) {
            return refused("exists");
        }
        let margin = margin_for(*size, *leverage);
        if self.available(agent) < margin {
            return Outcome::Insufficient(self.available(agent));
        }
        self.post("intent", id, vec![], vec![(agent, margin)]);
        let intent = Intent {
            agent: agent.clone(),
            long: *long,
            asset: *asset,
            size: *size,
            filled: 0,
            leverage: *leverage,
            margin,
            status: "open",
        };
        self.intents.insert(id.clone(), intent);
        Outcome::Intent("open", 0, margin)
    }

    fn cancel(&mut self, id: &str, owner: &str) -> Outcome {
        let Some(intent) = self.intents.get_mut(id) else { return refused("unknown") };
        if !owner.is_empty() && intent.agent != owner {
            return refused("foreign");
        }
        if intent.status != "open" {
            return refused(intent.status);
        }
        intent.status = "cancelled";
        let margin = std::mem::take(&mut intent.margin);
        let (agent, filled) = (intent.agent.clone(), intent.filled);
        self.post("intent_cancelled", id, vec![], vec![(&agent, -margin)]);
        Outcome::Intent("cancelled", filled, 0)
    }

    fn make_match(&mut self, operation: &Operation) -> Outcome {
        let Operation::Match { id, intents, price, positions } = operation else {
            panic!("{operation:?}")
        };
        for intent in intents {
            let Some(intent) = self.intents.get(intent) else { return refused("unknown") };
            if intent.status != "open" {
                return refused(intent.status);
            }
        }
        let [a, b] = [&self.intents[&intents[0]], &self.intents[&intents[1]]];
        if a.agent == b.agent {
            return refused("same agent");
        }
        if a.asset != b.asset {
            return refused("other asset");
        }
        if a.long == b.long {
            return refused("same side");
        }
        if positions.iter().any(|position| self.positions.contains_key(position)) {
            return refused("exists");
        }
        let size = (a.size - a.filled).min(b.size - b.filled);
        let margins = [0, 1].map(|n| {
            let intent = self.intents.get_mut(&intents[n]).unwrap();
            let is_last = intent.filled + size == intent.size;
            let share = margin_for(size, intent.leverage).min(intent.margin);
            let margin = if is_last { intent.margin } else { share };
            intent.filled += size;
            intent.margin -= margin;
            intent.status = if is_last { "matched" } else { "open" };
            let position = Position {
                agent: intent.agent.clone(),
                long: intent.long,
                size,
                entry: *price,
                mark: *price,
                margin,
                status: "open",
                counter: positions[1 - n].clone(),
                unrealized: 0,
                realized: 0,
            };
            self.positions.insert(positions[n].clone(), position);
            margin
        });
        self.post("match", id, vec![], vec![]);
        Outcome::Matched(size, margins)
    }

    /// Who gains at a price, who loses, and how much.
    fn sides(&self, id: &str, price: i64) -> (String, String, i64) {
        let position = &self.positions[id];
        let amount = pnl(position.size, (price - position.entry).abs(), position.entry);
        let gains = position.long == (price > position.entry);
        let (own, other) = (id.to_owned(), position.counter.clone());
        if gains { (own, other, amount) } else { (other, own, amount) }
    }

    fn end_match(&mut self, kind: &'static str, reference: &str, sides: &(String, String, i64)) {
        let (winner, loser, amount) = sides;
        let (w, l) = (&self.positions[winner], &self.positions[loser]);
        let paid = *amount.min(&l.margin);
        let locks = vec![(w.agent.clone(), -w.margin), (l.agent.clone(), -l.margin)];
        let mut legs = vec![(l.agent.clone(), -paid), (w.agent.clone(), paid)];
        if paid == 0 {
            legs.clear();
        }
        let borrowed = |list: &'_ [(String, i64)]| -> Vec<(String, i64)> { list.to_vec() };
        let (legs, locks) = (borrowed(&legs), borrowed(&locks));
        self.post(
            kind,
            reference,
            legs.iter().map(|(account, amount)| (account.as_str(), *amount)).collect(),
            locks.iter().map(|(account, amount)| (account.as_str(), *amount)).collect(),
        );
        for (id, realized) in [(winner, paid), (loser, -paid)] {
            let position = self.positions.get_mut(id).unwrap();
            position.status =
                if kind == "liquidation" && id == loser { "liquidated" } else { "closed" };
            position.realized = realized;
            position.unrealized = 0;
        }
    }

    fn close(&mut self, id: &str, owner: &str, price: Option<i64>) -> Outcome {
        let Some(position) = self.positions.get(id) else { return refused("unknown") };
        if !owner.is_empty() && position.agent != owner {
            return refused("foreign");
        }
        if position.status != "open" {
            return refused(position.status);
        }
        let price = price.unwrap_or(position.mark);
        if !owner.is_empty() && price != position.mark {
            return refused("mark");
        }
        let sides = self.sides(id, price);
        self.end_match("close", id, &sides);
        Outcome::Closed(self.positions[id].realized)
    }

    fn mark(&mut self, id: &str, price: i64) -> Outcome {
        let Some(position) = self.positions.get(id) else { return refused("unknown") };
        if position.status != "open" {
            return refused(position.status);
        }
        let sides = self.sides(id, price);
        let (winner, loser, amount) = &sides;
        let margin = i128::from(self.positions[loser].margin);
        let is_ruined = 20 * (margin - i128::from(*amount)) < margin;
        if is_ruined {
            self.end_match("liquidation", loser, &sides);
        } else {
            for (id, unrealized) in [(winner, *amount), (loser, -amount)] {
                let position = self.positions.get_mut(id).unwrap();
                (position.mark, position.unrealized) = (price, unrealized);
            }
        }
        let position = &self.positions[id];
        Outcome::Marked(is_ruined, position.unrealized, position.realized)
    }
}

fn movement_of(entry: &Entry) -> Movement {
    const KINDS: [&str; 12] = [
        "deposit",
        "withdrawal",
        "transfer",
        "hold",
        "hold_posted",
        "hold_voided",
        "hold_expired",
        "intent",
        "intent_cancelled",
        "match",
        "close",
        "liquidation",
    ];
    let owned = |legs: &[reef_domain::journal::Leg]| {
        legs.iter().map(|leg| (leg.account.clone(), leg.amount.micros())).collect()
    };
    Movement {
        kind: KINDS.into_iter().find(|kind| *kind == entry.kind).unwrap(),
        reference: entry.reference.clone(),
        legs: owned(&entry.legs),
        locks: owned(&entry.locks),
    }
}
