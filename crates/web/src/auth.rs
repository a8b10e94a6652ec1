//! Who calls, and what that caller may do (`contract.md` §1).

use reef_api::{AgentId, InviteId, KeyId};
use reef_domain::access::{ADMIN, Scope, Scopes};
use reef_store::invite;
use reef_store::key::{Check, Checked};
use reef_store::node::Writer;
use reef_store::{Quotas, Redis, Settings, Store};

use crate::config::{AuthMode, Config, Registration};
use crate::credential::Credential;
use crate::http::Request;
use crate::problem::{Code, Problem};
use crate::rate::RateLimit;

/// What a route asks of its caller. In `auth_mode=open` nobody needs a key but for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing, in every mode.
    Open,
    /// To let an agent in: the admin, or an invite; nothing where everybody may register.
    Admission,
    /// To read.
    Read,
    /// To write.
    Write,
    /// To decide what tasks wait for.
    Approve,
    /// To administer.
    Admin,
    /// To read what belongs to an agent, in every mode.
    LedgerRead,
    /// To change what belongs to an agent and is no money, in every mode.
    LedgerWrite,
    /// To move money, in every mode.
    Trade,
    /// To administer the ledger, in every mode.
    LedgerAdmin,
}

impl Access {
    /// The scope that a key must have.
    #[must_use]
    pub fn scope(self) -> Option<Scope> {
        match self {
            Self::Open => None,
            Self::Read | Self::LedgerRead => Some(Scope::Read),
            Self::Write | Self::LedgerWrite => Some(Scope::Write),
            Self::Trade => Some(Scope::Trade),
            Self::Approve => Some(Scope::Approve),
            Self::Admission | Self::Admin | Self::LedgerAdmin => Some(Scope::Admin),
        }
    }

    /// Whether somebody without a key may, in `auth_mode=open`.
    fn may_be_anonymous(self) -> bool {
        matches!(self, Self::Open | Self::Read | Self::Write | Self::Approve | Self::Admin)
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// Whoever holds the deployment's own admin key.
    Admin,
    /// An agent, by one of its keys; or [`ADMIN`], by a further admin key.
    Agent(Agent),
    /// Somebody who was invited to become one.
    Invited(Invite),
}

/// An invite that a caller has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its id.
    pub invite_id: InviteId,
    /// SHA-256 of its token, in hex.
    pub digest: String,
    /// What its holder is called: `@` and the id, which no agent's id can be.
    name: String,
}

/// An agent that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub agent_id: AgentId,
    /// The key that it used.
    pub key_id: KeyId,
    /// SHA-256 of that key, in hex.
    pub digest: String,
    /// What that key allows.
    pub scopes: Scopes,
    /// Nodes, sessions and tasks have owners: `auth_mode=keys`.
    pub minds_owners: bool,
}

