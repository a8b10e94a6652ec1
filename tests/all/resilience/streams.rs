//! Readers of event streams whose host dies.

use std::sync::mpsc;

use serde_json::Value;

use crate::harness::{End, Frame, Hub, Message, RedisServer};

#[test]
fn a_reader_goes_on_at_another_host_where_the_killed_one_left_it() {
    const DELTAS: usize = 200;
    let server = RedisServer::start();
    let start = || Hub::options().open().redis(&server).start();
    let (mut first, second) = (start(), start());
    let client = second.anonymous();
    let message = Message::begin(&client);
    let path = message.stream();

    let mut stream = first.anonymous().stream(&path);
    let (is_killed, killed) = mpsc::channel();
    let writer = message.clone();
    let thread = std::thread::spawn(move || {
        for number in 0..DELTAS {
            if number == DELTAS / 2 {
                // So that the blow falls in the middle, however fast this is.
                killed.recv().unwrap();
            }
            writer.append(&format!("{number} "));
        }
        writer.complete();
    });
    let mut received = stream.take_events(DELTAS / 4);
    first.kill();
    is_killed.send(()).unwrap();
    let (rest, end) = stream.rest();
    assert_eq!(end, End::Cut);
    received.extend(rest);

    let last = received.last().unwrap().cursor().to_owned();
    let mut stream = client.with("last-event-id", &last).stream(&path);
    let (rest, end) = stream.rest();
    assert_eq!(end, End::Said);
    received.extend(rest);
    thread.join().unwrap();

    let told: Vec<Value> = received.iter().map(|frame: &Frame| frame.told().1).collect();
    assert_eq!(told, message.events());
    assert_eq!(told.len(), DELTAS + 2);
}
