//! Free JSON: values that callers bring and the hub keeps as they are. What is taken here, every
//! reader of JSON can read.

use std::fmt;

use memchr::memchr2;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::limits::JSON_DEPTH_MAX;

/// A JSON value that keeps the rules: its texts and names are Unicode, a double holds each of its
/// numbers, and it is at most [`JSON_DEPTH_MAX`] levels deep. Whatever keeps free JSON takes this
/// type, and there is no way to it but through the check. It is kept to the letter, apart from blanks
/// between its parts, so that `1e2` stays `1e2`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

/// Why a JSON value is not taken. [`fmt::Display`] is one sentence without a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A text or a name holds half of a surrogate pair.
    NotUnicode,
    /// A number is beyond what a double holds.
    HugeNumber,
    /// Too many arrays and objects in each other.
    TooDeep,
    /// A name that JSON libraries use for purposes of their own.
    ReservedName,
    /// It is no JSON at all.
    NotJson,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUnicode => "holds a text that is not Unicode: half of a surrogate pair",
            Self::HugeNumber => "holds a number that no double can hold",
            Self::TooDeep => "is nested too deeply: at most 64 arrays and objects in each other",
            Self::ReservedName => {
                "holds a name that begins with $serde_json::private, which is reserved"
            }
            Self::NotJson => "is not JSON",
        })
    }
}

/// Checks a JSON text against the rules of [`Json`].
///
/// # Errors
/// The first rule that it breaks.
pub fn check(text: &str) -> Result<(), Fault> {
    if depth(text) > JSON_DEPTH_MAX {
        return Err(Fault::TooDeep);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    Checked.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| {
        // The parser has no other way of saying what it found.
        let words = error.to_string();
        match () {
            () if words.starts_with(RESERVED) => Fault::ReservedName,
            () if words.starts_with("number out of range") => Fault::HugeNumber,
            () if words.contains("surrogate") || words.contains("hex escape") => Fault::NotUnicode,
            () => Fault::NotJson,
        }
    })
}

/// How deeply the arrays and objects of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'"' => rest = rest.get(text_bytes(rest)..).unwrap_or_default(),
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// How many bytes there are behind the quote that begins a JSON text, up to and with the one that ends
/// it; all, where none does. Texts are most of what is long, so that they are not read byte by byte.
fn text_bytes(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        from += at + 1;
        if text.get(from - 1) == Some(&b'"') {
            return from;
        }
        // What is escaped ends nothing.
        from += 1;
    }
    text.len()
}

/// Reads a value and keeps nothing of it.
struct Checked;

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        while parts.next_element_seed(Checked)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key_seed(CheckedName)?.is_some() {
            members.next_value_seed(Checked)?;
        }
        Ok(())
    }
}

/// An object with such a name is taken for something else by whoever reads it as a value: for the
/// JSON within its text, which nobody has checked.
const RESERVED: &str = "$serde_json::private";

/// Reads a name and keeps nothing of it.
struct CheckedName;

impl<'de> DeserializeSeed<'de> for CheckedName {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for CheckedName {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        if name.starts_with(RESERVED) { Err(E::custom(RESERVED)) } else { Ok(()) }
    }
}

/// A JSON text without the blanks between its parts: events are one line each.
fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let stop =
            rest.bytes().position(|byte| matches!(byte, b'"' | b' ' | b'\t' | b'\n' | b'\r'));
        let (part, behind) = rest.split_at(stop.unwrap_or(rest.len()));
        compact.push_str(part);
        let tail = behind.get(1..).unwrap_or_default();
        rest = tail;
        if behind.starts_with('"') {
            let (quoted, behind) = behind.split_at(1 + text_bytes(tail.as_bytes()));
            compact.push_str(quoted);
            rest = behind;
        }
    }
    compact
}

impl Json {
    /// Takes a JSON text.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn read(text: &str) -> Result<Self, Fault> {
        check(text)?;
        RawValue::from_string(compact(text)).map(Self).map_err(|_| Fault::NotJson)
    }

    /// A value of the hub's own.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn of(value: &impl Serialize) -> Result<Self, Fault> {
        let raw = to_raw_value(value).map_err(|_| Fault::NotJson)?;
        check(raw.get())?;
        Ok(Self(raw))
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self(RawValue::NULL.to_owned()).or_empty_object()
    }

    /// Itself, or `{}` in place of `null`.
    #[must_use]
    pub fn or_empty_object(self) -> Self {
        if !self.is_null() {
            return self;
        }
        // Two braces are JSON.
        RawValue::from_string("{}".to_owned()).map_or(self, Self)
    }

    /// The text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// How long the text is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.get().len()
    }

    /// Whether it is `null`, which callers send for nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.get().starts_with('{')
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The parser looks into no value that is taken raw, so that what is wrong with it is found
        // here, where the field is known.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(raw.get()).map_err(D::Error::custom)
    }
}

