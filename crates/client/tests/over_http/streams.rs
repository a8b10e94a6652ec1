use std::time::Duration;

use futures_util::StreamExt as _;
use reef_client::{Error, EventStream, Hub, Received};

use crate::server::{Server, Turn, answer, events};

/// A whole stream; the hub's pauses are short here.
const STREAM: &str = "retry: 10\n\n\
    id: 1-0\nevent: message_start\ndata: {\"role\":\"assistant\"}\n\n:\n\n\
    id: 2-0\nevent: text_delta\ndata: {\"delta\":\"h\u{e9}\"}\n\n\
    id: 3-0\nevent: text_delta\ndata: {\"delta\":\"llo\"}\n\n\
    id: 4-0\nevent: message_end\ndata: {}\n\n";

fn open(server: &Server) -> EventStream {
    let hub = Hub::new(&server.url, None).unwrap();
    hub.stream(["events", "stream"]).give_up_after(Duration::from_secs(20)).open()
}

/// The ids of all events, and the error if there is one before the end.
async fn read(mut stream: EventStream) -> (Vec<String>, Option<Error>) {
    let mut ids = Vec::new();
    while let Some(received) = stream.next().await {
        match received {
            Ok(Received::Event(event)) => ids.push(event.id),
            Ok(Received::Interrupted { .. } | Received::Resumed) => {}
            Err(error) => {
                assert!(stream.next().await.is_none(), "more after the error");
                return (ids, Some(error));
            }
        }
    }
    (ids, None)
}

/// What a hub sends to a reader that has read up to an id.
fn behind(id: &str) -> String {
    let rest = STREAM.split("\n\n").skip_while(|frame| !frame.starts_with(&format!("id: {id}\n")));
    format!("retry: 10\n\n{}", rest.skip(1).collect::<Vec<_>>().join("\n\n"))
}

#[tokio::test]
async fn a_stream_that_is_cut_at_any_byte_brings_every_event_once() {
    let cuts = (1..STREAM.len()).filter(|at| STREAM.is_char_boundary(*at));
    futures_util::future::join_all(cuts.map(cut_at)).await;
}

async fn cut_at(cut: usize) {
    let (sent, complete) = (&STREAM[..cut], STREAM[..cut].rfind("\n\n").unwrap_or(0));
    let frames = sent[..complete].split("\n\n");
    let ids = frames.filter_map(|frame| frame.strip_prefix("id: ")?.lines().next());
    let known = ids.last();
    let rest = known.map_or(STREAM.to_owned(), behind);
    let server = Server::start([Turn::Say(events(sent)), Turn::Say(events(&rest))]).await;
    let (ids, error) = read(open(&server)).await;
    assert!(error.is_none(), "cut at {cut}: {error:?}");
    assert_eq!(ids, ["1-0", "2-0", "3-0", "4-0"], "cut at {cut}");
    if let Some(again) = server.requests().get(1) {
        let said = again.lines().find_map(|line| line.strip_prefix("last-event-id: "));
        assert_eq!(said, known, "cut at {cut}");
    }
}

#[tokio::test]
async fn the_end_is_known_by_the_last_event_or_by_204() {
    let whole = Server::start([Turn::SayAndHold(events(STREAM))]).await;
    assert_eq!(read(open(&whole)).await.0.len(), 4);

    let nothing_new = answer("204 No Content", "", "");
    let cut = Turn::Say(events("retry: 10\n\nid: 1-0\nevent: x\ndata: {}\n\n"));
    let server = Server::start([cut, nothing_new]).await;
    let (ids, error) = read(open(&server)).await;
    assert!(error.is_none() && ids == ["1-0"], "{ids:?} {error:?}");

    let snapshot = "id: 9-0\nevent: snapshot\ndata: {\"message\":{\"is_complete\":true}}\n\n";
    let server = Server::start([Turn::Say(events(snapshot))]).await;
    assert_eq!(read(open(&server)).await.0, ["9-0"]);
}

