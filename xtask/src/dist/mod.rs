//! `cargo xtask dist`: what a release consists of, in `target/dist`.
//!
//! - `cross`: the program for each system.
//! - `notices`: what is linked into it, for people and for programs.
//! - `wheel`, `image`: the packages of Python and of containers. The Debian package is made by nfpm
//!   from `deploy/nfpm.yaml`.
//!
//! The same commit gives the same bytes: all files have the commit's time and root as their owner,
//! archives are sorted, and the tools are pinned (`xtask/packers.txt`, `xtask/cross.txt`).

mod cross;
mod image;
mod notices;
mod wheel;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::process::{command, output_of, root, run, say};
use crate::{build, machine};

/// What `cargo xtask dist` takes.
#[derive(clap::Args)]
pub(crate) struct DistArgs {
    /// For this system alone; may be given several times
    #[arg(long = "target", value_name = "TRIPLE", value_parser = cross::TARGETS)]
    targets: Vec<String>,
    /// Pack this program, which runs here, and build none
    #[arg(long, value_name = "FILE", conflicts_with = "targets")]
    binary: Option<PathBuf>,
    /// The folder, which is emptied first
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
}

/// Where the tests find artefacts of the program that they test.
const OF_TESTS: &str = "target/artefacts";

/// For each shell where its completions are looked for, below a prefix such as `/usr/local`.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/reef"),
    ("fish", "share/fish/vendor_completions.d/reef.fish"),
    ("zsh", "share/zsh/site-functions/_reef"),
];

/// A release for one system.
struct Release<'r> {
    version: &'static str,
    target: &'r str,
    /// Seconds since the Unix epoch: when the commit was made.
    epoch: &'r str,
    /// Where Python has put the tools.
    tools: &'r Path,
    /// Where artefacts go.
    out: &'r Path,
    /// What the archive holds, laid out as below `/usr/local`.
    tree: PathBuf,
}

/// Builds `reef` for each system, and makes every artefact.
///
/// # Errors
/// When a build or a tool fails.
pub(crate) fn dist(args: &DistArgs) -> anyhow::Result<()> {
    let here = build::host_target()?;
    let targets: Vec<&str> = match (&args.binary, args.targets.as_slice()) {
        (Some(_), _) => vec![&here],
        (None, []) => cross::TARGETS.to_vec(),
        (None, named) => named.iter().map(String::as_str).collect(),
    };
    if args.binary.is_none() {
        build::everything()?;
    }
    // It runs here, whatever it is packed for.
    let speaker = args.binary.clone().unwrap_or_else(build::hub_binary).canonicalize()?;
    let out = root().join(&args.out);
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let tools = machine::ensure_packers()?;
    let epoch = output_of(command("git").args(["log", "-1", "--format=%ct"]))?;
    for target in targets {
        let program = match &args.binary {
            Some(binary) => binary.clone(),
            None => cross::build(target)?,
        };
        let version = env!("CARGO_PKG_VERSION");
        let tree = out.join("tree").join(format!("reef-{version}-{target}"));
        let release = Release { version, target, epoch: &epoch, tools: &tools, out: &out, tree };
        release.lay_out(&program, &speaker)?;
        release.archive()?;
        release.sbom()?;
        wheel::pack(&release)?;
        // A program that needs no libraries runs in an image that has none.
        let is_static = target.ends_with("-musl");
        if !is_static {
            release.deb()?;
        }
        if is_static || args.binary.is_some() {
            image::pack(&release)?;
        }
    }
    fs::remove_dir_all(out.join("tree")).context("cannot remove what was laid out")?;
    sums(&out)
}

/// Packs the program that is built already.
///
/// # Errors
/// As [`dist`].
pub(crate) fn pack_for_tests() -> anyhow::Result<()> {
    dist(&DistArgs {
        targets: Vec::new(),
        binary: Some(build::hub_binary()),
        out: PathBuf::from(OF_TESTS),
    })
}

