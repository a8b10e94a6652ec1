//! What `openapi.json` says of these routes.

use reef_api::Word as _;
use reef_api::node::{
    Arch, Node, NodeChange, NodeDone, NodeStatus, Platform, Registered, Registration,
};
use reef_domain::limits::{
    ADDRESS_CHARS_MAX, CONCURRENT_TASKS_MAX, HOSTNAME_CHARS_MAX, PAGE_MAX, PORT_MAX,
};
use reef_domain::node::{CONCURRENT_TASKS_DEFAULT, PORT_DEFAULT};
use reef_web::Code;
use reef_web::openapi::schema::{
    between, count, default, filter, labels, name, number_cursor, one_of, own_id,
};
use reef_web::openapi::{Api, schema};
use serde_json::json;

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    api.group("Nodes");
    api.post("/api/v1/nodes/register", "register_node", "Register a node")
        .says(
            "A hostname that is known registers again: it keeps its id, platform, arch, counters \
             and `registered_at`, and the rest is replaced. Two registrations of one hostname at \
             once make one node.",
        )
        .takes::<Registration>()
        .example(json!({
            "hostname": "gpu-1.lab", "platform": "linux", "arch": "x64",
            "available_skills": ["python", "gpu"], "node_id": "gpu-1",
        }))
        .answers::<Registered>("The node as it is now.")
        .refuses(&[Code::InvalidRegistration]);
    lists(api);
    api.get("/api/v1/nodes/{id}", "show_node", "Show a node")
        .answers::<Node>("The node.")
        .refuses(&[Code::NotFound]);
    api.patch("/api/v1/nodes/{id}", "change_node", "Change a node")
        .says("`maintenance` drains it: it gets no new tasks, and the claims it has run out.")
        .takes::<NodeChange>()
        .example(json!({ "status": "maintenance" }))
        .answers::<Node>("The node as it is now.")
        .refuses(&[Code::NotFound]);
    api.delete("/api/v1/nodes/{id}", "remove_node", "Forget a node")
        .answers::<NodeDone>("It is gone, and its claims are back in the queue.")
        .refuses(&[Code::NotFound]);
    api.post(
        "/api/v1/nodes/{id}/shutdown",
        "shut_down_node",
        "Mark a node offline by its own wish",
    )
    .says("Its claims go back into the queue at once.")
    .answers::<NodeDone>("It is offline.")
    .refuses(&[Code::NotFound]);
}

fn lists(api: &mut Api) {
    let list = || schema::list_of("Node");
    api.get("/api/v1/nodes", "list_nodes", "List nodes, newest registration first")
        .query("status_filter", "Only those in this status.", filter(&NodeStatus::names()))
        .query("status", "The same; `status_filter` comes first.", filter(&NodeStatus::names()))
        .query("skill", "Only those with exactly this skill.", json!({ "type": "string" }))
        .query("tag", "Only those with exactly this tag.", json!({ "type": "string" }))
        .pages(PAGE_MAX, number_cursor())
        .answers_schema("The nodes.", list());
    api.get("/api/v1/nodes/online", "list_online_nodes", "List nodes that are online")
        .pages(PAGE_MAX, number_cursor())
        .answers_schema("The nodes.", list());
    let load = json!({
        "type": "string",
        "pattern": "^([0-9]{1,3}\\.[A-Za-z0-9_-][A-Za-z0-9._@-]{0,99}[.][0-9a-f]{6})?$",
    });
    api.get("/api/v1/nodes/available", "list_available_nodes", "List nodes with room")
        .says("Online, and running fewer tasks than they may; least loaded first.")
        .pages(PAGE_MAX, load)
        .answers_schema("The nodes.", list());
    api.get(
        "/api/v1/nodes/skills/{skill}",
        "list_nodes_by_skill",
        "List online nodes with a skill",
    )
    .segment("skill", "Exactly this skill.", json!({ "type": "string", "minLength": 1 }))
    .pages(PAGE_MAX, number_cursor())
    .answers_schema("The nodes; none has it: an empty list.", list());
}

fn schemas(api: &mut Api) {
    let concurrency = || between(1, CONCURRENT_TASKS_MAX);
    api.body::<Registration>()
        .require(&["hostname", "platform", "arch", "available_skills"])
        .set("hostname", name(1, HOSTNAME_CHARS_MAX))
        .set("platform", one_of(&Platform::names()))
        .set("arch", one_of(&Arch::names()))
        .set("available_skills", labels())
        .set("available_skills", json!({ "minItems": 1 }))
        .set("ip_address", name(0, ADDRESS_CHARS_MAX))
        .set("tailscale_ip", name(0, ADDRESS_CHARS_MAX))
        .set("port", default(between(0, PORT_MAX), PORT_DEFAULT))
        .set("max_concurrent_tasks", default(concurrency(), CONCURRENT_TASKS_DEFAULT))
        .set("tags", labels())
        .set("node_id", own_id());
    api.body::<NodeChange>()
        .set("status", one_of(&NodeStatus::names()))
        .set("available_skills", labels())
        .set("available_skills", json!({ "minItems": 1 }))
        .set("tags", labels())
        .set("max_concurrent_tasks", concurrency())
        .set("total_tasks_processed", count())
        .set("successful_tasks", count())
        .set("failed_tasks", count())
        .set("average_execution_time", between(0, 1_000_000_000_000_i64));
    api.answer::<Node>()
        .set("node_id", schema::id())
        .set("status", one_of(&NodeStatus::names()))
        .set("available_skills", json!({ "type": "array", "items": { "type": "string" } }))
        .set("tags", json!({ "type": "array", "items": { "type": "string" } }))
        .says("available_skills", "What it can do.")
        .says("tags", "Free labels.");
}
