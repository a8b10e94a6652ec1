//! What somebody may do to the ledger behind its back, and that `reef ledger verify` names it.

use reef_domain::journal::{Entry, NO_LINK};
use serde_json::{Value, json};

use super::Shell;
use crate::harness::{Client, Hub, PATIENCE, eventually};

/// A hub whose ledger holds one of everything.
struct Books {
    hub: Hub,
    client: Client,
    hold: String,
    posted: String,
    intent: String,
    position: String,
    closed: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Books {
    fn new() -> Self {
        let hub = Hub::start();
        let client = hub.admin();
        for agent in ["alice", "bob"] {
            client.post("/agents/register", &json!({"agent_id": agent})).ok();
            client.post("/deposit", &json!({"agent_id": agent, "amount": "100"})).ok();
        }
        let pay = json!({"from_agent": "alice", "to_agent": "bob", "amount": "1.25"});
        client.post("/transfer", &pay).ok();
        let place = |body: Value| text(&client.post("/holds", &body).ok()["hold"]["hold_id"]);
        let hold = place(json!({"agent_id": "alice", "amount": "5", "expires_in_ms": 3_600_000}));
        let posted = place(json!({"agent_id": "alice", "amount": "4"}));
        client.post(&format!("/holds/{posted}/post"), &json!({"to_agent": "bob"})).ok();
        let intend = |agent: &str, side: &str| {
            let wish = json!({
                "agent_id": agent, "intent_type": side, "asset": "ETH", "size": "10",
                "leverage": 3,
            });
            text(&client.post("/intents", &wish).ok()["intent"]["intent_id"])
        };
        let pair = || {
            let (long, short) = (intend("alice", "long"), intend("bob", "short"));
            let made = json!({"with": short, "price": "2000"});
            let made = client.post(&format!("/intents/{long}/match"), &made).ok();
            text(&made["positions"][0]["position_id"])
        };
        let (position, closed) = (pair(), pair());
        client.post(&format!("/positions/{closed}/close"), &json!({"price": "2100"})).ok();
        let intent = intend("alice", "long");
        Self { hub, client, hold, posted, intent, position, closed }
    }

    fn redis(&self) -> redis::Connection {
        self.hub.private_redis()
    }
}

fn command(words: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    command
}

/// What lies under a key, to be put back.
fn kept(redis: &mut redis::Connection, name: &str) -> impl FnOnce(&mut redis::Connection) + use<> {
    let dump: Option<Vec<u8>> = redis::cmd("DUMP").arg(name).query(redis).unwrap();
    let name = name.to_owned();
    move |redis| match dump {
        Some(dump) => {
            let mut restore = redis::cmd("RESTORE");
            restore.arg(name).arg(0).arg(dump).arg("REPLACE").exec(redis).unwrap();
        }
        None => redis::cmd("DEL").arg(name).exec(redis).unwrap(),
    }
}

#[test]
fn whatever_is_changed_behind_the_ledgers_back_is_named() {
    let books = Books::new();
    let shell = Shell::of(&books.hub);
    let said = shell.ok(&["ledger", "verify"]);
    assert!(said.contains("the balances of 2 agents"), "{said}");
    let (hold, posted) =
        (&format!("reef:hold:{}", books.hold), &format!("reef:hold:{}", books.posted));
    let intent = &format!("intent:{}", books.intent);
    let position = &format!("position:{}", books.position);
    let closed = &format!("position:{}", books.closed);
    let head = "reef:ledger";
    let mut redis = books.redis();
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["HSET", head, "link", NO_LINK], "the ledger's link is"),
        (vec!["HINCRBY", head, "entries", "1"], "is missing"),
        (vec!["HINCRBY", head, "entries", "-1"], "the ledger's length is"),
        (vec!["HINCRBY", head, "holds", "-1"], "the ledger's holds is"),
        (vec!["XDEL", "reef:entries", "3-0"], "entry 3 is missing"),
        (vec!["DEL", hold], "is missing"),
        (vec!["HSET", hold, "amount", "50000000"], "amount is \"50000000\", and not \"5000000\""),
        (vec!["HSET", hold, "agent_id", "bob"], "agent_id is \"bob\", and not \"alice\""),
        (vec!["HSET", posted, "status", "pending"], "status is \"pending\", and not \"posted\""),
        (vec!["HSET", posted, "to_agent", "alice"], "to_agent is \"alice\""),
        (vec!["ZREM", "reef:holds:due", &books.hold], "is not in its place in: due"),
        (vec!["ZREM", "reef:holds:agent:alice", &books.hold], "is not in its place in: agent"),
        (vec!["HSET", "reef:hold:forged", "agent_id", "bob", "amount", "9"], "in no entry"),
        (vec!["HINCRBY", "reef:account:@external", "balance", "1"], "@external has"),
        (vec!["HINCRBY", "reef:account:alice", "locked", "-1"], "of them reserved"),
        (
            vec!["HSET", "reef:account:mallory", "balance", "5", "locked", "0"],
            "mallory is nobody's",
        ),
        (vec!["SET", "reef:account:mallory", "no hash"], "mallory is nobody's"),
        (vec!["DEL", "reef:account:bob"], "the account bob is missing"),
        (vec!["SET", "balance:alice", "7"], "balance:alice is \"7\""),
        (vec!["SET", "balance:mallory", "7"], "balance:mallory mirrors"),
        (vec!["DEL", "agent:bob"], "bob is nobody's"),
        (vec!["RPOP", "reef:entries:alice"], "entries of alice"),
        (vec!["LSET", "reef:entries:bob", "0", "1"], "entries of bob"),
        (vec!["DEL", "reef:entries:bob"], "entries of bob"),
        (vec!["RPUSH", "reef:entries:mallory", "1"], "entries of mallory"),
        (vec!["HINCRBY", intent, "margin", "1"], "reserve"),
        (vec!["HSET", intent, "size", "1"], "margin"),
        (vec!["DEL", intent], "the intent"),
        (vec!["HSET", intent, "status", "cancelled"], "status is \"cancelled\""),
        (vec!["HINCRBY", position, "margin", "1"], "reserve"),
        (vec!["DEL", position], "positions of"),
        (vec!["HSET", position, "status", "closed"], "the journal says otherwise"),
        (vec!["HSET", closed, "status", "open"], "the journal says otherwise"),
        (vec!["HSET", closed, "realized_pnl", "9"], "realized_pnl is \"9\""),
    ];
    for (tamper, says) in cases {
        let put_back = kept(&mut redis, tamper[1]);
        command(&tamper).exec(&mut redis).unwrap();
        let found = shell.run(&["ledger", "verify"]);
        assert_eq!(found.code, Some(1), "{tamper:?}: {found:?}");
        assert!(found.stderr.contains(says), "{tamper:?}: {found:?}");
        put_back(&mut redis);
    }
    shell.ok(&["ledger", "verify"]);
}

