//! Tables for people.

use std::fmt::Display;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use reef_domain::shown::in_line;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::time;

/// How many characters of a text a cell shows.
const CELL_CHARS: usize = 60;

/// Rows under a header, in columns as wide as they need to be.
#[must_use]
pub fn columns<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.map(str::to_uppercase));
    for row in rows {
        table.add_row(row.map(|cell| in_line(&cell).into_owned()));
    }
    render(&mut table)
}

/// One thing: names and values below each other. What is empty is left out.
#[must_use]
pub fn facts<const N: usize>(facts: [(&str, String); N]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([name.to_owned(), in_line(&value).into_owned()]);
    }
    render(&mut table)
}

fn render(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Something of others, to be shown in a line.
pub(crate) fn shown(what: impl Display) -> String {
    in_line(&what.to_string()).into_owned()
}

/// Whatever there is, for a cell: empty if there is nothing.
pub(crate) fn or_empty(what: Option<impl Display>) -> String {
    what.map(|what| what.to_string()).unwrap_or_default()
}

/// The member `name` of an object, to be shown in a line: empty if it is not there, JSON if it is
/// no text.
pub(crate) fn text(object: &Value, name: &str) -> String {
    in_line(&raw(object, name)).into_owned()
}

/// The same as it is: for texts that are shown for themselves.
pub(crate) fn raw(object: &Value, name: &str) -> String {
    object.get(name).map(said).unwrap_or_default()
}

/// What free JSON says: a text is as it is, and `null` is nothing.
pub(crate) fn said(json: &Value) -> String {
    match json {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The same of JSON that is kept as it came.
pub(crate) fn plain(json: &RawValue) -> String {
    let is_other = !json.get().starts_with(['"', 'n']);
    if is_other { json.get().to_owned() } else { said(&json.get().parse().unwrap_or_default()) }
}

/// The member of an object as [`text`] has it, for a time.
pub(crate) fn time(object: &Value, name: &str) -> String {
    time::short(&text(object, name))
}

/// A text on one line.
pub(crate) fn one_line(text: &str) -> String {
    in_line(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// A text on one line, cut to what fits a cell.
pub(crate) fn shortened(text: &str) -> String {
    let mut words = one_line(text);
    if let Some((at, _)) = words.char_indices().nth(CELL_CHARS) {
        words.truncate(at);
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_have_no_tail() {
        let rows = [["a".to_owned(), "x".to_owned()], ["longer".to_owned(), String::new()]];
        assert_eq!(columns(["id", "what"], rows), "ID      WHAT\na       x\nlonger");
        assert_eq!(facts([("id", "a".to_owned()), ("none", String::new())]), "id  a");
    }

    #[test]
    fn what_others_have_written_stays_in_its_cell() {
        let hostile = json!({"name": "a\u{1b}[2J\nb\u{202e}", "skills": ["x\r", "y"]});
        let shown = r"a\u001b[2J\nb\u202e";
        assert_eq!(text(&hostile, "name"), shown);
        assert_eq!(shortened(&raw(&hostile, "name")), r"a\u001b[2J b\u202e");
        let name = || raw(&hostile, "name");
        assert_eq!(columns(["n"], [[name()]]), format!("N\n{shown}"));
        assert_eq!(facts([("n", name())]), format!("n  {shown}"));
    }

    #[test]
    fn a_cell_is_one_line_of_bounded_length() {
        let object = json!({"text": format!("a\n b\t{}", "é".repeat(100)), "n": 5, "none": null});
        let brief = shortened(&raw(&object, "text"));
        assert!(brief.starts_with("a b éé") && brief.chars().count() == CELL_CHARS + 1);
        assert_eq!([text(&object, "n"), text(&object, "none"), text(&object, "x")], ["5", "", ""]);
    }
}
