//! The commands that one user of a shared connection must not send, because they change or block
//! the connection for all the others.

const SUBSCRIBE: &str = "pub/sub commands are refused: components share one Redis connection";
const SESSION: &str = "commands that change the connection (SELECT, AUTH, HELLO, CLIENT and the \
     like) are refused: components share one Redis connection";
const TRANSACTION: &str = "MULTI, EXEC, WATCH and DISCARD are refused: components share one Redis connection; use a script";
const BLOCKING: &str = "blocking commands are refused: components share one Redis connection";
const SERVER: &str = "commands that stop, debug or replicate the server are refused";

/// The longest name in the tables below.
const NAME_MAX: usize = 16;

/// Tells why a command must not be sent on a connection that others share; `None` if it may be.
///
/// It guards the connection, not the data: what a component may do to the keys is decided by the
/// ACL of the Redis user.
#[must_use]
pub fn refusal(command: &str, args: &[Vec<u8>]) -> Option<&'static str> {
    // Nearly every command of the hub is this one.
    if command == "FCALL" {
        return None;
    }
    let mut buffer = [0; NAME_MAX];
    let name = buffer.get_mut(..command.len())?;
    name.copy_from_slice(command.as_bytes());
    name.make_ascii_uppercase();
    match &*name {
        b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE" | b"UNSUBSCRIBE" | b"PUNSUBSCRIBE"
        | b"SUNSUBSCRIBE" | b"MONITOR" => Some(SUBSCRIBE),
        b"SELECT" | b"AUTH" | b"HELLO" | b"RESET" | b"QUIT" | b"CLIENT" | b"ASKING"
        | b"READONLY" | b"READWRITE" => Some(SESSION),
        b"MULTI" | b"EXEC" | b"WATCH" | b"UNWATCH" | b"DISCARD" => Some(TRANSACTION),
        b"BLPOP" | b"BRPOP" | b"BRPOPLPUSH" | b"BLMOVE" | b"BLMPOP" | b"BZPOPMIN" | b"BZPOPMAX"
        | b"BZMPOP" | b"WAIT" | b"WAITAOF" => Some(BLOCKING),
        b"XREAD" => blocks(args).then_some(BLOCKING),
        // GROUP, its name and the consumer's come first, and may read like options.
        b"XREADGROUP" => blocks(args.get(3..).unwrap_or_default()).then_some(BLOCKING),
        b"SHUTDOWN" | b"DEBUG" | b"FAILOVER" | b"SYNC" | b"PSYNC" | b"REPLCONF" | b"REPLICAOF"
        | b"SLAVEOF" => Some(SERVER),
        b"SCRIPT" if args.first().is_some_and(|verb| verb.eq_ignore_ascii_case(b"DEBUG")) => {
            Some(SERVER)
        }
        _ => None,
    }
}

/// Whether the options of a stream read, which end at `STREAMS`, ask to block.
fn blocks(args: &[Vec<u8>]) -> bool {
    args.iter()
        .take_while(|arg| !arg.eq_ignore_ascii_case(b"STREAMS"))
        .any(|arg| arg.eq_ignore_ascii_case(b"BLOCK"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> bool {
        let mut words = line.split(' ');
        let command = words.next().unwrap();
        let args: Vec<Vec<u8>> = words.map(|word| word.as_bytes().to_vec()).collect();
        refusal(command, &args).is_some()
    }

    #[test]
    fn what_spoils_a_shared_connection_is_refused() {
        let lines = "SUBSCRIBE c|psubscribe c|SSUBSCRIBE c|UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE\
            |Monitor|SELECT 1|AUTH p|HELLO 3|RESET|QUIT|CLIENT LIST|client reply off|ASKING\
            |READONLY|READWRITE|MULTI|EXEC|WATCH k|UNWATCH|DISCARD|SHUTDOWN|SHUTDOWN NOSAVE\
            |BLPOP k 0|BRPOP k 0|BRPOPLPUSH a b 0|BLMOVE a b LEFT LEFT 0|BLMPOP 0 1 k LEFT\
            |BZPOPMIN k 0|BZPOPMAX k 0|BZMPOP 0 1 k MIN|WAIT 1 0|WAITAOF 1 0 0\
            |XREAD BLOCK 0 STREAMS s $|xread count 1 block 5 streams s 0\
            |XREADGROUP GROUP g c BLOCK 0 STREAMS s >|DEBUG SLEEP 1|FAILOVER|SYNC|PSYNC ? -1\
            |REPLCONF x|REPLICAOF h 1|SLAVEOF h 1|SCRIPT DEBUG YES";
        for line in lines.split('|') {
            assert!(refused(line), "{line}");
        }
    }

    #[test]
    fn everything_else_passes() {
        let lines = "EVALSHA x 0|evalsha x 0|EVAL x 0|GET k|SET k v|PUBLISH c m|SPUBLISH c m\
            |SCRIPT LOAD x|SCRIPT EXISTS x|XREAD STREAMS block 0|XREAD COUNT 1 STREAMS s 0\
            |XREADGROUP GROUP block c STREAMS s >|XADD s * block 1|BITCOUNT k|PUBSUB CHANNELS\
            |INFO|FCALL f 0|WAITING|AVERYLONGCOMMANDNAMEINDEED x|";
        for line in lines.split('|') {
            assert!(!refused(line), "{line}");
        }
    }
}
