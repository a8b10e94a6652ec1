//! The cluster as a whole, and the service itself.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use reef_api::cluster::{
    ClusterEventGap, ClusterEventList, ClusterHealth, ClusterMonitor, ClusterState,
    Readiness as Ready, ServiceHealth,
};
use reef_api::durability::{Durability, DurabilityGiven, Giving, LevelGiven};
use reef_api::heartbeat::{CheckAnswer, CheckBody, Expiry, TimeoutNode};
use reef_api::time::UnixMillis;
use reef_api::word::{Open, Word};
use reef_domain::heartbeat::Timeout;
use reef_store::Redis;
use reef_store::cluster::{CheckReady, Readiness, ShowHealth, ShowState};
use reef_store::event::{self, Cursor};
use reef_store::heartbeat::{Check, Expired, Suspension, check_all};
use reef_store::monitor::Show;
use reef_web::auth::Access;
use reef_web::extract::optional_object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

fn expiry(suspension: Option<Suspension>) -> Expiry {
    Expiry { suspended: suspension.is_some(), reason: suspension.map(|it| it.to_string()) }
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
        expiry: expiry(health.suspended),
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

/// `GET /cluster/durability`. The host, which can wait for writes, answers in this one's place.
#[allow(clippy::unused_async, reason = "a handler is an async function")]
pub(crate) async fn durability<R: Redis>(_: &Context<'_, R>) -> Answer {
    let levels = Durability::ALL.iter().map(|level| {
        let (given, why) = match level {
            Durability::Memory => (Giving::AtOnce, "The server does with it what it is set to do."),
            _ => (Giving::No, "Nobody waits for a write here: a component has one connection."),
        };
        let (level, given) = (Open::Known(*level), Open::Known(given));
        LevelGiven { level, given, replicas: None, why: why.into() }
    });
    Ok(Response::json(&DurabilityGiven {
        by: "server".into(),
        levels: levels.collect(),
        money: "server".into(),
        default: "server".into(),
    }))
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

/// `GET /cluster/monitor`
pub(crate) async fn monitor<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let shown = cx.store.call(&Show { kept_ms: cx.config.settings.task_kept_ms }).await?;
    Ok(Response::json(&ClusterMonitor {
        success: true,
        holder: shown.holder,
        term: shown.term,
        until: shown.until.map(UnixMillis),
        ticks: shown.ticks,
        last_tick_at: shown.ticked_at.map(UnixMillis),
        tick_ms: shown.took_ms,
        lag: shown.lag,
    }))
}

/// `GET /cluster/events`
pub(crate) async fn events<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let limit = page::limit(&query, reef_domain::limits::PAGE_DEFAULT)?;
    let from = query.get("after").unwrap_or("0");
    let after = Cursor::parse(from)
        .ok_or_else(|| Problem::parameter("after", "must be 0 or an event_id: <ms>-<n>"))?;
    if page::flag(&query, "latest")? {
        return latest_events(cx, &after, limit).await;
    }
    let found = event::list(cx.store, &after, limit).await?;
    let youngest = found.youngest.as_str();
    let is_ahead = after.is_behind(youngest);
    let last = found.restored.as_deref().unwrap_or(if is_ahead { youngest } else { from });
    let next = found.events.last().map_or(last, |event| event.event_id.as_str());
    let oldest = found.oldest.as_deref().filter(|oldest| after.is_before(oldest));
    // What was given out on data that are no more leads to the end of the copy that was restored.
    let restored = found.restored.as_deref();
    let to = oldest.or(restored).or(is_ahead.then_some(youngest));
    let gap = to.map(|to| ClusterEventGap { from: from.into(), to: to.into() });
    let more = found.more.then(|| next.to_owned());
    let events = Cow::Borrowed(found.events.as_slice());
    let response = Response::json(&ClusterEventList { events, next: next.into(), gap });
    Ok(page::with_next_at(response, cx.request, "after", more))
}

/// The end of the log: what a reader begins with who does not need all that is kept. Nothing before
/// `after` is in it, and it knows of no gap.
async fn latest_events<R: Redis>(cx: &Context<'_, R>, after: &Cursor, limit: i64) -> Answer {
    let mut found = event::tail(cx.store, limit).await?;
    found.events.retain(|event| after.lacks(&event.event_id));
    let events = Cow::Borrowed(found.events.as_slice());
    let next = Cow::Borrowed(found.youngest.as_str());
    Ok(Response::json(&ClusterEventList { events, next, gap: None }))
}

/// Most nodes that the answer to a check lists; all are counted.
const TIMEOUT_NODES_SHOWN: usize = 1000;

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
        expiry: expiry(checked.suspended),
    };
    mark_replayed(Ok(Response::json(&answer)), answered.replayed)
}

/// `GET /health`: this process answers. Asks nothing of Redis, so its own clock must do; nothing
/// is decided by it.
pub(crate) async fn service_health<R: Redis>(_: &Context<'_, R>) -> Answer {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(since_epoch.as_millis()).unwrap_or_default();
    Ok(Response::json(&ServiceHealth {
        status: "healthy".into(),
        timestamp: UnixMillis(ms),
        service: "Reef".into(),
    }))
}

/// `GET /readyz`: Redis can be written, and its data is of a version that this program knows.
pub(crate) async fn ready<R: Redis>(cx: &Context<'_, R>) -> Answer {
    match cx.store.call(&CheckReady).await? {
        Readiness::Ok => Ok(Response::json(&Ready { status: "ready".into(), ..Ready::default() })),
        Readiness::NewerSchema(version) => Err(Problem::new(
            Code::StoreUnavailable,
            format!("The data in Redis is of version {version}: upgrade this hub."),
        )),
    }
}
