//! Writes what the host carries of each component: `pack_components FOLDER TARGET FILE.wasm…`.
//!
//! `cargo xtask build` runs it. A file that would not change is left as it is, so that cargo does not
//! build the host again.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let folder = PathBuf::from(args.next().context("the first argument is a folder")?);
    let target = args.next().context("the second argument is a target")?;
    let target = target.to_str().context("a target is plain text")?;
    fs::create_dir_all(&folder)?;
    for file in args.map(PathBuf::from) {
        let name = file.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
        let wasm = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let packed = reef_runtime::pack(&wasm, target)
            .with_context(|| format!("cannot compile {}", file.display()))?;
        write(&folder.join(format!("{name}.wasm.zst")), &packed.wasm)?;
        write(&folder.join(format!("{name}.{target}.zst")), &packed.code)?;
    }
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let mut unfinished = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    std::io::Write::write_all(&mut unfinished, bytes)?;
    unfinished.persist(file)?;
    Ok(())
}
