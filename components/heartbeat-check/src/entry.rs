//! The component's export, and Redis as the older interface offers it.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use reef_domain::shown::in_line;
use reef_store::entry::SealsSeen;
use reef_store::variables::{BadVariable, Given};
use reef_store::{
    Redis, RedisError, Reply, Settings, Store, StoreError, audit, cluster, entry, monitor,
};

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, reason = "made by wit-bindgen")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "heartbeat-check",
        generate_all,
    });
    pub struct Component;
    export!(Component);
}

use bindings::fermyon::spin::redis::{
    Connection, Error as RedisFailure, RedisParameter, RedisResult,
};
use bindings::fermyon::spin::variables;
use bindings::{Component, Error, Guest, Metadata};

/// What a tick takes at most when Redis answers.
const SLOW: Duration = Duration::from_secs(2);

impl Guest for Component {
    fn handle_cron_event(_: Metadata) -> Result<(), Error> {
        check().map_err(|error| Error::Other(error.to_string()))
    }
}

fn check() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let settings = read_settings()?;
    let redis = BlockingRedis { address: settings.redis_url.clone(), connection: OnceCell::new() };
    let store = Store::new(redis, settings.keys.clone());
    // Under Spin nobody looks over each connection which process of Redis answers.
    let looked = async {
        store.call(&cluster::Arrive { trusts: false, era: 0, seen: None }).await?;
        store.call(&entry::Arrive { era: 0, seen: 0, link: "" }).await?;
        Ok::<_, StoreError>(())
    };
    looked.now_or_never().ok_or("a call did not block")??;
    // Nothing is remembered from one tick to the next.
    let (seen, audited) = (SealsSeen::default(), audit::Seen::default());
    let tick = monitor::tick(&store, &settings, settings.check_interval_ms, true, &seen, &audited);
    // Every call blocks until it has its reply, so the first poll brings the result.
    let ticked = tick.now_or_never().ok_or("a call did not block")?;
    // This interface has no limit of time, so all that can be done about a Redis that does not
    // answer is to say afterwards that it did not.
    let took = started.elapsed();
    if took > SLOW {
        eprintln!("this tick took {:.1} s: Redis did not answer in time", took.as_secs_f64());
    }
    let ticked = ticked?;
    for node in &ticked.checked.expired {
        let (id, hostname) = (in_line(node.node_id.as_str()), in_line(&node.hostname));
        eprintln!("node {id} ({hostname}) is offline: no heartbeat");
    }
    for wrong in [ticked.holds.altered, ticked.seals.broken].into_iter().flatten() {
        eprintln!("the ledger was altered, see `reef ledger verify`: {wrong}");
    }
    if let Some(wrong) = ticked.audit.and_then(|tended| tended.broken) {
        eprintln!("the audit was altered, see `reef audit verify`: {wrong}");
    }
    if let Some(suspension) = ticked.checked.suspended {
        eprintln!("{suspension}");
    }
    Ok(())
}

fn read_settings() -> Result<Settings, BadVariable> {
    // A variable that the manifest does not give to this component has its default.
    Settings::read(&Given::new(|name| variables::get(name).unwrap_or_default()))
}

/// One connection for one event.
struct BlockingRedis {
    address: String,
    connection: OnceCell<Connection>,
}

impl BlockingRedis {
    fn connection(&self) -> Result<&Connection, RedisError> {
        if self.connection.get().is_none() {
            let opened = Connection::open(&self.address).map_err(|error| match error {
                // What Spin says of an address that allowed_outbound_hosts does not name.
                RedisFailure::InvalidAddress => RedisError::NotAllowed,
                error => RedisError::Unavailable(error.to_string()),
            })?;
            // Nobody else runs in this instance, so nothing was set in between.
            let _ = self.connection.set(opened);
        }
        self.connection.get().ok_or_else(|| RedisError::Unavailable("not connected".to_owned()))
    }
}

impl Redis for BlockingRedis {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let args: Vec<RedisParameter> = args.into_iter().map(RedisParameter::Binary).collect();
        match self.connection()?.execute(command, &args) {
            Ok(reply) => Ok(reply.into_iter().map(from_spin).collect()),
            Err(error) => Err(RedisError::from_text(&error.to_string())),
        }
    }
}

fn from_spin(result: RedisResult) -> Reply {
    match result {
        RedisResult::Nil => Reply::Nil,
        RedisResult::Status(text) => Reply::Status(text),
        RedisResult::Int64(number) => Reply::Int(number),
        RedisResult::Binary(bytes) => Reply::Bytes(bytes),
    }
}
