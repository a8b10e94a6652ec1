//! What the components have in common that move money.

use reef_domain::Money;
use reef_store::ledger::Moved;

use crate::{Code, Problem};

/// There is no such agent.
#[must_use]
pub fn unknown_agent(agent_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no agent {agent_id}."))
}

/// What a movement of money has come to, or why there was none. `agent` is whose money was to move, and
/// `amount` how much of it.
///
/// # Errors
/// Why there was none.
pub fn moved<T>(outcome: Moved<T>, agent: &str, amount: Money) -> Result<T, Problem> {
    match outcome {
        Moved::Ok(value) => Ok(value),
        Moved::UnknownAgent(agent_id) => Err(unknown_agent(agent_id.as_deref().unwrap_or(agent))),
        Moved::Insufficient { available, asked } => Err(Problem::new(
            Code::InsufficientBalance,
            format!("{available} is available, and {} was asked for.", asked.unwrap_or(amount)),
        )),
        Moved::Full => Err(Problem::new(
            Code::Conflict,
            "The ledger holds as much money as it can count exactly.",
        )),
        Moved::Exists => {
            Err(Problem::new(Code::Conflict, "This Idempotency-Key has made something before."))
        }
    }
}
