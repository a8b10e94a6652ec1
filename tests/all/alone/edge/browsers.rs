//! What a browser can be made to send by a page that is not the hub's.

use serde_json::json;

use super::{get, metric};
use crate::harness::{Client, Hub, Role, raw, unique};

#[test]
fn on_a_loopback_address_a_hub_answers_to_the_names_of_its_machine() {
    let hub = Hub::start();
    let client = hub.anonymous();
    let port = client.address().rsplit_once(':').unwrap().1.to_owned();
    for host in ["localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "[::1]", "localhost."] {
        for host in [host.to_owned(), format!("{host}:{port}"), format!("{host}:1")] {
            assert_eq!(get(&client, "/health", &format!("Host: {host}\r\n")).status, 200, "{host}");
        }
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"] {
        for path in ["/health", "/healthz", "/", "/api/v1/nodes", "/nope", "/api/v1/events/stream"]
        {
            let answer = get(&client, path, &format!("Host: {host}:{port}\r\n"));
            let problem = answer.problem(421, "misdirected");
            assert!(problem["detail"].as_str().unwrap().contains("allowed_hosts"), "{problem}");
        }
    }
    let refused = "reef_http_refusals_total{reason=\"host\"}";
    assert!(metric(&hub.admin(), refused) >= 24.0);
}

#[test]
fn a_target_with_a_host_is_known_by_that() {
    let hub = Hub::start();
    let address = hub.anonymous().address().to_owned();
    let ask = |target: &str, host: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        raw(&address, request.as_bytes())
    };
    assert_eq!(ask(&format!("http://{address}/health"), "evil.example").status, 200);
    ask("http://evil.example/health", &address).problem(421, "misdirected");
}

#[test]
fn a_request_of_http_1_1_names_one_host() {
    let hub = Hub::start();
    let client = hub.anonymous();
    get(&client, "/health", "").problem(400, "malformed_request");
    get(&client, "/health", "Host:\r\n").problem(400, "malformed_request");
    get(&client, "/health", "Host: localhost\r\nHost: localhost\r\n")
        .problem(400, "malformed_request");
    get(&client, "/health", "Host: a b\r\n").problem_with(400, "invalid_parameter", "Host");
    // The older version knows no such header, and probes still speak it.
    assert_eq!(raw(client.address(), b"GET /health HTTP/1.0\r\n\r\n").status, 200);
    let evil = b"GET /health HTTP/1.0\r\nHost: evil.example\r\n\r\n";
    raw(client.address(), evil).problem(421, "misdirected");
}

#[test]
fn a_name_that_points_at_the_hub_gets_no_key_and_queues_nothing() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    for (path, body) in [
        ("/api/v1/agents/register", json!({"agent_id": unique("rebound")})),
        ("/api/v1/tasks", json!({"name": "rebound"})),
    ] {
        let body = body.to_string();
        for lines in [
            "Host: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n",
            "Host: localhost\r\nOrigin: http://evil.example\r\n",
            "Host: localhost\r\nOrigin: null\r\n",
            "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nContent-Type: text/plain\r\n",
        ] {
            let request = format!(
                "POST {path} HTTP/1.1\r\n{lines}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let answer = raw(client.address(), request.as_bytes());
            assert!(matches!(answer.status, 421 | 403), "{lines}: {answer}");
        }
    }
    assert_eq!(client.get("/tasks").list().len(), 0);
    let agents = hub.admin().get("/agents").ok();
    assert_eq!(agents["agents"].as_array().unwrap().len(), 0);
}

