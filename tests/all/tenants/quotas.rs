//! What one agent may have, each quota by its variable: it ends where the variable says, the detail
//! names it, others are not concerned, and what was there already is never refused.

use serde_json::{Value, json};

use super::{new_tenant, task};
use crate::harness::{Answer, Client, Hub, registration, unique};

/// A refusal that names the quota and its bound.
#[track_caller]
fn assert_over(answer: &Answer, variable: &str, bound: &str) {
    let problem = answer.problem(409, "quota_exceeded");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(variable) && detail.contains(bound), "{detail}");
}

fn register(client: &Client, hostname: &str) -> Answer {
    client.post("/nodes/register", &registration(hostname))
}

#[test]
fn nodes() {
    let hub = Hub::options().variable("quota_nodes", "2").start();
    let (_, alice) = new_tenant(&hub);
    let first = register(&alice, "one").ok();
    register(&alice, "two").ok();
    assert_over(&register(&alice, "three"), "quota_nodes", "2");
    // What is there is registered again, also under the id; others and the admin are not concerned.
    assert_eq!(register(&alice, "one").ok()["registered"], false);
    register(&new_tenant(&hub).1, "of-another").ok();
    for name in ["a", "b", "c"] {
        register(&hub.admin(), name).ok();
    }
    // A refusal is not kept for repeats: there may be room by then.
    let keyed = alice.with("idempotency-key", &unique("key"));
    assert_over(&register(&keyed, "three"), "quota_nodes", "2");
    alice.delete(&format!("/nodes/{}", first["node_id"].as_str().unwrap())).ok();
    register(&keyed, "three").ok();
    assert_over(&register(&alice, "four"), "quota_nodes", "2");
}

#[test]
fn unfinished_tasks() {
    let hub = Hub::options().variable("quota_tasks", "3").start();
    let (_, alice) = new_tenant(&hub);
    let node = alice.new_node_with("worker", &["dig"]);
    let submit = || alice.post("/tasks", &task("dig"));
    let first = submit().ok();
    let mut delayed = task("dig");
    delayed["delay_ms"] = json!(60_000);
    alice.post("/tasks", &delayed).ok();
    let session = alice.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let in_session = format!("/sessions/{session}/tasks");
    let asked = json!({"task_description": "dig", "required_skills": ["never"]});
    alice.post(&in_session, &asked).ok();
    assert_over(&submit(), "quota_tasks", "3");
    assert_over(&alice.post(&in_session, &asked), "quota_tasks", "3");
    new_tenant(&hub).1.post("/tasks", &task("dig")).ok();

    // One that has ended makes room; one that is brought back never asks whether there is some.
    let claim = json!({"node_id": node["node_id"]});
    let claimed = alice.post("/tasks/claim", &claim).ok()["tasks"][0].clone();
    assert_eq!(claimed["task_id"], first["task_id"]);
    let path = format!("/tasks/{}", first["task_id"].as_str().unwrap());
    let failed = json!({"token": claimed["token"], "error": "no", "retryable": false});
    alice.post(&format!("{path}/fail"), &failed).ok();
    submit().ok();
    alice.post_empty(&format!("{path}/retry")).ok();
    assert_over(&submit(), "quota_tasks", "3");
    alice.post_empty(&format!("{path}/cancel")).ok();
    assert_over(&submit(), "quota_tasks", "3");
    alice.post("/tasks/dead/redrive", &json!({"filter": {"status": "failed"}})).ok();
}

#[test]
fn bytes_of_unfinished_tasks() {
    let hub = Hub::options().variable("quota_task_bytes", "50000").start();
    let (_, alice) = new_tenant(&hub);
    let mut large = task("dig");
    large["parameters"] = json!({"text": "x".repeat(20_000)});
    let first = alice.post("/tasks", &large).ok();
    alice.post("/tasks", &large).ok();
    assert_over(&alice.post("/tasks", &large), "quota_task_bytes", "50000");
    alice.post("/tasks", &task("dig")).ok();
    alice.post_empty(&format!("/tasks/{}/cancel", first["task_id"].as_str().unwrap())).ok();
    alice.post("/tasks", &large).ok();
    assert_over(&alice.post("/tasks", &large), "quota_task_bytes", "50000");
}

