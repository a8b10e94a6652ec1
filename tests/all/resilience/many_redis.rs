//! A hub over a Redis Cluster: keys on three primaries, one of which is killed or hangs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::alone::layout::use_everything;
use crate::harness::{
    Client, Hub, Message, PATIENCE, Program, RedisCluster, Role, eventually, reef, registration,
    unique,
};

/// Two seconds are promised; the rest is for a machine that is busy with other tests.
const PROMPT: Duration = Duration::from_millis(2600);

/// Submits a task, claims and completes it.
fn run_a_task(client: &Client, node: &str) {
    client.beat(node, &json!({}));
    let task = client.post("/tasks", &json!({"name": "n"})).ok()["task_id"].clone();
    let claimed = client.post("/tasks/claim", &json!({"node_id": node, "task_id": task})).ok();
    assert_eq!(claimed["tasks"][0]["task_id"], task, "{claimed}");
    let token = json!({"token": claimed["tasks"][0]["token"]});
    client.post(&format!("/tasks/{}/complete", task.as_str().unwrap()), &token).ok();
}

/// Has the journal verified, and says how many entries it has.
fn verify_ledger(hub: &Hub) -> Value {
    let mut verify = reef();
    verify.args(["ledger", "verify", "--json", "--hub", hub.url()]);
    verify.env("REEF_API_KEY", hub.admin_key());
    let output = Program::run(&mut verify, PATIENCE);
    assert!(output.status.success(), "{} {}", output.stdout, output.stderr);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    report["entries"].clone()
}

/// A message whose keys lie on this primary.
fn message_on(cluster: &RedisCluster, client: &Client, primary: usize) -> Message {
    loop {
        let message = Message::begin(client);
        if cluster.owner(&format!("{{message:{}}}:", message.id)) == primary {
            return message;
        }
    }
}

#[test]
fn a_hub_works_over_three_primaries_and_outlives_one() {
    let mut cluster = RedisCluster::start();
    let hub = Hub::options().redis_cluster(&cluster).start();
    let client = hub.admin();
    use_everything(&hub);
    let node = client.new_node("n");
    run_a_task(&client, &node);
    let (ann, bob) = (client.new_agent(), client.new_agent());
    ann.client.post("/deposit", &json!({"agent_id": ann.id, "amount": 100})).ok();
    let payment = json!({"from_agent": ann.id, "to_agent": bob.id, "amount": 40});
    ann.client.post("/transfer", &payment).ok();
    let entries = verify_ledger(&hub);

    let ours = cluster.owner("{cluster}:");
    let messages = [0, 1, 2].map(|primary| message_on(&cluster, &client, primary));
    assert!(cluster.sizes().iter().all(|keys| *keys > 0), "{:?}", cluster.sizes());
    let mut streams = messages.each_ref().map(|message| client.stream(&message.stream()));
    for (message, stream) in messages.iter().zip(&mut streams) {
        stream.next_event().unwrap();
        message.append("before ");
        assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "before ");
    }

    cluster.until_replicated(ours);
    cluster.kill(ours);
    let start = Instant::now();
    client.get("/nodes").problem(503, "store_unavailable");
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
    // The others go on meanwhile: one of them has this message.
    let other = &messages[(ours + 1) % 3];
    other.append("meanwhile ");
    eventually("the replica in its place", PATIENCE, || {
        (client.get("/nodes").status == 200).then_some(())
    });
    eventually("readiness", PATIENCE, || (client.get("//readyz").status == 200).then_some(()));
    eventually("a registration", PATIENCE, || {
        let answer = client.post("/nodes/register", &registration(&unique("after")));
        (answer.status == 200).then_some(())
    });
    let node = client.new_node("later");
    run_a_task(&client, &node);
    for (message, stream) in messages.iter().zip(&mut streams) {
        let start = Instant::now();
        loop {
            let path = format!("/messages/{}/append", message.id);
            let answer = client.post(&path, &json!({"delta": "after"}));
            if answer.status == 200 {
                break;
            }
            let view = || cluster.views();
            assert!(start.elapsed() < PATIENCE, "{answer}, killed {ours}: {:#?}", view());
            std::thread::sleep(Duration::from_millis(10));
        }
        // Nothing is missing and nothing comes twice.
        let mut text = String::from("before ");
        while !text.ends_with("after") {
            let event = stream.next_event().unwrap().told().1;
            text.push_str(event["payload"]["delta"].as_str().unwrap_or_default());
        }
        let now = message.now();
        assert_eq!(now["text"], text, "{now}");
    }
    assert_eq!(verify_ledger(&hub), entries);
}

