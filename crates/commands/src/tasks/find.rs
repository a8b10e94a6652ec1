//! Which tasks are meant: arguments of `reef tasks list`, `bulk`, and of what changes
//! many.

use std::collections::BTreeMap;

use clap::Args;
use reef_api::find::TaskFilter;

use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Those that are pending, scheduled, waiting, running, completed, failed, cancelled or timeout
    #[arg(long)]
    status: Option<String>,
    /// Those of this name
    #[arg(long)]
    name: Option<String>,
    /// Those with this label; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Those that this node has or had
    #[arg(long, value_name = "NODE_ID")]
    node: Option<String>,
    /// Those of this user
    #[arg(long)]
    user: Option<String>,
    /// Those of this session
    #[arg(long)]
    session: Option<String>,
    /// Those that were submitted then or later, such as 2026-02-04T04:58:14Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those that were submitted before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Those with this text in what went wrong
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Dead letters that failed alike: a key of `reef tasks dead --by-error`
    #[arg(long, value_name = "KEY")]
    error_key: Option<String>,
    #[command(flatten)]
    filters: Filters,
}

/// The same in one flag, for commands whose other flags say what tasks become.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filters {
    /// Those of which this is so, as the flags of `reef tasks list` say it: status=failed,
    /// label=team=red, user=ada, …; repeatable
    #[arg(long = "filter", value_name = "WHAT=VALUE")]
    pub(crate) filters: Vec<String>,
}

impl Filters {
    pub(crate) fn read(&self) -> Result<TaskFilter, Failure> {
        self.add_to(TaskFilter::default())
    }

    fn add_to(&self, mut filter: TaskFilter) -> Result<TaskFilter, Failure> {
        for text in &self.filters {
            let (what, value) = text.split_once('=').unwrap_or((text, ""));
            let place = match what {
                "label" => {
                    let more = labels(&[value.to_owned()])?.unwrap_or_default();
                    filter.labels.get_or_insert_default().extend(more);
                    continue;
                }
                "status" => &mut filter.status,
                "name" => &mut filter.name,
                "node" => &mut filter.assigned_node,
                "user" => &mut filter.user_id,
                "session" => &mut filter.session_id,
                "since" => &mut filter.since,
                "until" => &mut filter.until,
                "error" => &mut filter.error,
                "error-key" => &mut filter.error_key,
                _ => {
                    let all = "status, name, label, node, user, session, since, until, error or \
                               error-key";
                    let words = format!("--filter must be WHAT=VALUE, where WHAT is {all}");
                    return Err(Failure::Usage(format!("{words}, and not {text:?}")));
                }
            };
            if value.is_empty() || place.replace(value.to_owned()).is_some() {
                let words = format!("--filter {what}=VALUE is given once, with a value");
                return Err(Failure::Usage(words));
            }
        }
        Ok(filter)
    }
}

impl FilterArgs {
    pub(crate) fn read(self) -> Result<TaskFilter, Failure> {
        let filters = self.filters;
        filters.add_to(TaskFilter {
            labels: labels(&self.labels)?,
            status: self.status,
            name: self.name,
            assigned_node: self.node,
            user_id: self.user,
            session_id: self.session,
            since: self.since,
            until: self.until,
            error: self.error,
            error_key: self.error_key,
        })
    }
}

/// Labels as they are typed; none where there are none.
pub(crate) fn labels(given: &[String]) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let pair = |text: &String| {
        let pair = text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        pair.ok_or_else(|| Failure::Usage(format!("--label must be KEY=VALUE, and not {text:?}")))
    };
    let labels = given.iter().map(pair).collect::<Result<BTreeMap<_, _>, _>>()?;
    Ok((!labels.is_empty()).then_some(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_what_the_flags_say() {
        let read = |all: &[&str]| {
            Filters { filters: all.iter().map(|&it| it.to_owned()).collect() }.read()
        };
        let found = read(&["status=failed", "label=team=red", "label=a=b=c", "error=x=y"]).unwrap();
        let pairs = [("a".to_owned(), "b=c".to_owned()), ("team".to_owned(), "red".to_owned())];
        assert_eq!(found.labels, Some(BTreeMap::from(pairs)));
        assert_eq!(
            (found.status.as_deref(), found.error.as_deref()),
            (Some("failed"), Some("x=y"))
        );
        for bad in
            [&["status"][..], &["colour=red"], &["name="], &["name=a", "name=b"], &["label=x"]]
        {
            assert!(matches!(read(bad), Err(Failure::Usage(_))), "{bad:?}");
        }
    }
}
