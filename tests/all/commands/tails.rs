//! Readers and writers on the command line, while the hub comes and goes.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{Shell, feed};
use crate::harness::{Hub, PATIENCE, RedisServer, Signal, eventually};

#[test]
fn a_reader_and_a_writer_outlive_the_hub() {
    let server = RedisServer::start();
    let mut hub = Hub::options().redis(&server).start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    let piece = |number: usize| format!("{number} – Zeile mit ümlauts\n");
    let whole: String = (0..300).map(piece).collect();

    let tail = shell.start(&["messages", "tail", &session, &message]);
    let mut append = shell.start(&["messages", "append", &message, "-", "--complete"]);
    let mut input = append.input();
    feed(&mut input, (0..100).map(piece));
    tail.until_printed(&piece(99));
    hub.kill();
    tail.until_said("the stream was cut");
    // The writer has no hub either, and says nothing twice.
    feed(&mut input, (100..200).map(piece));
    hub.start_again_there();
    feed(&mut input, (200..300).map(piece));
    drop(input);

    let append = append.wait();
    assert_eq!(append.code, Some(0), "{append:?}");
    let tail = tail.wait();
    assert_eq!(tail.code, Some(0), "{}", tail.stderr);
    assert_eq!(hub.admin().get(&format!("/messages/{message}")).json()["text"], whole);
    assert_eq!(tail.stdout, whole);
    assert!(tail.stderr.contains("the stream goes on"), "{}", tail.stderr);
}

#[test]
fn a_stream_that_nobody_resumes_ends_with_4() {
    let mut hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    shell.ok(&["messages", "append", &message, "half"]);
    let messages = ["messages", "tail", &session, &message, "--give-up-after", "1.5"];
    let tails = [shell.start(&messages), shell.start(&[&messages[..], &["--json"]].concat())];
    for tail in &tails {
        tail.until_printed("half");
    }
    let events = shell.start(&["events", "tail", "--from", "0", "--give-up-after", "0.5"]);
    hub.admin().new_node("seen");
    events.until_printed("node_registered");
    hub.kill();
    for tail in tails.into_iter().chain([events]) {
        let ended = tail.wait();
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.stderr.contains("could not be resumed within"), "{ended:?}");
    }
}

#[test]
fn programs_get_an_object_a_line_and_go_on_where_they_were() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    shell.ok(&["messages", "append", &message, "all of it"]);
    shell.ok(&["messages", "complete", &message]);
    let tail = ["messages", "tail", &session, &message, "--json"];
    let lines = |from: &str| -> Vec<Value> {
        let printed = shell.ok(&[&tail[..], &["--from", from]].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = lines("0");
    let types: Vec<_> = all.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(types, ["message_start", "text_delta", "message_end"]);
    let page = hub.admin().get(&format!("/messages/{message}/events")).json();
    let data: Vec<_> = all.iter().map(|line| line["data"].clone()).collect();
    assert_eq!(Value::from(data), page["events"]);
    let cursor = |at: usize| all[at]["id"].as_str().unwrap();
    for from in [cursor(0), "1", all[0]["data"]["event_id"].as_str().unwrap()] {
        assert_eq!(lines(from), all[1..], "{from}");
    }
    // All was read before: that is an end, too.
    assert_eq!(lines(cursor(2)), [] as [Value; 0]);
}

#[test]
fn what_is_no_text_is_said_beside_it() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    let tail = shell.start(&["messages", "tail", &session, &message]);
    let client = hub.admin();
    let at = format!("/messages/{message}");
    client.post(&format!("{at}/append"), &json!({"delta": "before "})).ok();
    let task = json!({"task_type": "image_generation", "task_id": "draw-1"});
    client.post(&format!("{at}/tasks"), &task).ok();
    let half = json!({"status": "processing", "progress": 0.5});
    client.patch(&format!("{at}/tasks/draw-1"), &half).ok();
    let image = json!({"content_type": "image", "image": {"url": "http://x/y.png"}});
    let done = json!({"status": "completed", "content": image});
    client.patch(&format!("{at}/tasks/draw-1"), &done).ok();
    client.post(&format!("{at}/append"), &json!({"delta": "after\u{1b}[31m"})).ok();
    client.post(&format!("{at}/complete"), &json!({"error": "out of ink"})).ok();
    let ended = tail.wait();
    assert_eq!(ended.stdout, "before after\u{1b}[31m");
    for said in ["draw-1: image_generation started", "draw-1: 50 %", "to be made by draw-1"] {
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    assert!(ended.stderr.contains("http://x/y.png"), "{ended:?}");
    // The text was read to its end, but it is not what it should have been.
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("error: the message ended with an error: out of ink"));
    assert!(!ended.stderr.contains('\u{1b}'), "colours without a terminal: {ended:?}");
}

#[test]
fn a_log_that_was_trimmed_costs_no_text() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    let client = hub.admin();
    // The log keeps the last 1000 events.
    for number in 0..1100 {
        let delta = json!({"delta": format!("{number} ")});
        client.post(&format!("/messages/{message}/append"), &delta).ok();
    }
    shell.ok(&["messages", "complete", &message]);
    let text = client.get(&format!("/messages/{message}")).json()["text"].clone();
    assert_eq!(shell.ok(&["messages", "tail", &session, &message]), text.as_str().unwrap());
    let late = shell.run(&["messages", "tail", &session, &message, "--from", "5"]);
    assert_eq!((late.code, late.stdout.as_str()), (Some(0), text.as_str().unwrap()));
    assert!(late.stderr.contains("events were missed"), "{late:?}");
}

#[test]
fn a_message_that_is_removed_while_it_is_read_ends_with_1() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    shell.ok(&["messages", "append", &message, "to be forgotten"]);
    let tail = shell.start(&["messages", "tail", &session, &message]);
    tail.until_printed("to be forgotten");
    hub.admin().delete(&format!("/sessions/{session}/messages?keep_days=0")).ok();
    let ended = tail.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("was removed"), "{ended:?}");
}

#[test]
fn an_interrupted_reader_ends_with_130() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    shell.ok(&["messages", "append", &message, "here"]);
    let tail = shell.start(&["messages", "tail", &session, &message]);
    tail.until_printed("here");
    tail.signal(Signal::Interrupt);
    assert_eq!(tail.wait().code, Some(130));
    // It waits for input that does not come.
    let mut append = shell.start(&["messages", "append", &message, "-"]);
    let mut input = append.input();
    feed(&mut input, [" and there".to_owned()]);
    eventually("the piece", PATIENCE, || {
        let shown = hub.admin().get(&format!("/messages/{message}")).json();
        (shown["text"] == "here and there").then_some(())
    });
    append.signal(Signal::Interrupt);
    let ended = append.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    drop(input);
}

#[test]
fn a_reader_whose_own_reader_has_gone_ends() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let mut command = shell.command(&["events", "tail", "--from", "0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    hub.admin().new_node("unseen");
    let status = eventually("the end", PATIENCE, || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(141));
}
