//! What the machine must have besides Rust: the wasm target, a Redis server, what
//! the tests use.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use reef_packages::{REDIS, System, Tool};

use crate::process::{cargo, command, on_path, output_of, root, run, say};

/// Adds Rust's standard library for a target unless it is there.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub(crate) fn ensure_target(target: &str) -> anyhow::Result<()> {
    let print = ["--print", "target-libdir", "--target", target];
    let libraries = output_of(command("rustc").args(print))?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    if !on_path("rustup") {
        bail!("this Rust has no target {target}, and there is no rustup to add it");
    }
    say(format!("adding the Rust target {target}"));
    run(command("rustup").args(["target", "add", target]))
}

/// Runs the client in the older systems' style, which only the tests do.
const PYTHON: Tool = Tool {
    what: "Python",
    programs: &["python3"],
    packages: &[("apt-get", "python3"), ("dnf", "python3"), ("apk", "python3"), ("brew", "python")],
};

/// Types the commands that the README shows, which only the tests do.
const CURL: Tool = Tool {
    what: "curl",
    programs: &["curl"],
    packages: &[("apt-get", "curl"), ("dnf", "curl"), ("apk", "curl"), ("brew", "curl")],
};

/// Makes the certificates of a Redis with TLS, which only the tests do.
const OPENSSL: Tool = Tool {
    what: "openssl",
    programs: &["openssl"],
    packages: &[
        ("apt-get", "openssl"),
        ("dnf", "openssl"),
        ("apk", "openssl"),
        ("brew", "openssl"),
    ],
};

/// Leads one address to a primary, which only a test of `deploy/` does.
const HAPROXY: Tool = Tool {
    what: "haproxy",
    programs: &["haproxy"],
    packages: &[
        ("apt-get", "haproxy"),
        ("dnf", "haproxy"),
        ("apk", "haproxy"),
        ("brew", "haproxy"),
    ],
};

/// Shows the page, which only its tests do.
const CHROMIUM: Tool = Tool {
    what: "a browser",
    programs: &["chromium", "chromium-browser", "google-chrome", "chrome"],
    packages: &[
        ("apt-get", "chromium"),
        ("dnf", "chromium"),
        ("apk", "chromium"),
        ("brew", "--cask chromium"),
    ],
};

/// Reads streams as JavaScript programs do, which only the tests do.
const NODE: Tool = Tool {
    what: "Node",
    programs: &["node"],
    packages: &[("apt-get", "nodejs"), ("dnf", "nodejs"), ("apk", "nodejs"), ("brew", "node")],
};

/// Installs that program's packages.
const NPM: Tool = Tool {
    what: "npm",
    programs: &["npm"],
    packages: &[("apt-get", "npm"), ("dnf", "nodejs-npm"), ("apk", "npm"), ("brew", "node")],
};

/// Makes environments for Python's packages.
const PYTHON_VENV: Tool = Tool {
    what: "Python's module venv",
    programs: &["python3"],
    packages: &[
        ("apt-get", "python3-venv"),
        ("dnf", "python3"),
        ("apk", "python3"),
        ("brew", "python"),
    ],
};

/// Reads the scripts for Redis, which only the lints do.
const LUACHECK: Tool = Tool {
    what: "luacheck",
    programs: &["luacheck"],
    packages: &[("apt-get", "lua-check"), ("brew", "luacheck")],
};

/// Looks into programs, which only a release needs.
const BINUTILS: Tool = Tool {
    what: "binutils",
    programs: &["readelf"],
    packages: &[("apt-get", "binutils"), ("dnf", "binutils"), ("apk", "binutils")],
};

/// Says whether Python can put pip into a new environment.
const FINDS_ENSUREPIP: &str =
    "import importlib.util as it; print(it.find_spec('ensurepip') is not None)";

/// The oldest Node on which the TypeScript client is tested.
const OLDEST_NODE: u32 = 20;
/// The package that brings one, where the system has an older one.
const NEWER_NODE: &str = "node@22.19.0";

/// Where the tests find the packages of other languages, below the workspace's root.
const CLIENTS: &str = "target/clients";