#[test]
fn what_is_not_backed_by_its_entry_pays_and_releases_nothing() {
    let books = Books::new();
    let client = &books.client;
    let mut redis = books.redis();
    let pay = json!({"to_agent": "bob"});
    let price = json!({"price": "2500"});
    let cases = [
        (format!("reef:hold:{}", books.hold), "amount", "50000000", "POST", "post", &pay),
        (format!("reef:hold:{}", books.hold), "amount", "50000000", "POST", "void", &Value::Null),
        (format!("reef:hold:{}", books.posted), "status", "pending", "POST", "void", &Value::Null),
        (format!("intent:{}", books.intent), "margin", "90000000", "DELETE", "", &Value::Null),
        (format!("position:{}", books.position), "margin", "90000000", "POST", "close", &price),
    ];
    for (name, field, value, method, verb, body) in cases {
        let before = [client.get("/balance/alice").ok(), client.get("/balance/bob").ok()];
        let put_back = kept(&mut redis, &name);
        command(&["HSET", &name, field, value]).exec(&mut redis).unwrap();
        let (kind, id) = name.rsplit_once(':').unwrap();
        let noun = kind.trim_start_matches("reef:");
        let path = format!("/{noun}s/{id}/{verb}");
        let path = path.trim_end_matches('/');
        let again = client.with("idempotency-key", &name);
        let body = (!body.is_null()).then(|| serde_json::to_vec(body).unwrap());
        // A posted hold of which somebody has made a pending one is backed by its entry, but nothing
        // may be locked for it any longer.
        if field != "status" {
            again.send(method, path, body.as_deref()).problem(409, "conflict");
            let after = [client.get("/balance/alice").ok(), client.get("/balance/bob").ok()];
            assert_eq!(after, before, "{name}");
            eventually("a word in the log", PATIENCE, || {
                books
                    .hub
                    .log()
                    .contains(&format!("`reef ledger verify`: {noun} {id}"))
                    .then_some(())
            });
        }
        put_back(&mut redis);
    }
    // Once it is put right, the same request does what it asks for.
    let again = client.with("idempotency-key", &format!("reef:hold:{}", books.hold));
    again.post(&format!("/holds/{}/post", books.hold), &pay).ok();
    Shell::of(&books.hub).ok(&["ledger", "verify"]);
}

