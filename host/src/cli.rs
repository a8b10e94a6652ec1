//! What can be typed: subcommands and flags, each also an environment variable.
//!
//! Nothing is decided here; [`crate::config::Config`] turns this into what will be done. What a hub
//! can be asked is in [`reef_commands`].

mod completions;
mod man;
mod relay;
mod tls;
mod version;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use reef_commands::ClientCommand;
use reef_settings::SettingsArgs;

use self::completions::{COMPLETIONS_EXAMPLES, COMPLETIONS_EXIT_CODES};
pub(crate) use self::completions::{CompletionsArgs, print_completions};
pub(crate) use self::man::{ManArgs, write_pages};
pub(crate) use self::relay::{MonitorArgs, RelayArgs};
pub(crate) use self::tls::TlsArgs;
use self::version::VersionArgs;
pub(crate) use self::version::print_version;
use crate::config_command::ConfigCommand;
use crate::init::InitArgs;
use crate::redis::memory;
use crate::spin_command::SpinCommand;

/// One example for each subcommand of the host, and all of them above `reef --help`.
macro_rules! example {
    (up) => {
        "  reef up                                    all on this machine: http://127.0.0.1:8888\n  \
         reef up --listen 127.0.0.1:0 --auth-mode open --state-dir /tmp/hub\n"
    };
    (serve) => {
        "  reef serve --redis-url redis://10.0.0.5:6379/0 --listen 0.0.0.0:8888\n"
    };
    (monitor) => {
        "  reef monitor --redis-url redis://10.0.0.5:6379/0 --listen 127.0.0.1:8889\n  \
         reef monitor --redis-url redis://10.0.0.5:6379/0 --hub-url https://hub.example\n"
    };
    (backup) => {
        "  reef backup hub.backup                     all data as of one instant; the hub goes on\n"
    };
    (restore) => {
        "  reef restore hub.backup --state-dir .reef  into an empty hub that is not running\n"
    };
    (compact) => {
        "  reef compact                               less disk for the same data\n"
    };
    (alerts) => {
        "  reef alerts test --alert-url https://ops.example/hook --alert-secret-file alert.secret\n"
    };
    (client) => {
        "  reef events tail                           what happens in the cluster of a hub\n"
    };
}

/// Shown below everything else by `reef --help`.
const ALL_EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something went wrong, or the hub refused
  2    usage or configuration
  3    Redis, or the hub, cannot be reached
  4    a stream was cut and could not be resumed
  130  interrupted

`reef COMMAND --help` says more, and what it takes from the environment.
";

/// Shown below everything else by the `--help` of those that work on a hub's data.
const DATA_EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    it could not be done: Redis refuses, the file is damaged, the target holds data
  2    usage
  3    Redis cannot be reached
  130  interrupted

Environment:
  REEF_REDIS_URL or REDIS_URL names the Redis, where --redis-url is not given; without any it is the
  private Redis of the state directory. SPIN_VARIABLE_KEY_PREFIX and SPIN_VARIABLE_KEY_LAYOUT are
  those of the hub. TMPDIR must have room for a snapshot of all data while a backup is taken.
";

/// Shown below everything else by the `--help` of `reef alerts`.
const ALERTS_EXIT_CODES: &str = "\
Exit codes:
  0    every webhook has taken the alert
  1    one has refused it
  2    usage
  3    one cannot be reached
  130  interrupted

Environment:
  REEF_ALERT_URL (several with commas between) and REEF_ALERT_SECRET_FILE, as for `reef up`.
";

/// Shown below everything else by the `--help` of those that run a host.
const EXIT_CODES: &str = "\
Exit codes:
  0    stopped by SIGTERM or SIGINT after it was ready; the requests under way were finished
  1    something went wrong while running
  2    usage or configuration: a flag, a variable, the manifest, a refused combination
  3    Redis cannot be reached
  130  interrupted before it was ready, or told twice to stop

Environment:
  Each flag is also REEF_<FLAG> (REEF_LISTEN, REEF_STATE_DIR, …); a flag wins over its variable, and
  that over reef.toml, which `reef init` writes with every flag and variable.
  REDIS_URL is taken when neither --redis-url nor REEF_REDIS_URL is given; then REDIS_HOST with
  REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB and REDIS_TLS; then the member redis of
  config/secrets.json. `reef config show --origin` says where each value comes from.
  SPIN_VARIABLE_<NAME> sets a variable of the manifest; --variable wins over it.
  REEF_LOG filters the log (default info), e.g. REEF_LOG=debug or REEF_LOG=reef=debug,warn.

