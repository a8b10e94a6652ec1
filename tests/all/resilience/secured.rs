//! A Redis Cluster, and a primary under Sentinels, behind TLS, with a user of little power.

use serde_json::{Value, json};

use crate::alone::layout::use_everything;
use crate::harness::{
    Client, Hub, HubOptions, Message, Output, PATIENCE, Program, RedisCluster, RedisSentinel,
    Secured, eventually, reef, registration, unique,
};

/// Each connection that is the hub's comes by TLS and under its user. Those of the test and of other
/// servers are under `default`, and without the name of a library.
#[track_caller]
fn assert_secured(clients: &str, port: u16) {
    let ours: Vec<_> = clients.lines().filter(|it| !it.contains("user=default")).collect();
    assert!(!ours.is_empty(), "{clients}");
    for client in ours {
        let comes_by_tls = client.contains(&format!(" laddr=127.0.0.1:{port} "));
        assert!(comes_by_tls && client.contains(" user=reef "), "{client}");
    }
}

/// What `reef config check` finds wrong first: its code, and what it tells people.
#[track_caller]
fn check(url: &str, trusted: Option<&str>) -> Option<(String, String)> {
    let mut check = reef();
    check.args(["config", "check", "--json", "--redis-url", url]);
    if let Some(file) = trusted {
        check.env("SSL_CERT_FILE", file);
    }
    let Output { stdout, stderr, .. } = Program::run(&mut check, PATIENCE);
    assert!(!stdout.contains("CHANGE-ME") && !stderr.contains("CHANGE-ME"), "{stdout} {stderr}");
    let report: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    let text = |field: &str, it: &Value| it[field].as_str().unwrap().to_owned();
    let mut worst = report["problems"].as_array().unwrap().iter();
    // What a failover may lose is warned of, and not the point here.
    let found = worst.find(|it| !text("code", it).contains("replicas"));
    found.map(|it| (text("code", it), text("message", it)))
}

/// Asserts that whoever does not trust the certificates is told so, by name, and that no hub starts.
#[track_caller]
fn assert_certificate(url: &str, trusted: Option<&str>, words: &[&str]) {
    let (code, message) = check(url, trusted).expect("nothing is wrong");
    assert_eq!(code, "certificate", "{message}");
    for word in words {
        assert!(message.contains(word), "{message}");
    }
}

fn trusting(authority: &str) -> HubOptions {
    Hub::options().env("SSL_CERT_FILE", authority).timeout(2.0)
}

fn until_offline(client: &Client, node: &str) {
    eventually("the monitor's verdict", PATIENCE, || {
        (client.node(node)["status"] == "offline").then_some(())
    });
}

fn until_registered(client: &Client) {
    eventually("a registration", 2 * PATIENCE, || {
        let answer = client.post("/nodes/register", &registration(&unique("node")));
        (answer.status == 200).then_some(())
    });
}

fn append(message: &Message, client: &Client, delta: &str) {
    eventually("an append", PATIENCE, || {
        let path = format!("/messages/{}/append", message.id);
        (client.post(&path, &json!({"delta": delta})).status == 200).then_some(())
    });
}

/// Nodes that are announced by name, with certificates for that name alone.
#[test]
fn a_cluster_behind_tls_is_reached_by_its_nodes_names_and_outlived() {
    let secured = Secured::new("localhost", "localhost");
    let authority = secured.authority();
    let mut cluster = RedisCluster::start_secured(secured);
    assert_eq!(check(&cluster.url(), Some(&authority)), None);
    let hub = trusting(&authority).redis_cluster(&cluster).start();
    let client = hub.admin();
    let node = use_everything(&hub);
    until_offline(&client, &node);

    let messages = [0, 1, 2].map(|primary| {
        loop {
            let message = Message::begin(&client);
            if cluster.owner(&format!("{{message:{}}}:", message.id)) == primary {
                return message;
            }
        }
    });
    let mut streams = messages.each_ref().map(|message| client.stream(&message.stream()));
    for (message, stream) in messages.iter().zip(&mut streams) {
        stream.next_event().unwrap();
        message.append("before ");
        assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "before ");
    }
    for primary in 0..3 {
        let clients = cluster.clients(primary);
        assert_secured(&clients, cluster.tls_port(primary));
        assert!(clients.contains("cmd=subscribe"), "nobody listens to {primary}: {clients}");
    }

    cluster.kill(cluster.owner("{cluster}:"));
    until_registered(&client);
    for (message, stream) in messages.iter().zip(&mut streams) {
        append(message, &client, "after");
        let mut text = String::from("before ");
        while !text.ends_with("after") {
            let event = stream.next_event().unwrap().told().1;
            text.push_str(event["payload"]["delta"].as_str().unwrap_or_default());
        }
        assert_eq!(message.now()["text"], text);
    }
    let log = hub.log().to_lowercase();
    assert!(!log.contains("noperm"), "{log}");
}

