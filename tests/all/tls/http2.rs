//! What HTTP/2 adds, and what of it is bounded.

use super::frames::{DATA, END_STREAM, Frames, GOAWAY, HEADERS, PING, RST_STREAM};
use super::{Authority, rest, serving};
use crate::harness::Hub;

const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

fn hub(authority: &Authority) -> Hub {
    serving(&authority.hub("hub")).arg("--send-timeout").arg("0.5").start()
}

fn number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[..4].try_into().unwrap())
}

#[test]
fn many_event_streams_share_a_connection() {
    let authority = Authority::new();
    let hub = hub(&authority);
    let mut frames = Frames::open(&hub, &authority, 1 << 20);
    for place in 0..20 {
        frames.get(2 * place + 1, "/api/v1/events/stream", &hub.admin_key()).unwrap();
    }
    let mut begun = std::collections::BTreeSet::new();
    while begun.len() < 20 {
        let frame = frames.next().unwrap();
        if frame.kind == HEADERS {
            begun.insert(frame.stream);
        }
        assert!(![RST_STREAM, GOAWAY].contains(&frame.kind), "{frame:?}");
    }
}

#[test]
fn a_stream_that_takes_nothing_is_cut_and_its_neighbours_go_on() {
    let authority = Authority::new();
    let hub = hub(&authority);
    let mut frames = Frames::open(&hub, &authority, 1);
    frames.get(1, "/openapi.json", &hub.admin_key()).unwrap();
    assert_eq!(frames.until(DATA, 1).unwrap().payload.len(), 1);
    let cut = frames.until(RST_STREAM, 1).unwrap();
    assert_eq!(number(&cut.payload), CANCEL);
    frames.get(3, "/healthz", &hub.admin_key()).unwrap();
    assert!(frames.until(HEADERS, 3).is_some());
    frames.ping();
    assert_eq!(frames.until(PING, 0).unwrap().payload, b"are you?");
}

/// Clients that are still sending when their stream is reset lose what was answered.
#[test]
fn who_is_refused_may_finish_the_body_but_not_take_forever() {
    let authority = Authority::new();
    let hub = hub(&authority);
    let mut frames = Frames::open(&hub, &authority, 1 << 20);
    // What is refused whatever the body says.
    let path = "/mcp?toolsets=none";
    frames.post(1, path, &hub.admin_key()).unwrap();
    assert!(frames.until(HEADERS, 1).is_some());
    frames.send(DATA, 0, 1, b"{").unwrap();
    frames.ping();
    frames.post(3, path, &hub.admin_key()).unwrap();
    loop {
        let frame = frames.next().unwrap();
        assert!(![RST_STREAM, GOAWAY].contains(&frame.kind), "{frame:?}");
        if frame.kind == PING {
            break;
        }
    }
    frames.send(DATA, END_STREAM, 1, b"}").unwrap();
    // The third never sends its body, and is the only one that is reset.
    let reset =
        std::iter::from_fn(|| frames.next()).find(|frame| frame.kind == RST_STREAM).unwrap();
    assert_eq!((reset.stream, number(&reset.payload)), (3, 0));
}

#[test]
fn who_opens_streams_only_to_reset_them_is_sent_away() {
    let authority = Authority::new();
    let hub = hub(&authority);
    let mut frames = Frames::open(&hub, &authority, 1 << 20);
    let mut is_cut = false;
    for place in 0..100_000 {
        let stream = 2 * place + 1;
        let sent = frames
            .get(stream, "/openapi.json", &hub.admin_key())
            .and_then(|()| frames.send(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
        if sent.is_err() {
            is_cut = true;
            break;
        }
    }
    match frames.until(GOAWAY, 0) {
        Some(gone) => assert_eq!(number(&gone.payload[4..]), ENHANCE_YOUR_CALM),
        // It was closed while we wrote, and the words of it are lost.
        None => assert!(is_cut, "nobody minds"),
    }
    let mut again = Frames::open(&hub, &authority, 1 << 20);
    again.get(1, "/healthz", &hub.admin_key()).unwrap();
    assert!(again.until(HEADERS, 1).is_some());
}

#[test]
fn who_opens_too_many_streams_is_refused_the_last() {
    let authority = Authority::new();
    let hub = hub(&authority);
    let mut frames = Frames::open(&hub, &authority, 1 << 20);
    for place in 0..129 {
        frames.get(2 * place + 1, "/api/v1/events/stream", &hub.admin_key()).unwrap();
    }
    assert!(frames.until(RST_STREAM, 257).is_some());
}

#[test]
fn a_hub_that_stops_says_so_on_each_connection() {
    let authority = Authority::new();
    let mut hub = hub(&authority);
    let mut frames = Frames::open(&hub, &authority, 1 << 20);
    frames.get(1, "/api/v1/events/stream", &hub.admin_key()).unwrap();
    frames.until(HEADERS, 1).unwrap();
    let mut older = super::connect(&hub, &authority, &["http/1.1"]);
    hub.terminate();
    assert!(frames.until(GOAWAY, 0).is_some());
    assert!(rest(&mut older).is_empty());
    assert!(hub.wait().success());
}