#[test]
fn a_batch_that_ends_at_the_quota_says_how_many_of_it_stay() {
    let hub = Hub::options().variable("quota_tasks", "150").start();
    let (_, alice) = new_tenant(&hub);
    let batch = json!({"tasks": vec![task("dig"); 250], "atomic": false});
    let refused = alice.post("/tasks/batch", &batch);
    assert_over(&refused, "quota_tasks", "150");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("The first 100 tasks"), "{detail}");
    assert_eq!(alice.get("/tasks?limit=1000").list().len(), 100);
}

#[test]
fn what_is_large_is_not_sent_to_redis_to_be_refused() {
    const LARGE: usize = 500_000;
    let hub = Hub::options().variable("quota_task_bytes", &(LARGE * 3 / 2).to_string()).start();
    let (_, alice) = new_tenant(&hub);
    let mut redis = hub.private_redis();
    let mut received = || {
        let info: String = redis::cmd("INFO").arg("stats").query(&mut redis).unwrap();
        let bytes = info.lines().find_map(|it| it.strip_prefix("total_net_input_bytes:")).unwrap();
        bytes.parse::<usize>().unwrap()
    };
    let mut large = task("dig");
    large["parameters"] = json!({"text": "x".repeat(LARGE)});
    let mut named = large.clone();
    named["task_id"] = json!(unique("own"));
    let keyed = alice.with("idempotency-key", &unique("key"));
    let first = keyed.post("/tasks", &named).ok();

    let before = received();
    assert_over(&alice.post("/tasks", &large), "quota_task_bytes", "750000");
    let batch = json!({"tasks": [large]});
    assert_over(&alice.post("/tasks/batch", &batch), "quota_task_bytes", "750000");
    let cost = received() - before;
    assert!(cost < LARGE, "{cost} bytes");
    // Who repeats a request hears what became of it, and not that there is no room by now.
    assert_eq!(keyed.post("/tasks", &named).ok()["task_id"], first["task_id"]);
    alice.post("/tasks", &named).problem(409, "conflict");
    alice.post("/tasks/batch", &json!({"tasks": [named]})).problem(409, "conflict");
}

#[test]
fn sets_of_skills_are_each_owners_own() {
    let hub = Hub::start();
    let (_, alice) = new_tenant(&hub);
    let (_, bob) = new_tenant(&hub);
    for n in 0..200 {
        alice.post("/tasks", &task(&format!("alice-{n}"))).ok();
    }
    assert_over(&alice.post("/tasks", &task("one-more")), "quota_classes", "200");
    // What waits already takes more of the same, and new sets of others find room.
    alice.post("/tasks", &task("alice-7")).ok();
    bob.post("/tasks", &task("one-more")).ok();
    // Somebody else's tasks in the same class count for nobody but their owner.
    let (_, carol) = new_tenant(&hub);
    for n in 0..200 {
        carol.post("/tasks", &task(&format!("alice-{n}"))).ok();
    }
    let waiting = bob.get("/tasks").list();
    assert_eq!(waiting.len(), 1);
    bob.post("/tasks", &task("another")).ok();
    // A set that nobody waits for any more makes room.
    let node = alice.new_node_with("worker", &["alice-3"])["node_id"].clone();
    let claimed = alice.post("/tasks/claim", &json!({"node_id": node})).ok();
    assert_eq!(claimed["tasks"].as_array().unwrap().len(), 1);
    alice.post("/tasks", &task("one-more")).ok();
    assert_over(&alice.post("/tasks", &task("and-more")), "quota_classes", "200");
}

