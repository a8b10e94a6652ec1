//! Event streams, which the host serves itself (contract.md §7): what a reader gets, wherever and
//! whenever it joins.

use std::sync::mpsc;

use serde_json::{Value, json};

use crate::harness::{End, EventStream, Frame, Hub, Message};

/// What these tests do with a message.
trait Told {
    fn write(&self);
    fn path(&self, query: &str) -> String;
    fn read(&self, query: &str) -> EventStream;
    fn read_snapshot(&self, query: &str) -> (EventStream, Frame);
}

impl Told for Message {
    /// Everything that can happen to a message, the end apart.
    #[track_caller]
    fn write(&self) {
        for delta in ["One ", "\"two\" \\ ", "three\nlines\r\n\n: data\nid: 1-0", "\u{1F980}"] {
            self.append(delta);
        }
        let block = json!({"content_type": "text", "text": {"text": "a\n\nb"}});
        self.post("content", &block);
        let task = json!({"task_id": "draw", "task_type": "image_generation"});
        self.post("tasks", &task);
        let path = format!("/messages/{}/tasks/draw", self.id);
        self.client.patch(&path, &json!({"status": "processing", "progress": 0.5})).ok();
        let image = json!({
            "content_type": "image",
            "image": {"url": "http://example.com/x.png"},
        });
        let done = json!({"status": "completed", "content": image});
        self.client.patch(&path, &done).ok();
        self.append(" end");
    }

    /// Where its stream is, after a cursor.
    fn path(&self, query: &str) -> String {
        self.stream() + query
    }

    #[track_caller]
    fn read(&self, query: &str) -> EventStream {
        let stream = self.client.stream(&self.path(query));
        assert_eq!(stream.status, 200, "{query}");
        stream
    }

    /// Checks that the cursor brings a snapshot of the message as it is, and goes on with it.
    #[track_caller]
    fn read_snapshot(&self, query: &str) -> (EventStream, Frame) {
        let mut stream = self.read(query);
        let frame = stream.next_event().unwrap_or_else(|| panic!("{query}: nothing"));
        let message = self.now();
        let expected = json!({"message": message, "sequence": message["sequence"]});
        assert_eq!(frame.told(), ("snapshot", expected), "{query}");
        (stream, frame)
    }
}

/// What the frames tell, each checked to be of the type that it says.
#[track_caller]
fn told(frames: &[Frame]) -> Vec<Value> {
    let event = |frame: &Frame| {
        let (event_type, event) = frame.told();
        assert_eq!(event["event_type"], event_type, "{frame:?}");
        event
    };
    frames.iter().map(event).collect()
}

/// The text that the events' deltas add up to.
fn text(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["payload"]["delta"].as_str()).collect()
}

#[track_caller]
fn assert_sequences(events: &[Value], from: i64, to: i64) {
    let sequences: Vec<_> =
        events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, (from..=to).collect::<Vec<_>>());
}

