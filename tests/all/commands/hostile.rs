//! What other people have written, or a hub that is not to be trusted, does nothing to a terminal
//! and cannot pass for what `reef` says itself.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use reef_domain::name::is_hidden;
use serde_json::{Value, json};

use super::Shell;
use crate::harness::{Hub, unique};

/// Clears a screen, returns, begins a line, sets a title, turns the direction.
const HOSTILE: &str = "\u{1b}[2J\r\n2026 ERROR forged\u{9b}2J\u{1b}]0;x\u{7}\u{202e}\u{2066}";

/// Between a command and its hub: adds to each text in each answer what a stranger could have
/// written there.
struct Liar {
    url: String,
}

impl Liar {
    fn before(hub: &Hub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hub = hub.url().trim_start_matches("http://").to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = hub.clone();
                std::thread::spawn(move || pass_on(stream, &hub));
            }
        });
        Self { url }
    }
}

fn pass_on(mut caller: TcpStream, hub: &str) -> Option<()> {
    let (head, body) = read_message(&mut caller)?;
    let mut asked = TcpStream::connect(hub).ok()?;
    let head = without(&head, &["connection", "host"]);
    write!(asked, "{head}host: {hub}\r\nconnection: close\r\n\r\n").ok()?;
    asked.write_all(&body).ok()?;
    let (head, body) = read_message(&mut asked)?;
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) => {
            lie(&mut value);
            // Raw, as JSON may hold it: only what must be is escaped.
            value.to_string().into_bytes()
        }
        Err(_) => body,
    };
    let head = without(&head, &["connection", "content-length", "transfer-encoding"]);
    write!(caller, "{head}content-length: {}\r\nconnection: close\r\n\r\n", body.len()).ok()?;
    caller.write_all(&body).ok()
}

/// A message of HTTP whose length is said, or that ends with its connection.
fn read_message(from: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 65536]);
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        let n = from.read(&mut buffer).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    };
    let mut body = bytes.split_off(head_end);
    let head = String::from_utf8(bytes).unwrap().trim_end().to_owned() + "\r\n";
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    while body.len() < length.unwrap_or(0) {
        let n = from.read(&mut buffer).ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&buffer[..n]);
    }
    Some((head, body))
}

fn without(head: &str, names: &[&str]) -> String {
    let is_kept = |line: &&str| {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        !names.contains(&name.as_str())
    };
    head.lines().filter(is_kept).map(|line| format!("{line}\r\n")).collect()
}

fn lie(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str(HOSTILE),
        Value::Array(items) => items.iter_mut().for_each(lie),
        Value::Object(members) => {
            let known = std::mem::take(members);
            for (name, mut value) in known {
                lie(&mut value);
                members.insert(name, value);
            }
        }
        _ => {}
    }
}

#[track_caller]
fn assert_harmless(what: &str, printed: &str) {
    let bad = printed.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t'));
    assert_eq!(bad, None, "{what} printed {printed:?}");
    // Texts have lines of their own.
    let is_text = ["messages show", "messages tail", "inbox list", "tasks show"];
    if !is_text.iter().any(|command| what.starts_with(command)) {
        assert!(!printed.lines().any(|line| line.starts_with("2026 ERROR")), "{what}: {printed:?}");
    }
}

