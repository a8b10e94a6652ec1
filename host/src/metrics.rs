//! What `/metrics` shows, in the text format of Prometheus.
//!
//! The table below is the whole list. Handles are looked up once, when a route or a task is set
//! up: a request costs one addition and one histogram entry, and allocates nothing.

mod spans;

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use reef_api::limit::Limit;
use reef_api::task::TaskStatus;
use reef_api::{LimitId, Word as _};
use reef_runtime::Component;
use reef_store::schedule::Fired;
use reef_store::task::Counts;
use reef_store::usage::Used;

use crate::logging;

/// Kind, name and meaning of every metric. The unit is the name's last word, as Prometheus
/// wants it: `seconds`, or `total` for a count that only grows.
const METRICS: &[(Kind, &str, &str)] = &[
    (Kind::Counter, "reef_http_requests_total", "HTTP requests answered, by route, method, status"),
    (
        Kind::Histogram,
        "reef_http_request_duration_seconds",
        "From the head of a request to its answer, by route",
    ),
    (Kind::Gauge, "reef_http_connections", "Open HTTP connections"),
    (
        Kind::Counter,
        "reef_http_refusals_total",
        "Requests and connections turned away at the edge, by reason",
    ),
    (
        Kind::Counter,
        "reef_durable_writes_total",
        "Writes that were to be safer than in memory, by outcome (reached, not_reached, unknown)",
    ),
    (Kind::Counter, "reef_component_calls_total", "Calls into a component"),
    (Kind::Counter, "reef_component_instances_created_total", "Instances made of a component"),
    (Kind::Gauge, "reef_component_idle_instances", "Instances of a component that wait for a call"),
    (Kind::Counter, "reef_component_traps_total", "Calls that ended in a trap"),
    (
        Kind::Counter,
        "reef_component_deadlines_total",
        "Calls that took longer than the request timeout",
    ),
    (
        Kind::Counter,
        "reef_component_overloads_total",
        "Calls turned away because too many were waiting",
    ),
    (Kind::Counter, "reef_component_redis_calls_total", "Redis commands sent by a component"),
    (
        Kind::Counter,
        "reef_cron_runs_total",
        "Runs of a cron trigger, by component and outcome (ok, error)",
    ),
    (Kind::Gauge, "reef_redis_up", "1 while Redis can be written, else 0"),
    (Kind::Gauge, "reef_monitor_leading", "1 while this host is the monitor, else 0"),
    (Kind::Gauge, "reef_monitor_term", "Term of the monitor's lease, as last seen"),
    (
        Kind::Counter,
        "reef_monitor_ticks_total",
        "Rounds of the monitor, by outcome (ok, standby, error)",
    ),
    (Kind::Histogram, "reef_monitor_tick_duration_seconds", "Length of a round as the monitor"),
    (Kind::Counter, "reef_monitor_nodes_expired_total", "Nodes marked offline for their silence"),
    (
        Kind::Counter,
        "reef_monitor_nodes_adopted_total",
        "Bots of the older system taken in as nodes",
    ),
    (Kind::Counter, "reef_monitor_leases_lost_total", "Tasks whose lease ran out"),
    (Kind::Gauge, "reef_tasks", "Tasks by status, as the monitor sees them"),
    (Kind::Gauge, "reef_tasks_waiting", "Tasks that wait for a node"),
    (Kind::Gauge, "reef_tasks_dead", "Tasks that failed for good and were not tried again"),
    (Kind::Counter, "reef_tasks_fenced_total", "Stale claim tokens that were refused"),
    (
        Kind::Histogram,
        "reef_task_wait_seconds",
        "How long tasks had waited for a node when they were claimed",
    ),
    (
        Kind::Histogram,
        "reef_task_run_seconds",
        "How long tries ran that ended well, failed or ran out of time",
    ),
    (Kind::Gauge, "reef_tasks_ended_bytes", "What tasks take in Redis that have ended, about"),
    (
        Kind::Gauge,
        "reef_tasks_overdue",
        "Tasks that have been kept long enough and that the monitor has yet to forget",
    ),
    (
        Kind::Counter,
        "reef_tasks_forgotten_total",
        "Tasks that this host has forgotten as the monitor, since they were kept long enough",
    ),
    (
        Kind::Counter,
        "reef_schedule_runs_total",
        "Runs of schedules that this host has decided as the monitor, by outcome: `started`, `skipped`, \
         `missed`, `refused`",
    ),
    (
        Kind::Gauge,
        "reef_usage_today_cost",
        "What tasks have cost today (UTC), in units, as far as it is known",
    ),
    (
        Kind::Gauge,
        "reef_usage_today_tokens",
        "Tokens that the models of tasks have read (`input`) and written (`output`) today (UTC)",
    ),
    (Kind::Gauge, "reef_tasks_parked_classes", "Kinds of waiting tasks that a limit keeps back"),
    (
        Kind::Gauge,
        "reef_limit_running_tasks",
        "Tasks that run under a limit, for the 100 newest limits, as the monitor sees them",
    ),
    (
        Kind::Gauge,
        "reef_limit_concurrency",
        "Most tasks that may run under a limit at once; 0: any number",
    ),
    (Kind::Gauge, "reef_redis_memory_used_bytes", "Memory that Redis uses, as the monitor sees it"),
    (Kind::Gauge, "reef_redis_memory_max_bytes", "Memory that Redis may use; 0: without a bound"),
    (Kind::Gauge, "reef_stream_readers", "Readers of event streams"),
    (Kind::Counter, "reef_stream_events_total", "Live events received for readers"),
    (
        Kind::Counter,
        "reef_stream_catch_ups_total",
        "Readers that had to read from Redis what they had missed",
    ),
    (
        Kind::Counter,
        "reef_stream_reconnects_total",
        "Losses of the connection over which live events arrive",
    ),
    (Kind::Gauge, "reef_monitor_expiry_suspended", "1 while the mass expiry guard holds, else 0"),
    (
        Kind::Counter,
        "reef_log_lines_dropped_total",
        "Lines of the log that standard error did not take, or not fast enough",
    ),
];

