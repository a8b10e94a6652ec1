//! What the audit says of a request: which routes it tells of, and who has sent it (`contract.md` §9).
//!
//! The scripts write the entries, in the step in which they do what was asked for. Whether they are told who
//! asks is decided here, route by route, so that what agents do all day costs nothing.

use reef_domain::limits::AUDIT_REASON_CHARS_MAX;
use reef_domain::name;
use reef_domain::trail::Chain;
use reef_store::audit::Actor;

use crate::auth::{Access, Caller, presented_key};
use crate::http::Request;
use crate::problem::Problem;
use crate::stand_in;

/// When an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Whoever asks.
    Always,
    /// Where the caller administers the hub, the route is for those who do, or the request comes from the page or
    /// the command line. What programs do with their own nodes and tasks is none of it.
    ByHand,
    /// Where the caller administers the hub: what agents do with their own money is in the journal.
    Money,
}

/// A route that the audit tells of.
#[derive(Debug, Clone, Copy)]
pub struct Audited {
    pub method: &'static str,
    pub path: &'static str,
    /// Where its entries are.
    pub chain: Chain,
    pub when: When,
    /// What its entries are called.
    pub actions: &'static [&'static str],
}

const fn line(
    method: &'static str,
    path: &'static str,
    chain: Chain,
    when: When,
    actions: &'static [&'static str],
) -> Audited {
    Audited { method, path, chain, when, actions }
}

/// The routes that the audit tells of. Each other route that changes something is one of [`NOT_AUDITED`].
pub const AUDITED: &[Audited] = &[
    line("PATCH", "/api/v1/nodes/{id}", Chain::Cluster, When::ByHand, &["node.change"]),
    line("DELETE", "/api/v1/nodes/{id}", Chain::Cluster, When::ByHand, &["node.remove"]),
    line("POST", "/api/v1/nodes/{id}/shutdown", Chain::Cluster, When::ByHand, &["node.shutdown"]),
    line("POST", "/api/v1/cluster/leader/resign", Chain::Cluster, When::ByHand, &["leader.resign"]),
    line("POST", "/api/v1/tasks/cleanup", Chain::Cluster, When::ByHand, &["task.cleanup"]),
    line("POST", "/api/v1/tasks/dead/redrive", Chain::Cluster, When::ByHand, &["task.redrive"]),
    line("PATCH", "/api/v1/tasks/{id}", Chain::Cluster, When::ByHand, &["task.edit"]),
    line("DELETE", "/api/v1/tasks/{id}", Chain::Cluster, When::ByHand, &["task.remove"]),
    line("POST", "/api/v1/tasks/{id}/cancel", Chain::Cluster, When::ByHand, &["task.cancel"]),
    line("POST", "/api/v1/tasks/{id}/retry", Chain::Cluster, When::ByHand, &["task.retry"]),
    line("POST", "/api/v1/groups/{id}/cancel", Chain::Cluster, When::ByHand, &["group.cancel"]),
    line("POST", "/api/v1/groups/{id}/retry", Chain::Cluster, When::ByHand, &["group.retry"]),
    line("POST", "/api/v1/bulk", Chain::Cluster, When::ByHand, &["bulk.start"]),
    line("POST", "/api/v1/bulk/{id}/stop", Chain::Cluster, When::ByHand, &["bulk.stop"]),
    line("PUT", "/api/v1/limits/{name}", Chain::Cluster, When::ByHand, &["limit.set"]),
    line("DELETE", "/api/v1/limits/{name}", Chain::Cluster, When::ByHand, &["limit.remove"]),
    line("POST", "/api/v1/limits/{name}/penalty", Chain::Cluster, When::ByHand, &["limit.shut"]),
    line("PUT", "/api/v1/queue", Chain::Cluster, When::ByHand, &["queue.pause", "queue.resume"]),
    line("PUT", "/api/v1/fairness", Chain::Cluster, When::ByHand, &["fairness.set"]),
    line("PUT", "/api/v1/schedules/{id}", Chain::Cluster, When::ByHand, &["schedule.set"]),
    line("DELETE", "/api/v1/schedules/{id}", Chain::Cluster, When::ByHand, &["schedule.remove"]),
    line("POST", "/api/v1/schedules/{id}/pause", Chain::Cluster, When::ByHand, &["schedule.pause"]),
    line(
        "POST",
        "/api/v1/schedules/{id}/resume",
        Chain::Cluster,
        When::ByHand,
        &["schedule.resume"],
    ),
    line(
        "POST",
        "/api/v1/schedules/{id}/trigger",
        Chain::Cluster,
        When::ByHand,
        &["schedule.trigger"],
    ),
    line(
        "POST",
        "/api/v1/schedules/{id}/backfill",
        Chain::Cluster,
        When::ByHand,
        &["schedule.backfill"],
    ),
    line("PUT", "/api/v1/prices/{model}", Chain::Cluster, When::ByHand, &["price.set"]),
    line("DELETE", "/api/v1/prices/{model}", Chain::Cluster, When::ByHand, &["price.remove"]),
    line("PUT", "/api/v1/budgets/{scope}/{id}", Chain::Cluster, When::ByHand, &["budget.set"]),
    line(
        "DELETE",
        "/api/v1/budgets/{scope}/{id}",
        Chain::Cluster,
        When::ByHand,
        &["budget.remove"],
    ),
    line("POST", "/api/v1/waits/{wid}/answer", Chain::Cluster, When::Always, &["wait.answer"]),
    line("POST", "/api/v1/agents/register", Chain::Ledger, When::Always, &["agent.register"]),
    line(
        "PATCH",
        "/api/v1/agents/{id}",
        Chain::Ledger,
        When::Always,
        &["agent.suspend", "agent.resume"],
    ),
    line("DELETE", "/api/v1/agents/{id}", Chain::Ledger, When::Always, &["agent.remove"]),
    line("POST", "/api/v1/invites", Chain::Ledger, When::Always, &["invite.create"]),
    line("DELETE", "/api/v1/invites/{id}", Chain::Ledger, When::Always, &["invite.revoke"]),
    line("POST", "/api/v1/auth/keys", Chain::Ledger, When::Always, &["key.create"]),
    line("DELETE", "/api/v1/auth/keys/{key_id}", Chain::Ledger, When::Always, &["key.revoke"]),
    line("POST", "/api/v1/auth/keys/{key_id}/rotate", Chain::Ledger, When::Always, &["key.rotate"]),
    line("POST", "/api/v1/deposit", Chain::Ledger, When::Money, &["money.deposit"]),
    line("POST", "/api/v1/withdraw", Chain::Ledger, When::Money, &["money.withdraw"]),
    line("POST", "/api/v1/transfer", Chain::Ledger, When::Money, &["money.transfer"]),
    line("POST", "/api/v1/holds", Chain::Ledger, When::Money, &["hold.place"]),
    line("POST", "/api/v1/intents", Chain::Ledger, When::Money, &["intent.submit"]),
    line("POST", "/api/v1/holds/{id}/post", Chain::Ledger, When::Money, &["hold.post"]),
    line("POST", "/api/v1/holds/{id}/void", Chain::Ledger, When::Money, &["hold.void"]),
    line("DELETE", "/api/v1/intents/{id}", Chain::Ledger, When::Money, &["intent.cancel"]),
    line("POST", "/api/v1/positions/{id}/close", Chain::Ledger, When::Money, &["position.close"]),
];

