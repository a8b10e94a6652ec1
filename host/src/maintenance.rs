//! `reef backup`, `reef restore`, `reef compact`: which Redis, and what people see of it.

use anyhow::{Context as _, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use reef_maintenance::names::Naming;
use reef_maintenance::{Backup, Error, Restore, backup, compact, restore};
use reef_store::{Keys, Layout};
use serde_json::{Value, json};

use crate::cli::{CompactArgs, DataCommand, FileArgs, Fsync, KeyLayout};
use crate::failure::Failure;
use crate::output::print;
use crate::redis::private::{self, PrivateRedis, Tuning};
use crate::redis::server::find_program;
use crate::state_dir::StateDir;

/// Runs a command on a hub's data to its end.
pub(crate) fn run_blocking(command: DataCommand) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    runtime.block_on(run(command))
}

async fn run(command: DataCommand) -> Result<(), Failure> {
    let redis = Redis::of(&command).await?;
    let result = tokio::select! {
        result = work(&command, &redis.url) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    redis.leave().await;
    result
}

async fn work(command: &DataCommand, redis_url: &str) -> Result<(), Failure> {
    match command {
        DataCommand::Backup(args) => take(args, redis_url).await,
        DataCommand::Restore(args) => give_back(args, redis_url).await,
        DataCommand::Compact(args) => make_small(args, redis_url).await,
    }
}

/// The Redis that holds the data.
struct Redis {
    url: String,
    /// A private one that was started for this, and its state directory.
    own: Option<(PrivateRedis, StateDir)>,
}

impl Redis {
    async fn of(command: &DataCommand) -> Result<Self, Failure> {
        let (given, state_dir) = match command {
            DataCommand::Backup(args) | DataCommand::Restore(args) => {
                (args.redis_url.clone().or_else(shared_url), &args.state_dir)
            }
            DataCommand::Compact(args) => (None, &args.state_dir),
        };
        if let Some(url) = given {
            return Ok(Self { url, own: None });
        }
        let makes_it = matches!(command, DataCommand::Restore(_));
        if !makes_it && !state_dir.join("redis").is_dir() {
            let shown = state_dir.display();
            return Err(Failure::usage(format!(
                "{shown} holds no private Redis; name another with --state-dir, or a Redis with \
                 --redis-url"
            )));
        }
        match StateDir::take(state_dir) {
            Ok(held) => Self::start(held).await,
            // A hub that runs has it; what it serves may be looked at, but not replaced.
            Err(_) if !makes_it => {
                let url = private::address_of_running(state_dir).map_err(Failure::Usage)?;
                Ok(Self { url, own: None })
            }
            Err(error) => Err(Failure::Usage(error)),
        }
    }

    async fn start(state_dir: StateDir) -> Result<Self, Failure> {
        let prepared =
            PrivateRedis::prepare(&state_dir, Tuning { fsync: Fsync::Always, memory: None })
                .map_err(Failure::Usage)?;
        let url = prepared.address();
        let server = prepared.spawn();
        server.until_ready().await?;
        Ok(Self { url, own: Some((server, state_dir)) })
    }

    async fn leave(self) {
        if let Some((server, _held_until_it_has_ended)) = self.own {
            server.stop().await;
        }
    }
}

/// What is taken where neither the flag nor its own variable is given.
fn shared_url() -> Option<String> {
    let mut environment = std::env::vars_os();
    let (_, url) = environment.find(|(name, value)| name == "REDIS_URL" && !value.is_empty())?;
    url.into_string().ok()
}

async fn take(args: &FileArgs, redis_url: &str) -> Result<(), Failure> {
    let program = find_program(std::env::var_os("PATH").as_deref()).map_err(|_| no_reader())?;
    let naming = naming(args)?;
    let asked = Backup { redis_url, naming: &naming, server_program: &program, file: &args.file };
    let (fetching, writing) = (bar("snapshot", "bytes"), bar("writing", "keys"));
    let done = backup(&asked, &follow(&fetching), &follow(&writing)).await.map_err(failed)?;
    clear(&[fetching, writing]);
    let taken_at = instant(done.taken_at_ms);
    let shown = json!({"file": args.file, "keys": done.keys, "foreign_keys": done.foreign,
        "bytes": done.bytes, "taken_at": taken_at,
        "paused_ms": done.paused.map(|paused| paused.as_millis())});
    let mut line = format!(
        "kept {} keys in {} ({}), as of {taken_at}",
        done.keys,
        args.file.display(),
        size(done.bytes)
    );
    if done.foreign > 0 {
        line.push_str(&format!("; {} keys are none of this hub's", done.foreign));
    }
    if let Some(paused) = done.paused {
        line.push_str(&format!("; writes were paused for {} ms", paused.as_millis()));
    }
    say(args.json, &shown, &line)
}

fn no_reader() -> Failure {
    Failure::usage(
        "a backup is read by a redis-server or valkey-server of its own, and none is on PATH; \
         install one (apt-get install redis-server, dnf install valkey, brew install redis)",
    )
}

async fn give_back(args: &FileArgs, redis_url: &str) -> Result<(), Failure> {
    let naming = naming(args)?;
    let asked = Restore { redis_url, naming: &naming, file: &args.file };
    let (checking, writing) = (bar("checking", "bytes"), bar("restoring", "bytes"));
    let done = restore(&asked, &follow(&checking), &follow(&writing)).await.map_err(failed)?;
    clear(&[checking, writing]);
    let taken_at = instant(done.taken_at_ms);
    let shown = json!({"file": args.file, "keys": done.keys, "expired": done.expired,
        "without_place": done.without_place, "released": done.released, "taken_at": taken_at});
    let mut line = format!("restored {} keys as of {taken_at}", done.keys);
    if done.expired > 0 {
        line.push_str(&format!("; {} of them have expired since", done.expired));
    }
    if done.without_place > 0 {
        line.push_str(&format!(
            "; {} records of idempotency keys have no place in this layout",
            done.without_place
        ));
    }
    if done.released > 0 {
        line.push_str(&format!("; {} tasks that ran wait again", done.released));
    }
    line.push_str(
        "; what was given out since is void: start agents and workers again, and see that \
         readers of events begin anew",
    );
    say(args.json, &shown, &line)
}

async fn make_small(args: &CompactArgs, redis_url: &str) -> Result<(), Failure> {
    let done = compact(redis_url).await.map_err(failed)?;
    let shown = json!({"bytes_before": done.before, "bytes_after": done.after});
    let line = format!("{} before, {} after", size(done.before), size(done.after));
    say(args.json, &shown, &line)
}

/// Checked as a hub checks its variables.
fn naming(args: &FileArgs) -> Result<Naming, Failure> {
    let layout = match args.key_layout {
        KeyLayout::Plain => Layout::Plain,
        KeyLayout::Cluster => Layout::Cluster,
    };
    Keys::new(&args.key_prefix, layout)
        .map_err(|rule| Failure::usage(format!("--key-prefix {rule}")))?;
    Ok(Naming { prefix: args.key_prefix.clone(), layout })
}

fn failed(error: Error) -> Failure {
    match error {
        Error::Unreachable(_) => Failure::Unreachable(anyhow!(error)),
        _ => Failure::Runtime(anyhow!(error)),
    }
}

/// A bar on a terminal; nothing elsewhere.
fn bar(what: &'static str, unit: &str) -> ProgressBar {
    let template = match unit {
        "bytes" => "{msg:10} {bar:40} {bytes}/{total_bytes} {eta}",
        _ => "{msg:10} {bar:40} {pos}/{len} {eta}",
    };
    let bar = ProgressBar::no_length().with_message(what);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn follow(bar: &ProgressBar) -> impl Fn(u64, Option<u64>) + Sync + '_ {
    |done, of| {
        if let Some(of) = of {
            bar.set_length(of);
        }
        bar.set_position(done);
    }
}

fn clear(bars: &[ProgressBar]) {
    for bar in bars {
        bar.finish_and_clear();
    }
}

fn instant(ms: i64) -> String {
    reef_domain::time::UnixMillis(ms).to_string()
}

/// A length for people.
fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

fn say(as_json: bool, shown: &Value, line: &str) -> Result<(), Failure> {
    if as_json { print(&shown.to_string()) } else { print(line) }
}
