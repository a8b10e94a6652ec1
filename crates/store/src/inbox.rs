//! Calls on an agent's inbox: `lua/inbox/`, `lua/mail/`.

use reef_api::MailId;
use reef_api::mail::Priority;
use reef_domain::json::Json;

use crate::proposal::{Acceptance, Kept};
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, rows};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_inbox.rs"));
include!(concat!(env!("OUT_DIR"), "/calls_mail.rs"));

/// What a message says.
#[derive(Debug)]
pub struct Letter {
    /// Its members as JSON, without braces.
    pub members: String,
}

impl Letter {
    /// A message from somebody on something.
    #[must_use]
    pub fn new(
        from: &str,
        topic: &str,
        content: &Json,
        priority: Priority,
        metadata: &Json,
    ) -> Self {
        let members = format!(
            r#""from":{},"topic":{},"content":{},"priority":"{priority}","metadata":{}"#,
            serde_json::Value::from(from),
            serde_json::Value::from(topic),
            content.get(),
            metadata.get(),
        );
        Self { members }
    }

    /// How large it is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.members.len()
    }
}

impl Sent {
    /// Whether it was sent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }
}

/// A message in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id.
    pub message_id: MailId,
    /// How often it was received.
    pub attempts: i64,
    /// Its members as JSON, without braces; or what an old client pushed.
    pub members: String,
    /// It is what an old client pushed.
    pub is_old: bool,
}

/// Some messages, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mails {
    /// Some of them, in order.
    pub page: Page<Mail>,
    /// How many there are.
    pub depth: i64,
}

impl FromReply for Mails {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (next, filled, depth) = (FromReply::read(reply)?, reply.int()?, reply.int()?);
        Ok(Self { page: Page { next, filled, rows: Vec::read(reply)? }, depth })
    }
}

/// Bytes of a sender's mail that are in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Whose mail.
    pub sender: String,
    /// How much of it is there.
    pub bytes: i64,
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

/// What became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    /// How many wait again.
    pub redriven: i64,
    /// Messages that wait now.
    pub depth: i64,
}

/// What is in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Whether there is such an inbox.
    pub is_there: bool,
    /// Messages that may be received.
    pub waiting: i64,
    /// Messages that were received and not acknowledged yet.
    pub in_flight: i64,
    /// Dead letters.
    pub dead: i64,
    /// When the oldest that waits was sent, as it says it.
    pub oldest_at: Option<String>,
}

rows! {
    Counted { is_there, waiting, in_flight, dead, oldest_at }
    Mail { message_id, attempts, members, is_old }
    Share { sender, bytes }
    Acknowledged { acknowledged, unknown, depth, shares }
    Redriven { redriven, depth }
}

impl Argument for &[Share] {
    fn append(&self, arguments: &mut Arguments) {
        for share in *self {
            arguments.text(&share.sender).number(share.bytes);
        }
    }
}
