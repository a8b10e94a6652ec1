//! Thousands of readers of messages that are being written: how long an event takes to the last
//! of its readers, and what a reader costs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;

use super::Used;
use crate::load::connection::Fault;
use crate::load::each;
use crate::load::paced::{Pace, Paced};
use crate::load::reader::Reader;
use crate::message;
use crate::options::Options;
use crate::process;
use crate::sample::{empty_histogram, shares_ms};
use crate::servers::hub::{Hub, Liveness};

/// Messages that are written at the same time.
const MESSAGES: usize = 100;
/// Readers that join at the same time.
const JOINING: usize = 64;
/// How long may pass after the last append until all readers have it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(10);
/// Open files of this process beside its readers, and of the hub beside its connections.
const OTHER_FILES: u64 = 400;
/// The first event of a message; the others follow, one by one.
const MESSAGE_START: u64 = 1;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Streams {
    /// Redis' version.
    pub(crate) redis: String,
    /// How many readers.
    pub(crate) readers: usize,
    /// How many were asked for, if this process may not open so many files.
    pub(crate) readers_wanted: Option<usize>,
    /// How many messages they shared.
    pub(crate) messages: usize,
    /// How long it took all readers to join, in seconds.
    pub(crate) join_seconds: f64,
    /// Appends a second over all messages.
    pub(crate) pace: f64,
    /// For how long, in seconds.
    pub(crate) seconds: f64,
    /// Appends that were taken.
    pub(crate) appends: u64,
    /// Events that arrived at readers.
    pub(crate) delivered: u64,
    /// Events that never arrived.
    pub(crate) lost: u64,
    /// Events that arrived again, or after a later one.
    pub(crate) repeated: u64,
    /// Milliseconds from when an append was due until its last reader had it, by share.
    pub(crate) last_reader_ms: Vec<(&'static str, f64)>,
    /// The same until each reader had it.
    pub(crate) each_reader_ms: Vec<(&'static str, f64)>,
    /// Milliseconds from when an append was due to the end of its answer.
    pub(crate) append_ms: Vec<(&'static str, f64)>,
    /// Milliseconds by which the load generator itself was late; part of the above.
    pub(crate) late_ms: Vec<(&'static str, f64)>,
    /// Connections of the hub to Redis.
    pub(crate) redis_connections: u64,
    /// The hub's memory before the readers came, when all had joined, and at the end, in bytes.
    pub(crate) hub_bytes: [Option<u64>; 3],
    /// The hub's share of one processor.
    pub(crate) hub_cores: Option<f64>,
    /// Redis' share of one processor.
    pub(crate) redis_cores: Option<f64>,
    /// Processors that were busy with other things.
    pub(crate) foreign_cores: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

impl Streams {
    /// Bytes of the hub's memory for each reader, when all had joined and at the end.
    pub(crate) fn bytes_per_reader(&self) -> [Option<f64>; 2] {
        let [before, joined, end] = self.hub_bytes;
        [joined, end].map(|now| Some(now?.saturating_sub(before?) as f64 / self.readers as f64))
    }
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Streams> {
    let (time, rate) = (options.streams_time(), options.appends_per_second());
    let wanted = options.readers();
    let readers = affordable(wanted);
    eprintln!("streams: {readers} readers of {MESSAGES} messages, {rate} appends/s for {time:?}");
    let hub = Hub::start(options, Liveness::Usual).await?;
    let (server, key) = (hub.server(), hub.key());
    each::send(server, key, &message::open_session(), 0..1).await?;
    each::send(server, key, &message::create("m"), 0..MESSAGES as u64).await?;
    let pace = Pace {
        address: server.address,
        template: message::append("m", message::DELTA).template(server.address, key),
        numbers: None,
        senders: MESSAGES as u64,
        // One for each message, so that its appends keep their order.
        connections: MESSAGES,
        period: Duration::from_secs_f64(MESSAGES as f64 / rate),
    };
    let tally = Rc::new(RefCell::new(Tally::new(&pace.schedule(time), readers)?));
    let resident = || process::resident_bytes(server.pid());
    let before = resident();
    let begun = Instant::now();
    let mut reading = join(&hub, readers, &tally).await?;
    let (joined, join_seconds) = (resident(), begun.elapsed().as_secs_f64());
    let (paced, used) = write(&hub, &pace, time, &tally).await?;
    let (end, redis_connections) = (resident(), hub.redis.other_connections().await?);
    reading.shutdown().await;
    let tally = Rc::into_inner(tally).context("a reader still runs")?.into_inner();

    let cores = |used: Option<Duration>| Some(used?.as_secs_f64() / time.as_secs_f64());
    let lost = tally.lost();
    let mut faults = tally.faults;
    faults.extend(paced.sample.faults);
    Ok(Streams {
        redis: hub.redis.version.clone(),
        readers,
        readers_wanted: (readers < wanted).then_some(wanted),
        messages: MESSAGES,
        join_seconds,
        pace: rate,
        seconds: time.as_secs_f64(),
        appends: paced.sample.answers,
        delivered: tally.delivered,
        lost,
        repeated: tally.repeated,
        last_reader_ms: shares_ms(&tally.last_reader),
        each_reader_ms: shares_ms(&tally.each_reader),
        append_ms: shares_ms(&paced.sample.latencies),
        late_ms: shares_ms(&paced.lateness),
        redis_connections,
        hub_bytes: [before, joined, end],
        hub_cores: cores(used.server),
        redis_cores: cores(used.redis),
        foreign_cores: cores(used.foreign()),
        faults,
    })
}

/// Appends at a pace, and waits until every reader has every event, or has had the time for it.
async fn write(
    hub: &Hub,
    pace: &Pace,
    time: Duration,
    tally: &RefCell<Tally>,
) -> Result<(Paced, Used)> {
    let used = || Used::now(hub.server(), &hub.redis);
    let before = Cell::new(used());
    let begin = |start| {
        tally.borrow_mut().start = Some(start);
        before.set(used());
    };
    let paced = pace.run(time, 0, begin).await?;
    let used = used().since(before.get());
    let deadline = Instant::now() + PATIENCE;
    while tally.borrow().incomplete > 0 && Instant::now() < deadline {
        tokio::time::sleep(LOOK).await;
    }
    Ok((paced, used))
}

/// As many readers as are wanted, or as this process, and the hub with it, may open files for.
fn affordable(wanted: usize) -> usize {
    let files = process::open_files_max().saturating_sub(OTHER_FILES);
    usize::try_from(files).unwrap_or(usize::MAX).min(wanted)
}

/// Connects the readers, dealt out to the messages in turn, and waits until each has got the
/// first event. They read on until they are stopped.
async fn join(hub: &Hub, readers: usize, tally: &Rc<RefCell<Tally>>) -> Result<JoinSet<()>> {
    let address = hub.server().address;
    let template = message::stream("m").template(address, hub.key());
    let joined: Vec<(usize, Reader)> = stream::iter(0..readers)
        .map(|number| {
            let (mut template, message) = (template.clone(), number % MESSAGES);
            async move {
                let request = template.with(message as u64);
                let mut reader = Reader::open(address, number, request).await?;
                let mut first = Vec::new();
                reader.read(|sequence| first.push(sequence)).await?;
                Ok((message, reader, first))
            }
        })
        .buffer_unordered(JOINING)
        .map_err(|fault: Fault| anyhow!("a reader cannot join: {fault}"))
        .and_then(|(message, reader, first)| async move {
            match first.as_slice() {
                [MESSAGE_START] => Ok((message, reader)),
                other => bail!("a reader began with the events {other:?}"),
            }
        })
        .try_collect()
        .await?;
    let mut reading = JoinSet::new();
    for (message, reader) in joined {
        reading.spawn_local(follow(reader, message, Rc::clone(tally)));
    }
    Ok(reading)
}

async fn follow(mut reader: Reader, message: usize, tally: Rc<RefCell<Tally>>) {
    let mut last = MESSAGE_START;
    loop {
        let read = reader.read(|sequence| {
            tally.borrow_mut().arrived(message, &mut last, sequence, Instant::now());
        });
        if let Err(fault) = read.await {
            let what = format!("a reader was cut: {fault}");
            *tally.borrow_mut().faults.entry(what).or_default() += 1;
            return;
        }
    }
}

/// What readers have got.
struct Tally {
    /// From when the schedule counts.
    start: Option<Instant>,
    /// The appends to each message, in order.
    messages: Vec<Vec<Append>>,
    /// How many events have not reached all of their readers.
    incomplete: usize,
    each_reader: Histogram<u64>,
    last_reader: Histogram<u64>,
    delivered: u64,
    repeated: u64,
    faults: BTreeMap<String, u64>,
}

/// An append, and how many readers have not got its event.
struct Append {
    due: Duration,
    missing: usize,
}

impl Tally {
    fn new(schedule: &[(Duration, u64)], readers: usize) -> Result<Self> {
        let mut messages: Vec<Vec<Append>> = Vec::new();
        messages.resize_with(MESSAGES, Vec::new);
        let mut incomplete = 0;
        for (due, sender) in schedule {
            let message = usize::try_from(*sender)?;
            // Readers are dealt out in turn.
            let missing = (readers + MESSAGES - 1).saturating_sub(message) / MESSAGES;
            if let Some(appends) = messages.get_mut(message) {
                appends.push(Append { due: *due, missing });
                incomplete += usize::from(missing > 0);
            }
        }
        Ok(Self {
            start: None,
            messages,
            incomplete,
            each_reader: empty_histogram()?,
            last_reader: empty_histogram()?,
            delivered: 0,
            repeated: 0,
            faults: BTreeMap::new(),
        })
    }

    /// Notes an event of a message at a reader whose last one was `last`.
    fn arrived(&mut self, message: usize, last: &mut u64, sequence: u64, now: Instant) {
        if sequence <= *last {
            self.repeated += 1;
            return;
        }
        *last = sequence;
        let append = usize::try_from(sequence - MESSAGE_START - 1).ok();
        let append = append.and_then(|place| self.messages.get_mut(message)?.get_mut(place));
        let Some((append, start)) = append.zip(self.start) else {
            *self.faults.entry("an event that nobody wrote".to_owned()).or_default() += 1;
            return;
        };
        let latency = now.saturating_duration_since(start + append.due).as_nanos();
        let latency = u64::try_from(latency).unwrap_or(u64::MAX);
        self.delivered += 1;
        self.each_reader.saturating_record(latency);
        append.missing = append.missing.saturating_sub(1);
        if append.missing == 0 {
            self.incomplete -= 1;
            self.last_reader.saturating_record(latency);
        }
    }

    fn lost(&self) -> u64 {
        self.messages.iter().flatten().map(|append| append.missing as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_once_for_each_of_its_readers() {
        let second = Duration::from_secs(1);
        // Three readers, of messages 0, 1 and 2; two appends to 0, one to 2, one that nobody reads.
        let schedule = [(second, 0), (second, 2), (second * 2, 0), (second, 7)];
        let mut tally = Tally::new(&schedule, 3).unwrap();
        assert_eq!((tally.incomplete, tally.lost()), (3, 3));
        let start = Instant::now();
        tally.start = Some(start);
        let (mut first, mut third) = (MESSAGE_START, MESSAGE_START);
        tally.arrived(2, &mut third, 2, start + second * 3);
        assert!((1990.0..2010.0).contains(&shares_ms(&tally.last_reader)[0].1));
        // One is passed over, and comes when it is too late.
        tally.arrived(0, &mut first, 3, start + second * 2);
        tally.arrived(0, &mut first, 2, start + second * 2);
        tally.arrived(0, &mut first, 3, start + second * 2);
        assert_eq!((tally.delivered, tally.repeated, tally.lost()), (2, 2, 1));
        assert_eq!(tally.incomplete, 1);
        tally.arrived(0, &mut first, 4, start);
        assert_eq!(tally.faults.len(), 1);
    }
}
