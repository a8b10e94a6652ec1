//! The rules that the source tree itself keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Hub, root};

/// Who may know whom. A package that is missing here may know nobody of the workspace.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("reef-api", &[]),
    ("reef-bridge", &["reef-api"]),
    ("reef-client", &["reef-api"]),
    ("reef-packages", &[]),
    ("reef-settings", &[]),
    ("reef-worker", &["reef-api", "reef-client", "reef-domain"]),
    ("reef-domain", &["reef-api"]),
    ("reef-store", &["reef-api", "reef-domain"]),
    ("reef-web", &["reef-api", "reef-domain", "reef-store"]),
    ("register", &["reef-api", "reef-domain", "reef-store", "reef-web"]),
    ("heartbeat", &["reef-api", "reef-domain", "reef-store", "reef-web"]),
    ("heartbeat-check", &["reef-domain", "reef-store"]),
    ("messages", &["reef-api", "reef-domain", "reef-store", "reef-web"]),
    ("sessions", &["reef-api", "reef-domain", "reef-store", "reef-web"]),
    ("ledger", &["reef-api", "reef-domain", "reef-store", "reef-web"]),
    ("reef-redis", &["reef-store"]),
    ("reef-maintenance", &["reef-store"]),
    ("reef-runtime", &["reef-redis", "reef-store"]),
    (
        "reef-commands",
        &["reef-api", "reef-bridge", "reef-client", "reef-domain", "reef-settings", "reef-worker"],
    ),
    (
        "reef",
        &[
            "reef-api",
            "reef-bridge",
            "reef-client",
            "reef-commands",
            "reef-domain",
            "reef-maintenance",
            "reef-packages",
            "reef-redis",
            "reef-runtime",
            "reef-settings",
            "reef-store",
            "reef-web",
        ],
    ),
];

/// Measure and check from outside, so they may know all.
const OUTSIDE: &[&str] = &["reef-bench", "reef-openapi", "reef-tests", "xtask", "misbehave"];

/// The names of the workspace's packages on which each of them depends, tests apart.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let names: BTreeSet<_> = packages.iter().map(name).collect();
    let direct = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let dependencies = dependencies.filter(|dependency| dependency["kind"] != "dev").map(name);
        dependencies.filter(|name| names.contains(name)).collect()
    };
    packages.iter().map(|package| (name(package), direct(package))).collect()
}

#[test]
fn packages_depend_in_one_direction() {
    for (package, actual) in dependencies() {
        if OUTSIDE.contains(&package.as_str()) {
            continue;
        }
        let allowed = MAY_DEPEND_ON.iter().find(|(name, _)| *name == package);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{package} has no place here"));
        let wrong = actual.iter().find(|name| !allowed.contains(&name.as_str()));
        assert_eq!(wrong, None, "{package} must not know it");
    }
}

/// The project's own files with one of these extensions.
fn sources(extensions: &[&str]) -> Vec<PathBuf> {
    fn collect(folder: &Path, extensions: &[&str], into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_symlink() || name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                collect(&path, extensions, into);
            } else if path.extension().is_some_and(|it| extensions.iter().any(|ext| it == *ext)) {
                into.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&root(), extensions, &mut found);
    found
}

#[test]
fn files_stay_short_enough_to_be_read() {
    for path in sources(&["rs", "lua", "py", "wit"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 520, "{} has {lines} lines", path.display());
    }
}

#[test]
fn names_say_what_is_inside() {
    for path in sources(&["rs", "lua"]) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let vague = ["utils", "util", "common", "helpers", "helper", "manager", "misc"];
        assert!(!vague.contains(&stem), "{}", path.display());
    }
}

#[test]
fn no_script_walks_the_whole_keyspace() {
    let scripts = sources(&["lua"]);
    assert!(!scripts.is_empty());
    for path in scripts {
        let text = fs::read_to_string(&path).unwrap();
        for call in ["call(", "pcall("] {
            for (_, after) in text.match_indices(call).map(|(at, _)| text.split_at(at + call.len()))
            {
                let name = after.trim_start().trim_start_matches(['\'', '"']);
                let name: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
                let forbidden = ["KEYS", "SCAN", "RANDOMKEY", "FLUSHDB", "FLUSHALL", "SMEMBERS"];
                let name = name.to_ascii_uppercase();
                // The audit looks for keys that no index leads to: one bounded step in each call.
                if name == "SCAN" && path.ends_with("entry/audit.lua") {
                    continue;
                }
                // `KEYS[1]` as a first argument would be no command at all.
                assert!(!forbidden.contains(&name.as_str()), "{}: {name}", path.display());
            }
        }
    }
}

/// A path that the route matches.
fn example_of(route: &str) -> String {
    let example = |segment: &str| match segment {
        "..." => "anything".to_owned(),
        segment if segment.starts_with(':') => "example".to_owned(),
        segment => segment.to_owned(),
    };
    route.split('/').map(example).collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_of_the_manifest_is_answered_by_its_component() {
    let text = fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest: toml::Value = toml::from_str(&text).unwrap();
    let hub = Hub::start();
    let client = hub.admin();
    for trigger in manifest["trigger"]["http"].as_array().unwrap() {
        let route = trigger["route"].as_str().unwrap();
        let path = example_of(route);
        // Nobody serves this method, so a component that knows the route answers 405.
        let answer = client.send("PROPFIND", &format!("/{path}"), None);
        if route.contains("...") {
            assert!(matches!(answer.status, 404 | 405), "{route}: {answer}");
            assert!(answer.json()["code"].is_string(), "{route}: {answer}");
        } else {
            answer.problem(405, "method_not_allowed");
            assert!(answer.header("allow").is_some_and(|allow| !allow.is_empty()), "{answer}");
        }
    }
}

#[test]
fn every_component_is_built_and_named_in_the_manifest() {
    let manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    for entry in fs::read_dir(root().join("components")).unwrap() {
        let name = entry.unwrap().file_name().to_str().unwrap().to_owned();
        assert!(manifest.contains(&format!("[component.{name}]")), "{name}");
        let file = format!("target/wasm32-wasip2/component/{}.wasm", name.replace('-', "_"));
        assert!(manifest.contains(&file), "{file}");
        assert!(root().join(&file).is_file(), "{file}: run `cargo xtask wasm`");
    }
}
