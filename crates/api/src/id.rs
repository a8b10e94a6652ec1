//! What names a thing. A type for each kind, so that none stands in for another; whether a text may
//! be an id at all is a rule of `reef_domain::id`.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        // An id may stand wherever a text may, and no text where an id must.
        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[cfg(feature = "openapi")]
        crate::word::schema_of_text!($name);
    )*};
}

ids! {
    /// Names a node.
    NodeId
    /// Names a task.
    TaskId
    /// Names a session.
    SessionId
    /// Names a message of a session.
    MessageId
    /// Names a block of a message.
    ContentId
    /// Names a message in an inbox.
    MailId
    /// Proves that its holder has a task. It changes with every claim.
    Token
    /// Names what a task waits for.
    WaitId
    /// Names a group of tasks.
    GroupId
    /// Names a limit.
    LimitId
    /// Names a lock.
    LockId
    /// Names a schedule.
    ScheduleId
    /// Names a change of many tasks.
    BulkId
    /// Names an agent.
    AgentId
    /// Names a key. It is no secret.
    KeyId
    /// Names an invite. It is no secret.
    InviteId
    /// Names a hold.
    HoldId
    /// Names an intent.
    IntentId
    /// Names a match of two intents.
    MatchId
    /// Names a position.
    PositionId
}
