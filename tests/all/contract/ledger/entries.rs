//! The journal.

use reef_domain::journal::{Entry, Verifier};
use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::{Deal, agent_with, hub};
use crate::harness::{Client, field_names, is_timestamp};

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

/// All pages of a list of entries.
#[track_caller]
fn all(client: &Client, query: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut target = format!("/entries?{query}");
    loop {
        let answer = client.get(&target);
        entries.extend(answer.ok()["entries"].as_array().unwrap().clone());
        let Some(link) = answer.header("link") else { return entries };
        let next = link.split(['<', '>']).nth(1).unwrap();
        next.strip_prefix("/api/v1").unwrap().clone_into(&mut target);
    }
}

#[test]
fn each_movement_is_an_entry_of_those_whom_it_concerns() {
    let deal = Deal::new("10", 2, "100");
    let pay = json!({
        "from_agent": deal.long.id, "to_agent": deal.short.id, "amount": "1.5", "memo": "„ü“",
    });
    deal.long.client.post("/transfer", &pay).ok();
    let entries = all(&deal.long.client, "limit=3");
    assert_eq!(kinds(&entries), ["transfer", "match", "intent", "deposit"]);
    assert_eq!(kinds(&all(&deal.short.client, "limit=1000")), kinds(&entries));
    let [transfer, matched, intent, deposit] = &entries[..] else { panic!("{entries:?}") };
    for entry in &entries {
        assert!(is_timestamp(&entry["created_at"]), "{entry}");
        assert_eq!(entry["entry_id"], format!("ent_{}", entry["seq"]));
        assert_eq!(entry["link"].as_str().map(str::len), Some(40));
    }
    let leg = |account: &str, amount: &str| json!({"account": account, "amount": amount});
    assert_eq!(transfer["memo"], "„ü“");
    let legs = [leg(&deal.long.id, "-1.5"), leg(&deal.short.id, "1.5")];
    assert_eq!(transfer["legs"], json!(legs));
    assert_eq!(matched["reference"], deal.answer["match"]["match_id"]);
    assert_eq!(intent["locks"], json!([leg(&deal.long.id, "5")]));
    assert_eq!(deposit["legs"], json!([leg("@external", "-100"), leg(&deal.long.id, "100")]));
    let page = deal.long.client.get("/entries?limit=1").text();
    let entry = page.strip_prefix("{\"entries\":[").unwrap().strip_suffix("]}").unwrap();
    assert_eq!(
        field_names(entry),
        [
            "entry_id",
            "seq",
            "kind",
            "reference",
            "memo",
            "legs",
            "locks",
            "previous",
            "link",
            "created_at",
        ]
    );
}

#[test]
fn the_whole_journal_is_linked_and_the_admins() {
    let hub = hub();
    let agent = agent_with(&hub, "12.5");
    let mut verifier = Verifier::default();
    for entry in all(&hub.client, "order=oldest&limit=1000") {
        let entry: Entry = serde_json::from_value(entry).unwrap();
        verifier.feed(&entry).unwrap();
    }
    assert_eq!(verifier.accounts()[&agent.id].balance, 12_500_000);
    assert_eq!(verifier.accounts().values().map(|account| account.balance).sum::<i64>(), 0);
    agent.client.get("/entries?order=oldest").problem(403, "forbidden");
    hub.client.get("/entries?order=x").problem_with(400, "invalid_parameter", "order");
    let stranger = new_agent(&hub);
    let path = format!("/entries?agent_id={}", agent.id);
    stranger.client.get(&path).problem(403, "forbidden");
    assert_eq!(hub.client.get(&path).ok()["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(stranger.client.get("/entries").ok()["entries"], json!([]));
    stranger.client.get("/entries/seals").problem(403, "forbidden");
    hub.client.get("/entries/seals").has_fields(&["seals", "total"]);
}

#[test]
fn pages_are_stable_while_entries_are_added() {
    let hub = hub();
    let agent = agent_with(&hub, "1");
    let deposit = json!({"agent_id": agent.id, "amount": 1});
    (0..4).for_each(|_| drop(agent.client.post("/deposit", &deposit).ok()));
    let seqs = |entries: &[Value]| {
        entries.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let first = agent.client.get("/entries?limit=2");
    let newest = seqs(first.ok()["entries"].as_array().unwrap());
    agent.client.post("/deposit", &deposit).ok();
    let link = first.header("link").unwrap().split(['<', '>']).nth(1).unwrap();
    let second = agent.client.get(link.strip_prefix("/api/v1").unwrap()).ok();
    let older = seqs(second["entries"].as_array().unwrap());
    assert_eq!(older.len(), 2);
    assert!(older[0] < newest[1], "{newest:?} {older:?}");
    assert_eq!(all(&agent.client, "limit=2").len(), 6);
}
