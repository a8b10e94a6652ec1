//! A message as a reader of its events puts it together.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// An event of a message.
#[derive(Clone, Deserialize)]
pub struct Event {
    pub event_type: String,
    pub sequence: i64,
    payload: Box<RawValue>,
    timestamp: String,
}

impl Event {
    #[track_caller]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The payload, as far as it is of this type.
    #[track_caller]
    pub fn payload<'a, T: Deserialize<'a>>(&'a self) -> T {
        let text = self.payload.get();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// A message, with the fields of `GET /messages/{mid}` in their order.
///
/// A task must have no more than one parameter: of more, the order would be lost here.
#[derive(Clone, Serialize, Deserialize)]
pub struct Fold {
    message_id: String,
    session_id: String,
    role: String,
    text: String,
    content_blocks: Vec<Box<RawValue>>,
    pending_tasks: Tasks,
    pub is_complete: bool,
    parent_message_id: Option<String>,
    metadata: Box<RawValue>,
    pub sequence: i64,
    created_at: String,
    updated_at: String,
    /// The place of the block of a task that has just ended: its result, which may follow, goes
    /// there.
    #[serde(skip)]
    vacated: Option<usize>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Task {
    task_id: String,
    task_type: String,
    status: String,
    progress: f64,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

/// Running tasks in the order in which they have begun; in JSON an object.
#[derive(Clone, Default)]
struct Tasks(Vec<Task>);

impl Serialize for Tasks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|task| (&task.task_id, task)))
    }
}

impl<'de> Deserialize<'de> for Tasks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Tasks;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("tasks by id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tasks, A::Error> {
                let mut tasks = Vec::new();
                while let Some((_, task)) = map.next_entry::<String, Task>()? {
                    tasks.push(task);
                }
                Ok(Tasks(tasks))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[derive(Deserialize)]
struct Block {
    content_id: String,
    #[serde(default)]
    is_placeholder: bool,
    task_id: Option<String>,
}

impl Block {
    fn read(raw: &RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap()
    }
}

impl Fold {
    /// Nothing yet. What the events do not tell is known beforehand: no parent, no metadata.
    pub fn new(session: &str, id: &str) -> Self {
        Self {
            message_id: id.to_owned(),
            session_id: session.to_owned(),
            role: String::new(),
            text: String::new(),
            content_blocks: Vec::new(),
            pending_tasks: Tasks::default(),
            is_complete: false,
            parent_message_id: None,
            metadata: RawValue::from_string("{}".to_owned()).unwrap(),
            sequence: 0,
            created_at: String::new(),
            updated_at: String::new(),
            vacated: None,
        }
    }

    /// A message as `GET` or a snapshot shows it.
    #[track_caller]
    pub fn read(text: &str) -> Self {
        let fold: Self =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(
            super::on_one_line(&fold.text()),
            super::on_one_line(text),
            "cannot be written as it was read"
        );
        fold
    }

    /// As `GET` writes it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap()
    }

    /// Takes in the next event.
    #[track_caller]
    pub fn apply(&mut self, event: &Event) {
        assert_eq!(event.sequence, self.sequence + 1, "{}", event.event_type);
        self.sequence = event.sequence;
        self.updated_at.clone_from(&event.timestamp);
        let vacated = self.vacated.take();
        match event.event_type.as_str() {
            "message_start" => {
                self.role = event.payload::<Map<String, Value>>()["role"].as_str().unwrap().into();
                self.created_at.clone_from(&event.timestamp);
            }
            "text_delta" => {
                self.text += event.payload::<Map<String, Value>>()["delta"].as_str().unwrap();
            }
            "content_added" => self.content_blocks.push(event.payload.clone()),
            "content_updated" => self.put(event.payload.clone(), vacated),
            "task_started" => {
                self.pending_tasks.0.push(event.payload());
            }
            "task_progress" => {
                let payload: Map<String, Value> = event.payload();
                let place = self.place(&payload);
                self.pending_tasks.0[place].progress = payload["progress"].as_f64().unwrap();
            }
            "task_completed" | "task_failed" => {
                let place = self.place(&event.payload());
                let task = self.pending_tasks.0.remove(place);
                self.vacated = Some(self.drop_placeholder(&task.task_id));
            }
            "message_end" => {
                self.is_complete = true;
                self.pending_tasks.0.clear();
            }
            "error" => {}
            other => panic!("an event of the type {other:?}"),
        }
    }

    /// Where the task of a payload stands among those that run.
    fn place(&self, payload: &Map<String, Value>) -> usize {
        let is_it = |task: &Task| payload["task_id"] == task.task_id;
        self.pending_tasks.0.iter().position(is_it).unwrap()
    }

    /// Returns the place where it stood.
    fn drop_placeholder(&mut self, task: &str) -> usize {
        let place = self.content_blocks.iter().position(|raw| {
            let block = Block::read(raw);
            block.is_placeholder && block.task_id.as_deref() == Some(task)
        });
        self.content_blocks.remove(place.unwrap());
        place.unwrap()
    }

    /// A block takes the place of the one with its id.
    fn put(&mut self, block: Box<RawValue>, vacated: Option<usize>) {
        match vacated {
            Some(place) => self.content_blocks.insert(place, block),
            None => {
                let id = Block::read(&block).content_id;
                let known = |raw: &&mut Box<RawValue>| Block::read(raw).content_id == id;
                *self.content_blocks.iter_mut().find(known).unwrap() = block;
            }
        }
    }
}
