//! Who runs a message's task, and writes to it under the claim's token.

use crate::script::{
    Arguments, Call, MESSAGE_ADMIT_RUNNER, MESSAGE_DISMISS_RUNNER, Malformed, Partition, Reader,
    Script, unknown_status,
};

/// Lets whoever runs a message's task write to it under its claim's token, in place of whoever ran
/// it before.
#[derive(Debug)]
pub struct AdmitRunner<'a> {
    /// Which message.
    pub message_id: &'a str,
    /// The caller who claimed the task.
    pub runner: &'a str,
    /// The claim's token.
    pub token: &'a str,
}

impl Call for AdmitRunner<'_> {
    /// Whether it may write: the message is there, and no later claim is known.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &MESSAGE_ADMIT_RUNNER
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.runner).text(self.token);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<bool, Malformed> {
        match status {
            "ok" => Ok(true),
            "not_found" | "claim_over" => Ok(false),
            other => unknown_status(other),
        }
    }
}

/// Lets nobody write any more under a claim that is over.
#[derive(Debug)]
pub struct DismissRunner<'a> {
    /// Which message.
    pub message_id: &'a str,
    /// The claim's token, or the number that it begins with.
    pub token: &'a str,
}

impl Call for DismissRunner<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &MESSAGE_DISMISS_RUNNER
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.token);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        if status == "ok" { Ok(()) } else { unknown_status(status) }
    }
}
