//! Limits of tasks and of the queue.

limits! {
/// Longest name of a task, in characters.
pub const TASK_NAME_CHARS_MAX: usize = 255;

/// Longest id of the user that a task is for, in characters: it becomes part of a key.
pub const USER_CHARS_MAX: usize = 128;

/// Longest timeout of a task, in milliseconds: a week.
pub const TASK_TIMEOUT_MS_MAX: i64 = 7 * 86_400_000;

/// Longest delay of a task, in milliseconds: 30 d.
pub const TASK_DELAY_MS_MAX: i64 = 30 * 86_400_000;

/// Most retries that a task may ask for.
pub const TASK_RETRIES_MAX: i64 = 100;

/// Most agents in a task's audience: its class is listed for each of them.
pub const AUDIENCE_MAX: usize = 20;

/// First wait of a task that failed and has tries left, in milliseconds; it doubles with each try.
pub const BACK_OFF_MS_MIN: i64 = 1_000;

/// Longest such wait, in milliseconds: five minutes.
pub const BACK_OFF_MS_MAX: i64 = 300_000;

/// Longest key of fairness, in characters: the queue keeps it with each key's last place.
pub const FAIRNESS_KEY_CHARS_MAX: usize = 64;

/// Keys of fairness, of all owners and priorities, whose places are kept: about a megabyte. Tasks of others are in
/// the order of their submission.
pub const FAIR_TRACKS_MAX: i64 = 10_000;

/// Weights of keys that are set for all tasks: they are read and written as a whole.
pub const FAIR_WEIGHTS_MAX: usize = 1_000;

/// By how much a task stands behind its place for the sake of fairness at most, in microseconds: half an hour, as
/// one of the lowest priority, so that none starves.
pub const FAIR_BEHIND_US: i64 = 1_800_000_000;

/// In which time the fleet begins a task, in microseconds, while that was not measured.
pub const FAIR_QUANTUM_US: i64 = 100_000;

/// Shortest such time, in microseconds: no hub begins more than some thousand tasks a second.
pub const FAIR_QUANTUM_US_MIN: i64 = 100;

/// Longest such time, in microseconds: a minute, so that thirty tasks of a key still have different places.
pub const FAIR_QUANTUM_US_MAX: i64 = 60_000_000;

/// How often that time is measured, in milliseconds.
pub const FAIR_MEASURED_MS: i64 = 10_000;

/// Longest key of what there is to be one of, in characters: two make a line of a log.
pub const UNIQUE_KEY_CHARS_MAX: usize = 128;

/// Longest time for which such a key is held whatever becomes of its task, in milliseconds: 30 d, as ended tasks
/// are kept.
pub const UNIQUE_TTL_MS_MAX: i64 = 30 * 86_400_000;

/// How many times as long as after one submission a debounced task waits at most, unless it says so itself.
pub const DEBOUNCE_TIMES: i64 = 10;

/// Longest token of a claim, in characters: a number and some random text, with room to grow.
pub const CLAIM_TOKEN_CHARS_MAX: usize = 64;

/// Longest wait of a long poll, in milliseconds (`contract.md` §5).
pub const WAIT_MS_MAX: i64 = 30_000;

/// Most iterations of a workflow (`contract.md` §5).
pub const ITERATIONS_MAX: i64 = 20;

/// Classes of waiting tasks (what they require and prefer) up to which preferences are honoured;
/// beyond, a task waits in the class of its required skills alone.
pub const PREFERRING_CLASSES_MAX: i64 = 1_000;

/// Most classes of waiting tasks. A claim may have to look at each of those that are listed under a
/// skill of the node, so that this bounds its cost: 10 000 take about 20 ms.
pub const CLASSES_MAX: i64 = 10_000;

/// Tasks of one batch, and tasks that one step of a clean-up forgets or looks at: some milliseconds.
pub const TASK_BATCH: i64 = 100;

/// Tasks that one script hands out, ends or puts back: a claim or a change of more takes several, so that
/// nobody waits longer than some four milliseconds for any of them.
pub const CHANGE_BATCH: i64 = 25;

/// How old a half-done session task is before the monitor takes it on, in milliseconds: whoever began it
/// has given up by then.
pub const UNFINISHED_AFTER_MS: i64 = 15_000;

/// Most tasks that a redrive may name.
pub const REDRIVE_MAX: usize = 1_000;

/// Longest that a task may be kept after its end, in milliseconds: a year, as the variable
/// `task_kept_hours` allows.
pub const TASK_KEPT_MS_MAX: i64 = 365 * 86_400_000;

/// Bytes of what tasks have brought after which a step of a clean-up ends: some milliseconds of Redis.
pub const FORGET_BYTES: i64 = 4 << 20;

/// When the clean-up looks again at a task whose message has not heard of its end, in milliseconds: the
/// monitor tells the message meanwhile.
pub const UNSETTLED_AGAIN_MS: i64 = 60_000;

/// Largest value, in bytes, that leaves a hash in Redis' compact form (`hash-max-listpack-value`).
pub const SMALL_VALUE_BYTES: i64 = 64;

/// Largest description, in bytes, that lies with a task from the start: each step reads and writes it.
pub const LARGE_SPEC_BYTES: i64 = 16 << 10;

/// Bytes that an ended task takes in Redis beside what it has brought (`docs/operating/sizing.md`).
pub const ENDED_TASK_BYTES: i64 = 1_500;

/// Entries that the list for old workers keeps.
pub const OLD_QUEUE_MAX: i64 = 10_000;

/// Classes of tasks that a claim looks at first: these are most often enough.
pub const CLAIM_PAGE: i64 = 8;

/// Classes that a claim looks at then, at a time.
pub const CLAIM_PAGE_MAX: i64 = 64;

/// Tasks of one rank among which a claim chooses the best match.
pub const CLAIM_TIES_MAX: i64 = 16;

/// Delayed tasks whose time has come that a claim puts into the queue on its way.
pub const CLAIM_DUE_MAX: i64 = 5;

/// Uses of limits that one script opens after a claim.
pub const LIMITS_OPENED_MAX: i64 = 5;

/// Classes that are listed again at once when a use opens: one that opens by a single task shuts again with
/// the next claim.
pub const OPENED_CLASSES: i64 = 4;

/// Classes that one claim parks since a limit of theirs is shut: about half a millisecond. The claim goes on
/// in another script.
pub const CLAIM_PARKS_MAX: i64 = 64;

/// For how long a use of a limit is remembered after its last rate has run out, in milliseconds: a clock
/// that is set forward by less forgets none.
pub const LIMIT_USE_KEPT_MS: i64 = 3_600_000;

/// Most limits of a hub. Each may have any number of keys, which are there only while they are used.
pub const LIMITS_MAX: i64 = 1_000;

/// Most limits that one task is under: a claim looks at each.
pub const TASK_LIMITS_MAX: usize = 4;

/// Most rates of a limit: by the second, the minute and the day.
pub const LIMIT_RATES_MAX: usize = 3;

/// Most tasks under one limit at once.
pub const LIMIT_CONCURRENCY_MAX: i64 = 10_000;

/// Most tasks, or tokens, within a limit's time: exact as a Lua number, also where they are shared out.
pub const LIMIT_COUNT_MAX: i64 = 1_000_000_000;

/// Longest time of a rate, in milliseconds: 31 days, as providers count.
pub const LIMIT_PER_MS_MAX: i64 = 31 * 86_400_000;

/// Longest that a provider's refusal shuts a limit, in milliseconds: an hour. A longer one is said again.
pub const PENALTY_MS_MAX: i64 = 3_600_000;

/// Longest key of a limit, in characters: it becomes part of a Redis key.
pub const LIMIT_KEY_CHARS_MAX: usize = 128;

/// Longest note to a limit, in characters.
pub const LIMIT_NOTE_CHARS_MAX: usize = 500;

/// Most skills that are paused one by one: a claim reads them.
pub const PAUSED_SKILLS_MAX: usize = 100;

/// When a task for whose class there is no place is looked at again, in milliseconds.
pub const CROWDED_MS: i64 = 5000;

/// How much longer than its own timeout a task may run by its lease, in milliseconds.
pub const TIMEOUT_GRACE_MS: i64 = 5000;

/// For how long a node's lost claims are kept for its next heartbeat, in milliseconds.
pub const LOST_CLAIMS_KEPT_MS: i64 = 86_400_000;

/// Most nodes that are looked at to say why a task waits.
pub const WHY_NODES_MAX: i64 = 1000;

/// Waits of one task that are kept, open or ended: enough to see how it came to where it is.
pub const TASK_WAITS_KEPT: i64 = 20;

/// Most signals that a task has got and not taken.
pub const SIGNALS_MAX: i64 = 100;

/// Largest payload of a signal, in bytes: a hundred of them are kept.
pub const SIGNAL_BYTES_MAX: usize = 16 << 10;

/// Longest name of a signal, in characters.
pub const SIGNAL_NAME_CHARS_MAX: usize = 128;

/// Largest checkpoint, in bytes: it is handed out with the task's next claim.
pub const CHECKPOINT_BYTES_MAX: usize = 256 << 10;

/// Longest question of a wait for an approval, in characters.
pub const QUESTION_CHARS_MAX: usize = 2_000;

/// Largest details of a question, and largest value of an answer, in bytes: lists show them.
pub const WAIT_DETAILS_BYTES_MAX: usize = 64 << 10;

/// Most options of a question.
pub const WAIT_OPTIONS_MAX: usize = 10;

/// Longest value, and longest label, of an option, in characters.
pub const WAIT_OPTION_CHARS_MAX: usize = 64;

/// Most agents that may answer a wait: it is listed for each of them.
pub const ASSIGNEES_MAX: usize = 20;

/// Most answers that a decision may take.
pub const APPROVALS_MAX: i64 = 5;

/// Longest comment of an answer, in characters.
pub const COMMENT_CHARS_MAX: usize = 2_000;

/// Longest wait that ends by itself, in milliseconds: 30 d.
pub const WAIT_FOR_MS_MAX: i64 = 30 * 86_400_000;

/// Most tasks, or groups, that one task follows, or that one wait is for.
pub const FOLLOWED_MAX: usize = 100;

/// Most unfinished tasks of a session that one submission ends: with its own it stays below what one script
/// may end.
pub const INTERRUPTED_MAX: i64 = 20;

/// Most tasks that are submitted at once: a script that blocks Redis for some milliseconds.
pub const BATCH_TASKS_MAX: usize = 100;

/// How much of that tasks of a batch may follow together.
pub const BATCH_EDGES_MAX: usize = 400;

/// How many followers one script tells of an end: 20 take about two milliseconds.
pub const FOLLOWERS_AT_ONCE: i64 = 20;

/// Most labels of a task: each is an entry in an index.
pub const TASK_LABELS_MAX: usize = 8;

/// Longest key of a label, in characters.
pub const TASK_LABEL_KEY_CHARS_MAX: usize = 64;

/// Longest value of a label, in characters.
pub const TASK_LABEL_VALUE_CHARS_MAX: usize = 128;

/// Most tasks that one bulk job may change.
pub const BULK_MOST_MAX: i64 = 1_000_000;

/// Tasks that one step of a bulk job looks at while it counts: about two milliseconds.
pub const BULK_COUNT_STEP: i64 = 500;

/// Bulk jobs of one owner that may be under way: the monitor takes them in turn.
pub const BULKS_MAX: i64 = 4;

/// Bulk jobs of one owner that are kept; the oldest that has ended goes for a new one.
pub const BULKS_KEPT: i64 = 100;

/// How long a bulk job is shown after its end, in milliseconds: a week.
pub const BULK_KEPT_MS: i64 = 7 * 86_400_000;

/// Ids of tasks that a bulk job shows of those that it has counted.
pub const BULK_SAMPLE: i64 = 10;

/// Longest id of a schedule, in characters: the ids of its tasks are `sch_<id>_<milliseconds>`.
pub const SCHEDULE_ID_CHARS_MAX: usize = 100;

/// Most schedules of all owners together.
pub const SCHEDULES_MAX: i64 = 10_000;

/// Largest task of a schedule, in bytes: it is kept with the schedule, and each run copies it.
pub const SCHEDULE_TASK_BYTES_MAX: usize = 64 << 10;

/// Longest cron pattern, in characters.
pub const CRON_CHARS_MAX: usize = 256;

/// Longest name of a time zone, in characters.
pub const TIMEZONE_CHARS_MAX: usize = 64;

/// Longest note to a schedule, in characters.
pub const SCHEDULE_NOTE_CHARS_MAX: usize = 500;

/// How late a run may be and still be on time, in milliseconds: a trigger that looks each minute is seldom
/// later. What is later is caught up with, as the schedule says.
pub const SCHEDULE_ON_TIME_MS: i64 = 60_000;

/// Most runs that begin at once because their time has come, and that `catch_up` makes up for, unless it
/// says otherwise.
pub const SCHEDULE_RUNS_AT_ONCE: i64 = 10;

/// Runs of a calendar that came due while nobody looked and that are counted: more count as so many.
pub const SCHEDULE_MISSED_MAX: usize = 1000;

/// Time between two runs that are made up for, in milliseconds.
pub const CATCH_UP_GAP_MS: i64 = 1000;

/// Most runs that one request makes up for.
pub const BACKFILL_MOST_MAX: i64 = 100;

/// Runs of a schedule that are kept.
pub const SCHEDULE_RUNS_KEPT: i64 = 100;

/// Runs of a schedule that are shown.
pub const SCHEDULE_RUNS_SHOWN: i64 = 20;

/// Due schedules that one step of the monitor reads: with the largest tasks a little more than a megabyte.
pub const SCHEDULES_DUE_BATCH: i64 = 20;

/// Most models that one report of usage names, and that a task lists; what it uses of further ones is
/// listed together.
pub const USAGE_MODELS_MAX: usize = 16;

/// Most models of one try of which is remembered what was reported; further ones count as one.
pub const USAGE_TRY_MODELS_MAX: i64 = 64;

/// Most tokens, and most requests, that one try uses of a model: their sums stay exact as Lua numbers.
pub const USAGE_TOKENS_MAX: i64 = 1_000_000_000;

/// Most that one try says that a model has cost, in millionths: a million units.
pub const USAGE_COST_MAX: i64 = 1_000_000_000_000;

/// Most that sums of usage count to: further digits would be lost where they are written.
pub const USAGE_SUM_MAX: i64 = 99_999_999_999_999;

/// Longest name of a model, in characters.
pub const MODEL_CHARS_MAX: usize = 128;

/// Longest name of a provider, in characters.
pub const PROVIDER_CHARS_MAX: usize = 64;

/// Highest price of a million tokens, in millionths of a unit: times less than a million tokens it is exact
/// as a Lua number.
pub const PRICE_MAX: i64 = 9_000_000_000;

/// Most prices of a hub.
pub const PRICES_MAX: i64 = 1_000;

/// Most tokens of a budget.
pub const BUDGET_TOKENS_MAX: i64 = 10_000_000_000_000;

/// Most budgets of one owner's users and groups, and its own.
pub const BUDGETS_MAX: i64 = 1_000;

/// Longest note to a budget, in characters.
pub const BUDGET_NOTE_CHARS_MAX: usize = 500;

/// Different models, users, nodes and groups that one owner's usage of a day is added up by; further ones
/// are added up together.
pub const USAGE_FIELDS_MAX: i64 = 1_000;

/// The same of all owners together: what one script reads of a day.
pub const USAGE_FIELDS_OF_ALL_MAX: i64 = 5_000;

/// Kinds of usage (who, for whom, of which model) that wait to be added up by days: what one owner uses beyond
/// is added up without telling it apart.
pub const SPENT_NEW_MAX: i64 = 10_000;

/// How many of these one script adds up: about two milliseconds.
pub const SPENT_BATCH: i64 = 100;

/// For how long what was used on a day is kept, in milliseconds: 400 d, so that a year can be compared with
/// the one before.
pub const USAGE_KEPT_MS: i64 = 400 * 86_400_000;

/// Most days of usage that one request reads.
pub const USAGE_DAYS_MAX: i64 = 31;

/// For how long it is remembered that a task's money could not be reserved, in milliseconds: whoever was to
/// reserve it, and comes later, finds that it is decided.
pub const CHARGE_REFUSED_KEPT_MS: i64 = 30 * 86_400_000;

/// When a payment that could not be made is tried again, in milliseconds.
pub const UNPAID_AGAIN_MS: i64 = 60_000;

/// Counts by minute that wait for the monitor to move them: about ten hours of minutes in which all happens. Beyond,
/// whoever counts moves what it counts, so that a hub without a monitor keeps no more.
pub const HISTORY_NEW_MAX: i64 = 10_000;

/// How many of these one script moves: about a millisecond.
pub const HISTORY_BATCH: i64 = 200;

/// For how long the history keeps minutes, in milliseconds: 3 d, a weekend.
pub const HISTORY_MINUTES_MS: i64 = 3 * 86_400_000;

/// For how long it keeps hours, in milliseconds: 90 d, a quarter.
pub const HISTORY_HOURS_MS: i64 = 90 * 86_400_000;

/// Longest wait or run that goes into the sums as it is, in milliseconds: 115 d; what is longer is mostly a clock
/// that was set.
pub const HISTORY_SPAN_MS_MAX: i64 = 10_000_000_000;

/// Most points of one answer: a day of minutes, 60 d of hours.
pub const HISTORY_POINTS_MAX: i64 = 1_440;

/// How many minutes or hours one script reads: about a millisecond.
pub const HISTORY_READ_BATCH: i64 = 240;

/// Tries of a task that are listed, the last ones.
pub const ATTEMPTS_KEPT: i64 = 20;

/// Longest first line of an error that is kept of a try, and that dead letters are told apart by, in bytes.
pub const ERROR_LINE_BYTES: i64 = 200;

/// Longest reason of a bulk job, in characters.
pub const BULK_REASON_CHARS_MAX: usize = 500;

/// Longest text that is looked for in errors, in characters.
pub const FIND_TEXT_CHARS_MAX: usize = 64;

/// Bytes of errors after which a list that looks for a text in them ends a page: the slowest of texts take
/// about three milliseconds.
pub const FIND_READ_BYTES: i64 = 256 << 10;

/// Longest that a task that failed may be kept back, by its own policy or by whoever ran it, in
/// milliseconds: a day, which is the longest that a provider closes its gate.
pub const RETRY_MS_MAX: i64 = 86_400_000;

/// Largest factor by which such a wait grows: it is at its bound after a few tries then.
pub const RETRY_FACTOR_MAX: u8 = 100;

/// How often in a row a task may be put off without that being counted as a try; a worker that puts off
/// all that it gets would else keep a task for ever.
pub const SNOOZES_MAX: i64 = 10;

/// Most lines that are kept of a task's log: what somebody reads who looks for what went wrong, and what a page
/// shows without a stutter. Older ones give way.
pub const LOG_LINES_MAX: i64 = 2000;

/// Most bytes that are kept of it, what Redis keeps beside each line included: a thousand tasks that log
/// without end take a gigabyte and not eight.
pub const LOG_BYTES_MAX: i64 = 1 << 20;

/// What a line counts beside its text, in bytes: about what Redis keeps of it.
pub const LOG_LINE_BYTES: i64 = 64;

/// Longest line of a log, in characters: a longer one is several.
pub const LOG_TEXT_CHARS_MAX: usize = 4 << 10;

/// Most lines of one request: in Redis they take less than a millisecond.
pub const LOG_BATCH_MAX: usize = 100;

/// For how long a log is kept after its last line, in milliseconds: 7 d. It also is the time over which
/// `quota_log_bytes` counts, so that what was counted is gone by then.
pub const LOG_KEPT_MS: i64 = 7 * 86_400_000;

/// Steps of a hundred in which the monitor removes logs of tasks that are gone, in one tick.
pub const LOG_REMOVAL_STEPS: usize = 5;

/// Most bytes of results that a claim brings of what its task follows; of others it names the place.
pub const INPUTS_BYTES_MAX: i64 = 256 << 10;
}

/// What `limits::named` looks through.
pub(super) fn named() -> &'static [(&'static str, i128)] {
    NAMED
}
