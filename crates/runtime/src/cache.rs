//! Compiled code, kept between starts.
//!
//! A file holds what one `.wasm` was compiled to by one version and setting of the engine, and the
//! digest of that and of its own name: code that a disk has altered, or that belongs to another
//! component, would do anything. What does not fit is compiled anew.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What a file begins with; the digest and the code follow.
const MAGIC: &[u8] = b"reef-code-2\n";
const DIGEST_LEN: usize = 32;
/// How a file's name ends.
const ENDING: &str = "code";
/// Files that are kept: those of a few versions of some ten components.
const FILES_MAX: usize = 128;

/// Compiles a component, or takes what it was compiled to before. A cache that cannot be used costs
/// time and nothing else.
pub(crate) fn compile(
    engine: &Engine,
    folder: Option<&Path>,
    wasm: &[u8],
) -> anyhow::Result<Component> {
    let Some(folder) = folder else { return Ok(Component::new(engine, wasm)?) };
    let file = folder.join(format!("{}.{ENDING}", name(engine, wasm)));
    if let Some(component) = read(engine, folder, &file) {
        return Ok(component);
    }
    let component = Component::new(engine, wasm)?;
    let code = component.serialize()?;
    if let Err(error) = write(folder, &file, &code) {
        tracing::warn!(file = %file.display(), %error, "compiled code cannot be kept");
    }
    Ok(component)
}

/// A name for what is compiled from this by this engine.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut digest = Digester(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.update(wasm);
    digest.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn read(engine: &Engine, folder: &Path, file: &Path) -> Option<Component> {
    let bytes = std::fs::read(file).ok()?;
    let Some(code) = checked(&bytes, file).filter(|_| is_of_folder(folder, file)) else {
        tracing::warn!(file = %file.display(), "compiled code was altered; it is compiled anew");
        return None;
    };
    #[allow(unsafe_code, reason = "the only way to use compiled code")]
    // SAFETY: the digest shows that these are the bytes that `Component::serialize` gave; only the
    // user of this process can write into the folder.
    let component = unsafe { Component::deserialize(engine, code) };
    match component {
        Ok(component) => {
            // So that it is not among those that are removed.
            let _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
            Some(component)
        }
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "compiled code cannot be used");
            None
        }
    }
}

/// The code, if it is what was written.
fn checked<'a>(bytes: &'a [u8], file: &Path) -> Option<&'a [u8]> {
    let (digest, code) = bytes.strip_prefix(MAGIC)?.split_at_checked(DIGEST_LEN)?;
    (digest == digest_of(code, file)).then_some(code)
}

fn digest_of(code: &[u8], file: &Path) -> [u8; DIGEST_LEN] {
    let mut digest = Digester(Sha256::new());
    file.file_name().hash(&mut digest);
    digest.0.update(code);
    digest.0.finalize().into()
}

/// Whether a file was written by whoever owns the folder.
fn is_of_folder(folder: &Path, file: &Path) -> bool {
    let owner = |path: &Path| path.metadata().map(|about| about.uid()).ok();
    owner(file).is_some_and(|uid| owner(folder) == Some(uid))
}

fn write(folder: &Path, file: &Path, code: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // Several hosts may share the folder, so that a name of its own is needed.
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(MAGIC)?;
    unfinished.write_all(&digest_of(code, file))?;
    unfinished.write_all(code)?;
    unfinished.persist(file)?;
    remove_old(folder)
}

/// Removes what was used longest ago.
fn remove_old(folder: &Path) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == ENDING) {
            // Another host may have removed it.
            let Ok(used) = path.metadata().and_then(|about| about.modified()) else { continue };
            files.push((used, path));
        }
    }
    files.sort();
    let surplus = files.len().saturating_sub(FILES_MAX);
    for (_, path) in files.into_iter().take(surplus) {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component: its magic number and version.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn altered_code_is_compiled_anew_and_replaced() {
        let engine = Engine::default();
        let folder = tempfile::tempdir().unwrap();
        let wasm = EMPTY;
        compile(&engine, Some(folder.path()), wasm).unwrap();
        let file = folder.path().join(format!("{}.{ENDING}", name(&engine, wasm)));
        let good = std::fs::read(&file).unwrap();
        assert!(read(&engine, folder.path(), &file).is_some());
        for at in [0, MAGIC.len(), MAGIC.len() + DIGEST_LEN, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            assert!(read(&engine, folder.path(), &file).is_none(), "{at}");
            std::fs::write(&file, &good[..at]).unwrap();
            assert!(read(&engine, folder.path(), &file).is_none(), "{at}");
            compile(&engine, Some(folder.path()), wasm).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), good);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_used_costs_nothing_but_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        compile(&Engine::default(), Some(file.path()), EMPTY).unwrap();
    }
}
