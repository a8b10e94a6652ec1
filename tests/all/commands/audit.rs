//! What somebody may do to the audit behind the hub's back, and that `reef audit verify` names it: at the hub,
//! in an export, where the oldest have been dropped, and after a restoration.

use std::fs;

use reef_domain::journal::NO_LINK;
use reef_domain::trail::{Chain, Entry};
use reef_store::audit::{Kept, Seen, tend};
use reef_store::{Keys, Store};
use serde_json::{Value, json};

use super::Shell;
use crate::harness::{Blocking, Client, Hub, PATIENCE, Program, eventually, now, reef};

/// Entries of the cluster's chain in these tests: two seals, and some more.
const ENTRIES: usize = 230;

/// A hub whose audit has something to tell.
fn told() -> Hub {
    let hub = Hub::start();
    let client = hub.admin().with("reef-reason", "drill");
    for n in 0..ENTRIES {
        client.put(&format!("/limits/l{}", n % 7), &json!({"concurrency": n + 1})).ok();
    }
    client.new_agent();
    sealed(&client, 2);
    hub
}

/// Waits for so many seals.
fn sealed(client: &Client, seals: i64) {
    eventually("the seals", 4 * PATIENCE, || {
        let made = client.get("/audit/seals?chain=cluster").ok()["total"].as_i64();
        (made >= Some(seals)).then_some(())
    });
}

/// An entry as it lies in the stream: names and values in turn.
type Fields = Vec<String>;

fn stream(redis: &mut redis::Connection) -> Vec<(String, Fields)> {
    redis::cmd("XRANGE").arg("reef:audit").arg("-").arg("+").query(redis).unwrap()
}

/// Puts other entries in place of those that there are.
fn put(redis: &mut redis::Connection, entries: &[(String, Fields)]) {
    redis::cmd("DEL").arg("reef:audit").exec(redis).unwrap();
    for (id, fields) in entries {
        redis::cmd("XADD").arg("reef:audit").arg(id).arg(fields).exec(redis).unwrap();
    }
}

fn set(fields: &mut Fields, name: &str, value: &str) {
    let at = fields.iter().step_by(2).position(|field| field == name).unwrap();
    value.clone_into(&mut fields[2 * at + 1]);
}

fn value(fields: &Fields, name: &str) -> String {
    let at = fields.iter().step_by(2).position(|field| field == name).unwrap();
    fields[2 * at + 1].clone()
}

/// Gives all entries links that fit, as somebody would who knows how they are made.
fn linked(entries: &mut [(String, Fields)]) -> String {
    let mut previous = NO_LINK.to_owned();
    for (id, fields) in entries {
        let text = |name: &str| value(fields, name);
        let raw = |name: &str| Some(text(name)).filter(|it| !it.is_empty());
        let raw =
            |name: &str| raw(name).map(|it| serde_json::value::RawValue::from_string(it).unwrap());
        let entry = Entry {
            chain: Chain::Cluster,
            seq: id.split('-').next().unwrap().parse().unwrap(),
            at: reef_domain::time::UnixMillis(text("at").parse().unwrap()),
            actor: text("actor"),
            key_id: Some(text("key_id")),
            via: text("via"),
            action: text("action"),
            target: text("target"),
            reason: text("reason"),
            request_id: text("request_id"),
            before: raw("before"),
            after: raw("after"),
            previous: previous.clone(),
            link: String::new(),
        };
        let link = entry.expected_link();
        set(fields, "previous", &previous);
        set(fields, "link", &link);
        previous = link;
    }
    previous
}

#[track_caller]
fn named(shell: &Shell, says: &str) {
    let found = shell.run(&["audit", "verify"]);
    assert_eq!(found.code, Some(1), "{says}: {found:?}");
    assert!(found.stderr.contains(says), "{says}: {found:?}");
}

