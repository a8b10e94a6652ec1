//! The Python package `reef-hub`: the program in a wheel, for `uvx reef-hub up` and `pipx install`.
//! maturin would build the program once more to pack it.

use super::{Release, copy, cross, write};
use crate::process::{command, root, run};

/// What `uvx reef-hub` looks for: a program of the package's own name. It becomes `reef`.
const ALIAS: &str = "#!python\nimport os, sys\n\
                     reef = os.path.join(os.path.dirname(os.path.abspath(__file__)), \"reef\")\n\
                     os.execv(reef, [reef, *sys.argv[1:]])\n";

/// The musl that wheels are named for: any from Alpine 3.13 on.
const MUSL: &str = "musllinux_1_2";

/// `reef_hub-VERSION-py3-none-SYSTEM.whl`.
pub(super) fn pack(release: &Release<'_>) -> anyhow::Result<()> {
    let program = release.tree.join("bin/reef");
    let system = if release.target.ends_with("-musl") {
        MUSL.to_owned()
    } else {
        format!("manylinux_{}", cross::glibc(&program)?.replace('.', "_"))
    };
    let tag = format!("py3-none-{system}_{}", release.arch("x86_64", "aarch64")?);
    let name = format!("reef_hub-{}", release.version);
    let tree = release.out.join("tree/wheel").join(&tag).join(&name);
    let (info, scripts) = (format!("{name}.dist-info"), format!("{name}.data/scripts"));
    let (info, scripts) = (tree.join(info), tree.join(scripts));
    copy(&program, &scripts.join("reef"), 0o755)?;
    write(&scripts.join("reef-hub"), ALIAS)?;
    super::set_mode(&scripts.join("reef-hub"), 0o755)?;
    for notice in ["LICENSE", "THIRD-PARTY.txt"] {
        let from = release.tree.join("share/doc/reef").join(notice);
        copy(&from, &info.join("licenses").join(notice), 0o644)?;
    }
    let metadata = format!(
        "Metadata-Version: 2.4\nName: reef-hub\nVersion: {}\n\
         Summary: A coordination hub for fleets of AI agents\nLicense-Expression: Apache-2.0\n\
         License-File: LICENSE\nLicense-File: THIRD-PARTY.txt\nRequires-Python: >=3.8\n",
        release.version
    );
    write(&info.join("METADATA"), metadata)?;
    let about =
        format!("Wheel-Version: 1.0\nGenerator: reef\nRoot-Is-Purelib: false\nTag: {tag}\n");
    write(&info.join("WHEEL"), about)?;
    run(command(release.tools.join("wheel"))
        .arg("pack")
        .arg(&tree)
        .arg("--dest-dir")
        .arg(release.out)
        .env("SOURCE_DATE_EPOCH", release.epoch)
        .current_dir(root()))
}
