//! Under whose names a caller speaks and listens.

use reef_domain::Invalid;
use reef_store::node::Writer;
use reef_store::{Redis, name};

use crate::context::Context;
use crate::problem::{Code, Problem};

impl<R: Redis> Context<'_, R> {
    /// Whether the caller may act under a name: it is its own, or that of a node that it owns. Only
    /// a name that is not its own has to be looked up.
    ///
    /// # Errors
    /// 503 when Redis cannot say.
    pub async fn may_act_as(&self, name: &str) -> Result<bool, Problem> {
        match self.caller.writer() {
            Writer::Any => Ok(true),
            Writer::Owner(agent) if agent == name => Ok(true),
            Writer::Owner(agent) => Ok(name::is_node_of(self.store, name, agent).await?),
        }
    }

    /// Refuses a name in a body under which the caller may not act.
    ///
    /// # Errors
    /// 403 naming the field, 503 when Redis cannot say.
    pub async fn require_acting_as(&self, field: &str, name: &str) -> Result<(), Problem> {
        if self.may_act_as(name).await? {
            return Ok(());
        }
        let rule = "must be your own id, or that of a node of yours";
        Err(Problem::fields(Code::Forbidden, &Invalid::one(field, rule)))
    }
}