impl Caller {
    /// A name under which idempotency keys are kept apart, and by which resources are owned.
    /// Agents' ids cannot begin with `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "@anonymous",
            Self::Admin => ADMIN,
            Self::Agent(agent) => agent.agent_id.as_str(),
            Self::Invited(invite) => &invite.name,
        }
    }

    /// Whether the caller administers the hub.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        match self {
            Self::Anonymous | Self::Invited(_) => false,
            Self::Admin => true,
            Self::Agent(agent) => agent.scopes.has(Scope::Admin),
        }
    }

    /// What it may have; `None`: as much as it likes. Whoever administers the hub is no tenant, and callers
    /// without keys, in `auth_mode=open`, cannot be told apart.
    #[must_use]
    pub fn quotas<'a>(&self, settings: &'a Settings) -> Option<&'a Quotas> {
        match self {
            Self::Agent(_) if !self.is_admin() => Some(&settings.quotas),
            _ => None,
        }
    }

    /// The admin key by which it calls, if it does by one: `root` is the deployment's own.
    #[must_use]
    pub fn admin_key(&self) -> Option<&str> {
        match self {
            Self::Admin => Some("root"),
            Self::Agent(agent) if agent.agent_id == *ADMIN => Some(agent.key_id.as_str()),
            Self::Agent(_) | Self::Anonymous | Self::Invited(_) => None,
        }
    }

    /// What the caller may write to.
    #[must_use]
    pub fn writer(&self) -> Writer<'_> {
        match self {
            Self::Agent(agent) if agent.minds_owners && !self.is_admin() => {
                Writer::Owner(agent.agent_id.as_str())
            }
            Self::Invited(invite) => Writer::Owner(&invite.name),
            _ => Writer::Any,
        }
    }

    /// Whether the caller may look at what belongs to one of these.
    #[must_use]
    pub fn may_see(&self, owners: &[&str]) -> bool {
        match self.writer() {
            Writer::Any => true,
            Writer::Owner(agent) => owners.contains(&agent),
        }
    }

    /// Whether the caller may deal with an agent's money and keys: its own, or as admin all.
    #[must_use]
    pub fn acts_for(&self, agent_id: &str) -> bool {
        match self {
            Self::Agent(agent) if agent.agent_id == *agent_id => true,
            _ => self.is_admin(),
        }
    }

    /// The id of the key that is used, for scripts that compare others with it; `None` for the
    /// deployment's own admin key, and where there is none.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        match self {
            Self::Agent(agent) => Some(&agent.key_id),
            Self::Admin | Self::Anonymous | Self::Invited(_) => None,
        }
    }

    /// Checks what a route asks.
    ///
    /// # Errors
    /// 401 for a caller who must say who it is, 403 for one who may not.
    pub fn authorize_at(&self, access: Access, config: &Config) -> Result<(), Problem> {
        match access {
            Access::Admission if config.registration == Registration::Open => Ok(()),
            access => self.authorize(access, config.auth_mode),
        }
    }

    /// The same for a route that is not about registration.
    ///
    /// # Errors
    /// As [`Caller::authorize_at`].
    pub fn authorize(&self, access: Access, mode: AuthMode) -> Result<(), Problem> {
        let Some(scope) = access.scope() else { return Ok(()) };
        match self {
            Self::Admin => Ok(()),
            Self::Invited(_) if access == Access::Admission => Ok(()),
            Self::Invited(_) => Err(Problem::new(
                Code::Unauthenticated,
                "An invite is no key: it registers an agent, at POST /api/v1/agents/register.",
            )),
            Self::Anonymous if access == Access::Admission => Err(Problem::new(
                Code::Unauthenticated,
                "Registering an agent needs an invite or the admin key. Whoever runs this hub makes \
                 invites with `reef agents invite`; send one as Authorization: Bearer <invite>.",
            )),
            Self::Agent(agent) if access == Access::Admission && !agent.scopes.has(scope) => {
                Err(Problem::new(
                    Code::Forbidden,
                    "Registering an agent needs an invite, the admin key, or a key with the scope \
                     admin.",
                ))
            }
            Self::Anonymous if mode == AuthMode::Open && access.may_be_anonymous() => Ok(()),
            Self::Anonymous => Err(Problem::new(
                Code::Unauthenticated,
                format!("This route needs a key with the scope {scope}."),
            )),
            // In every mode: a key says what its holder may do.
            Self::Agent(agent) if agent.scopes.has(scope) => Ok(()),
            // One that was made before there was a scope may do that, too.
            Self::Agent(agent) if agent.agent_id == *ADMIN => Ok(()),
            Self::Agent(_) => Err(Problem::new(
                Code::Forbidden,
                format!("This key does not have the scope {scope}."),
            )),
        }
    }
}

/// Who calls, and what is left of its rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub caller: Caller,
    /// `None` where nothing is counted: without a key, for the admin, and where there is no limit.
    pub rate: Option<RateLimit>,
}

/// Finds out who calls, by a call of its own. A key that is present but not valid never makes an
/// anonymous caller. The key of an agent is looked up for each request, here or on the way
/// ([`Admission`](reef_store::admission::Admission)), so that a revocation works at once and everywhere.
///
/// # Errors
/// 401 for such a key, 403 for one of a suspended agent, 503 when Redis cannot say.
pub async fn identify<R: Redis>(
    request: &Request,
    config: &Config,
    store: &Store<R>,
    group: &str,
) -> Result<Identity, Problem> {
    identify_at(request, config, store, group, config.rate_limit).await
}

/// Finds out who calls, as [`identify`] does, and counts nothing.
///
/// # Errors
/// As [`identify`].
pub async fn recognize<R: Redis>(
    request: &Request,
    config: &Config,
    store: &Store<R>,
) -> Result<Caller, Problem> {
    identify_at(request, config, store, "", 0).await.map(|identity| identity.caller)
}

