//! Calls on groups of tasks: `lua/group/`.

pub use reef_api::flow::Group;

use crate::message::Owned;
use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader, rows};
use crate::task::{Page, Written};

include!(concat!(env!("OUT_DIR"), "/calls_group.rs"));

impl FromReply for Owned<Group> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (group_id, owner) = (FromReply::read(reply)?, reply.text()?);
        let value = Group {
            group_id,
            name: reply.text()?,
            status: FromReply::read(reply)?,
            sealed: reply.flag()?,
            total: reply.int()?,
            open: reply.int()?,
            completed: count(reply)?,
            failed: count(reply)?,
            cancelled: count(reply)?,
            timeout: count(reply)?,
            parent: FromReply::read(reply)?,
            first_failure: FromReply::read(reply)?,
            created_at: FromReply::read(reply)?,
            ended_at: FromReply::read(reply)?,
        };
        Ok(Self { owner, value })
    }
}

/// A count that nobody has begun is none.
fn count(reply: &mut Reader) -> Result<i64, Malformed> {
    let text = reply.filled()?;
    text.map_or(Ok(0), |text| text.parse().map_err(|_| Malformed(format!("count {text:?}"))))
}

/// What a step of a change did.
#[derive(Debug)]
pub struct Changed {
    /// How many tasks were changed.
    pub changed: i64,
    /// Some have ended, of which others are to hear.
    pub follows: bool,
    /// Where the next step goes on, while there are more.
    pub next: Option<i64>,
}

rows! {
    Changed { changed, follows, next }
}
