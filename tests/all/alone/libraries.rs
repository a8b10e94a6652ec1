//! Functions that an earlier version of the hub has left in Redis.

use redis::{Connection, Value, cmd, from_redis_value_ref};
use reef_domain::limits::LIBRARY_KEPT_MS;
use reef_store::script::ALL;

use crate::harness::{Hub, PATIENCE, RedisServer, eventually};

/// Of a version that nobody has run for a day.
const OLD: &str = "reef_node_get_00000000000000aa";
/// Of one that a host ran an hour ago.
const LATE: &str = "reef_node_get_00000000000000bb";
/// Of one that never noted what it calls.
const UNNOTED: &str = "reef_node_get_00000000000000cc";
/// Somebody else's.
const FOREIGN: &str = "reef_watch";

fn load(redis: &mut Connection, name: &str) {
    let text =
        format!("#!lua name={name}\nredis.register_function('{name}', function() return 1 end)\n");
    cmd("FUNCTION").arg("LOAD").arg(text).query::<String>(redis).unwrap();
}

/// The names of the libraries that are there.
fn libraries(redis: &mut Connection) -> Vec<String> {
    let listed: Vec<Vec<Value>> = cmd("FUNCTION").arg("LIST").query(redis).unwrap();
    listed.iter().map(|library| from_redis_value_ref(&library[1]).unwrap()).collect()
}

fn noted(redis: &mut Connection, name: &str) -> Option<i64> {
    cmd("HGET").arg("reef:libraries").arg(name).query(redis).unwrap()
}

#[test]
fn functions_that_no_host_has_called_for_a_day_go_and_others_stay() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    for name in [OLD, LATE, UNNOTED, FOREIGN] {
        load(&mut redis, name);
    }
    let (seconds, _): (i64, i64) = cmd("TIME").query(&mut redis).unwrap();
    let now = seconds * 1000;
    for (name, at) in [(OLD, now - LIBRARY_KEPT_MS - 60_000), (LATE, now - 3_600_000)] {
        cmd("HSET").arg("reef:libraries").arg(name).arg(at).query::<i64>(&mut redis).unwrap();
    }
    let hub = Hub::options().redis(&server).start();
    hub.admin().new_node("here");
    eventually("what is old has gone", PATIENCE, || {
        (!libraries(&mut redis).contains(&OLD.to_owned())).then_some(())
    });
    let left = libraries(&mut redis);
    for name in [LATE, UNNOTED, FOREIGN] {
        assert!(left.contains(&name.to_owned()), "{name} is not in {left:?}");
    }
    assert_eq!(noted(&mut redis, LATE), Some(now - 3_600_000));
    assert!(noted(&mut redis, UNNOTED) >= Some(now));
    assert_eq!(noted(&mut redis, FOREIGN), None);
    // What the host itself calls is noted, called or not, and stays.
    for script in ALL {
        assert!(noted(&mut redis, script.function) >= Some(now), "{}", script.name);
    }
    hub.admin().new_node("still-here");
    let registered = ALL.iter().find(|script| script.name == "node/register").unwrap().function;
    assert!(libraries(&mut redis).contains(&registered.to_owned()));
}
