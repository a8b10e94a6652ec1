//! The runtime with the fixture component (`tests/fixtures/misbehave`), in both its flavours:
//! called directly, and by wasi:http. `cargo xtask test` builds the fixtures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use reef_redis::{Connections, Timeouts};
use reef_runtime::{Body, CallError, Code, Component, ComponentSpec, Runtime, RuntimeConfig};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The flavours of the fixture.
const FLAVOURS: [&str; 2] = ["misbehave-direct.wasm", "misbehave.wasm"];

fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fixtures").join(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask test`", path.display());
    path
}

/// Compiled code is shared by the tests of a run, which else would compile it again and again.
fn cache() -> PathBuf {
    static CACHE: OnceLock<TempDir> = OnceLock::new();
    CACHE.get_or_init(|| tempfile::tempdir().unwrap()).path().to_owned()
}

fn config() -> RuntimeConfig {
    RuntimeConfig {
        cache_dir: Some(cache()),
        max_instances: 100,
        request_timeout: Duration::from_millis(500),
        ..RuntimeConfig::default()
    }
}

fn load(config: RuntimeConfig, name: &str) -> Component {
    load_with(config, name, BTreeMap::new(), &[])
}

fn load_with(
    config: RuntimeConfig,
    name: &str,
    variables: BTreeMap<String, String>,
    hosts: &[&str],
) -> Component {
    let runtime = Runtime::new(config, Connections::new(Timeouts::default())).unwrap();
    let spec = ComponentSpec {
        id: "misbehave".to_owned(),
        code: Code::File(fixture(name)),
        variables,
        allowed_outbound_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        ..ComponentSpec::default()
    };
    runtime.load(spec).unwrap()
}

async fn ask(
    component: &Component,
    path: &str,
    body: &str,
) -> Result<(Response<Body>, String), CallError> {
    let request = Request::post(format!("http://test.local{path}"));
    let mut response = component.handle(request.body(body.to_owned().into()).unwrap()).await?;
    let body = response.body_mut().collect().await.map_err(|e| CallError::Trap(e.to_string()))?;
    Ok((response, String::from_utf8(body.to_bytes().to_vec()).unwrap()))
}

async fn text(component: &Component, path: &str, body: &str) -> Result<String, CallError> {
    ask(component, path, body).await.map(|(_, text)| text)
}

