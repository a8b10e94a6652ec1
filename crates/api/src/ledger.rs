//! The ledger: balances, holds, intents, positions, and the journal.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, HoldId, IntentId, MatchId, PositionId, TaskId};
use crate::lax;
use crate::money::Money;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    HoldStatus {
        Pending = "pending",
        Posted = "posted",
        Voided = "voided",
        Expired = "expired",
    }
    IntentStatus {
        Open = "open",
        Matched = "matched",
        Cancelled = "cancelled",
    }
    PositionStatus {
        Open = "open",
        Closed = "closed",
        Liquidated = "liquidated",
    }
    /// A direction in which a price is expected to go.
    Side {
        /// Gains while the price rises.
        Long = "long",
        /// Gains while the price falls.
        Short = "short",
    }
}

/// An amount that comes or goes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MoneyBody {
    /// Whose balance.
    pub agent_id: Option<AgentId>,
    /// How much.
    pub amount: Option<Money>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Balance {
    pub agent_id: AgentId,
    pub balance: Money,
    pub locked: Money,
    pub available: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BalanceChange {
    pub success: bool,
    pub new_balance: Money,
    pub balance: Balance,
}

/// A payment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TransferBody {
    /// Who pays.
    pub from_agent: Option<AgentId>,
    /// Who is paid.
    pub to_agent: Option<AgentId>,
    /// How much.
    pub amount: Option<Money>,
    /// Stays in the journal.
    pub memo: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TransferAnswer {
    pub success: bool,
    pub settlement: Settlement,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Settlement {
    pub settlement_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub from_agent: AgentId,
    pub to_agent: AgentId,
    pub amount: Money,
    pub memo: String,
    pub status: String,
    pub entry_id: String,
    pub created_at: UnixMillis,
}

/// A hold as it is shown: fields and order of `contract.md` §6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Hold {
    /// Its id.
    pub hold_id: HoldId,
    /// Whose money it reserves.
    pub agent_id: AgentId,
    /// How much it reserves, or did.
    pub amount: Money,
    /// How much of that was paid.
    pub posted: Money,
    /// `pending posted voided expired`.
    pub status: Open<HoldStatus>,
    /// When it ends by itself; `null`: never.
    pub expires_at: Option<UnixMillis>,
    /// Who was paid.
    pub to_agent: Option<AgentId>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// The task that is paid from it, with whose end it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
}

/// Money to reserve.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HoldBody {
    /// Whose money.
    pub agent_id: Option<AgentId>,
    /// How much to reserve.
    pub amount: Option<Money>,
    /// When it ends by itself, in milliseconds; left out, never.
    #[serde(default, deserialize_with = "lax::int")]
    pub expires_in_ms: Option<i64>,
}

/// How a hold is paid.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HoldPostBody {
    /// How much to pay; left out, all.
    pub amount: Option<Money>,
    /// Whom.
    pub to_agent: Option<AgentId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HoldAnswer {
    pub success: bool,
    pub hold: Hold,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HoldList {
    pub holds: Vec<Hold>,
}

/// An intent as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Intent {
    /// Its id.
    pub intent_id: IntentId,
    /// Whose it is.
    pub agent_id: AgentId,
    /// `long` or `short`.
    pub intent_type: Open<Side>,
    /// On what.
    pub asset: String,
    /// How much in all.
    pub size: Money,
    /// How much of it was matched.
    pub filled: Money,
    /// How much may still be.
    pub remaining: Money,
    /// How many times the margin the size is.
    pub leverage: i64,
    /// What is reserved for the rest.
    pub margin: Money,
    /// How far from the expected price a match may be.
    pub max_slippage: Money,
    /// For people.
    pub reason: String,
    /// `open matched cancelled`.
    pub status: Open<IntentStatus>,
    /// The other intent of its last match.
    pub matched_with: Option<IntentId>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

/// A position that one would take.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IntentBody {
    /// Whose it is.
    pub agent_id: Option<AgentId>,
    /// `long` gains while the price rises, `short` while it falls.
    pub intent_type: Option<String>,
    /// On what.
    pub asset: Option<String>,
    /// The second name is the older system's.
    #[serde(alias = "size_usdc")]
    pub size: Option<Money>,
    /// How many times the margin the size is.
    #[serde(default, deserialize_with = "lax::int")]
    pub leverage: Option<i64>,
    /// How far from the expected price a match may be.
    pub max_slippage: Option<Money>,
    /// For people.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IntentSubmitted {
    pub success: bool,
    pub intent: Intent,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IntentList {
    pub intents: Vec<Intent>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IntentCancelled {
    pub success: bool,
}

/// Which intents are matched.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MatchBody {
    /// The other intent.
    pub with: Option<IntentId>,
    /// At which price.
    pub price: Option<Money>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MatchAnswer {
    pub success: bool,
    #[serde(rename = "match")]
    pub made: IntentMatch,
    pub positions: Vec<Position>,
}

/// A match as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IntentMatch {
    /// Its id.
    pub match_id: MatchId,
    /// The first intent.
    pub intent_a: IntentId,
    /// The other.
    pub intent_b: IntentId,
    /// Whose the first is.
    pub agent_a: AgentId,
    /// Whose the other is.
    pub agent_b: AgentId,
    /// On what.
    pub asset: String,
    /// How much was matched.
    pub size: Money,
    /// At what price.
    pub price: Money,
    /// When.
    pub created_at: UnixMillis,
}

/// A position as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Position {
    /// Its id.
    pub position_id: PositionId,
    /// Whose it is.
    pub agent_id: AgentId,
    /// On what.
    pub asset: String,
    /// `long` or `short`.
    pub side: Open<Side>,
    /// How much.
    pub size: Money,
    /// The price at which it was opened.
    pub entry_price: Money,
    /// How many times the margin the size is.
    pub leverage: i64,
    /// What is, or was, reserved for it.
    pub margin: Money,
    /// The price that it was last marked with.
    pub mark: Money,
    /// What it would bring at the mark; nothing once it has ended.
    pub unrealized_pnl: Money,
    /// What it has brought.
    pub realized_pnl: Money,
    /// `open closed liquidated`.
    pub status: Open<PositionStatus>,
    /// The intent that it comes from.
    pub intent_id: IntentId,
    /// The match that it comes from.
    pub match_id: MatchId,
    /// The other side of the match.
    pub counter_position: PositionId,
    /// The price at which it ended.
    pub close_price: Option<Money>,
    /// `closed liquidation counterparty_liquidated`.
    pub close_reason: Option<String>,
    /// When it was opened.
    pub created_at: UnixMillis,
    /// When it ended.
    pub closed_at: Option<UnixMillis>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PositionList {
    pub agent_id: AgentId,
    pub positions: Vec<Position>,
    pub total: i64,
}

/// At which price a position is marked, or closed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PriceBody {
    /// The price.
    pub price: Option<Money>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PositionClosed {
    pub success: bool,
    pub position_id: PositionId,
    pub position: Position,
    pub pnl: Money,
    pub close_price: Option<Money>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PositionMarked {
    pub success: bool,
    pub position: Position,
    pub liquidated: bool,
}

/// Entries of the journal.
// `E` is an entry, whose links are a rule of `reef-domain`, or whatever reads one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "EntryList"))]
pub struct EntryList<E> {
    pub entries: Vec<E>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SealList {
    pub seals: Vec<String>,
    pub total: i64,
}

/// What is in the ledger's keys.
// `R` is a record, which `reef-domain` compares with the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AuditPage"))]
pub struct AuditPage<R> {
    pub records: Vec<R>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EntryIndex {
    pub numbers: Vec<i64>,
    pub total: i64,
}
