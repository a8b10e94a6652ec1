//! Calls that read what lies in the ledger's keys: `lua/entry/audit.lua`, `index.lua`.

use std::collections::BTreeMap;

use reef_domain::audit::Record;
use reef_domain::limits::AUDIT_KEYS;

use crate::ledger::read_items;
use crate::script::{
    Arguments, Call, ENTRY_AUDIT, ENTRY_INDEX, Malformed, Partition, Reader, Script, unknown_status,
};

/// Reads some keys of the ledger as they lie there.
#[derive(Debug)]
pub struct Audit<'a> {
    /// [`Audited::next`] of the page before; `0` to begin.
    pub cursor: &'a str,
}

/// Some keys of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Where the next page begins, while there is more.
    pub next: Option<String>,
    /// The ledger itself, then what was found.
    pub records: Vec<Record>,
}

impl Call for Audit<'_> {
    type Reply = Audited;

    fn script(&self) -> &'static Script {
        &ENTRY_AUDIT
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.cursor).number(AUDIT_KEYS);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Audited, Malformed> {
        match status {
            "ok" => {
                let next = Some(reply.text()?).filter(|next| next != "0");
                Ok(Audited { next, records: read_items(reply, read_record)? })
            }
            other => unknown_status(other),
        }
    }
}

fn read_record(reply: &mut Reader) -> Result<Record, Malformed> {
    let (kind, id) = (reply.text()?, reply.text()?);
    let mut fields = BTreeMap::new();
    for _ in 0..reply.int()? {
        fields.insert(reply.text()?, reply.text()?);
    }
    Ok(Record { kind, id, fields })
}

/// Reads which entries an agent's index lists.
#[derive(Debug)]
pub struct Index<'a> {
    /// Whose.
    pub agent_id: &'a str,
    /// How many to pass over.
    pub after: i64,
    /// Most numbers.
    pub limit: i64,
}

/// Some numbers of an agent's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// How many there are in all.
    pub total: i64,
    /// Numbers of entries, oldest first.
    pub numbers: Vec<i64>,
}

impl Call for Index<'_> {
    type Reply = Numbers;

    fn script(&self) -> &'static Script {
        &ENTRY_INDEX
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id).number(self.after).number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Numbers, Malformed> {
        match status {
            "ok" => Ok(Numbers { total: reply.int()?, numbers: read_items(reply, Reader::int)? }),
            other => unknown_status(other),
        }
    }
}
