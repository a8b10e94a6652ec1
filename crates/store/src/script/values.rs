//! How values go into a script's arguments and come out of its reply.

use reef_api::node::NodeStatus;
use reef_api::{
    AgentId, BulkId, ContentId, GroupId, HoldId, IntentId, InviteId, KeyId, LimitId, LockId,
    MailId, MatchId, MessageId, NodeId, Open, PositionId, ScheduleId, SessionId, TaskId, Token,
    WaitId, Word,
};
use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_domain::time::UnixMillis;
use serde_json::value::RawValue;

use super::{Arguments, Malformed, Reader};

/// A kind of argument that a header can name.
pub(crate) trait Argument {
    /// Appends it.
    fn append(&self, arguments: &mut Arguments);
}

/// A kind of value that a header can say a reply brings.
pub trait FromReply: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(reply: &mut Reader) -> Result<Self, Malformed>;
}

impl<T: FromReply> FromReply for Box<T> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        T::read(reply).map(Self::new)
    }
}

/// As many as there are.
impl<T: FromReply> FromReply for Vec<T> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let mut all = Self::new();
        while !reply.is_at_end() {
            all.push(T::read(reply)?);
        }
        Ok(all)
    }
}

impl FromReply for String {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.text()
    }
}

impl FromReply for i64 {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.int()
    }
}

impl<T: Argument> Argument for Option<T> {
    fn append(&self, arguments: &mut Arguments) {
        match self {
            Some(value) => value.append(arguments),
            None => _ = arguments.text(""),
        }
    }
}

impl Argument for &Json {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self.get());
    }
}

impl FromReply for f64 {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.float()
    }
}

impl FromReply for bool {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.flag()
    }
}

impl FromReply for Option<String> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.filled()
    }
}

impl FromReply for Option<i64> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.optional_int()
    }
}

impl<A: FromReply, B: FromReply> FromReply for (A, B) {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok((A::read(reply)?, B::read(reply)?))
    }
}

/// JSON that was checked when it was stored, and is passed on as it is.
impl FromReply for Box<RawValue> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        RawValue::from_string(reply.text()?).map_err(|e| Malformed(format!("stored JSON: {e}")))
    }
}

/// The same, where an empty text is none.
impl FromReply for Option<Box<RawValue>> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let json = reply.filled()?.map(RawValue::from_string).transpose();
        json.map_err(|e| Malformed(format!("stored JSON: {e}")))
    }
}

/// Rows that are read field by field, in the order that is named here.
macro_rules! rows {
    ($($row:ident { $($field:ident),* })*) => {
        $(impl crate::script::FromReply for $row {
            fn read(
                reply: &mut crate::script::Reader,
            ) -> Result<Self, crate::script::Malformed> {
                Ok(Self { $($field: crate::script::FromReply::read(reply)?),* })
            }
        })*
    };
}
pub(crate) use rows;

/// What several scripts answer beside what each brings: a status of a script, and a variant that says so.
macro_rules! outcomes {
    (
        $(#[$doc:meta])* $name:ident: $ok:literal
        $($said:literal $variant:ident $(($payload:ty))? = $($status:literal)|+,)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name<T> {
            #[doc = $ok]
            Ok(T),
            $(#[doc = $said] $variant $(($payload))?,)*
        }

        impl<T> $name<T> {
            pub(crate) fn within(
                status: &str,
                reply: &mut crate::script::Reader,
                other: impl FnOnce(
                    &str,
                    &mut crate::script::Reader,
                ) -> Result<T, crate::script::Malformed>,
            ) -> Result<Self, crate::script::Malformed> {
                match status {
                    $($($status)|+ => Ok(
                        Self::$variant $((<$payload as crate::script::FromReply>::read(reply)?))?
                    ),)*
                    status => other(status, reply).map(Self::Ok),
                }
            }
        }
    };
}
pub(crate) use outcomes;

impl Argument for String {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self);
    }
}

impl Argument for usize {
    fn append(&self, arguments: &mut Arguments) {
        arguments.number(self);
    }
}

impl Argument for f64 {
    fn append(&self, arguments: &mut Arguments) {
        arguments.number(self);
    }
}

impl Argument for Scopes {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self.to_string());
    }
}

impl FromReply for Scopes {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self::stored(&reply.text()?))
    }
}

impl Argument for NodeStatus {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self.as_str());
    }
}

impl<T: Word> FromReply for Open<T> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.text().map(Self::read)
    }
}

/// The same, where an empty text is none.
impl<T: Word> FromReply for Option<Open<T>> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(reply.filled()?.map(Open::read))
    }
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl FromReply for $id {
            fn read(reply: &mut Reader) -> Result<Self, Malformed> {
                reply.text().map(Self::from)
            }
        }

        impl FromReply for Option<$id> {
            fn read(reply: &mut Reader) -> Result<Self, Malformed> {
                Ok(reply.filled()?.map($id::from))
            }
        }
    )*};
}
ids! {
    AgentId ContentId HoldId IntentId InviteId KeyId MailId MatchId MessageId NodeId PositionId SessionId
    TaskId Token WaitId GroupId BulkId LimitId LockId ScheduleId
}

impl FromReply for UnixMillis {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        reply.int().map(Self)
    }
}

impl FromReply for Option<UnixMillis> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(reply.optional_int()?.map(UnixMillis))
    }
}
