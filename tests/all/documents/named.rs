//! What documents link to, and what code and documents name, is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::shown;
use crate::harness::root;

/// Folders that hold what others made.
const NOT_OURS: &[&str] = &[".git", ".reef", ".spin", "node_modules", "target"];

/// All files of the tree that people write and read as text, with what is in them.
fn texts() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_symlink() || NOT_OURS.contains(&name) {
                continue;
            }
            if path.is_dir() {
                collect(&path, into);
            } else if !path.extension().is_some_and(|it| it == "json" || it == "lock") {
                // What is no UTF-8 is no text.
                into.extend(fs::read_to_string(&path).ok().map(|text| (path, text)));
            }
        }
    }
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.sort();
    found
}

fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "md")
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut checked = 0;
    for (document, text) in texts().iter().filter(|(path, _)| is_document(path)) {
        for target in shown::links(text) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            if file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            let path = if file.is_empty() {
                document.clone()
            } else {
                document.parent().unwrap().join(file)
            };
            assert!(path.exists(), "{}: {target}", document.display());
            if !anchor.is_empty() {
                let there = fs::read_to_string(&path).unwrap();
                let has = shown::anchors(&there).any(|it| it == anchor);
                assert!(has, "{}: {target}", document.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

/// The documents that a line names, as paths or by their bare names; not those of other sites.
fn named(line: &str) -> impl Iterator<Item = &str> {
    const END: &str = ".md";
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    line.match_indices(END).filter_map(move |(at, _)| {
        let end = at + END.len();
        if line[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        let begin = line[..at]
            .rfind(|c| !is_of_path(c))
            .map_or(0, |it| it + line[it..].chars().next().map_or(0, char::len_utf8));
        let has_name = begin < at && !line[begin..at].ends_with('/');
        (has_name && !line[begin..].starts_with("//")).then(|| &line[begin..end])
    })
}

#[test]
fn every_document_that_is_named_exists() {
    let texts = texts();
    let documents = texts.iter().map(|(path, _)| path).filter(|path| is_document(path));
    let names: BTreeSet<_> =
        documents.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let mut checked = 0;
    for (path, text) in &texts {
        for (at, line) in text.lines().enumerate() {
            for name in named(line) {
                let is_there = names.contains(name)
                    || root().join(name).is_file()
                    || path.parent().unwrap().join(name).is_file();
                assert!(is_there, "{}:{}: there is no {name}", path.display(), at + 1);
                checked += 1;
            }
        }
    }
    assert!(checked > 200, "{checked}");
}

/// The numbers behind the section signs of a line.
fn sections(line: &str) -> Vec<&str> {
    let behind = line.split('§').skip(1);
    let numbers = behind.map(|it| {
        let end = it.find(|c: char| !c.is_ascii_digit()).unwrap_or(it.len());
        &it[..end]
    });
    numbers.filter(|number| !number.is_empty()).collect()
}

#[test]
fn every_section_of_the_contract_that_is_named_exists() {
    let contract = fs::read_to_string(root().join("docs/reference/contract.md")).unwrap();
    let headings = contract.lines().filter_map(|line| line.strip_prefix("## "));
    let there: BTreeSet<_> =
        headings.filter_map(|heading| Some(heading.split_once(". ")?.0)).collect();
    let mut checked = 0;
    for (path, text) in texts() {
        for (at, line) in text.lines().enumerate() {
            let place = format!("{}:{}: {line}", path.display(), at + 1);
            let of_contract = line.contains("contract.md");
            for number in sections(line) {
                // A section of nothing in particular leads nobody anywhere.
                assert!(of_contract || line.contains("RFC") || is_document(&path), "{place}");
                assert!(!of_contract || there.contains(number), "{place}");
                checked += usize::from(of_contract);
            }
        }
    }
    assert!(checked > 100, "{checked}");
}
