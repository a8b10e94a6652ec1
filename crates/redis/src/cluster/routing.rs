//! Which node a command is for: the one that has its first key, any, or all.

/// How many slots a cluster has.
pub(crate) const SLOTS: u16 = 16384;

const ONE_NODE: &str =
    "this command is refused in a Redis Cluster: one node would answer for itself alone";

/// Where a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the primary of a slot, that of the first key. Of keys in two slots the server itself says
    /// that it will not have them.
    Slot(u16),
    /// To any primary: each would answer alike, or the question is about one server.
    Any,
    /// To each primary: what is loaded is needed everywhere.
    Each,
    /// Nowhere: one node's answer would be taken for the cluster's.
    Refused(&'static str),
}

impl Target {
    pub(crate) fn of(command: &str, args: &[Vec<u8>]) -> Self {
        let at = match command.to_ascii_uppercase().as_str() {
            "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" => {
                if args.get(1).is_none_or(|count| count == b"0") {
                    return Self::Any;
                }
                2
            }
            "FUNCTION" | "SCRIPT" => return Self::Each,
            "SCAN" | "KEYS" | "RANDOMKEY" | "DBSIZE" | "FLUSHALL" | "FLUSHDB" | "SWAPDB" => {
                return Self::Refused(ONE_NODE);
            }
            // A cluster carries what is published to all its nodes.
            "PING" | "ECHO" | "TIME" | "INFO" | "CONFIG" | "COMMAND" | "CLUSTER" | "ACL"
            | "LATENCY" | "SLOWLOG" | "LASTSAVE" | "ROLE" | "PUBLISH" | "PUBSUB" | "MODULE"
            | "BGSAVE" | "BGREWRITEAOF" => return Self::Any,
            "XREAD" | "XREADGROUP" => {
                let is_streams = |arg: &Vec<u8>| arg.eq_ignore_ascii_case(b"STREAMS");
                args.iter().position(is_streams).map_or(0, |at| at + 1)
            }
            "XINFO" | "XGROUP" | "OBJECT" | "MEMORY" | "BITOP" | "ZUNION" | "ZINTER" | "ZDIFF"
            | "SINTERCARD" | "ZINTERCARD" | "LMPOP" | "ZMPOP" => 1,
            _ => 0,
        };
        args.get(at).map_or(Self::Any, |key| Self::Slot(slot_of(key)))
    }
}

/// The slot of a key: that of its hash tag, which is what stands in its first braces, if anything
/// does.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

/// What stands in a key's first braces, if anything does.
pub(crate) fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let rest = key.get(open + 1..)?;
    let close = rest.iter().position(|byte| *byte == b'}')?;
    rest.get(..close).filter(|tag| !tag.is_empty())
}

/// CRC-16/XMODEM, by which Redis Cluster spreads keys. A tag is short; a table would save nothing
/// that can be measured beside a round trip.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(line: &str) -> Target {
        let mut words = line.split(' ');
        let command = words.next().unwrap();
        let args: Vec<Vec<u8>> = words.map(|word| word.as_bytes().to_vec()).collect();
        Target::of(command, &args)
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        // The check value of CRC-16/XMODEM.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // As `CLUSTER KEYSLOT` says.
        for (key, slot) in [("foo", 12182), ("somekey", 11058), ("foo{hash_tag}", 2515)] {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
    }

    #[test]
    fn a_hash_tag_is_what_stands_in_the_first_braces() {
        for (key, tag) in [
            ("a:{cluster}:reef:nodes", "cluster"),
            ("{message:m1}:{x}", "message:m1"),
            ("{{bar}}", "{bar"),
        ] {
            assert_eq!(slot_of(key.as_bytes()), crc16(tag.as_bytes()) % SLOTS, "{key}");
        }
        for key in ["foo{}{bar}", "foo}{bar", "foo{bar"] {
            assert_eq!(slot_of(key.as_bytes()), crc16(key.as_bytes()) % SLOTS, "{key}");
        }
    }

    #[test]
    fn commands_go_where_their_first_key_is() {
        let of_k = Target::Slot(slot_of(b"k"));
        for line in [
            "GET k",
            "exists k l",
            "FCALL f 1 k a",
            "evalsha s 2 k l",
            "XREAD COUNT 1 STREAMS k 0",
            "XINFO STREAM k",
            "ZINTERCARD 2 k l",
        ] {
            assert_eq!(target(line), of_k, "{line}");
        }
        for line in ["PING", "INFO server", "EVAL s 0", "PUBLISH c m", "FCALL f", "TIME"] {
            assert_eq!(target(line), Target::Any, "{line}");
        }
        assert_eq!(target("FUNCTION LOAD x"), Target::Each);
        assert!(matches!(target("SCAN 0"), Target::Refused(_)));
    }
}