#[test]
fn what_the_audit_tells_of_it() {
    let hub = Hub::options().variable("quota_audit", "3").start();
    let (_, alice) = new_tenant(&hub);
    let alice = alice.with("reef-via", "cli");
    let node = alice.new_node("worker");
    let path = format!("/nodes/{node}");
    let tagged = |tag: &str| alice.patch(&path, &json!({"tags": [tag]}));
    for tag in ["a", "b", "c"] {
        tagged(tag).ok();
    }
    // Nothing is done untold; and what programs do all day is not told, and done.
    assert_over(&tagged("d"), "quota_audit", "3");
    assert_eq!(alice.node(&node)["tags"], json!(["c"]));
    let (_, program) = new_tenant(&hub);
    let own = program.new_node("own");
    for tag in ["a", "b", "c", "d", "e"] {
        program.patch(&format!("/nodes/{own}"), &json!({"tags": [tag]})).ok();
    }
    // The other part of the audit has a count of its own, and the admin none.
    alice.post("/auth/keys", &json!({"name": "another"})).ok();
    for tag in ["a", "b", "c", "d", "d"] {
        hub.admin().patch(&path, &json!({"tags": [tag]})).ok();
    }
    // What changes nothing is not told.
    let told = hub.admin().get("/audit?action=node.change&actor=@admin").ok();
    assert_eq!(told["entries"].as_array().unwrap().len(), 4, "{told}");
}

#[test]
fn locks_that_are_held() {
    let hub = Hub::options().variable("quota_locks", "2").start();
    let (_, alice) = new_tenant(&hub);
    let acquire = |client: &Client, lock: &str| {
        client.post(&format!("/locks/{lock}/acquire"), &json!({"holder": "a", "ttl_ms": 600_000}))
    };
    let first = acquire(&alice, "one").ok();
    acquire(&alice, "two").ok();
    assert_over(&acquire(&alice, "three"), "quota_locks", "2");
    acquire(&alice, "two").ok();
    acquire(&new_tenant(&hub).1, "three").ok();
    let body = json!({"holder": "a", "term": first["lock"]["term"]});
    alice.post("/locks/one/release", &body).ok();
    acquire(&alice, "four").ok();
    assert_over(&acquire(&alice, "one"), "quota_locks", "2");
    // One whose lease is over makes room, too.
    let short = json!({"holder": "a", "ttl_ms": 100});
    alice.post("/locks/two/acquire", &short).ok();
    crate::harness::eventually("room", crate::harness::PATIENCE, || {
        (acquire(&alice, "one").status == 200).then_some(())
    });
}

#[test]
fn sessions_that_have_expired_do_not_count() {
    let hub = Hub::options().variable("quota_sessions", "2").start();
    let (_, alice) = new_tenant(&hub);
    let open = || alice.post_empty("/sessions");
    let id = open().ok()["session_id"].as_str().unwrap().to_owned();
    open().ok();
    assert_over(&open(), "quota_sessions", "2");
    alice.post("/sessions", &json!({"session_id": id})).ok();
    new_tenant(&hub).1.post_empty("/sessions").ok();
    redis::cmd("DEL").arg(format!("reef:session:{id}")).exec(&mut hub.private_redis()).unwrap();
    open().ok();
    assert_over(&open(), "quota_sessions", "2");
}

#[test]
fn keys() {
    let hub = Hub::options().variable("quota_keys", "2").start();
    let (_, alice) = new_tenant(&hub);
    let make = || alice.post("/auth/keys", &json!({"name": "more"}));
    let second = make().ok();
    assert_over(&make(), "quota_keys", "2");
    let id = second["key_info"]["key_id"].as_str().unwrap();
    alice.post_empty(&format!("/auth/keys/{id}/rotate")).ok();
    assert_over(&make(), "quota_keys", "2");
}

