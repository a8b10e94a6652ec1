//! `reef worker` and the admin key; `reef agents invite` and what goes with it.

use serde_json::json;

use super::Shell;
use crate::harness::{Hub, unique};

/// A worker that would run; the shell's state directory is of its own.
fn worker(shell: &Shell, more: &[&str]) -> Vec<String> {
    let state = shell.folder.path().join("worker").display().to_string();
    let args = ["worker", "--skill", "x", "--hostname", "w", "--state-dir", &state];
    args.iter().chain(more).chain(&["--exec", "true"]).map(|arg| (*arg).to_owned()).collect()
}

#[track_caller]
fn assert_refused(shell: &Shell) {
    let args = worker(shell, &[]);
    let ended = shell.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for words in ["reef agents register", "--as-admin"] {
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
}

#[test]
fn a_worker_does_not_work_with_a_key_that_administers() {
    let hub = Hub::start();
    // Given, or lying about on the hub's own machine.
    assert_refused(&Shell::of(&hub));
    let state = hub.state_dir().display().to_string();
    assert_refused(&Shell::at(hub.url()).with("REEF_STATE_DIR", &state));
    let agent = hub.admin().new_agent();
    let wish = json!({"agent_id": agent.id, "scopes": ["read", "write", "admin"]});
    let made = hub.admin().post("/auth/keys", &wish).ok();
    let deputy = Shell::at(hub.url()).with("REEF_API_KEY", made["api_key"].as_str().unwrap());
    assert_refused(&deputy);
    assert_eq!(hub.admin().get("/nodes").list(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_worker_works_with_an_agents_key_or_where_it_is_told_to() {
    let hub = Hub::start();
    let agent = hub.admin().new_agent();
    let own = Shell::at(hub.url()).with("REEF_API_KEY", &agent.key);
    let open = Hub::options().open().start();
    let state = open.state_dir().display().to_string();
    let keyless = Shell::at(open.url()).with("REEF_STATE_DIR", &state);
    let admin = Shell::of(&hub);
    for (shell, more) in [(&own, &[][..]), (&keyless, &[]), (&admin, &["--as-admin"])] {
        let args = worker(shell, more);
        let running = shell.start(&args.iter().map(String::as_str).collect::<Vec<_>>());
        running.until_said("registered");
    }
}

#[test]
fn an_invite_is_handed_on_in_a_file_or_a_pipe() {
    let hub = Hub::start();
    let admin = Shell::of(&hub);
    let invite = admin.folder.path().join("fleet.invite").display().to_string();
    let said =
        admin.ok(&["agents", "invite", "--uses", "2", "--expires-in", "1h", "--save", &invite]);
    assert!(said.starts_with("invite_") && said.contains("agents: 2"), "{said}");
    let token = std::fs::read_to_string(&invite).unwrap();
    assert!(token.starts_with("reef_invite_"), "{token}");
    assert!(!admin.ok(&["agents", "invites"]).contains(token.trim()));

    let stranger = Shell::at(hub.url());
    let refused = stranger.run(&["agents", "register", &unique("agent")]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("invite"), "{refused:?}");
    let first = unique("agent");
    let made = stranger.json(&["agents", "register", &first, "--invite-file", &invite]);
    assert_eq!(made["agent"]["agent_id"], json!(first));
    let mut piped = stranger.start(&["agents", "register", &unique("agent"), "--invite-file", "-"]);
    super::feed(&mut piped.input(), [token]);
    let ended = piped.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let late = stranger.run(&["agents", "register", "late", "--invite-file", &invite]);
    assert!(late.code == Some(1) && late.stderr.contains("used up"), "{late:?}");

    let key = Shell::at(hub.url()).with("REEF_API_KEY", made["api_key"].as_str().unwrap());
    key.ok(&["keys", "me"]);
    assert_eq!(admin.ok(&["agents", "suspend", &first]), format!("{first} is suspended\n"));
    assert!(key.run(&["keys", "me"]).stderr.contains("suspended"));
    admin.ok(&["agents", "resume", &first]);
    key.ok(&["keys", "me"]);
    assert_eq!(admin.ok(&["agents", "remove", &first]), format!("removed {first}\n"));
    assert_eq!(key.run(&["keys", "me"]).code, Some(1));
}
