//! The operations that are measured, as requests.

use std::net::SocketAddr;

use clap::ValueEnum;
use reef_web::Request;
use serde::Serialize;

use crate::template::{NUMBER, Numbers, Template};

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
    /// As it stands in tables.
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

    /// The numbers of the nodes that it may be about, in a cluster of so many.
    pub(crate) fn numbers(self, nodes: u64) -> Numbers {
        match self {
            // Far more than are ever made, so that hardly any comes twice.
            Self::RegisterNew => Numbers { below: 2_000_000_000 },
            _ => Numbers { below: nodes },
        }
    }

    /// Method, path with query, body; [`NUMBER`] stands for the node's number.
    fn parts(self) -> (&'static str, String, String) {
        let name = name_of(NUMBER);
        let none = String::new();
        match self {
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
            Self::GetNode => ("GET", format!("/api/v1/nodes/{name}"), none),
            Self::List => ("GET", "/api/v1/nodes?limit=100".to_owned(), none),
            Self::ClusterHealth => ("GET", "/api/v1/cluster/health".to_owned(), none),
        }
    }

    /// The request as bytes.
    pub(crate) fn template(self, address: SocketAddr, admin_key: &str) -> Template {
        let (method, target, body) = self.parts();
        let content = match method {
            "GET" => String::new(),
            _ => {
                format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
            }
        };
        Template::new(&format!(
            "{method} {target} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {admin_key}\r\n\
             accept: */*\r\nuser-agent: reef-bench\r\n{content}\r\n{body}"
        ))
    }

    /// The request as a handler gets it.
    pub(crate) fn request(self, admin_key: &str) -> Request {
        let (method, target, body) = self.parts();
        Request {
            method: method.to_owned(),
            target,
            headers: vec![("x-api-key".to_owned(), admin_key.as_bytes().to_vec())],
            body: body.into_bytes(),
        }
    }
}
