//! What is done to the ledger, and what comes of it.

use reef_store::Once;

/// One request, with all that it needs to be sent again to the letter.
#[derive(Clone, Debug)]
pub struct Request {
    pub operation: Operation,
    /// Under this idempotency key, if any.
    pub once: Option<Once>,
}

/// Amounts are in millionths. An empty `owner` may touch everything.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    Deposit {
        agent: String,
        amount: i64,
    },
    Withdraw {
        agent: String,
        amount: i64,
    },
    Transfer {
        id: String,
        from: String,
        to: String,
        amount: i64,
    },
    Place {
        id: String,
        agent: String,
        amount: i64,
        steps: Option<i64>,
    },
    Post {
        id: String,
        owner: String,
        amount: Option<i64>,
        to: String,
    },
    Void {
        id: String,
        owner: String,
    },
    Submit {
        id: String,
        agent: String,
        long: bool,
        asset: usize,
        size: i64,
        leverage: i64,
    },
    Cancel {
        id: String,
        owner: String,
    },
    Match {
        id: String,
        intents: [String; 2],
        price: i64,
        positions: [String; 2],
    },
    Close {
        id: String,
        owner: String,
        price: Option<i64>,
    },
    Mark {
        id: String,
        price: i64,
    },
    Balance {
        agent: String,
    },
    /// So many steps of time pass.
    Pass {
        steps: i64,
    },
    /// The monitor comes.
    Settle,
}

/// What came of it, as far as a caller can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An agent's balance, and what is reserved of it.
    Has(i64, i64),
    Done,
    /// Status, and what was paid.
    Hold(&'static str, i64),
    /// Status, what is filled, and what is reserved for the rest.
    Intent(&'static str, i64, i64),
    /// How much was matched, and the margins of the positions.
    Matched(i64, [i64; 2]),
    /// What it brought.
    Closed(i64),
    /// Whether a side was liquidated; what the position would bring, or has.
    Marked(bool, i64, i64),
    Insufficient(i64),
    Refused(&'static str),
    /// The idempotency key was used for something else.
    Mismatch,
}
