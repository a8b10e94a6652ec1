//! What `openapi.json` says of these routes.

mod locks;

use reef_api::Word;
use reef_api::cluster::{
    ClusterEventList, ClusterHealth, ClusterMonitor, ClusterState, Event, ServiceHealth,
};
use reef_api::durability::{Durability, DurabilityGiven, Giving, LevelGiven};
use reef_api::heartbeat::{
    CheckAnswer, CheckBody, HeartbeatAnswer, HeartbeatBody, HeartbeatFailure, HeldClaim,
};
use reef_api::leader::{
    CampaignAnswer, CampaignBody, LeaderHistoryEntry, Leadership, ResignAnswer, ResignBody,
};
use reef_api::node::NodeHealth;
use reef_domain::limits::{
    COUNTER_MAX, HEARTBEAT_BATCH_MAX, HEARTBEAT_CLAIMS_MAX, HEARTBEAT_TIMEOUT_SECONDS_MAX,
    LEADER_HISTORY_MAX, LEADER_TTL_MS, LEADER_TTL_MS_DEFAULT, PAGE_DEFAULT, PAGE_MAX, QUIET_MS,
    RUNNING_TASKS_MAX,
};
use reef_store::event::CATALOGUE;
use reef_web::Code;
use reef_web::openapi::schema::{between, count, default, one_of};
use reef_web::openapi::{Api, schema};
use serde_json::json;

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    heartbeats(api);
    cluster(api);
    leadership(api);
    locks::routes(api);
    api.group("Operating");
    api.get("/health", "check_service", "Whether a component answers")
        .says("Asks nothing of Redis.")
        .answers::<ServiceHealth<'static>>("It does.");
    api.get("/readyz", "check_readiness", "Whether Redis can be written")
        .answers_schema(
            "It can.",
            json!({
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": { "const": "ready" },
                    "service": { "type": "string", "description": "Under the host only." },
                    "warnings": {
                        "type": "array",
                        "items": { "type": "string" },
                        "description": "What could lose data, as far as the host can see.",
                    },
                    "durability": {
                        "type": "array",
                        "items": schema::named("LevelGiven"),
                        "description": "How safe writes can be, and why not more.",
                    },
                },
            }),
        )
        .refuses(&[Code::MethodNotAllowed]);
}

fn heartbeats(api: &mut Api) {
    api.group("Heartbeats");
    api.post("/api/v1/nodes/{id}/heartbeat", "send_heartbeat", "Say that a node lives")
        .says(
            "Metrics that are left out become 0. Claims that are listed are renewed, and only \
             those. Send the next one after `next_heartbeat_ms`. A node with a later `incarnation` \
             fences this one.",
        )
        .takes::<HeartbeatBody>()
        .example(json!({ "cpu_usage": 12.5, "memory_usage": 40, "running_tasks": 1 }))
        .answers::<HeartbeatAnswer<'static>>("What the node has to know.")
        .refuses(&[Code::NotFound, Code::Fenced]);
    api.post("/api/v1/heartbeats", "send_heartbeats", "Send up to 1000 heartbeats, for gateways")
        .says("One result for each entry, in order; an entry that cannot be taken fails alone.")
        .takes_schema(json!({
            "type": "array",
            "maxItems": HEARTBEAT_BATCH_MAX,
            "items": { "description": "A heartbeat with a `node_id`; an entry that is none fails alone." },
        }))
        .example(json!([{ "node_id": "gpu-1", "cpu_usage": 12.5 }]))
        .answers_schema("One result for each entry.", json!({
            "type": "array",
            "items": { "anyOf": [
                schema::named("HeartbeatAnswer"), schema::named("HeartbeatFailure"),
            ] },
        }));
    api.get("/api/v1/nodes/{id}/health", "show_node_health", "Whether a node is healthy")
        .says("`healthy` is exactly `online` and not timed out.")
        .answers::<NodeHealth>("How it is.")
        .refuses(&[Code::NotFound]);
}

