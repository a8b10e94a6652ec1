//! What may name a node, a task or an agent (`contract.md` §1).

use reef_api::NodeId;

use crate::access::KEY_NAME_CHARS;
use crate::limits::{ID_CHARS_MAX, NODE_ID_LABEL_CHARS};

/// Words that are routes beside an id, so that no id may be one of them (`contract.md` §1).
pub const RESERVED: [&str; 9] =
    ["online", "available", "skills", "register", "pending", "stats", "claim", "cleanup", "dead"];

/// What a caller is told about a malformed id.
pub const RULE: &str = "must be 1-128 of A-Z a-z 0-9 . _ @ -, must not begin with @ or ., \
                        and must not be a word that is a route";

/// What comes before 32 hexadecimal digits in an id that the hub makes.
pub const MADE_PREFIXES: [&str; 15] = [
    "sess", "msg", "task", "wait", "group", "bulk", "cnt", "evt", "agent", "hold", "set", "int",
    "match", "pos", "inv",
];

/// What a caller is told who brings an id that the hub might have made.
pub const MADE_RULE: &str = "must not look like an id that the hub makes (task_<32 hex>, \
                             node_<label>_<8 hex>, key_<8 chars> and their like)";

/// Whether an id looks like one that the hub makes. Callers refer to such ids and bring none, so that
/// nobody can take one before it is made.
#[must_use]
pub fn is_made(text: &str) -> bool {
    let Some((prefix, tail)) = text.split_once('_') else { return false };
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    match prefix {
        "key" => tail.len() == KEY_NAME_CHARS && tail.bytes().all(|b| b.is_ascii_alphanumeric()),
        "node" => tail.rsplit_once('_').is_some_and(|(_, hex)| hex.len() == 8 && is_hex(hex)),
        // The task of a schedule's run.
        "sch" => {
            tail.rsplit_once('_').is_some_and(|(_, ms)| ms.bytes().all(|b| b.is_ascii_digit()))
        }
        _ if MADE_PREFIXES.contains(&prefix) => match tail.split_at_checked(32) {
            // Parts of what was made are numbered.
            Some((hex, rest)) => is_hex(hex) && (rest.is_empty() || rest.starts_with('_')),
            None => false,
        },
        _ => false,
    }
}

/// Checks an id that a caller brings for something new.
///
/// # Errors
/// The rule that it breaks.
pub fn check_own(text: &str) -> Result<(), &'static str> {
    match () {
        () if !is_valid(text) => Err(RULE),
        () if is_made(text) => Err(MADE_RULE),
        () => Ok(()),
    }
}

/// Whether a text may be an id (`contract.md` §1).
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let head_ok = !text.starts_with(['@', '.']);
    let chars_ok =
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-'));
    let length_ok = (1..=ID_CHARS_MAX).contains(&text.len());
    length_ok && head_ok && chars_ok && !RESERVED.contains(&text)
}

/// Takes a caller's id, of whatever kind.
///
/// # Errors
/// The rule that an id must keep.
pub fn checked<Id: AsRef<str>>(id: Id) -> Result<Id, &'static str> {
    if is_valid(id.as_ref()) { Ok(id) } else { Err(RULE) }
}

/// Makes an id for a new host: `node_<first label, at most 16 characters>_<8 hex>`.
///
/// Characters of the label that an id cannot hold become `-`.
#[must_use]
pub fn of_new_node(hostname: &str, random: u32) -> NodeId {
    let label: String = hostname
        .split('.')
        .next()
        .unwrap_or_default()
        .chars()
        .take(NODE_ID_LABEL_CHARS)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' })
        .collect();
    format!("node_{label}_{random:08x}").into()
}

/// Whether the hub might have made this id for this host: a machine that was forgotten may come
/// back under the id that it had.
#[must_use]
pub fn may_be_of(node_id: &NodeId, hostname: &str) -> bool {
    let (id, made) = (node_id.as_str(), of_new_node(hostname, 0));
    let made = made.as_str();
    is_made(id)
        && id.len() == made.len()
        && id.as_bytes().iter().rev().skip(8).eq(made.as_bytes().iter().rev().skip(8))
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

    #[test]
    fn what_the_hub_makes_is_known_by_its_shape() {
        let hex = "0123456789abcdef0123456789abcdef";
        for prefix in MADE_PREFIXES {
            assert!(is_made(&format!("{prefix}_{hex}")) && is_made(&format!("{prefix}_{hex}_7")));
            assert!(!is_made(&format!("{prefix}_{}", &hex[1..])), "{prefix}");
            assert!(!is_made(&format!("{prefix}_{hex}0")), "{prefix}");
        }
        for made in ["node_gpu-1_0a1b2c3d", "node_a_b_0a1b2c3d", "key_aB3dEf7h"] {
            assert_eq!(check_own(made), Err(MADE_RULE), "{made}");
        }
        for own in ["msg_001", "task_1", "node_1", "node-gpu_0a1b2c3d", "key_1", hex, "job_x"] {
            assert_eq!(check_own(own), Ok(()), "{own}");
        }
        assert!(!is_made(&format!("job_{hex}")));
        assert_eq!(check_own("a b"), Err(RULE));
    }

    #[test]
    fn a_machine_may_come_back_under_the_id_that_was_made_for_it() {
        let id = of_new_node("gpu-1.example", 7);
        assert!(may_be_of(&id, "gpu-1.example") && may_be_of(&id, "gpu-1"));
        assert!(!may_be_of(&id, "gpu-2") && !may_be_of(&id, "gpu"));
        assert!(!may_be_of(&"gpu-1".into(), "gpu-1"));
    }

    proptest! {
        #[test]
        fn a_generated_id_is_always_a_valid_id(hostname in "\\PC{1,80}", random: u32) {
            let id = of_new_node(&hostname, random);
            prop_assert!(is_valid(id.as_str()), "{id}");
        }
    }
}
