//! Lays out what the host carries: the components, and the commit that it is built from.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

#[path = "build/carried.rs"]
mod carried;
#[path = "build/commit.rs"]
mod commit;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets this")?);
    let root = root.parent().ok_or("the host lies in the workspace")?;
    fs::write(folder.join("carried.rs"), carried::list(root)?)?;
    println!("cargo::rustc-env=REEF_BUILT_FROM={}", commit::commit(root));
    println!("cargo::rustc-env=REEF_BUILT_FOR={}", env::var("TARGET")?);
    Ok(())
}