#[test]
fn a_stream_tells_a_messages_events_and_ends_with_it() {
    let hub = Hub::start();
    let message = Message::begin(&hub.admin());
    message.write();
    message.complete();
    let mut stream = message.read("");
    assert_eq!(stream.header("content-type").unwrap().split(';').next(), Some("text/event-stream"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    assert!(stream.header("x-request-id").is_some_and(|id| !id.is_empty()));
    let first = stream.next_frame().unwrap();
    assert_eq!(first, Frame { retry: Some("1000".to_owned()), ..Frame::default() });

    let (frames, end) = stream.rest();
    assert_eq!(end, End::Said);
    let events = told(&frames);
    assert_eq!(events, message.events());
    assert!(events.len() >= 12, "{}", events.len());
    assert_eq!(frames.last().unwrap().told().0, "message_end");
    assert_eq!(text(&events), message.now()["text"]);
    let (ids, begin): (Vec<_>, _) = (frames.iter().map(Frame::cursor).collect(), "?last_id=0");
    assert!(ids.iter().all(|id| id.split('-').count() == 2), "{ids:?}");
    assert_eq!(message.read(begin).rest(), (frames.clone(), End::Said));
}

#[test]
fn a_reader_that_comes_back_gets_every_later_event_once() {
    let hub = Hub::start();
    let message = Message::begin(&hub.admin());
    message.write();
    message.complete();
    let (all, _) = message.read("").rest();
    for (at, last) in all.iter().enumerate() {
        let (_, event) = last.told();
        let (id, event_id) = (last.cursor(), event["event_id"].as_str().unwrap());
        let sequence = event["sequence"].to_string();
        for cursor in [id, event_id, &sequence] {
            let in_header = message.client.with("last-event-id", cursor);
            // Browsers come back with the address that they began with.
            let begun_with = ["", "?last_id=0", "?last_id=2", "?last_id=nonsense"][at % 4];
            for mut stream in [
                message.client.stream(&message.path(&format!("?last_id={cursor}"))),
                in_header.stream(&message.path(begun_with)),
            ] {
                if at + 1 == all.len() {
                    assert_eq!((stream.status, stream.next_frame()), (204, None), "{cursor}");
                    continue;
                }
                assert_eq!(stream.status, 200, "{cursor}");
                assert_eq!(stream.rest(), (all[at + 1..].to_vec(), End::Said), "{cursor}");
            }
        }
    }
}

#[test]
fn who_waits_is_told_at_once() {
    let hub = Hub::start();
    let message = Message::begin(&hub.admin());
    let mut early = message.read("");
    let mut late = message.read("?last_id=1");
    assert_eq!(early.take_events(1)[0].told().0, "message_start");
    message.append("first ");
    // Before anything else happens, so that nothing else can have pushed it out.
    let (seen, _) = (early.take_events(1), late.take_events(1));
    assert_eq!(text(&told(&seen)), "first ");
    message.write();
    message.complete();
    let all = message.events();
    let ((early, early_end), (late, late_end)) = (early.rest(), late.rest());
    assert_eq!((early_end, late_end), (End::Said, End::Said));
    assert_eq!(told(&early), all[2..]);
    assert_eq!(late, early);
}

#[test]
fn a_reader_may_join_at_any_moment_of_the_writing() {
    const DELTAS: usize = 60;
    let hub = Hub::start();
    for seed in [3_usize, 17, 29, 41, 58] {
        let message = Message::begin(&hub.admin());
        let (writer, (written, progress)) = (message.clone(), mpsc::channel());
        let thread = std::thread::spawn(move || {
            for number in 0..DELTAS {
                writer.append(&format!("{number},"));
                let _ = written.send(());
            }
            writer.complete();
        });
        for _ in 0..seed {
            progress.recv().unwrap();
        }
        // One begins with the message as it is, the other with nothing.
        let known = message.now();
        let mut behind = message.read(&format!("?last_id={}", known["sequence"]));
        let mut whole = message.read("");
        let (behind, whole) = (behind.rest(), whole.rest());
        thread.join().unwrap();

        let end = message.now();
        let last = end["sequence"].as_i64().unwrap();
        assert_eq!((whole.1, behind.1), (End::Said, End::Said), "{seed}");
        let (behind, whole) = (told(&behind.0), told(&whole.0));
        assert_sequences(&whole, 1, last);
        assert_sequences(&behind, known["sequence"].as_i64().unwrap() + 1, last);
        assert_eq!(text(&whole), end["text"], "{seed}");
        assert_eq!(known["text"].as_str().unwrap().to_owned() + &text(&behind), end["text"]);
    }
}

#[test]
fn a_snapshot_stands_for_what_the_log_no_longer_holds() {
    let hub = Hub::start();
    let message = Message::begin(&hub.admin());
    let old = message.read("").take_events(1).remove(0);
    for number in 0..1010 {
        message.append(&format!("{number} "));
    }
    let start = format!("?last_id={}", old.cursor());
    for query in ["", "?last_id=0", "?last_id=3", start.as_str()] {
        message.read_snapshot(query);
    }
    // What the log still holds is told as it happened.
    let (mut by_snapshot, snapshot) = message.read_snapshot("?last_id=1");
    let mut by_events = message.read("?last_id=1000");
    let mut returned = message.read(&format!("?last_id={}", snapshot.cursor()));
    assert_sequences(&told(&by_events.take_events(11)), 1001, 1011);
    message.append("one more");
    message.complete();
    let (rest, end) = by_snapshot.rest();
    assert_eq!(end, End::Said);
    assert_sequences(&told(&rest), 1012, 1013);
    assert_eq!(returned.rest(), (rest.clone(), End::Said));
    assert_eq!(by_events.rest(), (rest, End::Said));

    // A complete message has nothing behind its snapshot.
    let (mut stream, snapshot) = message.read_snapshot("");
    assert_eq!(stream.rest(), (vec![], End::Said));
    let again = message.client.stream(&message.path(&format!("?last_id={}", snapshot.cursor())));
    assert_eq!(again.status, 204);
}

#[test]
fn a_large_text_is_whole_in_the_snapshot() {
    let hub = Hub::start();
    let message = Message::begin(&hub.admin());
    for _ in 0..3 {
        message.append(&"起".repeat(40_000));
    }
    message.read_snapshot("?last_id=99");
    message.complete();
    let (_, snapshot) = message.read_snapshot("?last_id=99");
    let text = snapshot.told().1["message"]["text"].as_str().unwrap().len();
    assert_eq!(text, 3 * 3 * 40_000);
}

#[test]
fn a_cursor_that_was_never_given_brings_a_snapshot() {
    let hub = Hub::start();
    let message = Message::begin(&hub.admin());
    message.append("text");
    let unknown = ["3", "99999999", "evt_other_1", "1-1", "99999999999999-0"].map(str::to_owned);
    let own = format!("evt_{}_99", message.id);
    for cursor in unknown.iter().chain([&own]) {
        message.read_snapshot(&format!("?last_id={cursor}"));
    }
    let (mut stream, _) = message.read_snapshot("?last_id=99");
    message.complete();
    let (rest, end) = stream.rest();
    assert_eq!((told(&rest).len(), end), (1, End::Said));
    let (mut stream, _) = message.read_snapshot(&format!("?last_id={own}"));
    assert_eq!(stream.rest(), (vec![], End::Said));
}

#[test]
fn who_may_not_read_or_asks_for_nonsense_is_refused() {
    let hub = Hub::start();
    let client = hub.admin();
    let (message, other) = (Message::begin(&client), Message::begin(&client));
    let own = format!("evt_{}_x", message.id);
    for cursor in ["x", "-1", "1-", "1.5", "1-2-3", "evt_", "99999999999999999999", &own] {
        let answer = client.get(&message.path(&format!("?last_id={cursor}")));
        answer.problem_with(400, "invalid_parameter", "last_id");
        let answer = client.with("last-event-id", cursor).get(&message.path("?last_id=0"));
        answer.problem_with(400, "invalid_parameter", "Last-Event-ID");
    }
    client.get("/events/stream?last_id=x").problem_with(400, "invalid_parameter", "last_id");

    let elsewhere = |session: &str, id: &str| format!("/sessions/{session}/messages/{id}/stream");
    for (session, id) in [
        (message.session.as_str(), "unknown"),
        ("unknown", message.id.as_str()),
        (&other.session, &message.id),
    ] {
        client.get(&elsewhere(session, id)).problem(404, "not_found");
    }
    for path in [message.path(""), elsewhere("unknown", "unknown"), "/events/stream".to_owned()] {
        hub.anonymous().get(&path).problem(401, "unauthenticated");
        hub.anonymous().with_key("wrong").get(&path).problem(401, "unauthenticated");
        client.post(&path, &json!({})).problem(405, "method_not_allowed");
    }
}

#[test]
fn the_clusters_events_are_told_the_same_way() {
    let hub = Hub::start();
    let client = hub.admin();
    let mut early = client.stream("/events/stream");
    assert_eq!(early.status, 200);
    assert_eq!(early.next_frame().unwrap().retry.as_deref(), Some("1000"));
    for _ in 0..6 {
        client.new_node("streamed");
    }
    // The hub itself may add to them at any time, so this many are compared.
    let page = client.get("/cluster/events?after=0&limit=1000").ok();
    let listed = page["events"].as_array().unwrap();
    assert!(listed.len() >= 6, "{page}");
    let frames = early.take_events(listed.len());
    assert_eq!(told(&frames), *listed);
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!(frame.cursor(), listed[at]["event_id"]);
        let rest = &frames[at + 1..];
        let mut by_query = client.stream(&format!("/events/stream?last_id={}", frame.cursor()));
        let with_header = client.with("last-event-id", frame.cursor());
        let mut by_header = with_header.stream("/events/stream?last_id=0");
        assert_eq!(by_query.take_events(rest.len()), rest);
        assert_eq!(by_header.take_events(rest.len()), rest);
    }
    let mut late =
        client.stream(&format!("/events/stream?last_id={}", frames.last().unwrap().cursor()));
    let id = client.new_node("last");
    let find = |stream: &mut EventStream| loop {
        let frame = stream.next_event().expect("an end");
        if frame.told().1["payload"]["node_id"] == id {
            return frame;
        }
    };
    assert_eq!(find(&mut late), find(&mut early));
}
