//! Fuzzing with libFuzzer: what `fuzz/` has, on the toolchain that everything else is built with.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, anyhow, bail};

use crate::process::{cargo, command, output_of, root, run, say};

/// The passes that tell libFuzzer where an input has led. `cargo fuzz` sets them as well, but builds
/// with AddressSanitizer, for which it takes a nightly compiler; nothing in what is fuzzed is unsafe.
const INSTRUMENTED: &str = "--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module \
                            -Cllvm-args=-sanitizer-coverage-level=4 \
                            -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                            -Cllvm-args=-sanitizer-coverage-pc-table \
                            -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds every target and runs each for so many seconds, from the seeds in `fuzz/corpus` and from
/// what earlier runs have found.
///
/// # Errors
/// When a build fails, or at the first input that breaks a target; it is kept in a file.
pub(crate) fn run_all(seconds: u32) -> anyhow::Result<()> {
    let version = output_of(command("rustc").arg("-vV"))?;
    let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
    let triple = triple.context("rustc does not say for what it compiles")?;
    let folder = root().join("target/fuzz");
    say("building the fuzz targets");
    run(cargo()
        .args(["build", "--quiet", "--release", "--locked"])
        .args(["--manifest-path", "fuzz/Cargo.toml"])
        // With a target named, the flags are not those of build scripts.
        .args(["--target", triple])
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", INSTRUMENTED))?;
    let mut targets = fs::read_dir(root().join("fuzz/targets"))?
        .map(|file| Ok(file?.path().file_stem().unwrap_or_default().to_owned()))
        .collect::<std::io::Result<Vec<_>>>()?;
    targets.sort();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    for some in targets.chunks(at_once) {
        std::thread::scope(|scope| {
            let started: Vec<_> = some
                .iter()
                .map(|target| scope.spawn(|| run_one(target, seconds, &folder, triple)))
                .collect();
            started.into_iter().try_for_each(|target| {
                target.join().map_err(|_| anyhow!("a thread has ended before its work"))?
            })
        })?;
    }
    Ok(())
}

/// Runs one target.
fn run_one(target: &OsStr, seconds: u32, folder: &Path, triple: &str) -> anyhow::Result<()> {
    let name = target.to_string_lossy();
    say(format!("fuzzing {name} for {seconds} s"));
    let found = folder.join("corpus").join(target);
    fs::create_dir_all(&found)?;
    let log = folder.join(format!("{name}.log"));
    let output = File::create(&log)?;
    let status = command(folder.join(triple).join("release").join(target))
        .args([&found, &root().join("fuzz/corpus").join(target)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{name}-", folder.display()))
        .args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"])
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    let told = fs::read_to_string(&log)?;
    if !status.success() {
        let lines: Vec<_> = told.lines().collect();
        let last = lines.len().saturating_sub(40);
        eprintln!("{}", lines.iter().skip(last).copied().collect::<Vec<_>>().join("\n"));
        bail!("{name} breaks; {} has all that was said", log.display());
    }
    let tried = told.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    say(format!("{name}: {} inputs, none breaks it", tried.unwrap_or("some").trim()));
    Ok(())
}