/// Finds a Redis or Valkey server on the PATH, or installs one and says so.
///
/// # Errors
/// When there is none and none can be installed; the error says what to do by hand.
pub(crate) fn ensure_redis() -> anyhow::Result<()> {
    ensure(&REDIS)
}

/// Finds what the tests use besides on the PATH, or installs it and says so.
///
/// # Errors
/// When something is missing and cannot be installed; the error says what to do by hand.
pub(crate) fn ensure_test_programs() -> anyhow::Result<()> {
    ensure(&PYTHON)?;
    ensure(&CURL)?;
    ensure(&OPENSSL)
}

/// Finds or installs HAProxy, for a test of `deploy/`.
///
/// # Errors
/// As [`ensure_test_programs`].
pub(crate) fn ensure_haproxy() -> anyhow::Result<()> {
    ensure(&HAPROXY)
}

/// Finds or installs a browser, for the tests of the page.
///
/// # Errors
/// As [`ensure_test_programs`].
pub(crate) fn ensure_browser() -> anyhow::Result<()> {
    ensure(&CHROMIUM)
}

/// Finds or installs luacheck.
///
/// # Errors
/// As [`ensure_test_programs`].
pub(crate) fn ensure_luacheck() -> anyhow::Result<()> {
    ensure(&LUACHECK)
}

/// Installs what `xtask/requirements.txt` pins into `target/lints`, and returns where its programs
/// are.
///
/// # Errors
/// As [`ensure_python_client`].
pub(crate) fn ensure_python_lints() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/lints");
    with_python(&root().join("xtask/requirements.txt"), &folder)?;
    Ok(folder.join("bin"))
}

/// Installs what packs a release into `target/packers`, and returns where its programs are.
///
/// # Errors
/// As [`ensure_python_client`].
pub(crate) fn ensure_packers() -> anyhow::Result<PathBuf> {
    ensure(&BINUTILS)?;
    let folder = root().join("target/packers");
    with_python(&root().join("xtask/packers.txt"), &folder)?;
    Ok(folder.join("bin"))
}

/// Installs what builds for other systems into `target/cross`, and returns where its programs are.
///
/// # Errors
/// As [`ensure_python_client`].
pub(crate) fn ensure_cross() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/cross");
    with_python(&root().join("xtask/cross.txt"), &folder)?;
    Ok(folder.join("bin"))
}

/// Makes a Python environment in `target/clients/python`, with what
/// `tests/clients/requirements.txt` pins.
///
/// # Errors
/// As [`ensure_test_programs`], and when the packages cannot be had.
pub(crate) fn ensure_python_client() -> anyhow::Result<()> {
    let folder = root().join(CLIENTS).join("python");
    with_python(&root().join("tests/clients/requirements.txt"), &folder)
}

/// Makes a Python environment with the packages of a list, by uv; by pip where uv cannot, as where
/// only pip knows a way to the registry.
fn with_python(pinned: &Path, folder: &Path) -> anyhow::Result<()> {
    with_packages(pinned, folder, || {
        let (list, own) = (root().join("xtask/uv.txt"), root().join("target/uv"));
        with_packages(&list, &own, || with_pip(&list, &own))?;
        let uv = || {
            let mut uv = command(own.join("bin/uv"));
            uv.arg("--quiet");
            uv
        };
        let mut install = uv();
        // Some tests may write none, lest there be any in the source tree.
        install.args(["pip", "install", "--compile-bytecode"]);
        install.arg("--python").arg(folder.join("bin/python"));
        install.arg("--requirement").arg(pinned);
        run(uv().args(["venv", "--clear", "--python", "python3"]).arg(folder))
            .and_then(|()| run(&mut install))
            .or_else(|error| {
                say(format!("{error:#}; trying pip"));
                with_pip(pinned, folder)
            })
    })
}

