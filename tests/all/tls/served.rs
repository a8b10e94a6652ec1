//! What a hub with a certificate serves, and what it refuses.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::{Authority, Curl, path, serving};
use crate::harness::{Hub, PATIENCE, Program, eventually, reef};

#[test]
fn https_is_served_by_the_version_that_the_client_asks_for() {
    let authority = Authority::new();
    let hub = serving(&authority.hub("hub")).start();
    assert!(hub.url().starts_with("https://"), "{}", hub.url());
    eventually("what the log says of the page", PATIENCE, || {
        hub.log().contains("the dashboard is at https://").then_some(())
    });
    let admin = || Curl::new(&hub, &authority).with_key(&hub.admin_key());
    let newer = admin().get("/api/v1/auth/me");
    assert_eq!((newer.status, newer.version.as_str()), (200, "2"), "{newer:?}");
    let older = admin().arg("--http1.1").arg("--tls-max").arg("1.2").get("/api/v1/auth/me");
    assert_eq!((older.status, older.version.as_str()), (200, "1.1"), "{older:?}");
    let registered = admin().post("/api/v1/agents/register", &json!({"agent_id": "alice"}));
    assert_eq!(registered.status, 200, "{registered:?}");

    let session = admin().send(&["--request", "POST"], "/ui/session");
    let cookie = session.head.lines().find(|line| line.starts_with("set-cookie:")).unwrap();
    assert!(cookie.contains("; secure"), "{cookie}");
    let foreign = admin()
        .arg("--header")
        .arg("Origin: https://evil.example")
        .post("/api/v1/agents/register", &json!({"agent_id": "bob"}));
    assert_eq!(foreign.status, 403, "{foreign:?}");
    let own = admin().arg("--header").arg(&format!("Origin: {}", hub.url()));
    let own = own.post("/api/v1/agents/register", &json!({"agent_id": "bob"}));
    assert_eq!(own.status, 200, "{own:?}");

    let stranger = Authority::new();
    let refused = Curl::new(&hub, &stranger).get("/healthz");
    assert_eq!((refused.code, refused.status), (60, 0), "{refused:?}");
}

#[test]
fn who_speaks_plain_http_is_told_to_use_https() {
    let authority = Authority::new();
    let hub = serving(&authority.hub("hub")).start();
    let mut plain = Curl::new(&hub, &authority);
    plain.base = hub.url().replace("https://", "http://");
    let told = plain.get("/healthz");
    assert_eq!(told.status, 400, "{told:?}");
    assert!(told.json()["detail"].as_str().unwrap().contains("https://"), "{told:?}");
    // Nonsense is answered likewise, and hurts nobody.
    let mut stream = TcpStream::connect(hub.url().trim_start_matches("https://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[22, 3, 1, 255, 255, 0, 0]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(Curl::new(&hub, &authority).get("/healthz").status, 200);
}

#[test]
fn the_commands_trust_the_authority_that_is_named_and_no_other() {
    let authority = Authority::new();
    let hub = serving(&authority.hub("hub")).start();
    let run = |ca: Option<&Authority>| {
        let mut command = reef();
        command.args(["keys", "me", "--json", "--hub", hub.url(), "--key-file"]);
        command.arg(hub.state_dir().join("admin.key"));
        if let Some(ca) = ca {
            command.env("REEF_CA", ca.ca());
        }
        Program::run(&mut command, PATIENCE)
    };
    let good = run(Some(&authority));
    assert!(good.stdout.contains("@admin"), "{good:?}");
    for other in [None, Some(&Authority::new())] {
        let refused = run(other);
        // Without any certificates on this machine it is the configuration that is at fault.
        assert!(matches!(refused.status.code(), Some(2 | 3)), "{refused:?}");
    }
}

#[test]
fn a_pair_that_does_not_fit_is_refused_before_anything_starts() {
    let authority = Authority::new();
    let (one, other) = (authority.hub("one"), authority.hub("other"));
    let state = tempfile::tempdir().unwrap();
    let options = Hub::options().arg("--tls-cert").arg(path(&one.cert));
    let options = options.arg("--tls-key").arg(path(&other.key));
    let ended = Program::run(&mut options.command(state.path()), PATIENCE);
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("is not the key of the certificate"), "{ended:?}");

    let check = |cert: &str, key: &str| {
        let mut command = reef();
        command.args(["config", "check", "--json"]).current_dir(state.path());
        command.env("REEF_TLS_CERT", cert).env("REEF_TLS_KEY", key);
        Program::run(&mut command, PATIENCE).stdout
    };
    assert!(check(path(&one.cert), path(&other.key)).contains("tls_unusable"));
    assert!(!check(path(&one.cert), path(&one.key)).contains("tls_unusable"));
}

#[test]
fn off_loopback_a_hub_without_tls_warns() {
    let warns = |hub: &Hub| hub.log().contains("is served without TLS");
    let authority = Authority::new();
    let plain = Hub::options().listen("0.0.0.0:0").start();
    eventually("the warning", PATIENCE, || warns(&plain).then_some(()));
    let secured = serving(&authority.hub("hub")).listen("0.0.0.0:0").start();
    assert!(!warns(&secured) && !warns(&Hub::start()));
}
