//! What one agent may have of things that cost the hub memory, or others time. The scripts that
//! create look at it; a new line in [`QUOTAS`] and its variable in `spin.toml` make a new one.

use reef_domain::limits;

use crate::settings::Settings;

/// A bound on what one agent may have of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The variable that sets it.
    pub variable: &'static str,
    /// What it is where the variable is not set.
    pub default: i64,
    /// What is counted, for a sentence: `100 <what>`.
    pub what: &'static str,
}

macro_rules! quotas {
    ($($(#[doc = $doc:literal])* $field:ident: $variable:literal, $default:expr, $what:literal;)*) => {
        /// All quotas.
        pub const QUOTAS: &[Quota] = &[$(
            Quota { variable: $variable, default: $default, what: $what },
        )*];

        /// What one agent may have, as the variables say it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Quotas {$(
            $(#[doc = $doc])*
            pub $field: i64,
        )*}

        impl Quotas {
            /// Reads the variables; an empty one has its default.
            ///
            /// # Errors
            /// One sentence that names the variable and what it accepts.
            pub fn read(get: impl Fn(&str) -> String) -> Result<Self, String> {
                Ok(Self {$(
                    $field: read($variable, $default, &get($variable))?,
                )*})
            }
        }

        impl Default for Quotas {
            fn default() -> Self {
                Self {$( $field: $default, )*}
            }
        }
    };
}

quotas! {
    /// Nodes that it has registered.
    nodes: "quota_nodes", limits::QUOTA_NODES, "registered nodes";
    /// Tasks that it has submitted and that have not ended.
    tasks: "quota_tasks", limits::QUOTA_TASKS, "unfinished tasks";
    /// Bytes of what these tasks say: parameters, metadata, texts.
    task_bytes: "quota_task_bytes", limits::QUOTA_TASK_BYTES, "bytes of unfinished tasks";
    /// Different sets of skills and tags that its waiting tasks ask for.
    classes: "quota_classes", limits::QUOTA_CLASSES, "different sets of skills that tasks wait for";
    /// Sessions that are kept.
    sessions: "quota_sessions", limits::QUOTA_SESSIONS, "sessions";
    /// Keys that are good.
    keys: "quota_keys", limits::KEYS_MAX, "keys";
    /// Bytes of mail that it has sent and that nobody has acknowledged.
    mail_bytes: "quota_mail_bytes", limits::QUOTA_MAIL_BYTES, "bytes of mail that nobody has acknowledged";
    /// Money that it has brought in and not taken out again, in whole units.
    deposits: "quota_deposits", limits::QUOTA_DEPOSITS, "in deposits that were not withdrawn";
    /// Holds that are pending.
    holds: "quota_holds", limits::QUOTA_HOLDS, "pending holds";
    /// Intents that are open.
    intents: "quota_intents", limits::QUOTA_INTENTS, "open intents";
}

impl Quotas {
    /// What an owner may have; `None`: as much as it likes. The names of owners that are no agents
    /// begin with `@`.
    #[must_use]
    pub fn of<'a>(owner: &str, settings: &'a Settings) -> Option<&'a Self> {
        (!owner.starts_with('@')).then_some(&settings.quotas)
    }
}

/// A quota by its variable.
#[must_use]
pub fn find(variable: &str) -> Option<&'static Quota> {
    QUOTAS.iter().find(|quota| quota.variable == variable)
}

/// Sums are exact in Lua's doubles up to here, money in millionths included.
const MOST: i64 = limits::MONEY_MAX / 1_000_000;

fn read(variable: &str, default: i64, text: &str) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(default);
    }
    let bound = text.parse().ok().filter(|bound| (1..=MOST).contains(bound));
    bound.ok_or_else(|| format!("{variable} is {text:?}; use a whole number from 1 to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_sets_its_quota_and_no_other() {
        for quota in QUOTAS {
            let set =
                Quotas::read(
                    |name| {
                        if name == quota.variable { "7".to_owned() } else { String::new() }
                    },
                );
            assert_ne!(set.unwrap(), Quotas::default(), "{}", quota.variable);
            for bad in ["0", "-1", "many", "1.5", "99999999999999999999"] {
                let refused = Quotas::read(|name| {
                    if name == quota.variable { bad.to_owned() } else { String::new() }
                });
                assert!(refused.unwrap_err().contains(quota.variable));
            }
        }
        assert_eq!(Quotas::read(|_| String::new()), Ok(Quotas::default()));
    }
}
