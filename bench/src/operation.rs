//! The operations on nodes that are measured, as requests.

use clap::ValueEnum;
use serde::Serialize;

use crate::call::Call;
use crate::template::{NUMBER, Numbers};

/// An operation of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// A heartbeat of any of the nodes
    Heartbeat,
    /// A registration of any of the hostnames that are known already
    RegisterAgain,
    /// A registration of a new hostname; the nodes are removed after each round
    RegisterNew,
    /// Any one node
    GetNode,
    /// The first 100 nodes
    List,
    /// The counts of the cluster
    ClusterHealth,
}

/// The hostname of a node, and the id of one that was seeded. Short enough that an id that the
/// hub makes of it holds the whole number.
pub(crate) fn name_of(number: &str) -> String {
    format!("b-{number}")
}

/// What a node of the benchmark says about itself, but for its hostname.
pub(crate) const NODE: &str = r#""platform":"linux","arch":"x64","available_skills":["python","web-search","image-generation"],"ip_address":"10.0.0.1","port":18789,"max_concurrent_tasks":5,"tags":["bench"]"#;

impl Operation {
    /// As tables show it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::RegisterAgain => "register, known",
            Self::RegisterNew => "register, new",
            Self::GetNode => "get node",
            Self::List => "list 100 nodes",
            Self::ClusterHealth => "cluster health",
        }
    }

    /// Whether it makes nodes that were not there before.
    pub(crate) fn makes_nodes(self) -> bool {
        self == Self::RegisterNew
    }

    /// The request, about nodes of a cluster of so many.
    pub(crate) fn call(self, nodes: u64) -> Call {
        let name = name_of(NUMBER);
        let (method, target, body) = match self {
            Self::Heartbeat => (
                "POST",
                format!("/api/v1/nodes/{name}/heartbeat"),
                r#"{"cpu_usage":42.5,"memory_usage":61.2,"disk_usage":40.0,"running_tasks":1}"#
                    .to_owned(),
            ),
            Self::RegisterAgain => (
                "POST",
                "/api/v1/nodes/register".to_owned(),
                format!(r#"{{"hostname":"{name}",{NODE}}}"#),
            ),
            Self::RegisterNew => (
                "POST",
                "/api/v1/nodes/register".to_owned(),
                format!(r#"{{"hostname":"n-{NUMBER}",{NODE}}}"#),
            ),
            Self::GetNode => ("GET", format!("/api/v1/nodes/{name}"), String::new()),
            Self::List => ("GET", "/api/v1/nodes?limit=100".to_owned(), String::new()),
            Self::ClusterHealth => ("GET", "/api/v1/cluster/health".to_owned(), String::new()),
        };
        let numbers = if self.makes_nodes() { Numbers::FRESH } else { Numbers { below: nodes } };
        Call { method, target, body, numbers }
    }
}
