use serde_json::Value;

use super::{Shell, feed};
use crate::harness::{Hub, unique};

#[test]
fn a_conversation_from_the_command_line() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let session = unique("s");
    let sent = shell.ok(&["messages", "send", &session, "What is new?", "--create"]);
    let ids: Vec<_> = sent.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    assert_eq!(sent.lines().count(), 2, "{sent}");
    assert!(sent.starts_with("message  msg_") && sent.contains("\nanswer   msg_"), "{sent}");
    let answer = ids[1];

    let appended = shell.ok(&["messages", "append", answer, "Nothing, "]);
    assert_eq!(appended, "appended; the text has 9 bytes after event 2\n");
    let appended = shell.json(&["messages", "append", answer, "so far."]);
    assert_eq!(appended, serde_json::json!({"sequence": 3, "length": 16}));
    let done = shell.ok(&["messages", "complete", answer]);
    assert_eq!(done, format!("{answer} is complete after 4 events\n"));

    let shown = shell.ok(&["messages", "show", answer]);
    for part in [answer, &session, "assistant", "complete", ids[0], "\n\nNothing, so far.\n"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let list = shell.ok(&["messages", "list", &session]);
    let lines: Vec<_> = list.lines().collect();
    assert!(lines[0].starts_with("MESSAGE") && lines.len() == 3, "{list}");
    assert!(lines[1].contains("What is new?") && lines[2].contains("Nothing, so far."), "{list}");
    let first = shell.run(&["messages", "list", &session, "--limit", "1"]);
    let cursor = first.stderr.trim().rsplit(' ').next().unwrap();
    let second = shell.ok(&["messages", "list", &session, "--cursor", cursor]);
    assert!(second.contains(answer) && !second.contains(ids[0]), "{first:?} {second}");
}

#[test]
fn json_is_what_the_hub_answers_byte_for_byte() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    for (args, path) in [
        (["messages", "show", &message], format!("/messages/{message}")),
        (["messages", "list", &session], format!("/sessions/{session}/messages")),
        (["inbox", "list", &message], format!("/inbox/{message}")),
        (["inbox", "dead", &message], format!("/inbox/{message}/dead")),
    ] {
        let printed = shell.ok(&[&args[..], &["--json"]].concat());
        assert_eq!(printed, format!("{}\n", hub.admin().get(&path).text()));
    }
    let events = shell.json(&["events", "list"]);
    assert_eq!(events, hub.admin().get("/cluster/events?after=0&limit=100").json());
}

#[test]
fn standard_input_is_appended_as_it_comes() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (_, message) = shell.conversation();
    let mut append = shell.start(&["messages", "append", &message, "-", "--complete"]);
    let mut input = append.input();
    let text = || hub.admin().get(&format!("/messages/{message}")).json()["text"].clone();
    // Each piece is there before the next is written, and a character that is cut in two waits.
    feed(&mut input, ["first ".to_owned()]);
    crate::harness::eventually("the first piece", crate::harness::PATIENCE, || {
        (text() == "first ").then_some(())
    });
    std::io::Write::write_all(&mut input, &"é".as_bytes()[..1]).unwrap();
    std::io::Write::write_all(&mut input, &"é".as_bytes()[1..]).unwrap();
    let long = "wörter ".repeat(40_000);
    feed(&mut input, [long.clone()]);
    drop(input);
    let ended = append.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let shown = hub.admin().get(&format!("/messages/{message}")).json();
    assert_eq!(shown["text"], format!("first é{long}"));
    assert_eq!(shown["is_complete"], true);
}

#[test]
fn a_producer_may_be_named_and_its_earlier_runs_are_fenced() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (_, message) = shell.conversation();
    let append = |epoch: &str| {
        let named = ["--producer", "pipe-1", "--epoch", epoch];
        let mut append =
            shell.start(&[&["messages", "append", &message, "-"], &named[..]].concat());
        feed(&mut append.input(), [format!("[{epoch}]")]);
        append.wait()
    };
    assert_eq!(append("0").code, Some(0));
    assert_eq!(append("2").code, Some(0));
    let fenced = append("1");
    assert_eq!(fenced.code, Some(1), "{fenced:?}");
    assert!(fenced.stderr.contains("epoch 2"), "{fenced:?}");
    let shown: Value = hub.admin().get(&format!("/messages/{message}")).json();
    assert_eq!(shown["text"], "[0][2]");
}