#[test]
fn deposits_are_counted_less_what_was_taken_out() {
    let hub = Hub::options().variable("quota_deposits", "250").start();
    let (id, alice) = new_tenant(&hub);
    let of = |amount: &str| json!({"agent_id": id, "amount": amount});
    alice.post("/deposit", &of("200")).ok();
    assert_over(&alice.post("/deposit", &of("50.000001")), "quota_deposits", "250");
    alice.post("/deposit", &of("50")).ok();
    assert_over(&alice.post("/deposit", &of("0.000001")), "quota_deposits", "250");
    alice.post("/withdraw", &of("100")).ok();
    alice.post("/deposit", &of("100")).ok();
    assert_over(&alice.post("/deposit", &of("1")), "quota_deposits", "250");
    // What the admin brings is the operator's affair.
    hub.admin().post("/deposit", &of("1000")).ok();
    let (other, bob) = new_tenant(&hub);
    bob.post("/deposit", &json!({"agent_id": other, "amount": "250"})).ok();
}

#[test]
fn holds_and_intents() {
    let hub = Hub::options().variable("quota_holds", "2").variable("quota_intents", "2").start();
    let (id, alice) = new_tenant(&hub);
    alice.post("/deposit", &json!({"agent_id": id, "amount": "100"})).ok();
    let hold = || alice.post("/holds", &json!({"agent_id": id, "amount": "1"}));
    let first = hold().ok();
    hold().ok();
    assert_over(&hold(), "quota_holds", "2");
    let void = format!("/holds/{}/void", first["hold"]["hold_id"].as_str().unwrap());
    alice.post_empty(&void).ok();
    hold().ok();
    assert_over(&hold(), "quota_holds", "2");

    let intent = || {
        let body: Value =
            json!({"agent_id": id, "intent_type": "long", "asset": "BTC", "size": "1"});
        alice.post("/intents", &body)
    };
    let first = intent().ok();
    intent().ok();
    assert_over(&intent(), "quota_intents", "2");
    alice.delete(&format!("/intents/{}", first["intent"]["intent_id"].as_str().unwrap())).ok();
    intent().ok();
    assert_over(&intent(), "quota_intents", "2");
}

#[test]
fn all_keys_of_an_agent_share_its_rate() {
    let hub = Hub::options().variable("rate_limit_per_second", "5").start();
    let (_, alice) = new_tenant(&hub);
    let made = alice.post("/auth/keys", &json!({"name": "more"})).ok();
    let again = hub.anonymous().with_key(made["api_key"].as_str().unwrap());
    let left = |client: &Client| -> i64 {
        let answer = client.get("/nodes?limit=1");
        answer.list();
        answer.header("ratelimit-remaining").unwrap().parse().unwrap()
    };
    assert!(left(&again) < left(&alice) + 2, "each key has a rate of its own");
    let refused = (0..1000).any(|n| {
        let client = if n % 2 == 0 { &alice } else { &again };
        client.get("/nodes?limit=1").status == 429
    });
    assert!(refused, "two keys had more than one may");
}

/// A message from an agent.
fn send(tenant: &(String, Client), to: &str, bytes: usize) -> Answer {
    let body = json!({"from": tenant.0, "content": "x".repeat(bytes)});
    tenant.1.post(&format!("/inbox/{to}"), &body)
}

