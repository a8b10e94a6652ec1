//! Lays out what the host carries: what `/docs` and `/redoc` load (Swagger UI and Redoc, as crates
//! bring them), the components, and the commit that it is built from.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

#[path = "build/carried.rs"]
mod carried;
#[path = "build/commit.rs"]
mod commit;

/// What is taken of Swagger UI.
const SWAGGER_UI: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    swagger_ui(&folder)?;
    fs::write(folder.join("redoc.js"), redoc()?)?;
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets this")?);
    let root = root.parent().ok_or("the host lies in the workspace")?;
    fs::write(folder.join("carried.rs"), carried::list(root)?)?;
    println!("cargo::rustc-env=REEF_BUILT_FROM={}", commit::commit(root));
    println!("cargo::rustc-env=REEF_BUILT_FOR={}", env::var("TARGET")?);
    Ok(())
}

fn swagger_ui(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in SWAGGER_UI {
        let end = format!("/dist/{name}");
        let mut paths = archive.file_names().filter_map(Result::ok);
        let path = paths.find(|path| path.ends_with(&end)).map(std::borrow::Cow::into_owned);
        drop(paths);
        let path = path.ok_or_else(|| format!("Swagger UI has no {name}"))?;
        let mut text = String::new();
        archive.by_name(&path)?.read_to_string(&mut text)?;
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// The crate has it within a page; the page's own policy allows no scripts in pages.
fn redoc() -> Result<String, Box<dyn Error>> {
    let page = aide::redoc::Redoc::new("/openapi.json").html();
    let (_, script) = page.split_once("<script>").ok_or("Redoc's page has no script")?;
    let (script, _) = script.rsplit_once("Redoc.init(").ok_or("Redoc's page starts nothing")?;
    Ok(script.to_owned())
}
