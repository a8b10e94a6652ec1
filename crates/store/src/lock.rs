//! Calls on named locks: `lua/lock/`.

pub use reef_api::lock::Lock;

use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_lock.rs"));

impl FromReply for Lock {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            name: FromReply::read(reply)?,
            holder: reply.text()?,
            owner: reply.text()?,
            term: reply.int()?,
            ttl_ms: reply.int()?,
        })
    }
}
