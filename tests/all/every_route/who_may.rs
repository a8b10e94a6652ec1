//! Who may do what: each operation asked by each kind of caller.

use std::collections::{BTreeMap, BTreeSet};

use reef_domain::access::{Scope, Scopes};
use serde_json::Value;

use super::document::{Operation, operations};
use super::grounds::{Asked, Grounds};
use super::principals::{By, Principal, Standing, strangers};
use crate::contract::Subject;
use crate::contract::access::foreign::Meets;
use crate::harness::{Answer, Hub};

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// 401: it must say who it is.
    WhoAreYou,
    /// 403: it may not.
    No,
    /// 403: it is a page that may only read.
    MayOnlyRead,
    /// 404: there is nothing for it.
    Nothing,
    /// What was asked for.
    Yes,
}

/// The operations on which nobody's key is looked at: the host answers them in any case.
fn looks_at_key(operation: &Operation) -> bool {
    let is_open = !operation.wants_key;
    !(is_open && (operation.is_the_hosts || operation.path == "/readyz"))
}

/// What follows from what an operation asks, who calls, and what strangers meet there.
fn told(operation: &Operation, meets: Meets, principal: &Principal) -> Told {
    if !looks_at_key(operation) {
        return Told::Yes;
    }
    let is_admission = operation.path == "/api/v1/agents/register";
    let is_contracts = operation.path.starts_with("/api/");
    let standing = match principal.by {
        By::Page if !operation.is_read() && is_contracts => return Told::MayOnlyRead,
        // Elsewhere a page changes nothing by its cookies.
        By::Page | By::ActingPage if !operation.is_read() && !is_contracts => Standing::Unknown,
        _ => principal.standing,
    };
    match standing {
        // A wrong key is no good where none is needed, either.
        Standing::Unknown if principal.name == "nobody" && !operation.wants_key => Told::Yes,
        Standing::Unknown => Told::WhoAreYou,
        Standing::Suspended => Told::No,
        Standing::Invited if is_admission || !operation.wants_key => Told::Yes,
        Standing::Invited => Told::WhoAreYou,
        Standing::Admin => Told::Yes,
        Standing::Agent { scopes, .. } if operation.scope.is_some_and(|it| !scopes.has(it)) => {
            Told::No
        }
        Standing::Agent { scopes, is_owner } if exceeds(operation, scopes, is_owner) => Told::No,
        Standing::Agent { scopes, is_owner } => {
            let is_all_ones = is_owner || scopes.has(Scope::Admin);
            match meets {
                _ if is_all_ones => Told::Yes,
                Meets::Welcome => Told::Yes,
                Meets::Forbidden => Told::No,
                Meets::Nothing => Told::Nothing,
                Meets::AdminOnly => panic!("{}: its scope is not admin", operation.name()),
            }
        }
    }
}

/// A key gives and takes away no more than it has. What these give or take has the scopes of an
/// agent's first key; whose keys these are is looked at first.
fn exceeds(operation: &Operation, scopes: Scopes, is_owner: bool) -> bool {
    let has_less = !Scopes::OF_FIRST_KEY.is_within(scopes);
    let gives = ["POST /api/v1/agents/register", "POST /api/v1/invites"];
    let deals = ["DELETE /api/v1/auth/keys/{key_id}", "POST /api/v1/auth/keys/{key_id}/rotate"];
    let name = operation.name();
    if name == "POST /ui/act" {
        return scopes.without(Scope::Read).is_empty();
    }
    has_less && (gives.contains(&&*name) || is_owner && deals.contains(&&*name))
}

/// Whether somebody who may has got what was asked for.
pub fn is_done(operation: &Operation, status: u16) -> bool {
    match operation.name().as_str() {
        // Nobody is removed who has money.
        "DELETE /api/v1/agents/{id}" => status == 409,
        // A job of so few tasks has ended by then, or has not.
        "POST /api/v1/bulk/{id}/stop" => matches!(status, 200 | 409),
        _ => matches!(status, 200 | 204),
    }
}

