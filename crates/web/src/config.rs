//! What the variables of a deployment say about the HTTP edge.

use reef_domain::Money;
use reef_domain::limits::{ANONYMOUS_RATE_DEFAULT, RATE_MAX, STREAMS_MAX};
use reef_store::Settings;
use reef_store::durability::{RULE, Safety};
use reef_store::variables::{BadVariable, Given};

use crate::durability::Defaults;
use crate::edge::{AllowedHosts, PublicUrl};

/// Whether callers need a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Every route but the few open ones needs a key.
    Keys,
    /// Anonymous callers may use everything outside the ledger.
    Open,
}

impl AuthMode {
    /// Reads the variable `auth_mode`. An empty one means keys: a hub is closed unless it is
    /// told otherwise.
    ///
    /// # Errors
    /// It is another word.
    pub fn parse(text: &str) -> Result<Self, BadVariable> {
        match text {
            "" | "keys" => Ok(Self::Keys),
            "open" => Ok(Self::Open),
            other => Err(BadVariable::new("auth_mode", format!("is {other:?}; use keys or open"))),
        }
    }
}

/// Who may become an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Whoever the admin registers or has invited.
    Invite,
    /// Everybody who reaches the hub.
    Open,
}

/// Who may bring money into the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deposits {
    /// Every agent, for itself.
    Own,
    /// The admin.
    Admin,
}

/// Settings of the HTTP edge.
#[derive(Debug, Clone)]
pub struct Config {
    /// `auth_mode`.
    pub auth_mode: AuthMode,
    /// `registration`; without keys everybody may.
    pub registration: Registration,
    /// `admin_key`; `None`: nobody is admin.
    pub admin_key: Option<String>,
    /// `cors_origins`, separated by commas; `*` for all.
    pub cors_origins: Vec<String>,
    /// `allowed_hosts`: names by which the hub is called.
    pub allowed_hosts: AllowedHosts,
    /// `public_url`: where the hub is found from outside.
    pub public_url: Option<PublicUrl>,
    /// `anonymous_rate_per_second`: what callers without a good key may ask from one address; 0 for
    /// no limit. The host's alone.
    pub anonymous_rate: i64,
    /// `quota_streams`: event streams that one agent, or one address without a key, may have open
    /// on one host; 0 for no limit. The host's alone.
    pub streams_max: i64,
    /// `rate_limit_per_second`: what one key may ask of one group of routes; 0 for no limit.
    pub rate_limit: i64,
    /// `durability_money` and `durability_default`. The host's alone.
    pub durability: Defaults,
    /// `deposits`.
    pub deposits: Deposits,
    /// `max_deposit`.
    pub deposit_max: Money,
    /// What every part of the hub shares.
    pub settings: Settings,
}

impl Config {
    /// Makes settings of variables; `get` answers an empty text for one that is not set.
    ///
    /// # Errors
    /// One of them is set to what it does not accept.
    pub fn read(get: impl Fn(&str) -> String) -> Result<Self, BadVariable> {
        let given = Given::new(get);
        let auth_mode = AuthMode::parse(&given.text("auth_mode"))?;
        let registration = given.word(
            "registration",
            &[("invite", Registration::Invite), ("open", Registration::Open)],
        )?;
        let rate_limit = given.whole("rate_limit_per_second", 0..=RATE_MAX)?;
        let anonymous_rate = match (given.text("anonymous_rate_per_second").is_empty(), auth_mode) {
            (false, _) => given.whole("anonymous_rate_per_second", 0..=RATE_MAX)?,
            (true, AuthMode::Keys) => ANONYMOUS_RATE_DEFAULT,
            // Where nobody needs a key, those without one are the hub's users.
            (true, AuthMode::Open) => rate_limit,
        };
        Ok(Self {
            auth_mode,
            registration: match auth_mode {
                AuthMode::Keys => registration,
                AuthMode::Open => Registration::Open,
            },
            admin_key: Some(given.text("admin_key")).filter(|key| !key.is_empty()),
            cors_origins: given
                .text("cors_origins")
                .split(',')
                .map(|origin| origin.trim().to_owned())
                .filter(|origin| !origin.is_empty())
                .collect(),
            allowed_hosts: AllowedHosts::parse(&given.text("allowed_hosts"))?,
            public_url: PublicUrl::parse(&given.text("public_url"))?,
            anonymous_rate,
            streams_max: given.whole("quota_streams", 0..=STREAMS_MAX)?,
            rate_limit,
            durability: Defaults {
                money: safety(&given, "durability_money")?,
                other: safety(&given, "durability_default")?,
            },
            deposits: given
                .word("deposits", &[("self", Deposits::Own), ("admin", Deposits::Admin)])?,
            deposit_max: read_deposit_max(&given.text("max_deposit"))?,
            settings: Settings::read(&given)?,
        })
    }
}

fn safety<G: Fn(&str) -> String>(given: &Given<G>, name: &str) -> Result<Safety, BadVariable> {
    Safety::parse(&given.text(name)).ok_or_else(|| BadVariable::new(name, RULE))
}

fn read_deposit_max(text: &str) -> Result<Money, BadVariable> {
    let bad = |rule| BadVariable::new("max_deposit", rule);
    let money = Money::parse(text).map_err(bad)?;
    if money > Money::ZERO { Ok(money) } else { Err(bad("must be more than 0")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(mode: &str, registration: &str) -> Result<Registration, BadVariable> {
        let get = |name: &str| match name {
            "auth_mode" => mode.to_owned(),
            "registration" => registration.to_owned(),
            _ => String::new(),
        };
        Config::read(get).map(|config| config.registration)
    }

    #[test]
    fn a_hub_is_closed_to_strangers_unless_it_is_told_otherwise() {
        for (mode, given, is) in [
            ("", "", Registration::Invite),
            ("keys", "invite", Registration::Invite),
            ("keys", "open", Registration::Open),
            ("open", "", Registration::Open),
            ("open", "invite", Registration::Open),
        ] {
            assert_eq!(registration(mode, given), Ok(is), "{mode} {given}");
        }
        let refused = registration("keys", "all").unwrap_err().to_string();
        assert!(refused.contains("registration is \"all\""));
        assert!(registration("open", "all").is_err());
    }
}