#[test]
fn an_entry_that_was_altered_dropped_or_moved_is_named() {
    let hub = told();
    let shell = Shell::of(&hub);
    let said = shell.ok(&["audit", "verify"]);
    assert!(said.contains(&format!("cluster: {ENTRIES} entries are whole, 2 seals")), "{said}");
    assert!(said.contains("ledger: 1 entries are whole"), "{said}");
    let mut redis = hub.private_redis();
    let kept = stream(&mut redis);
    type Change = fn(&mut Vec<(String, Fields)>);
    let cases: [(Change, &str); 9] = [
        (|all| set(&mut all[6].1, "actor", "mallory"), "entry 7 of the cluster was altered"),
        (|all| set(&mut all[6].1, "reason", "maintenance"), "entry 7 of the cluster was altered"),
        (|all| set(&mut all[6].1, "after", ""), "entry 7 of the cluster was altered"),
        (|all| drop(all.remove(6)), "entry 7 of the cluster is missing: entry 8"),
        (|all| drop(all.remove(0)), "entry 1 of the cluster is missing: entry 2"),
        (|all| drop(all.pop()), "entry 230 of the cluster is missing: it was the last"),
        (
            |all| {
                let moved = all[6].1.clone();
                all[6].1 = all[7].1.clone();
                all[7].1 = moved;
            },
            "entry 7 of the cluster is not linked",
        ),
        (
            |all| all.push(("231-0".into(), all[229].1.clone())),
            "entry 231 of the cluster is not linked",
        ),
        (
            |all| {
                set(&mut all[6].1, "actor", "mallory");
                linked(all);
            },
            "entry 230 of the cluster is another than what the hub has written",
        ),
    ];
    for (change, says) in cases {
        let mut entries = kept.clone();
        change(&mut entries);
        put(&mut redis, &entries);
        named(&shell, says);
    }
    // By somebody who writes the whole chain anew, with its head: that is what seals are for.
    let mut forged = kept.clone();
    set(&mut forged[6].1, "actor", "mallory");
    let link = linked(&mut forged);
    put(&mut redis, &forged);
    let mut head = redis::cmd("HSET");
    head.arg("reef:audit-head").arg("link").arg(link).exec(&mut redis).unwrap();
    named(&shell, "seal 0 of the cluster is not that of its hundred entries");
    // XDEL, as one would.
    put(&mut redis, &kept);
    let mut head = redis::cmd("HSET");
    head.arg("reef:audit-head").arg("link").arg(value(&kept[229].1, "link"));
    head.exec(&mut redis).unwrap();
    shell.ok(&["audit", "verify"]);
    redis::cmd("HDEL").arg("reef:audit-seals").arg(1).exec(&mut redis).unwrap();
    named(&shell, "seal 1 of the cluster was removed");
    redis::cmd("XDEL").arg("reef:audit").arg("101-0").exec(&mut redis).unwrap();
    named(&shell, "entry 101 of the cluster is missing: entry 102");
    eventually("the word of the monitor", 4 * PATIENCE, || {
        hub.log().contains("the audit was altered, see `reef audit verify`").then_some(())
    });
}

#[test]
fn what_is_left_once_the_oldest_were_dropped_is_verified_from_there_on() {
    let hub = told();
    let shell = Shell::of(&hub);
    let store = Store::new(Blocking::new(hub.private_redis()), Keys::default());
    // Nothing that is young enough, and nothing that is not sealed.
    for (most, ms, begin) in [(200, i64::MAX / 2, 1), (100, i64::MAX / 2, 101), (0, 0, 201)] {
        let tended = now(tend(&store, &Seen::default(), Kept { most, ms })).unwrap();
        assert_eq!(tended.broken, None);
        let head = hub.admin().get("/audit/seals?chain=cluster").ok();
        assert_eq!(head["begin"], begin, "{head}");
        let said = shell.ok(&["audit", "verify"]);
        let from = if begin > 1 { format!(" from {begin} on") } else { String::new() };
        let left = ENTRIES - usize::try_from(begin).unwrap() + 1;
        assert!(said.contains(&format!("cluster: {left} entries{from} are whole")), "{said}");
    }
    // It goes on: the next seal begins with the last that was made of what is no more.
    let client = hub.admin();
    for n in 0..80 {
        client.put("/limits/more", &json!({"concurrency": n + 1})).ok();
    }
    sealed(&client, 3);
    let said = shell.json(&["audit", "verify"]);
    let expected =
        json!({"chain": "cluster", "begin": 201, "entries": 110, "last": 310, "seals": 1});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&said["chains"][0][name], value, "{said}");
    }
    // At the new beginning, too.
    let mut redis = hub.private_redis();
    let kept = stream(&mut redis);
    type Change = fn(&mut Vec<(String, Fields)>);
    let cases: [(Change, &str); 3] = [
        (|all| drop(all.remove(0)), "entry 201 of the cluster is missing: entry 202"),
        (|all| set(&mut all[0].1, "actor", "mallory"), "entry 201 of the cluster was altered"),
        (
            |all| {
                let moved = all[0].1.clone();
                all[0].1 = all[1].1.clone();
                all[1].1 = moved;
            },
            "entry 201 of the cluster was altered",
        ),
    ];
    for (change, says) in cases {
        let mut entries = kept.clone();
        change(&mut entries);
        put(&mut redis, &entries);
        named(&shell, says);
    }
    // All that a seal covers, as if it had been dropped for its age.
    put(&mut redis, &kept[100..]);
    named(&shell, "entry 201 of the cluster is missing: entry 301");
    let mut begin = redis::cmd("HSET");
    begin.arg("reef:audit-head").arg("kept_from").arg(301).exec(&mut redis).unwrap();
    // That is what whoever writes all of Redis can do; an export knows better.
    shell.ok(&["audit", "verify"]);
}

