//! `reef mcp install`: what goes into the settings of an agent's program. It is printed and never
//! written: these files are the user's, and hold other things. No key is in it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::connection::{HubArgs, KeySource};
use crate::failure::Failure;
use crate::output::{self, Output};

/// Shown above its `--help`.
pub(super) const EXAMPLES: &str = "\
Examples:
  reef mcp install claude --print --key-file alice.key
  reef mcp install codex --print --http --hub https://hub.example
";

/// `reef mcp install`.
#[derive(Debug, Args)]
pub(super) struct InstallArgs {
    /// Which program
    program: Program,
    /// Print it, which is all that this does: nothing is written anywhere
    #[arg(long)]
    print: bool,
    /// Let it call the hub's /mcp itself, with the key in REEF_API_KEY, and not start `reef mcp`
    #[arg(long)]
    http: bool,
}

/// A program in which agents run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Program {
    Claude,
    Cursor,
    Codex,
    Vscode,
}

impl Program {
    /// Where it looks for this.
    fn place(self) -> &'static str {
        match self {
            Self::Claude => {
                ".mcp.json of the project, or `claude mcp add-json reef` takes the inner part"
            }
            Self::Cursor => "~/.cursor/mcp.json, or .cursor/mcp.json of the project",
            Self::Codex => "~/.codex/config.toml",
            Self::Vscode => ".vscode/mcp.json of the project",
        }
    }
}

/// How the program reaches the hub.
enum Way {
    Start { command: String, args: Vec<String>, key_file: Option<String> },
    Call { url: String },
}

impl InstallArgs {
    pub(super) fn run(&self, hub: &HubArgs, toolsets: &str) -> Result<(), Failure> {
        let way = if self.http { call(hub, toolsets)? } else { start(hub, toolsets)? };
        let text = match self.program {
            Program::Codex => toml(&way),
            program => json_of(program, &way)?,
        };
        output::aside(&format!("for {}:", self.program.place()));
        Ok(Output::new(false).line(text.trim_end())?)
    }
}

fn start(hub: &HubArgs, toolsets: &str) -> Result<Way, Failure> {
    let unknown = |error| Failure::Failed(format!("cannot say where files are: {error}"));
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(unknown);
    let command = std::env::current_exe().map_err(unknown)?.display().to_string();
    let target = hub.target()?;
    let mut args = vec!["mcp".to_owned(), "--hub".to_owned(), target.hub.clone()];
    if toolsets != "core" {
        args.extend(["--toolsets".to_owned(), toolsets.to_owned()]);
    }
    for (flag, file) in [
        ("--ca", &target.ca),
        ("--client-cert", &target.client_cert),
        ("--client-key", &target.client_key),
    ] {
        if let Some(file) = file {
            args.extend([flag.to_owned(), absolute(file)?.display().to_string()]);
        }
    }
    let key_file = match &target.key {
        KeySource::File(file) | KeySource::Context(_, file) => Some(absolute(file)?),
        KeySource::Environment | KeySource::StateDir(_) | KeySource::Nowhere => None,
    };
    if key_file.is_none() {
        output::hint(
            "no --key-file was given: the agent has no key then, unless REEF_API_KEY is set",
        );
    }
    Ok(Way::Start { command, args, key_file: key_file.map(|file| file.display().to_string()) })
}

fn call(hub: &HubArgs, toolsets: &str) -> Result<Way, Failure> {
    let address = hub.connect()?.address().to_owned();
    let query = if toolsets == "core" { String::new() } else { format!("?toolsets={toolsets}") };
    Ok(Way::Call { url: format!("{address}/mcp{query}") })
}

fn json_of(program: Program, way: &Way) -> Result<String, Failure> {
    let mut server = match way {
        Way::Start { command, args, key_file: None } => {
            json!({"type": "stdio", "command": command, "args": args})
        }
        Way::Start { command, args, key_file: Some(file) } => json!({"type": "stdio",
            "command": command, "args": args, "env": {"REEF_KEY_FILE": file}}),
        Way::Call { url } => {
            // Each of them has its own way to take a text from elsewhere.
            let key = match program {
                Program::Cursor => "${env:REEF_API_KEY}",
                Program::Vscode => "${input:reef-key}",
                Program::Claude | Program::Codex => "${REEF_API_KEY}",
            };
            let headers = json!({"Authorization": format!("Bearer {key}")});
            json!({"type": "http", "url": url, "headers": headers})
        }
    };
    if program == Program::Cursor
        && let Value::Object(server) = &mut server
    {
        server.remove("type");
    }
    let all = match (program, way) {
        (Program::Vscode, Way::Call { .. }) => json!({
            "inputs": [{"type": "promptString", "id": "reef-key", "password": true,
                "description": "Key of the agent"}],
            "servers": {"reef": server},
        }),
        (Program::Vscode, Way::Start { .. }) => json!({"servers": {"reef": server}}),
        _ => json!({"mcpServers": {"reef": server}}),
    };
    Ok(serde_json::to_string_pretty(&all)?)
}

/// A JSON text is a text of TOML, too.
fn toml(way: &Way) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut lines = vec!["[mcp_servers.reef]".to_owned()];
    match way {
        Way::Start { command, args, key_file } => {
            let args: Vec<_> = args.iter().map(|arg| quoted(arg)).collect();
            lines.push(format!("command = {}", quoted(command)));
            lines.push(format!("args = [{}]", args.join(", ")));
            if let Some(file) = key_file {
                lines.push(format!("env = {{ REEF_KEY_FILE = {} }}", quoted(file)));
            }
        }
        Way::Call { url } => {
            lines.push(format!("url = {}", quoted(url)));
            lines.push("bearer_token_env_var = \"REEF_API_KEY\"".to_owned());
        }
    }
    lines.join("\n")
}
