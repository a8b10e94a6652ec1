//! `redis.acl`: exactly the commands, keys and channels that the hub uses, and a hub that runs with
//! no more.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::read;
use crate::alone::layout::use_everything;
use crate::generated::assert_is;
use crate::harness::{Hub, PATIENCE, RedisServer, eventually, root};

/// What is sent when a connection is opened, listens or waits, which no literal of our own names; and
/// the health check of deploy/compose.yaml. Not `WAITAOF`: a server that does not know it would not read
/// the file.
const CONNECTION: &[&str] = &["select", "subscribe", "unsubscribe", "ping", "wait"];
/// Where the host's and the store's commands stand as literals. The commands that components of
/// other people may use (crates/runtime) are not among them.
const SENDERS: &[&str] = &["host/src", "crates/store/src", "crates/redis/src"];
/// Only these of their subcommands are used.
const SUBCOMMANDS: &[(&str, &[&str])] = &[
    ("config", &["config|get"]),
    ("function", &["function|delete", "function|list", "function|load"]),
    ("xinfo", &["xinfo|stream"]),
];

/// The quoted words that follow one of these beginnings.
fn quoted_after<'t>(text: &'t str, beginnings: &[&str]) -> Vec<&'t str> {
    let mut found = Vec::new();
    for beginning in beginnings {
        for part in text.split(beginning).skip(1) {
            let part = part.trim_start();
            if let Some(quote @ ('\'' | '"')) = part.chars().next() {
                found.extend(part[1..].split(quote).next());
            }
        }
    }
    found
}

fn sources(folder: &std::path::Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|it| it == "rs" || it == "lua") {
            let text = fs::read_to_string(&path).unwrap();
            // What is for tests alone comes last in a file.
            into.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
}

/// The commands that the hub sends, in the words of an ACL.
fn commands(server: &mut redis::Connection) -> BTreeSet<String> {
    let known: BTreeSet<String> = redis::cmd("COMMAND").arg("LIST").query(server).unwrap();
    let mut sent: BTreeSet<String> = CONNECTION.iter().map(|it| (*it).to_owned()).collect();
    let mut scripts = Vec::new();
    sources(&root().join("crates/store/lua"), &mut scripts);
    for script in &scripts {
        let called = quoted_after(script, &["call(", "foreign("]);
        for name in &called {
            assert!(known.contains(&name.to_lowercase()), "{name} is no command of Redis");
        }
        sent.extend(called.iter().map(|name| name.to_lowercase()));
        // A command put together in a table, to be unpacked.
        let assembled = quoted_after(script, &["command = {"]);
        sent.extend(assembled.iter().map(|name| name.to_lowercase()));
    }
    for folder in SENDERS {
        let mut texts = Vec::new();
        sources(&root().join(folder), &mut texts);
        for text in &texts {
            let names = quoted_after(text, &["execute(", "redis::cmd("]);
            sent.extend(names.iter().map(|name| name.to_lowercase()));
        }
    }
    let in_parts = |name: String| match SUBCOMMANDS.iter().find(|(whole, _)| *whole == name) {
        Some((_, parts)) => parts.iter().map(|part| (*part).to_owned()).collect(),
        None => vec![name],
    };
    sent.into_iter().flat_map(in_parts).collect()
}

/// The file, as keys, channels and commands want it.
fn wanted(server: &mut redis::Connection) -> String {
    let glob = |pattern: &str| match pattern.split_once('{') {
        Some((before, _)) => format!("{before}*"),
        None => pattern.to_owned(),
    };
    // The host looks whether there are data under the other layout.
    let own = ["reef:*", "{cluster}:reef:*"].map(str::to_owned);
    let (mut keys, mut channels) = (BTreeSet::from(own), BTreeSet::new());
    for [pattern, kind, ..] in reef_store::keys::TABLE {
        if *kind == "channel" {
            channels.insert(glob(pattern));
        } else if !pattern.starts_with("reef:") {
            keys.insert(glob(pattern));
        }
    }
    let list = |sign: &str, items: BTreeSet<String>| -> String {
        items.iter().map(|item| format!(" {sign}{item}")).collect()
    };
    format!(
        "user default reset\nuser reef reset on >CHANGE-ME{}{}{}\n",
        list("~", keys),
        list("&", channels),
        list("+", commands(server))
    )
}

#[test]
fn the_acl_is_generated_from_what_the_hub_uses() {
    let server = RedisServer::start();
    assert_is("deploy/redis.acl", &wanted(&mut server.connect()));
}

