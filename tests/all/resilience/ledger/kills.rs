//! `kill -9` of the host and of its private Redis while money moves: each movement that was
//! acknowledged is there, once, and none is half done.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reef_domain::Money;
use reef_domain::journal::Entry;
use serde_json::{Value, json};

use super::{Agent, text};
use crate::harness::{Client, Hub, PATIENCE, Signal, eventually, signal, unique, verified_journal};

const AGENTS: usize = 6;
const CALLERS: usize = 4;
/// Movements between two blows.
const BETWEEN: usize = 150;

/// A movement that was acknowledged: its kind, what it refers to, and how much.
type Acknowledged = (&'static str, String, String);

/// Sends a request until it is answered, under the same key each time.
fn insist(client: &Client, path: &str, body: &Value) -> Value {
    let client = client.with("idempotency-key", &unique("key"));
    let body = serde_json::to_vec(body).unwrap();
    eventually(&format!("an answer to {path}"), 3 * PATIENCE, || {
        let answer = client.try_send("POST", path, Some(&body)).ok()?;
        (!matches!(answer.status, 503 | 504)).then(|| answer.ok())
    })
}

/// Moves money until it is told to stop; returns what was acknowledged.
fn move_money(
    agents: &[Agent],
    seed: u64,
    stop: &AtomicBool,
    moved: &AtomicUsize,
) -> Vec<Acknowledged> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut done = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let from = random.usize(..AGENTS);
        let to = (from + random.usize(1..AGENTS)) % AGENTS;
        let (from, to) = (&agents[from], &agents[to]);
        let amount = Money::from_micros(random.i64(1..1_000_000)).unwrap().to_string();
        match random.u8(0..3) {
            0 => {
                // Deposits refer to nothing; their amounts tell them apart.
                let body = json!({"agent_id": from.id, "amount": amount});
                insist(&from.client, "/deposit", &body);
                done.push(("deposit", from.id.clone(), amount));
            }
            1 => {
                let body = json!({"from_agent": from.id, "to_agent": to.id, "amount": amount});
                let answer = insist(&from.client, "/transfer", &body);
                done.push(("transfer", text(&answer["settlement"]["settlement_id"]), amount));
            }
            _ => {
                let body = json!({"agent_id": from.id, "amount": amount});
                let answer = insist(&from.client, "/holds", &body);
                let hold = text(&answer["hold"]["hold_id"]);
                done.push(("hold", hold.clone(), amount.clone()));
                let path = format!("/holds/{hold}/post");
                insist(&from.client, &path, &json!({"to_agent": to.id}));
                done.push(("hold_posted", hold, amount));
            }
        }
        moved.fetch_add(1, Ordering::Relaxed);
    }
    done
}

/// How often each movement is in the journal.
fn movements(entries: &[Entry]) -> BTreeMap<Acknowledged, usize> {
    const KINDS: [&str; 4] = ["deposit", "transfer", "hold", "hold_posted"];
    let mut counts = BTreeMap::new();
    for entry in entries {
        let kind = KINDS.into_iter().find(|kind| *kind == entry.kind).unwrap();
        let leg = entry.legs.last().or(entry.locks.last()).unwrap();
        let reference =
            if kind == "deposit" { leg.account.clone() } else { entry.reference.clone() };
        *counts.entry((kind, reference, leg.amount.to_string())).or_default() += 1;
    }
    counts
}

#[test]
fn what_was_acknowledged_is_there_once_whoever_is_killed() {
    let mut hub = Hub::start();
    let agents: Vec<_> = (0..AGENTS).map(|_| Agent::with(&hub.admin(), 1000)).collect();
    let (stop, moved) = (AtomicBool::new(false), AtomicUsize::new(0));
    let more = |stage: &str| {
        let until = moved.load(Ordering::Relaxed) + BETWEEN;
        eventually(&format!("money to move {stage}"), Duration::from_secs(60), || {
            (moved.load(Ordering::Relaxed) >= until).then_some(())
        });
    };
    let acknowledged: Vec<Acknowledged> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (agents, stop, moved) = (&agents, &stop, &moved);
                scope.spawn(move || move_money(agents, fastrand::u64(..), stop, moved))
            })
            .collect();
        more("at first");
        signal(hub.private_redis_pid(), Signal::Kill);
        more("after Redis was killed");
        hub.kill();
        hub.start_again_there();
        more("after the host was killed");
        signal(hub.private_redis_pid(), Signal::Kill);
        hub.kill();
        hub.start_again_there();
        more("after both were killed");
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    let (entries, verifier) = verified_journal(hub.private_redis());
    assert!(verifier.accounts().values().all(|figures| figures.locked == 0));
    let mut expected: BTreeMap<Acknowledged, usize> = BTreeMap::new();
    let begin = agents.iter().map(|agent| ("deposit", agent.id.clone(), "1000".to_owned()));
    for movement in acknowledged.into_iter().chain(begin) {
        *expected.entry(movement).or_default() += 1;
    }
    let found = movements(&entries);
    assert!(expected.len() > 4 * BETWEEN, "too little happened: {}", expected.len());
    let lost: Vec<_> = expected.iter().filter(|(it, times)| found.get(it) != Some(times)).collect();
    assert!(lost.is_empty(), "acknowledged, and not there as often: {lost:?}");
    let strange: Vec<_> = found.keys().filter(|it| !expected.contains_key(it)).collect();
    assert!(strange.is_empty(), "there, and never acknowledged: {strange:?}");
}