Standard output carries the line `Serving http://ADDRESS` once requests are served, and then the
routes; everything else goes to standard error.
";

/// A Reef hub: its host, and what can be asked of it.
#[derive(Debug, Parser)]
#[command(name = "reef", before_help = concat!("Examples:\n", example!(up), example!(serve), example!(monitor), example!(backup), example!(client)), after_help = ALL_EXIT_CODES)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) version: VersionArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Subcommands>,
}

/// All subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Subcommands {
    #[command(flatten)]
    Host(Command),
    /// The configuration: what it is, where each value comes from, and whether it works
    #[command(before_help = crate::config_command::EXAMPLES, after_help = crate::config_command::EXIT_CODES)]
    Config(ConfigCommand),
    /// What this program carries, for Spin
    #[command(before_help = crate::spin_command::EXAMPLES, after_help = crate::spin_command::EXIT_CODES)]
    Spin(SpinCommand),
    /// Write a reef.toml with every flag and variable, its meaning and its default
    #[command(before_help = crate::init::EXAMPLES, after_help = crate::init::EXIT_CODES)]
    Init(InitArgs),
    /// What a shell needs to complete the commands and flags of reef
    #[command(before_help = COMPLETIONS_EXAMPLES, after_help = COMPLETIONS_EXIT_CODES)]
    Completions(CompletionsArgs),
    /// Write a page for `man` of each command
    #[command(hide = true)]
    Man(ManArgs),
    #[command(flatten)]
    Data(DataCommand),
    /// What is posted to webhooks
    #[command(before_help = concat!("Examples:\n", example!(alerts)), after_help = ALERTS_EXIT_CODES)]
    Alerts(AlertsCommand),
    #[command(flatten)]
    Client(ClientCommand),
}

/// The subcommands that run a host.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All in one: components, cron triggers and monitor, with a private Redis unless one is
    /// given
    #[command(before_help = concat!("Examples:\n", example!(up)), after_help = EXIT_CODES)]
    Up(UpArgs),
    /// Components and cron triggers over a given Redis, as Spin would run them. For more
    /// machines beside one `reef up` or `reef monitor`
    #[command(before_help = concat!("Examples:\n", example!(serve)), after_help = EXIT_CODES)]
    Serve(ServeArgs),
    /// Only the monitor and the host's own routes, beside a Spin deployment or `reef serve`
    #[command(before_help = concat!("Examples:\n", example!(monitor)), after_help = EXIT_CODES)]
    Monitor(MonitorArgs),
}

impl Command {
    /// The flags that every subcommand has.
    pub(crate) fn common(&self) -> &CommonArgs {
        match self {
            Self::Up(args) => &args.common,
            Self::Serve(args) => &args.common,
            Self::Monitor(args) => &args.common,
        }
    }
}

/// The subcommands that work on a hub's data, in its Redis.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Keep all data of a hub in a file, as of one instant. The hub may go on working
    #[command(before_help = concat!("Examples:\n", example!(backup)), after_help = DATA_EXIT_CODES)]
    Backup(FileArgs),
    /// Restore such a file into a Redis that holds no hub's data, under that hub's key names. The
    /// hub must be stopped
    #[command(before_help = concat!("Examples:\n", example!(restore)), after_help = DATA_EXIT_CODES)]
    Restore(FileArgs),
    /// Let the private Redis write its data anew, without what was changed since
    #[command(before_help = concat!("Examples:\n", example!(compact)), after_help = DATA_EXIT_CODES)]
    Compact(CompactArgs),
}

