//! Readers of event streams whose connections break at random, while everything else goes on.
//!
//! Whatever happens to a reader, it gets every event once and in order, and what it puts together
//! from them is, byte for byte, what `GET` shows. The cases are random; a failing one names its
//! seed. `REEF_SEED=N` runs one, `REEF_SEEDS=N` so many of each kind.

mod cluster;
mod fold;
mod reader;
mod seeds;
mod writer;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use self::fold::{Event, Fold};
use self::reader::{Cuts, Place, Reader};
use self::writer::Writer;
use crate::harness::{Client, Frame, Hub, Message, PATIENCE, RedisServer, eventually};

/// Two hosts over one Redis.
struct World {
    server: Mutex<RedisServer>,
    hosts: Vec<Client>,
    _hubs: [Hub; 2],
}

impl World {
    fn start() -> Self {
        let server = RedisServer::start();
        // Without comments, so that a reader that waits in vain is told from one that is patient.
        let options = Hub::options().open().redis(&server);
        let options = options.arg("--stream-comment-period").arg("3600");
        let hubs = [(); 2].map(|()| options.clone().start());
        let hosts = hubs.iter().map(Hub::anonymous).collect();
        Self { server: Mutex::new(server), hosts, _hubs: hubs }
    }

    /// Kills Redis and starts it again.
    fn restart_redis(&self) {
        let mut server = self.server.lock().unwrap();
        server.kill();
        server.start_again();
    }
}

/// What these tests do with a message.
trait Shown {
    fn shown(&self, client: &Client) -> String;
    fn published(&self, client: &Client) -> BTreeMap<i64, Box<RawValue>>;
    fn behind(&self, sequence: i64) -> Place;
}

impl Shown for Message {
    /// What `GET` shows.
    #[track_caller]
    fn shown(&self, client: &Client) -> String {
        let path = format!("/messages/{}", self.id);
        let answer = eventually("the message", PATIENCE, || {
            Some(client.get(&path)).filter(|answer| answer.status != 503)
        });
        answer.ok();
        answer.text()
    }

    /// The events that the log still holds, by their number.
    #[track_caller]
    fn published(&self, client: &Client) -> BTreeMap<i64, Box<RawValue>> {
        #[derive(Deserialize)]
        struct Page {
            events: Vec<Box<RawValue>>,
        }
        let answer = client.get(&format!("/messages/{}/events?limit=1000", self.id));
        answer.ok();
        let page: Page = serde_json::from_slice(&answer.body).unwrap();
        let number = |event: Box<RawValue>| (Event::read(event.get()).sequence, event);
        page.events.into_iter().map(number).collect()
    }

    /// The place behind an event.
    fn behind(&self, sequence: i64) -> Place {
        let names = vec![sequence.to_string(), format!("evt_{}_{sequence}", self.id)];
        Place { names }
    }
}

/// What a reader of a message begins with.
enum Start {
    /// Nothing: it reads from the first event on.
    Nothing,
    /// The message as `GET` showed it.
    Loaded(String),
    /// A snapshot, which it gets by a place that there never was.
    Snapshot,
}

/// A reader of a message, and what it has got.
struct Follower<'a> {
    message: &'a Message,
    reader: Reader<'a>,
    start: Start,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Snapshot {
    message: Box<RawValue>,
    sequence: i64,
}

impl<'a> Follower<'a> {
    fn new(world: &'a World, message: &'a Message, mut rng: Rng) -> Self {
        let start = match rng.u8(..4) {
            0 | 1 => Start::Nothing,
            2 => Start::Loaded(message.shown(&world.hosts[0])),
            _ => Start::Snapshot,
        };
        let cuts = *rng.choice(&[Cuts::None, Cuts::AfterEachEvent, Cuts::AnyByte]).unwrap();
        let reader = Reader::new(&world.hosts, message.stream(), cuts, rng);
        Self { message, reader, start, frames: Vec::new() }
    }

    /// Reads on until the message ends, or until it has got so many events.
    #[track_caller]
    fn read(&mut self, most: usize) {
        let message = self.message;
        let begin = match (self.frames.last(), &self.start) {
            (Some(frame), _) => place(message, frame),
            (None, Start::Nothing) => Place { names: vec!["0".to_owned(), "0-0".to_owned()] },
            (None, Start::Loaded(text)) => message.behind(Fold::read(text).sequence),
            (None, Start::Snapshot) => {
                Place { names: ["evt_other_1", "99999999", "1-1"].map(str::to_owned).into() }
            }
        };
        let frames = &mut self.frames;
        self.reader.read(begin, |frame| {
            frames.push(frame.clone());
            let is_last = frame.event.as_deref() == Some("message_end")
                || snapshot(frame).is_some_and(|it| Fold::read(it.message.get()).is_complete);
            (!is_last && frames.len() < most).then(|| place(message, frame))
        });
    }

