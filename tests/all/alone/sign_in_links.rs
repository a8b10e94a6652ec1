//! The link by which a browser signs in without a key being typed.

use serde_json::json;

use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually, reef};

/// What `reef page --sign-in-link` prints for this hub.
fn link(hub: &Hub) -> String {
    let mut command = reef();
    command.args(["page", "--sign-in-link", "--hub", hub.url(), "--key-file"]);
    let output = command.arg(hub.state_dir().join("admin.key")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The code in a link, which no request to the page has in it.
#[track_caller]
fn code(link: &str) -> &str {
    let (page, code) = link.split_once("#sign-in=").unwrap_or_else(|| panic!("{link}"));
    assert!(page.starts_with("http://127.0.0.1:") && page.ends_with('/'), "{link}");
    code
}

/// Whoever comes with the cookie that a code was exchanged for.
fn signed_in(hub: &Hub, code: &str) -> Client {
    let made = hub.anonymous().with_key(code).post_empty("//ui/session");
    made.ok();
    let cookie = made.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    hub.anonymous().with("cookie", &cookie)
}

#[track_caller]
fn refused(hub: &Hub, code: &str, why: &str) {
    let answer = hub.anonymous().with_key(code).post_empty("//ui/session");
    assert_eq!(answer.header("set-cookie"), None);
    let detail = answer.problem(401, "unauthenticated")["detail"].to_string();
    assert!(detail.contains(why), "{detail}");
    assert!(detail.contains("reef page --sign-in-link"), "{detail}");
}

#[test]
fn a_link_signs_in_once_and_only_to_read() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let link = link(&hub);
    let code = code(&link);
    // It is no key.
    hub.anonymous().with_key(code).get("/nodes").problem(401, "unauthenticated");
    let page = signed_in(&hub, code);
    page.get("/nodes").list();
    page.post_empty("/sessions").problem(403, "forbidden");
    page.post_empty("//ui/sign-in-links").problem(401, "unauthenticated");
    // Nor does it speak for an agent.
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(page.send_json("POST", "//mcp", &ping).status, 401);
    refused(&hub, code, "has been used");
    page.get("/nodes").list();
    // Neither the log nor Redis has it.
    let secret = code.rsplit('.').next().unwrap();
    assert!(!hub.log().contains(secret), "{}", hub.log());
    let row: Vec<String> =
        redis::cmd("HGETALL").arg("reef:sign-in-link:admin").query(&mut server.connect()).unwrap();
    assert!(row.contains(&"used".to_owned()), "{row:?}");
    assert!(!row.concat().contains(secret), "{row:?}");
}

#[test]
fn a_link_that_is_too_old_or_replaced_or_made_up_says_what_to_do() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let first = link(&hub);
    let second = link(&hub);
    refused(&hub, code(&first), "another was made since");
    let mut redis = server.connect();
    let ends = |redis: &mut redis::Connection| -> i64 {
        let mut ask = redis::cmd("HGET");
        ask.arg("reef:sign-in-link:admin").arg("expires_at").query(redis).unwrap()
    };
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query(&mut redis).unwrap();
    let left = ends(&mut redis) - (seconds * 1000 + micros / 1000);
    assert!((50_000..=60_000).contains(&left), "{left}");
    // As if its minute had passed.
    let over = ends(&mut redis) - 60_001;
    redis::cmd("HSET")
        .arg("reef:sign-in-link:admin")
        .arg("expires_at")
        .arg(over)
        .query::<()>(&mut redis)
        .unwrap();
    refused(&hub, code(&second), "which is over");
    for made_up in ["reef_link_admin.x", "reef_link_.", "reef_link_a:b.x", "reef_link_"] {
        refused(&hub, made_up, "not known");
    }
    signed_in(&hub, code(&link(&hub))).get("/nodes").list();
}

#[test]
fn any_host_takes_a_link_and_an_agents_is_for_the_agent() {
    let server = RedisServer::start();
    let hubs = [(); 2].map(|()| Hub::options().redis(&server).start());
    let key = hubs[0].admin_key();
    std::fs::write(hubs[1].state_dir().join("admin.key"), key).unwrap();
    let agent = hubs[0].admin().new_agent();
    let made = agent.client.post_empty("//ui/sign-in-links").ok();
    assert_eq!(made["expires_in"], 60);
    let page = signed_in(&hubs[1], made["code"].as_str().unwrap());
    let key_id = |client: &Client| client.get("/auth/me").ok()["auth"]["key_id"].clone();
    assert_eq!(key_id(&page), key_id(&agent.client));
}

#[test]
fn a_hub_prints_a_link_when_it_is_asked_to() {
    let quiet = Hub::start();
    eventually("the log's line", PATIENCE, || quiet.log().contains("dashboard").then_some(()));
    assert!(!quiet.log().contains("#sign-in="), "{}", quiet.log());

    let hub = Hub::options().arg("--sign-in-link").start();
    let said = eventually("the link", PATIENCE, || {
        let log = hub.log();
        log.contains("reef events tail").then_some(log)
    });
    let line = said.lines().find(|line| line.contains("#sign-in=")).unwrap();
    signed_in(&hub, code(line.trim())).get("/nodes").list();

    // Both commands work as they stand there.
    let commands: Vec<_> = said.lines().filter(|line| line.starts_with("  reef ")).collect();
    assert_eq!(commands.len(), 2, "{said}");
    let folder = tempfile::tempdir().unwrap();
    let mut register = reef();
    register.args(commands[0].split_whitespace().skip(1)).current_dir(folder.path());
    let output = register.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(folder.path().join("alice.key").is_file());

    let public =
        Hub::options().arg("--sign-in-link").variable("public_url", "https://hub.example/");
    let hub = public.start();
    eventually("the link", PATIENCE, || {
        hub.log().contains("\n  https://hub.example/#sign-in=reef_link_admin.").then_some(())
    });

    let json = Hub::options().arg("--sign-in-link").arg("--log-format").arg("json");
    let refused = json.command(folder.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}
