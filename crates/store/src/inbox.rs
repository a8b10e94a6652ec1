//! Calls on an agent's inbox: `lua/inbox/`.

use reef_domain::json::Json;
use reef_domain::limits::INBOX_MAX;
use reef_domain::message::PRIORITIES;

use crate::ledger::read_next;
use crate::script::{
    Arguments, Call, INBOX_ACK, INBOX_DEAD, INBOX_LOOK, INBOX_RECEIVE, INBOX_REDRIVE, INBOX_SEND,
    MAIL_CHARGE, Malformed, NODE_INBOX, Partition, Reader, Script, unknown_status,
};

/// Puts a message into an inbox.
#[derive(Debug)]
pub struct Send<'a> {
    /// Whose inbox.
    pub agent: &'a str,
    /// The message's id.
    pub message_id: &'a str,
    /// What it says.
    pub letter: &'a Letter,
    /// Push it onto the list that old clients read, too.
    pub for_old_clients: bool,
    /// Who sends it, where each sender has a share of the inbox.
    pub sender: Option<&'a str>,
    /// Send nothing, and only say what was answered before.
    pub only_repeats: bool,
}

/// What a message says.
#[derive(Debug)]
pub struct Letter {
    /// Its members as JSON, without braces.
    members: String,
    priority: &'static str,
}

impl Letter {
    /// A message from somebody on something. A priority that is none of [`PRIORITIES`] is `medium`.
    #[must_use]
    pub fn new(from: &str, topic: &str, content: &Json, priority: &str, metadata: &Json) -> Self {
        let known = PRIORITIES.into_iter().find(|known| *known == priority);
        let priority = known.unwrap_or("medium");
        let members = format!(
            r#""from":{},"topic":{},"content":{},"priority":"{priority}","metadata":{}"#,
            serde_json::Value::from(from),
            serde_json::Value::from(topic),
            content.get(),
            metadata.get(),
        );
        Self { members, priority }
    }

    /// How large it is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.members.len()
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It waits.
    Ok {
        /// Its id.
        message_id: String,
        /// Messages that wait now.
        depth: i64,
    },
    /// Nothing was answered before.
    New,
    /// As many wait as may.
    Full {
        /// How many.
        depth: i64,
    },
    /// The sender has as much there as one sender may.
    Share {
        /// How many wait.
        depth: i64,
        /// How many of these are the sender's.
        own: i64,
    },
}

impl Sent {
    /// Whether it was sent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }
}

impl Call for Send<'_> {
    type Reply = Sent;

    fn script(&self) -> &'static Script {
        &INBOX_SEND
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Inbox(self.agent)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.message_id)
            .text(&self.letter.members)
            .text(self.letter.priority)
            .number(INBOX_MAX)
            .number(u8::from(self.for_old_clients))
            .optional(self.sender)
            .number(u8::from(self.only_repeats));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Sent, Malformed> {
        match status {
            "ok" => Ok(Sent::Ok { message_id: reply.text()?, depth: reply.int()? }),
            "new" => Ok(Sent::New),
            "full" => Ok(Sent::Full { depth: reply.int()? }),
            "share" => Ok(Sent::Share { depth: reply.int()?, own: reply.int()? }),
            other => unknown_status(other),
        }
    }
}

/// A message in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id.
    pub message_id: String,
    /// How often it was received.
    pub attempts: i64,
    /// Its members as JSON, without braces; or what an old client pushed.
    pub members: String,
    /// It is what an old client pushed.
    pub is_old: bool,
}

impl Mail {
    fn read_all(reply: &mut Reader) -> Result<Vec<Self>, Malformed> {
        let mut all = Vec::with_capacity(reply.left() / 4);
        while !reply.is_at_end() {
            all.push(Self {
                message_id: reply.text()?,
                attempts: reply.int()?,
                members: reply.text()?,
                is_old: reply.flag()?,
            });
        }
        Ok(all)
    }
}

/// Some messages, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mails {
    /// In order.
    pub mails: Vec<Mail>,
    /// Where the next page begins, while there is more.
    pub next: Option<i64>,
    /// How many there are.
    pub depth: i64,
}

impl Mails {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let next = read_next(reply)?;
        Ok(Self { next, depth: reply.int()?, mails: Mail::read_all(reply)? })
    }
}

/// Shows what waits without taking it.
#[derive(Debug)]
pub struct Look<'a> {
    /// Whose inbox.
    pub agent: &'a str,
    /// Most messages.
    pub limit: i64,
    /// Take in what old clients pushed.
    pub with_old_mail: bool,
    /// [`Mails::next`] of the page before.
    pub after: Option<i64>,
}

impl Call for Look<'_> {
    type Reply = Mails;

    fn script(&self) -> &'static Script {
        &INBOX_LOOK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Inbox(self.agent)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.limit).number(u8::from(self.with_old_mail)).optional(self.after);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Mails, Malformed> {
        match status {
            "ok" => Mails::read(reply),
            other => unknown_status(other),
        }
    }
}

