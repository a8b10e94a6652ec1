//! What a message, a content block and a place in a message's events look like (`contract.md` §4, §7).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::id;
use crate::invalid::Invalid;
use crate::limits::BLOCK_BYTES_SHOWN;

/// A kind of content: its name, its members, and which of them holds the bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentType {
    /// Also the name of the block's object.
    pub name: &'static str,
    members: &'static [&'static str],
    bulk: &'static str,
    /// The bulk may lie elsewhere, under `url`.
    is_media: bool,
}

const fn media(name: &'static str, members: &'static [&'static str]) -> ContentType {
    ContentType { name, members, bulk: "data", is_media: true }
}

const fn plain(name: &'static str, members: &'static [&'static str]) -> ContentType {
    ContentType { name, members, bulk: name, is_media: false }
}

/// All kinds of content (`contract.md` §4).
pub const CONTENT_TYPES: [ContentType; 10] = [
    plain("text", &["text"]),
    media("image", &["url", "data", "caption", "alt", "format", "size", "width", "height"]),
    media("audio", &["url", "data", "title", "format", "size", "duration"]),
    media("video", &["url", "data", "title", "format", "size", "duration"]),
    media("file", &["url", "data", "name", "mime_type", "size"]),
    plain("code", &["code", "language"]),
    plain("markdown", &["markdown"]),
    plain("html", &["html"]),
    plain("json", &["json"]),
    plain("thinking", &["thinking"]),
];

/// Members that are numbers.
const NUMBERS: [&str; 4] = ["size", "width", "height", "duration"];

impl ContentType {
    /// Reads the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        CONTENT_TYPES.into_iter().find(|kind| kind.name == name)
    }

    /// What the object under the type's name may have.
    #[must_use]
    pub fn members(&self) -> &'static [&'static str] {
        self.members
    }

    /// The member that holds the bulk.
    #[must_use]
    pub fn bulk(&self) -> &'static str {
        self.bulk
    }

    /// Whether the bulk may lie elsewhere, under `url`.
    #[must_use]
    pub fn is_media(&self) -> bool {
        self.is_media
    }

    /// Whether a member is a number.
    #[must_use]
    pub fn is_number(member: &str) -> bool {
        NUMBERS.contains(&member)
    }

    /// The kind of content that a task's placeholder stands for (`contract.md` §4).
    #[must_use]
    pub fn of_task(task_type: &str) -> Self {
        let name = match task_type {
            "image_generation" => "image",
            "video_generation" => "video",
            _ => "text",
        };
        // Every name above is one of the table.
        Self::parse(name).unwrap_or(CONTENT_TYPES[0])
    }
}

/// A content block without its id, which may be made elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The kind.
    pub kind: ContentType,
    /// The task whose result it is.
    pub task_id: Option<String>,
    /// The object under the kind's name; none in a placeholder.
    pub object: Option<Map<String, Value>>,
}

/// A block as JSON members, without braces and content id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// As the snapshot holds it.
    pub shown: String,
    /// The whole block, if that is not it: whoever stores it adds a `ref` to what is shown.
    pub whole: Option<String>,
}