#[test]
fn more_names_are_a_variable() {
    let hub = Hub::options().variable("allowed_hosts", "hub.example, other.example:8443").start();
    let client = hub.anonymous();
    for (host, status) in [
        ("hub.example", 200),
        ("hub.example:99", 200),
        ("other.example:8443", 200),
        ("other.example", 421),
        ("evil.example", 421),
        ("localhost", 200),
    ] {
        assert_eq!(get(&client, "/health", &format!("Host: {host}\r\n")).status, status, "{host}");
    }
    // Its own page, as a proxy that ends TLS passes it on.
    let page = hub.admin().with("origin", "https://hub.example");
    page.post("/nodes/register", &crate::harness::registration(&unique("page"))).ok();
    let hub = hub_at_a_wildcard();
    assert_eq!(get(&hub.anonymous(), "/health", "Host: anything.example\r\n").status, 200);
}

#[test]
fn the_public_address_is_the_hubs_own() {
    let hub = Hub::options().variable("public_url", "https://hub.example").start();
    let client = hub.anonymous();
    for (host, status) in
        [("hub.example", 200), ("hub.example:443", 200), ("localhost", 200), ("b.example", 421)]
    {
        assert_eq!(get(&client, "/health", &format!("Host: {host}\r\n")).status, status, "{host}");
    }
    // Also for what a component looks at, and for what only the host serves.
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let registration = crate::harness::registration(&unique("page"));
    for (origin, is_own) in
        [("https://hub.example", true), ("http://hub.example", false), ("https://b.example", false)]
    {
        let page = hub.admin().with("origin", origin);
        for answer in
            [page.post("/nodes/register", &registration), page.send_json("POST", "//mcp", &ping)]
        {
            if is_own {
                answer.ok();
            } else {
                answer.problem(403, "forbidden");
            }
        }
    }
    // Where every name is answered, it stays so.
    let hub = Hub::options().listen("0.0.0.0:0").variable("public_url", "https://hub.example");
    assert_eq!(get(&hub.start().anonymous(), "/health", "Host: reef\r\n").status, 200);
}

/// Off loopback there is no rule unless names are given.
fn hub_at_a_wildcard() -> Hub {
    Hub::options().listen("0.0.0.0:0").start()
}

#[test]
fn both_streams_answer_what_browsers_ask_first() {
    let origin = "https://page.example";
    let hub = Hub::options().variable("cors_origins", origin).start();
    // Such an answer has no length, which the client of these tests would miss.
    let ask = |client: &Client, path: &str, from: &str| {
        let request = format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: {from}\r\n\
             Access-Control-Request-Method: GET\r\n\
             Access-Control-Request-Headers: authorization,last-event-id\r\n\r\n"
        );
        raw(client.address(), request.as_bytes())
    };
    let client = hub.anonymous();
    let streams = ["/api/v1/events/stream", "/api/v1/sessions/s/messages/m/stream"];
    for path in streams.into_iter().chain(["/api/v1/nodes", "/metrics", "/openapi.json"]) {
        let answer = ask(&client, path, origin);
        assert_eq!(answer.status, 204, "{answer}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{answer}");
        let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
        for header in ["authorization", "last-event-id", "x-api-key"] {
            assert!(allowed.contains(header), "{allowed}");
        }
        let refused = ask(&client, path, "https://evil.example");
        assert!(matches!(refused.status, 401 | 405), "{refused}");
        assert_eq!(refused.header("access-control-allow-origin"), None, "{refused}");
    }
    // A page may also read why it was refused by the host itself.
    let refused = client.with("origin", origin).get("//metrics");
    refused.problem(401, "unauthenticated");
    assert_eq!(refused.header("access-control-allow-origin"), Some(origin));
    let closed = Hub::start();
    for path in streams {
        ask(&closed.anonymous(), path, origin).problem(405, "method_not_allowed");
    }
}

#[test]
fn a_host_beside_others_keeps_the_rule_without_components() {
    let server = crate::harness::RedisServer::start();
    let monitor = Hub::options().role(Role::Monitor).redis(&server).start();
    let client = monitor.anonymous();
    get(&client, "/healthz", "Host: evil.example\r\n").problem(421, "misdirected");
    assert_eq!(get(&client, "/healthz", "Host: localhost\r\n").status, 200);
}