const NODE: &str = "the ordinary life of a node: its events say it";
const LOCK: &str = "what whoever holds a lock does: its events say it";
const QUEUE: &str = "the ordinary life of a task: its events and its own record say it";
const APART: &str = "lies in a partition of its own, which has no chain; the log names the admin key that removes something";
const READS: &str = "lets a browser read with a key that there is";
const ACTS: &str = "lets the page act with a key that there is: what it then does is told";

/// The routes that change something of which the audit does not tell, and why.
pub const NOT_AUDITED: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/nodes/register", NODE),
    ("POST", "/api/v1/nodes/{id}/heartbeat", NODE),
    ("POST", "/api/v1/heartbeats", NODE),
    ("POST", "/api/v1/cluster/check-heartbeat", "what the monitor does every second"),
    (
        "POST",
        "/api/v1/cluster/leader/campaign",
        "what candidates do every few seconds: the history of the leadership says it",
    ),
    ("POST", "/api/v1/locks/{name}/acquire", LOCK),
    ("POST", "/api/v1/locks/{name}/renew", LOCK),
    ("POST", "/api/v1/locks/{name}/release", LOCK),
    ("POST", "/api/v1/tasks", QUEUE),
    ("POST", "/api/v1/tasks/batch", QUEUE),
    ("POST", "/api/v1/tasks/claim", QUEUE),
    ("POST", "/api/v1/tasks/{id}/progress", QUEUE),
    ("POST", "/api/v1/tasks/{id}/log", QUEUE),
    ("POST", "/api/v1/tasks/{id}/complete", QUEUE),
    ("POST", "/api/v1/tasks/{id}/fail", QUEUE),
    ("POST", "/api/v1/tasks/{id}/wait", QUEUE),
    ("POST", "/api/v1/tasks/{id}/signal", QUEUE),
    ("POST", "/api/v1/tasks/{id}/signals/take", QUEUE),
    ("POST", "/api/v1/sessions", APART),
    ("DELETE", "/api/v1/sessions/{sid}", APART),
    ("POST", "/api/v1/sessions/{sid}/tasks", QUEUE),
    ("POST", "/api/v1/sessions/{sid}/messages", APART),
    ("DELETE", "/api/v1/sessions/{sid}/messages", APART),
    ("PUT", "/api/v1/sessions/{sid}/messages/{mid}", APART),
    ("POST", "/api/v1/messages/{mid}/append", APART),
    ("POST", "/api/v1/messages/{mid}/content", APART),
    ("POST", "/api/v1/messages/{mid}/tasks", APART),
    ("PATCH", "/api/v1/messages/{mid}/tasks/{tid}", APART),
    ("POST", "/api/v1/messages/{mid}/complete", APART),
    ("POST", "/api/v1/inbox/{agent}", APART),
    ("POST", "/api/v1/inbox/{agent}/receive", APART),
    ("POST", "/api/v1/inbox/{agent}/ack", APART),
    ("POST", "/api/v1/inbox/{agent}/proposals/{msg_id}/accept", APART),
    ("POST", "/api/v1/inbox/{agent}/dead/redrive", APART),
    (
        "POST",
        "/api/v1/intents/{id}/match",
        "what the program does that runs the market: the journal says it",
    ),
    (
        "POST",
        "/api/v1/positions/{id}/mark",
        "what a feed of prices does: the journal says what it pays",
    ),
    // The host's own.
    ("POST", "/ui/session", READS),
    ("DELETE", "/ui/session", READS),
    ("POST", "/ui/sign-in-links", READS),
    ("POST", "/ui/act", ACTS),
    ("DELETE", "/ui/act", ACTS),
];

