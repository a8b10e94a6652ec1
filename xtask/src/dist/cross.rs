//! `reef` for each system, built here: zig is the C compiler and linker for all of them, also for
//! this machine's own, so that a program asks for no newer glibc than it must.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::process::{cargo, command, output_of, root, run, say};
use crate::{build, machine};

/// The systems that a release is for.
pub(super) const TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
];

/// The oldest glibc that a release runs with: that of Debian 10 and RHEL 8.
const GLIBC: &str = "2.28";

/// Builds the program for a system, with the components compiled for it.
pub(super) fn build(target: &str) -> anyhow::Result<PathBuf> {
    machine::ensure_target(target)?;
    let tools = machine::ensure_cross()?;
    let components = build::pack_for(target)?;
    say(format!("building the host for {target}"));
    let suffix = if target.ends_with("-gnu") { format!(".{GLIBC}") } else { String::new() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([tools.clone()].into_iter().chain(std::env::split_paths(&path)))?;
    let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
    run(cargo_zigbuild(&tools)
        .args(["zigbuild", "--release", "--workspace", "--bin", "reef", "--target"])
        .arg(format!("{target}{suffix}"))
        .env("PATH", path)
        .env("REEF_COMPONENTS", components)
        .env(flags, format!("-Cstrip=symbols {}", build::remapped()?.join(" "))))?;
    Ok(root().join("target").join(target).join("release/reef"))
}

fn cargo_zigbuild(tools: &Path) -> std::process::Command {
    let mut zigbuild = command(tools.join("cargo-zigbuild"));
    // As for every cargo that is run here.
    zigbuild.envs(cargo().get_envs().filter_map(|(name, value)| Some((name, value?))));
    zigbuild
}

/// Whether a program for a system runs on this one.
pub(super) fn runs_here(target: &str) -> anyhow::Result<bool> {
    let arch = |triple: &str| triple.split('-').next().map(str::to_owned);
    Ok(arch(target) == arch(&build::host_target()?))
}

/// The newest version of glibc that a program asks for.
pub(super) fn glibc(program: &Path) -> anyhow::Result<String> {
    let about = output_of(command("readelf").args(["--version-info", "--wide"]).arg(program))?;
    let words = about.split_whitespace();
    let numbers = words.filter_map(|word| word.strip_prefix("GLIBC_2.")?.parse::<u32>().ok());
    Ok(format!("2.{}", numbers.max().context("the program names no version of glibc")?))
}
