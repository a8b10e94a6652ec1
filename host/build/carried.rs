//! The components that the host carries within itself.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where `cargo xtask build` lays them, below the workspace's root.
const FOLDER: &str = "target/components";

/// How a component's name goes on in its file's name.
const WASM: &str = ".wasm.zst";

/// The list of them as Rust: file name, `.wasm`, code for this target. It is empty where none are
/// built; such a host serves a folder's own.
pub(crate) fn list(root: &Path) -> Result<String, Box<dyn Error>> {
    let folder = folder(root)?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let target = env::var("TARGET")?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(WASM).map(str::to_owned));
    }
    names.sort();
    let mut list = String::from("&[");
    for name in names {
        let wasm = folder.join(format!("{name}{WASM}"));
        let code = folder.join(format!("{name}.{target}.zst"));
        let code = if code.exists() {
            format!("Some(include_bytes!({:?}))", code.display().to_string())
        } else {
            "None".to_owned()
        };
        let wasm = wasm.display().to_string();
        writeln!(
            list,
            "(\"{name}.wasm\", unsafe {{ Carried::new(include_bytes!({wasm:?}), {code}) }}),"
        )?;
    }
    list.push(']');
    Ok(list)
}

/// `REEF_COMPONENTS` names another folder.
fn folder(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=REEF_COMPONENTS");
    if let Some(given) = env::var_os("REEF_COMPONENTS").filter(|given| !given.is_empty()) {
        return Ok(PathBuf::from(given).canonicalize()?);
    }
    let folder = root.join(FOLDER);
    // Cargo runs this each time, and builds the host each time, when what is watched is not there.
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
