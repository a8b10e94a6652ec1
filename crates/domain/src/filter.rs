//! Which tasks somebody looks for (`contract.md` §5).

use reef_api::Word as _;
use reef_api::find::TaskFilter;
use reef_api::task::TaskStatus;
use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::label::{self, Labels};
use crate::limits::{FIND_TEXT_CHARS_MAX, ID_CHARS_MAX, TASK_NAME_CHARS_MAX, USER_CHARS_MAX};
use crate::time::UnixMillis;

/// Which tasks, as the scripts read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// In milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_key: Option<String>,
    /// Whose; `None`: everybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What the key of an error must be.
pub const ERROR_KEY_RULE: &str = "must be the key of an error, as dead letters by error show it";

/// Whether a text can be the key of what dead letters have in common.
#[must_use]
pub fn is_error_key(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a point in time must be.
pub const TIME_RULE: &str = "must be a time in UTC such as 2026-02-04T04:58:14Z";

/// Reads a point in time, with or without milliseconds.
#[must_use]
pub fn read_time(text: &str) -> Option<UnixMillis> {
    let whole =
        || text.strip_suffix('Z').and_then(|head| UnixMillis::parse(&format!("{head}.000Z")));
    UnixMillis::parse(text).or_else(whole)
}

impl Filter {
    /// Reads a filter, and adds every broken rule; `within` stands before the names of its members. What is
    /// empty filters nothing.
    pub fn read(given: TaskFilter, within: &str, invalid: &mut Invalid) -> Self {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut time = |name: &str, text: Option<String>| {
            let text = some(text)?;
            let read = read_time(&text);
            invalid.require(read.is_some(), &format!("{within}{name}"), TIME_RULE);
            read.map(|time| time.0)
        };
        let (since, until) = (time("since", given.since), time("until", given.until));
        let filter = Self {
            status: some(given.status),
            name: some(given.name),
            labels: given.labels.unwrap_or_default(),
            assigned_node: some(given.assigned_node),
            user_id: some(given.user_id),
            session_id: some(given.session_id),
            since,
            until,
            error: some(given.error),
            error_key: some(given.error_key),
            owner: None,
        };
        filter.check(within, invalid);
        filter
    }

    fn check(&self, within: &str, invalid: &mut Invalid) {
        let is_status = self.status.as_deref().is_none_or(|it| TaskStatus::parse(it).is_some());
        let rule = format!("must be one of {}", TaskStatus::names().join(", "));
        invalid.require(is_status, &format!("{within}status"), &rule);
        for (name, text, most) in [
            ("name", &self.name, TASK_NAME_CHARS_MAX),
            ("user_id", &self.user_id, USER_CHARS_MAX),
            ("error", &self.error, FIND_TEXT_CHARS_MAX),
        ] {
            invalid.at_most_chars(&format!("{within}{name}"), text.as_deref().unwrap_or(""), most);
        }
        for (name, text) in
            [("assigned_node", &self.assigned_node), ("session_id", &self.session_id)]
        {
            let text = text.as_deref().unwrap_or_default();
            invalid.at_most_chars(&format!("{within}{name}"), text, ID_CHARS_MAX);
        }
        let is_key = self.error_key.as_deref().is_none_or(is_error_key);
        invalid.require(is_key, &format!("{within}error_key"), ERROR_KEY_RULE);
        label::check(invalid, &format!("{within}labels"), &self.labels);
    }

    /// As a caller has given it.
    #[must_use]
    pub fn shown(self) -> TaskFilter {
        let time = |ms: Option<i64>| ms.map(|ms| UnixMillis(ms).to_string());
        TaskFilter {
            status: self.status,
            name: self.name,
            labels: Some(self.labels).filter(|labels| !labels.is_empty()),
            assigned_node: self.assigned_node,
            user_id: self.user_id,
            session_id: self.session_id,
            since: time(self.since),
            until: time(self.until),
            error: self.error,
            error_key: self.error_key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_milliseconds_or_none() {
        assert_eq!(read_time("1970-01-01T00:00:01Z"), Some(UnixMillis(1000)));
        assert_eq!(read_time("1970-01-01T00:00:00.007Z"), Some(UnixMillis(7)));
        for bad in ["", "now", "2026-02-30T00:00:00Z", "2026-02-04", "2026-02-04T04:58:14+01:00"] {
            assert_eq!(read_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_broken_rule_names_its_member() {
        let bad = TaskFilter {
            status: Some("odd".into()),
            name: Some("n".repeat(256)),
            labels: Some([("a b".to_owned(), String::new())].into()),
            assigned_node: Some("n".repeat(129)),
            user_id: Some("u".repeat(129)),
            session_id: Some("s".repeat(129)),
            since: Some("yesterday".into()),
            until: Some("now".into()),
            error: Some("e".repeat(65)),
            error_key: Some("0123456789ABCDEF".into()),
        };
        let mut invalid = Invalid::new();
        Filter::read(bad, "filter.", &mut invalid);
        let fields: Vec<&str> = invalid.errors().iter().map(|it| it.field.as_str()).collect();
        let expected = [
            "since",
            "until",
            "status",
            "name",
            "user_id",
            "error",
            "assigned_node",
            "session_id",
            "error_key",
            "labels",
        ];
        assert_eq!(fields, expected.map(|name| format!("filter.{name}")));
    }

    #[test]
    fn it_is_shown_as_it_was_given() {
        let given = TaskFilter {
            since: Some("2026-02-04T04:58:14.000Z".into()),
            labels: Some([("team".to_owned(), "red".to_owned())].into()),
            ..TaskFilter::default()
        };
        let filter = Filter::read(given.clone(), "", &mut Invalid::new());
        assert_eq!(filter.shown(), given);
    }
}
