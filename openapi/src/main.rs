//! Writes `openapi.json`: every route of every component and of the host.
//!
//! It links the components as they are compiled natively, which the host must not, so it is a
//! program of its own: `cargo xtask openapi`.

mod document;
mod host;
mod shared;

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The document, at the workspace's root.
fn path() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).join("openapi.json")
}

fn main() -> anyhow::Result<()> {
    let text = document::render()?;
    std::fs::write(path(), text).with_context(|| format!("cannot write {}", path().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_what_the_types_say() {
        let checked_in = std::fs::read_to_string(path()).unwrap();
        assert!(checked_in == document::render().unwrap(), "run `cargo xtask openapi`");
    }
}
