use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::*;

/// Addresses in files of others that nothing follows: notes of where they come from, and names of
/// XML, which are no addresses.
const FOREIGN: &[(&str, &[&str])] = &[("vendor/uplot.js", &["https://github.com/leeoniya/uPlot"])];

/// What others have written; see `ui/vendor/README.md`.
const VENDORED: &[(&str, &str)] = &[
    ("vendor/preact.js", include_str!("ui/vendor/preact.js")),
    ("vendor/hooks.js", include_str!("ui/vendor/hooks.js")),
    ("vendor/htm.js", include_str!("ui/vendor/htm.js")),
    ("vendor/uplot.js", include_str!("ui/vendor/uplot.js")),
    ("vendor/uplot.css", include_str!("ui/vendor/uplot.css")),
];

/// The most that the whole page takes on its way, zipped.
const SENT_BYTES_MAX: usize = 150 * 1024;

fn own() -> impl Iterator<Item = &'static Asset> {
    SCRIPTS.iter().chain(SHEETS.iter())
}

fn text(asset: &Asset) -> &'static str {
    match asset.content {
        Content::Text(text) => text,
        Content::Gzip(_) => "",
    }
}

/// What a text names of the page: whole paths, and imports.
fn named(name: &str, text: &str) -> BTreeSet<String> {
    let words = || text.split('"');
    let paths = words().filter(|word| word.starts_with(FOLDER) && word.contains('.'));
    let imports = words().filter(|word| {
        (word.starts_with("./") || word.starts_with("../"))
            && (word.ends_with(".js") || word.ends_with(".css"))
    });
    let imports = imports.map(|word| format!("{FOLDER}{}", resolved(name, word)));
    paths.map(str::to_owned).chain(imports).collect()
}

#[test]
fn whatever_the_page_names_is_there_and_from_here() {
    let mut used: BTreeSet<String> = named("index.html", PAGE);
    for asset in own() {
        for path in named(asset.name, text(asset)) {
            assert!(super::asset(&path).is_some(), "{} names {path}", asset.name);
            used.insert(path);
        }
    }
    for path in named("index.html", PAGE) {
        assert!(super::asset(&path).is_some(), "{path}");
    }
    for Asset { name, .. } in own() {
        // Languages are loaded by their codes.
        let is_used = used.contains(&format!("{FOLDER}{name}")) || name.starts_with("words/");
        assert!(is_used, "{name} is served for nobody");
    }
    assert_eq!(super::asset("/ui/../app.js"), None);
    assert_eq!(super::asset("/ui/lib/../app.js"), None);
    assert_eq!(super::asset("/ui/session"), None);
}

#[test]
fn the_page_asks_at_once_for_all_that_it_begins_with() {
    let page = page();
    for name in ["vendor/preact.js", "lib/store.js", "lib/words.js", "event-types.js"] {
        let link = format!("<link rel=\"modulepreload\" href=\"/ui/{name}\">");
        assert_eq!(page.matches(&link).count(), 1, "{page}");
    }
    assert!(!page.contains("/ui/views/") && !page.contains("{preloads}"), "{page}");
}

#[test]
fn the_page_names_no_other_host() {
    for (name, text) in own().map(|asset| (asset.name, text(asset))).chain([("index.html", PAGE)]) {
        let mut text = text.to_owned();
        for address in FOREIGN.iter().filter(|(file, _)| *file == name).flat_map(|(_, all)| *all) {
            assert!(text.contains(address), "{name} does not have {address}");
            text = text.replace(address, "");
        }
        assert!(!text.contains("https://") && !text.contains("//cdn"), "{name}");
        // Neither a script nor a style in the page itself, which its policy would refuse.
        for refused in
            ["dangerouslySetInnerHTML=", "innerHTML", "insertAdjacentHTML", "document.write"]
        {
            let is_own = !name.starts_with("vendor/");
            assert!(!is_own || !text.contains(refused), "{name} has {refused}");
        }
    }
}

#[test]
fn libraries_are_what_was_published() {
    let table = include_str!("ui/vendor/README.md");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(rows.count(), VENDORED.len());
    for (name, text) in VENDORED {
        let sum: String =
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = name.trim_start_matches("vendor/");
        let row = table.lines().find(|line| line.starts_with(&format!("| `{file}`")));
        assert!(row.is_some_and(|row| row.contains(&sum)), "{name} is {sum}");
    }
    // Their one change is undone here.
    let published = include_str!("ui/vendor/hooks.js").replace("\"./preact.js\"", "\"preact\"");
    let sum: String =
        Sha256::digest(published.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(table.contains(&sum), "{sum}");
    for text in ["LICENSE-preact", "LICENSE-htm", "LICENSE-uplot"] {
        assert!(table.contains(text), "{text}");
    }
}

#[test]
fn the_whole_page_is_small() {
    let mut sizes: Vec<_> = own().map(|asset| (asset.sent_bytes(), asset.name)).collect();
    let sum: usize = sizes.iter().map(|(size, _)| size).sum();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    eprintln!("the page: {sum} bytes of at most {SENT_BYTES_MAX}, zipped");
    for (size, name) in sizes.iter().take(8) {
        eprintln!("{size:>8} {name}");
    }
    assert!(sum <= SENT_BYTES_MAX, "{sum}");
}

#[test]
fn files_of_the_page_stay_short() {
    for asset in own().filter(|asset| !asset.name.starts_with("vendor/")) {
        let lines = text(asset).lines().count();
        assert!(lines <= 520, "{} has {lines} lines", asset.name);
    }
}