    /// Checks what it has got against what was published, and against the message as it was seen.
    #[track_caller]
    fn check(&self, truth: &Truth) {
        let mut fold = match &self.start {
            Start::Loaded(text) => Fold::read(text),
            Start::Nothing | Start::Snapshot => Fold::new(&self.message.session, &self.message.id),
        };
        let mut snapshots = 0;
        for frame in &self.frames {
            if let Some(snapshot) = snapshot(frame) {
                let later = Fold::read(snapshot.message.get());
                assert_eq!(later.sequence, snapshot.sequence);
                assert!(later.sequence >= fold.sequence, "a snapshot of the past");
                fold = later;
                snapshots += 1;
            } else {
                let data = frame.data.as_deref().unwrap();
                let event = Event::read(data);
                assert_eq!(frame.event.as_deref(), Some(event.event_type.as_str()));
                // Its number is the next one, so that none is missing and none comes twice.
                fold.apply(&event);
                if let Some(published) = truth.published.get(&event.sequence) {
                    assert_eq!(data, on_one_line(published.get()));
                }
            }
            if let Some(seen) = truth.seen.get(&fold.sequence) {
                assert_eq!(fold.text(), *seen, "at {}", fold.sequence);
            }
        }
        let expected = usize::from(matches!(self.start, Start::Snapshot));
        assert_eq!(snapshots, expected + truth.trims, "snapshots");
        assert_eq!(fold.text(), truth.end);
    }
}

/// JSON as it comes in a frame: what some readers take for the end of a line is escaped.
fn on_one_line(json: &str) -> String {
    json.replace('\u{2028}', r"\u2028").replace('\u{2029}', r"\u2029").replace('\u{85}', r"\u0085")
}