/// Leases messages to a receiver.
#[derive(Debug)]
pub struct Receive<'a> {
    /// Whose inbox.
    pub agent: &'a str,
    /// Most messages.
    pub limit: i64,
    /// For how long, in milliseconds.
    pub lease_ms: i64,
    /// Take in what old clients pushed.
    pub with_old_mail: bool,
}

impl Call for Receive<'_> {
    type Reply = Vec<Mail>;

    fn script(&self) -> &'static Script {
        &INBOX_RECEIVE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Inbox(self.agent)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.limit).number(self.lease_ms).number(u8::from(self.with_old_mail));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Mail::read_all(reply),
            other => unknown_status(other),
        }
    }
}

/// Acknowledges messages.
#[derive(Debug)]
pub struct Acknowledge<'a> {
    /// Whose inbox.
    pub agent: &'a str,
    /// What the receiver was given.
    pub receipts: &'a [String],
}

/// Bytes of a sender's mail that are in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Whose mail.
    pub sender: String,
    /// How much of it is there.
    pub bytes: i64,
}

impl Share {
    pub(crate) fn read_all(reply: &mut Reader) -> Result<Vec<Self>, Malformed> {
        let mut all = Vec::new();
        while !reply.is_at_end() {
            all.push(Self { sender: reply.text()?, bytes: reply.int()? });
        }
        Ok(all)
    }
}

/// What became of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Gone for good.
    pub acknowledged: i64,
    /// Not leased under this receipt, or not any more.
    pub unknown: i64,
    /// Messages that wait now.
    pub depth: i64,
    /// What is left of those whose mail is gone.
    pub shares: Vec<Share>,
}

impl Call for Acknowledge<'_> {
    type Reply = Acknowledged;

    fn script(&self) -> &'static Script {
        &INBOX_ACK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Inbox(self.agent)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        for receipt in self.receipts {
            arguments.text(receipt);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Acknowledged, Malformed> {
        match status {
            "ok" => Ok(Acknowledged {
                acknowledged: reply.int()?,
                unknown: reply.int()?,
                depth: reply.int()?,
                shares: Share::read_all(reply)?,
            }),
            other => unknown_status(other),
        }
    }
}

/// Shows dead letters.
#[derive(Debug)]
pub struct ListDead<'a> {
    /// Whose inbox.
    pub agent: &'a str,
    /// Most messages.
    pub limit: i64,
    /// [`Mails::next`] of the page before.
    pub after: Option<i64>,
}

impl Call for ListDead<'_> {
    type Reply = Mails;

    fn script(&self) -> &'static Script {
        &INBOX_DEAD
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Inbox(self.agent)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.limit).optional(self.after);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Mails, Malformed> {
        match status {
            "ok" => Mails::read(reply),
            other => unknown_status(other),
        }
    }
}

/// Puts dead letters back.
#[derive(Debug)]
pub struct Redrive<'a> {
    /// Whose inbox.
    pub agent: &'a str,
    /// Which; none for the oldest.
    pub message_ids: &'a [String],
}

/// What became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    /// How many wait again.
    pub redriven: i64,
    /// Messages that wait now.
    pub depth: i64,
}

impl Call for Redrive<'_> {
    type Reply = Redriven;

    fn script(&self) -> &'static Script {
        &INBOX_REDRIVE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Inbox(self.agent)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(INBOX_MAX);
        for message_id in self.message_ids {
            arguments.text(message_id);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Redriven, Malformed> {
        match status {
            "ok" => Ok(Redriven { redriven: reply.int()?, depth: reply.int()? }),
            other => unknown_status(other),
        }
    }
}

/// Counts what somebody is about to send among all its mail that nobody has acknowledged.
#[derive(Debug)]
pub struct Charge<'a> {
    /// Who sends.
    pub sender: &'a str,
    /// To whom.
    pub agent: &'a str,
    /// How much, in bytes; less than 0 for what was not sent after all.
    pub bytes: i64,
    /// Most that it may have lying around.
    pub most: i64,
}

impl Call for Charge<'_> {
    /// Whether the agent is a node, whose heartbeats are told how much waits.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &MAIL_CHARGE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.sender).text(self.agent).number(self.bytes).number(self.most);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<bool, Malformed> {
        if status == "ok" { reply.flag() } else { unknown_status(status) }
    }
}

/// Notes on a node how many messages wait for the agent of that id, and on senders how much of their
/// mail is left there.
#[derive(Debug)]
pub struct NoteDepth<'a> {
    /// The agent, if it is a node.
    pub agent: &'a str,
    /// How many wait.
    pub depth: i64,
    /// How much is left of senders whose mail there has changed.
    pub shares: &'a [Share],
}

impl Call for NoteDepth<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &NODE_INBOX
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent).number(self.depth);
        for share in self.shares {
            arguments.text(&share.sender).number(share.bytes);
        }
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        match status {
            "ok" => Ok(()),
            other => unknown_status(other),
        }
    }
}