reef_api::word::words! {
    /// Why a request or a connection is turned away at the edge.
    Refusal {
        Host = "host",
        Origin = "origin",
        Page = "page",
        Malformed = "malformed",
        Rate = "rate",
        Connections = "connections",
        Body = "body",
        Streams = "streams",
        Waits = "waits",
        Tls = "tls",
    }
}

/// Upper bounds in seconds. A request takes some 100 µs; what takes longer than the default
/// timeout of 10 s does not exist.
const BUCKETS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// How often the raw entries of the histograms are folded into their buckets.
const UPKEEP_PERIOD: Duration = Duration::from_secs(1);

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The metrics of this process.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Sets the metrics up. Must come before any handle is made, and once a process.
    pub(crate) fn install() -> Result<Self> {
        let handle = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .and_then(PrometheusBuilder::install_recorder)
            .context("cannot set up the metrics")?;
        for (kind, name, meaning) in METRICS {
            match kind {
                Kind::Counter => metrics::describe_counter!(*name, *meaning),
                Kind::Gauge => metrics::describe_gauge!(*name, *meaning),
                Kind::Histogram => metrics::describe_histogram!(*name, *meaning),
            }
        }
        // Those that may never count begin at 0, so that a rate over them is known from the start.
        for reason in Refusal::ALL {
            refusal(*reason).absolute(0);
        }
        for (is_reached, is_unknown) in [(true, false), (false, false), (false, true)] {
            durable_writes(is_reached, is_unknown).absolute(0);
        }
        Ok(Self { handle })
    }

    /// Keeps the memory of the histograms bounded; never returns.
    pub(crate) async fn upkeep(&self) {
        let mut ticks = tokio::time::interval(UPKEEP_PERIOD);
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }

    /// The text of `/metrics`.
    pub(crate) fn render(&self, components: &[Component]) -> String {
        for component in components {
            let stats = component.stats();
            let total = |name: &'static str, value: u64| {
                counter!(name, "component" => component.id().to_owned()).absolute(value);
            };
            total("reef_component_calls_total", stats.calls);
            total("reef_component_instances_created_total", stats.instances_created);
            total("reef_component_traps_total", stats.traps);
            total("reef_component_deadlines_total", stats.deadlines);
            total("reef_component_overloads_total", stats.overloads);
            total("reef_component_redis_calls_total", stats.redis_calls);
            #[expect(clippy::cast_precision_loss, reason = "instances are far below 2^53")]
            let idle = stats.idle_instances as f64;
            gauge!("reef_component_idle_instances", "component" => component.id().to_owned())
                .set(idle);
        }
        counter!("reef_log_lines_dropped_total").absolute(logging::lines_dropped());
        self.handle.render() + spans::rendered().as_str()
    }
}

/// The methods that are told apart; any other counts as the last.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
/// The status codes whose handles are kept; others are looked up each time.
const STATUSES: [u16; 23] = [
    200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422,
    429, 500, 503, 504,
];

/// The metrics of one route.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    route: String,
    duration: Histogram,
    requests: [[OnceLock<Counter>; STATUSES.len()]; METHODS.len()],
}

