//! Building: the components to wasm, the host natively, and the fixtures of the tests.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, anyhow};

use crate::machine::ensure_target;
use crate::process::{cargo, command, output_of, root, run, say};

/// What the components are compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// Where cargo leaves the `.wasm` files, below the workspace's root; spin.toml says the same.
const WASM: &str = "target/wasm32-wasip2/component";

/// What the host carries of each component; its build script looks for it there.
const CARRIED: &str = "target/components";

/// Where the tests look for their own components.
const FIXTURES: &str = "target/fixtures";

/// The host.
pub(crate) fn hub_binary() -> PathBuf {
    root().join("target/release/reef")
}

/// The components, and the host with them inside: all that `reef up` needs.
///
/// # Errors
/// When a build fails.
pub(crate) fn everything() -> anyhow::Result<()> {
    if !hub_binary().exists() {
        say("the first build compiles wasmtime, which takes some minutes");
    }
    // Both end with long work for one core, and cargo keeps what they make in two folders.
    std::thread::scope(|scope| {
        let packer = scope.spawn(|| packer(&[]));
        components()?;
        packer.join().map_err(|_| anyhow!("a thread has ended before its work"))?
    })?;
    let target = host_target()?;
    pack(&root().join(CARRIED), &target)?;
    say("building the host");
    run(cargo().args(["build", "--release", "--workspace", "--bin", "reef"]))
}

/// Compiles the components, which are built, for another system, and returns the folder in which
/// the host's build script finds them by `REEF_COMPONENTS`.
///
/// # Errors
/// When a build fails.
pub(crate) fn pack_for(target: &str) -> anyhow::Result<PathBuf> {
    let is_foreign = target.split('-').next() != Some(std::env::consts::ARCH);
    // One that compiles for its own kind of processor alone is built sooner.
    packer(if is_foreign { &["--features", "reef-runtime/all-arch"] } else { &[] })?;
    let folder = root().join(format!("{CARRIED}-{target}"));
    pack(&folder, target)?;
    Ok(folder)
}

/// Builds what compiles components. It, the host and the tests are chosen from the whole workspace,
/// so that cargo gives their dependencies the same features, and compiles wasmtime once.
fn packer(features: &[&str]) -> anyhow::Result<()> {
    let what = ["build", "--release", "--workspace", "--example", "pack_components"];
    run(cargo().args(what).args(features))
}

/// Compiles the components to what the host carries, unless that is newer than they and the program
/// that does it.
fn pack(folder: &Path, target: &str) -> anyhow::Result<()> {
    let packer = root().join("target/release/examples/pack_components");
    let mut sources = vec![packer.clone()];
    let mut kept = Vec::new();
    for name in component_names()? {
        let name = name.replace('-', "_");
        sources.push(root().join(WASM).join(format!("{name}.wasm")));
        kept.extend([format!("{name}.wasm.zst"), format!("{name}.{target}.zst")]);
    }
    remove_others(folder, &kept)?;
    let stamp = folder.with_extension("stamp");
    let changed = |file: &Path| file.metadata().and_then(|about| about.modified()).ok();
    let newest = sources.iter().map(|file| changed(file)).max().flatten();
    if kept.iter().all(|name| folder.join(name).exists()) && changed(&stamp) > newest {
        return Ok(());
    }
    say(format!("compiling the components for {target}"));
    run(command(packer).arg(folder).arg(target).args(sources.get(1..).unwrap_or_default()))?;
    fs::write(&stamp, "").with_context(|| format!("cannot write {stamp:?}"))
}

/// Removes what a component has left that is no more.
fn remove_others(folder: &Path, kept: &[String]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {folder:?}"))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !kept.iter().any(|name| entry.file_name() == name.as_str()) {
            fs::remove_file(entry.path())
                .with_context(|| format!("cannot remove {:?}", entry.path()))?;
        }
    }
    Ok(())
}

