use std::path::Path;

use super::Source;
use super::{Manifest, Target};

/// A manifest with every part that is supported.
const FULL: &str = r#"
    spin_manifest_version = 2
    [application]
    name = "hub"
    version = "1.2.3"
    description = "d"
    authors = ["a"]
    [application.tool.reef]
    anything = { goes = true }

    [variables]
    redis_url = { default = "redis://127.0.0.1:6379/0" }
    admin_key = { default = "", secret = true }

    [[trigger.http]]
    id = "nodes"
    route = "/api/v1/nodes/..."
    component = "register"
    [[trigger.http]]
    route = "/ok"
    static_response = { status_code = 204, headers = { x-a = "b" }, body = "" }
    [[trigger.http]]
    id = "inner"
    route = { private = true }
    component = { source = "inner.wasm" }
    [[trigger.cron]]
    component = "register"
    cron_expression = "0/5 * * * * *"

    [component.register]
    source = "target/register.wasm"
    description = "Nodes"
    environment = { A = "1" }
    allowed_outbound_hosts = ["{{ redis_url }}", "http://example.com"]
    [component.register.variables]
    redis = "{{ redis_url }}"
    [component.register.build]
    command = "make"
    watch = ["src"]
"#;

fn parse(text: &str) -> anyhow::Result<Manifest> {
    Manifest::parse(text, Path::new("/app"))
}

/// The error for the full manifest with one text replaced by another.
fn error_with(old: &str, new: &str) -> String {
    assert!(FULL.contains(old), "{old}");
    format!("{:#}", parse(&FULL.replacen(old, new, 1)).unwrap_err())
}

#[test]
fn every_supported_part_is_read() {
    let manifest = parse(FULL).unwrap();
    assert_eq!(manifest.name, "hub");
    assert_eq!(manifest.version.as_deref(), Some("1.2.3"));
    assert!(manifest.variables["admin_key"].secret);
    let routes: Vec<_> = manifest.http.iter().map(|t| t.route.as_deref()).collect();
    assert_eq!(routes, [Some("/api/v1/nodes/..."), Some("/ok"), None]);
    assert!(matches!(&manifest.http[1].target, Target::Static(s) if s.status == 204));
    assert!(matches!(&manifest.http[2].target, Target::Component(id) if id == "inner-component"));
    let register = &manifest.components["register"];
    let path = Path::new("/app/target/register.wasm");
    assert!(matches!(&register.source, Source::File(file) if file == path));
    assert_eq!(register.allowed_outbound_hosts.len(), 2);
    assert_eq!(manifest.cron[0].component, "register");
}

#[test]
fn an_unknown_part_says_what_is_supported() {
    let error = error_with("[[trigger.cron]]", "[[trigger.redis]]");
    assert!(error.contains("redis") && error.contains("`http` or `cron`"), "{error}");
    let error = error_with("description = \"Nodes\"", "key_value_stores = [\"default\"]");
    assert!(error.contains("key_value_stores") && error.contains("environment"), "{error}");
    let error = error_with("id = \"nodes\"", "executor = { type = \"wagi\" }");
    assert!(error.contains("executor") && error.contains("static_response"), "{error}");
}

#[test]
fn a_source_that_is_no_file_is_refused() {
    let source = r#"source = "target/register.wasm""#;
    let error = error_with(source, r#"source = { url = "https://x", digest = "y" }"#);
    assert!(error.contains("path of a .wasm file"), "{error}");
}

#[test]
fn references_are_checked() {
    let error = error_with("component = \"register\"", "component = \"regster\"");
    assert!(error.contains("regster"), "{error}");
    let error = error_with("redis = \"{{ redis_url }}\"", "redis = \"{{ redis }}\"");
    assert!(error.contains("{{ redis }}") && error.contains("[variables]"), "{error}");
}

#[test]
fn values_are_checked() {
    let version = error_with("spin_manifest_version = 2", "spin_manifest_version = 1");
    assert!(version.contains("version 2"), "{version}");
    let cron = error_with("0/5 * * * * *", "*/5 * * * *");
    assert!(cron.contains("seconds first") && cron.contains("number 1"), "{cron}");
    let private = error_with("{ private = true }", "{ private = false }");
    assert!(private.contains("number 3") && private.contains("private = true"), "{private}");
    let both = error_with("default = \"\", secret", "default = \"\", required = true, secret");
    assert!(both.contains("admin_key") && both.contains("both"), "{both}");
    let name = error_with("admin_key =", "AdminKey =");
    assert!(name.contains("lower_snake_case"), "{name}");
}
