//! Calls on what agents have: `lua/account/`.

use reef_domain::Money;

use crate::ledger::{Moved, money};
use crate::quota::Quotas;
use crate::script::{
    ACCOUNT_DEPOSIT, ACCOUNT_SHOW, ACCOUNT_TRANSFER, ACCOUNT_WITHDRAW, Arguments, Call, Malformed,
    Partition, Reader, Script, unknown_status,
};

/// What an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// All of it.
    pub balance: Money,
    /// The part that is reserved.
    pub locked: Money,
}

impl Balance {
    pub(crate) fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { balance: money(reply)?, locked: money(reply)? })
    }

    /// What may be spent.
    #[must_use]
    pub fn available(&self) -> Money {
        // The scripts keep the reserved part within the whole.
        Money::from_micros(self.balance.micros() - self.locked.micros()).unwrap_or_default()
    }
}

/// Asks what an agent has.
#[derive(Debug)]
pub struct Show<'a> {
    /// Which agent.
    pub agent_id: &'a str,
}

impl Call for Show<'_> {
    /// `None`: there is no such agent.
    type Reply = Option<Balance>;

    fn script(&self) -> &'static Script {
        &ACCOUNT_SHOW
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Balance::read(reply).map(Some),
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Brings money into the ledger.
#[derive(Debug)]
pub struct Deposit<'a> {
    /// Whose it will be.
    pub agent_id: &'a str,
    /// How much.
    pub amount: Money,
    /// What the agent may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

/// Takes money out of the ledger.
#[derive(Debug)]
pub struct Withdraw<'a> {
    /// Whose it was.
    pub agent_id: &'a str,
    /// How much.
    pub amount: Money,
}

/// Money has come or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Number of the journal's entry.
    pub entry: i64,
    /// What the agent has now.
    pub balance: Balance,
}

/// Reads what both of them answer.
fn read_changed(
    agent_id: &str,
    asked: Money,
    status: &str,
    reply: &mut Reader,
) -> Result<Moved<Changed>, Malformed> {
    match status {
        "ok" => Ok(Moved::Ok(Changed { entry: reply.int()?, balance: Balance::read(reply)? })),
        "not_found" => Ok(Moved::UnknownAgent(agent_id.to_owned())),
        "insufficient" => Ok(Moved::Insufficient { available: money(reply)?, asked }),
        "full" => Ok(Moved::Full),
        other => unknown_status(other),
    }
}

impl Call for Deposit<'_> {
    type Reply = Moved<Changed>;

    fn script(&self) -> &'static Script {
        &ACCOUNT_DEPOSIT
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.agent_id)
            .number(self.amount.micros())
            .optional(self.quotas.map(|quotas| quotas.deposits));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        read_changed(self.agent_id, self.amount, status, reply)
    }
}

impl Call for Withdraw<'_> {
    type Reply = Moved<Changed>;

    fn script(&self) -> &'static Script {
        &ACCOUNT_WITHDRAW
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id).number(self.amount.micros());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        read_changed(self.agent_id, self.amount, status, reply)
    }
}

/// Moves money from one agent to another.
#[derive(Debug)]
pub struct Transfer<'a> {
    /// Id of the settlement.
    pub settlement_id: &'a str,
    /// Who pays.
    pub from_agent: &'a str,
    /// Who is paid: another.
    pub to_agent: &'a str,
    /// How much.
    pub amount: Money,
    /// The payer's words.
    pub memo: &'a str,
}

/// Money has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Number of the journal's entry.
    pub entry: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

impl Call for Transfer<'_> {
    type Reply = Moved<Transferred>;

    fn script(&self) -> &'static Script {
        &ACCOUNT_TRANSFER
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.settlement_id)
            .text(self.from_agent)
            .text(self.to_agent)
            .number(self.amount.micros())
            .text(self.memo);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Moved::Ok(Transferred { entry: reply.int()?, at: reply.int()? })),
            "not_found" => Ok(Moved::UnknownAgent(reply.text()?)),
            "insufficient" => {
                Ok(Moved::Insufficient { available: money(reply)?, asked: self.amount })
            }
            other => unknown_status(other),
        }
    }
}
