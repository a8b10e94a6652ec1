//! Calls on leadership: `lua/leader/`.

use reef_api::NodeId;
use reef_api::leader::LeaderHistoryEntry;
pub use reef_api::leader::Leadership;
use reef_domain::time::UnixMillis;
use serde::Deserialize;

use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader};

include!(concat!(env!("OUT_DIR"), "/calls_leader.rs"));

impl FromReply for Leadership {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { leader: FromReply::read(reply)?, term: reply.int()?, ttl_ms: reply.int()? })
    }
}

/// An entry as it is stored. Those of older systems lack the term, and hold the time in seconds.
#[derive(Deserialize)]
struct Stored {
    timestamp: f64,
    node_id: NodeId,
    event: String,
    term: Option<i64>,
    is_leader: Option<bool>,
    reason: Option<String>,
}

impl From<Stored> for LeaderHistoryEntry {
    fn from(stored: Stored) -> Self {
        let Stored { timestamp, node_id, event, term, is_leader, reason } = stored;
        // No instant in seconds is as large as any since 1970-04 in milliseconds.
        let ms = if timestamp < 1e10 { timestamp * 1000.0 } else { timestamp };
        #[allow(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
        let timestamp = UnixMillis(ms as i64);
        Self { timestamp, node_id, event, term, is_leader, reason }
    }
}

/// What happened to the leadership, newest first.
#[derive(Debug)]
pub struct History(pub Vec<LeaderHistoryEntry>);

impl FromReply for History {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let texts = Vec::<String>::read(reply)?;
        // Old clients write to this list too: what cannot be read is left out.
        let stored = texts.iter().filter_map(|text| serde_json::from_str::<Stored>(text).ok());
        Ok(Self(stored.map(LeaderHistoryEntry::from).collect()))
    }
}
