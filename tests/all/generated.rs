//! Files that are made from the program and checked in: the tests say when one is stale.

use std::fs;

use crate::harness::root;

/// Set to any value, it lets the tests write these files instead of comparing them.
const WRITE: &str = "REEF_WRITE_GENERATED";

/// Checks that a file holds this text.
///
/// Panics with the command that writes it if it does not.
#[track_caller]
pub fn assert_is(file: &str, text: &str) {
    let path = root().join(file);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).find(|(found, wanted)| found != wanted);
    assert!(
        found == text,
        "{file} is stale ({differs:?}): `{WRITE}=1 cargo xtask test is_generated` writes it"
    );
}