/// What rustc calls this system.
///
/// # Errors
/// When there is no rustc, or it does not say.
pub(crate) fn host_target() -> anyhow::Result<String> {
    let about = output_of(command("rustc").arg("-vV"))?;
    let line = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("`rustc -vV` names no host")?.to_owned())
}

/// The benchmark.
pub(crate) fn benchmark_binary() -> PathBuf {
    root().join("target/release/reef-bench")
}

/// The benchmark, chosen from the whole workspace, so that cargo gives its dependencies the same
/// features as the host's and compiles none of them again.
///
/// # Errors
/// When the build fails.
pub(crate) fn benchmark() -> anyhow::Result<()> {
    say("building the benchmark");
    run(cargo().args(["build", "--release", "--workspace", "--bin", "reef-bench"]))
}

/// Writes `openapi.json` anew; chosen from the whole workspace for the same reason.
///
/// # Errors
/// When the build fails, or a route is not described.
pub(crate) fn openapi() -> anyhow::Result<()> {
    say("building the generator of openapi.json");
    run(cargo().args(["build", "--release", "--workspace", "--bin", "reef-openapi"]))?;
    say("writing openapi.json");
    run(&mut command(root().join("target/release/reef-openapi")))
}

/// Every component below `components/`: a directory there is a package of the same name.
///
/// # Errors
/// When a build fails.
pub(crate) fn components() -> anyhow::Result<()> {
    ensure_target(WASM_TARGET)?;
    let names = component_names()?;
    let first =
        if root().join(WASM).is_dir() { "" } else { " (the first time takes a minute or two)" };
    say(format!("building the components to wasm: {}{first}", names.join(", ")));
    for name in &names {
        wasm(name, &[])?;
    }
    Ok(())
}

/// The names of the components, in alphabetical order.
///
/// # Errors
/// When `components/` cannot be read.
pub(crate) fn component_names() -> anyhow::Result<Vec<String>> {
    let folder = root().join("components");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {folder:?}"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The misbehaving component in its two flavours: called by wasi:http, and directly.
///
/// # Errors
/// When a build fails.
pub(crate) fn fixtures() -> anyhow::Result<()> {
    say("building the test's misbehaving component");
    let target = root().join(FIXTURES);
    fs::create_dir_all(&target).with_context(|| format!("cannot create {target:?}"))?;
    for (features, name) in
        [(&[][..], "misbehave.wasm"), (&["--features", "direct"][..], "misbehave-direct.wasm")]
    {
        wasm("misbehave", features)?;
        let built = root().join(WASM).join("misbehave.wasm");
        fs::copy(&built, target.join(name)).with_context(|| format!("cannot copy {built:?}"))?;
    }
    Ok(())
}

/// Builds one package as a wasm component.
///
/// The packages are plain libraries, so that tests and benchmarks link them natively; the crate
/// type is given here because a library of both types cannot be optimised as a whole.
fn wasm(package: &str, features: &[&str]) -> anyhow::Result<()> {
    run(cargo()
        .args(["rustc", "--target", WASM_TARGET, "--profile", "component"])
        .args(["--crate-type", "cdylib", "-p", package])
        .args(features)
        // Added to those of `.cargo/config.toml`.
        .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", remapped()?.join(" ")))
}

/// Flags by which rustc calls the folders of this machine, whose names stand in panic messages, by
/// names that every machine has: the same sources then give the same bytes.
///
/// # Errors
/// When cargo's own folder cannot be read.
pub(crate) fn remapped() -> anyhow::Result<Vec<String>> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().context("this user has no home")?.join(".cargo"),
    };
    let mut flags = vec![format!("--remap-path-prefix={}=/reef", root().display())];
    // A registry's folder is called by its address; with vendored crates there is none.
    let folders = fs::read_dir(home.join("registry/src")).into_iter().flatten();
    let paths = folders.map(|folder| Ok(folder?.path())).collect::<io::Result<Vec<_>>>()?;
    let mapped = paths.iter().map(|path| format!("--remap-path-prefix={}=/crates", path.display()));
    flags.extend(mapped);
    Ok(flags)
}
