//! Whose money a caller may deal with.

use reef_api::AgentId;
use reef_domain::{Invalid, Money, id};
use reef_store::ledger::Moved;
use reef_store::node::Writer;
use reef_web::{Code, Context, Problem};

/// Whose things the caller may touch: its own, or as admin all. Without keys, too, since money
/// always has an owner.
pub(crate) fn writer<'a, R>(cx: &'a Context<'_, R>) -> Writer<'a> {
    if cx.caller.is_admin() { Writer::Any } else { Writer::Owner(cx.caller.name()) }
}

/// Refuses a caller who may not deal with this agent's money.
pub(crate) fn require_agent<R>(cx: &Context<'_, R>, agent_id: &str) -> Result<(), Problem> {
    if cx.caller.acts_for(agent_id) {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, format!("The money of {agent_id} is not yours.")))
}

/// The agent whose things a list shows: the one that the query names, else the caller's own; an
/// empty text, that is all, for the admin.
pub(crate) fn listed_agent<R>(
    cx: &Context<'_, R>,
    given: Option<&str>,
) -> Result<AgentId, Problem> {
    match given {
        Some(agent_id) if !id::is_valid(agent_id) => Err(Problem::parameter("agent_id", id::RULE)),
        Some(agent_id) => {
            let agent_id = AgentId::from(agent_id);
            require_agent(cx, &agent_id).map(|()| agent_id)
        }
        None => Ok(writer(cx).as_argument().into()),
    }
}

/// Takes an agent's id that must be there.
pub(crate) fn agent_id(invalid: &mut Invalid, field: &str, given: Option<AgentId>) -> AgentId {
    match &given {
        None => invalid.push(field, "is required"),
        Some(given) => invalid.require(id::is_valid(given), field, id::RULE),
    }
    given.unwrap_or_default()
}

/// There is no such agent.
pub(crate) fn unknown_agent(agent_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no agent {agent_id}."))
}

/// What a movement of money has come to, or why there was none. `agent` is whose money was to move, and
/// `amount` how much of it.
pub(crate) fn moved<T>(outcome: Moved<T>, agent: &str, amount: Money) -> Result<T, Problem> {
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
