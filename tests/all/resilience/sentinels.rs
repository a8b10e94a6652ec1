//! A hub over a primary and a replica that three Sentinels watch over.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::alone::layout::use_everything;
use crate::harness::{
    Client, Hub, Message, PATIENCE, Program, RedisSentinel, eventually, reef, registration, unique,
};

/// Two seconds are promised; the rest is for a machine that is busy with other tests.
const PROMPT: Duration = Duration::from_millis(2600);

/// Registers nodes until one is taken; whatever else is answered is a 503, in time.
fn until_served(client: &Client) -> Duration {
    let begin = Instant::now();
    eventually("a registration", 2 * PATIENCE, || {
        let asked = Instant::now();
        let answer = client.post("/nodes/register", &registration(&unique("node")));
        assert!(asked.elapsed() < PROMPT, "{:?}", asked.elapsed());
        match answer.status {
            200 => Some(()),
            _ => {
                answer.problem(503, "store_unavailable");
                None
            }
        }
    });
    begin.elapsed()
}

#[test]
fn a_hub_outlives_its_primary() {
    let mut redis = RedisSentinel::start();
    let hub = Hub::options().redis_at(&redis.url()).start();
    let client = hub.admin();
    use_everything(&hub);
    let ready = client.get("//readyz").text();
    assert!(ready.contains("min-replicas-to-write"), "{ready}");
    let message = Message::begin(&client);
    let mut stream = client.stream(&message.stream());
    stream.next_event().unwrap();
    message.append("before ");
    assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "before ");

    redis.kill(0);
    println!("killed: served again after {:?}", until_served(&client));
    eventually("readiness", PATIENCE, || (client.get("//readyz").status == 200).then_some(()));
    message.append("after");
    assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "after");
    assert_eq!(message.now()["text"], "before after");
}

#[test]
fn a_hub_leaves_a_primary_that_hangs() {
    let redis = RedisSentinel::start();
    let hub = Hub::options().redis_at(&redis.url()).start();
    let client = hub.admin();
    until_served(&client);
    redis.freeze(0);
    println!("frozen: served again after {:?}", until_served(&client));
    let node = client.new_node("after");
    // It wakes up, and believes to be the primary until it is told.
    redis.thaw(0);
    client.node(&node);
    redis.until_replica(0);
    client.node(&node);
}

/// Nobody is cut off: the old primary lives, and refuses writes.
#[test]
fn a_hub_follows_a_switch_that_is_announced() {
    let redis = RedisSentinel::start();
    let hub = Hub::options().redis_at(&redis.url()).start();
    let client = hub.admin();
    until_served(&client);
    redis.switch();
    eventually("the other one", PATIENCE, || {
        until_served(&client);
        (redis.primary() == 1).then_some(())
    });
    redis.until_replica(0);
    println!("switched: served again after {:?}", until_served(&client));
    let events = client.get("/cluster/events?after=0&limit=1000").ok();
    let told = events["events"].as_array().unwrap().iter();
    let told: Vec<_> = told.filter(|it| it["event_type"] == "store_changed").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(client.get("/cluster/leader").ok()["leader"], json!(null));
}

#[test]
fn what_a_failover_may_lose_is_warned_of() {
    let redis = RedisSentinel::start();
    let url = redis.url();
    let warned = || {
        let mut check = reef();
        check.args(["config", "check", "--json", "--redis-url", &url]);
        let checked = Program::run(&mut check, PATIENCE);
        checked.stdout.contains("no_min_replicas")
    };
    assert!(warned());
    for index in 0..2 {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("min-replicas-to-write").arg(1);
        set.query::<()>(&mut redis.connect(index)).unwrap();
    }
    assert!(!warned());
}
