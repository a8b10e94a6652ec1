//! What this program carries within itself: the components, their manifest, and what it is built from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use reef_runtime::{Carried, Code};
use reef_settings::Settings;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::manifest::{Manifest, Source};

/// The manifest of the tree that this program is built from.
pub(crate) const MANIFEST: &str = include_str!("../../spin.toml");

/// The components by the names of their files. Empty in a program that was built without them.
#[allow(unsafe_code, reason = "compiled code is made when this program is built")]
// SAFETY: `cargo xtask build` lays out what `reef_runtime::pack` has made, and the build script
// lists it.
const COMPONENTS: &[(&str, Carried)] = include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What this program is built from.
pub(crate) static BUILT: LazyLock<Built> = LazyLock::new(Built::look);

/// What a program is built from.
#[derive(Debug, Serialize)]
pub(crate) struct Built {
    pub(crate) version: &'static str,
    /// As git names it; `-dirty` where the sources were others, `unknown` outside a repository.
    pub(crate) commit: &'static str,
    /// For which system.
    pub(crate) target: &'static str,
    pub(crate) components: Vec<BuiltComponent>,
}

/// A component that is carried.
#[derive(Debug, Serialize)]
pub(crate) struct BuiltComponent {
    /// As the manifest calls it.
    pub(crate) name: String,
    /// Of the `.wasm`, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Bytes of the `.wasm`.
    pub(crate) size: usize,
    /// Whether it needs no compilation on this kind of machine.
    pub(crate) compiled: bool,
}

/// Whether there is anything to serve.
pub(crate) fn is_there() -> bool {
    !COMPONENTS.is_empty()
}

/// The manifest that a folder has.
const FILE: &str = "spin.toml";

/// Neither a manifest nor components: what to do.
const NOTHING_TO_SERVE: &str = "there is no spin.toml here, and this reef was built without \
                                components: run it where a spin.toml is, name one with \
                                --spin-file, or build it with `cargo xtask build`, which puts \
                                them in";

/// The manifest that is named, by a flag, the environment or `reef.toml`.
pub(crate) fn named_manifest(settings: &Settings) -> Option<PathBuf> {
    settings.value("spin_file").map(|value| PathBuf::from(value.text))
}

/// The file of the manifest that is meant; `None`: what this program carries.
pub(crate) fn manifest_file(named: Option<&Path>) -> Option<&Path> {
    named.or_else(|| Some(Path::new(FILE)).filter(|file| file.exists()))
}

/// Reads the manifest that is meant: the one that is named, else that of the current folder, else
/// the one that this program carries.
///
/// # Errors
/// As [`Manifest::load`], and when there is none.
pub(crate) fn find_manifest(named: Option<&Path>) -> Result<Manifest> {
    match manifest_file(named) {
        Some(file) => Manifest::load(file),
        None => manifest(),
    }
}

/// The manifest that this program carries, with the components that it carries.
///
/// # Errors
/// It was built without components.
pub(crate) fn manifest() -> Result<Manifest> {
    ensure!(is_there(), "{NOTHING_TO_SERVE}");
    Manifest::parse_carried(MANIFEST)
}

/// The code of a component.
///
/// # Errors
/// This program was built without it.
pub(crate) fn code(source: &Source) -> Result<Code> {
    match source {
        Source::File(file) => {
            Ok(same(file).map_or_else(|| Code::File(file.clone()), Code::Carried))
        }
        Source::Carried(name) => {
            let carried = find(name)
                .with_context(|| format!("this reef was built without the component {name}"))?;
            Ok(Code::Carried(carried))
        }
    }
}

fn find(name: &str) -> Option<Carried> {
    COMPONENTS.iter().find(|(file, _)| *file == name).map(|(_, carried)| *carried)
}

/// What is carried of a file's name, if the file has the same bytes: it is compiled already, as in
/// the tree that this program was built in.
fn same(file: &Path) -> Option<Carried> {
    let carried = find(file.file_name()?.to_str()?)?;
    let is_same = fs::read(file).ok()? == carried.wasm().ok()?;
    is_same.then_some(carried)
}

/// The files that the manifest names, each as a name and its bytes.
///
/// # Errors
/// When one cannot be unpacked.
pub(crate) fn files() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let unpack = |(name, carried): &(&'static str, Carried)| {
        Ok((*name, carried.wasm().with_context(|| format!("cannot unpack {name}"))?))
    };
    COMPONENTS.iter().map(unpack).collect()
}

impl Built {
    fn look() -> Self {
        let components = manifest().map(|manifest| manifest.components).unwrap_or_default();
        let components = components.into_iter().filter_map(|(name, component)| {
            let Ok(Code::Carried(carried)) = code(&component.source) else { return None };
            let wasm = carried.wasm().ok()?;
            let sha256 = Sha256::digest(&wasm).iter().map(|byte| format!("{byte:02x}")).collect();
            Some(BuiltComponent { name, sha256, size: wasm.len(), compiled: carried.has_code() })
        });
        Self {
            version: VERSION,
            commit: env!("REEF_BUILT_FROM"),
            target: env!("REEF_BUILT_FOR"),
            components: components.collect(),
        }
    }
}

impl std::fmt::Display for Built {
    /// For people: what `reef --version --verbose` prints.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use reef_commands::table::{columns, facts};
        let facts = facts([("commit", self.commit.to_owned()), ("target", self.target.to_owned())]);
        write!(f, "reef {}\n{facts}", self.version)?;
        if self.components.is_empty() {
            return write!(f, "\n\nno components: it serves those that a spin.toml names");
        }
        let rows = self.components.iter().map(|it| {
            let compiled = if it.compiled { "yes" } else { "no" };
            [it.name.clone(), it.size.to_string(), compiled.to_owned(), it.sha256.clone()]
        });
        write!(f, "\n\n{}", columns(["component", "bytes", "compiled", "sha-256"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_of_the_manifest_is_carried_or_none() {
        if is_there() {
            let named = manifest().unwrap().components.len();
            assert_eq!((BUILT.components.len(), COMPONENTS.len()), (named, named));
        } else {
            assert!(code(&Source::Carried("register.wasm".to_owned())).is_err());
        }
    }
}
