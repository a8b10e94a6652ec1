//! Calls on the lists by which sessions are found: `lua/sessions/`.

use super::read_all;
use crate::quota::Quotas;
use crate::script::{
    Arguments, Call, Malformed, Reader, SESSIONS_ADD, SESSIONS_LIST, SESSIONS_REMOVE,
    SESSIONS_SAMPLE, Script, unknown_status,
};

/// Puts a session into the lists by which it is found.
#[derive(Debug)]
pub struct AddToLists<'a> {
    /// Which.
    pub session_id: &'a str,
    /// Whose.
    pub user_id: Option<&'a str>,
    /// Who makes it.
    pub owner: &'a str,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

impl Call for AddToLists<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &SESSIONS_ADD
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.session_id)
            .optional(self.user_id)
            .text(self.owner)
            .optional(self.quotas.map(|quotas| quotas.sessions));
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        match status {
            "ok" => Ok(()),
            other => unknown_status(other),
        }
    }
}

/// Lists sessions, newest first.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose; `None` for all.
    pub user_id: Option<&'a str>,
    /// Most sessions.
    pub limit: i64,
    /// The number to go on below.
    pub below: Option<i64>,
    /// Made by whom; `None` for all. Not looked at where a user is named.
    pub owner: Option<&'a str>,
}

impl Call for List<'_> {
    /// Sessions with their numbers.
    type Reply = Vec<(String, i64)>;

    fn script(&self) -> &'static Script {
        &SESSIONS_LIST
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .optional(self.user_id)
            .number(self.limit)
            .optional(self.below)
            .optional(self.owner);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let mut sessions = Vec::with_capacity(reply.left() / 2);
        while !reply.is_at_end() {
            sessions.push((reply.text()?, reply.int()?));
        }
        Ok(sessions)
    }
}

/// Names some of an owner's sessions, to look for those that have expired.
#[derive(Debug)]
pub struct Sample<'a> {
    /// Whose.
    pub owner: &'a str,
    /// Most sessions.
    pub most: i64,
}

impl Call for Sample<'_> {
    type Reply = Vec<String>;

    fn script(&self) -> &'static Script {
        &SESSIONS_SAMPLE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.owner).number(self.most);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status == "ok" { read_all(reply) } else { unknown_status(status) }
    }
}

/// Takes sessions that have expired off the lists.
#[derive(Debug)]
pub struct RemoveFromLists<'a> {
    /// Whose list, besides the list of all.
    pub user_id: Option<&'a str>,
    /// And off the list of what this one made.
    pub owner: Option<&'a str>,
    /// Which: at least one.
    pub session_ids: &'a [String],
}

impl Call for RemoveFromLists<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &SESSIONS_REMOVE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.optional(self.user_id).optional(self.owner);
        for session_id in self.session_ids {
            arguments.text(session_id);
        }
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        match status {
            "ok" => Ok(()),
            other => unknown_status(other),
        }
    }
}
