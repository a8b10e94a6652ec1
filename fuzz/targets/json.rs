//! The gate of free JSON: what it takes, every reader of JSON reads as the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reef_domain::json::{Fault, Json, check, cut};
use serde_json::Value;

fuzz_target!(|text: &str| {
    match Json::read(text) {
        Ok(json) => {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(value, serde_json::from_str::<Value>(json.get()).unwrap());
            assert!(json.bytes() <= text.len());
            assert_eq!(Json::read(json.get()).unwrap().get(), json.get());
            assert_eq!(json.is_null(), value.is_null());
            assert_eq!(json.is_object(), value.is_object());
            // What is made of it again is taken again.
            Json::of(&value).unwrap();
        }
        Err(Fault::NotJson) => assert!(serde_json::from_str::<Value>(text).is_err()),
        Err(fault) => assert_eq!(check(text), Err(fault)),
    }
    let half = text.len() / 2;
    assert!(cut(text, half).len() <= half && text.starts_with(cut(text, half)));
});