/// Everything there is to be shown, and the commands that show it.
fn everything(hub: &Hub, shell: &Shell) -> Vec<Vec<String>> {
    let admin = hub.admin();
    let skill = unique("skill");
    let [node, agent, other] = ["node", "agent", "other"].map(unique);
    let registration = json!({"hostname": node, "node_id": node, "platform": "linux", "arch": "x64",
        "available_skills": [skill], "tags": ["tag"]});
    admin.post("/nodes/register", &registration).ok();
    admin.post("/cluster/leader/campaign", &json!({"node_id": node})).ok();
    let (session, message) = shell.conversation();
    shell.ok(&["messages", "append", &message, "words", "--complete"]);
    let task = admin
        .post("/tasks", &json!({"name": "n", "required_skills": [skill], "description": "d"}))
        .ok()["task_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for agent in [&agent, &other] {
        shell.ok(&["agents", "register", agent, "--save", &format!("{agent}.key")]);
    }
    shell.ok(&["inbox", "send", &agent, "hello", "--from", &node]);
    shell.ok(&["ledger", "deposit", &agent, "100"]);
    shell.ok(&["ledger", "transfer", &agent, &other, "1", "--memo", "for tea"]);
    shell.ok(&["ledger", "hold", &agent, "5"]);
    let commands = [
        "nodes list",
        "nodes show NODE",
        "nodes drain NODE",
        "nodes resume NODE",
        "tasks list",
        "tasks show TASK",
        "tasks why TASK",
        "tasks stats",
        "tasks dead",
        "tasks dead --by-error",
        "tasks attempts TASK",
        "history",
        "tasks cancel TASK",
        "tasks watch TASK",
        "agents list",
        "agents show AGENT",
        "keys list --agent AGENT",
        "keys me",
        "messages show MESSAGE",
        "messages list SESSION",
        "inbox list AGENT",
        "inbox receive AGENT",
        "inbox dead AGENT",
        "events list",
        "ledger balance AGENT",
        "ledger entries",
        "ledger holds --agent AGENT",
        "ledger intents",
        "ledger positions --agent AGENT",
        "ledger verify",
        "ledger export -",
        "leader show",
        "leader history",
        "health",
        "health NODE",
        "stats",
        "verify",
        "doctor",
        "cleanup --dry-run",
        "collab partners",
        "nodes show nobody",
        "tasks show nothing",
        "messages show nothing",
        "ledger hold AGENT 1000",
        "nodes list --status sleeping",
        "heartbeat --once --retries 0",
    ];
    let fill = |word: &str| match word {
        "NODE" => node.clone(),
        "TASK" => task.clone(),
        "AGENT" => agent.clone(),
        "MESSAGE" => message.clone(),
        "SESSION" => session.clone(),
        other => other.to_owned(),
    };
    commands.iter().map(|line| line.split(' ').map(fill).collect()).collect()
}

#[test]
fn no_command_prints_what_others_have_written_as_it_is() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let commands = everything(&hub, &shell);
    let liar = Liar::before(&hub);
    let shell = shell.with("REEF_HUB", &liar.url);
    let mut shown = 0;
    for command in commands {
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        for is_json in [false, true] {
            if is_json {
                args.push("--json");
            }
            let ended = shell.run(&args);
            let what = args.join(" ");
            assert_harmless(&what, &ended.stdout);
            assert_harmless(&what, &ended.stderr);
            // What does not fit where it stands is shown by the complaint.
            let says = |text: &str| text.contains(r"\u001b[2J\r\n2026 ERROR forged\u009b2J");
            shown += usize::from(says(&ended.stdout) || says(&ended.stderr));
            let is_export = command.iter().any(|word| word == "export");
            if is_json && ended.code == Some(0) && !is_export {
                for said in serde_json::Deserializer::from_str(&ended.stdout).into_iter::<Value>() {
                    let said = said.unwrap_or_else(|error| panic!("{what}: {error}: {ended:?}"));
                    // It says the same as what came.
                    let text = said.to_string();
                    assert!(
                        !text.contains("forged") || text.contains('\u{202e}'),
                        "{what}: {text}"
                    );
                }
            }
        }
    }
    // Or nothing of it was ever printed.
    assert!(shown > 30, "only {shown} have shown anything of it");
}

#[test]
fn a_text_is_passed_on_to_programs_as_it_is_and_written_out_for_people() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (session, message) = shell.conversation();
    let text = "one\n\ttwo\u{1b}[2J\u{202e}three";
    let append = json!({"delta": text});
    hub.admin().post(&format!("/messages/{message}/append"), &append).ok();
    hub.admin().post(&format!("/messages/{message}/complete"), &json!({})).ok();
    assert_eq!(shell.ok(&["messages", "tail", &session, &message]), text);
    let shown = shell.ok(&["messages", "show", &message]);
    assert!(shown.contains("one\n\ttwo\\u001b[2J\\u202ethree"), "{shown:?}");
}

#[test]
fn a_hostname_makes_no_line_in_the_log_of_an_agent_or_a_hub() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let forged = "h\n2026 ERROR forged line";
    let ended = shell.run(&["agent", "--hostname", forged]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_harmless("the agent", &ended.stderr);
    let registration = json!({"hostname": forged, "platform": "linux", "arch": "x64",
        "available_skills": ["x"]});
    let refused = hub.admin().post("/nodes/register", &registration);
    refused.problem_with(422, "validation_failed", "hostname");
}
