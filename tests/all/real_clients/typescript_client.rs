use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Program, prepared, root};

/// It builds, and then starts and restarts hubs: minutes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// What is not copied, or stays where it was copied to: what was installed, and what is made.
const NOT_SOURCES: &[&str] = &["node_modules", "installed", "dist"];

/// Its lints, types, build and tests run where its packages were installed, so that nothing is
/// written into the tree.
#[test]
fn passes_its_own_suite() {
    let folder = prepared("target/clients/typescript");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if NOT_SOURCES.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        // A test that was removed must not run on.
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }
    copy(&root().join("clients/typescript"), &folder);
    let output = Program::run(
        Command::new("npm")
            .args(["run", "all"])
            .current_dir(&folder)
            .env("CI", "1")
            .env("NO_COLOR", "1")
            .env("REEF_BIN", prepared("target/release/reef"))
            .env("REEF_SPIN_FILE", root().join("spin.toml"))
            .env("REEF_TREE", root()),
        PATIENCE,
    );
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
    // What runs no test succeeds as well.
    assert!(output.stdout.contains("Test Files"), "{}", output.stdout);
}

/// The types and the table of routes are made from `openapi.json`, the reference from the sources.
#[test]
fn its_types_and_its_reference_are_generated() {
    // A copy of the program beside the packages, apart from the suite, which may run meanwhile.
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("clients/typescript/scripts"), &folder.path().join("scripts"));
    let packages = prepared("target/clients/typescript/node_modules");
    std::os::unix::fs::symlink(packages, folder.path().join("node_modules")).unwrap();
    let mut generate = Command::new("node");
    generate.arg(folder.path().join("scripts/generate.mjs")).env("REEF_TREE", root());
    if std::env::var_os("REEF_WRITE_GENERATED").is_none() {
        generate.arg("--check");
    }
    let output = Program::run(&mut generate, PATIENCE);
    assert!(output.status.success(), "{}\n{}", output.stdout, output.stderr);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if NOT_SOURCES.iter().any(|it| name == *it) {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