impl Release<'_> {
    /// Lays out what the archive holds.
    fn lay_out(&self, program: &Path, speaker: &Path) -> anyhow::Result<()> {
        let reef = self.tree.join("bin/reef");
        copy(program, &reef, 0o755)?;
        if cross::runs_here(self.target)? {
            // Names of functions are for debuggers, and a fifth of the file. What is built for
            // elsewhere has none.
            run(command("strip").arg("--strip-all").arg(&reef))?;
        }
        for (shell, path) in COMPLETIONS {
            let script = output_of(command(speaker).args(["completions", shell]))?;
            write(&self.tree.join(path), script + "\n")?;
        }
        run(command(speaker).arg("man").arg("--out").arg(self.tree.join("share/man/man1")))?;
        let unit = "lib/systemd/system/reef.service";
        copy(&root().join("deploy/systemd/reef.service"), &self.tree.join(unit), 0o644)?;
        let documents = self.tree.join("share/doc/reef");
        copy(&root().join("LICENSE"), &documents.join("LICENSE"), 0o644)?;
        write(&documents.join("THIRD-PARTY.txt"), notices::texts(self.target)?)?;
        // nfpm takes the times of files as they are.
        run(command("find").arg(&self.tree).args([
            "-exec",
            "touch",
            &format!("--date=@{}", self.epoch),
            "{}",
            "+",
        ]))
    }

    /// `reef-VERSION-TARGET.tar.gz`.
    fn archive(&self) -> anyhow::Result<()> {
        let name = self.name()?;
        let file = self.out.join(format!("{name}.tar"));
        run(self.tar("--create", &file, "0").arg("-C").arg(self.out.join("tree")).arg(&name))?;
        run(&mut gzip(&file))
    }

    fn name(&self) -> anyhow::Result<String> {
        Ok(self.tree.file_name().context("the tree has a name")?.to_string_lossy().into_owned())
    }

    /// `reef-VERSION-TARGET.cdx.json`.
    fn sbom(&self) -> anyhow::Result<()> {
        let file = self.out.join(format!("{}.cdx.json", self.name()?));
        write(&file, notices::sbom(self.version, self.target)?)
    }

    /// `reef_VERSION_ARCH.deb`.
    fn deb(&self) -> anyhow::Result<()> {
        let arch = self.arch("amd64", "arm64")?;
        let file = self.out.join(format!("reef_{}_{arch}.deb", self.version));
        run(command(self.tools.join("nfpm"))
            .args(["package", "--packager", "deb", "--config"])
            .arg(root().join("deploy/nfpm.yaml"))
            .arg("--target")
            .arg(file)
            .env("VERSION", self.version)
            .env("ARCH", arch)
            .env("GLIBC", cross::glibc(&self.tree.join("bin/reef"))?)
            .env("SOURCE_DATE_EPOCH", self.epoch)
            .current_dir(&self.tree))
    }

    /// What a packaging system calls the processor.
    fn arch(&self, x86_64: &'static str, aarch64: &'static str) -> anyhow::Result<&'static str> {
        match self.target.split('-').next() {
            Some("x86_64") => Ok(x86_64),
            Some("aarch64") => Ok(aarch64),
            _ => bail!("no package is made for {}", self.target),
        }
    }

    /// GNU tar, so set that the same files give the same bytes; without what is to be packed.
    fn tar(&self, verb: &str, file: &Path, owner: &str) -> Command {
        let mut tar = command("tar");
        tar.args([verb, "--sort=name", "--format=gnu", "--numeric-owner"])
            .arg(format!("--owner={owner}"))
            .arg(format!("--group={owner}"))
            .arg(format!("--mtime=@{}", self.epoch))
            .arg("--file")
            .arg(file);
        tar
    }
}

/// Compresses a file, which then ends with `.gz`.
fn gzip(file: &Path) -> Command {
    let mut gzip = command("gzip");
    gzip.args(["--no-name", "--force"]).arg(file);
    gzip
}

/// `SHA256SUMS`; what it says is also printed, with the sizes.
fn sums(out: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(out)?.collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<_> = entries.iter().map(fs::DirEntry::file_name).collect();
    names.sort();
    let sums = output_of(command("sha256sum").args(&names).current_dir(out))?;
    for line in sums.lines() {
        let name = line.split_whitespace().next_back().unwrap_or_default();
        let size = fs::metadata(out.join(name)).map(|about| about.len()).unwrap_or_default();
        say(format!("{size:>9}  {line}"));
    }
    write(&out.join("SHA256SUMS"), sums + "\n")
}

/// The SHA-256 of a file in hexadecimal digits.
fn sha256(file: &Path) -> anyhow::Result<String> {
    let line = output_of(command("sha256sum").arg(file))?;
    Ok(line.split_whitespace().next().context("sha256sum says nothing")?.to_owned())
}

fn write(file: &Path, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let folder = file.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    set_mode(file, 0o644)
}

fn copy(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    write(to, bytes)?;
    set_mode(to, mode)
}

fn set_mode(file: &Path, mode: u32) -> anyhow::Result<()> {
    fs::set_permissions(file, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", file.display()))
}
