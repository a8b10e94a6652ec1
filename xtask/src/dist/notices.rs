//! What is linked into `reef` and into the components that it carries: each crate with its licence,
//! and the texts that licences ask to be kept. cargo-about and cargo-cyclonedx know more, but would
//! have to be compiled first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use crate::build;
use crate::process::{cargo, output_of};

/// How the names of files begin that hold a licence or a notice.
const TEXTS: [&str; 5] = ["copying", "copyright", "licence", "license", "notice"];

/// A crate from elsewhere.
struct Crate {
    name: String,
    version: String,
    licence: String,
    folder: PathBuf,
}

/// Those that are linked, sorted by name and version.
fn crates(target: &str) -> anyhow::Result<Vec<Crate>> {
    let mut linked = linked("reef", target)?;
    for component in build::component_names()? {
        linked.extend(self::linked(&component, "wasm32-wasip2")?);
    }
    let about = output_of(cargo().args(["metadata", "--format-version=1", "--locked"]))?;
    let about: Value = serde_json::from_str(&about).context("cargo metadata gives no JSON")?;
    let packages = about.get("packages").and_then(Value::as_array);
    let mut crates = Vec::new();
    for package in packages.context("cargo metadata names no packages")? {
        let field = |name: &str| package.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, version) = (field("name").to_owned(), field("version").to_owned());
        if field("source").is_empty() || !linked.contains(&format!("{name} v{version}")) {
            continue;
        }
        let folder = Path::new(field("manifest_path")).parent().context("a crate has a folder")?;
        // The older way to write it.
        let licence = field("license").replace('/', " OR ").replace("  ", " ");
        crates.push(Crate { name, version, licence, folder: folder.to_path_buf() });
    }
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(crates)
}

/// Names and versions of all crates that a package links, for a system.
fn linked(package: &str, target: &str) -> anyhow::Result<BTreeSet<String>> {
    let tree =
        output_of(
            cargo()
                .args(["tree", "--locked", "--edges=normal,no-proc-macro", "--prefix=none"])
                .args(["--no-dedupe", "--format={p}", "--package", package, "--target", target]),
        )?;
    // Behind the version stands the folder of a package of ours.
    let name = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    Ok(tree.lines().map(name).collect())
}

/// Every crate with its licence, then each text once, below those that it belongs to.
pub(super) fn texts(target: &str) -> anyhow::Result<String> {
    let mut all = String::from("reef is linked with these crates:\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Crate { name, version, licence, folder } in crates(target)? {
        all.push_str(&format!("{name} {version}: {licence}\n"));
        for entry in fs::read_dir(&folder)? {
            let file = entry?.path();
            let title = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if file.is_file() && TEXTS.iter().any(|start| title.starts_with(start)) {
                let text = fs::read(&file).with_context(|| format!("cannot read {file:?}"))?;
                let text = String::from_utf8_lossy(&text).trim().replace("\r\n", "\n");
                texts.entry(text).or_default().push(format!("{name} {version}"));
            }
        }
    }
    let mut texts: Vec<_> = texts.into_iter().map(|(text, of)| (of, text)).collect();
    texts.sort();
    for (of, text) in texts {
        all.push_str(&format!("\n{}\n{}\n\n{text}\n", "-".repeat(80), of.join(", ")));
    }
    Ok(all)
}

/// A bill of materials, CycloneDX 1.6.
pub(super) fn sbom(version: &str, target: &str) -> anyhow::Result<String> {
    let crates = crates(target)?;
    let components = crates.iter().map(|Crate { name, version, licence, .. }| {
        let purl = format!("pkg:cargo/{name}@{version}");
        json!({
            "type": "library", "bom-ref": purl, "name": name, "version": version,
            "licenses": [{"expression": licence}], "purl": purl,
        })
    });
    let sbom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": "reef", "name": "reef", "version": version,
            "licenses": [{"expression": "Apache-2.0"}],
            "properties": [{"name": "target", "value": target}],
        }},
        "components": components.collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&sbom)? + "\n")
}
