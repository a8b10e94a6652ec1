//! The clients that people have: a browser, and the usual packages of Python and Node.
//!
//! `cargo xtask test` installs what these tests need, by the names of these modules.

/// Chromium's own `EventSource`.
mod browser;
/// The page at `/`, in Chromium.
mod browser_page;
/// The package `eventsource`.
mod node;
/// The package `httpx-sse`.
mod python;
/// `clients/python`.
mod python_client;
/// The package `schemathesis`.
mod schemathesis;
/// Our own, `clients/typescript`.
mod typescript_client;

use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Message, PATIENCE, Program};

/// What these tests do with a message.
trait Written {
    fn write_slowly(&self, deltas: usize) -> JoinHandle<()>;
    fn text(&self) -> String;
}

impl Written for Message {
    /// Writes deltas of all sorts, with a block between them, then the end; in the background, at
    /// a pace that lets readers come and go meanwhile.
    fn write_slowly(&self, deltas: usize) -> JoinHandle<()> {
        let message = self.clone();
        std::thread::spawn(move || {
            for number in 0..deltas {
                message.append(&delta(number));
                if number == deltas / 2 {
                    let block = json!({"content_type": "code",
                        "code": {"code": "let x = 1;\n\nx + 1", "language": "rust"}});
                    message.post("content", &block);
                }
                // A writer's pace, not a wait for anything.
                std::thread::sleep(Duration::from_millis(5));
            }
            message.complete();
        })
    }

    fn text(&self) -> String {
        self.now()["text"].as_str().unwrap().to_owned()
    }
}

/// Pieces of text that a reader of streams may stumble over.
fn delta(number: usize) -> String {
    let sorts = [
        "word ",
        "a\nnew line ",
        "\r\n\r\n: comment\ndata: x ",
        "\u{1F980}\u{2028}é ",
        "\\\" <b>&amp; ",
    ];
    format!("{number} {}", sorts[number % sorts.len()])
}

/// What a client says that it has read.
#[derive(Deserialize)]
struct Told {
    ids: Vec<String>,
    events: Vec<ToldEvent>,
    /// How often its connection broke.
    cuts: usize,
    /// The last answer's status, if the client can tell it.
    status_at_end: Option<u16>,
}

/// One event as a client has read it.
#[derive(Deserialize)]
struct ToldEvent {
    #[serde(rename = "type")]
    event_type: String,
    data: Value,
}

/// Runs a client to its end and returns what it tells.
#[track_caller]
fn run(command: &mut Command) -> Told {
    let output = Program::run(command, PATIENCE);
    assert!(output.status.success(), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Checks that a client has read what was published: in order, everything, nothing twice.
#[track_caller]
fn assert_read_all(told: &Told, message: &Message) {
    let published = message.events();
    let read: Vec<_> = told.events.iter().map(|event| event.data.clone()).collect();
    assert_eq!(read, published);
    for event in &told.events {
        assert_eq!(event.event_type, event.data["event_type"]);
    }
    let text: String = read.iter().filter_map(|event| event["payload"]["delta"].as_str()).collect();
    assert_eq!(text, message.text());
    let distinct: std::collections::HashSet<_> = told.ids.iter().collect();
    assert_eq!(distinct.len(), published.len());
}
