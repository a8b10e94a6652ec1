//! Sessions: beginning, showing, listing, closing.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::id::SessionId;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// Whether new messages may be sent in it.
    SessionStatus {
        Active = "active",
        Closed = "closed",
    }
}

words! {
    /// What a task does that is submitted while others of its session are unfinished.
    IfBusy {
        /// It runs beside them.
        Parallel = "parallel",
        /// It waits for their end.
        Enqueue = "enqueue",
        /// It is not taken.
        Reject = "reject",
        /// It ends them.
        Interrupt = "interrupt",
        /// It ends them, and their messages say that they are superseded.
        Rollback = "rollback",
    }
}

/// A session as it is shown: fields and order of `contract.md` §5.
// `A` is what keeps an audience.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Session"))]
pub struct Session<A = Value> {
    /// Its id.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: Option<String>,
    /// `active closed`.
    pub status: Open<SessionStatus>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
    /// Whose nodes may run its tasks: `any`, `owner`, or agents; `null`: as the hub says.
    pub audience: A,
    /// What a task does that is submitted while others are unfinished: `parallel enqueue reject interrupt
    /// rollback`; left out, `parallel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_busy: Option<Open<IfBusy>>,
}

/// A session that is begun, or was.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SessionBody"))]
pub struct SessionBody<J = Box<RawValue>> {
    /// Whose it is.
    pub user_id: Option<String>,
    /// An object that is kept as it is.
    pub metadata: Option<J>,
    /// An id for it; left out, the hub makes one.
    pub session_id: Option<SessionId>,
    /// Whose nodes may run its tasks: `any`, `owner`, or a list of agents; left out, as the variable
    /// `task_audience` says.
    pub audience: Option<Value>,
    /// What a task does that is submitted while others are unfinished, unless it says so itself: `parallel
    /// enqueue reject interrupt rollback`; left out, `parallel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_busy: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SessionAnswer {
    pub session_id: SessionId,
    pub status: Open<SessionStatus>,
    pub created_at: UnixMillis,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SessionClosed {
    pub session_id: SessionId,
    pub status: Open<SessionStatus>,
}
