//! `spin.toml` and the runtime configuration: whatever is in them, the host says what is wrong.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the host uses all of it")]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

#[path = "../../host/src/manifest/mod.rs"]
mod manifest;

fuzz_target!(|text: &str| {
    if let Ok(read) = manifest::Manifest::parse(text, Path::new("/app")) {
        let routes = read.http.into_iter().filter_map(|trigger| Some((trigger.route?, ())));
        if let Ok(routes) = manifest::routes::Routes::build(routes) {
            for route in routes.iter() {
                assert!(route.pattern.is_empty() || route.pattern.starts_with('/'));
            }
        }
    }
});
