use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{LATEST, Mcp, agent};
use crate::harness::{Hub, PATIENCE, Program, eventually, reef};

/// `reef mcp`, started as an agent's program starts it.
struct Pipe {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Pipe {
    fn start(hub: &str, key: &str) -> Self {
        let mut child = reef()
            .args(["mcp", "--hub", hub])
            .env("REEF_API_KEY", key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next message that it sends.
    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.say(
            &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string(),
        );
        self.hear()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        answer["result"]["structuredContent"].clone()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn one_process_answers_both_eras_and_ends_with_its_input() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let mut pipe = Pipe::start(hub.url(), &agent.key);
    let hello = pipe.ask("initialize", &json!({"protocolVersion": "2025-06-18"}));
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
    pipe.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
    let meta = json!({"io.modelcontextprotocol/protocolVersion": LATEST,
        "io.modelcontextprotocol/clientCapabilities": {}});
    let found = pipe.ask("server/discover", &json!({"_meta": meta}));
    assert_eq!(found["result"]["resultType"], "complete");
    for (bad, code) in [("nonsense", -32700), ("[]", -32600), ("{}", -32600)] {
        pipe.say(bad);
        assert_eq!(pipe.hear()["error"]["code"], code, "{bad}");
    }
    assert_eq!(pipe.call("check_in", &json!({}))["node"]["node_id"], agent.id);
    pipe.input = None;
    let status = eventually("its end", PATIENCE, || pipe.child.try_wait().unwrap());
    assert!(status.success());
}

#[test]
fn it_greets_while_the_hub_is_away_and_says_so_afterwards() {
    let mut pipe = Pipe::start("http://127.0.0.1:9", "reef_key");
    let hello = pipe.ask("initialize", &json!({"protocolVersion": "2025-11-25"}));
    assert_eq!(hello["result"]["serverInfo"]["name"], "reef");
    let list = pipe.ask("tools/list", &json!({}));
    let message = list["error"]["message"].as_str().unwrap();
    assert!(message.contains("http://127.0.0.1:9 cannot be reached"), "{message}");
}

#[test]
fn a_killed_client_s_task_goes_to_somebody_else() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (victim, _) = agent(&admin, &["build"]);
    let (_, other) = agent(&admin, &["build"]);
    let task = other.call("submit_task", &json!({"name": "t", "required_skills": ["build"]}));
    let mut pipe = Pipe::start(hub.url(), &victim.key);
    let claimed = pipe.call("claim_task", &json!({"lease_ms": 10_000}));
    assert_eq!(claimed["tasks"][0]["task_id"], task["task"]["task_id"]);
    assert_eq!(other.call("claim_task", &json!({}))["tasks"], json!([]));
    drop(pipe);
    let taken = eventually("the lapse of the lease", Duration::from_secs(30), || {
        let claimed = other.call("claim_task", &json!({"wait_ms": 5000}));
        claimed["tasks"].as_array().unwrap().first().cloned()
    });
    assert_eq!(taken["task_id"], task["task"]["task_id"]);
}

/// Runs a command of `reef mcp` that prints something.
fn print(args: &[&str], key: Option<&str>) -> (Option<i32>, String, String) {
    let mut command: Command = reef();
    command.arg("mcp").args(args);
    if let Some(key) = key {
        command.env("REEF_API_KEY", key);
    }
    let output = Program::run(&mut command, PATIENCE);
    (output.status.code(), output.stdout, output.stderr)
}

#[test]
fn what_sets_a_program_up_is_printed_and_holds_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("alice.key");
    std::fs::write(&key_file, "reef_secret\n").unwrap();
    let key_file = key_file.to_str().unwrap();
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    for program in ["claude", "cursor", "codex", "vscode"] {
        let args = ["install", program, "--print", "--hub", "http://hub:1", "--key-file", key_file];
        let (code, started, said) = print(&args, None);
        assert_eq!(code, Some(0), "{said}");
        let args = [
            "install",
            program,
            "--print",
            "--http",
            "--toolsets",
            "core,money",
            "--hub",
            "http://hub:1",
        ];
        let (_, called, _) = print(&args, Some("reef_secret"));
        let server = |text: &str| match program {
            "codex" => {
                let all: toml::Table = toml::from_str(text).unwrap();
                serde_json::to_value(&all["mcp_servers"]["reef"]).unwrap()
            }
            _ => {
                let all: Value = serde_json::from_str(text).unwrap();
                let servers = if program == "vscode" { "servers" } else { "mcpServers" };
                all[servers]["reef"].clone()
            }
        };
        assert_eq!(server(&started)["args"], json!(["mcp", "--hub", "http://hub:1"]));
        assert_eq!(server(&started)["env"]["REEF_KEY_FILE"], key_file);
        assert_eq!(server(&called)["url"], "http://hub:1/mcp?toolsets=core,money");
        assert!(!started.contains("reef_secret") && !called.contains("reef_secret"));
    }
    assert_eq!(files(), 1);
}

#[test]
fn a_hook_says_one_line_while_mail_waits_and_nothing_else() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (alice, a) = agent(&admin, &["a"]);
    let hook = || print(&["hook", "--hub", hub.url()], Some(&alice.key));
    assert_eq!(hook(), (Some(0), String::new(), String::new()));
    for _ in 0..2 {
        a.call("send_message", &json!({"to": alice.id, "content": "x"}));
    }
    let (code, said, _) = hook();
    let said: Value = serde_json::from_str(&said).unwrap();
    let told = &said["hookSpecificOutput"];
    assert_eq!((code, &told["hookEventName"]), (Some(0), &json!("UserPromptSubmit")));
    assert!(told["additionalContext"].as_str().unwrap().starts_with("You have 2 unread messages"));
    Mcp::new(&alice.client).call("read_inbox", &json!({}));
    assert_eq!(hook().1, "");
    // An error never keeps the user from going on.
    for (hub, key) in [("http://127.0.0.1:9", alice.key.as_str()), ("nonsense", "x")] {
        let (code, said, _) = print(&["hook", "--hub", hub], Some(key));
        assert!(!matches!(code, Some(0 | 2)) && said.is_empty(), "{code:?} {said}");
    }
}

#[test]
fn the_admin_key_of_a_folder_is_no_agents() {
    let hub = Hub::start();
    let mut command = reef();
    command.args(["mcp", "hook", "--hub", hub.url()]).env("REEF_STATE_DIR", hub.state_dir());
    let output = Program::run(&mut command, PATIENCE);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("unauthenticated"), "{}", output.stderr);
}
