//! Calls on invites, by which somebody without a key becomes an agent: `lua/invite/`.

use reef_api::InviteId;
use reef_domain::access::Scopes;
use reef_domain::time::UnixMillis;

use crate::script::{FromReply, Malformed, Reader};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_invite.rs"));

/// An invite: all but its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its id.
    pub invite_id: InviteId,
    /// How many agents it lets in.
    pub uses: i64,
    /// How many it has let in.
    pub used: i64,
    /// What their first keys allow.
    pub scopes: Scopes,
    /// Who made it.
    pub created_by: String,
    pub created_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
}

impl FromReply for Invite {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            invite_id: FromReply::read(reply)?,
            uses: reply.int()?,
            used: reply.int()?,
            scopes: Scopes::stored(&reply.text()?),
            created_by: reply.text()?,
            created_at: UnixMillis(reply.int()?),
            expires_at: UnixMillis(reply.int()?),
        })
    }
}