#[test]
fn bytes_of_logs() {
    let hub = Hub::options().variable("quota_log_bytes", "10000").start();
    let [(_, alice), (_, bob)] = [(); 2].map(|()| new_tenant(&hub));
    let begin = |client: &Client| {
        let skill = unique("skill");
        let node = client.new_node_with("logger", &[&skill]);
        let task = client.post("/tasks", &task(&skill)).ok()["task_id"].clone();
        let claim = json!({"node_id": node["node_id"]});
        let claimed = client.post("/tasks/claim", &claim).ok()["tasks"][0].clone();
        assert_eq!(claimed["task_id"], task);
        (format!("/tasks/{}/log", task.as_str().unwrap()), claimed["token"].clone())
    };
    let write = |client: &Client, (path, token): &(String, Value), bytes: usize| {
        client.post(path, &json!({"token": token, "lines": [{"text": "x".repeat(bytes)}]}))
    };
    let (first, second) = (begin(&alice), begin(&alice));
    write(&alice, &first, 4000).ok();
    write(&alice, &second, 4000).ok();
    assert_over(&write(&alice, &first, 2000), "quota_log_bytes", "10000");
    write(&alice, &first, 1000).ok();
    // Others are not concerned, and a refusal writes nothing.
    write(&bob, &begin(&bob), 4000).ok();
    assert_eq!(alice.get(&first.0).ok()["lines"].as_array().unwrap().len(), 2);

    // Of one task no more counts than its log holds: what is full goes on for ever.
    let hub = Hub::options().variable("quota_log_bytes", "1100000").start();
    let (_, alice) = new_tenant(&hub);
    let (path, token) = begin(&alice);
    let lines = vec![json!({"text": "x".repeat(4000)}); 100];
    for _ in 0..6 {
        alice.post(&path, &json!({"token": token, "lines": lines})).ok();
    }
}

#[test]
fn mail_that_nobody_acknowledges() {
    let hub = Hub::options().variable("quota_mail_bytes", "10000").start();
    let [alice, bob, carol] = [(); 3].map(|()| new_tenant(&hub));
    // Also to agents that do not exist.
    for to in [bob.0.as_str(), "nobody-1", "nobody-2"] {
        send(&alice, to, 3000).ok();
    }
    assert_over(&send(&alice, "nobody-3", 3000), "quota_mail_bytes", "10000");
    send(&alice, "nobody-3", 10).ok();
    send(&carol, "nobody-3", 3000).ok();
    // A repeat is no second message; a refusal leaves nothing behind.
    let keyed = (carol.0.clone(), carol.1.with("idempotency-key", &unique("key")));
    for _ in 0..5 {
        send(&keyed, &bob.0, 3000).ok();
    }
    assert_over(&send(&carol, &bob.0, 5000), "quota_mail_bytes", "10000");
    send(&carol, &bob.0, 2000).ok();

    let inbox = format!("/inbox/{}", bob.0);
    let received = bob.1.post(&format!("{inbox}/receive"), &json!({})).ok();
    let messages = received["messages"].as_array().unwrap();
    let receipts: Vec<&Value> = messages.iter().map(|it| &it["receipt"]).collect();
    assert_eq!(receipts.len(), 3);
    bob.1.post(&format!("{inbox}/ack"), &json!({"receipts": receipts})).ok();
    send(&alice, &bob.0, 3000).ok();
    assert_over(&send(&alice, &bob.0, 3000), "quota_mail_bytes", "10000");
    send(&carol, &bob.0, 5000).ok();
}

#[test]
fn nobody_fills_an_inbox_for_all() {
    let hub = Hub::start();
    let [alice, bob, carol, mallory] = [(); 4].map(|()| new_tenant(&hub));
    let mut sent = 0;
    let refused = loop {
        let answer = send(&mallory, &bob.0, 1);
        if answer.status != 200 {
            break answer;
        }
        sent += 1;
    };
    refused.problem(409, "inbox_full");
    assert_eq!(sent, 500);
    for tenant in [&alice, &carol] {
        for _ in 0..100 {
            send(tenant, &bob.0, 1).ok();
        }
    }
    send(&mallory, &bob.0, 1).problem(409, "inbox_full");
    // In bytes, too.
    let large = 60_000;
    let mut answers = (0..400).map(|_| send(&mallory, &carol.0, large));
    answers.find(|answer| answer.status == 409).unwrap().problem(409, "inbox_full");
    send(&alice, &carol.0, large).ok();
}
