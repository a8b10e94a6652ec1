//! What can be typed for a worker, beside which hub it works for.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Flags of a worker.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// What this worker can do; repeatable. It is given the tasks that ask for nothing else
    #[arg(long = "skill", value_name = "SKILL", required_unless_present = "workflows")]
    pub skills: Vec<String>,

    /// Where there is a choice, tasks with such an affinity tag come here; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,

    /// Most tasks at once, 1-100
    #[arg(long, env = "REEF_WORKER_SLOTS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub slots: u32,

    /// The name under which this worker registers, where several run on one machine; else the
    /// machine's own
    #[arg(long, env = "REEF_WORKER_HOSTNAME", value_name = "NAME")]
    pub hostname: Option<String>,

    /// Where the node's id is kept, so that a restart keeps it
    #[arg(long, env = "REEF_STATE_DIR", value_name = "DIR", default_value = ".reef")]
    pub state_dir: PathBuf,

    /// How long a task is ours without a word from here, in seconds: after that another worker
    /// gets it
    #[arg(long, env = "REEF_WORKER_LEASE", value_name = "SECONDS", default_value_t = 30.0)]
    pub lease: f64,

    /// How long SIGTERM waits for the tasks that run, in seconds; then they go back to the queue
    #[arg(long, env = "REEF_WORKER_DRAIN_TIMEOUT", value_name = "SECONDS", default_value_t = 60.0)]
    pub drain_timeout: f64,

    /// How long to wait for a hub that is not there yet, in seconds
    #[arg(long, env = "REEF_WORKER_START_TIMEOUT", value_name = "SECONDS", default_value_t = 60.0)]
    pub start_timeout: f64,

    /// Work with a key that administers, which is refused else: a worker runs other agents' tasks
    #[arg(long)]
    pub as_admin: bool,

    /// Let the command see REEF_API_KEY: the key that this worker uses
    #[arg(long)]
    pub pass_key: bool,

    /// Run the workflows simple, planner and critic of session tasks with a language model
    #[arg(long, requires = "llm_url", requires = "llm_model")]
    pub workflows: bool,

    /// The model's endpoint, which speaks OpenAI's chat protocol, e.g. http://127.0.0.1:11434/v1
    #[arg(long, env = "REEF_LLM_URL", value_name = "URL")]
    pub llm_url: Option<String>,

    /// The model to ask for
    #[arg(long, env = "REEF_LLM_MODEL", value_name = "MODEL")]
    pub llm_model: Option<String>,

    /// File with the endpoint's key; else REEF_LLM_KEY holds it, or none is sent
    #[arg(long, env = "REEF_LLM_KEY_FILE", value_name = "FILE")]
    pub llm_key_file: Option<PathBuf>,

    /// The limit that stands for the model's endpoint: when that refuses (429), the tasks under it wait
    #[arg(long, env = "REEF_LLM_LIMIT", value_name = "NAME")]
    pub llm_limit: Option<String>,

    /// How long the model may say nothing before its answer counts as broken, in seconds
    #[arg(long, env = "REEF_LLM_TIMEOUT", value_name = "SECONDS", default_value_t = 120.0)]
    pub llm_timeout: f64,

    /// Send what the command prints to the log of its task, as far as it is no message (worker.log in
    /// reef.toml): `reef tasks logs TASK` shows it to the task's owner
    #[arg(long)]
    pub log: bool,

    /// The command to run for each task. Takes all that follows, so it comes last
    #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true, required_unless_present = "workflows")]
    pub exec: Vec<OsString>,
}

/// Shown by `--help` above everything else.
pub const EXAMPLES: &str = "Examples:
  reef worker --skill python --skill gpu --slots 2 --exec ./handler --fast
  reef worker --skill ffmpeg --log --exec ./convert
  reef worker --workflows --llm-url http://127.0.0.1:11434/v1 --llm-model llama3.2
";

/// Shown by `--help` below everything else.
pub const DETAILS: &str = "\
The command:
  It gets the task as JSON on standard input, and REEF_TASK_ID, REEF_TASK_TOKEN (changes with every
  claim: give it to what must have an effect only once), REEF_TASK_ATTEMPT, REEF_NODE_ID and
  REEF_HUB in its environment. Each line of JSON on standard output is a message:
    {\"progress\": 0.4}             how far it is, 0-1
    {\"delta\": \"text\"}             text for the task's message, if it has one
    {\"content\": {block}}          a content block for it
    {\"result\": any}               the task's result; the last one counts. A \"content\" beside it takes
                                  the place of the message's placeholder
    {\"wait\": {wait}}              the task waits, once the command has ended well: \"kind\" approval
                                  (with \"question\"), signal (\"name\"), sleep (\"for_ms\") or tasks
                                  (\"task_ids\" or \"group_id\"), and \"checkpoint\". The slot is free
                                  meanwhile; a later run gets \"checkpoint\" and \"resume\" with the task
    {\"busy\": {\"limit\", \"retry_after_ms\"}}
                                  a provider has refused: nothing begins for so long under a limit
                                  that the task is under, on whichever worker
    {\"snooze\": {\"after_ms\": 500}}  no try: the task is given back, and tried again after so long;
                                  once the command has ended with 0 or 75
  Other lines, and standard error, go to this worker's log, and with --log to the task's as well, four
  times a second: 400 lines. What comes faster waits, up to 1000 lines; what comes beyond is dropped, and a
  line says how much. Exit code 0 completes the task. Any other fails
  it, with the last line of standard error; the hub tries again unless the code is 64-78 (as in
  sysexits.h, but 75, EX_TEMPFAIL, is tried again).
  At the task's timeout, when it is cancelled, and when this worker can no longer renew its lease,
  the command's process group gets SIGTERM, and 4 s later SIGKILL ends all that the command has
  started, on Linux also what has left its group or session. When the lease is lost that happens at
  once: the task may be running elsewhere. Two guards (reef worker-guard) between the worker and
  each command do the same when the worker is killed or paused.

Exit codes:
  0    stopped by SIGTERM or SIGINT; what ran was finished, or given back
  1    the hub refused, or another worker took this node's id
  2    usage
  3    the hub cannot be reached
  130  told twice to stop

Environment:
  REEF_API_KEY holds a key, where neither --key-file nor REEF_KEY_FILE is given: that of an agent,
  which `reef agents register` makes. A key that administers is refused without --as-admin, and the
  one in .reef/admin.key is not taken without it.
  REEF_LOG filters this worker's log (default info). REEF_WORKER_LOG=true is --log.
";
