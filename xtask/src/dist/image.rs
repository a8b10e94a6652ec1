//! The container's image as an OCI image layout in one archive: `docker load`, `podman load` and
//! `skopeo copy oci-archive:…` take it, and no engine is needed to make it.
//!
//! It holds the program, the authorities whose certificates are trusted, and nothing else: no shell,
//! no Redis server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use super::{Release, copy, gzip, sha256, write};
use crate::process::{command, output_of, run};

/// The user that a hub runs as, and its group.
const USER: &str = "10001";

/// Where a hub keeps what it keeps.
const STATE: &str = "var/lib/reef";

/// Where rustls looks for authorities.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// `reef-VERSION-ARCH.oci.tar`.
pub(super) fn pack(release: &Release<'_>) -> anyhow::Result<()> {
    let arch = release.arch("amd64", "arm64")?;
    let folder = release.out.join("tree/image").join(arch);
    let (files, layout) = (folder.join("root"), folder.join("layout"));
    lay_out(release, &files)?;

    let layer = folder.join("layer.tar");
    let inside = |verb, owner| {
        let mut tar = release.tar(verb, &layer, owner);
        tar.arg("--directory").arg(&files);
        tar
    };
    run(inside("--create", "0").args(["--exclude=./var", "."]))?;
    run(inside("--append", USER).arg(format!("./{STATE}")))?;
    let uncompressed = sha256(&layer)?;
    run(&mut gzip(&layer))?;
    let layer = blob(&layout, &folder.join("layer.tar.gz"), "layer.v1.tar+gzip")?;

    let config = json!({
        "architecture": arch,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": ["/usr/bin/reef"],
            "Cmd": ["up", "--listen", "0.0.0.0:8888", "--state-dir", format!("/{STATE}")],
            "Env": ["PATH=/usr/bin"],
            "WorkingDir": format!("/{STATE}"),
            "Volumes": {format!("/{STATE}"): {}},
            "ExposedPorts": {"8888/tcp": {}},
            "Labels": {
                "org.opencontainers.image.title": "reef",
                "org.opencontainers.image.version": release.version,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{uncompressed}")]},
    });
    let config = json_blob(&layout, &folder, &config, "config.v1+json")?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [layer],
    });
    let mut manifest = json_blob(&layout, &folder, &manifest, "manifest.v1+json")?;
    if let Some(manifest) = manifest.as_object_mut() {
        manifest.insert("platform".into(), json!({"architecture": arch, "os": "linux"}));
        // By the second, `docker load` and `ctr image import` know what to call it.
        let names = json!({
            "org.opencontainers.image.ref.name": release.version,
            "io.containerd.image.name": format!("docker.io/library/reef:{}", release.version),
        });
        manifest.insert("annotations".into(), names);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    write(&layout.join("index.json"), index.to_string())?;
    write(&layout.join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string())?;
    let file = release.out.join(format!("reef-{}-{arch}.oci.tar", release.version));
    let parts = ["blobs", "index.json", "oci-layout"];
    run(release.tar("--create", &file, "0").arg("--directory").arg(&layout).args(parts))
}

/// The files of the image.
fn lay_out(release: &Release<'_>, files: &Path) -> anyhow::Result<()> {
    let program = release.tree.join("bin/reef");
    copy(&program, &files.join("usr/bin/reef"), 0o755)?;
    for library in libraries(&program)? {
        let place = files.join(library.strip_prefix("/").unwrap_or(&library));
        copy(&library, &place, 0o755)?;
    }
    for notice in ["LICENSE", "THIRD-PARTY.txt"] {
        let from = release.tree.join("share/doc/reef").join(notice);
        copy(&from, &files.join("usr/share/doc/reef").join(notice), 0o644)?;
    }
    let python = release.tools.join("python3");
    let authorities = output_of(command(python).args(["-m", "certifi"]))?;
    copy(Path::new(&authorities), &files.join(AUTHORITIES), 0o644)?;
    write(
        &files.join("etc/passwd"),
        format!("reef:x:{USER}:{USER}::/{STATE}:/usr/sbin/nologin\n"),
    )?;
    write(&files.join("etc/group"), format!("reef:x:{USER}:\n"))?;
    fs::create_dir_all(files.join(STATE)).context("cannot make the folder of the hub's state")
}

/// The libraries that a program is linked with: none where it is linked with musl.
fn libraries(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = command("ldd").arg(program).output().context("cannot start ldd")?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    // `libc.so.6 => /lib/…/libc.so.6 (0x…)`, or `/lib64/ld-linux-x86-64.so.2 (0x…)`.
    let paths = listed.lines().filter_map(|line| line.split_whitespace().rev().nth(1));
    Ok(paths.filter(|path| path.starts_with('/')).map(PathBuf::from).collect())
}

fn json_blob(layout: &Path, folder: &Path, value: &Value, kind: &str) -> anyhow::Result<Value> {
    let file = folder.join("blob.json");
    write(&file, value.to_string())?;
    blob(layout, &file, kind)
}

/// Moves a file among the blobs, and returns what names it.
fn blob(layout: &Path, file: &Path, kind: &str) -> anyhow::Result<Value> {
    let (digest, size) = (sha256(file)?, fs::metadata(file)?.len());
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).context("cannot make the folder of the blobs")?;
    fs::rename(file, blobs.join(&digest)).context("cannot put a blob in its place")?;
    let kind = format!("application/vnd.oci.image.{kind}");
    Ok(json!({"mediaType": kind, "digest": format!("sha256:{digest}"), "size": size}))
}
