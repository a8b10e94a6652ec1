use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::Shell;
use crate::harness::{Hub, unique};

/// Registers an agent from the shell, with its key in a file of the shell's folder.
fn register(shell: &Shell, agent: &str) -> String {
    let file = format!("{agent}.key");
    let said = shell.ok(&["agents", "register", agent, "--save", &file]);
    assert!(said.starts_with(&format!("registered {agent}\nkey_")), "{said}");
    shell.folder.path().join(file).display().to_string()
}

#[test]
fn an_agent_gets_a_key_and_deals_with_its_money() {
    let hub = Hub::start();
    let admin = Shell::of(&hub);
    let [alice, bob] = [unique("alice"), unique("bob")];
    let key_file = register(&admin, &alice);
    register(&admin, &bob);
    let mode = fs::metadata(&key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key is for its owner alone");
    let shell = Shell::at(hub.url()).with("REEF_KEY_FILE", &key_file);

    assert!(shell.ok(&["ledger", "deposit", &alice, "100"]).contains("available  100"));
    let paid = shell.ok(&["ledger", "transfer", &alice, &bob, "12.50", "--memo", "for the GPU"]);
    assert!(paid.starts_with(&format!("paid 12.5 from {alice} to {bob}: set_")), "{paid}");
    let hold = shell.json(&["ledger", "hold", &alice, "30"]);
    let hold = hold["hold"]["hold_id"].as_str().unwrap();
    assert!(shell.ok(&["ledger", "balance", &alice]).contains("locked     30"));
    assert!(shell.ok(&["ledger", "holds", "--status", "pending"]).contains(hold));
    assert!(shell.ok(&["ledger", "post", hold, &bob, "--amount", "10"]).contains("posted"));
    let again = shell.run(&["ledger", "void", hold]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let balance = shell.json(&["ledger", "balance", &alice]);
    assert_eq!((&balance["balance"], &balance["locked"]), (&json!("77.5"), &json!("0")));

    let entries = shell.ok(&["ledger", "entries", "--limit", "2"]);
    assert!(entries.contains(&format!("{alice} -10, {bob} +10")), "{entries}");
    let foreign = shell.run(&["ledger", "balance", &bob]);
    assert_eq!(foreign.code, Some(1), "{foreign:?}");
    let too_much = shell.run(&["ledger", "withdraw", &alice, "1000"]);
    assert!(too_much.stderr.contains("77.5 is available"), "{too_much:?}");
}

#[test]
fn intents_become_positions_and_end() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let agents = [unique("alice"), unique("bob")];
    let intents = [("long", &agents[0]), ("short", &agents[1])].map(|(side, agent)| {
        register(&shell, agent);
        shell.ok(&["ledger", "deposit", agent, "100"]);
        let opened =
            shell.json(&["ledger", "intend", agent, side, "ETH-PERP", "100", "--leverage", "5"]);
        opened["intent"]["intent_id"].as_str().unwrap().to_owned()
    });
    assert!(shell.ok(&["ledger", "intents", "--status", "open"]).contains(&intents[1]));
    let matched = shell.ok(&["ledger", "match", &intents[0], &intents[1], "2000"]);
    assert_eq!(matched.lines().count(), 3, "{matched}");
    let held = shell.json(&["ledger", "positions", &agents[0]]);
    let position = held["positions"][0]["position_id"].as_str().unwrap();
    assert!(shell.ok(&["ledger", "mark", position, "2100"]).contains("5"));
    let closed = shell.ok(&["ledger", "close", position, "--price", "2100"]);
    assert_eq!(closed, format!("closed {position} at 2100: 5\n"));
    let all = shell.ok(&["ledger", "positions", &agents[0], "--include-closed"]);
    assert!(all.contains("closed"), "{all}");
    assert!(shell.ok(&["ledger", "balance", &agents[1]]).contains("95"));
}

#[test]
fn the_journal_is_verified_at_the_hub_and_from_an_export() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let [alice, bob] = [unique("alice"), unique("bob")];
    for agent in [&alice, &bob] {
        register(&shell, agent);
        shell.ok(&["ledger", "deposit", agent, "100"]);
    }
    for n in 1..=20 {
        shell.ok(&["ledger", "transfer", &alice, &bob, &format!("0.{n}"), "--memo", "täglich"]);
    }
    let said = shell.ok(&["ledger", "verify"]);
    assert!(said.starts_with("22 entries are whole: 3 accounts, sum 0"), "{said}");
    assert!(said.contains("the balances of 2 agents are what it says"), "{said}");
    let report = shell.json(&["ledger", "verify"]);
    assert_eq!((&report["ok"], &report["entries"]), (&json!(true), &json!(22)));

    let export = shell.folder.path().join("journal.jsonl");
    let said = shell.run(&["ledger", "export", "journal.jsonl"]).stderr;
    assert_eq!(said, "22 entries are in journal.jsonl\n");
    // What is checked offline is checked without a hub.
    let alone =
        Shell { folder: shell.folder, envs: vec![("REEF_HUB", "http://127.0.0.1:1".into())] };
    let offline = |lines: &[&str]| {
        fs::write(&export, lines.join("\n")).unwrap();
        alone.run(&["ledger", "verify", "journal.jsonl"])
    };
    let text = fs::read_to_string(&export).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let whole = offline(&lines);
    assert_eq!(whole.code, Some(0), "{whole:?}");

    let flipped = lines[6].replace("\"0.5\"", "\"0.6\"").replace("\"-0.5\"", "\"-0.6\"");
    assert_ne!(flipped, lines[6]);
    let with = |at: usize, line: &str| {
        let mut lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines[at] = line.to_owned();
        lines
    };
    let swapped = {
        let mut swapped = lines.clone();
        swapped.swap(9, 10);
        swapped
    };
    let flipped = with(6, &flipped);
    let flipped: Vec<_> = flipped.iter().map(String::as_str).collect();
    let removed: Vec<_> = lines.iter().copied().take(4).chain(lines[5..].iter().copied()).collect();
    for (tampered, named) in [(flipped, 7), (removed, 5), (swapped, 10)] {
        let found = offline(&tampered);
        assert_eq!(found.code, Some(1), "{found:?}");
        assert!(found.stderr.contains(&format!("entry {named} ")), "{found:?}");
    }
    let nonsense = offline(&[lines[0], "nonsense"]);
    assert!(nonsense.stderr.contains("line 2 is no entry"), "{nonsense:?}");
}

