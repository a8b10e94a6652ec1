//! What an agent can read by an address.

use serde_json::{Value, json};

use crate::{Caller, Hub, Problem, Request};

/// Something that can be read.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    /// Its address; what stands in braces is filled in.
    pub uri: &'static str,
    pub name: &'static str,
    pub description: &'static str,
}

/// All of them. Those with braces are templates.
pub const ALL: [Resource; 7] = [
    Resource {
        uri: "reef://cluster/health",
        name: "Cluster health",
        description: "Agents by status, and their capacity.",
    },
    Resource {
        uri: "reef://cluster/leader",
        name: "Leader",
        description: "Who leads, and in which term.",
    },
    Resource { uri: "reef://nodes", name: "Agents", description: "The newest 100 agents." },
    Resource { uri: "reef://nodes/{id}", name: "Agent", description: "One agent." },
    Resource { uri: "reef://tasks/{id}", name: "Task", description: "A task with its result." },
    Resource {
        uri: "reef://inbox/{agent}",
        name: "Inbox",
        description: "Mail that waits, without taking it. Your own only.",
    },
    Resource {
        uri: "reef://messages/{id}",
        name: "Message",
        description: "A message of a session as it is now.",
    },
];

impl Resource {
    /// Whether it has to be filled in.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.uri.contains('{')
    }
}

/// Reads what an address names.
///
/// # Errors
/// The hub's problem; 404 where the address names nothing.
pub async fn read(hub: &impl Hub, caller: &Caller, uri: &str) -> Result<Value, Problem> {
    let request = request(caller, uri).ok_or_else(|| unknown(uri))?;
    hub.call(request).await.read()
}

fn request(caller: &Caller, uri: &str) -> Option<Request> {
    let path = uri.strip_prefix("reef://")?;
    let segments: Vec<_> = path.split('/').collect();
    Some(match segments.as_slice() {
        ["cluster", which @ ("health" | "leader")] => Request::get(["cluster", which]),
        ["nodes"] => Request::get(["nodes"]).query("limit", Some(100)),
        ["nodes", id] => Request::get(["nodes", id]),
        ["tasks", id] => Request::get(["tasks", id]),
        ["inbox", agent] if caller.agent.as_deref().is_none_or(|me| me == *agent) => {
            Request::get(["inbox", agent])
        }
        ["messages", id] => Request::get(["messages", id]),
        _ => return None,
    })
}

fn unknown(uri: &str) -> Problem {
    Problem::new(404, "not_found", &format!("There is no resource {uri}."))
}

/// Each with its address, as a list shows them.
#[must_use]
pub fn listed(templates: bool) -> Vec<Value> {
    let address = if templates { "uriTemplate" } else { "uri" };
    let shown = |it: &Resource| {
        json!({address: it.uri, "name": it.name, "description": it.description,
            "mimeType": "application/json"})
    };
    ALL.iter().filter(|it| it.is_template() == templates).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_thing_and_an_inbox_only_its_owner_s() {
        let mut alice = Caller::default();
        alice.agent = Some("alice".to_owned());
        for resource in ALL {
            let uri = resource.uri.replace("{id}", "x").replace("{agent}", "alice");
            assert!(request(&alice, &uri).is_some(), "{uri}");
        }
        for bad in ["reef://inbox/bob", "reef://", "reef://nodes/a/b", "file:///etc/passwd", ""] {
            assert!(request(&alice, bad).is_none(), "{bad}");
        }
        let odd = request(&alice, "reef://nodes/..").unwrap();
        assert!(odd.target().is_err());
    }
}