#[tokio::test]
async fn requests_and_answers_arrive_whole() {
    for name in FLAVOURS {
        let component = load(config(), name);
        assert_eq!(component.is_direct(), name == "misbehave-direct.wasm");
        assert!(component.serves_http());
        let (response, body) = ask(&component, "/echo?a=b%20c", "hello").await.unwrap();
        assert_eq!(body, "hello");
        assert_eq!(response.headers()["x-method"], "POST");
        assert_eq!(response.headers()["x-path"], "/echo?a=b%20c");
        let (response, _) = ask(&component, "/status", "404").await.unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn a_direct_answer_knows_its_length() {
    let component = load(config(), FLAVOURS[0]);
    let request = Request::get("/ok").body(Bytes::new()).unwrap();
    let response = component.handle(request).await.unwrap();
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(2));
    let (response, body) = ask(&component, "/bigheaders", "").await.unwrap();
    assert_eq!((response.headers().len(), body.len()), (200, 0));
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_an_error() {
    let component = load(RuntimeConfig { max_body_bytes: 1000, ..config() }, FLAVOURS[0]);
    for (path, body) in
        [("/badheader", ""), ("/status", "99"), ("/status", "101"), ("/large", "1001")]
    {
        let error = text(&component, path, body).await.unwrap_err();
        assert!(matches!(error, CallError::BadResponse(_)), "{path}: {error}");
    }
    assert_eq!(text(&component, "/large", "1000").await.unwrap().len(), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_costs_its_own_request_only() {
    for name in FLAVOURS {
        let component = load(config(), name);
        let calls = (0..64).map(|number| {
            let component = component.clone();
            let path = if number % 8 == 0 { "/trap" } else { "/ok" };
            tokio::spawn(async move { (path, text(&component, path, "").await) })
        });
        let calls: Vec<_> = calls.collect();
        for call in calls {
            match call.await.unwrap() {
                ("/trap", result) => assert!(matches!(result, Err(CallError::Trap(_))), "{name}"),
                (_, result) => assert_eq!(result.unwrap(), "ok", "{name}"),
            }
        }
        assert_eq!(component.stats().traps, 8);
    }
}

#[tokio::test]
async fn a_loop_ends_in_time_and_leaves_the_thread_to_others() {
    for name in FLAVOURS {
        let component = load(config(), name);
        assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok");
        let looping = {
            let component = component.clone();
            tokio::spawn(async move {
                let start = Instant::now();
                (text(&component, "/loop", "").await, start.elapsed())
            })
        };
        // One thread runs everything here, the loop included.
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let start = Instant::now();
            assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok");
            assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
        }
        let (result, elapsed) = looping.await.unwrap();
        assert_eq!(result, Err(CallError::Deadline), "{name}");
        assert!(elapsed < Duration::from_millis(900), "{name}: {elapsed:?}");
        assert_eq!(component.stats().deadlines, 1);
    }
}

#[tokio::test]
async fn waiting_ends_in_time_too() {
    for name in FLAVOURS {
        let component = load(config(), name);
        assert_eq!(text(&component, "/sleep", "").await, Err(CallError::Deadline));
        assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn asking_for_ever_ends_in_time_too() {
    let component = load(config(), FLAVOURS[0]);
    assert_eq!(text(&component, "/nag", "").await, Err(CallError::Deadline));
    assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok");
}

#[tokio::test]
async fn memory_is_bounded() {
    for name in FLAVOURS {
        let config = RuntimeConfig { request_timeout: Duration::from_secs(10), ..config() };
        let component = load(config, name);
        let error = text(&component, "/eat", "").await.unwrap_err();
        assert!(matches!(error, CallError::Trap(_)), "{name}: {error}");
        assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn instances_are_used_again_but_not_for_ever() {
    let component = load(RuntimeConfig { max_reuse: 3, ..config() }, FLAVOURS[0]);
    let mut counts = Vec::new();
    for _ in 0..5 {
        counts.push(text(&component, "/count", "").await.unwrap());
    }
    assert_eq!(counts, ["1", "2", "3", "1", "2"]);
    let stats = component.stats();
    assert_eq!((stats.instances_created, stats.calls, stats.idle_instances), (2, 5, 1));
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_the_instance_along() {
    let component = load(config(), FLAVOURS[0]);
    assert_eq!(text(&component, "/count", "").await.unwrap(), "1");
    let cut = tokio::time::timeout(Duration::from_millis(50), text(&component, "/loop", ""));
    assert!(cut.await.is_err());
    assert_eq!(text(&component, "/count", "").await.unwrap(), "1");
}

#[tokio::test]
async fn a_call_without_a_place_is_turned_away() {
    for name in FLAVOURS {
        let one = RuntimeConfig {
            max_concurrent_requests: 1,
            max_waiting: Duration::from_millis(50),
            ..config()
        };
        let component = load(one, name);
        let (first, second) =
            tokio::join!(text(&component, "/loop", ""), text(&component, "/ok", ""));
        assert_eq!(first, Err(CallError::Deadline), "{name}");
        assert_eq!(second, Err(CallError::Overloaded), "{name}");
        assert_eq!(text(&component, "/ok", "").await.unwrap(), "ok", "{name}");
    }
}

#[tokio::test]
async fn variables_and_servers_are_those_of_the_manifest() {
    let variables = BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]);
    for name in FLAVOURS {
        let hosts = ["redis://127.0.0.1:6379", "redis+unix:///run/r.sock"];
        let component = load_with(config(), name, variables.clone(), &hosts);
        assert_eq!(text(&component, "/variable", "greeting").await.unwrap(), "hello");
        let undefined = text(&component, "/variable", "secret").await.unwrap();
        assert!(undefined.starts_with("error"), "{undefined}");
        // Whether there is such a server is another question.
        for address in ["redis://127.0.0.1/1", "redis+unix:///run/r.sock"] {
            assert_eq!(text(&component, "/open", address).await.unwrap(), "open");
        }
        for address in ["redis://other.test", "redis+unix:///run/x.sock", "nonsense"] {
            let answer = text(&component, "/open", address).await.unwrap();
            assert_eq!(answer, "error invalid-address", "{address}");
        }
    }
}

/// A private server on a unix socket, stopped when dropped.
struct Redis {
    address: String,
    child: Child,
    _folder: TempDir,
}

impl Redis {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { address: format!("redis+unix://{}", socket.display()), child, _folder: folder }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What Spin answers to the same commands: nesting vanishes, `false` is nil.
#[tokio::test]
async fn redis_replies_are_flat_as_on_spin() {
    let redis = Redis::start();
    let variables = BTreeMap::from([("redis_url".to_owned(), redis.address.clone())]);
    let commands = "PING\n\
        SET k v\n\
        GET k\n\
        GET none\n\
        INCRBY n int:41\n\
        EVAL return~{1,{2,{3,false}},'x'} 0\n\
        EVAL return~{{'a',1},{'b',2},{}} 0\n\
        EVAL return~{} 0\n\
        EVAL return~{ok='fine'} 0\n\
        EVAL return~{err='MINE'} 0\n\
        XADD s 1-1 f v g w\n\
        XRANGE s - +\n\
        SUBSCRIBE c\n\
        EVALSHA 0000000000000000000000000000000000000000 0";
    let expected = "status PONG|end|status OK|end|bytes v|end|nil|end|int 41|end\
        |int 1|int 2|int 3|nil|bytes x|end\
        |bytes a|int 1|bytes b|int 2|end\
        |end\
        |status fine|end";
    for name in FLAVOURS {
        let component = load_with(config(), name, variables.clone(), &[redis.address.as_str()]);
        let answer = text(&component, "/redis", &format!("DEL s n\n{commands}")).await.unwrap();
        let mut lines = answer.lines().skip_while(|line| *line != "end").skip(1);
        for expected in expected.split('|') {
            assert_eq!(lines.next(), Some(expected), "{name}: {answer}");
        }
        let rest: Vec<_> = lines.collect();
        assert!(rest[0].contains("MINE"), "{rest:?}");
        assert_eq!(rest[1], "end");
        let stream = ["bytes 1-1", "end", "bytes 1-1", "bytes f", "bytes v", "bytes g", "bytes w"];
        assert_eq!(&rest[2..9], &stream);
        assert!(rest[10].starts_with("error pub/sub"), "{rest:?}");
        assert!(rest[12].to_lowercase().contains("noscript"), "{rest:?}");
        assert_eq!(component.stats().redis_calls, 15);
    }
}

#[tokio::test]
async fn cron_events_are_handed_over() {
    let component = load(config(), FLAVOURS[1]);
    assert!(component.serves_cron());
    assert_eq!(component.handle_cron(1_700_000_000).await, Ok(Ok(())));
    let failed = component.handle_cron(0).await;
    assert_eq!(failed, Ok(Err("there is no time like the past".to_owned())));
    assert!(matches!(component.handle_cron(13).await, Err(CallError::Trap(_))));
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_with_the_reason() {
    let runtime = Runtime::new(config(), Connections::new(Timeouts::default())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let refuse = |wasm: Option<&[u8]>, hosts: &[&str]| {
        let path = folder.path().join("c.wasm");
        let _ = std::fs::remove_file(&path);
        if let Some(wasm) = wasm {
            std::fs::write(&path, wasm).unwrap();
        }
        let allowed_outbound_hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        let spec = ComponentSpec {
            id: "broken".to_owned(),
            code: Code::File(path),
            allowed_outbound_hosts,
            ..ComponentSpec::default()
        };
        format!("{:#}", runtime.load(spec).unwrap_err())
    };
    // The eight bytes of a component that contains nothing.
    let empty: &[u8] = b"\0asm\x0d\0\x01\0";
    let reasons = [
        refuse(None, &[]),
        refuse(Some(b"hello"), &[]),
        refuse(Some(empty), &[]),
        refuse(Some(empty), &["redis://h/0"]),
    ];
    let words = ["cannot read", "not a WebAssembly component", "handle-cron-event", "a path"];
    for (reason, word) in reasons.iter().zip(words) {
        assert!(reason.contains("\"broken\"") && reason.contains(word), "{reason}");
    }
}