#[test]
fn an_export_is_verified_by_itself_and_the_hub_against_it() {
    let hub = told();
    let shell = Shell::of(&hub);
    let file = shell.folder.path().join("audit.jsonl");
    let written = shell.json(&["audit", "export", "audit.jsonl"]);
    let lines = fs::read_to_string(&file).unwrap().lines().count();
    assert_eq!(written, json!({"file": "audit.jsonl", "entries": lines}));
    // Nothing is asked of a hub.
    let nowhere = Shell::at("http://127.0.0.1:9");
    let path = file.display().to_string();
    let said = nowhere.ok(&["audit", "verify", &path]);
    assert!(said.contains(&format!("cluster: {ENTRIES} entries are whole")), "{said}");
    shell.ok(&["audit", "verify", "--against", "audit.jsonl"]);

    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let at = |seq: i64| {
        let is_it = |line: &&str| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["chain"] == "cluster" && entry["seq"] == seq
        };
        lines.iter().position(is_it).unwrap()
    };
    let altered = lines[at(7)].replace("drill", "chore");
    type Change<'a> = Box<dyn Fn(&mut Vec<&'a str>) + 'a>;
    let (seventh, eighth, altered) = (at(7), at(8), altered.as_str());
    let cases: Vec<(Change<'_>, &str)> = vec![
        (Box::new(move |all| all[seventh] = altered), "entry 7 of the cluster was altered"),
        (Box::new(move |all| _ = all.remove(seventh)), "entry 7 of the cluster is missing"),
        (Box::new(move |all| all.swap(seventh, eighth)), "entry 7 of the cluster is missing"),
        (Box::new(move |all| all[seventh] = "{}"), "is no entry"),
    ];
    for (change, says) in cases {
        let mut all = lines.clone();
        change(&mut all);
        fs::write(&file, all.join("\n")).unwrap();
        let found = nowhere.run(&["audit", "verify", &path]);
        assert!(found.code == Some(1) && found.stderr.contains(says), "{says}: {found:?}");
    }
    // An end that is not kept is none that was dropped; a beginning is said.
    fs::write(&file, lines[at(50)..].join("\n")).unwrap();
    assert!(nowhere.ok(&["audit", "verify", &path]).contains("from 50 on"));

    // A hub whose chain somebody has written anew: its head and its links fit, and there is no seal yet.
    fs::write(&file, &whole).unwrap();
    let mut redis = hub.private_redis();
    let mut forged = stream(&mut redis);
    set(&mut forged[220].1, "actor", "mallory");
    let link = linked(&mut forged);
    put(&mut redis, &forged);
    let mut head = redis::cmd("HSET");
    head.arg("reef:audit-head").arg("link").arg(link).exec(&mut redis).unwrap();
    shell.ok(&["audit", "verify"]);
    let found = shell.run(&["audit", "verify", "--against", "audit.jsonl"]);
    assert!(
        found.stderr.contains("entry 221 of the cluster is another than the export"),
        "{found:?}"
    );
}

#[test]
fn what_the_command_line_does_is_told_with_its_reason() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let node = hub.admin().new_node("n");
    shell.ok(&["nodes", "remove", &node, "--reason", "drill 检修"]);
    shell.ok(&["limits", "--reason", "before", "set", "model", "--concurrency", "2"]);
    let refused = shell.run(&["limits", "remove", "model", "--reason", "a\u{1b}b"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("Reef-Reason"), "{refused:?}");
    let listed = shell.json(&["audit", "list"]);
    let said =
        |n: usize| ["action", "via", "reason"].map(|name| listed["entries"][n][name].clone());
    assert_eq!(said(0), ["limit.set", "cli", "before"]);
    assert_eq!(said(1), ["node.remove", "cli", "drill 检修"]);
    let shown = shell.ok(&["audit", "list", "--action", "node.*"]);
    assert!(shown.contains("drill 检修") && !shown.contains("limit.set"), "{shown}");
}

#[test]
fn a_backup_has_it_all_and_a_restoration_is_told() {
    let mut hub = told();
    let shell = Shell::of(&hub);
    let before = shell.json(&["audit", "verify"]);
    let state = hub.state_dir().display().to_string();
    let run = |args: &[&str]| {
        let output = Program::run(reef().args(args), PATIENCE);
        assert!(output.status.success(), "{output:?}");
    };
    let file = shell.folder.path().join("hub.backup").display().to_string();
    run(&["backup", &file, "--state-dir", &state]);
    shell.ok(&["audit", "export", "audit.jsonl"]);
    hub.admin().put("/limits/later", &json!({})).ok();
    hub.terminate();
    assert!(hub.wait().success());
    fs::remove_dir_all(hub.state_dir().join("redis")).unwrap();
    run(&["restore", &file, "--state-dir", &state]);
    hub.start_again();
    let shell = shell.with("REEF_HUB", hub.url());
    let after = shell.json(&["audit", "verify", "--against", "audit.jsonl"]);
    for n in 0..2 {
        // One more in each, which says that an older copy was restored.
        let last = |report: &Value| report["chains"][n]["last"].as_i64().unwrap();
        assert_eq!(last(&after), last(&before) + 1, "{before} {after}");
        assert!(after["chains"][n]["seals"].as_i64() >= before["chains"][n]["seals"].as_i64());
    }
    let listed = shell.json(&["audit", "list", "--action", "hub.restore"]);
    let entries = listed["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{listed}");
    assert!(entries.iter().all(|entry| entry["actor"] == "@hub" && entry["via"] == "hub"));
    assert!(entries[0]["after"]["taken_at"].is_string(), "{listed}");
}
