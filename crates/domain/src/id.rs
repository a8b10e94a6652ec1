//! What may name a node, a task or an agent (`api.md` §1).

use crate::limits::{ID_CHARS_MAX, NODE_ID_LABEL_CHARS};

/// Words that are routes beside an id, so that no id may be one of them (`api.md` §1).
pub const RESERVED: [&str; 9] =
    ["online", "available", "skills", "register", "pending", "stats", "claim", "cleanup", "dead"];

/// What a caller is told about a malformed id.
pub const RULE: &str = "must be 1-128 of A-Z a-z 0-9 . _ @ -, must not begin with @ or ., \
                        and must not be a word that is a route";

/// Whether a text may be an id (`api.md` §1).
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let head_ok = !text.starts_with(['@', '.']);
    let chars_ok =
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-'));
    let length_ok = (1..=ID_CHARS_MAX).contains(&text.len());
    length_ok && head_ok && chars_ok && !RESERVED.contains(&text)
}

/// The id of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(String);

impl NodeId {
    /// Takes a caller's id.
    ///
    /// # Errors
    /// The rule that an id must keep.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if is_valid(text) { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// Makes an id for a new host: `node_<first label, at most 16 characters>_<8 hex>`.
    ///
    /// Characters of the label that an id cannot hold become `-`.
    #[must_use]
    pub fn generate(hostname: &str, random: u32) -> Self {
        let label: String = hostname
            .split('.')
            .next()
            .unwrap_or_default()
            .chars()
            .take(NODE_ID_LABEL_CHARS)
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' })
            .collect();
        Self(format!("node_{label}_{random:08x}"))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_keep_the_rule_of_the_contract() {
        for good in ["a", "node-1", "a.b@c_d", "N", &"x".repeat(128)] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "@treasury", ".hidden", "a:b", "a{b}", "a b", "é", "online", "dead"] {
            assert!(!is_valid(bad), "{bad}");
        }
        assert!(!is_valid(&"x".repeat(129)));
    }

    proptest! {
        #[test]
        fn a_generated_id_is_always_a_valid_id(hostname in "\\PC{1,80}", random: u32) {
            let id = NodeId::generate(&hostname, random);
            prop_assert!(is_valid(id.as_str()), "{id}");
        }
    }
}