#[test]
fn an_overdue_hold_that_was_deleted_or_raised_holds_up_nobody() {
    let books = Books::new();
    let mut redis = books.redis();
    let place = json!({"agent_id": "alice", "amount": "1", "expires_in_ms": 3_600_000});
    let other = text(&books.client.post("/holds", &place).ok()["hold"]["hold_id"]);
    let raised = format!("reef:hold:{}", books.hold);
    command(&["HSET", &raised, "amount", "50000000"]).exec(&mut redis).unwrap();
    command(&["DEL", &format!("reef:hold:{other}")]).exec(&mut redis).unwrap();
    command(&["ZADD", "reef:holds:due", "1", &books.hold, "1", &other]).exec(&mut redis).unwrap();
    let pay = json!({"from_agent": "bob", "to_agent": "alice", "amount": "1"});
    books.client.post("/transfer", &pay).ok();
    eventually("both out of the way", PATIENCE, || {
        let due: i64 = command(&["ZCARD", "reef:holds:due"]).query(&mut redis).unwrap();
        (due == 0).then_some(())
    });
    let hold = books.client.get(&format!("/holds/{}", books.hold)).ok();
    assert_eq!(hold["status"], "pending", "it released nothing");
    let found = Shell::of(&books.hub).run(&["ledger", "verify"]);
    assert!(found.stderr.contains(&other) && found.stderr.contains(&books.hold), "{found:?}");
}

/// Writes the journal anew with another memo in its third entry, all links made to fit.
fn forge(shell: &Shell, redis: &mut redis::Connection) {
    let journal = std::fs::read_to_string(shell.folder.path().join("kept.jsonl")).unwrap();
    command(&["DEL", "reef:entries"]).exec(redis).unwrap();
    let mut previous = NO_LINK.to_owned();
    let mut pipe = redis::pipe();
    for line in journal.lines() {
        let mut entry: Entry = serde_json::from_str(line).unwrap();
        if entry.seq == 3 {
            entry.memo = "forged".to_owned();
        }
        entry.previous.clone_from(&previous);
        entry.link = entry.expected_link();
        previous.clone_from(&entry.link);
        let changes = |legs: &[reef_domain::journal::Leg]| {
            let words: Vec<_> =
                legs.iter().map(|it| format!("{} {}", it.account, it.amount.micros())).collect();
            words.join(" ")
        };
        pipe.cmd("XADD").arg("reef:entries").arg(format!("{}-0", entry.seq));
        pipe.arg("at").arg(entry.created_at.0).arg("kind").arg(&entry.kind);
        pipe.arg("reference").arg(&entry.reference).arg("memo").arg(&entry.memo);
        pipe.arg("legs").arg(changes(&entry.legs)).arg("locks").arg(changes(&entry.locks));
        pipe.arg("previous").arg(&entry.previous).arg("link").arg(&entry.link).ignore();
    }
    pipe.exec(redis).unwrap();
    command(&["HSET", "reef:ledger", "link", &previous]).exec(redis).unwrap();
}

