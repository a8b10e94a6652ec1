//! What one agent may have of things that cost the hub memory, or others time. The scripts that
//! create look at it; a line here and a variable of the same name make a new one.

use reef_domain::limits;

use crate::settings::Settings;
use crate::variables::{BadVariable, Given};

macro_rules! quotas {
    ($($(#[doc = $doc:literal])* $field:ident: $variable:literal, $what:literal;)*) => {
        /// The variable that sets each quota, and what is counted, for a sentence: `100 <what>`.
        pub const QUOTAS: &[(&str, &str)] = &[$(($variable, $what)),*];

        /// What one agent may have, as the variables say it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Quotas {$(
            $(#[doc = $doc])*
            pub $field: i64,
        )*}

        impl Quotas {
            /// Reads the variables.
            ///
            /// # Errors
            /// One of them is set to what it does not accept.
            pub fn read<G: Fn(&str) -> String>(given: &Given<G>) -> Result<Self, BadVariable> {
                Ok(Self {$(
                    $field: given.whole($variable, 1..=MOST)?,
                )*})
            }
        }
    };
}

quotas! {
    /// Nodes that it has registered.
    nodes: "quota_nodes", "registered nodes";
    /// Tasks that it has submitted and that have not ended.
    tasks: "quota_tasks", "unfinished tasks";
    /// Bytes of what these tasks say: parameters, metadata, texts.
    task_bytes: "quota_task_bytes", "bytes of unfinished tasks";
    /// Bytes of its tasks' logs, of about the last seven days.
    log_bytes: "quota_log_bytes", "bytes of logs of its tasks within seven days";
    /// Different sets of skills and tags that its waiting tasks ask for.
    classes: "quota_classes", "different sets of skills that tasks wait for";
    /// Schedules.
    schedules: "quota_schedules", "schedules";
    /// Entries of the audit that tell of what it does, within a day.
    audit: "quota_audit", "entries of the audit within a day";
    /// Locks that it holds.
    locks: "quota_locks", "held locks";
    /// Sessions that are kept.
    sessions: "quota_sessions", "sessions";
    /// Keys that are good.
    keys: "quota_keys", "keys";
    /// Bytes of mail that it has sent and that nobody has acknowledged.
    mail_bytes: "quota_mail_bytes", "bytes of mail that nobody has acknowledged";
    /// Money that it has brought in and not taken out again, in whole units.
    deposits: "quota_deposits", "in deposits that were not withdrawn";
    /// Holds that are pending.
    holds: "quota_holds", "pending holds";
    /// Intents that are open.
    intents: "quota_intents", "open intents";
}

impl Quotas {
    /// What an owner may have; `None`: as much as it likes. The names of owners that are no agents
    /// begin with `@`.
    #[must_use]
    pub fn of<'a>(owner: &str, settings: &'a Settings) -> Option<&'a Self> {
        (!owner.starts_with('@')).then_some(&settings.quotas)
    }
}

/// What a quota counts, by its variable.
#[must_use]
pub fn what(variable: &str) -> Option<&'static str> {
    QUOTAS.iter().find(|(name, _)| *name == variable).map(|(_, what)| *what)
}

/// Sums are exact in Lua's doubles up to here, money in millionths included.
const MOST: i64 = limits::MONEY_MAX / 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::VARIABLES;

    fn read(set: &str, value: &str) -> Result<Quotas, BadVariable> {
        let get = |name: &str| if name == set { value.to_owned() } else { String::new() };
        Quotas::read(&Given::new(get))
    }

    #[test]
    fn a_variable_sets_its_quota_and_no_other() {
        let quotas = VARIABLES.iter().filter(|variable| variable.is_quota());
        assert_eq!(quotas.clone().count(), QUOTAS.len());
        for variable in quotas {
            assert!(what(variable.name).is_some(), "{}", variable.name);
            assert_ne!(read(variable.name, "7"), read("", ""), "{}", variable.name);
            for bad in ["0", "-1", "many", "1.5", "99999999999999999999"] {
                assert_eq!(read(variable.name, bad).unwrap_err().name, variable.name);
            }
        }
    }
}
