//! Keeps the text of a script from being sent more than once.
//!
//! After a restart of Redis every caller learns at the same moment that its script is gone, and
//! each of them answers with `EVAL` and the whole text, or with `FUNCTION LOAD`. One of them is let
//! through; the others wait for it and then name the script by its hash, or their function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many scripts are remembered before those that nobody is loading are forgotten. A component
/// that writes values into its script's text makes a new one with every call.
const SCRIPTS_MAX: usize = 1024;

/// How often each script's text has been sent, by the script's SHA-1.
#[derive(Default)]
pub(crate) struct Scripts {
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

/// One script: the lock is held by whoever sends the text, and counts how often it was sent.
pub(crate) type Entry = tokio::sync::Mutex<u64>;

impl Scripts {
    /// The entry of a script, made if it is new.
    pub(crate) fn entry(&self, sha: &str) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(sha) {
            return Arc::clone(entry);
        }
        if entries.len() >= SCRIPTS_MAX {
            entries.retain(|_, entry| Arc::strong_count(entry) > 1);
        }
        Arc::clone(entries.entry(sha.to_owned()).or_default())
    }
}

/// SHA-1 of a text, by which Redis knows a script.
pub(crate) fn sha1(text: &[u8]) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

/// The text of a library, for a command that loads it and replaces none.
pub(crate) fn library<'a>(command: &str, args: &'a [Vec<u8>]) -> Option<&'a [u8]> {
    match args {
        [verb, text] if command == "FUNCTION" && verb.eq_ignore_ascii_case(b"LOAD") => Some(text),
        _ => None,
    }
}

/// Whether a command runs a script or a function.
pub(crate) fn is_script(command: &str) -> bool {
    let names = ["FCALL", "EVALSHA", "EVAL", "FCALL_RO", "EVALSHA_RO", "EVAL_RO"];
    names.iter().any(|name| command.eq_ignore_ascii_case(name))
}

/// The command that runs a script by its hash, for a command that carries the text.
pub(crate) fn by_hash(command: &str) -> Option<&'static str> {
    if command.eq_ignore_ascii_case("EVAL") {
        Some("EVALSHA")
    } else if command.eq_ignore_ascii_case("EVAL_RO") {
        Some("EVALSHA_RO")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_in_use_outlive_the_bound() {
        let scripts = Scripts::default();
        let kept = scripts.entry("kept");
        for number in 0..2 * SCRIPTS_MAX {
            scripts.entry(&number.to_string());
        }
        assert!(scripts.entries.lock().unwrap().len() <= SCRIPTS_MAX);
        assert!(Arc::ptr_eq(&kept, &scripts.entry("kept")));
    }
}
