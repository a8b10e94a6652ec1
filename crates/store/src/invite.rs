//! Calls on invites, by which somebody without a key becomes an agent: `lua/invite/`.

use reef_domain::access::Scopes;
use reef_domain::limits::INVITES_MAX;
use reef_domain::time::UnixMillis;

use crate::ledger::{Page, read_items, read_next};
use crate::script::{
    Arguments, Call, INVITE_CHECK, INVITE_CREATE, INVITE_LIST, INVITE_REVOKE, Malformed, Partition,
    Reader, Script, unknown_status,
};

/// An invite: all but its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its id.
    pub invite_id: String,
    /// How many agents it lets in.
    pub uses: i64,
    /// How many it has let in.
    pub used: i64,
    /// What their first keys allow.
    pub scopes: Scopes,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
}

impl Invite {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            invite_id: reply.text()?,
            uses: reply.int()?,
            used: reply.int()?,
            scopes: Scopes::stored(&reply.text()?),
            created_by: reply.text()?,
            created_at: UnixMillis(reply.int()?),
            expires_at: UnixMillis(reply.int()?),
        })
    }
}

/// Asks whether a token is that of an invite. One that is used up is known, too, so that a repeated
/// registration finds its answer.
#[derive(Debug)]
pub struct Check<'a> {
    /// The id that the token carries.
    pub invite_id: &'a str,
    /// SHA-256 of the token, in hex.
    pub digest: &'a str,
}

impl Call for Check<'_> {
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &INVITE_CHECK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.invite_id).text(self.digest);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<bool, Malformed> {
        match status {
            "ok" => Ok(true),
            "unknown" => Ok(false),
            other => unknown_status(other),
        }
    }
}

/// Makes an invite.
#[derive(Debug)]
pub struct Create<'a> {
    /// Its id.
    pub invite_id: &'a str,
    /// SHA-256 of its token, in hex.
    pub digest: &'a str,
    /// How many agents it lets in.
    pub uses: i64,
    /// What their first keys allow.
    pub scopes: Scopes,
    /// How long it is good at most, in milliseconds; never longer than the key that asks.
    pub life_ms: i64,
    /// The key that asks; `None`: the admin key.
    pub maker: Option<&'a str>,
    /// Who asks.
    pub made_by: &'a str,
}

/// What became of an invite that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It is there.
    Ok(Invite),
    /// There are as many as there may be.
    TooMany,
    /// It would give scopes that the key that asks has not.
    Beyond,
    /// The key that asks is good no more.
    Unknown,
    /// The generated id is in use: try again with another.
    IdCollision,
}

impl Call for Create<'_> {
    type Reply = Made;

    fn script(&self) -> &'static Script {
        &INVITE_CREATE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.invite_id)
            .text(self.digest)
            .number(self.uses)
            .text(self.scopes.to_string())
            .number(self.life_ms)
            .optional(self.maker)
            .text(self.made_by)
            .number(INVITES_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Made, Malformed> {
        match status {
            "ok" => Invite::read(reply).map(Made::Ok),
            "too_many" => Ok(Made::TooMany),
            "beyond" => Ok(Made::Beyond),
            "unknown" => Ok(Made::Unknown),
            "id_collision" => Ok(Made::IdCollision),
            other => unknown_status(other),
        }
    }
}

/// Lists open invites, newest first.
#[derive(Debug)]
pub struct List {
    /// Most invites.
    pub limit: i64,
    /// The number to go on below.
    pub below: Option<i64>,
}

impl Call for List {
    type Reply = Page<Invite>;

    fn script(&self) -> &'static Script {
        &INVITE_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.limit).optional(self.below);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Page<Invite>, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        Ok(Page { next: read_next(reply)?, items: read_items(reply, Invite::read)? })
    }
}

/// Revokes an open invite.
#[derive(Debug)]
pub struct Revoke<'a> {
    /// Which.
    pub invite_id: &'a str,
}

impl Call for Revoke<'_> {
    /// Whether there was one.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &INVITE_REVOKE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.invite_id);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<bool, Malformed> {
        match status {
            "ok" => Ok(true),
            "not_found" => Ok(false),
            other => unknown_status(other),
        }
    }
}
