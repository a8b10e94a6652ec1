//! What is said, and what the exit code is, when something is wrong.

use super::Shell;
use crate::harness::Hub;

/// An address where nobody listens (any longer).
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn no_hub_is_3_and_says_how_to_start_one() {
    let shell = Shell::at(&nowhere());
    for args in [
        &["messages", "show", "m"][..],
        &["messages", "tail", "s", "m"],
        &["events", "tail"],
        &["inbox", "send", "a", "x", "--from", "b"],
        &["messages", "append", "m", "x"],
    ] {
        let ended = shell.run(args);
        assert_eq!(ended.code, Some(3), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains("Connection refused"), "{ended:?}");
        assert!(ended.stderr.contains("hint: start a hub with `reef up`"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_wrong_key_is_1_and_says_where_it_came_from() {
    let hub = Hub::start();
    let none = Shell::at(hub.url()).run(&["inbox", "list", "a"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.stderr.contains("--key-file FILE") && none.stderr.contains("REEF_API_KEY"));

    let wrong = Shell::at(hub.url()).with("REEF_API_KEY", "opensesame");
    for args in [&["inbox", "list", "a"][..], &["events", "tail"]] {
        let ended = wrong.run(args);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("the key in REEF_API_KEY is not"), "{ended:?}");
        assert!(!ended.stderr.contains("opensesame"), "{ended:?}");
    }
    let file = wrong.folder.path().join("a.key");
    std::fs::write(&file, "opensesame\n").unwrap();
    let ended = wrong.run(&["inbox", "list", "a", "--key-file", "a.key"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("the key in a.key is not"), "{ended:?}");
}

#[test]
fn a_key_is_found_where_it_lies() {
    let hub = Hub::start();
    let state_dir = hub.state_dir().display().to_string();
    Shell::at(hub.url()).with("REEF_STATE_DIR", &state_dir).ok(&["inbox", "list", "a"]);
    Shell::at(hub.url()).with("REEF_API_KEY", &hub.admin_key()).ok(&["inbox", "list", "a"]);
    let shell = Shell::at(hub.url());
    std::os::unix::fs::symlink(hub.state_dir(), shell.folder.path().join(".reef")).unwrap();
    shell.ok(&["inbox", "list", "a"]);
    let file = hub.state_dir().join("admin.key").display().to_string();
    Shell::at("http://127.0.0.1:1").ok(&[
        "inbox",
        "list",
        "a",
        "--hub",
        hub.url(),
        "--key-file",
        &file,
    ]);
}

#[test]
fn what_makes_no_sense_is_2() {
    let shell = Shell::at("http://127.0.0.1:1");
    for args in [
        &["messages"][..],
        &["messages", "send", "s"],
        &["inbox", "send", "a", "x"],
        &["inbox", "send", "a", "{", "--from", "b", "--content-json"],
        &["messages", "tail", "s", "m", "--give-up-after", "-1"],
        &["messages", "append", "m", "x", "--epoch", "1"],
        &["inbox", "list", "a", "--hub", "127.0.0.1:8888"],
        &["inbox", "list", "a", "--hub", "http://me:sesame@127.0.0.1:8888"],
        &["inbox", "list", "a", "--key-file", "not-there"],
        &["messages", "show", ".."],
    ] {
        let ended = shell.run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(!ended.stderr.is_empty() && !ended.stderr.contains("error: sesame"), "{ended:?}");
    }
}

#[test]
fn a_refusal_is_1_and_says_what_the_hub_says() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    shell.ok(&["messages", "complete", &message]);
    for (args, said) in [
        (&["messages", "append", &message, "x"][..], "is complete"),
        (&["messages", "complete", &message], "is complete"),
        (&["messages", "show", "msg_unknown"], "no message msg_unknown"),
        (&["messages", "tail", &session, "msg_unknown"], "no such message"),
        (&["messages", "send", "unknown", "x"], "no session unknown"),
        (&["messages", "send", &session, "x", "--role", "king"], "role"),
        (&["inbox", "send", "a b", "x", "--from", "c"], "agent"),
        (&["inbox", "list", "a", "--limit", "0"], "limit"),
        (&["inbox", "send", "a", "x", "--from", "", "--priority", "?"], "\n  priority: must be"),
        (&["events", "list", "--from", "x"], "after"),
        (&["events", "tail", "--from", "x"], "Last-Event-ID"),
    ] {
        let ended = shell.run(args);
        assert_eq!(ended.code, Some(1), "{args:?}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
        assert_eq!(ended.stdout, "");
    }
}
