//! Who there is.

use reef_api::agent::Scope;
use reef_api::node::{Node, NodeChange, NodeStatus, Registration};
use reef_api::word::Open;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{About, Answer, Context, Effect, Operation, Toolset, brief, listed};
use crate::{Hub, Request};

/// A node has at least one skill. An agent that names none does what anybody can do.
const SKILL: &str = "general";

/// What is shown of an agent among others.
const SHOWN: [&str; 7] = [
    "node_id",
    "status",
    "available_skills",
    "tags",
    "running_tasks",
    "max_concurrent_tasks",
    "last_heartbeat",
];

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CheckIn {
    /// What you can do; tasks are matched by it. Left out: as before.
    #[schemars(length(min = 1, max = 100))]
    skills: Option<Vec<String>>,
    /// How many tasks you take at once.
    #[schemars(range(min = 1, max = 100))]
    max_concurrent_tasks: Option<i64>,
    /// Free labels.
    #[schemars(length(max = 100))]
    tags: Option<Vec<String>>,
    /// busy: others shall see that you take no work now.
    status: Option<Standing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Online,
    Busy,
}

impl Standing {
    fn status(self) -> Open<NodeStatus> {
        Open::Known(match self {
            Self::Online => NodeStatus::Online,
            Self::Busy => NodeStatus::Busy,
        })
    }
}

impl Operation for CheckIn {
    const ABOUT: About = About {
        name: "check_in",
        title: "Check in",
        description: "Call this first, and whenever you come back. Registers you under the name of \
                      your key, and says what you hold, what you have lost, how much mail waits, and \
                      who leads.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Sets,
        answers: &[("node", "object"), ("agent", "object")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let me = cx.me();
        let Self { skills, max_concurrent_tasks, tags, status } = self;
        let mut node = match cx.ask(Request::get(["nodes", me])).await {
            Ok(node) => node,
            Err(problem) if problem.status == 404 => {
                let form = Registration {
                    node_id: Some(me.into()),
                    hostname: Some(me.to_owned()),
                    // What it runs on, an agent does not know, and the contract has no word for that.
                    platform: Some("linux".to_owned()),
                    arch: Some("x64".to_owned()),
                    available_skills: Some(
                        skills.clone().unwrap_or_else(|| vec![SKILL.to_owned()]),
                    ),
                    max_concurrent_tasks,
                    tags: tags.clone(),
                    ..Registration::default()
                };
                let mut made = cx.ask(Request::post(["nodes", "register"], &form)).await?;
                match made.remove("node_info") {
                    Some(Value::Object(node)) => node,
                    _ => Map::new(),
                }
            }
            Err(problem) => return Err(problem),
        };
        // Whoever was drained takes no work until the operator says so.
        let is_drained =
            matches!(node.get("status").and_then(Value::as_str), Some("maintenance" | "error"));
        let change = NodeChange {
            status: status.filter(|_| !is_drained).map(Standing::status),
            available_skills: skills,
            tags,
            max_concurrent_tasks,
            ..NodeChange::default()
        };
        // To register anew would fence what it holds.
        let request = Request::patch(["nodes", me], &change);
        let mut wanted = request.body.iter().filter_map(Value::as_object).flatten();
        if wanted.any(|(name, wanted)| !wanted.is_null() && node.get(name) != Some(wanted)) {
            node = cx.ask(request).await?;
        }
        let node = brief(&Value::Object(node), &SHOWN);
        Ok(Map::from_iter([("node".to_owned(), node)]))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct FindAgents {
    /// Only those that have this skill.
    skill: Option<String>,
    /// Only those with this tag.
    tag: Option<String>,
    /// online, offline, busy, maintenance or error.
    status: Option<String>,
    /// Only those that have room for a task, least busy first.
    available: Option<bool>,
    /// Most agents; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

impl Operation for FindAgents {
    const ABOUT: About = About {
        name: "find_agents",
        title: "Find agents",
        description: "Lists agents: what they can do, and whether they are there.",
        toolset: Toolset::Core,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("agents", "array"), ("more", "boolean")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Self { skill, tag, status, available, limit } = self;
        let limit = limit.unwrap_or(20);
        let (nodes, more) = if available.unwrap_or(false) {
            let (nodes, _) = cx.list(Request::get(["nodes", "available"])).await?;
            let fits = |value: &Value| {
                let Ok(node) = serde_json::from_value::<Node>(value.clone()) else { return false };
                skill.as_ref().is_none_or(|skill| node.skills().contains(skill))
                    && tag.as_ref().is_none_or(|tag| node.labels().contains(tag))
                    && status.as_ref().is_none_or(|status| node.status.as_str() == status)
            };
            let mut nodes: Vec<_> = nodes.into_iter().filter(fits).collect();
            let more = nodes.len() > limit;
            nodes.truncate(limit);
            (nodes, more)
        } else {
            let request = Request::get(["nodes"]).query("limit", Some(limit));
            let request = request.query("skill", skill).query("tag", tag);
            let (nodes, next) = cx.list(request.query("status_filter", status)).await?;
            (nodes, next.is_some())
        };
        let agents = nodes.iter().map(|node| brief(node, &SHOWN)).collect();
        let mut answer = listed("agents", agents, None);
        answer.insert("more".to_owned(), more.into());
        Ok(answer)
    }
}
