//! Who may call a hub: everybody that a hub can tell apart.

use reef_domain::access::Scopes;
use serde_json::json;

use crate::contract::Subject;
use crate::contract::agents::{Agent, new_agent};
use crate::harness::{Client, unique};

/// What a hub knows of a caller.
#[derive(Clone, Copy, Debug)]
pub enum Standing {
    /// Nothing.
    Unknown,
    /// It is an agent that was suspended.
    Suspended,
    /// It may become an agent.
    Invited,
    /// It is an agent.
    Agent { scopes: Scopes, is_owner: bool },
    /// It runs the hub.
    Admin,
}

/// Somebody who calls.
#[derive(Clone)]
pub struct Principal {
    pub name: String,
    pub standing: Standing,
    /// Whether it shows a cookie, which is good for reading only, in place of a key.
    pub has_cookie: bool,
    /// The agent's id, if it is one that is known.
    pub agent_id: String,
    pub client: Client,
}

impl Principal {
    fn new(name: &str, standing: Standing, agent_id: &str, client: Client) -> Self {
        let (name, agent_id) = (name.to_owned(), agent_id.to_owned());
        Self { name, standing, has_cookie: false, agent_id, client }
    }

    fn unknown(name: &str, client: Client) -> Self {
        Self::new(name, Standing::Unknown, "nobody", client)
    }

    /// The same by the cookie that the page signs in with.
    fn in_a_browser(&self) -> Self {
        let signed_in = self.client.post_empty("//ui/session");
        signed_in.ok();
        let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        Self {
            name: format!("cookie of {}", self.name),
            has_cookie: true,
            client: self.client.anonymous().with("cookie", &cookie),
            ..self.clone()
        }
    }
}

/// The keys that an agent may have: one for each scope, and two with more.
pub fn keys_of(hub: &Subject, agent: &Agent, is_owner: bool) -> Vec<Principal> {
    const SETS: [&[&str]; 7] = [
        &["read"],
        &["write"],
        &["trade"],
        &["approve"],
        &["admin"],
        &["read", "write", "trade"],
        &["read", "write", "trade", "approve", "admin"],
    ];
    let role = if is_owner { "owner" } else { "stranger" };
    let mut all: Vec<Principal> = Vec::new();
    for names in SETS {
        let body = json!({"agent_id": agent.id, "scopes": names});
        let made = hub.client.post("/auth/keys", &body).ok();
        let client = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
        let scopes = Scopes::parse(names.iter().copied()).unwrap();
        let standing = Standing::Agent { scopes, is_owner };
        all.push(Principal::new(
            &format!("{role} ({})", names.join(" ")),
            standing,
            &agent.id,
            client,
        ));
    }
    all.push(all[5].in_a_browser());
    all
}

/// Those that own nothing.
pub fn strangers(hub: &Subject, redis: &mut redis::Connection) -> Vec<Principal> {
    let mut all = unknown(hub, redis);
    let suspended = new_agent(hub);
    let path = format!("/agents/{}", suspended.id);
    hub.client.patch(&path, &json!({"status": "suspended"})).ok();
    let standing = Standing::Suspended;
    all.push(Principal::new("suspended", standing, &suspended.id, suspended.client));
    all.push(Principal::new("invited", Standing::Invited, "guest", invite(hub, &["read"], 1000)));
    for scope in ["read", "write"] {
        let guest = invite(hub, &[scope], 1);
        let made = guest.post("/agents/register", &json!({"agent_id": unique("guest")})).ok();
        let client = hub.anonymous.with_key(made["api_key"].as_str().unwrap());
        let scopes = Scopes::parse([scope]).unwrap();
        let standing = Standing::Agent { scopes, is_owner: false };
        let id = made["agent"]["agent_id"].as_str().unwrap();
        all.push(Principal::new(&format!("came in by an invite ({scope})"), standing, id, client));
    }
    all.extend(keys_of(hub, &new_agent(hub), false));
    let admin = Principal::new("admin", Standing::Admin, "operator", hub.client.clone());
    all.push(admin.in_a_browser());
    all.push(admin);
    all
}

/// An invite's holder.
fn invite(hub: &Subject, scopes: &[&str], uses: u32) -> Client {
    let made = hub.client.post("/invites", &json!({"scopes": scopes, "uses": uses})).ok();
    hub.anonymous.with_key(made["invite"].as_str().unwrap())
}

/// Those that a hub does not know, or knows no more.
fn unknown(hub: &Subject, redis: &mut redis::Connection) -> Vec<Principal> {
    let with_key = |key| hub.anonymous.with_key(key);
    let [revoked, removed] = [(); 2].map(|()| new_agent(hub));
    let key_id = |agent: &Agent| {
        agent.client.get("/auth/me").ok()["auth"]["key_id"].as_str().unwrap().to_owned()
    };
    let its = Principal::unknown("revoked", revoked.client.clone());
    let cookie = its.in_a_browser();
    revoked.client.delete(&format!("/auth/keys/{}", key_id(&revoked))).ok();
    // The shortest life of a key is a day.
    let short = json!({"agent_id": new_agent(hub).id, "expires_in_days": 1});
    let expired = hub.client.post("/auth/keys", &short).ok();
    let key = format!("reef:key:{}", expired["key_info"]["key_id"].as_str().unwrap());
    let mut set = redis::cmd("HSET");
    let added: i64 = set.arg(key).arg("expires_at").arg(1).query(redis).unwrap();
    assert_eq!(added, 0, "a key's end is kept elsewhere");
    hub.client.delete(&format!("/agents/{}", removed.id)).ok();
    let made = hub.client.post("/invites", &json!({})).ok();
    let invited = with_key(made["invite"].as_str().unwrap());
    let path = format!("/invites/{}", made["invite_info"]["invite_id"].as_str().unwrap());
    hub.client.delete(&path).ok();
    vec![
        Principal::unknown("nobody", hub.anonymous.clone()),
        Principal::unknown("malformed", with_key("nonsense")),
        Principal::unknown("unknown", with_key("reef_abcdefgh_0123456789abcdef0123456789abcdef")),
        Principal::unknown("invite revoked", invited),
        Principal::unknown("expired", with_key(expired["api_key"].as_str().unwrap())),
        Principal::unknown("removed", removed.client),
        cookie,
        its,
    ]
}
