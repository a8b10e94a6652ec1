//! What `reef doctor` cannot ask a hub: the Redis, the manifest and its components, the port.

use std::net::TcpListener;
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, Stdio};

use reef_commands::Finding;
use reef_settings::Settings;

use crate::carried;
use crate::config_command::{certificate, check};
use crate::manifest::Manifest;
use crate::redis::{private, repair};
use crate::reef_toml;

/// Where rustc keeps what it links into components.
const WASM_TARGET: &str = "wasm32-wasip2";

/// Looks at all of it.
pub(crate) fn examine(settings: &Settings) -> Pin<Box<dyn Future<Output = Vec<Finding>> + '_>> {
    Box::pin(async move {
        let value = |name: &str| settings.value(name).map(|value| value.text).unwrap_or_default();
        let mut findings = reef_toml::findings(settings);
        findings.push(program());
        findings.extend(redis(settings).await);
        findings.extend(data(Path::new(&value("state_dir"))));
        let named = carried::named_manifest(settings);
        findings.extend(application(carried::manifest_file(named.as_deref())));
        findings.extend(certificate(settings));
        findings.push(port(&value("listen")));
        findings
    })
}

fn program() -> Finding {
    match private::find_program() {
        Ok(program) => Finding::ok("redis program", program.display().to_string()),
        Err(error) => {
            Finding::warn("redis program", "`reef up` has none to start", error.to_string())
        }
    }
}

async fn redis(settings: &Settings) -> Vec<Finding> {
    let report = check::examine(settings).await;
    let durability = Some(report.levels()).filter(|levels| !levels.is_empty()).map(|levels| {
        let whole = std::iter::once(levels).chain(report.gaps()).collect::<Vec<_>>();
        Finding::ok("durability", whole.join("; "))
    });
    let server = match report.problems.first() {
        None => Finding::ok("redis", report.summary()),
        Some(problem) if problem.is_warning() => {
            Finding::warn("redis", &problem.message, &problem.cure)
        }
        Some(problem) => Finding::fail("redis", &problem.message, &problem.cure),
    };
    std::iter::once(server).chain(durability).collect()
}

/// Mends the data of the private Redis.
pub(crate) fn repair(
    state_dir: &Path,
    agree: &mut dyn FnMut(&str) -> bool,
) -> Result<String, String> {
    repair::repair(state_dir, agree).map_err(|error| format!("{error:#}"))
}

/// Whether the data of the private Redis is whole, where no server has it.
fn data(state_dir: &Path) -> Option<Finding> {
    let cure = "`reef doctor --repair` says what can be saved; nothing is changed before you agree";
    Some(match repair::look(state_dir)? {
        Ok(None) => Finding::ok("data", "the data of the private Redis is whole"),
        Ok(Some(damage)) => Finding::fail("data", damage, cure),
        Err(error) => Finding::fail("data", format!("{error:#}"), "see who may read it"),
    })
}

/// The manifest, and whether what it names is built.
fn application(manifest: Option<&Path>) -> Vec<Finding> {
    let Some(manifest) = manifest else { return vec![carried()] };
    if !manifest.is_file() {
        let words = format!("there is no {} here", manifest.display());
        let cure = "needed to run a hub, not to ask one: run this where it lies, or set \
                    REEF_SPIN_FILE";
        return vec![Finding::warn("spin.toml", words, cure)];
    }
    let loaded = match Manifest::load(manifest) {
        Ok(loaded) => loaded,
        Err(error) => {
            let cure = "correct it; Spin's documentation describes the manifest";
            return vec![Finding::fail("spin.toml", format!("{error:#}"), cure)];
        }
    };
    let count = loaded.components.len();
    let missing: Vec<_> = loaded
        .components
        .iter()
        .filter(|(_, component)| component.unbuilt().is_some())
        .map(|(id, _)| id.as_str())
        .collect();
    let mut findings =
        vec![Finding::ok("spin.toml", format!("{} with {count} components", manifest.display()))];
    if missing.is_empty() {
        findings.push(Finding::ok("components", "all are built"));
    } else {
        let words = format!("not built: {}", missing.join(", "));
        findings.push(Finding::fail("components", words, "`cargo xtask build` or `spin build`"));
        // Only whoever has to build needs it.
        findings.push(target());
    }
    findings
}

/// What a hub serves where no manifest is.
fn carried() -> Finding {
    match carried::BUILT.components.len() {
        0 => Finding::warn(
            "spin.toml",
            "there is none here, and this reef was built without components",
            "needed to run a hub, not to ask one: run this where a spin.toml lies, set \
             REEF_SPIN_FILE, or build with `cargo xtask build`",
        ),
        count => Finding::ok("components", format!("this program carries {count}")),
    }
}

fn target() -> Finding {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .stderr(Stdio::null())
        .output();
    let folder = asked.ok().filter(|output| output.status.success());
    let folder = folder.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match folder {
        Some(folder) if Path::new(&folder).is_dir() => {
            Finding::ok("wasm target", format!("{WASM_TARGET} is installed"))
        }
        Some(_) => Finding::fail(
            "wasm target",
            format!("{WASM_TARGET} is not installed"),
            format!("rustup target add {WASM_TARGET} (`cargo xtask build` does it)"),
        ),
        None => Finding::fail("wasm target", "there is no rustc on PATH", "https://rustup.rs"),
    }
}

/// Whether a hub could serve HTTPS, where it is to.
fn certificate(settings: &Settings) -> Vec<Finding> {
    let Some((summary, problems)) = certificate::examine(settings) else { return Vec::new() };
    if problems.is_empty() {
        return vec![Finding::ok("tls", summary)];
    }
    let found = problems.into_iter().map(|problem| match problem.is_warning() {
        true => Finding::warn("tls", problem.message, problem.cure),
        false => Finding::fail("tls", problem.message, problem.cure),
    });
    found.collect()
}

/// Whether a hub could listen where it should. Somebody who listens there already may be the hub:
/// its own line says so.
fn port(listen: &str) -> Finding {
    match TcpListener::bind(listen) {
        Ok(_) => Finding::ok("port", format!("{listen} is free for a hub")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::ok(
            "port",
            format!("{listen} is taken; if not by the hub below, start it with another --listen"),
        ),
        Err(error) => Finding::fail(
            "port",
            format!("nobody can listen on {listen}: {error}"),
            "correct REEF_LISTEN; it wants HOST:PORT with an address of this machine",
        ),
    }
}