fn send(principal: &Principal, operation: &Operation, asked: &Asked) -> Answer {
    let Asked { path, body, .. } = asked;
    if operation.is_stream() {
        // Its head is the answer.
        let stream = principal.client.stream(path);
        if stream.status == 200 {
            return Answer {
                request: operation.name(),
                status: stream.status,
                headers: Vec::new(),
                body: Vec::new(),
            };
        }
    }
    match body {
        Value::Null => principal.client.send(&operation.method, path, None),
        body => principal.client.send_json(&operation.method, path, body),
    }
}

/// What is wrong with an answer, if anything is.
fn fault(
    operation: &Operation,
    principal: &Principal,
    expected: Told,
    answer: &Answer,
) -> Option<String> {
    let (status, code) = match expected {
        Told::WhoAreYou => (401, "unauthenticated"),
        Told::No => (403, "forbidden"),
        Told::MayOnlyRead => (403, "act_required"),
        Told::Nothing => (404, "not_found"),
        Told::Yes => (answer.status, ""),
    };
    let is_right = match expected {
        Told::Yes => is_done(operation, answer.status),
        _ => answer.status == status && answer.json()["code"] == code,
    };
    let what = format!("{} by {}: {expected:?}", operation.name(), principal.name);
    (!is_right).then(|| format!("{what} is right, not {answer}"))
}

/// Everything that could be changed, as the admin sees it.
fn everything(hub: &Subject, grounds: &Grounds) -> BTreeMap<String, Value> {
    let estate = &grounds.estate;
    let alice = &estate.alice.id;
    let paths = [
        "/api/v1/nodes/{id}",
        "/api/v1/sessions/{sid}",
        "/api/v1/sessions/{sid}/messages",
        "/api/v1/messages/{mid}",
        "/api/v1/messages/{mid}/events",
        "/api/v1/tasks/{id}",
        "/api/v1/tasks/{id}/why",
        "/api/v1/inbox/{agent}",
        "/api/v1/inbox/{agent}/dead",
        "/api/v1/agents/{id}",
        "/api/v1/balance/{agent}",
        "/api/v1/holds/{id}",
        "/api/v1/intents/{id}",
        "/api/v1/positions/{id}",
    ];
    let mut paths: Vec<String> = paths.iter().map(|path| estate.path(path)).collect();
    paths.push(format!("/tasks/{}", estate.held));
    paths.push(format!("/auth/keys?agent_id={alice}"));
    let newest = ["nodes", "sessions", "tasks", "agents", "entries", "holds", "intents", "invites"];
    paths.extend(newest.map(|list| format!("/{list}?limit=3")));
    paths.extend(["/tasks/stats", "/tasks/dead", "/cluster/leader"].map(str::to_owned));
    let seen = paths.into_iter().map(|path| {
        let mut value = hub.client.get(&path).ok();
        forget_uses(&mut value);
        (path, value)
    });
    seen.collect()
}

/// That somebody has looked is no change, nor is time that passes.
fn forget_uses(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget_uses),
        Value::Object(members) => {
            // The time of a delayed task comes, which then waits.
            let passing = ["last_used", "ttl_ms", "delayed", "waiting", "skill_sets"];
            members.retain(|name, _| !passing.contains(&name.as_str()));
            members.values_mut().for_each(forget_uses);
        }
        _ => {}
    }
}

/// What was asked, of whom, and what came of it.
#[derive(Default)]
struct Tally {
    cells: BTreeSet<(String, String)>,
    told: BTreeMap<Told, usize>,
    faults: Vec<String>,
}

impl Tally {
    fn note(&mut self, operation: &Operation, principal: &Principal, told: Told, answer: &Answer) {
        let is_new = self.cells.insert((operation.name(), principal.name.clone()));
        assert!(is_new, "{} by {} twice", operation.name(), principal.name);
        *self.told.entry(told).or_default() += 1;
        self.faults.extend(fault(operation, principal, told, answer));
    }

