//! How event streams are kept alive, and the ways in which they end (contract.md §7).

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Client, End, EventStream, Frame, Hub, HubOptions, Message, PATIENCE, eventually,
};

/// An open message: the path below which it is written, and that of its stream.
fn begin(client: &Client) -> (String, String) {
    let message = Message::begin(client);
    (format!("/messages/{}", message.id), message.stream())
}

fn append(client: &Client, message: &str, delta: &str) {
    client.post(&format!("{message}/append"), &json!({"delta": delta})).ok();
}

/// A hub whose messages expire after so much time without a write.
fn forgetful(lifetime: Duration) -> HubOptions {
    let hours = lifetime.as_secs_f64() / 3600.0;
    Hub::options().open().variable("message_ttl_hours", &hours.to_string())
}

/// Checks that the stream says that its message is gone, and ends.
#[track_caller]
fn assert_gone(mut stream: EventStream) {
    let (frames, end) = stream.rest();
    assert_eq!((frames.len(), end), (1, End::Said), "{frames:?}");
    let (event, data) = frames[0].told();
    assert_eq!((event, &data["code"]), ("gone", &json!("not_found")));
    assert!(data["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    // The place to come back to is still the last event, so that it has no id.
    assert_eq!(frames[0].id, None);
}

#[test]
fn a_quiet_stream_shows_that_it_is_alive() {
    let hub = Hub::options().open().arg("--stream-comment-period").arg("0.2").start();
    let client = hub.anonymous();
    let (message, path) = begin(&client);
    let mut stream = client.stream(&path);
    assert_eq!(stream.take_events(1)[0].told().0, "message_start");
    let mut cluster = client.stream("/events/stream");
    assert!(cluster.next_frame().unwrap().retry.is_some());
    for _ in 0..3 {
        stream.await_comment();
        cluster.await_comment();
    }
    append(&client, &message, "still here");
    assert_eq!(stream.take_events(1)[0].told().1["payload"]["delta"], "still here");
}

#[test]
fn a_hub_that_stops_ends_its_streams_and_tells_readers_to_come_back() {
    let mut hub = Hub::start();
    let client = hub.admin();
    let (message, path) = begin(&client);
    append(&client, &message, "before");
    let mut streams: Vec<_> = (0..5).map(|_| client.stream(&path)).collect();
    streams.push(client.stream("/events/stream"));
    for stream in &mut streams {
        assert_eq!(stream.next_frame().unwrap().retry.as_deref(), Some("1000"));
    }
    hub.terminate();
    for stream in &mut streams {
        let frames: Vec<Frame> = std::iter::from_fn(|| stream.next_frame()).collect();
        let farewell = frames.last().unwrap();
        let retry: u64 = farewell.retry.as_deref().unwrap().parse().unwrap();
        assert!((1000..=3000).contains(&retry), "{retry}");
        assert_eq!(*farewell, Frame { retry: farewell.retry.clone(), ..Frame::default() });
        assert_eq!(stream.rest().1, End::Said);
    }
    // Had the open streams kept it waiting, it would say so.
    assert_eq!(hub.wait().code(), Some(0));
}

#[test]
fn the_reader_of_a_removed_message_is_told() {
    let hub = Hub::start();
    let client = hub.admin();
    let (message, path) = begin(&client);
    let mut stream = client.stream(&path);
    assert_eq!(stream.take_events(1)[0].told().0, "message_start");
    append(&client, &message, "last words");
    assert_eq!(stream.take_events(1)[0].told().0, "text_delta");
    let messages = path.split("/messages/").next().unwrap();
    let removed = client.delete(&format!("{messages}/messages?keep_days=0")).ok();
    assert_eq!(removed["deleted"], 1);
    assert_gone(stream);
    client.get(&path).problem(404, "not_found");
}

#[test]
fn the_reader_of_a_message_that_expires_is_told() {
    let hub = forgetful(Duration::from_secs(2)).start();
    let client = hub.anonymous();
    let (message, path) = begin(&client);
    let mut early = client.stream(&path);
    assert_eq!(early.take_events(1)[0].told().0, "message_start");
    append(&client, &message, "later");
    assert_eq!(early.take_events(1)[0].told().0, "text_delta");
    let late = client.stream(&format!("{path}?last_id=2"));
    assert_eq!(late.status, 200);
    // The write has put the end off, so that the early one looks twice.
    assert_gone(early);
    assert_gone(late);
    client.get(&path).problem(404, "not_found");
}

#[test]
fn a_write_keeps_the_whole_message() {
    let hub = Hub::start();
    let client = hub.admin();
    let (message, _) = begin(&client);
    let producer = json!({"id": "p", "epoch": 1, "seq": 0});
    let body = json!({"delta": "x", "producer": producer});
    client.post(&format!("{message}/append"), &body).ok();
    client.post(&format!("{message}/tasks"), &json!({"task_type": "other"})).ok();
    let mut redis = hub.private_redis();
    let id = message.trim_start_matches("/messages/");
    let mut keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("*{id}*")).query(&mut redis).unwrap();
    keys.sort_unstable();
    assert_eq!(keys.len(), 7, "{keys:?}");
    let (seconds, _): (i64, i64) = redis::cmd("TIME").query(&mut redis).unwrap();
    for key in &keys {
        redis::cmd("EXPIRE").arg(key).arg(600).query::<()>(&mut redis).unwrap();
    }
    // As after a time in which nothing was written.
    let mut noted = redis::cmd("HSET");
    noted.arg(format!("message:{id}")).arg("kept_until").arg((seconds + 600) * 1000);
    noted.query::<()>(&mut redis).unwrap();
    append(&client, &message, "y");
    for key in &keys {
        let seconds: i64 = redis::cmd("TTL").arg(key).query(&mut redis).unwrap();
        assert!(seconds > 23 * 3600, "{key}: {seconds}");
    }
}

#[test]
fn a_gap_in_the_clusters_events_is_named() {
    // Without comments, so that waiting in vain is told.
    let hub = Hub::options().arg("--stream-comment-period").arg("3600").start();
    let client = hub.admin();
    for _ in 0..5 {
        client.new_node("early");
    }
    let events = || client.get("/cluster/events?after=0&limit=1000").ok()["events"].clone();
    let first = events()[0]["event_id"].as_str().unwrap().to_owned();
    let mut redis = hub.private_redis();
    redis::cmd("XTRIM").arg("reef:events").arg("MAXLEN").arg(2).query::<()>(&mut redis).unwrap();
    let kept: Vec<Value> = events().as_array().unwrap().clone();
    assert_eq!(kept.len(), 2);
    // Who begins at the beginning wants what there is.
    let told = |frames: &[Frame]| frames.iter().map(|frame| frame.told().1).collect::<Vec<_>>();
    assert_eq!(told(&client.stream("/events/stream?last_id=0").take_events(2)), kept);
    for cursor in [first.as_str(), "1-1"] {
        let mut stream = client.stream(&format!("/events/stream?last_id={cursor}"));
        let frames = stream.take_events(3);
        let gap = json!({"gap": {"from": cursor, "to": kept[0]["event_id"]}});
        assert_eq!(frames[0].told(), ("snapshot", gap));
        assert_eq!(told(&frames[1..]), kept);
        // The place of the gap is behind it: whoever comes back with it is not told again.
        let mut again = client.stream(&format!("/events/stream?last_id={}", frames[0].cursor()));
        assert_eq!(again.take_events(2), frames[1..]);
    }
    // A place that is still to come.
    let mut stream = client.stream("/events/stream?last_id=99999999999999-0");
    let frame = stream.next_event().unwrap();
    let gap = json!({"gap": {"from": "99999999999999-0", "to": kept[1]["event_id"]}});
    assert_eq!(frame.told(), ("snapshot", gap));
    let id = client.new_node("late");
    assert_eq!(stream.take_events(1)[0].told().1["payload"]["node_id"], *id);
}

#[test]
fn a_reader_that_takes_nothing_is_cut_and_can_come_back() {
    // More than what the kernel and the hub hold for one reader, in events of the largest size.
    const STARTS: usize = 400;
    const CHARS: usize = 60_000;
    let hub = Hub::options().open().arg("--send-timeout").arg("0.5").start();
    let client = hub.anonymous();
    let (message, path) = begin(&client);
    let mut idle = client.stream(&path);
    let mut awake = client.stream(&path);
    let task = json!({"task_type": "draw", "prompt": "x".repeat(CHARS)});
    assert_eq!(awake.take_events(1)[0].told().0, "message_start");
    for _ in 0..STARTS {
        client.post(&format!("{message}/tasks"), &task).ok();
        assert_eq!(awake.take_events(2)[0].told().0, "task_started");
    }
    eventually("the cut", PATIENCE, || {
        let metrics = client.get("//metrics").text();
        metrics.lines().any(|line| line == "reef_stream_readers 1").then_some(())
    });
    let (mut taken, end) = idle.rest();
    assert_eq!(end, End::Cut);
    assert!(taken.len() < 2 * STARTS, "{}: nothing was cut", taken.len());
    client.post_empty(&format!("{message}/complete")).ok();
    let last = taken.last().unwrap().cursor();
    let (rest, end) = client.stream(&format!("{path}?last_id={last}")).rest();
    assert_eq!(end, End::Said);
    taken.extend(rest);
    let sequences = taken.iter().map(|frame| frame.told().1["sequence"].as_u64().unwrap());
    assert!(sequences.eq(1..=2 * STARTS as u64 + 2));
}
