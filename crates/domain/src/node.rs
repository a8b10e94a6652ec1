//! A node's status, platform and architecture, and what a registration or a change of a node
//! must look like (`contract.md` §2).

use reef_api::node::{self as api, Arch, NodeChange, Platform};
use reef_api::{NodeId, Open, Word as _};

use crate::id;
use crate::invalid::Invalid;
use crate::limits::{
    ADDRESS_CHARS_MAX, CONCURRENT_TASKS_MAX, COUNTER_MAX, HOSTNAME_CHARS_MAX, LABEL_CHARS_MAX,
    LABELS_BYTES_MAX, LABELS_MAX, PORT_MAX,
};
use crate::name;

/// The port that OpenClaw nodes listen on unless they say otherwise.
pub const PORT_DEFAULT: i64 = 18_789;

/// How many tasks a node runs at once unless it says otherwise.
pub const CONCURRENT_TASKS_DEFAULT: i64 = 5;

/// What a caller is told about a status that a node cannot have.
pub const STATUS_RULE: &str = "must be one of online, offline, busy, maintenance, error";

/// A registration that keeps all rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Identity of the node.
    pub hostname: String,
    /// One of [`Platform`].
    pub platform: String,
    /// One of [`Arch`].
    pub arch: String,
    /// Without repetitions.
    pub available_skills: Vec<String>,
    /// May be empty.
    pub ip_address: String,
    /// May be empty.
    pub tailscale_ip: String,
    /// 0–65535.
    pub port: i64,
    /// 1–100.
    pub max_concurrent_tasks: i64,
    /// `None`: a known node keeps the tags that it has.
    pub tags: Option<Vec<String>>,
    /// The id that the node would like to have.
    pub node_id: Option<NodeId>,
}

/// Why a registration is refused. The older service told the two apart by status code, and its
/// clients read the difference (`contract.md` §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationError {
    /// A missing field or one out of its range: 422.
    Shape(Invalid),
    /// A blank hostname, an unknown platform, no skills, an unusable id: 400.
    Rules(Invalid),
}

/// Checks all rules of a registration that need no look at other nodes.
///
/// # Errors
/// What is wrong; faults of shape come before faults of the second kind.
pub fn check_registration(form: api::Registration) -> Result<Registration, RegistrationError> {
    let mut shape = Invalid::new();
    for (field, given) in [
        ("hostname", form.hostname.is_some()),
        ("platform", form.platform.is_some()),
        ("arch", form.arch.is_some()),
        ("available_skills", form.available_skills.is_some()),
    ] {
        shape.require(given, field, "is required");
    }
    let hostname = form.hostname.unwrap_or_default();
    let skills = form.available_skills.unwrap_or_default();
    let ip_address = form.ip_address.unwrap_or_default();
    let tailscale_ip = form.tailscale_ip.unwrap_or_default();
    let port = form.port.unwrap_or(PORT_DEFAULT);
    let max_concurrent_tasks = form.max_concurrent_tasks.unwrap_or(CONCURRENT_TASKS_DEFAULT);
    for (field, text, max) in [
        ("hostname", &hostname, HOSTNAME_CHARS_MAX),
        ("ip_address", &ip_address, ADDRESS_CHARS_MAX),
        ("tailscale_ip", &tailscale_ip, ADDRESS_CHARS_MAX),
    ] {
        shape.at_most_chars(field, text, max);
        check_name(&mut shape, field, text);
    }
    shape.within("port", port, &(0..=PORT_MAX));
    check_concurrency(&mut shape, max_concurrent_tasks);
    check_labels(&mut shape, "available_skills", &skills);
    if let Some(tags) = &form.tags {
        check_labels(&mut shape, "tags", tags);
        check_blanks(&mut shape, "tags", tags);
    }
    let shape = shape.finish(()).map_err(RegistrationError::Shape);
    shape?;

    let platform = form.platform.unwrap_or_default();
    let arch = form.arch.unwrap_or_default();
    let mut rules = Invalid::new();
    rules.require(!hostname.trim().is_empty(), "hostname", "must not be blank");
    rules.require(
        Platform::parse(&platform).is_some(),
        "platform",
        "must be one of macos, windows, linux",
    );
    rules.require(Arch::parse(&arch).is_some(), "arch", "must be one of x64, arm64, x86, arm");
    rules.require(!skills.is_empty(), "available_skills", "must name at least one skill");
    check_blanks(&mut rules, "available_skills", &skills);
    let node_id = match form.node_id.filter(|id| !id.is_empty()).map(id::checked) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(rule)) => {
            rules.push("node_id", rule);
            None
        }
    };
    rules
        .finish(Registration {
            hostname,
            platform,
            arch,
            available_skills: distinct(skills),
            ip_address,
            tailscale_ip,
            port,
            max_concurrent_tasks,
            tags: form.tags.map(distinct),
            node_id,
        })
        .map_err(RegistrationError::Rules)
}
/// Checks the ranges of a change of a node and drops repetitions.
///
/// # Errors
/// A status that is none, or else every field that breaks a rule.
pub fn check_change(mut change: NodeChange) -> Result<NodeChange, Invalid> {
    if let Some(Open::Other(_)) = &change.status {
        return Err(Invalid::one("status", STATUS_RULE));
    }
    let mut invalid = Invalid::new();
    if let Some(skills) = &change.available_skills {
        check_labels(&mut invalid, "available_skills", skills);
        check_blanks(&mut invalid, "available_skills", skills);
        invalid.require(!skills.is_empty(), "available_skills", "must name at least one skill");
    }
    if let Some(tags) = &change.tags {
        check_labels(&mut invalid, "tags", tags);
        check_blanks(&mut invalid, "tags", tags);
    }
    if let Some(max) = change.max_concurrent_tasks {
        check_concurrency(&mut invalid, max);
    }
    for (field, value) in [
        ("total_tasks_processed", change.total_tasks_processed),
        ("successful_tasks", change.successful_tasks),
        ("failed_tasks", change.failed_tasks),
    ] {
        invalid.within(field, value, &(0..=COUNTER_MAX));
    }
    let average_fits =
        change.average_execution_time.is_none_or(|s| s.is_finite() && (0.0..=1e12).contains(&s));
    invalid.require(average_fits, "average_execution_time", "must not be negative");
    change.available_skills = change.available_skills.map(distinct);
    change.tags = change.tags.map(distinct);
    invalid.finish(change)
}