/// Flags of `reef backup` and `reef restore`.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The backup
    pub(crate) file: PathBuf,

    /// The hub's Redis, if it is not the private one (a password belongs in the environment
    /// variable)
    #[arg(long, env = "REEF_REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) redis_url: Option<String>,

    /// Where the hub keeps what it owns
    #[arg(long, env = "REEF_STATE_DIR", value_name = "DIR", default_value = ".reef")]
    pub(crate) state_dir: PathBuf,

    /// The hub's variable key_prefix
    #[arg(long, env = "SPIN_VARIABLE_KEY_PREFIX", value_name = "PREFIX", default_value = "")]
    pub(crate) key_prefix: String,

    /// The hub's variable key_layout
    #[arg(long, env = "SPIN_VARIABLE_KEY_LAYOUT", value_name = "LAYOUT", default_value = "plain")]
    pub(crate) key_layout: KeyLayout,

    /// Print the outcome as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `reef compact`.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    /// Where the hub keeps what it owns
    #[arg(long, env = "REEF_STATE_DIR", value_name = "DIR", default_value = ".reef")]
    pub(crate) state_dir: PathBuf,

    /// Print the outcome as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How keys are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyLayout {
    /// The names that old clients know.
    Plain,
    /// With hash tags, for Redis Cluster.
    Cluster,
}

/// Flags of every subcommand.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,

    /// Address to listen on; port 0 takes any free port
    #[arg(long, env = "REEF_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    pub(crate) listen: String,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,

    /// The Spin manifest; without it the folder's spin.toml, and where there is none, the components
    /// that this program carries
    #[arg(long, env = "REEF_SPIN_FILE", value_name = "FILE")]
    pub(crate) spin_file: Option<PathBuf>,

    /// The Redis or Valkey to use, e.g. redis://127.0.0.1:6379/0 (a password belongs in the
    /// environment variable, not onto the command line)
    #[arg(long, env = "REEF_REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) redis_url: Option<String>,

    /// Sets a variable of the manifest; repeatable. Wins over SPIN_VARIABLE_<NAME>, which wins
    /// over the runtime configuration, then reef.toml, then the manifest's default
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,

    /// Spin's runtime configuration file. Understood: [[variables_provider]] of type "static"
    #[arg(long, env = "REEF_RUNTIME_CONFIG_FILE", value_name = "FILE")]
    pub(crate) runtime_config_file: Option<PathBuf>,

    /// How the log on standard error is written; text where nothing is said
    #[arg(long, env = "REEF_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,

    /// Most HTTP connections open at once, readers of event streams included. For further ones idle
    /// ones are closed; where none is idle, they are told to come again later
    #[arg(long, env = "REEF_MAX_CONNECTIONS", value_name = "N", default_value_t = 16_384)]
    pub(crate) max_connections: u32,

    /// Most of them from one address, of those over which no good key has come
    #[arg(long, env = "REEF_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N", default_value_t = 256)]
    pub(crate) max_connections_per_address: u32,

    /// How long a shutdown waits for the requests it found, in seconds
    #[arg(long, env = "REEF_DRAIN_TIMEOUT", value_name = "SECONDS", default_value_t = 10.0)]
    pub(crate) drain_timeout: f64,

    /// How long a client may take nothing of what is sent to it before its connection is cut, in
    /// seconds
    #[arg(long, env = "REEF_SEND_TIMEOUT", value_name = "SECONDS", default_value_t = 20.0)]
    pub(crate) send_timeout: f64,

    /// How often a reader of an event stream gets a comment, in seconds. Less where a proxy closes
    /// connections that have been quiet for as long
    #[arg(
        long,
        env = "REEF_STREAM_COMMENT_PERIOD",
        value_name = "SECONDS",
        default_value_t = 15.0
    )]
    pub(crate) stream_comment_period: f64,
}

/// Flags of the subcommands that run components.
#[derive(Debug, Args)]
pub(crate) struct ServingArgs {
    /// Where the hub keeps what it owns: the private Redis and its data, the admin key, compiled
    /// code
    #[arg(long, env = "REEF_STATE_DIR", value_name = "DIR", default_value = ".reef")]
    pub(crate) state_dir: PathBuf,

    /// Whether callers need a key; sets the manifest's variable auth_mode
    #[arg(long, env = "REEF_AUTH_MODE", value_name = "MODE")]
    pub(crate) auth_mode: Option<AuthMode>,

    /// File with the admin key; sets the manifest's variable admin_key. Without it `reef up`
    /// makes one in the state directory
    #[arg(long, env = "REEF_ADMIN_KEY_FILE", value_name = "FILE")]
    pub(crate) admin_key_file: Option<PathBuf>,

    /// Allow auth_mode=open on an address that others can reach
    #[arg(long, env = "REEF_INSECURE")]
    pub(crate) insecure: bool,

