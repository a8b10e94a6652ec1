//! Calls on leadership: `lua/leader/`.

use reef_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader};

include!(concat!(env!("OUT_DIR"), "/calls_leader.rs"));

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

impl FromReply for Leadership {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { leader: reply.filled()?, term: reply.int()?, ttl_ms: reply.int()? })
    }
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

/// What happened to the leadership, newest first.
#[derive(Debug)]
pub struct History(pub Vec<HistoryEntry>);

impl FromReply for History {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let texts = Vec::<String>::read(reply)?;
        // Old clients write to this list too: what cannot be read is left out.
        Ok(Self(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()))
    }
}
