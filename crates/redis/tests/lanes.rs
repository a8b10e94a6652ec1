//! What is large goes to the server by another connection than what is small.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Process, args, call};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reef_redis::{Connection, Connections, Done, Error, Greeted, Greeting, Timeouts};
use reef_store::Reply;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// More than a small command has.
const LARGE: usize = 64 * 1024;

/// A way to a server on which each connection stops once it has carried so many bytes.
#[derive(Default)]
struct NarrowWay {
    stopped: Notify,
    opened: AtomicUsize,
}

async fn narrow_way(to: String, most: usize, way: &Arc<NarrowWay>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (place, way) = (listener.local_addr().unwrap().to_string(), Arc::clone(way));
    tokio::spawn(async move {
        loop {
            let (from, _) = listener.accept().await.unwrap();
            way.opened.fetch_add(1, Ordering::Relaxed);
            let (to, way) = (TcpStream::connect(&to).await.unwrap(), Arc::clone(&way));
            let (mut commands, mut answers) = from.into_split();
            let (mut back, mut forth) = to.into_split();
            tokio::spawn(async move { copy(&mut back, &mut answers).await });
            tokio::spawn(async move {
                let (mut buffer, mut carried) = (vec![0; 4096], 0);
                while let Ok(count @ 1..) = commands.read(&mut buffer).await {
                    carried += count;
                    if carried > most {
                        way.stopped.notify_one();
                        return std::future::pending().await;
                    }
                    forth.write_all(&buffer[..count]).await.unwrap();
                }
            });
        }
    });
    place
}

/// A server, a way to it on which a large command does not arrive, and a connection that waits for so
/// long and has set `k`.
async fn by_narrow_way(limit: Duration) -> (Process, Arc<NarrowWay>, Connection) {
    let (server, way) = (Process::start(&[]), Arc::<NarrowWay>::default());
    let place = narrow_way(server.place(), LARGE / 4, &way).await;
    let timeouts = Timeouts { call: limit, ..Timeouts::default() };
    let redis = Connections::new(timeouts).open(&format!("redis://{place}")).unwrap();
    call(&redis, &["SET", "k", "small"]).await.unwrap();
    (server, way, redis)
}

#[tokio::test]
async fn a_large_command_that_does_not_arrive_holds_up_no_small_one() {
    let (_server, way, redis) = by_narrow_way(Duration::from_secs(60)).await;
    let large = {
        let redis = redis.clone();
        tokio::spawn(async move { call(&redis, &["SET", "k", &"x".repeat(LARGE)]).await })
    };
    way.stopped.notified().await;
    for _ in 0..100 {
        assert_eq!(call(&redis, &["STRLEN", "k"]).await, Ok(vec![Reply::Int(5)]));
    }
    assert!(!large.is_finished());
    // What answers with a whole value, which may be large, waits behind it.
    let value = redis.execute("GET", args(&["k"]));
    tokio::select! {
        biased;
        answer = value => panic!("{answer:?}"),
        _ = call(&redis, &["PING"]) => {}
    }
}

#[tokio::test]
async fn where_one_way_fails_neither_is_trusted() {
    let (_server, way, redis) = by_narrow_way(Duration::from_millis(300)).await;
    let large = call(&redis, &["SET", "k", &"x".repeat(LARGE)]).await;
    assert!(matches!(large, Err(Error::Unavailable(_))), "{large:?}");
    assert_eq!(way.opened.load(Ordering::Relaxed), 2);
    assert_eq!(call(&redis, &["STRLEN", "k"]).await, Ok(vec![Reply::Int(5)]));
    assert_eq!(way.opened.load(Ordering::Relaxed), 3);
}

/// Counts how often a server is greeted.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Greeting for Counting {
    fn greet(&self, _: Greeted) -> BoxFuture<'_, Result<Done, Error>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Done::Now)).boxed()
    }
}

#[tokio::test]
async fn each_way_is_greeted_before_a_script_goes_over_it_and_anew_after_a_restart() {
    let mut server = Process::start(&[]);
    let (redis, greeting) = (server.direct(), Arc::new(Counting::default()));
    redis.greet_with(Arc::clone(&greeting) as Arc<dyn Greeting>);
    let large = "x".repeat(LARGE);
    let greeted = || greeting.0.load(Ordering::Relaxed);
    for round in 0..2 {
        for _ in 0..3 {
            call(&redis, &["EVAL", "return 1", "0", "small"]).await.unwrap();
        }
        assert_eq!(greeted(), 2 * round + 1);
        for _ in 0..3 {
            call(&redis, &["EVAL", "return 1", "0", &large]).await.unwrap();
        }
        assert_eq!(greeted(), 2 * round + 2);
        server.kill();
        server.start_again();
        common::eventually("both ways are open again", async || {
            let small = call(&redis, &["PING"]).await;
            let large = call(&redis, &["ECHO", &large]).await;
            (small.is_ok() && large.is_ok()).then_some(())
        })
        .await;
    }
}
