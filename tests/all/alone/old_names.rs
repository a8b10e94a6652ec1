//! Names, blocks and secrets in the data of a hub that knew nothing of their owners yet, and of two
//! hosts on one store.

use reef_store::name::{Reserve, is_node_of};
use reef_store::node::Writer;
use serde_json::json;

use crate::harness::{Client, Hub, RedisServer, Role, now, registration, store, unique};

fn new_node(client: &Client, node_id: &str) {
    let mut body = registration(&unique("host"));
    body["node_id"] = json!(node_id);
    client.post("/nodes/register", &body).ok();
}

#[test]
fn a_name_that_an_agent_and_another_owners_node_had_is_the_agents() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let mut redis = server.connect();
    let (alice, bob) = (hub.admin().new_agent(), hub.admin().new_agent());
    for node in ["old-1", "old-2"] {
        new_node(&alice.client, node);
        // As a hub before this one left it.
        redis::cmd("HDEL")
            .arg(format!("reef:node:{node}"))
            .arg("own_name")
            .exec(&mut redis)
            .unwrap();
    }
    let made = hub.admin().post("/agents/register", &json!({"agent_id": "old-2"})).ok();
    redis::cmd("DEL").arg("reef:name:old-2").exec(&mut redis).unwrap();
    redis::cmd("HDEL").arg("reef:node:old-2").arg("own_name").exec(&mut redis).unwrap();
    let namesake = hub.anonymous().with_key(made["api_key"].as_str().unwrap());

    // Nobody else has the first name; the second was an agent's as well.
    for _ in 0..2 {
        assert_eq!(alice.client.get("/inbox/old-1").ok()["depth"], 0);
        alice.client.get("/inbox/old-2").problem(404, "not_found");
        assert_eq!(namesake.get("/inbox/old-2").ok()["depth"], 0);
        bob.client.get("/inbox/old-1").problem(404, "not_found");
    }
    let mail = json!({"from": "old-2", "content": "x"});
    let inbox = format!("/inbox/{}", bob.id);
    alice.client.post(&inbox, &mail).problem_with(403, "forbidden", "from");
    namesake.post(&inbox, &mail).ok();
    // The depth is told to whom the inbox belongs, and to nobody else.
    namesake.post("/inbox/old-2", &mail).ok();
    assert_eq!(alice.client.beat("old-2", &json!({}))["inbox"], 0);
}

#[test]
fn an_agent_that_is_being_made_keeps_its_name() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let alice = hub.admin().new_agent();
    let scripts = store(server.connect());
    let reserve = |name: &str, agent: &str| {
        now(scripts.call(&Reserve { name, writer: Writer::Owner(agent) })).unwrap()
    };
    // Cut behind the first step: the name is kept, and the step can be repeated.
    assert!(reserve("dora", "@anonymous") && reserve("dora", "@anonymous"));
    let mut body = registration(&unique("host"));
    body["node_id"] = json!("dora");
    let answer = alice.client.post("/nodes/register", &body);
    answer.problem_with(403, "forbidden", "node_id");
    let made = hub.admin().post("/agents/register", &json!({"agent_id": "dora"})).ok();
    assert_eq!(made["agent"]["agent_id"], "dora");
    // What is kept for nothing is free again by itself.
    assert!(reserve("nobody", "@anonymous"));
    let ttl: i64 = redis::cmd("PTTL").arg("reef:name:nobody").query(&mut server.connect()).unwrap();
    assert!((1..=600_000).contains(&ttl), "{ttl}");

    // And the other way round.
    new_node(&alice.client, "gpu-1");
    assert!(!reserve("gpu-1", "@anonymous") && !reserve("gpu-1", "bob"));
    assert!(now(is_node_of(&scripts, "gpu-1", &alice.id)).unwrap());
    assert!(!now(is_node_of(&scripts, "gpu-1", "bob")).unwrap());
    assert!(reserve("gpu-1", &alice.id));
}

#[test]
fn a_block_that_an_older_hub_wrote_is_read_if_it_is_this_messages() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let mut redis = server.connect();
    let session = client.post_empty("/sessions").ok()["session_id"].clone();
    let messages = format!("/sessions/{}/messages", session.as_str().unwrap());
    let message = client.post(&messages, &json!({"content": "x"})).ok()["assistant_message_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/messages/{message}/content");
    let large = "x".repeat(20_000);
    let block =
        |id: &str| json!({"content_type": "text", "content_id": id, "text": {"text": large}});
    for id in ["mine", "foreign"] {
        client.post(&path, &block(id)).ok();
        let exists: bool =
            redis::cmd("EXISTS").arg(format!("content:{id}")).query(&mut redis).unwrap();
        assert!(!exists, "no copy under an id that a caller brings");
        redis::cmd("HDEL")
            .arg(format!("reef:message:{message}:blocks"))
            .arg(format!("{id}:whole"))
            .exec(&mut redis)
            .unwrap();
        let of = if id == "mine" { &message } else { "msg_of_somebody_else" };
        redis::cmd("HSET")
            .arg(format!("content:{id}"))
            .arg(&["message_id", of, "block", "{\"old\":true}"])
            .exec(&mut redis)
            .unwrap();
    }
    assert_eq!(client.get(&format!("{path}/mine")).ok(), json!({"old": true}));
    let other = client.get(&format!("{path}/foreign")).ok();
    assert_eq!((&other["old"], &other["content_id"]), (&json!(null), &json!("foreign")));

    // Old readers find a copy of what the hub has named, and it goes with the message.
    let named = json!({"content_type": "text", "text": {"text": large}});
    let named = client.post(&path, &named).ok()["content_id"].as_str().unwrap().to_owned();
    let copy: String =
        redis::cmd("HGET").arg(format!("content:{named}")).arg("block").query(&mut redis).unwrap();
    assert!(copy.contains(&large));
    client.delete(&format!("{messages}?keep_days=0")).ok();
    let left = |redis: &mut redis::Connection, key: String| -> bool {
        redis::cmd("EXISTS").arg(key).query(redis).unwrap()
    };
    assert!(!left(&mut redis, format!("content:{named}")));
    assert!(!left(&mut redis, "content:mine".to_owned()));
    assert!(!left(&mut redis, format!("reef:message:{message}:blocks")));
    assert!(left(&mut redis, "content:foreign".to_owned()), "it is of another message");
}

#[test]
fn all_hosts_make_one_id_of_an_idempotency_key() {
    let server = RedisServer::start();
    let hosts = [(); 2].map(|()| Hub::options().role(Role::Serve).redis(&server).start());
    let made = hosts.each_ref().map(|host| {
        let client = host.admin().with("idempotency-key", "order-1");
        client.post_empty("/sessions").ok()["session_id"].clone()
    });
    assert_eq!(made[0], made[1]);
    let secret: String =
        redis::cmd("HGET").arg("reef:cluster").arg("secret").query(&mut server.connect()).unwrap();
    assert_eq!(secret.len(), 64);
}
