//! What has to be so after each step, and in the end.

use std::collections::BTreeMap;

use reef_api::usage::TaskUsage;
use reef_store::account::Show;
use reef_store::task::{Get, settle_due};
use reef_store::usage::{Day, plus, roll_up, today};

use crate::turns::{finish, set_clock};

use super::world::*;

impl World<'_> {
    fn field(&mut self, key: &str, name: &str) -> Option<String> {
        redis::cmd("HGET").arg(key).arg(name).query(&mut self.redis).unwrap()
    }

    /// Nobody works for money that is not reserved, or on what was refused.
    pub fn check(&mut self) {
        let refused = self.refused.borrow().clone();
        for id in refused {
            let status = self.field(&format!("reef:task:{id}"), "status");
            assert!(
                matches!(status.as_deref(), None | Some("draft")),
                "{id} was refused: {status:?}"
            );
        }
        for n in 0..self.tasks.len() {
            let (id, hold_id) = (self.tasks[n].id.clone(), self.tasks[n].charge.hold_id.clone());
            let status = self.field(&format!("reef:task:{id}"), "status");
            let hold = self.field(&format!("reef:hold:{hold_id}"), "status");
            let is_open =
                matches!(status.as_deref(), Some("pending" | "scheduled" | "waiting" | "running"));
            assert!(!is_open || hold.as_deref() == Some("pending"), "{id} {status:?}: {hold:?}");
        }
    }

    /// Lets the monitor do what is left. Then all is as it is to be.
    pub fn settle(&mut self) {
        self.requests.clear();
        self.monitor = None;
        for _ in 0..3 {
            self.now_ms += 20_000;
            set_clock(&mut self.redis, self.now_ms);
            finish(settle_due(self.store, self.settings)).unwrap();
        }
        finish(roll_up(self.store, 100)).unwrap();
        self.check();
        let mut paid = [0; 2];
        let (mut reserved, mut sum) = (0, reef_api::usage::Used::default());
        for n in 0..self.tasks.len() {
            let id = self.tasks[n].id.clone();
            let found = finish(self.store.call(&Get { task_id: &id })).unwrap();
            let known = &self.tasks[n];
            let mut of_task = BTreeMap::<usize, Numbers>::new();
            for ((_, model), used) in &known.used {
                let of_model = of_task.entry(*model).or_default();
                for (sum, used) in of_model.iter_mut().zip(used) {
                    *sum += used;
                }
            }
            let mut expected = TaskUsage::default();
            for (model, numbers) in of_task {
                let [input, output, cached, reasoning, requests, cost] = numbers;
                let cost = money(cost);
                let used =
                    reef_api::usage::Used { input, output, cached, reasoning, requests, cost };
                expected.used = plus(expected.used, used);
                if used != reef_api::usage::Used::default() {
                    let model = MODELS[model].to_owned();
                    expected.models.push(reef_api::usage::ModelUsed {
                        provider: None,
                        model,
                        used,
                    });
                }
            }
            sum = plus(sum, expected.used);
            if let Some((amount, node)) = known.earned {
                paid[node] += amount;
            }
            let Some(found) = found else {
                let is_settled = known.is_gone || known.earned.is_none();
                assert!(is_settled, "{id} is gone");
                continue;
            };
            let shown = found.task.usage.clone().unwrap_or_default();
            assert_eq!(shown, expected, "{id}");
            if found.task.status.is_end() {
                let of = known.earned.map_or(0, |(amount, _)| amount);
                assert_eq!(found.task.paid, Some(money(of)), "{id}");
            } else {
                reserved += known.charge.max.micros();
            }
        }
        let balance = |agent: &str| {
            let shown = finish(self.store.call(&Show { agent_id: &agent.into() })).unwrap();
            let shown = shown.expect("an agent");
            (shown.balance.micros(), shown.locked.micros())
        };
        let all: i64 = paid.iter().sum();
        assert_eq!(balance(OWNER), (self.deposited - all, reserved), "who pays: had, reserves");
        assert_eq!(WORKERS.map(|it| balance(it).0), paid, "who works");
        self.check_days(sum);
    }

    /// The days' sums, of all and of the owner, and the budget are what was reported.
    fn check_days(&mut self, sum: reef_api::usage::Used) {
        let days: Vec<String> = {
            let keys: Vec<String> =
                redis::cmd("KEYS").arg("reef:spent:*").query(&mut self.redis).unwrap();
            let days = keys.iter().filter_map(|key| key.strip_prefix("reef:spent:"));
            days.filter(|day| !day.contains(':')).map(str::to_owned).collect()
        };
        for (owner, dimensions) in [("", "mungo"), (OWNER, "mung")] {
            for by in dimensions.chars().map(String::from) {
                let of_day = |day: &String| {
                    let spent = finish(self.store.call(&Day { day, owner, by: &by })).unwrap();
                    spent.spent.into_iter().map(|spent| spent.used).fold(Default::default(), plus)
                };
                let spent = days.iter().map(of_day).fold(Default::default(), plus);
                assert_eq!(spent, sum, "by {by} of {owner:?}");
            }
        }
        let call = reef_store::usage::budget::Get { owner: OWNER, scope: "owner", of_id: OWNER };
        let budget = finish(self.store.call(&call)).unwrap().unwrap();
        assert_eq!((budget.cost_used, budget.tokens_used), (sum.cost, sum.input + sum.output));
        finish(today(self.store)).unwrap();
    }
}
