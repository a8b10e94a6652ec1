//! From what was typed to a running worker.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reef_client::{Hub, Secret};
use tokio::sync::watch;
use tokio::task::LocalSet;

use crate::WorkerError;
use crate::api::Registration;
use crate::args::WorkerArgs;
use crate::attempt::Shared;
use crate::beats::{self, Beats, Pulse};
use crate::claims::Claims;
use crate::command::Handler;
use crate::executor::Executor;
use crate::identity::Identity;
use crate::llm::Llm;
use crate::machine::{Facts, Meter};
use crate::worker::{Signals, Worker};
use crate::workflow::{Patience, Workflow, Workflows};

/// What a hub takes for a lease, in seconds. Shorter ones than half a second would be renewed
/// all the time.
const LEASE_SECONDS: std::ops::RangeInclusive<f64> = 0.5..=3600.0;
/// Where the keys are that a command does not see.
const KEYS: [&str; 3] = ["REEF_API_KEY", "REEF_LLM_KEY", "REEF_CLIENT_KEY"];

/// Works for a hub until SIGTERM or SIGINT. `key` is what `hub` sends, for a command that may see
/// it.
///
/// # Errors
/// [`WorkerError`].
pub async fn run(args: WorkerArgs, hub: Hub, key: Option<Secret>) -> Result<(), WorkerError> {
    let mut signals = Signals::listen().map_err(|error| WorkerError::Failed(error.to_string()))?;
    let ready = async {
        // Before anything is started, so that a mistake costs nothing.
        let settings = Settings::check(&args)?;
        if key.is_some() && !args.as_admin {
            refuse_admin(&hub, settings.start_timeout).await?;
        }
        start(&args, settings, hub, key).await
    };
    let (worker, beats) = tokio::select! {
        ready = ready => ready?,
        _ = signals.next() => return Err(WorkerError::Interrupted),
    };
    LocalSet::new().run_until(worker.run(&mut signals, beats.run())).await
}

/// Refuses a key that administers: what runs here is asked for by others.
async fn refuse_admin(hub: &Hub, patience: Duration) -> Result<(), WorkerError> {
    #[derive(serde::Deserialize)]
    struct Me {
        auth: Auth,
    }
    #[derive(serde::Deserialize)]
    struct Auth {
        scopes: Vec<String>,
    }
    let me: Me = hub.get(["auth", "me"]).patient(patience).answering().fetch().await?;
    match me.auth.scopes.iter().any(|scope| scope == "admin") {
        true => Err(WorkerError::administers()),
        false => Ok(()),
    }
}

/// What was typed, as far as it has to be checked.
struct Settings {
    facts: Facts,
    lease: Duration,
    drain_timeout: Duration,
    start_timeout: Duration,
    command: Option<(PathBuf, Vec<OsString>)>,
    workflows: Option<Workflows>,
}

impl Settings {
    fn check(args: &WorkerArgs) -> Result<Self, WorkerError> {
        let usage = |words: String| WorkerError::Usage(words);
        if !LEASE_SECONDS.contains(&args.lease) {
            return Err(usage("--lease must be between 0.5 and 3600".to_owned()));
        }
        let facts = Facts::gather(args.hostname.as_deref());
        let command = match args.exec.split_first() {
            Some((program, rest)) => Some((find(program)?, rest.to_vec())),
            None => None,
        };
        Ok(Self {
            facts: facts.map_err(|error| usage(error.to_string()))?,
            lease: seconds("--lease", args.lease)?,
            drain_timeout: seconds("--drain-timeout", args.drain_timeout)?,
            start_timeout: seconds("--start-timeout", args.start_timeout)?,
            command,
            workflows: if args.workflows { Some(workflows(args)?) } else { None },
        })
    }
}

async fn start(
    args: &WorkerArgs,
    settings: Settings,
    hub: Hub,
    key: Option<Secret>,
) -> Result<(Worker, Beats), WorkerError> {
    let mut identity = Identity::open(&args.state_dir, &settings.facts.hostname)
        .map_err(|error| WorkerError::Failed(error.to_string()))?;
    let mut skills = args.skills.clone();
    if settings.workflows.is_some() {
        let own = Workflow::SKILLS.map(str::to_owned);
        skills.extend(own.into_iter().filter(|skill| !args.skills.contains(skill)));
    }
    let registration =
        Registration { facts: settings.facts, skills, tags: args.tags.clone(), slots: args.slots };
    let node = beats::register(&hub, &registration, &mut identity, settings.start_timeout).await?;
    tracing::info!(node = %node.id, hub = hub.address(), "registered");
    let handler = match settings.command {
        Some((program, command_args)) => {
            let mut envs = vec![
                ("REEF_HUB", OsString::from(hub.address())),
                ("REEF_NODE_ID", OsString::from(node.id.as_str())),
            ];
            if let Some(key) = key.filter(|_| args.pass_key) {
                envs.push(("REEF_API_KEY", key.expose().into()));
            }
            Some(Handler { program, args: command_args, envs, hidden: KEYS.to_vec() })
        }
        None => None,
    };
    let executor = Executor { handler, workflows: settings.workflows };
    let (claims, pulse) = (Claims::default(), Pulse::default());
    let shared = Arc::new(Shared { hub, executor, claims, pulse, logs: args.log });
    let (node, node_seen) = watch::channel(node);
    let meter = Meter::new();
    if let Err(error) = &meter {
        tracing::warn!(%error, "this machine's figures cannot be read");
    }
    let beats = Beats {
        shared: Arc::clone(&shared),
        registration,
        identity,
        meter: meter.ok(),
        node,
        pace_max: beats::PACE_MAX,
    };
    let slots = usize::try_from(args.slots).unwrap_or(1);
    let worker = Worker::new(shared, node_seen, slots, settings.lease, settings.drain_timeout);
    Ok((worker, beats))
}

fn workflows(args: &WorkerArgs) -> Result<Workflows, WorkerError> {
    let key = match &args.llm_key_file {
        Some(file) => Some(Secret::read(file)?),
        None => match std::env::var("REEF_LLM_KEY") {
            Ok(key) if !key.trim().is_empty() => Some(Secret::new(&key)?),
            _ => None,
        },
    };
    let (url, model) = (args.llm_url.as_deref(), args.llm_model.as_deref());
    let silence_max = seconds("--llm-timeout", args.llm_timeout)?;
    let llm = Llm::new(url.unwrap_or_default(), model.unwrap_or_default(), key, silence_max);
    Ok(Workflows {
        llm: llm.map_err(WorkerError::Usage)?,
        patience: Patience::default(),
        limit: args.llm_limit.clone(),
    })
}

pub(crate) fn seconds(flag: &str, value: f64) -> Result<Duration, WorkerError> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| WorkerError::Usage(format!("{flag} must be a number of seconds")))
}

/// The program that a shell would run under this name.
fn find(program: &OsString) -> Result<PathBuf, WorkerError> {
    use std::os::unix::fs::PermissionsExt;
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let path = PathBuf::from(program);
    let found = if path.components().count() > 1 || path.is_absolute() {
        Some(path.clone()).filter(|path| is_program(path))
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::env::split_paths(&folders).map(|folder| folder.join(&path));
        paths.into_iter().find(|path| is_program(path))
    };
    found.ok_or_else(|| WorkerError::Usage(format!("--exec: {} is not a program", path.display())))
}