/// Nodes that are announced by address, with certificates for a name, by which the address names
/// some of them.
#[test]
fn a_cluster_whose_certificates_do_not_fit_is_refused_by_name() {
    let secured = Secured::new("127.0.0.1", "localhost");
    let authority = secured.authority();
    let cluster = RedisCluster::start_secured(secured);
    let url = cluster.url();
    let strange = Secured::new("localhost", "localhost");
    // Nobody who signed it is trusted, or somebody else is.
    for trusted in [None, Some(strange.authority())] {
        let place = format!("localhost:{}", cluster.tls_port(0));
        let place = ["the certificate of ", "is not trusted", "UnknownIssuer", &place[..9]];
        assert_certificate(&url, trusted.as_deref(), &place);
    }
    // The first node is who it says; what it announces is not what the certificates are for.
    let words = ["the certificate of 127.0.0.1:", "not valid for name"];
    assert_certificate(&url, Some(&authority), &words);

    let plain = url.replace("rediss", "redis");
    assert_eq!(check(&plain, Some(&authority)).unwrap().0, "tls_expected");
}

#[test]
fn a_cluster_behind_tls_is_reached_by_its_nodes_addresses() {
    let secured = Secured::new("127.0.0.1", "127.0.0.1");
    let authority = secured.authority();
    let cluster = RedisCluster::start_secured(secured);
    let wrong = cluster.url().replace("CHANGE-ME", "guessed");
    assert_eq!(check(&wrong, Some(&authority)).unwrap().0, "password_wrong");
    let hub = trusting(&authority).redis_cluster(&cluster).start();
    let node = use_everything(&hub);
    until_offline(&hub.admin(), &node);
    for primary in 0..3 {
        assert_secured(&cluster.clients(primary), cluster.tls_port(primary));
    }

    let folder = tempfile::tempdir().unwrap();
    let backup = |url: &str| {
        let mut backup = reef();
        backup.arg("backup").arg(folder.path().join("b")).args(["--key-layout", "cluster"]);
        backup.args(["--redis-url", url]).env("SSL_CERT_FILE", &authority);
        Program::run(&mut backup, PATIENCE)
    };
    let refused = backup(&cluster.url());
    assert!(refused.stderr.contains("no permissions"), "{refused:?}");
    let kept = backup(&cluster.url().replace("reef:CHANGE-ME", ":admin"));
    assert!(kept.status.success(), "{kept:?}");
    assert!(kept.stdout.contains("writes were paused for"), "{kept:?}");
}

#[test]
fn a_primary_that_sentinels_name_behind_tls_is_followed() {
    assert_followed("localhost");
}

#[test]
fn a_primary_whose_address_sentinels_give_behind_tls_is_followed() {
    assert_followed("127.0.0.1");
}

fn assert_followed(name: &'static str) {
    let secured = Secured::new(name, name);
    let authority = secured.authority();
    let mut redis = RedisSentinel::start_secured(secured);
    let url = redis.url();
    assert_eq!(check(&url, Some(&authority)), None);
    assert_certificate(&url, None, &["the certificate of ", name, "UnknownIssuer"]);
    let hub = trusting(&authority).redis_at(&url).start();
    let client = hub.admin();
    let node = use_everything(&hub);
    until_offline(&client, &node);
    let message = Message::begin(&client);
    let mut stream = client.stream(&message.stream());
    stream.next_event().unwrap();
    message.append("before ");
    assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "before ");
    let (clients, port) = redis.clients(0);
    assert_secured(&clients, port);

    redis.kill(0);
    until_registered(&client);
    append(&message, &client, "after");
    assert_eq!(stream.next_event().unwrap().told().1["payload"]["delta"], "after");
    let (clients, port) = redis.clients(1);
    assert_secured(&clients, port);
}

/// The Sentinels are who they say, and name a server whose certificate is not for that name.
#[test]
fn a_primary_whose_certificate_does_not_fit_is_refused_by_name() {
    let secured = Secured::new("127.0.0.1", "localhost");
    let authority = secured.authority();
    let redis = RedisSentinel::start_secured(secured);
    let words = ["the certificate of 127.0.0.1:", "not valid for name"];
    assert_certificate(&redis.url(), Some(&authority), &words);
}
