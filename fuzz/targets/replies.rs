//! The flat replies of scripts, which hold what old clients wrote into Redis. A reply that keeps to
//! no header is an error, never an endless loop.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reef_store::script::{FromReply, Reader};
use reef_store::{Reply, agent, entry, event, hold, intent, invite, key, leader, message, node};
use reef_store::{position, session, steps, task};

fuzz_target!(|bytes: &[u8]| {
    let items: Vec<Reply> = bytes.split(|byte| *byte == b'\n').map(item).collect();
    read::<Vec<agent::Agent>>(&items);
    read::<Vec<hold::Hold>>(&items);
    read::<Vec<intent::Intent>>(&items);
    read::<Vec<invite::Invite>>(&items);
    read::<Vec<key::Key>>(&items);
    read::<Vec<message::Shown>>(&items);
    read::<Vec<position::Position>>(&items);
    read::<Vec<task::Task>>(&items);
    read::<entry::Audited>(&items);
    read::<event::Events>(&items);
    read::<leader::History>(&items);
    read::<leader::Leadership>(&items);
    read::<message::Owned<session::Session>>(&items);
    read::<steps::Page<node::Node>>(&items);
    read::<Vec<(String, Option<i64>)>>(&items);
    let mut reader = Reader::new(items);
    while !reader.is_at_end() {
        let left = reader.left();
        let _ = reader.optional_int();
        assert!(reader.left() < left);
    }
});

/// One element, as the port hands it on: a number, nil, a status, or bytes.
fn item(line: &[u8]) -> Reply {
    let text = || String::from_utf8_lossy(line.get(1..).unwrap_or_default()).into_owned();
    match line.first() {
        Some(b':') => text().parse().map_or(Reply::Nil, Reply::Int),
        Some(b'_') => Reply::Nil,
        Some(b'+') => Reply::Status(text()),
        _ => Reply::Bytes(line.to_vec()),
    }
}

fn read<T: FromReply>(items: &[Reply]) {
    let _ = T::read(&mut Reader::new(items.to_vec()));
}
