//! Calls on agents' keys: `lua/key/`.

use reef_domain::access::Scopes;
use reef_domain::limits::KEY_USE_LAG_MS;

use crate::script::{
    Arguments, Call, KEY_CHECK, Malformed, Partition, Reader, Script, unknown_status,
};

/// Asks whose a key is, and counts a request against its rate.
#[derive(Debug)]
pub struct Check<'a> {
    /// The id that the key carries.
    pub key_id: &'a str,
    /// SHA-256 of the key, in hex.
    pub digest: &'a str,
    /// The group of routes that is asked for.
    pub group: &'a str,
    /// Requests a second; 0 for no limit.
    pub rate: i64,
}

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// The key is good.
    Good {
        /// Whose it is.
        agent_id: String,
        /// What it allows.
        scopes: Scopes,
        /// Requests that may follow at once; `None` where there is no limit.
        left: Option<i64>,
    },
    /// The key is good, and has been used too often.
    Limited {
        /// Whose it is.
        agent_id: String,
        /// What it allows.
        scopes: Scopes,
        /// Milliseconds until the next request may come.
        wait_ms: i64,
    },
    /// There is no such key, or it has expired.
    Unknown,
}

impl Call for Check<'_> {
    type Reply = Checked;

    fn script(&self) -> &'static Script {
        &KEY_CHECK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.key_id)
            .text(self.digest)
            .text(self.group)
            .number(self.rate)
            .number(KEY_USE_LAG_MS);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Checked, Malformed> {
        let mut whose = || Ok((reply.text()?, Scopes::stored(&reply.text()?)));
        match status {
            "ok" => {
                let (agent_id, scopes) = whose()?;
                let left = reply.text()?;
                let left = (!left.is_empty()).then(|| left.parse()).transpose();
                let left = left.map_err(|_| Malformed("requests left".to_owned()))?;
                Ok(Checked::Good { agent_id, scopes, left })
            }
            "limited" => {
                let (agent_id, scopes) = whose()?;
                Ok(Checked::Limited { agent_id, scopes, wait_ms: reply.int()? })
            }
            "unknown" => Ok(Checked::Unknown),
            other => unknown_status(other),
        }
    }
}
