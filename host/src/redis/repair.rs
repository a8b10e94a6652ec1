//! Puts the append-only file of a private server in order that was killed while it wrote, before the
//! next one reads it.
//!
//! Redis (up to 7.2 at least) drops a transaction whose end is missing, but leaves its beginning in
//! the file, where the next transaction is written behind it: after one more restart the half of
//! something that never happened is carried out. A script's changes are such a transaction. The
//! server's own checker cuts it off as a whole.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Where Redis says which files belong together, below its folder.
const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";

/// Repairs what lies in `data`, if there is something. What goes wrong is a warning: the server has
/// a way to read such a file, if not as good a one.
pub(super) async fn repair(server: &Path, data: &Path, log: &Path) {
    let manifest = data.join(MANIFEST);
    if !manifest.is_file() {
        return;
    }
    match run(&checker(server), &manifest, log).await {
        Ok(true) => tracing::debug!("the private Redis' file is in order"),
        Ok(false) => tracing::warn!(log = %log.display(), "the private Redis' file has faults"),
        Err(error) => tracing::warn!(
            %error,
            "cannot check the private Redis' file: after a kill in the middle of a write a change \
             may be carried out by half; install the server's tools"
        ),
    }
}

/// `redis-check-aof` beside `redis-server`, and the same for Valkey.
fn checker(server: &Path) -> PathBuf {
    let name = server.file_name().unwrap_or_default().to_string_lossy();
    server.with_file_name(name.replace("-server", "-check-aof"))
}

async fn run(checker: &Path, manifest: &Path, log: &Path) -> std::io::Result<bool> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    let mut child = Command::new(checker)
        .arg("--fix")
        .arg(manifest)
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut answers) = child.stdin.take() {
        // It asks before it cuts, and may have ended before it is answered.
        let _ = answers.write_all(b"y\n").await;
    }
    Ok(child.wait().await?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_lies_beside_its_server() {
        let of = |server: &str| checker(Path::new(server));
        assert_eq!(of("/usr/bin/redis-server"), Path::new("/usr/bin/redis-check-aof"));
        assert_eq!(of("/opt/valkey-server"), Path::new("/opt/valkey-check-aof"));
    }
}
