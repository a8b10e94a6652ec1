//! The operations on messages that are measured, as requests, and those that make what they need.

use serde::Serialize;

use crate::call::Call;
use crate::template::{NUMBER, Numbers};

/// The session of all messages.
const SESSION: &str = "s";
/// What is appended: about as much as a model writes at a time.
pub(crate) const DELTA: &str = "and so it goes on, ";

/// An operation on messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MessageOperation {
    /// An open message that was not there before.
    Create,
    /// A user's message and the open answer to it.
    Send,
    /// A message with a kilobyte of text.
    Load,
    /// Progress of a task of any of the messages.
    UpdateTask,
    /// A few words to any of the messages.
    Append,
}

impl MessageOperation {
    /// In the order in which they are measured: a text that is loaded has not grown yet.
    pub(crate) const ALL: [Self; 5] =
        [Self::Create, Self::Send, Self::Load, Self::UpdateTask, Self::Append];

    /// As tables show it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Create => "create (PUT)",
            Self::Send => "send (POST: two messages)",
            Self::Load => "load 1 kB",
            Self::UpdateTask => "task update",
            Self::Append => "append",
        }
    }

    /// Below how many milliseconds the 99th percentile shall stay.
    pub(crate) fn target_ms(self) -> f64 {
        match self {
            Self::Create | Self::Send => 10.0,
            Self::Append => 5.0,
            Self::UpdateTask => 15.0,
            Self::Load => 20.0,
        }
    }

    /// The request, about one of so many messages.
    pub(crate) fn call(self, messages: u64) -> Call {
        let any = Numbers { below: messages };
        match self {
            Self::Create => Call { numbers: Numbers::FRESH, ..create("new") },
            Self::Send => Call {
                method: "POST",
                target: format!("/api/v1/sessions/{SESSION}/messages"),
                body: r#"{"content":"Where were we?"}"#.to_owned(),
                numbers: Numbers::FRESH,
            },
            Self::Load => Call {
                method: "GET",
                target: format!("/api/v1/messages/m-{NUMBER}"),
                body: String::new(),
                numbers: any,
            },
            Self::UpdateTask => Call {
                method: "PATCH",
                target: format!("/api/v1/messages/m-{NUMBER}/tasks/t-{NUMBER}"),
                body: r#"{"status":"processing","progress":0.5}"#.to_owned(),
                numbers: any,
            },
            Self::Append => Call { numbers: any, ..append("m", DELTA) },
        }
    }
}

/// Makes the session.
pub(crate) fn open_session() -> Call {
    Call {
        method: "POST",
        target: "/api/v1/sessions".to_owned(),
        body: format!(r#"{{"session_id":"{SESSION}"}}"#),
        numbers: Numbers { below: 1 },
    }
}

/// Makes a message, `<kind>-<number>`.
pub(crate) fn create(kind: &str) -> Call {
    Call {
        method: "PUT",
        target: format!("/api/v1/sessions/{SESSION}/messages/{kind}-{NUMBER}"),
        body: r#"{"role":"assistant"}"#.to_owned(),
        numbers: Numbers { below: 1 },
    }
}

/// Appends to a message. `delta` must need no escapes in JSON.
pub(crate) fn append(kind: &str, delta: &str) -> Call {
    Call {
        method: "POST",
        target: format!("/api/v1/messages/{kind}-{NUMBER}/append"),
        body: format!(r#"{{"delta":"{delta}"}}"#),
        numbers: Numbers { below: 1 },
    }
}

/// Starts a task, `t-<number>`, in a message.
pub(crate) fn start_task(kind: &str) -> Call {
    Call {
        method: "POST",
        target: format!("/api/v1/messages/{kind}-{NUMBER}/tasks"),
        body: format!(r#"{{"task_id":"t-{NUMBER}","task_type":"image_generation"}}"#),
        numbers: Numbers { below: 1 },
    }
}

/// Where the events of a message are read.
pub(crate) fn stream(kind: &str) -> Call {
    Call {
        method: "GET",
        target: format!("/api/v1/sessions/{SESSION}/messages/{kind}-{NUMBER}/stream"),
        body: String::new(),
        numbers: Numbers { below: 1 },
    }
}
