//! Values that somebody sends who means harm, or does not know what is sent.

/// A value, and what is odd about it.
#[derive(Clone, Debug)]
pub struct Odd {
    pub what: &'static str,
    /// As JSON, perhaps wrong.
    pub json: String,
    /// As bytes, where it is no JSON.
    pub bytes: Vec<u8>,
}

/// What is odd about a text in blanks.
pub const BLANKS: &str = "blanks at its ends";

/// Longer than any body may be.
const LONG: usize = 1 << 20;

/// Texts for a field that wants one.
pub fn texts() -> Vec<Odd> {
    let plain = [
        ("NUL", "a\0b".to_owned()),
        ("an escape sequence", "a\u{1b}[2Jb".to_owned()),
        ("a new line", "a\r\nb: c".to_owned()),
        ("a control character of Latin-1", "a\u{9b}2Jb".to_owned()),
        ("turned around", "a\u{202e}b".to_owned()),
        ("isolated", "a\u{2066}b".to_owned()),
        ("a line separator", "a\u{2028}b".to_owned()),
        (BLANKS, "  a  ".to_owned()),
        ("a megabyte", "a".repeat(LONG)),
        ("empty", String::new()),
    ];
    let mut all: Vec<Odd> = plain
        .into_iter()
        .map(|(what, text)| Odd {
            what,
            json: serde_json::to_string(&text).unwrap(),
            bytes: text.into_bytes(),
        })
        .collect();
    all.push(Odd {
        what: "half a surrogate pair",
        json: r#""a\ud800b""#.to_owned(),
        bytes: b"a\xed\xa0\x80b".to_vec(),
    });
    all
}

/// Values for a field that takes any JSON, as members of an object, so that fields that want one
/// do not refuse them for that.
pub fn jsons() -> Vec<Odd> {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let values = [
        ("65 levels", nested(64)),
        ("100 000 levels", nested(99_999)),
        ("too large a number", "1e400".to_owned()),
        ("minus nothing", "-0".to_owned()),
        ("more than 64 bits", "184467440737095516160".to_owned()),
        ("more digits than a double", "9".repeat(400)),
        ("half a surrogate pair", r#""\ud800""#.to_owned()),
        ("control characters", r#""\u0000\u001b[2J\r\n\u009b\u202e\u2066\u2028""#.to_owned()),
        ("a megabyte", format!("\"{}\"", "a".repeat(LONG))),
    ];
    let members = values.into_iter().map(|(what, value)| (what, format!(r#"{{"a":{value}}}"#)));
    let keys = [
        ("half a surrogate pair as a key", r#"{"\ud800":1}"#.to_owned()),
        ("control characters as a key", r#"{"\u0000\u001b[2J\r\n\u009b\u202e":1}"#.to_owned()),
        ("a key twice", r#"{"a":1,"a":2}"#.to_owned()),
        ("an empty key", r#"{"":{}}"#.to_owned()),
    ];
    let all = members.chain(keys);
    all.map(|(what, json)| Odd { what, json, bytes: Vec::new() }).collect()
}
