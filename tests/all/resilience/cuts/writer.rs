//! A writer of a message: does at random all that can be done to one, and remembers what it was
//! answered.

use std::cell::Cell;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, PATIENCE, eventually, unique};

/// What a delta may end with: all that a reader of lines could trip over.
const TAILS: [&str; 8] = [
    "",
    "two words",
    "\"quoted\" \\ and \u{1F980}\u{2028}",
    "\n\ndata: {}\nid: 1-0\n\n",
    "\r\n: no comment\r\revent: message_end\n",
    "\u{1}\t\u{7f}\u{0}",
    "ünïcödé \u{feff}",
    "}}]]",
];

/// One of perhaps several writers of one message.
pub struct Writer<'a> {
    /// Hubs over one Redis: each request goes to any of them.
    hosts: &'a [Client],
    id: &'a str,
    rng: Rng,
    name: String,
    /// Makes names that are used once.
    written: usize,
    running: Vec<String>,
    /// What was acknowledged: the sequence number, and the delta that got it.
    pub acknowledged: Vec<(i64, String)>,
    /// The message as `GET` showed it at some moments.
    pub seen: Vec<String>,
}

impl<'a> Writer<'a> {
    pub fn new(hosts: &'a [Client], id: &'a str, name: &str, rng: Rng) -> Self {
        let (acknowledged, seen, running) = (Vec::new(), Vec::new(), Vec::new());
        Self { hosts, id, rng, name: name.to_owned(), written: 0, running, acknowledged, seen }
    }

    /// Does one thing to the message.
    #[track_caller]
    pub fn write(&mut self) {
        match self.rng.u8(..100) {
            0..55 => {
                let tail = *self.rng.choice(&TAILS).unwrap();
                let tail = if self.rng.u8(..20) == 0 { &"long ".repeat(800) } else { tail };
                self.append(tail);
            }
            55..65 => self.add_block(),
            65..75 => self.start_task(),
            75..90 => self.move_a_task_on(),
            _ => self.look(),
        }
    }

    /// Appends what no other append does.
    #[track_caller]
    pub fn append(&mut self, tail: &str) {
        self.written += 1;
        let delta = format!("<{}.{}>{tail}", self.name, self.written);
        let answer = self.post("/append", &json!({"delta": delta}));
        self.acknowledged.push((answer["sequence"].as_i64().unwrap(), delta));
    }

    fn add_block(&mut self) {
        let text = "block ".repeat(self.rng.usize(1..3000));
        let block = match self.rng.u8(..3) {
            0 => json!({"content_type": "text", "text": {"text": text}}),
            1 => json!({"content_type": "json", "json": {"json": {"a": [1.5, null, {}], "b": ""}}}),
            _ => json!({"content_type": "code", "code": {"code": "\n\n", "language": "text"}}),
        };
        self.post("/content", &block);
    }

    fn start_task(&mut self) {
        self.written += 1;
        let id = format!("{}-{}", self.name, self.written);
        let kind = *self.rng.choice(&["image_generation", "video_generation", "other"]).unwrap();
        let task = json!({"task_id": id, "task_type": kind, "prompt": {"text": "a\nb", "n": 1}});
        self.post("/tasks", &task);
        self.running.push(id);
    }

    fn move_a_task_on(&mut self) {
        let Some(place) = self.rng.usize(..8).checked_rem(self.running.len()) else { return };
        let body = match self.rng.u8(..6) {
            0..3 => {
                let progress = f64::from(self.rng.u8(..=100)) / 100.0;
                let body = json!({"status": "processing", "progress": progress});
                let task = self.running[place].clone();
                return self.patch(&task, &body);
            }
            3 => json!({"status": "failed", "error": "out of \"paint\""}),
            4 => json!({"status": "completed"}),
            _ => {
                let image = json!({"url": "http://a.example/x.png", "caption": "c\n\nd"});
                json!({"status": "completed",
                    "content": {"content_type": "image", "image": image}})
            }
        };
        let task = self.running.swap_remove(place);
        self.patch(&task, &body);
    }

    fn look(&mut self) {
        let path = format!("/messages/{}", self.id);
        let answer = self.settle(|client| client.get(&path));
        assert_eq!(answer.status, 200, "{answer}");
        self.seen.push(answer.text());
    }

    /// Ends the message.
    #[track_caller]
    pub fn complete(&mut self) {
        self.post("/complete", &json!({}));
    }

    #[track_caller]
    fn post(&mut self, tail: &str, body: &Value) -> Value {
        let (path, key) = (format!("/messages/{}{tail}", self.id), unique("key"));
        self.settle(|client| client.with("idempotency-key", &key).post(&path, body)).ok()
    }

    #[track_caller]
    fn patch(&mut self, task: &str, body: &Value) {
        let path = format!("/messages/{}/tasks/{task}", self.id);
        let tries = Cell::new(0);
        let answer = self.settle(|client| {
            tries.set(tries.get() + 1);
            client.patch(&path, body)
        });
        // It may have been carried out the first time, though nobody could say so.
        if answer.status != 409 || tries.get() == 1 {
            answer.ok();
        }
    }

    /// Repeats a request until Redis is there to answer it.
    #[track_caller]
    fn settle(&mut self, request: impl Fn(&Client) -> Answer) -> Answer {
        eventually("an answer", PATIENCE, || {
            let client = self.rng.choice(self.hosts).unwrap();
            Some(request(client)).filter(|answer| answer.status != 503)
        })
    }
}