#[test]
fn what_was_sealed_is_never_sealed_again() {
    let mut books = Books::new();
    let pay = json!({"from_agent": "bob", "to_agent": "alice", "amount": "0.01"});
    let entries = || books.client.get("/entries?limit=1").ok()["entries"][0]["seq"].as_i64();
    while entries().is_some_and(|seq| seq < 1001) {
        books.client.post("/transfer", &pay).ok();
    }
    eventually("the first seal", PATIENCE, || {
        (books.client.get("/entries/seals").ok()["total"] == 1).then_some(())
    });
    let shell = Shell::of(&books.hub);
    assert!(shell.ok(&["ledger", "verify"]).contains("1 seals"));
    shell.ok(&["ledger", "export", "kept.jsonl"]);
    shell.ok(&["ledger", "verify", "--against", "kept.jsonl"]);
    let mut redis = books.redis();
    let is_refused = |hub: &Hub| {
        eventually("a word in the log", PATIENCE, || {
            hub.log().contains("nothing is sealed any longer").then_some(())
        });
    };

    let put_back = kept(&mut redis, "reef:ledger:seals");
    command(&["HSET", "reef:ledger:seals", "0", &"0".repeat(64)]).exec(&mut redis).unwrap();
    is_refused(&books.hub);
    let found = shell.run(&["ledger", "verify"]);
    assert!(found.stderr.contains("seal 1 is not that of its thousand entries"), "{found:?}");
    command(&["DEL", "reef:ledger:seals"]).exec(&mut redis).unwrap();
    let found = shell.run(&["ledger", "verify"]);
    assert!(found.stderr.contains("0 seals are there, and 1 were made"), "{found:?}");

    // A forged entry with links and head made to fit, and its seal deleted: the head remembers it.
    forge(&shell, &mut redis);
    let found = shell.run(&["ledger", "verify"]);
    assert!(found.stderr.contains("last seal, number 1, is not that of its entries"), "{found:?}");
    // With that forgotten, too, the monitor that made the seal makes no other…
    command(&["HDEL", "reef:ledger", "sealed", "seal"]).exec(&mut redis).unwrap();
    books.hub.terminate();
    assert!(books.hub.wait().success());
    assert!(!books.hub.log().contains("panicked"));
    books.hub.start_again();
    // …and one that begins anew knows no better, but whoever kept an export does.
    let shell = Shell { folder: shell.folder, ..Shell::of(&books.hub) };
    shell.ok(&["ledger", "verify"]);
    let found = shell.run(&["ledger", "verify", "--against", "kept.jsonl"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.stderr.contains("entry 3 is not the one in the export"), "{found:?}");
    drop(put_back);
}

#[test]
fn a_monitor_that_saw_a_seal_knows_another_in_its_place() {
    let books = Books::new();
    let pay = json!({"from_agent": "bob", "to_agent": "alice", "amount": "0.01"});
    let entries = || books.client.get("/entries?limit=1").ok()["entries"][0]["seq"].as_i64();
    while entries().is_some_and(|seq| seq < 1001) {
        books.client.post("/transfer", &pay).ok();
    }
    eventually("the first seal", PATIENCE, || {
        (books.client.get("/entries/seals").ok()["total"] == 1).then_some(())
    });
    // The cron trigger may have made it; the monitor has seen it after two rounds more.
    let rounds = || {
        let text = books.client.get("//metrics").text();
        let line = text
            .lines()
            .find_map(|it| it.strip_prefix("reef_monitor_ticks_total{outcome=\"ok\"} "));
        line.and_then(|count| count.parse::<f64>().ok()).unwrap_or_default()
    };
    let before = rounds();
    eventually("two rounds", PATIENCE, || (rounds() >= before + 2.0).then_some(()));
    // Another seal in its place, in both places where it is kept: only who saw the first can tell.
    let mut redis = books.redis();
    let other = "f".repeat(64);
    redis::pipe()
        .atomic()
        .cmd("HSET")
        .arg(&["reef:ledger", "seal", &other])
        .cmd("HSET")
        .arg(&["reef:ledger:seals", "0", &other])
        .exec(&mut redis)
        .unwrap();
    eventually("a word in the log", PATIENCE, || {
        books.hub.log().contains("nothing is sealed any longer").then_some(())
    });
}