#[tokio::test]
async fn interruptions_are_told_and_tried_again_while_the_hub_is_away() {
    let begin = Turn::Say(events("retry: 10\n\nid: 1-0\nevent: x\ndata: {}\n\n"));
    let busy = answer("503 Service Unavailable", "", "{}");
    let turns = [begin, busy.clone(), busy, Turn::Say(events(&behind("1-0")))];
    let server = Server::start(turns).await;
    let received: Vec<_> = open(&server).collect().await;
    let told = received.iter().map(|it| match it.as_ref().unwrap() {
        Received::Event(_) => 'e',
        Received::Interrupted { .. } => 'i',
        Received::Resumed => 'r',
    });
    assert_eq!(told.collect::<String>(), "eireee");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_stream_that_nobody_resumes_is_cut() {
    let begin = Turn::Say(events("retry: 10\n\nid: 1-0\nevent: x\ndata: {}\n\n"));
    let server = Server::start([begin]).await;
    let hub = Hub::new(&server.url, None).unwrap();
    let stream = hub.stream(["events", "stream"]).give_up_after(Duration::from_millis(300));
    let (ids, error) = read(stream.open()).await;
    assert_eq!(ids, ["1-0"]);
    assert!(matches!(error, Some(Error::Cut { .. })), "{error:?}");
}

#[tokio::test]
async fn silence_counts_as_a_cut_and_comments_break_it() {
    let silent = Turn::SayAndHold(events("retry: 10\n\nid: 1-0\nevent: x\ndata: {}\n\n:\n\n"));
    let server = Server::start([silent, Turn::Say(events(&behind("1-0")))]).await;
    let hub = Hub::new(&server.url, None).unwrap();
    let stream = hub.stream(["events", "stream"]).silence(Duration::from_millis(200));
    let (ids, error) = read(stream.open()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids, ["1-0", "2-0", "3-0", "4-0"]);
}

#[tokio::test]
async fn whoever_is_refused_does_not_come_back() {
    let gone = answer("404 Not Found", "", r#"{"code":"not_found","detail":"Gone."}"#);
    let begin = Turn::Say(events("retry: 10\n\nid: 1-0\nevent: x\ndata: {}\n\n"));
    for turns in [vec![gone.clone()], vec![begin, gone]] {
        let count = turns.len();
        let server = Server::start(turns).await;
        let (_, error) = read(open(&server)).await;
        assert_eq!(error.unwrap().problem().unwrap().status, 404);
        assert_eq!(server.requests().len(), count);
    }
}

#[tokio::test]
async fn what_is_removed_while_it_is_read_is_gone() {
    let begin = "id: 1-0\nevent: x\ndata: {}\n\n";
    let gone = "event: gone\ndata: {\"code\":\"not_found\",\"detail\":\"Removed.\"}\n\n";
    let server = Server::start([Turn::Say(events(&[begin, gone].concat()))]).await;
    let (ids, error) = read(open(&server)).await;
    assert_eq!(ids, ["1-0"]);
    let error = error.unwrap();
    let problem = error.problem().unwrap();
    assert_eq!((problem.status, problem.detail.as_str()), (404, "Removed."));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_first_try_is_not_repeated() {
    let server = Server::start([]).await;
    let (_, error) = read(open(&server)).await;
    assert!(matches!(error, Some(Error::Unreachable { .. })), "{error:?}");
    let page = answer("200 OK", "content-type: text/html\r\n", "<html>");
    let server = Server::start([page]).await;
    let (_, error) = read(open(&server)).await;
    assert!(matches!(error, Some(Error::Malformed(_))), "{error:?}");
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_nothing() {
    let server = Server::start([Turn::Say(events(STREAM))]).await;
    let mut stream = open(&server);
    let mut ids = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => {}
            received = stream.next() => match received {
                Some(Ok(Received::Event(event))) => ids.push(event.id),
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
    }
    assert_eq!(ids, ["1-0", "2-0", "3-0", "4-0"]);
}
