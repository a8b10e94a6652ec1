//! What the machine must have besides Rust: the wasm target, a Redis server, what
//! the tests use.

use std::path::Path;

use anyhow::bail;

use crate::process::{command, on_path, output_of, run, say};

/// Adds Rust's standard library for the components unless it is there.
///
/// # Errors
/// When it is missing and rustup cannot add it.
pub(crate) fn ensure_wasm_target() -> anyhow::Result<()> {
    let libraries = output_of(command("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        "wasm32-wasip2",
    ]))?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    if !on_path("rustup") {
        bail!("this Rust has no wasm32-wasip2 target, and there is no rustup to add it");
    }
    say("adding the Rust target wasm32-wasip2");
    run(command("rustup").args(["target", "add", "wasm32-wasip2"]))
}

/// A program that the machine must have.
struct Tool {
    /// What it is, for the person who reads.
    what: &'static str,
    /// Names it may have on the PATH; one is enough.
    programs: &'static [&'static str],
    /// Its package, by package manager.
    packages: &'static [(&'static str, &'static str)],
}

/// The hub's own server when no other is given.
const REDIS: Tool = Tool {
    what: "Redis server",
    programs: &["redis-server", "valkey-server"],
    packages: &[("apt-get", "redis-server"), ("dnf", "redis"), ("apk", "redis"), ("brew", "redis")],
};

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
    ensure(&CURL)
}

fn ensure(tool: &Tool) -> anyhow::Result<()> {
    if is_here(tool) {
        return Ok(());
    }
    let names = tool.programs.join(" or ");
    let Some((manager, package)) = tool.packages.iter().find(|(manager, _)| on_path(manager))
    else {
        bail!("there is no {names} on the PATH: please install a {}", tool.what);
    };
    // Homebrew installs for its user and refuses root; the others write to the system.
    let sudo = *manager != "brew" && !is_root()?;
    if sudo && !on_path("sudo") {
        bail!("there is no {names} on the PATH, and `{manager}` needs root to install {package}");
    }
    let steps: &[&[&str]] = match *manager {
        "apt-get" => &[&["update", "-q"], &["install", "-y", "-q", "--no-install-recommends"]],
        "dnf" => &[&["install", "-y"]],
        "apk" => &[&["add"]],
        _ => &[&["install"]],
    };
    say(format!("no {} found ({names}); installing the package {package}", tool.what));
    for step in steps {
        let mut words = if sudo { vec!["sudo", manager] } else { vec![*manager] };
        words.extend(*step);
        if step.first() != Some(&"update") {
            words.push(package);
        }
        say(words.join(" "));
        let (program, args) = words.split_first().unwrap_or((manager, &[]));
        run(command(program).args(args).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    if !is_here(tool) {
        bail!("`{manager}` ran, but there is still no {names} on the PATH");
    }
    Ok(())
}

fn is_here(tool: &Tool) -> bool {
    tool.programs.iter().any(|program| on_path(program))
}

fn is_root() -> anyhow::Result<bool> {
    Ok(output_of(command("id").arg("-u"))? == "0")
}
