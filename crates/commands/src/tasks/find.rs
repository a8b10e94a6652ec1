//! Which tasks are meant: arguments of `reef tasks list` and `bulk`.

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
}

impl FilterArgs {
    pub(crate) fn read(self) -> Result<TaskFilter, Failure> {
        Ok(TaskFilter {
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
