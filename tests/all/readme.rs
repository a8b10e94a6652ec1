//! What the README shows is what happens.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Hub, is_timestamp, root};

/// A command that the README shows, and what it is said to print.
#[derive(Debug)]
struct Shown {
    command: String,
    output: String,
}

/// The commands of the README's console blocks, in order.
fn shown() -> Vec<Shown> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let mut shown: Vec<Shown> = Vec::new();
    let mut in_block = false;
    let mut goes_on = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
        } else if in_block {
            if let Some(command) = line.strip_prefix("$ ") {
                shown.push(Shown { command: command.to_owned(), output: String::new() });
            } else {
                let last = shown.last_mut().expect("a console block begins with a command");
                let part = if goes_on { &mut last.command } else { &mut last.output };
                part.push('\n');
                part.push_str(line);
            }
            goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
        }
    }
    shown
}

/// Checks that an answer is the one that is shown, but for what differs each time.
fn assert_same(shown: &Value, actual: &Value, field: &str) {
    match (shown, actual) {
        (Value::Object(shown_fields), Value::Object(fields)) => {
            let names = |fields: &serde_json::Map<String, Value>| {
                fields.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(names(shown_fields), names(fields));
            for (name, value) in shown_fields {
                assert_same(value, &fields[name], name);
            }
        }
        (Value::Array(shown_items), Value::Array(items)) => {
            assert_eq!(shown_items.len(), items.len(), "{field}");
            for (shown, actual) in shown_items.iter().zip(items) {
                assert_same(shown, actual, field);
            }
        }
        _ if ["request_id", "next_heartbeat_ms", "ttl_ms"].contains(&field) => {
            assert_eq!(shown.is_number(), actual.is_number(), "{field}");
        }
        _ if is_timestamp(shown) => assert!(is_timestamp(actual), "{field}: {actual}"),
        _ => assert_eq!(shown, actual, "{field}"),
    }
}

/// A hub whose key lies, as the README's does, in `.reef` below the folder where one types.
fn hub_and_folder() -> (Hub, tempfile::TempDir) {
    let hub = Hub::start();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(hub.state_dir(), folder.path().join(".reef")).unwrap();
    (hub, folder)
}

#[test]
fn the_commands_of_the_readme_do_what_it_shows() {
    const END: &str = "--- end of a command's output ---";
    let (hub, folder) = hub_and_folder();
    let mut shown = shown();
    shown.retain(|it| it.command.starts_with("curl ") || it.command.starts_with("KEY="));
    assert!(shown.len() >= 5, "{shown:?}");
    let mut script = String::from("set -e\n");
    for it in &shown {
        let command = it.command.replace("http://127.0.0.1:8888", hub.url());
        script.push_str(&format!("{command}\necho; echo \"{END}\"\n"));
    }
    let run = Command::new("sh").arg("-c").arg(script).current_dir(folder.path()).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let printed = String::from_utf8(run.stdout).unwrap();
    let printed: Vec<_> = printed.split(END).collect();
    assert_eq!(printed.len(), shown.len() + 1);
    for (it, printed) in shown.iter().zip(printed) {
        if !it.command.starts_with("curl ") {
            continue;
        }
        let printed: Value = serde_json::from_str(printed)
            .unwrap_or_else(|error| panic!("{}: {error}: {printed}", it.command));
        if it.output.is_empty() {
            assert!(printed.get("code").is_none(), "{}: {printed}", it.command);
        } else {
            assert_same(&serde_json::from_str(&it.output).unwrap(), &printed, "");
        }
    }
}

/// Whether a word differs from machine to machine: where a socket is, a version, a measurement.
fn is_of_this_machine(word: &str) -> bool {
    let is_number = word.contains('.') && word.bytes().all(|it| it == b'.' || it.is_ascii_digit());
    is_number || word.ends_with("/redis.sock")
}

/// Whether a word differs each time: an id or a time.
fn is_made_by_the_hub(word: &str) -> bool {
    let is_event = word.split_once('-').is_some_and(|(ms, n)| {
        [ms, n].iter().all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()))
    });
    let is_time = word.len() == 8 && word.bytes().filter(|it| *it == b':').count() == 2;
    word.starts_with("msg_") || is_event || is_time
}

#[test]
fn the_command_line_of_the_readme_prints_what_it_shows() {
    let (hub, folder) = hub_and_folder();
    // What the README has done before by curl.
    let node = serde_json::json!({"hostname": "gpu-1.lab", "platform": "linux", "arch": "x64",
        "available_skills": ["python", "gpu"], "node_id": "gpu-1"});
    hub.admin().post("/nodes/register", &node).ok();
    let campaign = serde_json::json!({"node_id": "gpu-1", "ttl_ms": 600_000});
    hub.admin().post("/cluster/leader/campaign", &campaign).ok();

    let mut shown = shown();
    shown.retain(|it| it.command.contains("reef ") && !it.command.contains("curl "));
    assert!(shown.len() >= 5, "{shown:?}");
    let binary = root().join("target/release");
    let path = std::env::join_paths(
        std::iter::once(binary)
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    // Ids of the README, and what they are here.
    let mut known: Vec<(String, String)> = Vec::new();
    for it in &shown {
        let command = known
            .iter()
            .fold(it.command.clone(), |command, (shown, actual)| command.replace(shown, actual));
        let run = Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder.path())
            .env("PATH", path.as_ref().unwrap())
            .env("REEF_HUB", hub.url())
            .env_remove("REEF_KEY_FILE")
            .env_remove("REEF_API_KEY")
            .env_remove("REEF_STATE_DIR")
            .env_remove("REDIS_URL")
            .env_remove("REDIS_HOST")
            .output()
            .unwrap();
        assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
        let printed = String::from_utf8(run.stdout).unwrap();
        let words = |text: &str| -> Vec<String> {
            let words = text.split_whitespace().map(|word| word.trim_end_matches(';'));
            words.map(str::to_owned).collect()
        };
        let (shown, actual) = (words(&it.output), words(&printed));
        assert_eq!(shown.len(), actual.len(), "{command}: {printed}");
        for (shown, actual) in shown.into_iter().zip(actual) {
            if is_made_by_the_hub(&shown) {
                assert!(is_made_by_the_hub(&actual), "{command}: {actual} for {shown}");
                known.push((shown, actual));
            } else if is_of_this_machine(&shown) {
                assert!(is_of_this_machine(&actual), "{command}: {actual} for {shown}");
            } else {
                assert_eq!(shown, actual, "{command}: {printed}");
            }
        }
    }
}
