//! `reef config`: the configuration, where each value comes from, and whether it works.

pub(crate) mod certificate;
pub(crate) mod check;
pub(crate) mod show;
mod spin_env;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use reef_settings::SettingsArgs;

use crate::failure::Failure;
use crate::output::print;
use crate::reef_toml;

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef config show --origin      every value, and where it comes from
  reef config check              whether the Redis can be used, and if not, why
";

/// Shown below everything else by the `--help` of each of these commands.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done; what was checked is good
  1    the Redis can be used, and could lose data; a certificate ends soon; or something went wrong
  2    usage or configuration: a file, an address, a password, TLS on one side only, a certificate
  3    the Redis cannot be reached
  130  interrupted

From strongest to weakest: --redis-url, the environment (REEF_REDIS_URL, SPIN_VARIABLE_REDIS_URL,
REDIS_URL; then REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB, REDIS_TLS),
reef.toml, config/secrets.json and config/config.json, the default. ${VAR} in a value of these files
is replaced by the variable. `reef config show --origin` lists all variables that are set.
";

/// `reef config`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct ConfigCommand {
    #[command(flatten)]
    given: Given,
    #[command(subcommand)]
    verb: Verb,
}

/// Flags of all of them.
#[derive(Debug, Args)]
struct Given {
    #[command(flatten)]
    settings: SettingsArgs,

    /// The Redis, as for `reef up` (a password belongs in the environment or in
    /// secrets.json)
    #[arg(long, value_name = "URL", global = true)]
    redis_url: Option<String>,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print every value, secrets masked
    #[command(before_help = "Examples:\n  reef config show --origin\n  reef config show --json\n", after_help = EXIT_CODES)]
    Show(show::ShowArgs),
    /// Connect to the Redis, look at the certificate for HTTPS, and say in plain words what is wrong
    #[command(before_help = "Examples:\n  reef config check\n  reef config check --redis-url rediss://cache.lab:6380/0 --json\n", after_help = EXIT_CODES)]
    Check,
    /// Print what Spin takes from the environment, secrets included: NAME=VALUE lines
    #[command(before_help = "Examples:\n  reef config spin-env --admin-key-file .reef/admin.key > hub.env\n  env $(reef config spin-env) spin up\n", after_help = EXIT_CODES)]
    SpinEnv(spin_env::SpinEnvArgs),
}

/// Runs one of them.
pub(crate) fn run(command: ConfigCommand) -> Result<(), Failure> {
    let given = command.given;
    let settings = reef_toml::load(&given.settings)?;
    let settings = settings.typed("redis.url", "--redis-url", given.redis_url);
    match command.verb {
        Verb::Show(args) => print(&show::render(&settings, &args, given.json)?),
        Verb::SpinEnv(args) => print(&spin_env::render(&settings, &args)?),
        Verb::Check => {
            let tls = certificate::examine(&settings).map(|(_, problems)| problems);
            let report = block_on(check::examine(&settings))?.also(tls.unwrap_or_default());
            print(&if given.json {
                report.json().map_err(|error| Failure::Runtime(error.into()))?
            } else {
                report.text()
            })?;
            report.failure().map_or(Ok(()), Err)
        }
    }
}

/// Waits for something on this thread.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("cannot start")?.block_on(work))
}
