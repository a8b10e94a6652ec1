//! Hosts that share a Redis and are set differently, and hubs in one Redis under two layouts: each is
//! told, and no node that keeps the pace of one host is marked offline by another.

use std::time::Duration;

use serde_json::{Value, json};

use super::backups::stop;
use crate::harness::{Hub, PATIENCE, Program, RedisServer, Role, eventually, reef};

fn warnings(hub: &Hub) -> Vec<String> {
    let ready = hub.anonymous().get("//readyz").ok();
    let warnings = ready["warnings"].as_array().unwrap().iter();
    warnings.map(|words| words.as_str().unwrap().to_owned()).collect()
}

fn verified(hub: &Hub) -> Value {
    let mut command = reef();
    command.args(["verify", "--json", "--hub", hub.url()]).env("REEF_API_KEY", hub.admin_key());
    serde_json::from_str(&Program::run(&mut command, PATIENCE).stdout).unwrap()
}

/// What `reef verify` says of the hosts.
fn hosts(report: &Value) -> Option<&Value> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == "hosts")
}

#[test]
fn the_longest_timeout_of_those_at_work_decides() {
    let server = RedisServer::start();
    let hasty = Hub::options().redis(&server).timeout(1.0).start();
    let mut patient = Hub::options().role(Role::Serve).redis(&server).timeout(60.0).start();
    let client = patient.admin();
    let node = client.new_node("keeps the pace");
    // The hasty one is the monitor, and would have marked it long ago.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(client.node(&node)["status"], "online");
    let found = eventually("a warning", PATIENCE, || {
        let found = warnings(&hasty);
        found.into_iter().find(|words| words.contains("heartbeat_timeout_seconds"))
    });
    assert!(found.contains("\"1\" here and \"60\" at `reef serve`"), "{found}");
    assert!(hasty.log().contains("heartbeat_timeout_seconds"), "{}", hasty.log());
    assert!(warnings(&patient).iter().any(|words| words.contains("\"60\" here and \"1\" at")));
    let report = verified(&hasty);
    assert_eq!(hosts(&report).unwrap()["status"], "warn", "{report}");
    // Alone again it goes by its own, once the other's cron trigger has not come for ten times.
    stop(&mut patient);
    let client = hasty.admin();
    eventually("its own timeout", Duration::from_secs(80), || {
        (client.node(&node)["status"] == "offline").then_some(())
    });
    eventually("the warning goes", PATIENCE, || warnings(&hasty).is_empty().then_some(()));
}

#[test]
fn hosts_that_agree_say_nothing() {
    let server = RedisServer::start();
    let one = Hub::options().redis(&server).timeout(30.0).start();
    let other = Hub::options().redis(&server).variable("heartbeat_timeout_seconds", "30.0").start();
    let third = Hub::options().role(Role::Monitor).redis(&server).timeout(30.0).start();
    let url = server.url();
    let noted =
        || -> usize { redis::cmd("HLEN").arg("reef:hosts").query(&mut server.connect()).unwrap() };
    eventually("all are noted", PATIENCE, || (noted() == 3).then_some(()));
    // Longer than a note is renewed.
    std::thread::sleep(Duration::from_secs(6));
    for hub in [&one, &other, &third] {
        assert_eq!(warnings(hub), Vec::<String>::new(), "{url}");
        assert!(!hub.log().contains("set differently"), "{}", hub.log());
    }
}

#[test]
fn a_hub_does_not_begin_beside_the_data_of_another_layout() {
    let server = RedisServer::start();
    let plain = Hub::options().redis(&server).start();
    plain.admin().new_node("n");
    let folder = tempfile::tempdir().unwrap();
    let other = || Hub::options().redis(&server).variable("key_layout", "cluster");
    let refused = Program::run(&mut other().command(folder.path()), PATIENCE);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.contains("under key_layout plain"), "{refused:?}");
    let kept: i64 =
        redis::cmd("EXISTS").arg("{cluster}:reef:schema").query(&mut server.connect()).unwrap();
    assert_eq!(kept, 0, "nothing was written");
    // Under a prefix of its own it is another hub.
    let apart = other().variable("key_prefix", "b:").start();
    assert_eq!(warnings(&apart), Vec::<String>::new());
    assert!(hosts(&verified(&apart)).is_none());
}

#[test]
fn two_hubs_in_one_redis_are_told() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    // Two that began at the same moment: neither saw the other.
    redis::cmd("SET").arg("{cluster}:reef:schema").arg(1).query::<()>(&mut redis).unwrap();
    redis::cmd("SET").arg("reef:schema").arg(1).query::<()>(&mut redis).unwrap();
    let one = Hub::options().redis(&server).start();
    let left_over = warnings(&one);
    assert!(left_over[0].contains("left from before"), "{left_over:?}");
    assert_eq!(hosts(&verified(&one)).unwrap()["status"], "warn");
    let other = Hub::options().redis(&server).variable("key_layout", "cluster").start();
    assert!(warnings(&other)[0].contains("a hub works on them now"), "{:?}", warnings(&other));
    let report = verified(&other);
    assert_eq!(hosts(&report).unwrap()["status"], "fail", "{report}");
    assert_eq!(report["healthy"], false);
    assert!(other.log().contains("this Redis also holds"), "{}", other.log());
    let asked = json!({"name": "n"});
    // It serves all the same: which of the two is wrong only a person can say.
    other.admin().post("/tasks", &asked).ok();
}
