//! Calls on limits: `lua/limit/`.

use reef_api::Open;
pub use reef_api::limit::{Limit, LimitStanding};
use reef_api::limit::{Rate, RateUnit};
use reef_domain::limit::Limit as Rules;
use reef_domain::time::UnixMillis;

use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader};
use crate::steps::Page;
use crate::task::Written;

include!(concat!(env!("OUT_DIR"), "/calls_limit.rs"));

impl FromReply for Limit {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let name = FromReply::read(reply)?;
        let concurrency = FromReply::read(reply)?;
        let rates: Vec<(Open<RateUnit>, i64, i64)> = serde_json::from_str(&reply.text()?)
            .map_err(|error| Malformed(format!("rates: {error}")))?;
        let rates = rates.into_iter().map(|(unit, per_ms, count)| Rate { count, per_ms, unit });
        Ok(Self {
            name,
            concurrency,
            rates: rates.collect(),
            paused: reply.flag()?,
            per_owner: reply.flag()?,
            note: reply.text()?,
            updated_by: reply.text()?,
            updated_at: FromReply::read(reply)?,
            running: reply.int()?,
        })
    }
}

/// Rates as the scripts read them.
#[must_use]
pub fn rates_json(rules: &Rules) -> String {
    use reef_api::Word as _;
    let rates = rules.rates.iter();
    let rates =
        rates.map(|(unit, per_ms, count)| serde_json::json!([unit.as_str(), per_ms, count]));
    serde_json::Value::from_iter(rates).to_string()
}

impl FromReply for LimitStanding {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            limit: FromReply::read(reply)?,
            key: None,
            held: reply.int()?,
            parked_classes: reply.int()?,
            shut_by: FromReply::read(reply)?,
            opens_at: FromReply::read(reply)?,
            penalised_at: FromReply::read(reply)?,
        })
    }
}
