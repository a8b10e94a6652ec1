//! Calls on leadership: `lua/leader/`.

use reef_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::node::Writer;
use crate::script::{
    Arguments, Call, LEADER_CAMPAIGN, LEADER_HISTORY, LEADER_RESIGN, LEADER_SHOW, Malformed,
    Reader, Script, unknown_status,
};

/// The leadership as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Leadership {
    /// Who leads.
    pub leader: Option<String>,
    /// Grows with every change of holder: the fencing token.
    pub term: i64,
    /// How long the lease still runs, in milliseconds.
    pub ttl_ms: i64,
}

impl Leadership {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let leader = Some(reply.text()?).filter(|leader| !leader.is_empty());
        Ok(Self { leader, term: reply.int()?, ttl_ms: reply.int()? })
    }
}

/// Takes the leadership, or renews it.
#[derive(Debug)]
pub struct Campaign<'a> {
    /// Who asks.
    pub node_id: &'a str,
    /// For how long, in milliseconds.
    pub ttl_ms: i64,
    /// Which registration of the node asks; `None` for the present one.
    pub incarnation: Option<i64>,
    /// Who sends the request.
    pub writer: Writer<'a>,
}

/// What became of a campaign.
#[derive(Debug)]
pub enum Campaigned {
    /// It was heard.
    Ok {
        /// The one that asked leads.
        is_leader: bool,
        /// Who leads now.
        leadership: Leadership,
        /// For how long leaders before may not know that they lead no longer, in milliseconds.
        former_ttl_ms: i64,
    },
    /// There is no such node.
    NotFound,
    /// The node belongs to somebody else.
    Forbidden,
    /// The node has registered again since.
    Fenced,
    /// The node is neither online nor busy.
    Unfit {
        /// What it is.
        status: String,
    },
}

impl Call for Campaign<'_> {
    type Reply = Campaigned;

    fn script(&self) -> &'static Script {
        &LEADER_CAMPAIGN
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.node_id)
            .number(self.ttl_ms)
            .text(self.writer.as_argument())
            .optional(self.incarnation);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Campaigned::Ok {
                is_leader: reply.flag()?,
                leadership: Leadership::read(reply)?,
                former_ttl_ms: reply.int()?,
            }),
            "not_found" => Ok(Campaigned::NotFound),
            "forbidden" => Ok(Campaigned::Forbidden),
            "fenced" => Ok(Campaigned::Fenced),
            "unfit" => Ok(Campaigned::Unfit { status: reply.text()? }),
            other => unknown_status(other),
        }
    }
}

/// Hands the leadership back.
#[derive(Debug)]
pub struct Resign<'a> {
    /// Who.
    pub node_id: &'a str,
    /// The term under which it leads.
    pub term: i64,
    /// Who sends the request.
    pub writer: Writer<'a>,
}

/// What became of a resignation.
#[derive(Debug)]
pub enum Resigned {
    /// Nobody leads now.
    Ok {
        /// The term that has ended.
        term: i64,
    },
    /// There is no such node.
    NotFound,
    /// The node belongs to somebody else.
    Forbidden,
    /// Somebody else leads, or nobody, or under another term.
    Fenced {
        /// Who leads.
        leader: Option<String>,
        /// The present term.
        term: i64,
    },
}

impl Call for Resign<'_> {
    type Reply = Resigned;

    fn script(&self) -> &'static Script {
        &LEADER_RESIGN
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.node_id).number(self.term).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Resigned, Malformed> {
        match status {
            "ok" => Ok(Resigned::Ok { term: reply.int()? }),
            "not_found" => Ok(Resigned::NotFound),
            "forbidden" => Ok(Resigned::Forbidden),
            "fenced" => Ok(Resigned::Fenced {
                leader: Some(reply.text()?).filter(|leader| !leader.is_empty()),
                term: reply.int()?,
            }),
            other => unknown_status(other),
        }
    }
}

/// Asks who leads.
#[derive(Debug)]
pub struct Show;

impl Call for Show {
    type Reply = Leadership;

    fn script(&self) -> &'static Script {
        &LEADER_SHOW
    }

    fn arguments(&self, _: &mut Arguments) {}

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Leadership, Malformed> {
        match status {
            "ok" => Leadership::read(reply),
            other => unknown_status(other),
        }
    }
}

/// Reads what happened to the leadership, newest first.
#[derive(Debug)]
pub struct ReadHistory {
    /// Most entries.
    pub limit: i64,
}

/// Something that happened to the leadership. Entries of older systems lack the term, and hold
/// the time in seconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HistoryEntry {
    timestamp: f64,
    /// Who.
    pub node_id: String,
    /// `elected renewed-late lost resigned`, or a word of an older system.
    pub event: String,
    /// Under which term.
    pub term: Option<i64>,
    /// Whether the node led afterwards.
    pub is_leader: Option<bool>,
    /// Why it lost the lease before that had run out: `registered shutdown removed timeout changed`.
    pub reason: Option<String>,
}

impl HistoryEntry {
    /// When.
    #[must_use]
    pub fn at(&self) -> UnixMillis {
        // No instant in seconds is as large as any since 1970-04 in milliseconds.
        let ms = if self.timestamp < 1e10 { self.timestamp * 1000.0 } else { self.timestamp };
        #[allow(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
        UnixMillis(ms as i64)
    }
}

impl Call for ReadHistory {
    type Reply = Vec<HistoryEntry>;

    fn script(&self) -> &'static Script {
        &LEADER_HISTORY
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let mut history = Vec::with_capacity(reply.left());
        while !reply.is_at_end() {
            // Old clients write to this list too: what cannot be read is left out.
            history.extend(serde_json::from_str::<HistoryEntry>(&reply.text()?).ok());
        }
        Ok(history)
    }
}
