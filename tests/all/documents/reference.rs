//! `docs/reference`: made from the program, or held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use reef_api::{Code, Word};
use reef_store::event::CATALOGUE;
use serde_json::{Value, json};

use crate::generated::assert_is;
use crate::harness::{Hub, PATIENCE, eventually, reef, root};

/// What `reef WORDS --help` prints.
fn help(words: &[&str]) -> String {
    let output = reef().args(words).arg("--help").env("COLUMNS", "100").output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Lists the commands below one, each with what its group's help says of it.
fn list(words: &[&str], into: &mut String) {
    let help = help(words);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in lines.take_while(|line| line.starts_with("  ")) {
        let (name, about) = line.trim().split_once("  ").unwrap_or_else(|| panic!("{line}"));
        let words = [words, &[name]].concat();
        writeln!(into, "| `reef {}` | {} |", words.join(" "), as_markdown(about.trim())).unwrap();
        list(&words, into);
    }
}

#[test]
fn the_index_of_commands_is_generated_from_the_help() {
    let mut text = String::from(
        "# Command line\n\nEvery command of `reef`. `reef COMMAND --help` says the rest: examples, \
         arguments, exit codes, and what is taken from the environment; `reef man --out DIR` writes \
         the same as pages for `man`. This file is made from the program, and a test says when it is \
         stale.\n\n| command | what it does |\n|---|---|\n",
    );
    list(&[], &mut text);
    assert!(text.matches("\n| `reef ").count() > 80, "{text}");
    assert_is("docs/reference/cli.md", &text);
}

/// A metric as `/metrics` shows it.
#[derive(Debug, Default)]
struct Metric {
    kind: String,
    meaning: String,
    labels: BTreeSet<String>,
}

fn metrics(text: &str) -> BTreeMap<String, Metric> {
    let mut found = BTreeMap::<String, Metric>::new();
    for line in text.lines() {
        if let Some((name, meaning)) =
            line.strip_prefix("# HELP ").and_then(|it| it.split_once(' '))
        {
            found.entry(name.to_owned()).or_default().meaning = meaning.to_owned();
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|it| it.split_once(' '))
        {
            found.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((name, labels)) = line.split_once('{') {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
            let base = base.filter(|base| found.contains_key(*base)).unwrap_or(name);
            let labels = labels.split("\",").filter_map(|it| it.split_once('=')).map(|it| it.0);
            let labels = labels.filter(|label| *label != "le").map(str::to_owned);
            found.entry(base.to_owned()).or_default().labels.extend(labels);
        }
    }
    found
}

#[test]
fn the_metrics_reference_is_generated_from_a_running_hub() {
    let hub = Hub::start();
    let client = hub.admin();
    client.new_node("metered");
    client.put("/limits/metered", &json!({"concurrency": 1})).ok();
    let late = ["reef_cron_runs_total", "reef_limit_running_tasks{"];
    let shown = eventually("all metrics", PATIENCE, || {
        let text = client.get("//metrics").text();
        late.iter().all(|name| text.contains(name)).then(|| metrics(&text))
    });
    let mut text = String::from(
        "# Metrics\n\n`GET /metrics` of each host, in the text format of Prometheus; where keys are \
         asked for, with a key that has the scope `read`. Counters count since the host was started. \
         The gauges of tasks and of the monitor are those of the host that monitors; another one \
         shows 0, or what it last saw. `deploy/prometheus` has a scrape example and alerts, \
         `deploy/grafana` a dashboard. This table is made from a running hub, and a test says when \
         it is stale.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n",
    );
    let source = fs::read_to_string(root().join("host/src/metrics.rs")).unwrap();
    let declared = source.split('"').filter(|word| word.len() > 5 && word.starts_with("reef_"));
    let missing: Vec<_> = declared.filter(|name| !shown.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not shown by a hub that has just started: {missing:?}");
    for (name, Metric { kind, meaning, labels }) in &shown {
        assert!(!kind.is_empty() && !meaning.is_empty(), "{name}");
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(text, "| `{name}` | {kind} | {} | {meaning} |", labels.join(" ")).unwrap();
    }
    assert_is("docs/reference/metrics.md", &text);
}

#[test]
fn the_reference_of_errors_is_generated_from_the_codes() {
    let mut text = String::from(
        "# Errors\n\nEvery error is `application/problem+json` (RFC 9457). `code` stays the same; \
         each has a page at `/problems/<code>` of a host, with an example. This table is made from \
         the program, and a test says when it is stale.\n\n| status | code | what it means | what to \
         do |\n|---|---|---|---|\n",
    );
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| code.status());
    for code in codes {
        let (status, name, title) = (code.status(), code.as_str(), code.title());
        writeln!(text, "| {status} | `{name}` | {title} | {} |", code.advice()).unwrap();
    }
    assert_is("docs/reference/errors.md", &text);
}

/// What a key must allow for an operation, as one word; empty where it asks for none.
fn scope(operation: &Value) -> String {
    let [bearer, ..] = operation["security"].as_array().map_or(&[][..], Vec::as_slice) else {
        return String::new();
    };
    let scopes = bearer.as_object().into_iter().flat_map(|it| it.values());
    let scopes = scopes.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    scopes.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_reference_of_routes_is_generated_from_the_description() {
    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
    let document = fs::read_to_string(root().join("openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut by_tag = BTreeMap::<&str, String>::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            let Some(operation) = operations.get(method) else { continue };
            let tag = operation["tags"][0].as_str().unwrap();
            let mut route = format!("`{} {path}`", method.to_uppercase());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] == "query" {
                    write!(route, " `{}`", parameter["name"].as_str().unwrap()).unwrap();
                }
            }
            let summary = operation["summary"].as_str().unwrap();
            let line = format!("| {route} | {} | {summary} |\n", scope(operation));
            by_tag.entry(tag).or_default().push_str(&line);
        }
    }
    let mut text = String::from(
        "# Routes\n\nJSON in and out. Behind a route stand its query parameters, then the scope that \
         the caller's key must have. [openapi.json](../../openapi.json) has every field, bound and \
         problem; a hub shows it at `/docs`. [HTTP](http.md) has the rules for all of them, the \
         [contract](contract.md) what each does. This table is made from `openapi.json`, and a test \
         says when it is stale.\n",
    );
    for tag in document["tags"].as_array().unwrap() {
        let name = tag["name"].as_str().unwrap();
        let lines = by_tag.remove(name).unwrap_or_default();
        write!(text, "\n## {name}\n\n| route | scope | what it does |\n|---|---|---|\n{lines}")
            .unwrap();
    }
    assert!(by_tag.is_empty(), "tags that the description does not list: {:?}", by_tag.keys());
    assert_is("docs/reference/routes.md", &text);
}

/// The line of `redis-keys.md` behind which it is generated; what stands before is written by hand.
const KEYS_BEGIN: &str = "<!-- From here on the file is made from crates/store/keys.toml; a test \
                          says when it is stale. -->\n";

/// A text in which `<id>` is to be read, and not taken for a tag; what is code already stays.
fn as_markdown(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        0 => part.replace('<', "\\<"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

#[test]
fn the_reference_of_redis_keys_is_generated_from_their_table() {
    const FILE: &str = "docs/reference/redis-keys.md";
    let table = fs::read_to_string(root().join("crates/store/keys.toml")).unwrap();
    let table: toml::Value = toml::from_str(&table).unwrap();
    let document = fs::read_to_string(root().join(FILE)).unwrap();
    let end = document.find(KEYS_BEGIN).expect("the line behind which it is generated");
    let mut text = document[..end + KEYS_BEGIN.len()].to_owned();
    let mut listed = 0;
    for partition in table["partition"].as_array().unwrap() {
        let word = |value: &toml::Value, name: &str| value[name].as_str().unwrap().to_owned();
        let (name, title) = (word(partition, "name"), word(partition, "title"));
        let which = match partition.get("parameter").and_then(toml::Value::as_str) {
            Some(parameter) => format!("`{name}`, one for each `{{{parameter}}}`"),
            None => format!("`{name}`"),
        };
        write!(text, "\n### {title}\n\nPartition {which}.\n\n").unwrap();
        text.push_str("| key | type | TTL | meaning |\n|---|---|---|---|\n");
        let keys = table["key"].as_array().unwrap().iter();
        for key in keys.filter(|key| word(key, "partition") == name) {
            let [pattern, kind, ttl, doc] =
                ["pattern", "type", "ttl", "doc"].map(|it| word(key, it));
            let (ttl, doc) = (as_markdown(&ttl), as_markdown(&doc));
            writeln!(text, "| `{pattern}` | {kind} | {ttl} | {doc} |").unwrap();
            listed += 1;
        }
    }
    // None is of a partition that the table does not have.
    assert_eq!(listed, table["key"].as_array().unwrap().len());
    assert_is(FILE, &text);
}

#[test]
fn the_configuration_reference_knows_every_flag_and_every_variable() {
    let text = fs::read_to_string(root().join("docs/reference/configuration.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let row = |name: &str| {
        let found =
            rows.iter().find(|row| row[0].trim_matches('`').split([' ', '`']).next() == Some(name));
        found.unwrap_or_else(|| panic!("the reference lacks {name}"))
    };
    for command in ["up", "serve", "monitor"] {
        let help = help(&[command]);
        let mut flag = "";
        for line in help.lines().map(str::trim) {
            if line.starts_with("--") {
                flag = line.split(' ').next().unwrap();
                row(flag);
            } else if let Some(name) = line.strip_prefix("[env: ") {
                let name = name.trim_end_matches([']', '=']);
                assert!(row(flag)[1].contains(name), "{flag}: {name}");
            } else if let Some(default) = line.strip_prefix("[default: ") {
                let default = default.trim_end_matches(']');
                assert!(row(flag)[2].contains(default), "{flag}: {default}");
            }
        }
    }
}

#[test]
fn the_events_are_described_as_they_are_declared() {
    let mut text = String::from(
        "# Events\n\nWhat `GET /api/v1/cluster/events`, the stream `/api/v1/events/stream`, `reef events` \
         and alerts tell. Each event has `event_id` (its place in the log), `event_type`, `timestamp` \
         and a `payload` with the fields below. A newer hub may have more events and more fields. \
         This file is made from `crates/store/events.toml`, and a test says when it is stale.\n",
    );
    for entry in CATALOGUE {
        write!(text, "\n## {}\n\n{}", entry.name, entry.doc).unwrap();
        if let Some(alert) = entry.alert {
            write!(text, " It is the alert `{alert}`.").unwrap();
        }
        text.push_str("\n\n| field | type | meaning |\n|---|---|---|\n");
        for field in entry.fields {
            let or = match (field.or_null, field.or_none) {
                (true, _) => " or null",
                (_, true) => ", may be left out",
                _ => "",
            };
            writeln!(text, "| `{}` | {}{or} | {} |", field.name, field.json, field.doc).unwrap();
        }
    }
    assert_is("docs/reference/events.md", &text);
}