/// The snapshot in a frame, if it is one.
fn snapshot(frame: &Frame) -> Option<Snapshot> {
    let data = frame.data.as_deref().filter(|_| frame.event.as_deref() == Some("snapshot"))?;
    Some(serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")))
}

/// The place behind a frame.
fn place(message: &Message, frame: &Frame) -> Place {
    let data = frame.data.as_deref().unwrap();
    let sequence = snapshot(frame).map_or_else(|| Event::read(data).sequence, |it| it.sequence);
    let mut place = message.behind(sequence);
    place.names.push(frame.cursor().to_owned());
    place
}

/// What has happened to a message.
struct Truth {
    published: BTreeMap<i64, Box<RawValue>>,
    /// The message as `GET` has shown it, by its last event.
    seen: BTreeMap<i64, String>,
    /// The message at its end.
    end: String,
    /// How often the log was trimmed behind every reader.
    trims: usize,
}

impl Truth {
    /// Gathers it, and checks that every acknowledged delta is there, once, and under the number
    /// that was answered.
    #[track_caller]
    fn gather(client: &Client, message: &Message, writers: Vec<Writer>) -> Self {
        let (published, end) = (message.published(client), message.shown(client));
        let mut seen = BTreeMap::new();
        let text =
            serde_json::from_str::<Value>(&end).unwrap()["text"].as_str().unwrap().to_owned();
        for writer in writers {
            for (sequence, delta) in &writer.acknowledged {
                assert_eq!(text.matches(delta.as_str()).count(), 1, "{delta:?}");
                if let Some(event) = published.get(sequence) {
                    let payload: Map<String, Value> = Event::read(event.get()).payload();
                    assert_eq!(payload["delta"], *delta);
                }
            }
            let number = |text: String| (Fold::read(&text).sequence, text);
            seen.extend(writer.seen.into_iter().map(number));
        }
        Self { published, seen, end, trims: 0 }
    }
}

/// One random case.
struct Plan {
    writers: usize,
    /// How much each of them writes.
    writes: usize,
    readers: usize,
    /// How often Redis is killed and started again.
    restarts: usize,
}

impl Plan {
    fn run(&self, world: &World, seed: u64) -> usize {
        let mut rng = Rng::with_seed(seed);
        let message = &Message::begin(&world.hosts[0]);
        let all = self.writers * self.writes;
        let written = &AtomicUsize::new(0);
        let reached = move |count: usize| {
            eventually("writing", PATIENCE, || {
                (written.load(Ordering::Relaxed) >= count).then_some(())
            });
        };
        let (readers, truth) = std::thread::scope(|scope| {
            let mut forks = std::iter::repeat_with(|| rng.fork());
            let mut fork = || forks.next().unwrap();
            for _ in 0..self.restarts {
                let moment = fork().usize(..all);
                scope.spawn(move || {
                    reached(moment);
                    world.restart_redis();
                });
            }
            let reading: Vec<_> = (0..self.readers)
                .map(|_| {
                    let mut rng = fork();
                    scope.spawn(move || {
                        reached(rng.usize(..all));
                        let mut follower = Follower::new(world, message, rng);
                        follower.read(usize::MAX);
                        follower
                    })
                })
                .collect();
            let writing: Vec<_> = (0..self.writers)
                .map(|n| {
                    let name = format!("w{n}");
                    let mut writer = Writer::new(&world.hosts, &message.id, &name, fork());
                    scope.spawn(move || {
                        for _ in 0..self.writes {
                            writer.write();
                            written.fetch_add(1, Ordering::Relaxed);
                        }
                        writer
                    })
                })
                .collect();
            let mut writers: Vec<_> = writing.into_iter().map(|it| it.join().unwrap()).collect();
            writers[0].complete();
            let readers: Vec<_> = reading.into_iter().map(|it| it.join().unwrap()).collect();
            let truth = Truth::gather(&world.hosts[0], message, writers);
            (readers, truth)
        });
        for reader in &readers {
            reader.check(&truth);
        }
        readers.iter().map(|follower| follower.reader.connections).sum()
    }
}

#[test]
fn wherever_a_stream_is_cut_every_event_arrives_once() {
    let world = World::start();
    let plan = Plan { writers: 2, writes: 60, readers: 4, restarts: 0 };
    let (mut cases, mut connections) = (0, 0);
    seeds::each(12, |seed| {
        cases += 1;
        connections += plan.run(&world, seed);
    });
    assert!(connections > cases * plan.readers, "nothing was ever cut");
}

#[test]
fn whoever_joins_whenever_sees_what_get_shows() {
    let world = World::start();
    let plan = Plan { writers: 4, writes: 25, readers: 8, restarts: 0 };
    seeds::each(4, |seed| {
        plan.run(&world, seed);
    });
}

#[test]
fn a_restart_of_redis_costs_no_reader_an_event() {
    let world = World::start();
    let plan = Plan { writers: 3, writes: 60, readers: 4, restarts: 2 };
    seeds::each(4, |seed| {
        plan.run(&world, seed);
    });
}

#[test]
fn who_was_away_for_longer_than_the_log_reaches_goes_on_with_a_snapshot() {
    let world = World::start();
    seeds::each(2, |seed| {
        let mut rng = Rng::with_seed(seed);
        let message = &Message::begin(&world.hosts[0]);
        let mut writers: Vec<_> = (0..4)
            .map(|n| Writer::new(&world.hosts, &message.id, &format!("w{n}"), rng.fork()))
            .collect();
        at_once(&mut writers, |writer| (0..8).for_each(|_| writer.write()));
        let mut readers: Vec<_> =
            (0..3).map(|_| Follower::new(&world, message, rng.fork())).collect();
        for reader in &mut readers {
            reader.start = Start::Nothing;
            reader.read(rng.usize(1..9));
        }
        at_once(&mut writers, |writer| (0..255).for_each(|_| writer.append("")));
        std::thread::scope(|scope| {
            let reading: Vec<_> = readers
                .iter_mut()
                .map(|reader| scope.spawn(move || reader.read(usize::MAX)))
                .collect();
            at_once(&mut writers, |writer| (0..15).for_each(|_| writer.write()));
            writers[0].complete();
            reading.into_iter().for_each(|it| it.join().unwrap());
        });
        let truth = Truth { trims: 1, ..Truth::gather(&world.hosts[0], message, writers) };
        for reader in &readers {
            reader.check(&truth);
        }
    });
}

/// Has all of them act at the same time.
fn at_once(writers: &mut [Writer], act: impl Fn(&mut Writer) + Sync) {
    std::thread::scope(|scope| {
        for writer in writers {
            scope.spawn(|| act(writer));
        }
    });
}
