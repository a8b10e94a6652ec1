//! The audit: who has changed what by hand.

use serde::{Deserialize, Serialize};

/// Entries of the audit.
// `E` is an entry, whose links are a rule of `reef-domain`, or whatever reads one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AuditList"))]
pub struct AuditList<E> {
    pub entries: Vec<E>,
}

/// What a chain of the audit says of itself, and its seals.
// `C` is the name of a chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AuditSeals"))]
pub struct AuditSeals<C> {
    pub chain: C,
    /// How many entries were written, ever.
    pub entries: i64,
    /// The link of the last of them.
    pub link: String,
    /// The number of the first that is kept.
    pub begin: i64,
    /// Entries that could not be written, since something else stood in their place.
    pub lost: i64,
    /// The seal of those before `begin`; none where all are kept, or nobody has sealed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The number of the first seal that is listed, from 0.
    pub first: i64,
    /// Each is SHA-256 over the seal before and the next hundred links, in hex; an empty text for one that is
    /// missing.
    pub seals: Vec<String>,
    /// How many seals were made, ever.
    pub total: i64,
}
