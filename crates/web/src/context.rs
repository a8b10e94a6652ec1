//! What a handler works with.

use reef_api::NodeId;
use reef_domain::id;
use reef_domain::limits::CLAIM_TOKEN_CHARS_MAX;
use reef_store::{Once, Quotas, Store};

use crate::auth::Caller;
use crate::config::Config;
use crate::extract::{Query, segment};
use crate::http::Request;
use crate::problem::Problem;

/// What a handler works with.
pub struct Context<'a, R> {
    /// The calls on Redis.
    pub store: &'a Store<R>,
    /// The settings.
    pub config: &'a Config,
    /// The request.
    pub request: &'a Request,
    pub caller: &'a Caller,
    /// The caller asked that a repeat of the request changes nothing.
    pub once: Option<Once>,
    pub(crate) parameters: &'a matchit::Params<'a, 'a>,
}

impl<R> Context<'_, R> {
    /// A segment of the path, decoded.
    ///
    /// # Errors
    /// 400 if it is no UTF-8.
    pub fn segment(&self, name: &str) -> Result<String, Problem> {
        let raw = self.parameters.get(name).unwrap_or_default();
        segment(name, raw).map(std::borrow::Cow::into_owned)
    }

    /// A segment of the path as an id; `field` is its name in complaints.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn id<Id: From<String>>(&self, segment: &str, field: &str) -> Result<Id, Problem> {
        let text = self.segment(segment)?;
        if id::is_valid(&text) { Ok(text.into()) } else { Err(Problem::field(field, id::RULE)) }
    }

    /// The segment `{id}` as a node's id.
    ///
    /// # Errors
    /// 422 if it is none.
    pub fn node_id(&self) -> Result<NodeId, Problem> {
        let node_id = NodeId::from(self.segment("id")?);
        id::checked(node_id).map_err(|rule| Problem::field("node_id", rule))
    }

    /// What the caller may have ([`Caller::quotas`]).
    #[must_use]
    pub fn quotas(&self) -> Option<&Quotas> {
        self.caller.quotas(&self.config.settings)
    }

    /// The header `X-Claim-Token`: the token of the claim under which whoever runs a task writes.
    ///
    /// # Errors
    /// 400 if it is none.
    pub fn claim_token(&self) -> Result<Option<&str>, Problem> {
        const HEADER: &str = "X-Claim-Token";
        let Some(raw) = self.request.raw_header(HEADER) else { return Ok(None) };
        let fits = (1..=CLAIM_TOKEN_CHARS_MAX).contains(&raw.len())
            && raw.iter().all(u8::is_ascii_graphic);
        let token = std::str::from_utf8(raw).ok().filter(|_| fits);
        let rule = "must be a token of POST /tasks/claim, unchanged";
        token.map(Some).ok_or_else(|| Problem::parameter(HEADER, rule))
    }

    /// The parameters of the query.
    #[must_use]
    pub fn query(&self) -> Query {
        Query::read(self.request)
    }
}