#[test]
fn a_hub_does_all_its_work_under_the_acl() {
    let server = RedisServer::start();
    let mut admin = server.connect();
    for line in read("redis.acl").lines() {
        let mut words = line.split(' ').skip(1);
        // The test's own connection stays what it is.
        let Some(user) = words.next().filter(|user| *user != "default") else { continue };
        let mut set = redis::cmd("ACL");
        set.arg("SETUSER").arg(user);
        for word in words {
            set.arg(word);
        }
        set.query::<()>(&mut admin).unwrap();
    }
    let url = server.url().replace("redis://", "redis://reef:CHANGE-ME@");
    let hub = Hub::options()
        .env("REEF_REDIS_URL", &url)
        .variable("legacy_inbox", "true")
        .variable("legacy_task_queue", "true")
        .timeout(2.0)
        .start();
    let id = use_everything(&hub);
    use_money(&hub);
    // The monitor marks it offline, and what it announces arrives at a reader.
    let client = hub.admin();
    let offline = || (client.node(&id)["status"] == "offline").then_some(());
    eventually("the monitor's verdict", PATIENCE, offline);
    eventually("a round of the cron trigger", PATIENCE, || {
        let metrics = client.get("//metrics").text();
        let runs = metrics
            .lines()
            .find(|it| it.starts_with("reef_cron_runs_total") && it.contains("\"ok\""));
        runs.filter(|line| !line.ends_with(" 0")).map(drop)
    });
    // Redis keeps what it has refused.
    let refused: Vec<redis::Value> = redis::cmd("ACL").arg("LOG").query(&mut admin).unwrap();
    let refused: Vec<_> = refused.iter().map(|it| format!("{it:?}")).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let log = hub.log();
    assert!(!log.to_lowercase().contains("noperm"), "{log}");
}

#[test]
fn a_hub_works_where_functions_are_refused() {
    for denied in ["-fcall", "-function|load", "-@scripting +eval +evalsha"] {
        let server = RedisServer::start();
        let mut admin = server.connect();
        let mut set = redis::cmd("ACL");
        set.arg("SETUSER").arg("plain").arg("on").arg(">secret").arg("~*").arg("&*").arg("+@all");
        for word in denied.split(' ') {
            set.arg(word);
        }
        set.query::<()>(&mut admin).unwrap();
        let url = server.url().replace("redis://", "redis://plain:secret@");
        let hub = Hub::options().env("REEF_REDIS_URL", &url).start();
        use_everything(&hub);
        use_money(&hub);
        let loaded: Vec<redis::Value> =
            redis::cmd("FUNCTION").arg("LIST").query(&mut admin).unwrap();
        assert!(loaded.is_empty(), "{denied}: {loaded:?}");
    }
}

/// Goes through the ledger: agents, keys, money, holds, intents, positions, the journal.
fn use_money(hub: &Hub) {
    let admin = hub.admin();
    for agent in ["alice", "bob"] {
        admin.post("/agents/register", &json!({"agent_id": agent, "wallet_address": agent})).ok();
        admin.post("/deposit", &json!({"agent_id": agent, "amount": "100"})).ok();
    }
    admin.post("/withdraw", &json!({"agent_id": "bob", "amount": "1"})).ok();
    let pay = json!({"from_agent": "alice", "to_agent": "bob", "amount": "10"});
    admin.with("idempotency-key", "k").post("/transfer", &pay).ok();
    for end in ["post", "void"] {
        let hold = admin.post("/holds", &json!({"agent_id": "alice", "amount": "5"})).ok();
        let id = hold["hold"]["hold_id"].as_str().unwrap().to_owned();
        let body = if end == "post" { json!({"to_agent": "bob"}) } else { json!({}) };
        admin.post(&format!("/holds/{id}/{end}"), &body).ok();
    }
    admin.post("/holds", &json!({"agent_id": "alice", "amount": "5", "expires_in_ms": 1000})).ok();
    let intend = |agent: &str, side: &str| {
        let wish =
            json!({"agent_id": agent, "intent_type": side, "asset": "ETH-PERP", "size": "10"});
        let made = admin.post("/intents", &wish).ok();
        made["intent"]["intent_id"].as_str().unwrap().to_owned()
    };
    let (long, short) = (intend("alice", "long"), intend("bob", "short"));
    let matched = json!({"with": short, "price": "2000"});
    let matched = admin.post(&format!("/intents/{long}/match"), &matched).ok();
    let position = matched["positions"][0]["position_id"].as_str().unwrap().to_owned();
    admin.post(&format!("/positions/{position}/mark"), &json!({"price": "2100"})).ok();
    admin.post(&format!("/positions/{position}/close"), &json!({"price": "2100"})).ok();
    let open = intend("alice", "long");
    admin.delete(&format!("/intents/{open}")).ok();
    let made = admin.post("/agents/register", &json!({"agent_id": "carol"})).ok();
    let carol = hub.anonymous().with_key(made["api_key"].as_str().unwrap());
    let key = carol.post("/auth/keys", &json!({"scopes": ["read"]})).ok();
    let key = key["key_info"]["key_id"].as_str().unwrap().to_owned();
    let rotated = carol.post_empty(&format!("/auth/keys/{key}/rotate")).ok();
    let key = rotated["key_info"]["key_id"].as_str().unwrap_or(&key).to_owned();
    carol.delete(&format!("/auth/keys/{key}")).ok();
    carol.get("/auth/me").ok();
    for path in [
        "/agents",
        "/agents/alice",
        "/balance/alice",
        "/holds?agent_id=alice",
        "/intents?asset=ETH-PERP",
        "/positions/alice?include_closed=true",
        "/entries?agent_id=alice",
        "/entries?order=oldest",
        "/entries/seals",
        "/entries/audit",
        "/entries/index?agent_id=alice",
        "/audit",
        "/audit/seals?chain=cluster",
        "/audit/seals?chain=ledger",
    ] {
        assert_eq!(admin.get(path).status, 200, "{path}");
    }
}
