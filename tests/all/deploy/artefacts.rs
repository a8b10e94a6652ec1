//! What a release consists of, made of the program that these tests have: each artefact is installed
//! where nothing else is, and the program runs from there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::{Client, PATIENCE, Program, RedisServer, prepared, reef, registration, root};

/// A demo, and also what packs and unpacks.
const LONG: Duration = Duration::from_secs(240);

/// Where `cargo xtask test` has laid them.
const FOLDER: &str = "target/artefacts";

/// The artefact whose name ends so.
fn artefact(end: &str) -> PathBuf {
    let entries = fs::read_dir(prepared(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.to_str().unwrap().ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Runs a tool, which must end well, and returns what it says.
fn ran(command: &mut Command) -> String {
    let output = Program::run(command, LONG);
    assert!(output.status.success(), "{command:?}\n{}\n{}", output.stdout, output.stderr);
    output.stdout
}

fn unpack(archive: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    ran(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(into));
}

/// A program that was installed, without the settings that the developer's shell may hold for it.
fn installed(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in reef().get_envs() {
        command.env_remove(name);
    }
    command.current_dir(folder);
    command
}

/// Runs the whole demo with it, in an empty folder.
fn demo(program: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let shown = ran(installed(program, folder.path()).args(["demo", "--fast"]));
    assert!(shown.contains("[5/5]") && shown.contains("87.5"), "{shown}");
}

#[test]
fn the_archive_is_a_tree_for_usr_local() {
    let folder = tempfile::tempdir().unwrap();
    unpack(&artefact(".tar.gz"), folder.path());
    let tree = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    for file in [
        "share/man/man1/reef-ledger-transfer.1",
        "share/bash-completion/completions/reef",
        "share/zsh/site-functions/_reef",
        "share/fish/vendor_completions.d/reef.fish",
        "share/doc/reef/LICENSE",
    ] {
        assert!(fs::metadata(tree.join(file)).unwrap().len() > 0, "{file}");
    }
    let unit = fs::read_to_string(tree.join("lib/systemd/system/reef.service")).unwrap();
    assert_eq!(unit, super::read("systemd/reef.service"));
    let notices = fs::read_to_string(tree.join("share/doc/reef/THIRD-PARTY.txt")).unwrap();
    // Of the host, and of the components.
    for name in ["\nwasmtime ", "\nspin-sdk ", "Permission is hereby granted"] {
        assert!(notices.contains(name), "{name}");
    }
    demo(&tree.join("bin/reef"));
}

#[test]
fn the_debian_package_installs() {
    // Elsewhere nobody installs it.
    if Command::new("dpkg").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let system = folder.path();
    for part in ["info", "updates", "triggers"] {
        fs::create_dir_all(system.join("var/lib/dpkg").join(part)).unwrap();
    }
    fs::write(system.join("var/lib/dpkg/status"), "").unwrap();
    let dpkg = || {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("--root").arg(system).args(["--force-not-root", "--log=/dev/null"]);
        dpkg
    };
    // An empty system has no libc.
    ran(dpkg().args(["--force-depends", "--install"]).arg(artefact(".deb")));
    let status = ran(dpkg().args(["--status", "reef"]));
    assert!(status.contains("install ok installed"), "{status}");
    assert!(status.contains("Depends: libc6 (>= 2."), "{status}");
    assert!(system.join("usr/lib/systemd/system/reef.service").is_file());
    assert!(system.join("usr/share/zsh/vendor-completions/_reef").is_file());
    assert!(system.join("usr/share/doc/reef/copyright").is_file());
    demo(&system.join("usr/bin/reef"));
    ran(dpkg().args(["--purge", "reef"]));
    assert!(!system.join("usr/bin/reef").exists());
}

#[test]
fn the_wheel_brings_both_names_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    ran(Command::new("python3").args(["-m", "venv"]).arg(place));
    let pip = ["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"];
    ran(Command::new(place.join("bin/python")).args(pip).arg(artefact(".whl")));
    let version = format!("reef {}", env!("CARGO_PKG_VERSION"));
    for name in ["reef", "reef-hub"] {
        let said = ran(installed(&place.join("bin").join(name), place).arg("--version"));
        assert_eq!(said.trim(), version);
    }
    // As `uvx reef-hub demo --fast` runs it.
    demo(&place.join("bin/reef-hub"));
}

/// A blob of the layout, which must be what its name says.
fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let file = layout.join("blobs/sha256").join(digest);
    let bytes = fs::read(&file).unwrap();
    assert_eq!(bytes.len() as u64, descriptor["size"].as_u64().unwrap());
    assert_eq!(digest, sum(&bytes));
    file
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_image_holds_all_that_a_hub_needs_but_a_redis() {
    let folder = tempfile::tempdir().unwrap();
    let (layout, system) = (folder.path().join("layout"), folder.path().join("system"));
    unpack(&artefact(".oci.tar"), &layout);
    assert_eq!(json(&layout.join("oci-layout"))["imageLayoutVersion"], "1.0.0");
    let index = json(&layout.join("index.json"));
    let manifest = json(&blob(&layout, &index["manifests"][0]));
    let image = json(&blob(&layout, &manifest["config"]));
    let layer = blob(&layout, &manifest["layers"][0]);
    let unpacked = Command::new("gzip").arg("-cd").arg(&layer).output().unwrap().stdout;
    assert_eq!(image["rootfs"]["diff_ids"][0], format!("sha256:{}", sum(&unpacked)));
    unpack(&layer, &system);

    let config = &image["config"];
    let words = |name: &str| super::strings(&config[name]).into_iter().map(str::to_owned);
    let state = config["WorkingDir"].as_str().unwrap().trim_start_matches('/');
    assert!(system.join(state).is_dir());
    let user = config["User"].as_str().unwrap();
    assert!(!user.starts_with('0'), "{user}");
    assert!(system.join("etc/ssl/certs/ca-certificates.crt").is_file());

    // Only root can become the image's user; others own all that they have unpacked.
    let is_root = ran(Command::new("id").arg("-u")).trim() == "0";
    let inside = || {
        let mut inside = Command::new(if is_root { "chroot" } else { "unshare" });
        if is_root {
            inside.arg(format!("--userspec={user}"));
        } else {
            inside.args(["--map-root-user", "chroot"]);
        }
        inside
    };
    // Not every system lets others make one folder the root.
    if !inside().args(["/", "true"]).status().unwrap().success() {
        return;
    }
    let server = RedisServer::start();
    let mut hub = inside();
    hub.arg(&system).args(words("Entrypoint"));
    hub.args(words("Cmd").map(|word| word.replace("0.0.0.0:8888", "127.0.0.1:0")));
    hub.env_clear().env("REEF_REDIS_URL", server.url());
    let path = std::env::var("PATH").unwrap();
    let hub = Program::start(hub.env("PATH", path));
    let url = hub.line(PATIENCE, |line| Some(line.strip_prefix("Serving ")?.trim().to_owned()));
    let key = fs::read_to_string(system.join(state).join("admin.key")).unwrap();
    let client = Client::new(&url).with_key(key.trim());
    client.post("/nodes/register", &registration("in-an-image")).ok();
    assert_eq!(client.get("/nodes").list().len(), 1);
}

#[test]
fn the_bill_of_materials_names_what_cargo_has_locked() {
    let bill = json(&artefact(".cdx.json"));
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    let locked: toml::Table =
        fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let locked: Vec<String> = locked["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{}@{}", it["name"].as_str().unwrap(), it["version"].as_str().unwrap()))
        .collect();
    let components = bill["components"].as_array().unwrap();
    let mut named = Vec::new();
    for component in components {
        let purl = component["purl"].as_str().unwrap().strip_prefix("pkg:cargo/").unwrap();
        assert!(locked.iter().any(|it| it == purl), "{purl}");
        let licence = component["licenses"][0]["expression"].as_str().unwrap();
        assert!(!licence.is_empty() && !licence.contains('/'), "{purl}: {licence}");
        named.push(purl.split('@').next().unwrap());
    }
    // Of the host, and of the components; but no tests, macros and build scripts.
    for (name, is_linked) in
        [("wasmtime", true), ("spin-sdk", true), ("proptest", false), ("syn", false), ("cc", false)]
    {
        assert_eq!(named.contains(&name), is_linked, "{name}");
    }
}

#[test]
fn the_same_commit_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("again");
    let mut dist = Command::new("cargo");
    dist.args(["xtask", "dist", "--binary", "target/release/reef", "--out"]).arg(&again);
    ran(dist.current_dir(root()));
    let sums = |folder: &Path| fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let first = sums(&prepared(FOLDER));
    assert_eq!(first, sums(&again), "or `cargo xtask test` has not run since the last commit");
    assert_eq!(first.lines().count(), 5);
    ran(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(again));
}
