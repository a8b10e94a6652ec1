//! Calls on what agents have: `lua/account/`.

use reef_domain::Money;

use crate::ledger::Moved;
use crate::script::{FromReply, Malformed, Reader};

include!(concat!(env!("OUT_DIR"), "/calls_account.rs"));

/// What an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// All of it.
    pub balance: Money,
    /// The part that is reserved.
    pub locked: Money,
}

impl FromReply for Balance {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { balance: Money::read(reply)?, locked: Money::read(reply)? })
    }
}

impl Balance {
    /// What may be spent.
    #[must_use]
    pub fn available(&self) -> Money {
        // The scripts keep the reserved part within the whole.
        Money::from_micros(self.balance.micros() - self.locked.micros()).unwrap_or_default()
    }
}

/// Money has come or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Number of the journal's entry.
    pub entry: i64,
    /// What the agent has now.
    pub balance: Balance,
}

impl FromReply for Changed {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { entry: reply.int()?, balance: Balance::read(reply)? })
    }
}

/// Money has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Number of the journal's entry.
    pub entry: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

impl FromReply for Transferred {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { entry: reply.int()?, at: reply.int()? })
    }
}
