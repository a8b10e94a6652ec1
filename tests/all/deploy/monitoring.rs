//! The dashboard, the alerts and the scrape example: every metric in them is one that a hub shows,
//! every label one that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use super::{read, yaml};
use crate::harness::{Hub, PATIENCE, eventually, root};

/// The labels of each series' name in `/metrics`.
fn shown(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut shown = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let end = line.find(['{', ' ']).unwrap();
        let labels = shown.entry(line[..end].to_owned()).or_default();
        if line[end..].starts_with('{') {
            let inside = &line[end + 1..line.rfind('}').unwrap()];
            labels.extend(
                inside.split("\",").filter_map(|it| Some(it.split_once('=')?.0.to_owned())),
            );
        }
    }
    shown
}

/// A hub that has done a little of everything, as its metrics tell.
fn metrics_of_a_used_hub() -> BTreeMap<String, BTreeSet<String>> {
    let hub = Hub::start();
    let client = hub.admin();
    client.new_node("metered");
    // The first round of the monitor and of the cron trigger.
    eventually("all metrics", PATIENCE, || {
        let text = client.get("//metrics").text();
        let last = ["reef_cron_runs_total", "reef_task_wait_seconds_bucket"];
        last.iter().all(|name| text.contains(name)).then(|| shown(&text))
    })
}

/// The metrics that an expression names, and the labels that it uses beside Prometheus' own.
fn used(expression: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c| !is_word(c));
    let metrics = words.filter(|word| word.starts_with("reef_")).map(str::to_owned).collect();
    let mut labels = BTreeSet::new();
    for part in expression.split("by (").skip(1) {
        labels.extend(part.split(')').next().unwrap().split(',').map(|it| it.trim().to_owned()));
    }
    for part in expression.split('{').skip(1) {
        let inside = part.split('}').next().unwrap();
        labels.extend(inside.split(',').filter_map(|it| {
            Some(it.split_once(['=', '!'])?.0.trim().trim_end_matches(['=', '~']).to_owned())
        }));
    }
    for own in ["job", "instance"] {
        labels.remove(own);
    }
    (metrics, labels)
}

#[track_caller]
fn assert_shown(expression: &str, shown: &BTreeMap<String, BTreeSet<String>>) {
    let (metrics, labels) = used(expression);
    assert!(!metrics.is_empty(), "{expression} looks at nothing of a hub");
    let mut known = BTreeSet::new();
    for metric in metrics {
        let has = shown.get(&metric).unwrap_or_else(|| panic!("{metric} is not in /metrics"));
        known.extend(has.iter().cloned());
    }
    let unknown: Vec<_> = labels.difference(&known).collect();
    assert!(unknown.is_empty(), "{expression}: no series has {unknown:?}");
}

#[test]
fn dashboard_and_alerts_look_at_metrics_that_a_hub_shows() {
    let shown = metrics_of_a_used_hub();
    let dashboard: Value = serde_json::from_str(&read("grafana/reef.json")).unwrap();
    let mut ids = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "an id twice: {panel}");
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{panel}");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            assert_shown(expression, &shown);
            looked_at.extend(used(expression).0);
        }
    }
    // Nothing that a hub counts is out of sight.
    for metric in shown.keys() {
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| metric.strip_suffix(suffix))
            .map_or_else(|| metric.clone(), |name| format!("{name}_bucket"));
        assert!(looked_at.contains(&name), "the dashboard does not show {metric}");
    }
    let rules = yaml("prometheus/reef.rules.yml").remove(0);
    let playbook = fs::read_to_string(root().join("docs/operating/playbook.md")).unwrap();
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        assert_shown(rule["expr"].as_str().unwrap(), &shown);
        let name = rule["alert"].as_str().unwrap();
        assert!(playbook.contains(&format!("`{name}`")), "the playbook does not know {name}");
    }
}

#[test]
fn prometheus_gets_in_as_its_example_says() {
    let config = yaml("prometheus/prometheus.yml").remove(0);
    let job = &config["scrape_configs"][0];
    let hub = Hub::start();
    let owner = hub.admin().new_agent().client;
    let wish = json!({"name": "prometheus", "scopes": ["read"]});
    let key = owner.post("/auth/keys", &wish).ok()["api_key"].as_str().unwrap().to_owned();

    let path = format!("/{}", job["metrics_path"].as_str().unwrap());
    hub.anonymous().get(&path).problem(401, "unauthenticated");
    let kind = job["authorization"]["type"].as_str().unwrap();
    let scraped = hub.anonymous().with("authorization", &format!("{kind} {key}")).get(&path);
    assert_eq!(scraped.status, 200, "{scraped}");
    assert!(super::file("prometheus").join(config["rule_files"][0].as_str().unwrap()).is_file());
}