impl Block {
    /// Takes a block out of a body; members that its kind does not have are ignored. The bulk is
    /// moved and not copied, since it may be most of what a component has of memory.
    ///
    /// # Errors
    /// Every member that breaks a rule.
    pub fn read(body: &mut Map<String, Value>) -> Result<Self, Invalid> {
        let Some(name) = body.get("content_type").and_then(Value::as_str) else {
            return Err(Invalid::one("content_type", "is required"));
        };
        let Some(kind) = ContentType::parse(name) else {
            let names: Vec<&str> = CONTENT_TYPES.iter().map(|kind| kind.name).collect();
            return Err(Invalid::one(
                "content_type",
                format!("must be one of {}", names.join(", ")),
            ));
        };
        let name = kind.name;
        let Some(Value::Object(given)) = body.get_mut(kind.name) else {
            return Err(Invalid::one(kind.name, "is required and must be an object"));
        };
        let mut invalid = Invalid::new();
        let mut object = Map::new();
        for member in kind.members {
            match given.remove(*member) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    let fits = match () {
                        () if ContentType::is_number(member) => {
                            value.as_f64().is_some_and(|n| n >= 0.0)
                        }
                        () if *member == "json" => true,
                        () => value.is_string(),
                    };
                    let rule = if ContentType::is_number(member) {
                        "must be a number, not negative"
                    } else {
                        "must be a text"
                    };
                    invalid.require(fits, &format!("{name}.{member}"), rule);
                    object.insert((*member).to_owned(), value);
                }
            }
        }
        let has_bulk = object.contains_key(kind.bulk);
        if kind.is_media {
            let has_either = has_bulk || object.contains_key("url");
            invalid.require(has_either, name, "must have url or data");
        } else {
            invalid.require(has_bulk, &format!("{name}.{}", kind.bulk), "is required");
        }
        let task_id = body.get("task_id").and_then(Value::as_str).map(str::to_owned);
        if task_id.as_deref().is_some_and(|task| !id::is_valid(task)) {
            invalid.push("task_id", id::RULE);
        }
        invalid.finish(Self { kind, task_id, object: Some(object) })
    }

    /// The place where a task's result will stand.
    #[must_use]
    pub fn placeholder(kind: ContentType, task_id: &str) -> Self {
        Self { kind, task_id: Some(task_id.to_owned()), object: None }
    }

    /// The block as JSON members. One that is larger than the snapshot holds is shown without its
    /// bulk.
    #[must_use]
    pub fn render(&self) -> Rendered {
        let whole = self.members(None);
        if whole.len() <= BLOCK_BYTES_SHOWN {
            return Rendered { shown: whole, whole: None };
        }
        Rendered { shown: self.members(Some(BLOCK_BYTES_SHOWN)), whole: Some(whole) }
    }

    fn members(&self, room: Option<usize>) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = self.write_members(&mut text, room);
        text
    }

    /// With so much room, the bulk is left out, and so is whatever else does not fit.
    fn write_members(&self, text: &mut String, room: Option<usize>) -> std::fmt::Result {
        let is_placeholder = self.object.is_none();
        write!(text, r#""content_type":"{}","is_placeholder":{is_placeholder}"#, self.kind.name)?;
        if let Some(task_id) = &self.task_id {
            // An id needs no escaping.
            write!(text, r#","task_id":"{task_id}""#)?;
        }
        let Some(object) = &self.object else { return Ok(()) };
        write!(text, r#","{}":{{"#, self.kind.name)?;
        let mut separator = "";
        for member in self.kind.members {
            let Some(value) = object.get(*member) else { continue };
            if let Some(room) = room {
                let shown = format!(r#"{separator}"{member}":{value}"#);
                if *member == self.kind.bulk || text.len() + shown.len() >= room {
                    continue;
                }
                text.push_str(&shown);
            } else {
                write!(text, r#"{separator}"{member}":{value}"#)?;
            }
            separator = ",";
        }
        text.push('}');
        Ok(())
    }
}

/// A place in a message's events, as readers name it (`contract.md` §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Before the first event.
    Begin,
    /// Behind the event of a sequence number.
    Sequence(i64),
    /// Behind an entry of the stream, `<ms>-<n>`.
    Stream(String),
    /// An event's id that is none of this message's.
    Unknown,
}

impl Cursor {
    /// Reads `0`, a stream id, an event id or a bare sequence number.
    ///
    /// # Errors
    /// The rule, if it is none of these.
    pub fn parse(text: &str, message_id: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be 0, a stream id <ms>-<n>, an event_id or a sequence number";
        if matches!(text, "" | "0" | "0-0") {
            return Ok(Self::Begin);
        }
        let number = |text: &str| text.parse::<i64>().ok().filter(|_| is_digits(text));
        if let Some(sequence) = number(text) {
            return Ok(Self::Sequence(sequence));
        }
        if let Some((ms, n)) = text.split_once('-')
            && is_stream_part(ms)
            && is_stream_part(n)
        {
            return Ok(Self::Stream(text.to_owned()));
        }
        match text.strip_prefix("evt_").and_then(|tail| tail.rsplit_once('_')) {
            Some((owner, sequence)) if owner == message_id => {
                number(sequence).map(Self::Sequence).ok_or(RULE)
            }
            Some(_) if id::is_valid(text) => Ok(Self::Unknown),
            _ => Err(RULE),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_stream_part(text: &str) -> bool {
    is_digits(text) && text.parse::<u64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: Value) -> Result<Block, Invalid> {
        let Value::Object(mut body) = body else { panic!("an object") };
        Block::read(&mut body)
    }

    #[test]
    fn a_block_is_rendered_in_the_order_of_the_contract() {
        let block = read(json!({
            "content_type": "image",
            "image": {"width": 3, "url": "https://a.example/x.png", "color": "red"},
        }))
        .unwrap();
        let shown = block.render().shown;
        assert_eq!(
            shown,
            r#""content_type":"image","is_placeholder":false,"image":{"url":"https://a.example/x.png","width":3}"#
        );
    }

    #[test]
    fn a_large_block_is_shown_without_its_bulk() {
        let data = "A".repeat(BLOCK_BYTES_SHOWN);
        let image = json!({"content_type": "image", "image": {"data": data, "alt": "a"}});
        let Rendered { shown, whole } = read(image).unwrap().render();
        assert!(shown.contains(r#""image":{"alt":"a"}"#) && whole.unwrap().contains(&data));
        let url = json!({"content_type": "image", "image": {"url": data, "alt": "a"}});
        let Rendered { shown, whole } = read(url).unwrap().render();
        assert!(shown.contains(r#""image":{"alt":"a"}"#) && whole.unwrap().contains(&data));
    }

    #[test]
    fn every_kind_says_what_it_lacks() {
        for kind in CONTENT_TYPES {
            let error = read(json!({"content_type": kind.name, kind.name: {}})).unwrap_err();
            assert!(error.errors()[0].field.starts_with(kind.name), "{error}");
        }
        for (body, field) in [
            (json!({"content_type": "hologram"}), "content_type"),
            (json!({"content_type": "text", "text": "bare"}), "text"),
            (json!({"content_type": "text", "text": {"text": 7}}), "text.text"),
            (json!({"content_type": "file", "file": {"url": "u", "size": "big"}}), "file.size"),
        ] {
            assert_eq!(read(body).unwrap_err().errors()[0].field, field);
        }
    }

    #[test]
    fn cursors_come_in_four_shapes() {
        for (text, cursor) in [
            ("0", Cursor::Begin),
            ("", Cursor::Begin),
            ("17", Cursor::Sequence(17)),
            ("1795249229283-0", Cursor::Stream("1795249229283-0".into())),
            ("evt_msg_a_12", Cursor::Sequence(12)),
            ("evt_msg_b_12", Cursor::Unknown),
        ] {
            assert_eq!(Cursor::parse(text, "msg_a"), Ok(cursor), "{text}");
        }
        for bad in ["-1", "a", "1-", "1-2-3", "evt_", "+5", "1.5", "evt_msg_a_x", "evt_x y_1"] {
            assert!(Cursor::parse(bad, "msg_a").is_err(), "{bad}");
        }
    }
}
