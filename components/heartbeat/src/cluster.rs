//! The cluster as a whole, and the service itself.

use std::time::{SystemTime, UNIX_EPOCH};

use reef_domain::heartbeat::Timeout;
use reef_domain::time::UnixMillis;
use reef_store::Redis;
use reef_store::cluster::{CheckReady, NodesByStatus, Readiness, ShowHealth, ShowState};
use reef_store::event::{Cursor, Event, List};
use reef_store::heartbeat::{Check, Expired, Suspension, check_all};
use reef_store::task::TasksByStatus;
use reef_web::auth::Access;
use reef_web::extract::{lax_float, optional_object};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Whether nodes are marked offline, and if not, why.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Expiry {
    suspended: bool,
    reason: Option<String>,
}

impl From<Option<Suspension>> for Expiry {
    fn from(suspension: Option<Suspension>) -> Self {
        Self {
            suspended: suspension.is_some(),
            reason: suspension.map(|suspension| suspension.to_string()),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ClusterHealth {
    checked_at: UnixMillis,
    total_nodes: i64,
    nodes_by_status: NodesByStatus,
    online_nodes: i64,
    offline_nodes: i64,
    busy_nodes: i64,
    timeout_nodes_count: i64,
    total_capacity: i64,
    used_capacity: i64,
    available_capacity: i64,
    capacity_utilization: f64,
    expiry: Expiry,
}

/// `GET /cluster/health`
pub(crate) async fn health<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let timeout = cx.config.settings.heartbeat_timeout;
    let call =
        ShowHealth { timeout_ms: timeout.as_millis(), period_ms: timeout.longest_period_ms() };
    let health = cx.store.call(&call).await?;
    Ok(Response::json(&ClusterHealth {
        checked_at: health.now,
        total_nodes: health.total_nodes,
        nodes_by_status: health.nodes_by_status,
        online_nodes: health.nodes_by_status.online,
        offline_nodes: health.nodes_by_status.offline,
        busy_nodes: health.nodes_by_status.busy,
        timeout_nodes_count: health.silent_nodes,
        total_capacity: health.capacity,
        used_capacity: health.running,
        available_capacity: health.capacity - health.running,
        capacity_utilization: percent(health.running, health.capacity),
        expiry: health.suspended.into(),
    }))
}

/// A share in percent, with two places; 0 of nothing.
fn percent(part: i64, whole: i64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^53")]
    let share = part as f64 / whole as f64;
    (share * 10_000.0).round() / 100.0
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ClusterState {
    /// Grows whenever nodes come, go or change their status.
    version: i64,
    total_nodes: i64,
    online_nodes: i64,
    total_tasks: i64,
    running_tasks: i64,
    updated_at: Option<UnixMillis>,
    nodes_by_status: NodesByStatus,
    tasks_by_status: TasksByStatus,
    /// The version of the data, which tells hubs that cannot read it.
    data_version: i64,
}

/// `GET /cluster/state`
pub(crate) async fn state<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let state = cx.store.call(&ShowState).await?;
    Ok(Response::json(&ClusterState {
        version: state.version,
        total_nodes: state.total_nodes,
        online_nodes: state.nodes_by_status.online,
        total_tasks: state.total_tasks,
        running_tasks: state.tasks_by_status.running,
        updated_at: state.updated_at,
        nodes_by_status: state.nodes_by_status,
        tasks_by_status: state.tasks_by_status,
        data_version: state.data_version,
    }))
}

#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "ClusterEventList")
)]
pub(crate) struct EventList<'a> {
    events: &'a [Event],
    /// The cursor that continues behind the last event.
    next: &'a str,
    /// The log no longer reaches back to the cursor: what lies between is lost. Or, where `to` lies
    /// before `from`, it does not reach as far: it was restored from an older copy. The events are
    /// those after the end of that copy.
    gap: Option<Gap<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ClusterEventGap"))]
struct Gap<'a> {
    from: &'a str,
    to: &'a str,
}

