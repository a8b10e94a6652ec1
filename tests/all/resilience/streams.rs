//! Readers of event streams whose host dies.

use std::sync::mpsc;

use serde_json::{Value, json};

use crate::harness::{End, Frame, Hub, RedisServer, unique};

#[test]
fn a_reader_goes_on_at_another_host_where_the_killed_one_left_it() {
    const DELTAS: usize = 200;
    let server = RedisServer::start();
    let start = || Hub::options().open().redis(&server).start();
    let (mut first, second) = (start(), start());
    let client = second.anonymous();
    let session = client.post("/sessions", &json!({})).ok();
    let (session, id) = (session["session_id"].as_str().unwrap(), unique("msg"));
    let role = json!({"role": "assistant"});
    client.send_json("PUT", &format!("/sessions/{session}/messages/{id}"), &role).ok();
    let path = format!("/sessions/{session}/messages/{id}/stream");

    let mut stream = first.anonymous().stream(&path);
    let (is_killed, killed) = mpsc::channel();
    let (writer, target) = (client.clone(), format!("/messages/{id}"));
    let thread = std::thread::spawn(move || {
        for number in 0..DELTAS {
            if number == DELTAS / 2 {
                // So that the blow falls in the middle, however fast this is.
                killed.recv().unwrap();
            }
            let delta = json!({"delta": format!("{number} ")});
            writer.post(&format!("{target}/append"), &delta).ok();
        }
        writer.post_empty(&format!("{target}/complete")).ok();
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

    let page = client.get(&format!("/messages/{id}/events?limit=1000")).ok();
    let told: Vec<Value> = received.iter().map(|frame: &Frame| frame.told().1).collect();
    assert_eq!(told, *page["events"].as_array().unwrap());
    assert_eq!(told.len(), DELTAS + 2);
}