impl RouteMetrics {
    /// `route` is the label: a pattern, never a path.
    pub(crate) fn new(route: &str) -> Self {
        Self {
            route: route.to_owned(),
            duration: histogram!(
                "reef_http_request_duration_seconds", "route" => route.to_owned()
            ),
            requests: Default::default(),
        }
    }

    /// Counts one answer.
    pub(crate) fn record(&self, method: &Method, status: StatusCode, took: Duration) {
        self.duration.record(took);
        let method =
            METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        let kept = STATUSES
            .binary_search(&status.as_u16())
            .ok()
            .and_then(|index| self.requests.get(method)?.get(index));
        match kept {
            Some(kept) => kept.get_or_init(|| self.counter(method, status)).increment(1),
            None => self.counter(method, status).increment(1),
        }
    }

    fn counter(&self, method: usize, status: StatusCode) -> Counter {
        counter!(
            "reef_http_requests_total",
            "route" => self.route.clone(),
            "method" => METHODS.get(method).copied().unwrap_or_default(),
            "status" => status.as_str().to_owned()
        )
    }
}

/// 1 while Redis can be written.
pub(crate) fn redis_up() -> Gauge {
    gauge!("reef_redis_up")
}

/// Open HTTP connections.
pub(crate) fn connections() -> Gauge {
    gauge!("reef_http_connections")
}

/// Requests and connections turned away at the edge.
pub(crate) fn refusal(reason: Refusal) -> Counter {
    counter!("reef_http_refusals_total", "reason" => reason.as_str())
}

/// Writes that were to be safer than in memory.
pub(crate) fn durable_writes(is_reached: bool, is_unknown: bool) -> Counter {
    let outcome = match (is_reached, is_unknown) {
        (true, _) => "reached",
        (false, false) => "not_reached",
        (false, true) => "unknown",
    };
    counter!("reef_durable_writes_total", "outcome" => outcome)
}

/// Runs of a cron trigger, good and failed.
pub(crate) fn cron_runs(component: &str) -> (Counter, Counter) {
    let runs = |outcome: &'static str| {
        counter!(
            "reef_cron_runs_total", "component" => component.to_owned(), "outcome" => outcome
        )
    };
    (runs("ok"), runs("error"))
}

/// The metrics of the monitor.
#[derive(Debug)]
pub(crate) struct MonitorMetrics {
    pub(crate) leading: Gauge,
    pub(crate) term: Gauge,
    pub(crate) ticks_ok: Counter,
    pub(crate) ticks_standby: Counter,
    pub(crate) ticks_failed: Counter,
    pub(crate) tick_duration: Histogram,
    pub(crate) expired: Counter,
    pub(crate) adopted: Counter,
    pub(crate) leases_lost: Counter,
    pub(crate) tasks: TaskMetrics,
    pub(crate) suspended: Gauge,
    pub(crate) memory_used: Gauge,
    pub(crate) memory_max: Gauge,
}

impl MonitorMetrics {
    pub(crate) fn new() -> Self {
        let ticks =
            |outcome: &'static str| counter!("reef_monitor_ticks_total", "outcome" => outcome);
        Self {
            leading: gauge!("reef_monitor_leading"),
            term: gauge!("reef_monitor_term"),
            ticks_ok: ticks("ok"),
            ticks_standby: ticks("standby"),
            ticks_failed: ticks("error"),
            tick_duration: histogram!("reef_monitor_tick_duration_seconds"),
            expired: counter!("reef_monitor_nodes_expired_total"),
            adopted: counter!("reef_monitor_nodes_adopted_total"),
            leases_lost: counter!("reef_monitor_leases_lost_total"),
            tasks: TaskMetrics::new(),
            suspended: gauge!("reef_monitor_expiry_suspended"),
            memory_used: gauge!("reef_redis_memory_used_bytes"),
            memory_max: gauge!("reef_redis_memory_max_bytes"),
        }
    }
}

/// The metrics of the task queue.
#[derive(Debug)]
pub(crate) struct TaskMetrics {
    by_status: Vec<Gauge>,
    waiting: Gauge,
    dead: Gauge,
    fenced: Counter,
    ended_bytes: Gauge,
    overdue: Gauge,
    parked_classes: Gauge,
    cost: Gauge,
    tokens: [Gauge; 2],
    pub(crate) forgotten: Counter,
    runs: [Counter; 4],
    /// The limits that were last shown.
    limits: HashSet<LimitId>,
}

