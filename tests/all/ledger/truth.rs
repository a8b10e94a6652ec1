//! What is in Redis, compared with what should.

use std::collections::{BTreeMap, HashMap};

use reef_domain::Money;
use reef_domain::journal::{Entry, Figures, Verifier};
use reef_store::Store;
use reef_store::entry::{ListSeals, SealsSeen, seal_due};

use super::model::Model;
use crate::harness::{Blocking, now, read_on, store};

pub struct Truth {
    store: Store<Blocking>,
    /// Has read the journal as far as it was looked at.
    pub verifier: Verifier,
}

impl Truth {
    pub fn new(connection: redis::Connection) -> Self {
        Self { store: store(connection), verifier: Verifier::default() }
    }

    /// The entries since it was last asked, each checked.
    pub fn new_entries(&mut self) -> Vec<Entry> {
        read_on(&self.store, &mut self.verifier)
    }

    fn hash(&self, key: String) -> HashMap<String, String> {
        self.store.redis().ask(redis::cmd("HGETALL").arg(key))
    }

    /// The model, the journal, and what is in Redis say the same.
    pub fn assert_is(&self, model: &Model) {
        assert_eq!(self.verifier.accounts().values().map(|it| it.balance).sum::<i64>(), 0);
        let mut locked: BTreeMap<String, i64> = BTreeMap::new();
        let mut lock = |agent: &str, amount| *locked.entry(agent.to_owned()).or_default() += amount;
        for (id, expected) in &model.holds {
            let hold = self.hash(format!("reef:hold:{id}"));
            assert_eq!(hold["status"], expected.status, "{id}");
            assert_eq!(hold["posted"], expected.posted.to_string(), "{id}");
            if expected.status == "pending" {
                lock(&hold["agent_id"], hold["amount"].parse::<i64>().unwrap());
            }
        }
        for (id, expected) in &model.intents {
            let intent = self.hash(format!("intent:{id}"));
            assert_eq!(intent["status"], expected.status, "{id}");
            assert_eq!(intent["filled"], expected.filled.to_string(), "{id}");
            assert_eq!(intent["margin"] == "0", expected.status != "open" || expected.margin == 0);
            lock(&intent["agent_id"], intent["margin"].parse::<i64>().unwrap());
        }
        for (id, expected) in &model.positions {
            let position = self.hash(format!("position:{id}"));
            assert_eq!(position["status"], expected.status, "{id}");
            assert_eq!(position["realized_pnl"], expected.realized.to_string(), "{id}");
            if expected.status == "open" {
                lock(&position["agent_id"], position["margin"].parse::<i64>().unwrap());
            }
        }
        for (account, expected) in &model.accounts {
            let stored = self.hash(format!("reef:account:{account}"));
            let field = |name: &str| stored.get(name).map_or(0, |text| text.parse().unwrap());
            let has = Figures { balance: field("balance"), locked: field("locked") };
            assert_eq!(has, *expected, "{account}");
            let by_journal = self.verifier.accounts().get(account).copied().unwrap_or_default();
            assert_eq!(by_journal, *expected, "{account} by the journal");
            assert_eq!(locked.get(account).copied().unwrap_or(0), expected.locked, "{account}");
            let mirror: Option<String> =
                self.store.redis().ask(redis::cmd("GET").arg(format!("balance:{account}")));
            let shown = Money::from_micros(expected.balance).unwrap().to_string();
            assert_eq!(mirror.unwrap_or_else(|| "0".to_owned()), shown, "{account}");
        }
    }

    /// What the monitor seals is what the journal's reader makes of it.
    pub fn assert_seals(&self) {
        while now(seal_due(&self.store, &SealsSeen::default())).unwrap().made > 0 {}
        let due = self.verifier.seals();
        let mut kept = Vec::new();
        while kept.len() < due.len() {
            let from = i64::try_from(kept.len()).unwrap();
            let page = now(self.store.call(&ListSeals { from, limit: 1000 })).unwrap();
            assert_eq!(usize::try_from(page.total), Ok(due.len()));
            kept.extend(page.seals);
        }
        assert_eq!(kept, due);
    }
}
