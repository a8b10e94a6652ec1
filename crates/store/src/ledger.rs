//! What the calls on money share: amounts, pages, and outcomes that several of them have.

use reef_domain::Money;

use crate::script::{Malformed, Reader, unknown_status};

/// The next element as an amount.
pub(crate) fn money(reply: &mut Reader) -> Result<Money, Malformed> {
    let micros = reply.int()?;
    Money::from_micros(micros).ok_or_else(|| Malformed(format!("{micros} is no amount")))
}

/// The next element as an amount, `None` if it is empty.
pub(crate) fn some_money(reply: &mut Reader) -> Result<Option<Money>, Malformed> {
    let text = reply.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    let micros = text.parse().ok().and_then(Money::from_micros);
    micros.map(Some).ok_or_else(|| Malformed(format!("{text:?} is no amount")))
}

/// What became of money that was to come, go, or move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved<T> {
    /// It did.
    Ok(T),
    /// There is no such agent.
    UnknownAgent(String),
    /// There is not enough.
    Insufficient {
        /// What is available.
        available: Money,
        /// What was asked for.
        asked: Money,
    },
    /// The ledger holds all the money that it can.
    Full,
    /// The id that was to be used is in use.
    Exists,
}

/// What a caller may see of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It.
    Ok(T),
    /// There is none.
    NotFound,
    /// It is somebody else's.
    Forbidden,
}

impl<T> Seen<T> {
    pub(crate) fn read(
        status: &str,
        reply: &mut Reader,
        ok: impl FnOnce(&mut Reader) -> Result<T, Malformed>,
    ) -> Result<Self, Malformed> {
        match status {
            "ok" => ok(reply).map(Self::Ok),
            "not_found" => Ok(Self::NotFound),
            "forbidden" => Ok(Self::Forbidden),
            other => unknown_status(other),
        }
    }
}

/// A page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins, while there is more.
    pub next: Option<i64>,
}

/// Reads where the next page begins.
pub(crate) fn read_next(reply: &mut Reader) -> Result<Option<i64>, Malformed> {
    let next = reply.text()?;
    match next.as_str() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Malformed(format!("cursor {text:?}"))),
    }
}

/// Reads what is on a page.
pub(crate) fn read_items<T>(
    reply: &mut Reader,
    read: impl Fn(&mut Reader) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut items = Vec::new();
    while !reply.is_at_end() {
        items.push(read(reply)?);
    }
    Ok(items)
}
