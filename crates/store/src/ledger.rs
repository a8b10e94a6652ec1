//! What the calls on money share: amounts, pages, and outcomes that several of them have.

use reef_domain::Money;

use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, outcomes, unknown_status};

impl Argument for Money {
    fn append(&self, arguments: &mut Arguments) {
        arguments.number(self.micros());
    }
}

impl FromReply for Money {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        amount(reply.int()?)
    }
}

fn amount(micros: i64) -> Result<Money, Malformed> {
    Money::from_micros(micros).ok_or_else(|| Malformed(format!("{micros} is no amount")))
}

/// The next element as an amount, `None` if it is empty.
pub(crate) fn some_money(reply: &mut Reader) -> Result<Option<Money>, Malformed> {
    reply.optional_int()?.map(amount).transpose()
}

/// What became of money that was to come, go, or move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved<T> {
    /// It did.
    Ok(T),
    /// There is no such agent; which, where several are named.
    UnknownAgent(Option<String>),
    /// There is not enough.
    Insufficient {
        /// What is available.
        available: Money,
        /// What was asked for, where the caller does not know it.
        asked: Option<Money>,
    },
    /// The ledger holds all the money that it can.
    Full,
    /// The id that was to be used is in use.
    Exists,
}

impl<T: FromReply> Moved<T> {
    pub(crate) fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        match status {
            "ok" => T::read(reply).map(Self::Ok),
            "not_found" => Ok(Self::UnknownAgent(rest(reply)?)),
            "insufficient" => {
                Ok(Self::Insufficient { available: Money::read(reply)?, asked: rest(reply)? })
            }
            "full" => Ok(Self::Full),
            "exists" => Ok(Self::Exists),
            other => unknown_status(other),
        }
    }
}

/// What may be left of a reply.
fn rest<T: FromReply>(reply: &mut Reader) -> Result<Option<T>, Malformed> {
    (!reply.is_at_end()).then(|| T::read(reply)).transpose()
}

outcomes! {
    /// What a caller may see of one thing.
    Seen: "It."
    "There is none." NotFound = "not_found",
    "It is somebody else's." Forbidden = "forbidden",
}

impl<T: FromReply> Seen<T> {
    pub(crate) fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        Self::within(status, reply, |status, reply| match status {
            "ok" => T::read(reply),
            other => unknown_status(other),
        })
    }
}
