//! What no script writes into the journal.

/// Why an entry cannot be one of the hub's: a sentence without its subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    #[error("is missing: entry {found} stands in its place")]
    Missing { found: i64 },
    #[error("has the id {0:?}")]
    Id(String),
    #[error("is not linked to the entry before it")]
    NotLinked,
    #[error("was altered: its link is not that of its content")]
    Altered,
    #[error("has legs whose sum is {0} millionths")]
    Sum(i128),
    #[error("leaves {0} with more than an account can hold")]
    Overflow(String),
    #[error("leaves {account} with {balance} millionths, of which {locked} are reserved")]
    Uncovered { account: String, balance: i64, locked: i64 },
    #[error("tells of a restoration and moves money")]
    RestorationMoves,
    #[error("is of the kind {0:?}, which nobody writes")]
    Kind(String),
    #[error("is no {0}")]
    Movement(String),
    #[error("reserves nothing for its {0}")]
    ReservesNothing(&'static str),
    #[error("places the hold {0} again")]
    HoldAgain(String),
    #[error("ends the hold {0}, which nobody placed")]
    NoHold(String),
    #[error("ends the hold {id}, which was {status}")]
    HoldEnded { id: String, status: &'static str },
    #[error("does not release what the hold {0} reserves")]
    HoldRelease(String),
    #[error("pays what the hold {0} does not allow")]
    HoldPayment(String),
    #[error("takes the intent {0} again")]
    IntentAgain(String),
    #[error("takes the intent {0} back, which is not there")]
    NoIntent(String),
    #[error("releases what the intent {0} did not reserve")]
    IntentRelease(String),
    #[error("moves money by a match")]
    MatchMoves,
    #[error("makes the match {0} again")]
    MatchAgain(String),
    #[error("does not release two margins for the position {0}")]
    Margins(String),
    #[error("pays more for the position {0} than its margin")]
    BeyondMargin(String),
    #[error("does not pay from one side of {0} to the other")]
    Sides(String),
    #[error("closes the position {0} again")]
    CloseAgain(String),
}