fn cluster(api: &mut Api) {
    api.group("Cluster");
    api.get("/api/v1/cluster/health", "show_cluster_health", "How the cluster is")
        .says("Costs the same, however many nodes there are.")
        .answers::<ClusterHealth>("Counts and capacity.");
    api.get("/api/v1/cluster/state", "show_cluster_state", "Count nodes and tasks by status")
        .answers::<ClusterState>("Counts, and a version that grows with every change.");
    api.get("/api/v1/cluster/durability", "show_durability", "How safe a write can be")
        .says(
            "What the store behind this hub can give a write that asks for it by `Prefer`, how, and \
             why not more. It is looked at every half minute, and after each new connection.",
        )
        .answers::<DurabilityGiven<'static>>("Each level, and what a write has that asks for none.");
    api.get("/api/v1/cluster/events", "list_cluster_events", "What has happened since")
        .query(
            "after",
            "`0`, or the `event_id` after which to begin.",
            json!({ "type": "string", "default": "0", "pattern": "^(0|[0-9]{1,15}-[0-9]{1,15})$" }),
        )
        .query(
            "latest",
            "The last events instead of the first behind `after`.",
            json!({ "type": "boolean", "default": false }),
        )
        .limit(PAGE_DEFAULT, PAGE_MAX)
        .answers::<ClusterEventList<'static>>("Events, oldest first.");
    api.post("/api/v1/cluster/check-heartbeat", "check_heartbeats", "Mark silent nodes offline now")
        .says(
            "The monitor does it every second. Another timeout than the hub's needs the scope \
             `admin`. If more than half of the nodes, and at least 5, are silent at once, nobody is \
             expired until a second look confirms it; `expiry` says so.",
        )
        .may_take::<CheckBody>()
        .answers::<CheckAnswer>("Who was marked offline.");
}

fn leadership(api: &mut Api) {
    api.group("Leadership");
    api.get("/api/v1/cluster/leader", "show_leader", "Who leads")
        .answers::<Leadership>("The leader; `null` if there is none.");
    api.post("/api/v1/cluster/leader/campaign", "campaign", "Become the leader, or stay it")
        .says(
            "`term` grows with every change of holder, and fences earlier leaders. The lease is \
             held by one registration of the node (`incarnation`): it ends when the node registers \
             again, shuts down, is removed or goes offline, and the next holder has a new term. A \
             leader that lost its lease early may not know of it for `former_ttl_ms`.",
        )
        .takes::<CampaignBody>()
        .example(json!({ "node_id": "gpu-1" }))
        .answers::<CampaignAnswer>("Who leads now.")
        .refuses(&[Code::NotFound, Code::Fenced, Code::Conflict]);
    api.post("/api/v1/cluster/leader/resign", "resign", "Lead no longer")
        .takes::<ResignBody>()
        .example(json!({ "node_id": "gpu-1", "term": 1 }))
        .answers::<ResignAnswer>("Nobody leads.")
        .refuses(&[Code::NotFound, Code::Fenced]);
    api.get("/api/v1/cluster/monitor", "show_cluster_monitor", "Who monitors, and how it goes")
        .says(
            "The host that looks for what is due, and for how long the first of each kind has been due: \
             more than some ticks means that the monitor is away or does not keep up. Under Spin the \
             cron component may do it all: then nobody holds the lease.",
        )
        .answers::<ClusterMonitor>("How monitoring goes.");
    api.get("/api/v1/cluster/leader/history", "list_leaders", "Who led when, newest first")
        .limit(LEADER_HISTORY_MAX, PAGE_MAX)
        .answers::<Vec<LeaderHistoryEntry>>("Elected, renewed late, lost, resigned.");
}

fn schemas(api: &mut Api) {
    locks::schemas(api);
    let percent = || default(between(0, 100), 0);
    api.body::<HeartbeatBody>()
        .set("cpu_usage", percent())
        .set("memory_usage", percent())
        .set("disk_usage", percent())
        .set("running_tasks", default(between(0, RUNNING_TASKS_MAX), 0))
        .set("status", one_of(&["online", "busy"]))
        .set("claims", json!({ "maxItems": HEARTBEAT_CLAIMS_MAX }))
        .set("renew_all", json!({ "default": false }))
        .set("quiet_ms", between(*QUIET_MS.start(), *QUIET_MS.end()))
        .set("incarnation", count())
        .without("node_id");
    api.body::<HeldClaim>();
    api.answer::<LevelGiven<'static>>()
        .set("level", one_of(&Durability::names()))
        .set("given", one_of(&Giving::names()));
    api.answer::<HeartbeatAnswer<'static>>().says("status", "Only in the answer to many: 200.");
    api.answer::<HeartbeatFailure<'static>>();
    api.body::<CheckBody>().set(
        "timeout_seconds",
        json!({
            "exclusiveMinimum": 0.0005,
            "maximum": HEARTBEAT_TIMEOUT_SECONDS_MAX,
        }),
    );
    api.body::<CampaignBody>()
        .require(&["node_id"])
        .set("node_id", schema::id())
        .set(
            "ttl_ms",
            default(between(*LEADER_TTL_MS.start(), *LEADER_TTL_MS.end()), LEADER_TTL_MS_DEFAULT),
        )
        .set("incarnation", between(0, COUNTER_MAX));
    api.body::<ResignBody>()
        .require(&["node_id", "term"])
        .set("node_id", schema::id())
        .set("term", between(0, COUNTER_MAX));
    let types: Vec<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
    api.answer::<Event>()
        .set("event_type", schema::one_of(&types))
        .set("payload", schema::object());
}
