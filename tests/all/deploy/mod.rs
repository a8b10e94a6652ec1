//! What `deploy/` holds is what runs: its command lines are run, its settings are taken by the
//! programs that they are for, and every metric that is looked at is one that a hub shows.
//!
//! There is no Docker engine and no Kubernetes here. What only those could judge is held against
//! the names of fields that they know.

mod artefacts;
mod compose;
mod haproxy;
mod kubernetes;
mod monitoring;
mod redis_acl;
mod systemd;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::root;

/// A file of `deploy/`.
fn file(name: &str) -> PathBuf {
    root().join("deploy").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The documents of a YAML file.
fn yaml(name: &str) -> Vec<Value> {
    let text = read(name);
    let documents = serde_norway::Deserializer::from_str(&text);
    let value = |document| {
        serde::Deserialize::deserialize(document).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    documents.map(value).collect()
}

/// Checks that an object has no field but these.
#[track_caller]
fn assert_knows(object: &Value, what: &str, fields: &[&str]) {
    let object = object.as_object().unwrap_or_else(|| panic!("{what} is no object: {object}"));
    for name in object.keys() {
        assert!(fields.contains(&name.as_str()), "{what} has no field {name:?}");
    }
}

/// The strings of an array.
#[track_caller]
fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}