/// A blank one is refused by another rule, where it is.
fn check_name(invalid: &mut Invalid, field: &str, text: &str) {
    if !text.trim().is_empty() {
        name::check(invalid, field, text);
    }
}

fn check_concurrency(invalid: &mut Invalid, max_concurrent_tasks: i64) {
    invalid.within("max_concurrent_tasks", max_concurrent_tasks, &(1..=CONCURRENT_TASKS_MAX));
}

/// Adds that a list of skills or tags is too long.
pub(crate) fn check_labels_bytes(invalid: &mut Invalid, field: &str, labels: &[String]) {
    let bytes: usize = labels.iter().map(String::len).sum();
    let rule = "must not be longer than 16384 bytes in all";
    invalid.require(bytes <= LABELS_BYTES_MAX, field, rule);
}

fn check_labels(invalid: &mut Invalid, field: &str, labels: &[String]) {
    invalid.at_most_items(field, labels, LABELS_MAX);
    check_labels_bytes(invalid, field, labels);
    for (i, label) in labels.iter().enumerate() {
        invalid.at_most_chars(&format!("{field}[{i}]"), label, LABEL_CHARS_MAX);
        check_name(invalid, &format!("{field}[{i}]"), label);
    }
}

fn check_blanks(invalid: &mut Invalid, field: &str, labels: &[String]) {
    for (i, label) in labels.iter().enumerate() {
        invalid.require(!label.trim().is_empty(), &format!("{field}[{i}]"), "must not be blank");
    }
}

/// Drops repetitions and keeps the order, so that each label is one index entry.
fn distinct(labels: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    labels.into_iter().filter(|label| seen.insert(label.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> api::Registration {
        api::Registration {
            hostname: Some("host.example".into()),
            platform: Some("linux".into()),
            arch: Some("x64".into()),
            available_skills: Some(vec!["python".into(), "python".into(), "gpu".into()]),
            ..api::Registration::default()
        }
    }

    fn fields(invalid: &Invalid) -> Vec<&str> {
        invalid.errors().iter().map(|e| e.field.as_str()).collect()
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let node = check_registration(form()).unwrap();
        assert_eq!((node.port, node.max_concurrent_tasks), (18_789, 5));
        assert_eq!(node.available_skills, ["python", "gpu"]);
        assert_eq!((node.tags, node.node_id), (None, None));
    }

    #[test]
    fn faults_of_the_second_kind_are_listed_together() {
        let broken = api::Registration {
            hostname: Some("  ".into()),
            platform: Some("Linux".into()),
            arch: Some("x86_64".into()),
            available_skills: Some(vec![" ".into()]),
            node_id: Some("online".into()),
            ..form()
        };
        let Err(RegistrationError::Rules(invalid)) = check_registration(broken) else {
            panic!("accepted")
        };
        assert_eq!(
            fields(&invalid),
            ["hostname", "platform", "arch", "available_skills[0]", "node_id"]
        );
    }

    #[test]
    fn shape_is_judged_first() {
        let broken = api::Registration {
            hostname: None,
            platform: Some("beos".into()),
            max_concurrent_tasks: Some(101),
            port: Some(-1),
            ..form()
        };
        let Err(RegistrationError::Shape(invalid)) = check_registration(broken) else {
            panic!("accepted")
        };
        assert_eq!(fields(&invalid), ["hostname", "port", "max_concurrent_tasks"]);
    }

    #[test]
    fn names_that_would_deceive_a_reader_are_faults_of_shape() {
        let bad = || Some("h\n2026 ERROR forged line".to_owned());
        let broken = api::Registration {
            hostname: bad(),
            available_skills: Some(vec!["gpu".into(), " gpu".into()]),
            tags: Some(vec!["\u{202e}gat".into()]),
            ip_address: Some("127.0.0.1\u{9b}2J".into()),
            ..form()
        };
        let Err(RegistrationError::Shape(invalid)) = check_registration(broken) else {
            panic!("accepted")
        };
        assert_eq!(fields(&invalid), ["hostname", "ip_address", "available_skills[1]", "tags[0]"]);
        let change = NodeChange { tags: Some(vec!["x\u{200b}".into()]), ..NodeChange::default() };
        assert_eq!(fields(&check_change(change).unwrap_err()), ["tags[0]"]);
    }

    #[test]
    fn an_empty_id_is_no_id() {
        let registration = api::Registration { node_id: Some("".into()), ..form() };
        assert_eq!(check_registration(registration).unwrap().node_id, None);
    }
}