/// When the audit tells of a route; `None`: never.
#[must_use]
pub fn when(method: &str, path: &str) -> Option<When> {
    AUDITED.iter().find(|line| line.method == method && line.path == path).map(|line| line.when)
}

/// What a request says for the audit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    via: &'static str,
    reason: String,
}

impl Said {
    /// `most`: of how many entries the caller may be the cause within a day.
    pub(crate) fn by<'a>(
        &'a self,
        caller: &'a Caller,
        request_id: &'a str,
        most: Option<i64>,
    ) -> Actor<'a> {
        let name = match caller {
            Caller::Anonymous => ANYBODY,
            other => other.name(),
        };
        let key_id = caller.key_id().map_or("", |id| id.as_str());
        Actor { name, key_id, via: self.via, reason: &self.reason, request_id, most }
    }
}

/// Who asks where the hub asks nobody for a key.
pub const ANYBODY: &str = "@anybody";

/// What a request to an audited route says; `None`: there is no entry to be written.
///
/// # Errors
/// 400 for a header that is not what it should be.
pub(crate) fn said(
    when: When,
    access: Access,
    request: &Request,
    caller: &Caller,
) -> Result<Option<Said>, Problem> {
    let (via, reason) = (via_of(request), reason_of(request)?);
    let is_for_admins = matches!(access, Access::Admin | Access::LedgerAdmin);
    let is_due = match when {
        When::Always => true,
        When::ByHand => caller.is_admin() || is_for_admins || via != "api",
        When::Money => caller.is_admin(),
    };
    Ok(is_due.then_some(Said { via, reason }))
}

/// What a request comes from. A cookie comes from the page, whatever the header says.
fn via_of(request: &Request) -> &'static str {
    let key = presented_key(request).ok().flatten();
    if key.is_some_and(stand_in::is_of_a_cookie) {
        return "page";
    }
    match request.raw_header("reef-via") {
        Some(b"cli") => "cli",
        Some(b"page") => "page",
        _ => "api",
    }
}

const REASON: &str = "Reef-Reason";

/// Why it is done: UTF-8, or as RFC 8187 writes it in ASCII (`UTF-8''%C3%A9t%C3%A9`), since browsers send nothing else.
fn reason_of(request: &Request) -> Result<String, Problem> {
    let Some(raw) = request.raw_header(REASON) else { return Ok(String::new()) };
    let coded =
        raw.split_at_checked(CODED.len()).filter(|(head, _)| head.eq_ignore_ascii_case(CODED));
    let bytes = match coded {
        Some((_, rest)) => percent_decoded(rest),
        None => Some(raw.to_vec()),
    };
    let rule = || Problem::parameter(REASON, "must be UTF-8, or UTF-8'' and percent-encoded UTF-8");
    let reason = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(rule)?;
    if reason.chars().count() > AUDIT_REASON_CHARS_MAX {
        let rule = format!("must have at most {AUDIT_REASON_CHARS_MAX} characters");
        return Err(Problem::parameter(REASON, &rule));
    }
    if !name::is_valid(&reason) {
        return Err(Problem::parameter(REASON, name::RULE));
    }
    Ok(reason)
}

const CODED: &[u8] = b"UTF-8''";

