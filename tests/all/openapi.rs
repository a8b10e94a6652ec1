//! `openapi.json` and a running hub: the same document, and no route that is not there.

use std::fs;

use serde_json::Value;

use crate::harness::{Hub, root};

/// A path that the template stands for.
fn example_of(path: &str) -> String {
    let example = |segment: &str| match segment {
        "{code}" => "not_found".to_owned(),
        "{asset}" => "app.js".to_owned(),
        segment if segment.starts_with('{') => "example".to_owned(),
        segment => segment.to_owned(),
    };
    path.split('/').map(example).collect::<Vec<_>>().join("/")
}

#[test]
fn a_hub_serves_the_document_and_every_route_in_it() {
    let hub = Hub::start();
    let client = hub.admin();
    let served = client.get("//openapi.json").ok();
    let checked_in = fs::read_to_string(root().join("openapi.json")).unwrap();
    assert!(served == serde_json::from_str::<Value>(&checked_in).unwrap());
    for (path, methods) in served["paths"].as_object().unwrap() {
        // Nobody serves this method, so that whoever knows the path says which it has.
        let answer = client.send("PROPFIND", &format!("/{}", example_of(path)), None);
        answer.problem(405, "method_not_allowed");
        let allow = answer.header("allow").unwrap_or_default().to_owned();
        let mut allowed: Vec<&str> = allow.split(", ").filter(|one| *one != "HEAD").collect();
        let mut described: Vec<String> =
            methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        allowed.sort_unstable();
        described.sort_unstable();
        assert_eq!(allowed, described, "{path}");
    }
}

#[test]
fn the_pages_of_the_document_load_nothing_from_elsewhere() {
    let hub = Hub::start();
    let client = hub.anonymous();
    for path in ["//docs", "//redoc"] {
        let page = client.get(path);
        assert_eq!(page.status, 200, "{page}");
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
        let text = page.text();
        let assets = text.split('"').filter(|word| word.starts_with("/ui/"));
        for asset in assets.map(str::to_owned).collect::<Vec<_>>() {
            let loaded = client.get(&format!("/{asset}"));
            assert_eq!(loaded.status, 200, "{asset}");
            let is_zipped = loaded.body.starts_with(&[0x1f, 0x8b]);
            assert_eq!(loaded.header("content-encoding") == Some("gzip"), is_zipped, "{asset}");
        }
    }
}