    /// Most time a component may take for one request, in seconds
    #[arg(long, env = "REEF_REQUEST_TIMEOUT", value_name = "SECONDS", default_value_t = 10.0)]
    pub(crate) request_timeout: f64,

    /// Call components through wasi:http, as Spin does, and not by Reef's own interface: slower,
    /// for comparing the two
    #[arg(long, env = "REEF_NO_DIRECT")]
    pub(crate) no_direct: bool,
}

/// Flags of the subcommands that run the monitor.
#[derive(Debug, Args)]
pub(crate) struct MonitoringArgs {
    /// Time between two rounds of the monitor, in milliseconds
    #[arg(long, env = "REEF_TICK", value_name = "MS", default_value_t = 1000)]
    pub(crate) tick: u64,

    #[command(flatten)]
    pub(crate) alerts: AlertArgs,
}

/// Flags that say who is told of what an operator should hear of.
#[derive(Debug, Args)]
pub(crate) struct AlertArgs {
    /// Webhook that alerts are posted to; repeatable, in the environment with commas between
    #[arg(
        long,
        env = "REEF_ALERT_URL",
        value_name = "URL",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) alert_url: Vec<String>,

    /// File with the secret that alerts are signed with
    #[arg(long, env = "REEF_ALERT_SECRET_FILE", value_name = "FILE")]
    pub(crate) alert_secret_file: Option<PathBuf>,
}

/// `reef alerts`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct AlertsCommand {
    #[command(subcommand)]
    pub(crate) verb: AlertsVerb,
}

/// What can be done about alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsVerb {
    /// Post one alert of the type `test` to each webhook, once, and show what it answers
    #[command(before_help = concat!("Examples:\n", example!(alerts)), after_help = ALERTS_EXIT_CODES)]
    Test(AlertArgs),
}

/// `reef up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) serving: ServingArgs,
    #[command(flatten)]
    pub(crate) monitoring: MonitoringArgs,

    /// When the private Redis writes to the disk: before each answer, or once a second (which
    /// can lose the last second when the machine dies)
    #[arg(long, env = "REEF_REDIS_FSYNC", value_name = "WHEN", default_value = "always")]
    pub(crate) redis_fsync: Fsync,

    /// The memory that the private Redis may use, such as 512mb or 4gb; 0 for no bound. Full, it
    /// takes no writes. Without it: three quarters of what this machine or container has
    #[arg(long, env = "REEF_REDIS_MEMORY", value_name = "BYTES", value_parser = memory::parse)]
    pub(crate) redis_memory: Option<u64>,

    /// Install redis-server or valkey-server with this system's package manager, if there is none;
    /// without this flag `reef up` asks, on a terminal
    #[arg(long)]
    pub(crate) install_redis: bool,

    /// Print a link that signs a browser in to the page, once and within a minute, and what to do
    /// next, also where standard error is no terminal
    #[arg(long)]
    pub(crate) sign_in_link: bool,
}

/// `reef serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) serving: ServingArgs,
}

/// Whether callers need a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthMode {
    /// Anonymous callers may do all that is not about money.
    Open,
    /// Every caller needs a key.
    Keys,
}

impl AuthMode {
    /// The value of the manifest's variable.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Keys => "keys",
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// When the private Redis calls `fsync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fsync {
    /// Before each answer.
    Always,
    /// Once a second.
    Everysec,
}

impl Fsync {
    /// The value of Redis' `appendfsync`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Everysec => "everysec",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn flags_are_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn help_leads_with_an_example_and_lists_the_exit_codes() {
        let mut reef = super::Cli::command();
        let mut helps = vec![reef.render_long_help().to_string()];
        reef.build();
        // The client's own subcommands are looked at where they are made, too.
        let shown = reef.get_subcommands().filter(|command| !command.is_hide_set());
        let mut waiting: Vec<_> = shown.cloned().collect();
        while let Some(mut command) = waiting.pop() {
            helps.push(command.render_long_help().to_string());
            waiting.extend(command.get_subcommands().cloned());
        }
        assert!(helps.len() > 50, "{}", helps.len());
        for help in helps {
            assert!(help.starts_with("Examples:\n  reef "), "{help}");
            for code in ["  0  ", "  1  ", "  2  ", "  3  ", "  130  "] {
                assert!(help.contains(code), "{code}");
            }
        }
    }
}