impl TaskMetrics {
    fn new() -> Self {
        Self {
            by_status: TaskStatus::ALL
                .iter()
                .map(|status| gauge!("reef_tasks", "status" => status.as_str()))
                .collect(),
            waiting: gauge!("reef_tasks_waiting"),
            dead: gauge!("reef_tasks_dead"),
            fenced: counter!("reef_tasks_fenced_total"),
            ended_bytes: gauge!("reef_tasks_ended_bytes"),
            overdue: gauge!("reef_tasks_overdue"),
            parked_classes: gauge!("reef_tasks_parked_classes"),
            cost: gauge!("reef_usage_today_cost"),
            tokens: ["input", "output"]
                .map(|kind| gauge!("reef_usage_today_tokens", "kind" => kind)),
            forgotten: counter!("reef_tasks_forgotten_total"),
            runs: ["started", "skipped", "missed", "refused"]
                .map(|outcome| counter!("reef_schedule_runs_total", "outcome" => outcome)),
            limits: HashSet::new(),
        }
    }

    /// Counts the runs that a tick has decided.
    pub(crate) fn count_runs(&self, fired: Fired) {
        let Fired { started, skipped, missed, refused } = fired;
        for (counter, count) in self.runs.iter().zip([started, skipped, missed, refused]) {
            counter.increment(count.unsigned_abs());
        }
    }

    /// Shows how many run under each limit. One that is gone has none.
    #[expect(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^53")]
    pub(crate) fn show_limits(&mut self, limits: &[Limit]) {
        let show = |name: &LimitId, running: i64, most: i64| {
            gauge!("reef_limit_running_tasks", "limit" => name.to_string()).set(running as f64);
            gauge!("reef_limit_concurrency", "limit" => name.to_string()).set(most as f64);
        };
        for limit in limits {
            self.limits.remove(&limit.name);
            show(&limit.name, limit.running, limit.concurrency.unwrap_or_default());
        }
        self.limits.iter().for_each(|gone| show(gone, 0, 0));
        self.limits = limits.iter().map(|limit| limit.name.clone()).collect();
    }

    /// Shows what was used today.
    #[expect(clippy::cast_precision_loss, reason = "what people look at needs no more digits")]
    pub(crate) fn show_usage(&self, today: Used) {
        self.cost.set(today.cost.micros() as f64 / 1e6);
        for (gauge, tokens) in self.tokens.iter().zip([today.input, today.output]) {
            gauge.set(tokens as f64);
        }
    }

    /// Shows what a sweep has counted.
    #[expect(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^53")]
    pub(crate) fn show(&self, counts: &Counts) {
        for (gauge, (_, count)) in self.by_status.iter().zip(counts.by_status.counts()) {
            gauge.set(count as f64);
        }
        self.waiting.set(counts.waiting as f64);
        self.dead.set(counts.dead as f64);
        self.ended_bytes.set(counts.ended_bytes as f64);
        self.overdue.set(counts.overdue as f64);
        self.parked_classes.set(counts.parked_classes as f64);
        self.fenced.absolute(counts.fenced.unsigned_abs());
        spans::show(&counts.ever);
    }
}

/// The metrics of the event streams.
#[derive(Debug)]
pub(crate) struct StreamMetrics {
    pub(crate) readers: Gauge,
    pub(crate) events: Counter,
    pub(crate) catch_ups: Counter,
    pub(crate) reconnects: Counter,
}

impl StreamMetrics {
    pub(crate) fn new() -> Self {
        Self {
            readers: gauge!("reef_stream_readers"),
            events: counter!("reef_stream_events_total"),
            catch_ups: counter!("reef_stream_catch_ups_total"),
            reconnects: counter!("reef_stream_reconnects_total"),
        }
    }
}

/// Another host shows how long tasks wait and run: what this one has seen would seem to grow at once when it is
/// the monitor again.
pub(crate) fn hide_spans() {
    spans::hide();
}

/// What a metric means.
fn meaning_of(name: &str) -> &'static str {
    let found = METRICS.iter().find(|(_, known, _)| *known == name);
    found.map(|(_, _, meaning)| *meaning).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_the_prefix_and_counters_their_suffix() {
        for (kind, name, meaning) in METRICS {
            assert!(name.starts_with("reef_") && !meaning.is_empty(), "{name}");
            assert_eq!(matches!(kind, Kind::Counter), name.ends_with("_total"), "{name}");
            assert_eq!(matches!(kind, Kind::Histogram), name.ends_with("_seconds"), "{name}");
        }
    }

    #[test]
    fn the_table_of_statuses_can_be_searched() {
        assert!(STATUSES.is_sorted());
        let metrics = RouteMetrics::new("/x");
        metrics.record(&Method::GET, StatusCode::OK, Duration::from_micros(100));
        metrics.record(&Method::TRACE, StatusCode::IM_A_TEAPOT, Duration::ZERO);
    }
}
