//! The program alone: what it carries within itself, in folders that hold nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::harness::{Client, Output, PATIENCE, Program, Signal, prepared, reef, root};

/// `reef` with these words, in this folder.
fn reef_in(folder: &Path, words: &[&str]) -> Command {
    let mut command = reef();
    command.args(words).current_dir(folder);
    command
}

fn ran(folder: &Path, words: &[&str]) -> Output {
    Program::run(&mut reef_in(folder, words), PATIENCE)
}

/// Starts a hub in a folder, with a client of it.
fn hub_in(folder: &Path, words: &[&str]) -> (Program, Client) {
    let hub = Program::start(reef_in(folder, &["up", "--listen", "127.0.0.1:0"]).args(words));
    let url = hub.line(Duration::from_secs(120), |line| {
        Some(line.strip_prefix("Serving ")?.trim().to_owned())
    });
    (hub, Client::new(&url))
}

fn stop(mut hub: Program) {
    hub.signal(Signal::Terminate);
    assert_eq!(hub.wait(PATIENCE).code(), Some(0), "{}", hub.stderr());
}

#[test]
fn a_hub_needs_nothing_but_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, client) = hub_in(folder.path(), &[]);
    assert!(hub.stderr().contains("components that this program carries"), "{}", hub.stderr());
    assert_eq!(client.get("//readyz").status, 200);
    // Nothing was compiled.
    let cache = folder.path().join(".reef/cache");
    assert_eq!(fs::read_dir(cache).unwrap().count(), 0);

    let health = client.get("//healthz").json();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    let components = health["components"].as_array().unwrap();
    assert_eq!(components.len(), fs::read_dir(root().join("components")).unwrap().count());
    for component in components {
        let file = component["name"].as_str().unwrap().replace('-', "_");
        let wasm = fs::read(prepared(&format!("target/wasm32-wasip2/component/{file}.wasm")));
        let wasm = wasm.unwrap();
        let sum: String = Sha256::digest(&wasm).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(component["sha256"], sum, "{file}: `cargo xtask build` has not run since");
        assert_eq!(component["size"], wasm.len());
        assert_eq!(component["compiled"], true);
    }

    let short = ran(folder.path(), &["--version"]).stdout;
    assert_eq!(short.trim(), format!("reef {}", env!("CARGO_PKG_VERSION")));
    let verbose = ran(folder.path(), &["--version", "--verbose"]).stdout;
    for part in [&health["commit"], &components[0]["sha256"], &components[0]["size"]] {
        let part = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        assert!(verbose.contains(&part), "{part}: {verbose}");
    }
    stop(hub);
}

#[test]
fn what_is_exported_is_served_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let exported = ran(folder.path(), &["spin", "export", "hub"]);
    assert_eq!(exported.status.code(), Some(0), "{}", exported.stderr);
    let hub_folder = folder.path().join("hub");
    let names = || {
        let entries = fs::read_dir(&hub_folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let expected = [
        "heartbeat.wasm",
        "heartbeat_check.wasm",
        "ledger.wasm",
        "messages.wasm",
        "register.wasm",
        "sessions.wasm",
        "spin.toml",
        "tasks.wasm",
    ];
    assert_eq!(names(), expected);
    let built = prepared("target/wasm32-wasip2/component/ledger.wasm");
    assert!(fs::read(hub_folder.join("ledger.wasm")).unwrap() == fs::read(built).unwrap());

    // What is there is somebody's.
    fs::write(hub_folder.join("ledger.wasm"), "mine").unwrap();
    fs::remove_file(hub_folder.join("spin.toml")).unwrap();
    let refused = ran(folder.path(), &["spin", "export", "hub"]);
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert!(!hub_folder.join("spin.toml").exists());
    assert_eq!(fs::read(hub_folder.join("ledger.wasm")).unwrap(), b"mine");
    let forced = ran(folder.path(), &["spin", "export", "hub", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", forced.stderr);
    assert_eq!(names(), expected);

    // A manifest in the folder comes before what the program carries.
    let (hub, client) = hub_in(&hub_folder, &["--state-dir", "../state"]);
    assert!(hub.stderr().contains("serving what spin.toml names"), "{}", hub.stderr());
    assert_eq!(client.get("//readyz").status, 200);
    // What is the same as within the program is compiled already.
    assert_eq!(fs::read_dir(folder.path().join("state/cache")).unwrap().count(), 0);
    stop(hub);
    let manifest = fs::read_to_string(hub_folder.join("spin.toml")).unwrap();
    fs::write(hub_folder.join("spin.toml"), manifest.replace("ledger.wasm", "gone.wasm")).unwrap();
    let words = ["up", "--listen", "127.0.0.1:0", "--state-dir", "../state"];
    let refused = ran(&hub_folder, &words);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("gone.wasm"), "{}", refused.stderr);
}

#[test]
fn nothing_is_said_when_nobody_reads_on() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["--version"][..],
        &["--version", "--verbose"],
        &["completions", "bash"],
        &["config", "show"],
        &["spin", "export", "hub"],
        &["init"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = reef_in(folder.path(), words).stdout(writer).output().unwrap();
        // As where SIGPIPE ends a program.
        assert_eq!(ended.status.code(), Some(141), "{words:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{words:?}");
    }
}

#[test]
fn verbose_alone_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["--verbose"][..], &["--version", "up"], &[]] {
        let refused = ran(folder.path(), words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}", refused.stdout);
    }
}