    fn add(&mut self, other: Self) {
        self.cells.extend(other.cells);
        self.faults.extend(other.faults);
        for (told, count) in other.told {
            *self.told.entry(told).or_default() += count;
        }
    }
}

/// How often refused requests are sent, each time about new things, before what has changed is held
/// to be their effect: the monitor's work for earlier requests ends when it ends.
const TRIES: usize = 3;

fn changes(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let changed = before.iter().filter(|(path, value)| after[*path] != **value);
    changed.map(|(path, was)| format!("{path} was {was}, is {}", after[path])).collect()
}

/// Returns the positions of those who may.
fn ask_as_those_who_may_not(
    operation: &Operation,
    others: &[Principal],
    grounds: &Grounds,
    tally: &mut Tally,
) -> Vec<usize> {
    let mut allowed = Vec::new();
    for (position, principal) in others.iter().chain(&grounds.owners).enumerate() {
        let asked = grounds.asked(operation, principal);
        match told(operation, asked.meets, principal) {
            Told::Yes => allowed.push(position),
            refusal => {
                let answer = send(principal, operation, &asked);
                tally.note(operation, principal, refusal, &answer);
            }
        }
    }
    allowed
}

/// Asks for one operation as everybody. Those who may not come first, and change nothing.
fn ask_for(
    operation: &Operation,
    hub: &Subject,
    others: &[Principal],
    grounds: &mut Grounds,
    tally: &mut Tally,
) {
    let allowed = if operation.is_read() {
        ask_as_those_who_may_not(operation, others, grounds, tally)
    } else {
        let mut tries = 0;
        loop {
            tries += 1;
            let before = everything(hub, grounds);
            let mut own = Tally::default();
            let allowed = ask_as_those_who_may_not(operation, others, grounds, &mut own);
            let changed = changes(&before, &everything(hub, grounds));
            if changed.is_empty() || tries == TRIES {
                let effect =
                    changed.iter().map(|it| format!("{}: refused, {it}", operation.name()));
                own.faults.extend(effect);
                tally.add(own);
                break allowed;
            }
            println!("{}: {changed:?}", operation.name());
            *grounds = Grounds::new(hub);
        }
    };
    for position in allowed {
        // The owner's keys are new with the owner.
        let principal = match position.checked_sub(others.len()) {
            None => others[position].clone(),
            Some(own) => grounds.owners[own].clone(),
        };
        grounds.prepare(operation, hub);
        let asked = grounds.asked(operation, &principal);
        let answer = send(&principal, operation, &asked);
        tally.note(operation, &principal, Told::Yes, &answer);
        if !operation.is_read() && operation.path.contains('{') {
            *grounds = Grounds::new(hub);
        }
    }
}

#[test]
fn each_operation_is_for_those_who_may_and_for_nobody_else() {
    let options = Hub::options().variable("anonymous_rate_per_second", "0").timeout(3600.0);
    let hub = options.variable("rate_limit_per_second", "0").start();
    let mut redis = hub.private_redis();
    // A disk that is busy with other tests is no reason to refuse anything here.
    redis::cmd("CONFIG").arg("SET").arg("appendonly").arg("no").query::<()>(&mut redis).unwrap();
    let hub = Subject::of(hub);
    let others = strangers(&hub, &mut redis);
    let mut grounds = Grounds::new(&hub);
    let (operations, mut tally) = (operations(), Tally::default());
    for operation in &operations {
        ask_for(operation, &hub, &others, &mut grounds, &mut tally);
    }
    let principals = others.len() + grounds.owners.len();
    println!(
        "{} operations x {principals} principals = {} requests: {:?}",
        operations.len(),
        tally.cells.len(),
        tally.told
    );
    assert!(tally.faults.is_empty(), "{}", tally.faults.join("\n"));
    assert_eq!(tally.cells.len(), operations.len() * principals);
    // Neither list has shrunk.
    assert!(operations.len() >= 124 && principals == 34, "{} {principals}", operations.len());
}
