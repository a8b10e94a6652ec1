//! Whose money a caller may deal with.

use reef_api::AgentId;
use reef_domain::{Invalid, id};
use reef_store::node::Writer;
use reef_web::{Code, Context, Problem};

pub(crate) use reef_web::money::{moved, unknown_agent};

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
