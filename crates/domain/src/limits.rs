//! Every bound of the hub, with the reason for its number. The scripts know them by their names
//! ([`named`]).

macro_rules! limits {
    ($($(#[$doc:meta])* pub const $name:ident: $kind:ty = $value:expr;)*) => {
        $($(#[$doc])* pub const $name: $kind = $value;)*

        /// Each by its name, for scripts.
        const NAMED: &[(&str, i128)] = &[$((stringify!($name), $name as i128)),*];
    };
}

mod queue;
mod ranges;

pub use queue::*;
pub use ranges::*;

/// A limit by its name, for scripts. Lua numbers are exact up to [`COUNTER_MAX`].
#[must_use]
pub fn named(name: &str) -> Option<i128> {
    let all = NAMED.iter().chain(queue::named());
    all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

limits! {
/// Highest version of the data that this program knows.
pub const SCHEMA: i64 = 2;

/// The version of data in which no task has ever waited: hubs that do not know the status `waiting`
/// serve them, too.
pub const SCHEMA_AT_FIRST: i64 = 1;

/// Longest id, in characters (`contract.md` §1).
pub const ID_CHARS_MAX: usize = 128;

/// Longest hostname, in characters: a DNS name has at most 253, the rest is slack for old bots.
pub const HOSTNAME_CHARS_MAX: usize = 255;

/// How much of a hostname's first label goes into a server-made node id (`contract.md` §1).
pub const NODE_ID_LABEL_CHARS: usize = 16;

/// Longest skill or tag, in characters: it becomes part of a Redis key.
pub const LABEL_CHARS_MAX: usize = 128;

/// Longest list of skills or tags, in bytes: an event shows one, and so does every node of a list.
pub const LABELS_BYTES_MAX: usize = 16 << 10;

/// Most skills, and most tags, of one node: each is an index entry that a status change touches
/// inside one script, which must stay below a millisecond.
pub const LABELS_MAX: usize = 100;

/// Longest textual IP address: an IPv6 address with a zone fits.
pub const ADDRESS_CHARS_MAX: usize = 64;

/// Most tasks that one node may run at once (`contract.md` §2).
pub const CONCURRENT_TASKS_MAX: i64 = 100;

/// Most replicas that a write may ask for: more than anybody puts behind one primary.
pub const DURABLE_REPLICAS_MAX: u32 = 16;

/// Highest TCP port.
pub const PORT_MAX: i64 = 65_535;

/// Most running tasks that a heartbeat may report. Above any real node, below what would make
/// the cluster's sum leave the exact range of a Lua number.
pub const RUNNING_TASKS_MAX: i64 = 1_000_000;

/// Highest value of a counter: Lua numbers are doubles and exact up to here.
pub const COUNTER_MAX: i64 = (1 << 53) - 1;

/// Most claims that one heartbeat may list: a node runs at most [`CONCURRENT_TASKS_MAX`].
pub const HEARTBEAT_CLAIMS_MAX: usize = 100;

/// Most heartbeats in one batch (`contract.md` §3).
pub const HEARTBEAT_BATCH_MAX: usize = 1000;

/// Heartbeats of a batch that one script settles. A script blocks Redis: 100 heartbeats take
/// about a millisecond and a half.
pub const HEARTBEAT_SCRIPT_MAX: usize = 100;

/// For how long an instance trusts the secret that it has read, in seconds: a round trip a minute costs
/// nothing, and data that was replaced under a running hub makes instances disagree no longer.
pub const SECRET_SECONDS: u64 = 60;

/// Largest page of a list (`contract.md` §1).
pub const PAGE_MAX: i64 = 1000;

/// Page of a list where the caller names none (`contract.md` §1). The node lists answer
/// [`PAGE_MAX`] instead, as the older service did.
pub const PAGE_DEFAULT: i64 = 100;

/// Index entries that one list script looks at when filters are combined: past it the page ends
/// early and its cursor says where to go on.
pub const LIST_SCAN_MAX: i64 = 2000;

/// Most rows that one script of a list reads: one to two milliseconds, in which nobody else is served. A
/// larger page takes several.
pub const ROWS_AT_ONCE: i64 = 100;

/// Largest JSON body, in bytes (`contract.md` §1).
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// Bytes of what one answer lists or takes; beyond, its page ends early, and at least one thing is
/// always on it. A component has 64 MB of memory, in which an answer is there several times: as the
/// script's reply, as values, and as the body, which grows by doubling.
pub const REPLY_BYTES: usize = 4 << 20;

/// Bytes after which one script of a list leaves the rest to the next: it reads up to so many, and then
/// to the end of what it is at. Redis takes about a millisecond for three of these.
pub const STEP_BYTES: usize = 128 << 10;

/// A text of more bytes is handed out by a plain command and not by a script, in which it takes seven times
/// as long.
pub const APART_BYTES: usize = 64 << 10;

/// Most levels of arrays and objects in JSON that is kept as it is: readers of JSON stop at 128, and
/// what is kept is shown within answers.
pub const JSON_DEPTH_MAX: usize = 64;

/// Most faults that one answer lists. There may be one for every two bytes of a body.
pub const FAULTS_MAX: usize = 100;

/// Largest metadata of an agent or a session, in bytes: lists show them.
pub const METADATA_BYTES_MAX: usize = 16 << 10;

/// Largest mail, in bytes: content, metadata, topic and names together. What is larger belongs in a
/// message's content blocks, and mail refers to it; so a sender cannot fill an inbox with a few.
pub const MAIL_BYTES_MAX: usize = 64 << 10;

/// Largest payload of an event, in bytes: a reader's page holds several.
pub const EVENT_BYTES_MAX: usize = 64 << 10;

/// Most bytes that are kept of what went wrong with a task or a message; the rest is cut off, since
/// no end may fail because its reason is long. As JSON it may be six times as long, and still is the
/// payload of an event.
pub const ERROR_BYTES_MAX: usize = 10_000;

/// Longest idempotency key, in characters (`contract.md` §1).
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Longest request id that is taken over from a caller, in characters.
pub const REQUEST_ID_CHARS_MAX: usize = 128;

/// Nodes that one check script marks offline (`contract.md` §3).
pub const EXPIRE_NODES_MAX: i64 = 100;

/// Fields of the old cluster hash, and legacy nodes, that one sweep script looks at: that blocks
/// Redis for a millisecond or two.
pub const SWEEP_BATCH: i64 = 200;

/// Longest leadership lease, in milliseconds. A dead leader blocks the cluster for that long.
pub const LEADER_TTL_MS_MAX: i64 = 600_000;

/// Locks that are held at once, all owners' together: some 4 MB, and far more than a fleet has things of
/// which there is one.
pub const LOCKS_MAX: i64 = 10_000;

/// Locks that nobody holds any more and that one script forgets: what is acquired sweeps away more than
/// it adds.
pub const LOCKS_SWEPT_MAX: i64 = 10;

/// Of these, those of one owner that are looked at where it asks for more than it may have.
pub const LOCKS_OF_ONE_LOOKED_AT: i64 = 200;

/// Entries that the leader history keeps (`contract.md` §8; the older system kept as many).
pub const LEADER_HISTORY_MAX: i64 = 100;

/// A content block up to this size is in the snapshot; a larger one is referred to
/// (`contract.md` §4).
pub const BLOCK_BYTES_SHOWN: usize = 10_000;

/// Largest content block, in bytes (`contract.md` §1).
pub const BLOCK_BYTES_MAX: usize = 8 << 20;

/// Most content blocks of a message: a snapshot lists them all.
pub const BLOCKS_MAX: i64 = 1000;

/// Longest text of a message, in bytes. A book has about one million characters.
pub const TEXT_BYTES_MAX: i64 = 8 << 20;

/// Up to so many bytes, the hash `message:<mid>` shows a running message's whole text to old readers.
pub const TEXT_MIRRORED_BYTES: i64 = 4096;

/// A longer text is copied there again once it has grown by this part of what is shown, so that the
/// copies of a text cost no more than so many times its length.
pub const TEXT_MIRROR_LAG: i64 = 16;

/// Messages are kept longer than was asked for by one part in so many, so that not every write has to
/// give each of their keys its time anew.
pub const KEPT_LONGER: i64 = 16;

/// Longest text of a message as JSON, in bytes: control characters take six each. With all else that
/// a message shows, an answer stays below the 16 MiB that the host takes from a component.
pub const TEXT_JSON_BYTES_MAX: i64 = 10 << 20;

/// Most producers that append to one message under numbers of their own.
pub const PRODUCERS_MAX: i64 = 100;

/// Largest page of a session's messages (`contract.md` §4).
pub const MESSAGES_PAGE_MAX: i64 = 100;

/// Page of a session's messages where the caller names none (`contract.md` §4).
pub const MESSAGES_PAGE_DEFAULT: i64 = 50;

/// How long a block that is too large for the snapshot is kept, in milliseconds: 7 d (`contract.md` §8).
pub const CONTENT_TTL_MS: i64 = 7 * 86_400_000;

/// How long an unused session is kept, in milliseconds: 30 d.
pub const SESSION_TTL_MS: i64 = 30 * 86_400_000;

/// Largest page of a list of sessions: each is a partition of its own, so that a page of 1000 would be
/// two thousand commands.
pub const SESSIONS_PAGE_MAX: i64 = 100;

/// Messages of a session that one clean-up removes in one step.
pub const CLEANUP_BATCH: i64 = 100;

/// Most messages that wait in an inbox (`contract.md` §4).
pub const INBOX_MAX: i64 = 1000;

/// Most receipts in one acknowledgement: an inbox cannot lease more.
pub const RECEIPTS_MAX: usize = 1000;

/// Most messages that one receive takes.
pub const RECEIVE_MAX: i64 = 100;

/// Longest inbox topic, in characters.
pub const TOPIC_CHARS_MAX: usize = 128;

/// Most sub-tasks of a proposal: accepting it queues them within one request, and the older bots
/// proposed at most ten.
pub const SUB_TASKS_MAX: usize = 100;

/// How old a half-done acceptance of a proposal is before the monitor takes it on, in milliseconds:
/// whoever began it has given up by then.
pub const PROPOSAL_UNFINISHED_MS: i64 = 15_000;

/// Largest amount of money, in millionths (`contract.md` §6).
pub const MONEY_MAX: i64 = reef_api::money::MONEY_MAX;

/// Most requests a second that a key may be granted: the limiter counts in microseconds.
pub const RATE_MAX: i64 = 100_000;

/// Requests a second from one address without a good key where nothing is said: a person's browser,
/// a deployment that registers its agents, but no search for keys.
pub const ANONYMOUS_RATE_DEFAULT: i64 = 50;

/// Highest number of streams that can be set: more than a host has connections.
pub const STREAMS_MAX: i64 = 1_000_000;

/// Most requests that wait with one key, or from one address without a key, on one host: a gateway
/// claims for many nodes at once.
pub const WAITS_MAX: usize = 1000;

/// A body up to this size, in bytes, is read before anything is known about its sender: it fits
/// into what a connection costs anyway.
pub const BODY_BYTES_UNASKED: usize = 64 << 10;

/// Longest pause within a body, in milliseconds: below it a slow line goes on, above it nobody sends.
pub const BODY_PAUSE_MS: u64 = 5000;

/// Longest time for a whole body, in milliseconds: 8 MiB at 300 kB/s.
pub const BODY_TIME_MS: u64 = 30_000;

/// How far the time of a key's last use may lag behind, in milliseconds: a write to Redis for each
/// request would cost every reader a write to the disk.
pub const KEY_USE_LAG_MS: i64 = 60_000;

/// Longest name of a key, in characters.
pub const KEY_NAME_CHARS_MAX: usize = 50;

/// Longest life of a key that has one, in days: a year, as in the older service.
pub const KEY_DAYS_MAX: i64 = 365;

/// Most invites that are open at a time: enough for a fleet, few enough for a person to look
/// through.
pub const INVITES_MAX: i64 = 1000;

/// Most agents that one invite lets in. Whoever has more machines makes another.
pub const INVITE_USES_MAX: i64 = 1000;

/// Life of an invite where its maker names none, in seconds: a day.
pub const INVITE_SECONDS_DEFAULT: i64 = 86_400;

/// Longest wallet address, in characters (`contract.md` §6).
pub const WALLET_CHARS_MAX: usize = 100;

/// Longest display name of an agent, in characters (`contract.md` §6).
pub const DISPLAY_NAME_CHARS_MAX: usize = 50;

/// Longest memo of a transfer, in characters: it stays in the journal for good.
pub const MEMO_CHARS_MAX: usize = 500;

/// Longest name of what is traded, in characters: it becomes part of a key.
pub const ASSET_CHARS_MAX: usize = 32;

/// Highest leverage (`contract.md` §6).
pub const LEVERAGE_MAX: i64 = 20;

/// Largest slippage that an intent may allow, in millionths: a tenth.
pub const SLIPPAGE_MAX_MICROS: i64 = 100_000;

/// Longest reason of an intent, in characters.
pub const REASON_CHARS_MAX: usize = 2_000;

/// Entries of the journal under one seal (`contract.md` §6).
pub const SEAL_ENTRIES: i64 = 1_000;

/// Seals that one tick of the monitor makes; the next goes on. Each reads a thousand entries, which
/// blocks Redis for a millisecond or two.
pub const SEALS_A_TICK: usize = 10;

/// Entries of the audit that are kept in each chain (`contract.md` §9): some 50 MB of Redis' memory.
pub const AUDIT_ENTRIES_MAX: i64 = 100_000;

/// Entries of a chain of the audit at which each new one drops the oldest, where no monitor does.
pub const AUDIT_ENTRIES_HELD: i64 = 110_000;

/// For how long entries of the audit are kept, in milliseconds: a year, and a month to look at it.
pub const AUDIT_KEPT_MS: i64 = 400 * 86_400_000;

/// Entries of the audit under one seal. Fewer than the journal's: there are few of them, and what is not
/// sealed yet can be forged by whoever has Redis.
pub const AUDIT_SEAL_ENTRIES: i64 = 100;

/// Over how long an agent's entries are counted, in milliseconds: a day.
pub const AUDIT_DAY_MS: i64 = 86_400_000;

/// Seals of a chain whose entries one tick of the monitor drops.
pub const AUDIT_SEALS_DROPPED: i64 = 20;

/// Most bytes of what an entry of the audit says of a thing before, and of the same afterwards.
pub const AUDIT_FACTS_BYTES: i64 = 2_048;

/// How much is kept of what is longer, in bytes: as part of a JSON text it may take twice as many.
pub const AUDIT_CUT_BYTES: i64 = 900;

/// Most ids that an entry of the audit names where an action was done to many things.
pub const AUDIT_IDS: i64 = 20;

/// Longest reason that a request may give, in characters.
pub const AUDIT_REASON_CHARS_MAX: usize = 500;

/// Entries of the audit that one script reads: a millisecond of Redis' time.
pub const AUDIT_STEP: i64 = 100;

/// Most of such steps that a page takes where a filter keeps entries back.
pub const AUDIT_STEPS: usize = 20;

/// Keys that one page of the ledger's audit looks at, about: a millisecond of Redis' time, and some
/// 100 KB if all are the ledger's.
pub const AUDIT_KEYS: i64 = 500;

/// Overdue holds that one step of the monitor settles.
pub const HOLD_BATCH: i64 = 100;

/// Steps of the monitor that settle overdue holds in one tick; the next goes on.
pub const HOLD_STEPS: usize = 50;

/// Most hosts whose settings are noted for comparison. More share one Redis without being compared.
pub const HOSTS_MAX: i64 = 64;

/// How long such a note holds, in milliseconds: hosts renew it every 5 s, and may miss two.
pub const HOST_NOTE_MS: i64 = 15_000;

/// How long a library of functions stays in Redis that no host has noted, in milliseconds: an upgrade
/// may be taken back within a day.
pub const LIBRARY_KEPT_MS: i64 = 86_400_000;

/// Tasks and nodes that one step handles when what was given out is made void: a few milliseconds of
/// Redis' time.
pub const VOID_BATCH: i64 = 500;

/// Events, or entries of the audit, that are read at a time, so that a page of large ones does not read far
/// beyond its end.
pub const EVENTS_READ: i64 = 25;

/// For how long a sender's mail is counted, in milliseconds: it goes with its inbox, a month after
/// that was last used.
pub const MAIL_COUNTED_MS: i64 = 31 * 86_400_000;

/// How far numbers go on above the last that is known, where data that are no more may have given out
/// others: more than a hub gives out between two looks at them.
pub const ERA_MARGIN: i64 = 1_000_000;

/// How much younger than the data, in milliseconds, an event may be that a failover has lost. Where more
/// is missing, it is an older copy.
pub const FAILOVER_LOSS_MS_MAX: i64 = 10_000;

/// Event ids are times. Where an older copy of the data was restored, new ones begin this much later,
/// in milliseconds, so that clocks which differ a little do no harm.
pub const RESTORED_EVENT_MARGIN_MS: i64 = 60_000;

/// Most restorations that are remembered for readers of events.
pub const RESTORATIONS_MAX: i64 = 16;

/// Entries of the old registry that are looked at where there is most likely nothing to find: this is
/// done all the time and must cost nearly nothing.
pub const SWEEP_SAMPLE: i64 = 50;

/// Fewest nodes whose expiry at once holds the guard against mass expiry.
pub const GUARD_NODES_MIN: i64 = 5;

/// Most timeouts for which that guard notes a suspicion.
pub const GUARD_TIMEOUTS_MAX: i64 = 16;

/// Most claims that one check releases.
pub const EXPIRE_CLAIMS_MAX: i64 = 1000;

/// Invites that are over which the making of another removes.
pub const INVITES_PRUNED: i64 = 100;

/// For how long a name is kept for an agent that is being made, in milliseconds.
pub const NAME_RESERVED_MS: i64 = 600_000;

/// For how long the name of a removed node that had mail is kept for its owner, in milliseconds.
pub const NAME_LEFT_MS: i64 = 30 * 86_400_000;

/// Parts of an answer that are no larger are kept with it for repeats.
pub const ANSWER_PART_BYTES: i64 = 500;

/// For how long an old client's lock leads if the client sets no time, in milliseconds.
pub const OLD_LOCK_MS: i64 = 30_000;

/// For how long an expired key stays listed as such, in milliseconds.
pub const EXPIRED_KEY_KEPT_MS: i64 = 86_400_000;

/// Longest gap that counts on the logical clock where no periodic checker has announced itself, in
/// milliseconds.
pub const UNPACED_GAP_MS_MAX: i64 = 300_000;

/// Ticks after which a periodic checker that does not come is forgotten.
pub const TICKS_UNTIL_FORGOTTEN: i64 = 10;

/// For how long an invite that is used up is known, in milliseconds, so that the repeat of a
/// registration finds its answer.
pub const USED_UP_INVITE_KEPT_MS: i64 = 86_400_000;

/// Most events of the cluster that are kept, about.
pub const EVENTS_MAX: i64 = 100_000;

/// For how long an old client's `hb:` key says that it lives if the client sets no time, in
/// milliseconds.
pub const OLD_BEAT_MS: i64 = 30_000;

/// Overdue holds that any write to the ledger settles on its way, so that nobody waits for the monitor
/// alone.
pub const HOLDS_ON_THE_WAY: i64 = 5;

/// For how long what a removed task said is kept for the repeats of requests, in milliseconds.
pub const ANSWERED_KEPT_MS: i64 = 7 * 86_400_000;

/// For how long answers to idempotent requests are kept, in milliseconds of logical time.
pub const RECORDS_KEPT_MS: i64 = 86_400_000;

/// Most events of a message that are kept.
pub const MESSAGE_EVENTS_MAX: i64 = 1000;

/// Largest part of a text that goes into one event: as JSON each character may take six bytes.
pub const TEXT_PIECE_BYTES: i64 = 10_000;

/// For how long an inbox that nobody uses is kept, in milliseconds.
pub const INBOX_TTL_MS: i64 = 30 * 86_400_000;

/// How long is known of a sign-in link why it is good no more, in milliseconds: long enough to tell
/// who comes too late.
pub const SIGN_IN_LINK_KEPT_MS: i64 = 3_600_000;

/// How often a message of an inbox is handed out before it is a dead letter.
pub const MAIL_TRIES_MAX: i64 = 5;

/// Most bytes of mail that waits or is leased, and of dead letters.
pub const INBOX_BYTES_MAX: i64 = 16 << 20;

/// Most dead letters of an inbox.
pub const DEAD_LETTERS_MAX: i64 = 1000;

/// How much is shown of mail that an old client pushed, in bytes: nothing else bounds that.
pub const OLD_MAIL_SHOWN: i64 = 256 << 10;

/// For how long answers to idempotent requests are kept where no logical clock is, in milliseconds:
/// 24 hours, and 25 more in case Redis' clock is set forward by a day.
pub const EXPIRING_RECORDS_MS: i64 = 49 * 3_600_000;
}

/// Longest heartbeat timeout, in seconds: a day.
pub const HEARTBEAT_TIMEOUT_SECONDS_MAX: f64 = 86_400.0;