#[test]
fn two_hosts_share_a_cluster() {
    let cluster = RedisCluster::start();
    let up = Hub::options().redis_cluster(&cluster).start();
    let beside = Hub::options().redis_cluster(&cluster).role(Role::Serve).start();
    let node = up.admin().new_node("n");
    assert_eq!(beside.admin().node(&node)["status"], "online");
    let message = Message::begin(&up.admin());
    let mut stream = beside.admin().stream(&message.stream());
    stream.next_event().unwrap();
    message.append("x");
    assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "x");
}

/// The slot of nodes, leases and the queue moves key by key to another primary, and back into place.
#[test]
fn keys_that_move_are_told_from_a_redis_that_is_away() {
    let cluster = RedisCluster::start();
    let hub = Hub::options().redis_cluster(&cluster).start();
    let client = hub.admin();
    let node = client.new_node("n");
    let message = loop {
        let message = Message::begin(&client);
        if cluster.owner(&format!("{{message:{}}}:", message.id)) != cluster.owner("{cluster}:") {
            break message;
        }
    };
    let (from, to) = (cluster.owner("{cluster}:"), (cluster.owner("{cluster}:") + 1) % 3);
    let slot = cluster.tell(from, &["KEYSLOT", "{cluster}:"]);
    let [from_id, to_id] = [from, to].map(|node| cluster.tell(node, &["MYID"]));
    cluster.tell(to, &["SETSLOT", &slot, "IMPORTING", &from_id]);
    cluster.tell(from, &["SETSLOT", &slot, "MIGRATING", &to_id]);

    let refused = client.post("/nodes/register", &registration(&unique("new")));
    assert_eq!(refused.header("retry-after"), Some("1"), "{refused}");
    refused.problem(503, "store_resharding");
    client.post(&format!("/nodes/{node}/heartbeat"), &json!({})).problem(503, "store_resharding");
    eventually("readiness that says so", PATIENCE, || {
        let answer = client.get("//readyz");
        (answer.status == 503).then(|| answer.problem(503, "store_resharding"))
    });
    // What lies elsewhere goes on.
    message.append("meanwhile");

    for node in [from, to] {
        cluster.tell(node, &["SETSLOT", &slot, "STABLE"]);
    }
    client.beat(&node, &json!({}));
    assert_eq!(message.now()["text"], "meanwhile");
    client.new_node("later");
}

/// A primary and its replica are gone for good: what lies elsewhere is read live all the same.
#[test]
fn readers_of_other_nodes_go_on() {
    let mut cluster = RedisCluster::start();
    let hub = Hub::options().redis_cluster(&cluster).start();
    let client = hub.admin();
    let gone = (cluster.owner("{cluster}:") + 1) % 3;
    let other = message_on(&cluster, &client, (gone + 1) % 3);
    let lost = message_on(&cluster, &client, gone);
    let mut streams = [&lost, &other].map(|message| client.stream(&message.stream()));
    for stream in &mut streams {
        stream.next_event().unwrap();
    }
    cluster.kill(gone + 3);
    cluster.kill(gone);
    for number in 0..30 {
        other.append(&number.to_string());
        let event = streams[1].next_event().unwrap().told().1;
        assert_eq!(event["payload"]["delta"], number.to_string(), "{event}");
        std::thread::sleep(Duration::from_millis(200));
    }
    client.get(&format!("/messages/{}", lost.id)).problem(503, "store_unavailable");
}