/// `None` where a `%` is not followed by two hexadecimal digits.
fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reef_domain::access::Scopes;

    use super::*;
    use crate::auth::Agent;

    fn request(headers: &[(&str, &str)]) -> Request {
        Request { headers: headers.iter().copied().collect(), ..Request::default() }
    }

    fn agent(scopes: &str) -> Caller {
        Caller::Agent(Agent {
            agent_id: "alice".into(),
            key_id: "key_1".into(),
            digest: String::new(),
            scopes: Scopes::stored(scopes),
            minds_owners: true,
        })
    }

    #[test]
    fn each_route_stands_once_and_each_action_is_of_one_kind_of_thing() {
        let audited = AUDITED.iter().map(|line| (line.method, line.path));
        let others = NOT_AUDITED.iter().map(|(method, path, _)| (*method, *path));
        let all: Vec<_> = audited.chain(others).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), distinct.len());
        for action in AUDITED.iter().flat_map(|line| line.actions) {
            let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(
                action.split_once('.').is_some_and(|(a, b)| is_plain(a) && is_plain(b)),
                "{action}"
            );
        }
    }

    #[test]
    fn what_is_done_by_hand_is_told_and_what_programs_do_is_not() {
        let told = |when, access, caller: &Caller, via: &[(&str, &str)]| {
            said(when, access, &request(via), caller).unwrap().is_some()
        };
        let cli: &[_] = &[("Reef-Via", "cli")];
        let api: &[_] = &[];
        let worker = agent("write");
        assert!(!told(When::ByHand, Access::Write, &worker, api));
        assert!(!told(When::ByHand, Access::Write, &worker, &[("Reef-Via", "cron")]));
        assert!(told(When::ByHand, Access::Write, &worker, cli));
        assert!(told(When::ByHand, Access::Write, &agent("write admin"), api));
        assert!(told(When::ByHand, Access::Write, &Caller::Admin, api));
        // Where nobody is asked for a key.
        assert!(told(When::ByHand, Access::Admin, &Caller::Anonymous, api));
        assert!(!told(When::ByHand, Access::Write, &Caller::Anonymous, api));
        assert!(told(When::Always, Access::LedgerWrite, &worker, api));
        assert!(!told(When::Money, Access::Trade, &agent("trade"), cli));
        assert!(told(When::Money, Access::Trade, &Caller::Admin, api));
    }

    #[test]
    fn a_cookie_comes_from_the_page_whatever_else_is_said() {
        let stand_in = "reef-stand-in.key_1.d.c";
        assert_eq!(via_of(&request(&[("X-API-Key", stand_in), ("Reef-Via", "cli")])), "page");
        for (said, via) in [("cli", "cli"), ("page", "page"), ("CLI", "api"), ("", "api")] {
            assert_eq!(via_of(&request(&[("Reef-Via", said)])), via, "{said}");
        }
    }

    #[test]
    fn who_asks_is_named_by_what_it_is_called_and_never_by_a_secret() {
        let said = Said { via: "api", reason: "r".into() };
        let caller = agent("write");
        let actor = said.by(&caller, "req", None);
        assert_eq!((actor.name, actor.key_id, actor.request_id), ("alice", "key_1", "req"));
        assert_eq!(said.by(&Caller::Admin, "", None).name, "@admin");
        assert_eq!(said.by(&Caller::Anonymous, "", None).name, ANYBODY);
    }

    #[test]
    fn a_reason_is_text_that_people_can_read_and_nothing_else() {
        let reason = |text: &str| reason_of(&request(&[("Reef-Reason", text)]));
        assert_eq!(reason_of(&request(&[])).unwrap(), "");
        for (sent, read) in [
            ("gate shut", "gate shut"),
            ("检修", "检修"),
            ("100%", "100%"),
            ("utf-8''%E6%A3%80%e4%bf%ae%20x", "检修 x"),
            ("UTF-8''", ""),
        ] {
            assert_eq!(reason(sent).unwrap(), read, "{sent}");
        }
        let long = "ü".repeat(AUDIT_REASON_CHARS_MAX);
        assert_eq!(reason(&long).unwrap(), long);
        let longer = format!("{long}ü");
        for bad in [
            longer.as_str(),
            "a\tb",
            "a\u{202e}b",
            " a",
            "UTF-8''%0a",
            "UTF-8''%ff",
            "UTF-8''%4",
            "UTF-8''%zz",
        ] {
            let refused = reason(bad).unwrap_err();
            assert_eq!(refused.errors[0].field, "Reef-Reason", "{bad:?}");
        }
        let bytes = Request {
            headers: [("Reef-Reason", [0xff])].into_iter().collect(),
            ..Request::default()
        };
        assert!(reason_of(&bytes).is_err());
    }
}
