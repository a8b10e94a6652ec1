//! `spin.toml` and the runtime configuration: whatever is in them, the host says what is wrong.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the host uses all of it")]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

#[path = "../../host/src/manifest/mod.rs"]
mod manifest;

fuzz_target!(|text: &str| {
    if let Ok(read) = manifest::Manifest::parse(text, Path::new("/app")) {
        for trigger in read.http {
            assert!(trigger.route.is_none_or(|route| route.starts_with('/')));
        }
    }
});