#[test]
fn a_balance_that_the_journal_does_not_know_is_named() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let alice = unique("alice");
    register(&shell, &alice);
    shell.ok(&["ledger", "deposit", &alice, "1"]);
    let mut connection = hub.private_redis();
    let key = format!("reef:account:{alice}");
    redis::cmd("HSET").arg(key).arg("balance").arg(2_000_000).exec(&mut connection).unwrap();
    let found = shell.run(&["ledger", "verify"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    let says = format!(
        "{alice} has 2000000 millionths, 0 of them reserved; by the journal it has 1000000"
    );
    assert!(found.stderr.contains(&says), "{found:?}");
}

#[test]
fn keys_are_made_listed_rotated_and_revoked() {
    let hub = Hub::start();
    let admin = Shell::of(&hub);
    let alice = unique("alice");
    let first = register(&admin, &alice);
    let shell = Shell::at(hub.url()).with("REEF_KEY_FILE", &first);
    let made = shell.json(&["keys", "create", "--name", "ci", "--scope", "read"]);
    let id = made["key_info"]["key_id"].as_str().unwrap();
    let list = shell.ok(&["keys", "list"]);
    assert!(list.contains(id) && list.contains("ci") && list.lines().count() == 3, "{list}");
    assert!(shell.ok(&["keys", "me"]).contains("read write trade"));

    let rotated = shell.ok(&["keys", "rotate", id, "--save", "ci.key"]);
    assert!(rotated.ends_with("(read) is in ci.key\n"), "{rotated}");
    let ci = shell.folder.path().join("ci.key").display().to_string();
    let reader = Shell::at(hub.url()).with("REEF_KEY_FILE", &ci);
    let me: Value = reader.json(&["keys", "me"]);
    let refused = reader.run(&["keys", "create", "--save", "never.key"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(!reader.folder.path().join("never.key").exists(), "a file without a key is left");
    let id = me["auth"]["key_id"].as_str().unwrap();
    assert_eq!(shell.ok(&["keys", "revoke", id]), format!("revoked {id}\n"));
    let revoked = reader.run(&["keys", "me"]);
    assert_eq!(revoked.code, Some(1), "{revoked:?}");
    assert!(revoked.stderr.contains("ci.key is not, or no longer"), "{revoked:?}");
    // An existing file is never written over.
    let taken = shell.run(&["keys", "create", "--save", &first]);
    assert_eq!(taken.code, Some(1), "{taken:?}");
}
