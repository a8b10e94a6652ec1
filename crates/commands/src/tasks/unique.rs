//! `reef tasks submit --unique`: a task of which there is to be one.

use clap::Args;
use reef_api::task::UniqueBody;

#[derive(Debug, Args)]
pub(crate) struct UniqueArgs {
    /// There is to be one task of this name at a time; another one is not submitted
    #[arg(long, value_name = "NAME")]
    unique: Option<String>,
    /// Among all tasks, not only one's own
    #[arg(long, requires = "unique")]
    unique_in_all: bool,
    /// For how long it is the only one: until a node has it, or until it has ended (the default)
    #[arg(long, value_name = "WHILE", requires = "unique", value_parser = ["waiting", "active"])]
    unique_while: Option<String>,
    /// For so long, whatever becomes of it
    #[arg(long, value_name = "MS", requires = "unique", conflicts_with = "unique_while")]
    unique_for_ms: Option<i64>,
    /// What becomes of another one: the one that there is is shown (the default), it is refused, or it takes its
    /// place
    #[arg(long, value_name = "WHAT", requires = "unique", value_parser = ["return", "reject", "replace"])]
    if_there_is_one: Option<String>,
    /// Keep it back for so long after the last of all that are submitted meanwhile
    #[arg(long, value_name = "MS", requires = "unique",
        conflicts_with_all = ["if_there_is_one", "unique_while", "unique_for_ms", "delay_ms"])]
    debounce_ms: Option<i64>,
    /// But at most for so long after the first; else ten times as long
    #[arg(long, value_name = "MS", requires = "debounce_ms")]
    debounce_most_ms: Option<i64>,
}

impl UniqueArgs {
    /// As the contract has it.
    pub(crate) fn body(&self) -> Option<UniqueBody> {
        let key = self.unique.clone()?;
        let is_timed = self.unique_for_ms.is_some();
        Some(UniqueBody {
            key: Some(key),
            scope: self.unique_in_all.then(|| "all".to_owned()),
            holds: self.unique_while.clone().or_else(|| is_timed.then(|| "ttl".to_owned())),
            ttl_ms: self.unique_for_ms,
            then: match self.debounce_ms {
                Some(_) => Some("debounce".to_owned()),
                None => self.if_there_is_one.clone(),
            },
            debounce_ms: self.debounce_ms,
            most_ms: self.debounce_most_ms,
        })
    }
}
