//! Who may call a hub: everybody that a hub can tell apart.

use reef_domain::access::Scopes;
use serde_json::json;

use crate::contract::Subject;
use crate::contract::agents::{Agent, new_agent};
use crate::harness::{Answer, Client, unique};

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

/// How somebody says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By a key, an invite, or nothing.
    Key,
    /// A page by its cookie, which is good for reading only.
    Page,
    /// A page that may act: by another cookie, with its token.
    ActingPage,
}

/// Somebody who calls.
#[derive(Clone)]
pub struct Principal {
    pub name: String,
    pub standing: Standing,
    pub by: By,
    /// The agent's id, if it is one that is known.
    pub agent_id: String,
    pub client: Client,
}

impl Principal {
    fn new(name: &str, standing: Standing, agent_id: &str, client: Client) -> Self {
        let (name, agent_id) = (name.to_owned(), agent_id.to_owned());
        Self { name, standing, by: By::Key, agent_id, client }
    }

    fn unknown(name: &str, client: Client) -> Self {
        Self::new(name, Standing::Unknown, "nobody", client)
    }

    /// The same by the cookie that the page signs in with.
    fn in_a_browser(&self) -> Self {
        let cookie = set_cookie(&self.client.post_empty("//ui/session"));
        // What a browser says of the hub's own page.
        let origin = format!("http://{}", self.client.address());
        let page = self.client.anonymous().with("origin", &origin);
        Self {
            name: format!("cookie of {}", self.name),
            by: By::Page,
            client: page.with("sec-fetch-site", "same-origin").with("cookie", &cookie),
            ..self.clone()
        }
    }

    /// The same by the page, which has been given the right to act.
    fn acting_in_a_browser(&self) -> Self {
        let page = self.in_a_browser();
        let given = self.client.post_empty("//ui/act");
        let csrf = given.ok()["csrf"].as_str().unwrap().to_owned();
        let client = page.client.with("cookie", &set_cookie(&given)).with("x-reef-csrf", &csrf);
        Self { name: format!("page of {}", self.name), by: By::ActingPage, client, ..page }
    }
}

/// The pair of the cookie that an answer sets.
fn set_cookie(answer: &Answer) -> String {
    answer.ok();
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
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
    let pages = [all[5].in_a_browser(), all[5].acting_in_a_browser()];
    all.extend(pages);
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
    all.extend([admin.in_a_browser(), admin.acting_in_a_browser(), admin]);
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
    let pages = [its.in_a_browser(), its.acting_in_a_browser()];
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
    let mut all = vec![
        Principal::unknown("nobody", hub.anonymous.clone()),
        Principal::unknown("malformed", with_key("nonsense")),
        Principal::unknown("unknown", with_key("reef_abcdefgh_0123456789abcdef0123456789abcdef")),
        Principal::unknown("invite revoked", invited),
        Principal::unknown("expired", with_key(expired["api_key"].as_str().unwrap())),
        Principal::unknown("removed", removed.client),
        its,
    ];
    all.extend(pages);
    all
}