fn with_pip(pinned: &Path, folder: &Path) -> anyhow::Result<()> {
    ensure(&PYTHON)?;
    // Debian ships Python without the part that makes environments.
    if output_of(command("python3").args(["-c", FINDS_ENSUREPIP]))? != "True" {
        install(&PYTHON_VENV)?;
    }
    run(command("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    run(command(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(pinned))
}

/// Installs into `target/clients/node` what `tests/clients/package-lock.json` pins.
///
/// # Errors
/// As [`ensure_python_client`].
pub(crate) fn ensure_node_client() -> anyhow::Result<()> {
    with_node("tests/clients", "node", &[])
}

/// Installs into `target/clients/typescript` what `clients/typescript/package-lock.json` pins, and
/// a newer Node beside it where the system's is older than the client's oldest.
///
/// # Errors
/// As [`ensure_python_client`].
pub(crate) fn ensure_typescript_client() -> anyhow::Result<()> {
    ensure(&NODE)?;
    let version = output_of(command("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().unwrap_or_default();
    let is_old = major.parse::<u32>().is_ok_and(|major| major < OLDEST_NODE);
    with_node("clients/typescript", "typescript", if is_old { &[NEWER_NODE] } else { &[] })
}

/// Installs what speaks MCP: packages of Python and Node into folders of their own, since they do not
/// agree on each other's versions, and a program of Rust.
///
/// # Errors
/// As [`ensure_python_client`], and when that program cannot be built.
pub(crate) fn ensure_mcp_clients() -> anyhow::Result<()> {
    let (pinned, clients) = (root().join("tests/clients/mcp"), root().join(CLIENTS));
    with_python(&pinned.join("requirements.txt"), &clients.join("mcp-python"))?;
    with_python(&pinned.join("requirements-langchain.txt"), &clients.join("mcp-langchain"))?;
    with_node("tests/clients/mcp", "mcp-node", &[])?;
    say("building the client of MCP in Rust");
    run(cargo()
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(pinned.join("rmcp/Cargo.toml"))
        .arg("--target-dir")
        .arg(clients.join("rmcp")))
}

/// Installs what a folder's lockfile pins, and packages besides.
fn with_node(from: &str, to: &str, besides: &[&str]) -> anyhow::Result<()> {
    ensure(&NODE)?;
    let pinned = root().join(from).join("package-lock.json");
    let folder = root().join(CLIENTS).join(to);
    with_packages(&pinned, &folder, || {
        ensure(&NPM)?;
        fs::create_dir_all(&folder)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(pinned.with_file_name(name), folder.join(name))?;
        }
        let npm = |args: &[&str]| {
            let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
            run(command("npm").args(args).args(quiet).current_dir(&folder))
        };
        npm(&["ci", "--ignore-scripts"])?;
        besides.iter().try_for_each(|package| npm(&["install", "--no-save", package]))
    })
}

/// Installs packages unless those of this list are there.
fn with_packages(
    pinned: &Path,
    folder: &Path,
    install: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = fs::read(pinned).with_context(|| format!("cannot read {}", pinned.display()))?;
    // Written last, so that an installation that was interrupted does not count.
    let installed = folder.join("installed");
    if fs::read(&installed).is_ok_and(|list| list == wanted) {
        return Ok(());
    }
    say(format!("installing the packages of {} into {}", pinned.display(), folder.display()));
    install().with_context(|| format!("cannot install what {} names", pinned.display()))?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}

fn ensure(tool: &Tool) -> anyhow::Result<()> {
    if is_here(tool) {
        return Ok(());
    }
    install(tool)?;
    if !is_here(tool) {
        bail!(
            "its package is installed, but there is still no {} on the PATH",
            tool.programs.join(" or ")
        );
    }
    Ok(())
}

/// Installs a tool's package.
fn install(tool: &Tool) -> anyhow::Result<()> {
    let system = System::here(is_root()?);
    let names = tool.programs.join(" or ");
    let plan = tool.plan(&system).filter(|plan| plan.is_possible);
    let Some(plan) = plan else {
        bail!("{} is missing ({names}): {}", tool.what, tool.advice(&system));
    };
    say(format!("{} is missing ({names}); installing it", tool.what));
    for words in plan.steps {
        say(words.join(" "));
        let (program, args) = words.split_first().context("a plan has commands")?;
        run(command(program).args(args).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}

fn is_here(tool: &Tool) -> bool {
    tool.programs.iter().any(|program| on_path(program))
}

fn is_root() -> anyhow::Result<bool> {
    Ok(output_of(command("id").arg("-u"))? == "0")
}