/// `GET /cluster/events`
pub(crate) async fn events<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let from = query.get("after").unwrap_or("0");
    let after = Cursor::parse(from)
        .ok_or_else(|| Problem::parameter("after", "must be 0 or an event_id: <ms>-<n>"))?;
    let limit = page::limit(&query, reef_domain::limits::PAGE_DEFAULT)?;
    let found = cx.store.call(&List { after: after.clone(), limit }).await?;
    let youngest = found.youngest.as_str();
    let is_ahead = after.is_behind(youngest);
    let last = found.restored.as_deref().unwrap_or(if is_ahead { youngest } else { from });
    let next = found.events.last().map_or(last, |event| event.event_id.as_str());
    let oldest = found.oldest.as_deref().filter(|oldest| after.is_before(oldest));
    // What was given out on data that are no more leads to the end of the copy that was restored.
    let restored = found.restored.as_deref();
    let to = oldest.or(restored).or(is_ahead.then_some(youngest));
    let gap = to.map(|to| Gap { from, to });
    let more = found.more.then(|| next.to_owned());
    let response = Response::json(&EventList { events: &found.events, next, gap });
    Ok(page::with_next_at(response, cx.request, "after", more))
}

/// Most nodes that the answer to a check lists; all are counted.
const TIMEOUT_NODES_SHOWN: usize = 1000;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct CheckBody {
    /// Silence that counts as death, in seconds; left out, as the hub is set.
    #[serde(default, deserialize_with = "lax_float")]
    timeout_seconds: Option<f64>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct CheckAnswer {
    checked_at: UnixMillis,
    timeout_nodes_count: usize,
    timeout_nodes: Vec<TimeoutNode>,
    all_nodes_healthy: bool,
    expiry: Expiry,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct TimeoutNode {
    node_id: String,
    hostname: String,
    last_heartbeat: UnixMillis,
    timeout_seconds: f64,
}

/// `POST /cluster/check-heartbeat`: what the monitor and the cron trigger do, on demand.
pub(crate) async fn check_heartbeat<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let configured = cx.config.settings.heartbeat_timeout;
    let body: CheckBody = optional_object(cx.request)?;
    let timeout = match body.timeout_seconds {
        None => configured,
        Some(seconds) => {
            cx.caller.authorize(Access::Admin, cx.config.auth_mode)?;
            Timeout::from_seconds(seconds)
                .map_err(|rule| Problem::field("timeout_seconds", rule))?
        }
    };
    let is_asked_for = body.timeout_seconds.is_some();
    let period_ms = configured.longest_period_ms();
    let timeout_ms = timeout.as_millis();
    let check = Check { timeout_ms, period_ms, tick_ms: None, is_asked_for };
    let answered = check_all(cx.store, &check, cx.once.as_ref()).await?;
    let checked = answered.value;
    #[allow(clippy::cast_precision_loss, reason = "at most a day of milliseconds")]
    let timeout_seconds = timeout.as_millis() as f64 / 1000.0;
    let to_node = |Expired { node_id, hostname, last_heartbeat }| TimeoutNode {
        node_id,
        hostname,
        last_heartbeat,
        timeout_seconds,
    };
    let answer = CheckAnswer {
        checked_at: checked.now,
        timeout_nodes_count: checked.expired.len(),
        all_nodes_healthy: checked.expired.is_empty() && checked.suspended.is_none(),
        timeout_nodes: checked.expired.into_iter().take(TIMEOUT_NODES_SHOWN).map(to_node).collect(),
        expiry: checked.suspended.into(),
    };
    mark_replayed(Ok(Response::json(&answer)), answered.replayed)
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ServiceHealth {
    status: &'static str,
    timestamp: UnixMillis,
    service: &'static str,
}

/// `GET /health`: this process answers. Asks nothing of Redis, so its own clock must do; nothing
/// is decided by it.
pub(crate) async fn service_health<R: Redis>(_: &Context<'_, R>) -> Answer {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(since_epoch.as_millis()).unwrap_or_default();
    Ok(Response::json(&ServiceHealth {
        status: "healthy",
        timestamp: UnixMillis(ms),
        service: "Reef",
    }))
}

/// `GET /readyz`: Redis can be written, and its data is of a version that this program knows.
pub(crate) async fn ready<R: Redis>(cx: &Context<'_, R>) -> Answer {
    match cx.store.call(&CheckReady).await? {
        Readiness::Ok => Ok(Response::json(&json!({ "status": "ready" }))),
        Readiness::NewerSchema(version) => Err(Problem::new(
            Code::StoreUnavailable,
            format!("The data in Redis is of version {version}: upgrade this hub."),
        )),
    }
}
