//! What an append costs when the text is short and when it is long.

use reef_api::MessageId;
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, TryStreamExt};
use reef_store::message::{Append, Appended, Written};
use reef_store::node::Writer;
use serde::Serialize;

use super::Asking;
use crate::call::Call;
use crate::load::each;
use crate::message;
use crate::options::Options;
use crate::redis::{Redis, Scripts, Traffic};
use crate::sample::Sample;
use crate::servers::hub::{Hub, Liveness};
use crate::template::{Numbers, digits};

/// The names of the messages, and how long their texts are at first, in bytes.
const TEXTS: [(&str, usize); 2] = [("short", 1_000), ("long", 1_000_000)];
/// Messages of each length.
const MESSAGES: u64 = 16;
/// In how many appends a text is written at first: as many as the log of events keeps, so that
/// what the log costs is the same for both.
const PIECES: usize = 1_000;
/// What is appended: so short that a short text stays short.
const DELTA: &str = "tok ";
/// How long messages are kept.
const TTL_MS: i64 = 86_400_000;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct AppendCosts {
    /// Redis' version.
    pub(crate) redis: String,
    /// Bytes that are appended each time.
    pub(crate) delta_bytes: usize,
    /// One for each length of text.
    pub(crate) rows: Vec<Row>,
}

/// What an append costs at one length of text.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Bytes of text at first.
    pub(crate) text_bytes: usize,
    /// How often was appended.
    pub(crate) appends: u64,
    /// Median, in milliseconds.
    pub(crate) p50_ms: f64,
    /// Scripts that were run for each append, those that the hub runs on its own included.
    pub(crate) scripts: f64,
    /// Time of a script inside Redis, in microseconds.
    pub(crate) script_us: Option<f64>,
    /// Bytes to Redis for each append.
    pub(crate) to_redis: f64,
    /// Bytes from Redis for each append.
    pub(crate) from_redis: f64,
    /// Processors that were busy with other things meanwhile.
    pub(crate) foreign_cores: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<AppendCosts> {
    eprintln!("append: starting a hub with {MESSAGES} short and {MESSAGES} long messages");
    let hub = Hub::start(options, Liveness::Usual).await?;
    each::send(hub.server(), hub.key(), &message::open_session(), 0..1).await?;
    let mut asked = Vec::new();
    for (kind, text_bytes) in TEXTS {
        let create = message::create(kind);
        each::send(hub.server(), hub.key(), &create, 0..MESSAGES).await?;
        write(&hub.redis, kind, text_bytes).await?;
        let numbers = Numbers { below: MESSAGES };
        let call = Call { numbers, ..message::append(kind, DELTA) };
        asked.push((text_bytes, Asking::new(&call, &hub, hub.server(), 1), Measured::new()?));
    }
    hub.redis.rewrite_log().await?;
    for (_, asking, _) in &asked {
        asking.warm_up().await?;
    }
    for round in 0..u64::from(options.rounds.max(1)) {
        for (_, asking, measured) in &mut asked {
            measured.measure(asking, options, round).await?;
        }
    }
    let rows = asked.iter().map(|(text_bytes, _, measured)| measured.row(*text_bytes)).collect();
    Ok(AppendCosts { redis: hub.redis.version.clone(), delta_bytes: DELTA.len(), rows })
}

/// Writes the texts, each by the script that a request would run.
async fn write(redis: &Redis, kind: &str, text_bytes: usize) -> Result<()> {
    let (store, piece) = (&redis.store(), &"x".repeat(text_bytes / PIECES));
    stream::iter((0..MESSAGES).map(|number| Ok(format!("{kind}-{}", digits(number)))))
        .try_for_each_concurrent(None, |message_id| async move {
            for _ in 0..PIECES {
                let call = Append {
                    message_id: &MessageId::from(message_id.as_str()),
                    author: Writer::Any.into(),
                    delta: piece,
                    producer: "",
                    epoch: 0,
                    seq: 0,
                    ttl_ms: TTL_MS,
                };
                match store.call(&call).await? {
                    Written::Ok(Appended::Ok { .. }) => {}
                    other => bail!("{message_id} was not written: {other:?}"),
                }
            }
            Ok(())
        })
        .await
        .context("cannot write the texts")
}

/// Appends over all rounds.
struct Measured {
    sample: Sample,
    scripts: Scripts,
    traffic: Traffic,
}

impl Measured {
    fn new() -> Result<Self> {
        Ok(Self {
            sample: Sample::new()?,
            scripts: Scripts::default(),
            traffic: Traffic::default(),
        })
    }

    async fn measure(&mut self, asking: &Asking<'_>, options: &Options, round: u64) -> Result<()> {
        let before = (asking.redis.scripts().await?, asking.redis.traffic().await?);
        let sample = asking.measure(options.round(), round).await?;
        self.scripts += asking.redis.scripts().await? - before.0;
        self.traffic += asking.redis.traffic().await? - before.1;
        self.sample.add(&sample)
    }

    fn row(&self, text_bytes: usize) -> Row {
        let each = |count: u64| count as f64 / self.sample.answers.max(1) as f64;
        Row {
            text_bytes,
            appends: self.sample.answers,
            p50_ms: self.sample.quantile_ms(0.5),
            scripts: each(self.scripts.calls),
            script_us: self.scripts.micros_per_call(),
            to_redis: each(self.traffic.input),
            from_redis: each(self.traffic.output),
            foreign_cores: self.sample.foreign_cores(),
            faults: self.sample.faults.clone(),
        }
    }
}