async fn identify_at<R: Redis>(
    request: &Request,
    config: &Config,
    store: &Store<R>,
    group: &str,
    limit: i64,
) -> Result<Identity, Problem> {
    let known = |caller| Ok(Identity { caller, rate: None });
    let Some(raw) = presented_key(request)? else { return known(Caller::Anonymous) };
    let (key_id, digest, is_certificate) = match Credential::read(raw, config, request) {
        Some(Credential::Admin) => return known(Caller::Admin),
        Some(Credential::Agent { key_id, digest }) => (key_id, digest, false),
        Some(Credential::Certificate { key_id, digest }) => (key_id, digest, true),
        Some(Credential::Invite { invite_id, digest }) => {
            let check = invite::Check { invite_id: &invite_id, digest: &digest };
            if !store.call(&check).await? {
                return Err(unknown_invite());
            }
            let name = format!("@{invite_id}");
            return known(Caller::Invited(Invite { invite_id, digest, name }));
        }
        None => return Err(unknown_key()),
    };
    let check = Check { key_id: &key_id, digest: &digest, group, rate: limit };
    let (agent_id, scopes, rate) = match store.call(&check).await? {
        // Whoever shows a certificate that no key is bound to has not claimed to be anybody.
        Checked::Unknown if is_certificate => return known(Caller::Anonymous),
        Checked::Unknown => return Err(unknown_key()),
        Checked::Suspended { agent_id } => {
            let detail = format!("The agent {agent_id} is suspended, and its keys with it.");
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Checked::Ok { agent_id, scopes, left } => {
            let rate = left.map(|left| RateLimit { limit, left, wait_ms: 0 });
            (agent_id, scopes, rate)
        }
        Checked::Limited { agent_id, scopes, wait_ms } => {
            (agent_id, scopes, Some(RateLimit { limit, left: 0, wait_ms }))
        }
    };
    let minds_owners = config.auth_mode == AuthMode::Keys;
    let agent = Agent { agent_id, key_id, digest, scopes, minds_owners };
    Ok(Identity { caller: Caller::Agent(agent), rate })
}

/// The refusal of a key that is none.
#[must_use]
pub fn unknown_key() -> Problem {
    Problem::new(Code::Unauthenticated, "This key is unknown, expired or revoked.")
}

/// The refusal of an invite that lets nobody in.
#[must_use]
pub fn unknown_invite() -> Problem {
    let detail =
        "This invite is unknown, expired or revoked. Ask whoever runs this hub for another.";
    Problem::new(Code::Unauthenticated, detail)
}

/// The key that a request brings. A header that is no text is no valid key, and not the same as none.
///
/// # Errors
/// 401 for a header that cannot hold a key.
pub fn presented_key(request: &Request) -> Result<Option<&str>, Problem> {
    let text = |name: &str| match request.raw_header(name) {
        None => Ok(None),
        Some(value) => std::str::from_utf8(value).map(Some).map_err(|_| unknown_key()),
    };
    if let Some(key) = text("x-api-key")? {
        return Ok(Some(key.trim()));
    }
    let Some(authorization) = text("authorization")? else { return Ok(None) };
    match authorization.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(key.trim())),
        _ => Err(Problem::new(Code::Unauthenticated, "Use Authorization: Bearer <key>.")),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::FutureExt;
    use reef_store::{Keys, RedisError, Reply};

    use super::*;
    use crate::once::digest_of;
    use crate::stand_in::{self, Kind};

    fn config(mode: &str) -> Config {
        Config::read(|name| match name {
            "admin_key" => "reef_abc".into(),
            "auth_mode" => mode.into(),
            _ => String::new(),
        })
        .unwrap()
    }

    /// Knows one key, and notes what was asked.
    #[derive(Default)]
    struct OneKey {
        asked: RefCell<Vec<Vec<u8>>>,
    }

    const KEY: &str = "reef_aB3dEf7h_0123456789abcdefABCDEF_-01234567";

    impl Redis for OneKey {
        async fn execute(&self, _: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
            let is_known = args.contains(&digest_of(KEY).into_bytes());
            *self.asked.borrow_mut() = args;
            let texts =
                if is_known { vec!["ok", "alice", "read trade", "7"] } else { vec!["unknown"] };
            Ok(texts.into_iter().map(|text| Reply::Bytes(text.into())).collect())
        }
    }

    fn identify_in(mode: &str, request: &Request) -> Result<Identity, Problem> {
        let store = Store::new(OneKey::default(), Keys::default());
        identify(request, &config(mode), &store, "nodes").now_or_never().unwrap()
    }

    fn with(name: &str, value: &str) -> Request {
        Request { headers: [(name, value)].into_iter().collect(), ..Request::default() }
    }

    #[test]
    fn a_key_comes_in_either_header() {
        for request in [
            with("Authorization", "Bearer reef_abc"),
            with("authorization", "bearer  reef_abc"),
            with("X-API-Key", "reef_abc"),
        ] {
            assert_eq!(identify_in("keys", &request).unwrap().caller, Caller::Admin);
        }
        let nobody = identify_in("keys", &Request::default()).unwrap();
        assert_eq!(nobody, Identity { caller: Caller::Anonymous, rate: None });
    }

    #[test]
    fn a_wrong_key_is_never_anonymous() {
        let almost = KEY.replace('F', "G");
        for request in [
            with("X-API-Key", "reef_abd"),
            with("X-API-Key", ""),
            with("X-API-Key", &almost),
            with("Authorization", "Basic cmVlZg=="),
            with("Authorization", "Bearer"),
        ] {
            let refused = identify_in("open", &request).unwrap_err();
            assert_eq!(refused.code, Code::Unauthenticated);
        }
        let headers = [("X-API-Key", [0xff])].into_iter().collect();
        let no_text = Request { headers, ..Request::default() };
        assert!(identify_in("open", &no_text).is_err());
    }

    #[test]
    fn an_agents_key_is_looked_up_by_its_digest_and_never_sent() {
        let store = Store::new(OneKey::default(), Keys::default());
        let request = with("X-API-Key", KEY);
        let found = identify(&request, &config("keys"), &store, "nodes").now_or_never().unwrap();
        let Identity { caller: Caller::Agent(agent), rate } = found.unwrap() else { panic!() };
        assert_eq!((agent.agent_id.as_str(), agent.key_id.as_str()), ("alice", "key_aB3dEf7h"));
        assert_eq!(rate, Some(RateLimit { limit: 1000, left: 7, wait_ms: 0 }));
        let asked = store.redis().asked.borrow();
        assert!(asked.iter().all(|argument| !argument.ends_with(b"01234567")));
    }

    #[test]
    fn a_certificate_is_looked_up_as_a_key_and_one_that_is_bound_to_none_is_nobodys() {
        let caller = |digest: &str| {
            let raw = stand_in::make(Kind::Certificate, "reef_abc", &"key_aB3dEf7h".into(), digest);
            identify_in("keys", &with("Authorization", &format!("Bearer {raw}"))).unwrap().caller
        };
        assert!(matches!(caller(&digest_of(KEY)), Caller::Agent(_)));
        assert_eq!(caller("other"), Caller::Anonymous);
    }

    #[test]
    fn who_may_do_what() {
        let agent = |scopes: &str, minds_owners| {
            Caller::Agent(Agent {
                agent_id: "alice".into(),
                key_id: "key_1".into(),
                digest: String::new(),
                scopes: Scopes::stored(scopes),
                minds_owners,
            })
        };
        let (keys, open) = (AuthMode::Keys, AuthMode::Open);
        let refusal = |caller: &Caller, access, mode| {
            caller.authorize(access, mode).err().map(|problem| problem.code)
        };
        let anonymous = Caller::Anonymous;
        assert_eq!(refusal(&anonymous, Access::Write, open), None);
        assert_eq!(refusal(&anonymous, Access::Write, keys), Some(Code::Unauthenticated));
        assert_eq!(refusal(&anonymous, Access::Open, keys), None);
        assert_eq!(refusal(&anonymous, Access::LedgerRead, open), Some(Code::Unauthenticated));
        let reader = agent("read", true);
        assert_eq!(refusal(&reader, Access::Read, keys), None);
        let invite_id = "invite_1".into();
        let (digest, name) = (String::new(), "@invite_1".to_owned());
        let invited = Caller::Invited(Invite { invite_id, digest, name });
        assert_eq!(refusal(&invited, Access::Admission, keys), None);
        assert_eq!(refusal(&anonymous, Access::Admission, keys), Some(Code::Unauthenticated));
        assert_eq!(
            refusal(&agent("write trade", true), Access::Admission, keys),
            Some(Code::Forbidden)
        );
        assert_eq!(refusal(&agent("admin", true), Access::Admission, keys), None);
        for access in
            [Access::Read, Access::Write, Access::Trade, Access::Admin, Access::LedgerRead]
        {
            assert_eq!(refusal(&invited, access, open), Some(Code::Unauthenticated));
        }
        assert!(!invited.may_see(&["alice"]) && !invited.acts_for("alice") && !invited.is_admin());
        for access in [Access::Write, Access::Trade, Access::Admin, Access::LedgerAdmin] {
            assert_eq!(refusal(&reader, access, keys), Some(Code::Forbidden));
            assert_eq!(refusal(&Caller::Admin, access, keys), None);
        }
        assert_eq!((Caller::Admin.admin_key(), reader.admin_key()), (Some("root"), None));
        assert!(reader.acts_for("alice") && !reader.acts_for("bob"));
        assert!(agent("admin", true).acts_for("bob") && Caller::Admin.acts_for("bob"));
        assert!(!anonymous.acts_for("alice"));
        assert!(reader.may_see(&["bob", "alice"]) && !reader.may_see(&["bob"]));
        assert!(agent("read", false).may_see(&["bob"]), "without keys nobody owns anything");
    }
}
