//! What is made from the table of variables: parts of `spin.toml` and of the configuration's reference.

use std::fmt::Write as _;
use std::fs;

use reef_store::variables::{VARIABLES, Variable};

use crate::generated::assert_is;
use crate::harness::root;

/// A file with the text from a line that begins a part, up to the next blank line, put anew.
fn with_part(text: &str, begins: &str, part: &str) -> String {
    let start = text.find(begins).unwrap_or_else(|| panic!("no {begins:?}")) + begins.len();
    let end = text[start..].find("\n\n").map_or(text.len(), |at| start + at + 1);
    [&text[..start], part, &text[end..]].concat()
}

/// A comment of lines that are not too long.
fn comment(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.len() + 1 + word.len() > 100 {
            lines.push(format!("# {word}"));
        } else {
            last.push(' ');
            last.push_str(word);
        }
    }
    lines.join("\n")
}

#[test]
fn the_manifest_is_generated_from_the_variables() {
    let mut variables = String::new();
    for Variable { name, default, is_secret, doc, .. } in VARIABLES {
        let secret = if *is_secret { ", secret = true" } else { "" };
        let mut letters = doc.chars();
        let sentence: String =
            letters.next().unwrap().to_uppercase().chain(letters).chain(['.']).collect();
        writeln!(variables, "{}", comment(&sentence.replace('`', ""))).unwrap();
        writeln!(variables, "{name} = {{ default = {default:?}{secret} }}").unwrap();
    }
    let mut manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    manifest = with_part(&manifest, "[variables]\n", &variables);
    let parsed: toml::Value = toml::from_str(&manifest).unwrap();
    for component in parsed["component"].as_table().unwrap().keys() {
        let used = VARIABLES.iter().filter(|it| it.used_by.contains(&component.as_str()));
        let part = used.map(|Variable { name, .. }| format!("{name} = \"{{{{ {name} }}}}\"\n"));
        let begins = format!("[component.{component}.variables]\n");
        manifest = with_part(&manifest, &begins, &part.collect::<String>());
    }
    assert_is("spin.toml", &manifest);
}

#[test]
fn the_reference_is_generated_from_the_variables() {
    let mut text = fs::read_to_string(root().join("docs/reference/configuration.md")).unwrap();
    for (section, quotas) in [("## Variables", false), ("### Quotas", true)] {
        let mut rows = String::new();
        for variable in VARIABLES.iter().filter(|variable| variable.is_quota() == quotas) {
            let Variable { name, default, doc, .. } = variable;
            let default =
                if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
            writeln!(rows, "| `{name}` | {default} | {doc} |").unwrap();
        }
        let at = text.find(section).unwrap();
        let (before, after) = text.split_at(at);
        let begins = "| variable | default | |\n|---|---|---|\n";
        text = before.to_owned() + &with_part(after, begins, &rows);
    }
    assert_is("docs/reference/configuration.md", &text);
}
