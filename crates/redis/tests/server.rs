//! The connection against a real `redis-server`: restarts, pauses, and scripts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use reef_redis::{Connection, Connections, Error, Timeouts};
use reef_store::{Redis, RedisError, Reply};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A private server on a unix socket, stopped when dropped.
struct Server {
    folder: TempDir,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(folder.path().join("redis.sock"));
        Self { folder, child }
    }

    fn restart(&mut self) {
        self.stop();
        self.child = spawn(self.folder.path().join("redis.sock"));
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let _ = std::fs::remove_file(self.folder.path().join("redis.sock"));
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn connection(&self) -> Connection {
        let address = format!("redis+unix://{}", self.folder.path().join("redis.sock").display());
        Connections::new(Timeouts::default()).open(&address).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(socket: PathBuf) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline, "redis-server did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn args(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

async fn call(connection: &Connection, words: &[&str]) -> Result<Vec<Reply>, Error> {
    connection.execute(words[0], args(&words[1..])).await
}

fn bytes(text: &str) -> Reply {
    Reply::Bytes(text.into())
}

/// How often the server has run a command, as it counts itself.
async fn calls_of(connection: &Connection, command: &str) -> u64 {
    let reply = call(connection, &["INFO", "commandstats"]).await.unwrap();
    let Some(Reply::Bytes(text)) = reply.first() else { panic!("{reply:?}") };
    let text = String::from_utf8_lossy(text);
    let line = text.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    line.map_or(0, |line| {
        let count = line.split("calls=").nth(1).unwrap();
        count.split(',').next().unwrap().parse().unwrap()
    })
}

async fn clients_ever(connection: &Connection) -> u64 {
    let reply = call(connection, &["INFO", "stats"]).await.unwrap();
    let Some(Reply::Bytes(text)) = reply.first() else { panic!("{reply:?}") };
    let text = String::from_utf8_lossy(text);
    let count = text.split("total_connections_received:").nth(1).unwrap();
    count.lines().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn replies_arrive_flat_and_errors_as_text() {
    let server = Server::start();
    let redis = server.connection();
    assert_eq!(call(&redis, &["SET", "k", "v"]).await, Ok(vec![Reply::Status("OK".into())]));
    assert_eq!(call(&redis, &["GET", "k"]).await, Ok(vec![bytes("v")]));
    assert_eq!(call(&redis, &["GET", "none"]).await, Ok(vec![Reply::Nil]));
    let nested = "return {1,{2,{3,false}},{},'x'}";
    let expected = vec![Reply::Int(1), Reply::Int(2), Reply::Int(3), Reply::Nil, bytes("x")];
    assert_eq!(call(&redis, &["EVAL", nested, "0"]).await, Ok(expected));

    let error = call(&redis, &["INCR", "k"]).await.unwrap_err();
    assert!(matches!(&error, Error::Server(text) if text.contains("not an integer")), "{error}");
    let error = call(&redis, &["EVALSHA", &"0".repeat(40), "0"]).await.unwrap_err();
    assert!(matches!(RedisError::from(error), RedisError::NoScript));
    let failing = call(&redis, &["EVAL", "return nosuch.field", "0"]).await.unwrap_err();
    assert!(matches!(RedisError::from(failing), RedisError::Script(_)));
    assert!(matches!(call(&redis, &["MULTI"]).await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn one_connection_serves_all_and_comes_back_after_a_restart() {
    let mut server = Server::start();
    let redis = server.connection();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move { call(&redis, &["INCR", "n"]).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    // Besides ours there is the one that waited for the server to start.
    assert_eq!(clients_ever(&redis).await, 2);

    server.restart();
    // The closed connection was noticed while nothing was asked, so no caller pays for it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(call(&redis, &["PING"]).await, Ok(vec![Reply::Status("PONG".into())]));
}

#[tokio::test]
async fn a_dead_server_is_reported_at_once() {
    let mut server = Server::start();
    let redis = server.connection();
    call(&redis, &["PING"]).await.unwrap();
    server.stop();
    for _ in 0..3 {
        let start = Instant::now();
        let error = Redis::execute(&redis, "PING", vec![]).await.unwrap_err();
        assert!(matches!(error, RedisError::Unavailable(_)), "{error}");
        assert!(start.elapsed() < Duration::from_millis(200));
    }
    server.restart();
    assert!(call(&redis, &["PING"]).await.is_ok());
}

#[tokio::test]
async fn a_paused_server_costs_each_caller_a_second_and_a_half() {
    let server = Server::start();
    let redis = server.connection();
    call(&redis, &["PING"]).await.unwrap();
    server.signal("-STOP");
    // The first waits for a command, the second for a connection.
    for _ in 0..2 {
        let start = Instant::now();
        let waiting = (0..8).map(|_| call(&redis, &["PING"]));
        for result in futures_util::future::join_all(waiting).await {
            assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
        }
        assert!(start.elapsed() < Duration::from_millis(1800), "{:?}", start.elapsed());
    }
    server.signal("-CONT");
    assert!(call(&redis, &["PING"]).await.is_ok());
}

#[tokio::test]
async fn the_text_of_a_script_is_sent_once_per_restart() {
    let mut server = Server::start();
    let redis = server.connection();
    let script = "return redis.call('INCR', KEYS[1])";
    let burst = async |redis: &Connection| {
        let all = (0..64).map(|_| async {
            // What the components do: the hash first, the text when the script is missing.
            let sha = sha1_smol::Sha1::from(script).digest().to_string();
            match call(redis, &["EVALSHA", &sha, "1", "n"]).await {
                Err(error) if error.to_string().starts_with("NoScript") => {
                    call(redis, &["EVAL", script, "1", "n"]).await
                }
                other => other,
            }
        });
        for result in futures_util::future::join_all(all).await {
            result.unwrap();
        }
        call(redis, &["GET", "n"]).await.unwrap()
    };
    assert_eq!(burst(&redis).await, vec![bytes("64")]);
    assert_eq!(calls_of(&redis, "eval").await, 1);

    call(&redis, &["SCRIPT", "FLUSH"]).await.unwrap();
    assert_eq!(burst(&redis).await, vec![bytes("128")]);
    assert_eq!(calls_of(&redis, "eval").await, 2);

    server.restart();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(burst(&redis).await, vec![bytes("64")]);
    assert_eq!(calls_of(&redis, "eval").await, 1);
}

#[tokio::test]
async fn a_library_is_loaded_once_by_many_who_lack_it() {
    let server = Server::start();
    let redis = server.connection();
    let library = "#!lua name=reef_test\nredis.register_function('reef_test', function(keys)\n\
                   return redis.call('INCR', keys[1]) end)";
    let one = async || match call(&redis, &["FCALL", "reef_test", "1", "n"]).await {
        Err(error) => {
            assert!(matches!(RedisError::from(error), RedisError::NoFunction));
            match call(&redis, &["FUNCTION", "LOAD", library]).await.map_err(RedisError::from) {
                Ok(_) | Err(RedisError::FunctionExists) => {}
                Err(error) => panic!("{error}"),
            }
            call(&redis, &["FCALL", "reef_test", "1", "n"]).await
        }
        other => other,
    };
    for result in futures_util::future::join_all((0..64).map(|_| one())).await {
        result.unwrap();
    }
    assert_eq!(call(&redis, &["GET", "n"]).await, Ok(vec![bytes("64")]));
    assert_eq!(calls_of(&redis, "function|load").await, 1);
}

#[tokio::test]
async fn functions_that_are_refused_are_told_from_those_that_are_missing() {
    let server = Server::start();
    let redis = server.connection();
    call(&redis, &["ACL", "SETUSER", "default", "-fcall", "-function|load"]).await.unwrap();
    for words in [["FCALL", "f", "0"], ["FUNCTION", "LOAD", "#!lua name=f"]] {
        let error = RedisError::from(call(&redis, &words).await.unwrap_err());
        assert!(matches!(error, RedisError::FunctionsRefused), "{words:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_script_that_fails_does_not_stop_the_others() {
    let server = Server::start();
    let redis = server.connection();
    let syntax = call(&redis, &["EVAL", "return (", "0"]).await.unwrap_err();
    assert!(syntax.to_string().contains("compiling"), "{syntax}");
    assert!(call(&redis, &["EVAL"]).await.is_err());
    assert_eq!(call(&redis, &["EVAL", "return 1", "0"]).await, Ok(vec![Reply::Int(1)]));
}