/// An object of free JSON as its members: for what is looked into.
#[derive(Debug, Clone, Default)]
pub struct Members(serde_json::Map<String, serde_json::Value>);

impl Members {
    /// The members.
    #[must_use]
    pub fn into_map(self) -> serde_json::Map<String, serde_json::Value> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members, A::Error> {
                let mut map = serde_json::Map::new();
                // Member by member, so that a fault is that of its member.
                while let Some(name) = members.next_key::<String>()? {
                    let raw = members.next_value::<Checkable>()?.0;
                    map.insert(name, raw);
                }
                Ok(Members(map))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A value that is checked and then read.
struct Checkable(serde_json::Value);

impl<'de> Deserialize<'de> for Checkable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        check(raw.get()).map_err(D::Error::custom)?;
        serde_json::from_str(raw.get()).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::Schema::from(true)
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Members {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Members".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <serde_json::Map<String, serde_json::Value> as schemars::JsonSchema>::json_schema(generator)
    }
}

/// A text that has at most so many bytes: the beginning of a longer one, up to the end of a character.
#[must_use]
pub fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn what_everybody_can_read_is_kept_to_the_letter() {
        for text in [
            "null",
            "-0",
            "1e2",
            "18446744073709551616",
            "1e308",
            "1e-400",
            r#""\ud83d\ude00""#,
            r#""\u0000""#,
            r#"{"a":1,"a":2}"#,
            r#"{"\u0000":"[{\"]"}"#,
            &nested(64),
        ] {
            assert_eq!(Json::read(text).unwrap().get(), text);
        }
        let long = format!("0.{}", "1".repeat(1 << 20));
        assert_eq!(Json::read(&long).unwrap().get(), long);
        assert_eq!(Json::read(" { \"a b\" :\n[ 1 ,\t2 ] } ").unwrap().get(), r#"{"a b":[1,2]}"#);
    }

    proptest::proptest! {
        #[test]
        fn blanks_between_parts_alone_are_left_out(texts in proptest::collection::vec(proptest::prelude::any::<String>(), 0..9)) {
            let value = serde_json::json!({"[": texts, "}": [{"\\\"": texts}, " "], "": {}});
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(compact(&pretty), value.to_string());
            assert_eq!(depth(&pretty), 4);
        }
    }

    #[test]
    fn a_text_that_does_not_end_is_read_to_its_end() {
        for text in [r#"""#, r#""a"#, r#""\"#, r#"["\"é"#, "\"[{\\é"] {
            assert_eq!(compact(text), text);
            assert!(depth(text) <= 1, "{text}");
        }
    }

    #[test]
    fn what_somebody_could_not_read_is_named() {
        let digits = "9".repeat(1 << 20);
        for (text, fault) in [
            (r#""\ud800""#, Fault::NotUnicode),
            (r#"["\ud800\u0041"]"#, Fault::NotUnicode),
            (r#""\udc00""#, Fault::NotUnicode),
            (r#"{"\ud800":1}"#, Fault::NotUnicode),
            ("1e400", Fault::HugeNumber),
            ("[-1e400]", Fault::HugeNumber),
            (&digits, Fault::HugeNumber),
            (&nested(65), Fault::TooDeep),
            (&nested(400_000), Fault::TooDeep),
            (&format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65)), Fault::TooDeep),
            ("NaN", Fault::NotJson),
            ("01", Fault::NotJson),
            ("{} {}", Fault::NotJson),
            ("", Fault::NotJson),
        ] {
            let head: String = text.chars().take(20).collect();
            assert_eq!(Json::read(text).map(|_| ()), Err(fault), "{head}");
        }
    }

    #[test]
    fn a_fault_is_the_fields() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[allow(dead_code, reason = "only read")]
            free: Option<Json>,
        }
        for text in [r#"{"free":{"a":"\ud800"}}"#, r#"{"free":1e400}"#] {
            assert!(serde_json::from_str::<Body>(text).unwrap_err().is_data(), "{text}");
            assert!(serde_json::from_str::<Members>(text).unwrap_err().is_data(), "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!([cut("aé", 2), cut("aé", 3), cut("aé", 9), cut("é", 1)], ["a", "aé", "aé", ""]);
    }
}
