//! What tasks use: calls on usage, prices and budgets (`lua/usage/`, `lua/price/`, `lua/budget/`).

use std::collections::BTreeMap;

pub use reef_api::usage::Used;
pub use reef_api::usage::{Budget, ModelPrice};
use reef_api::usage::{ModelUsed, TaskUsage};
use reef_domain::Money;
use reef_domain::time::UnixMillis;

use crate::node::Writer;
use crate::port::{Redis, RedisError};
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};
use crate::task::Written;

/// Prices: `lua/price/`.
pub mod price {
    use super::{ModelPrice, Written};

    include!(concat!(env!("OUT_DIR"), "/calls_price.rs"));
}

/// Budgets: `lua/budget/`.
pub mod budget {
    use super::{Budget, Writer, Written};
    use crate::steps::Page;

    include!(concat!(env!("OUT_DIR"), "/calls_budget.rs"));
}

include!(concat!(env!("OUT_DIR"), "/calls_usage.rs"));

/// Adds up by days what was used lately, in at most so many steps of 100. A Redis that is full takes no sums;
/// a later call makes them.
///
/// # Errors
/// [`StoreError`]; what was added up stays so.
pub async fn roll_up<R: Redis>(store: &Store<R>, steps: usize) -> Result<(), StoreError> {
    for _ in 0..steps {
        match store.call(&RollUp).await {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Redis(RedisError::Full(_))) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What all owners' tasks have used today.
///
/// # Errors
/// [`StoreError`].
pub async fn today<R: Redis>(store: &Store<R>) -> Result<Used, StoreError> {
    let spent = store.call(&Day { day: "", owner: "", by: "o" }).await?.spent;
    Ok(spent.iter().fold(Used::default(), |sum, spent| plus(sum, spent.used)))
}

/// A sum.
#[must_use]
pub fn plus(a: Used, b: Used) -> Used {
    let cost = a.cost.micros().saturating_add(b.cost.micros());
    Used {
        input: a.input.saturating_add(b.input),
        output: a.output.saturating_add(b.output),
        cached: a.cached.saturating_add(b.cached),
        reasoning: a.reasoning.saturating_add(b.reasoning),
        requests: a.requests.saturating_add(b.requests),
        cost: Money::from_micros(cost).unwrap_or(a.cost),
    }
}

/// As the scripts keep it: input, output, cached, reasoning, requests, millionths.
type Numbers = [i64; 6];

fn used([input, output, cached, reasoning, requests, cost]: Numbers) -> Used {
    let cost = Money::from_micros(cost).unwrap_or_default();
    Used { input, output, cached, reasoning, requests, cost }
}

fn malformed(what: &str, text: &str) -> Malformed {
    Malformed(format!("no {what}: {text:?}"))
}

/// What a task has used, by `provider/model`.
pub(crate) fn task_usage(models: BTreeMap<String, Numbers>) -> TaskUsage {
    let mut sum = Numbers::default();
    let mut shown = Vec::new();
    for (name, numbers) in models {
        for (sum, number) in sum.iter_mut().zip(numbers) {
            *sum += number;
        }
        let (provider, model) = name.split_once('/').unwrap_or(("", &name));
        let provider = Some(provider.to_owned()).filter(|provider| !provider.is_empty());
        shown.push(ModelUsed { provider, model: model.to_owned(), used: used(numbers) });
    }
    TaskUsage { used: used(sum), models: shown }
}

/// What was used on a day, under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The model (`provider/name` where it has a provider), user, node, group or owner; empty for none.
    pub key: String,
    /// How much.
    pub used: Used,
}

/// What was used on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentOn {
    /// `2026-03-01`.
    pub day: String,
    /// By key.
    pub spent: Vec<Spent>,
}

impl FromReply for Spent {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let key = reply.text()?;
        let text = reply.text()?;
        let mut numbers = Numbers::default();
        let mut given = text.split(',');
        for number in &mut numbers {
            let text = given.next().and_then(|number| number.parse().ok());
            *number = text.ok_or_else(|| malformed("usage", &key))?;
        }
        // What has no provider begins with the slash that would end its name.
        let key = key.strip_prefix('/').map(str::to_owned).unwrap_or(key);
        Ok(Self { key, used: used(numbers) })
    }
}

impl FromReply for ModelPrice {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let model = reply.text()?;
        let text = reply.text()?;
        let mut parts = text.splitn(5, '/');
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
        let prices = (number(), number(), number(), number());
        let (Some(input), Some(output), Some(cached), Some(at)) = prices else {
            return Err(malformed("price", &text));
        };
        let money = |micros| Money::from_micros(micros).unwrap_or_default();
        Ok(Self {
            model,
            input: money(input),
            output: money(output),
            cached: money(cached),
            updated_by: parts.next().unwrap_or_default().to_owned(),
            updated_at: UnixMillis(at),
        })
    }
}

impl FromReply for Budget {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let money = |micros: i64| Money::from_micros(micros).unwrap_or_default();
        Ok(Self {
            scope: FromReply::read(reply)?,
            id: reply.text()?,
            owner: FromReply::read(reply)?,
            cost: reply.optional_int()?.map(money),
            tokens: reply.optional_int()?,
            period: FromReply::read(reply)?,
            on_exceed: FromReply::read(reply)?,
            note: reply.text()?,
            updated_by: reply.text()?,
            updated_at: UnixMillis(reply.int()?),
            cost_used: money(reply.int()?),
            tokens_used: reply.int()?,
            exceeded: reply.flag()?,
        })
    }
}

rows! {
    SpentOn { day, spent }
}
