//! `reef context`, `--context` and `REEF_CONTEXT`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::Shell;
use crate::harness::Hub;

/// A shell that knows no hub, in whose folder lies an agent's key.
fn shell(hub: &Hub) -> (Shell, String) {
    let agent = hub.admin().new_agent();
    let shell = Shell { folder: tempfile::tempdir().unwrap(), envs: Vec::new() };
    let file = shell.folder.path().join("given.key");
    fs::write(&file, format!("{}\n", agent.key)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    (shell, agent.id)
}

/// Adds a context with a key on standard input.
fn add(shell: &Shell, name: &str, hub: &str, key: &str) -> super::Ended {
    let mut running = shell.start(&["context", "add", name, "--hub", hub, "--key-stdin"]);
    std::io::Write::write_all(&mut running.input(), format!("{key}\n").as_bytes()).unwrap();
    running.wait()
}

#[test]
fn a_hub_is_asked_by_its_name() {
    let hub = Hub::start();
    let (shell, agent) = shell(&hub);
    assert!(shell.run(&["context", "list"]).stderr.contains("there are no contexts"));
    let made = ["context", "add", "lab", "--hub", hub.url(), "--key-file", "given.key", "--use"];
    let shown = shell.ok(&made);
    assert!(shown.contains(hub.url()) && shown.ends_with("in use    yes\n"), "{shown}");
    // The file was named relative to here, and is found from anywhere.
    assert!(shown.contains(&format!("{}/given.key", shell.folder.path().display())), "{shown}");
    assert!(shell.ok(&["keys", "me"]).contains(&agent), "it is in use");
    assert_eq!(shell.run(&made).code, Some(1), "there is one of that name");
    let dead = add(&shell, "dead", "http://127.0.0.1:1", "nobodys-key");
    assert_eq!(dead.code, Some(0), "{dead:?}");
    assert!(!format!("{dead:?}").contains("nobodys-key"));
    let list = shell.ok(&["context", "list"]);
    let lines: Vec<_> = list.lines().map(str::trim_start).collect();
    assert!(lines[1].starts_with("dead") && lines[2].starts_with("*"), "{list}");
    assert!(!list.contains("nobodys-key"));

    // A flag before a variable before the one in use; each is told what failed.
    assert_eq!(shell.run(&["keys", "me", "--context", "dead"]).code, Some(3));
    let said = Shell { envs: vec![("REEF_CONTEXT", "dead".to_owned())], ..shell };
    assert_eq!(said.run(&["keys", "me"]).code, Some(3));
    assert!(said.ok(&["keys", "me", "--context", "lab"]).contains(&agent));
    let said = said.with("REEF_HUB", hub.url());
    let bare = said.run(&["keys", "me"]);
    assert_eq!(bare.code, Some(1), "the address is not the context's, so its key stays: {bare:?}");
    let both = said.run(&["keys", "me", "--context", "lab", "--hub", hub.url()]);
    assert!(both.code == Some(2) && both.stderr.contains("give one of them"), "{both:?}");
    let unknown = said.run(&["keys", "me", "--context", "la"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("reef context list"), "{unknown:?}");

    let shell = Shell { envs: Vec::new(), ..said };
    let removed = shell.run(&["context", "rm", "lab"]);
    assert_eq!(removed.stderr, "lab was in use; none is now\n");
    assert_eq!(shell.json(&["context", "show"]), json!(null));
    assert!(shell.folder.path().join("given.key").exists(), "it was not the context's own");
}

#[test]
fn a_key_is_its_owners_alone() {
    let hub = Hub::start();
    let (shell, agent) = shell(&hub);
    let key = fs::read_to_string(shell.folder.path().join("given.key")).unwrap();
    assert_eq!(add(&shell, "lab", hub.url(), &key).code, Some(0));
    let folder = shell.folder.path().join("configuration/reef/contexts");
    let kept = folder.join("lab.key");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let modes = [mode(&kept), mode(&folder.join("lab.json")), mode(&folder)];
    assert_eq!(modes, [0o600, 0o600, 0o700]);
    assert!(shell.ok(&["keys", "me", "--context", "lab"]).contains(&agent));
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o640)).unwrap();
    let lax = shell.run(&["keys", "me", "--context", "lab"]);
    assert!(lax.code == Some(2) && lax.stderr.contains("chmod 600"), "{lax:?}");
    let named = shell.folder.path().join("given.key");
    fs::set_permissions(&named, fs::Permissions::from_mode(0o644)).unwrap();
    let add = ["context", "add", "lax", "--hub", hub.url(), "--key-file", "given.key"];
    assert_eq!(shell.run(&add).code, Some(2));
    // A key cannot be typed, a name is no path, and an address holds no password.
    let typed = shell.run(&["context", "add", "x", "--hub", hub.url(), "--key", "secret"]);
    assert_eq!(typed.code, Some(2), "{typed:?}");
    for name in ["../x", ".x", "a/b", "", "a b"] {
        let ended = shell.run(&["context", "add", name, "--hub", hub.url()]);
        assert_eq!(ended.code, Some(2), "{name:?}: {ended:?}");
    }
    let secret = shell.run(&["context", "add", "x", "--hub", "http://me:sesame@h"]);
    assert!(secret.code == Some(2) && !secret.stderr.contains("sesame"), "{secret:?}");
    let add = ["context", "add", "x", "--hub", hub.url(), "--ca", "nowhere.pem"];
    let unread = shell.run(&add);
    assert!(unread.code == Some(2) && unread.stderr.contains("nowhere.pem"), "{unread:?}");
    shell.ok(&["context", "rm", "lab"]);
    assert!(!kept.exists(), "the key was kept for it, and goes with it");
}
