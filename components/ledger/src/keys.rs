//! Keys of agents, and admin keys: make, list, rotate, revoke. What a key may do to others is decided in the scripts,
//! by its own scopes and its end.

use reef_api::agent::{CallerAnswer, CallerAuth, KeyAnswer, KeyBody, KeyInfo, KeyList};
use reef_api::{AgentId, KeyId};
use reef_domain::access::{ADMIN, KEY_NAME_CHARS, KEY_SECRET_CHARS, Scope, Scopes};
use reef_domain::limits::{KEY_DAYS_MAX, KEY_NAME_CHARS_MAX};
use reef_domain::{Invalid, id, name};
use reef_store::Redis;
use reef_store::agent::Get;
use reef_store::key::{Create, Excess, Key, List, Made, Revoke, Revoked, Rotate};
use reef_web::auth::{Caller, unknown_key};
use reef_web::extract::optional_object;
use reef_web::once::digest_of;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, stand_in};
use serde_json::json;

use crate::access::unknown_agent;

/// How often another id is tried when a random one is in use.
pub(crate) const ID_ATTEMPTS: usize = 3;

const DAY_MS: i64 = 86_400_000;

/// A key that was just made: nobody has seen it yet.
pub(crate) struct NewKey {
    /// `reef_<8 chars>_<32 url-safe chars>`.
    pub(crate) raw: Option<String>,
    /// `key_<8 chars>`.
    pub(crate) key_id: KeyId,
    /// SHA-256 of the key, in hex: all that is stored of it.
    pub(crate) digest: String,
}

impl NewKey {
    /// Makes one of the platform's random numbers.
    ///
    /// # Errors
    /// The platform has none.
    pub(crate) fn make() -> Result<Self, Problem> {
        // The secret has 6 bits a character, 192 in all; the name is only a name.
        let name = random_chars(KEY_NAME_CHARS, 62)?;
        let secret = random_chars(KEY_SECRET_CHARS, 64)?;
        let raw = format!("reef_{name}_{secret}");
        Ok(Self { key_id: format!("key_{name}").into(), digest: digest_of(&raw), raw: Some(raw) })
    }

    /// The one by which certificates of a name act.
    fn of_certificate(name: &str) -> Self {
        let (key_id, digest) = stand_in::key_of_certificate(name);
        Self { raw: None, key_id, digest }
    }
}

/// Random characters of the first `among` of the URL-safe alphabet.
pub(crate) fn random_chars(count: usize, among: u8) -> Result<String, Problem> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal(error.to_string()))?;
    let chars = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % among)));
    Ok(chars.map(|char| char::from(*char)).collect())
}

/// A key as its agent may see it.
pub(crate) fn info(key: Key) -> KeyInfo {
    let Key { key_id, name, scopes, created_at, last_used, expires_at, .. } = key;
    KeyInfo { key_id, name, scopes: scopes.words(), created_at, last_used, expires_at }
}

/// What may be given to a new key: an agent passes on what its own key has, and only the admin
/// makes keys that administer.
pub(crate) fn may_give(caller: &Caller) -> Scopes {
    match caller {
        caller if caller.admin_key().is_some() => Scopes::ALL,
        Caller::Admin => Scopes::ALL,
        Caller::Agent(agent) => agent.scopes.without(Scope::Admin),
        Caller::Anonymous | Caller::Invited(_) => Scopes::default(),
    }
}

/// Reads scopes that a body names.
pub(crate) fn read_scopes(invalid: &mut Invalid, names: &[String]) -> Scopes {
    let scopes = Scopes::parse(names.iter().map(String::as_str)).unwrap_or_default();
    let rule = "must be a list of at least one of read, write, trade, admin";
    invalid.require(!scopes.is_empty(), "scopes", rule);
    scopes
}

/// Whose keys a caller means: its own, unless it names an agent.
fn agent_of<R: Redis>(cx: &Context<'_, R>, named: Option<&str>) -> Result<AgentId, Problem> {
    let named = named.filter(|agent_id| !agent_id.is_empty());
    let is_admins = named == Some(ADMIN);
    if named.is_some_and(|agent_id| !is_admins && !id::is_valid(agent_id)) {
        return Err(Problem::field("agent_id", id::RULE));
    }
    match (named, cx.caller) {
        (Some(_), caller) if is_admins && caller.admin_key().is_none() => {
            Err(Problem::new(Code::Forbidden, "Only an admin key deals with admin keys."))
        }
        (Some(agent_id), caller) if caller.acts_for(agent_id) => Ok(agent_id.into()),
        (Some(_), _) => Err(Problem::new(Code::Forbidden, "These keys belong to another agent.")),
        (None, Caller::Agent(agent)) if *agent.agent_id != *ADMIN => Ok(agent.agent_id.clone()),
        (None, _) => Err(Problem::field("agent_id", "is required of the admin: whose key")),
    }
}

/// `POST /auth/keys`
pub(crate) async fn create<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: KeyBody = optional_object(cx.request)?;
    let certificate = body.certificate.as_deref();
    if certificate.is_some() && !cx.caller.is_admin() {
        return Err(Problem::new(
            Code::Forbidden,
            "Only who administers the hub says by which certificates an agent is known.",
        ));
    }
    let short = |name: &&str| name.len() <= KEY_NAME_CHARS_MAX;
    let default =
        certificate.map_or("default", |name| Some(name).filter(short).unwrap_or("certificate"));
    let name = body.name.as_deref().unwrap_or(default);
    let mut invalid = Invalid::new();
    let name_fits = (1..=KEY_NAME_CHARS_MAX).contains(&name.chars().count());
    invalid.require(name_fits, "name", "must have 1-50 characters");
    name::check(&mut invalid, "name", name);
    let is_admins = body.agent_id.as_deref() == Some(ADMIN);
    let scopes = match &body.scopes {
        None if is_admins => Scopes::ALL,
        None => may_give(cx.caller).without(Scope::Admin),
        Some(names) => read_scopes(&mut invalid, names),
    };
    let rule = "an admin key has them all: leave this out";
    invalid.require(!is_admins || scopes == Scopes::ALL, "scopes", rule);
    let days = body.expires_in_days;
    invalid.within("expires_in_days", days, &(1..=KEY_DAYS_MAX));
    let rule = "must be a URI, or a DNS name in lower case, of at most 253 characters";
    let is_name = certificate.is_none_or(stand_in::is_certificate_name);
    invalid.require(is_name, "certificate", rule);
    invalid.finish(())?;
    let agent_id = agent_of(cx, body.agent_id.as_deref())?;
    for _ in 0..ID_ATTEMPTS {
        let key = certificate.map_or_else(NewKey::make, |name| Ok(NewKey::of_certificate(name)))?;
        let call = Create {
            agent_id: &agent_id,
            key_id: &key.key_id,
            digest: &key.digest,
            name,
            scopes,
            life_ms: days.map(|days| days * DAY_MS),
            maker: cx.caller.key_id(),
            most: cx.config.settings.quotas.keys,
        };
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        if !matches!(answered.value, Made::IdCollision) {
            let answer = made(answered.value, key, answered.replayed)
                .unwrap_or_else(|| Err(unknown_agent(&agent_id)));
            return mark_replayed(answer, answered.replayed);
        }
        if certificate.is_some() {
            return Err(Problem::new(
                Code::Conflict,
                format!(
                    "Certificates of this name act by {} already: revoke it first.",
                    key.key_id
                ),
            ));
        }
    }
    Err(Problem::internal("could not find a free key id"))
}

/// A key makes, rotates and revokes what it does not fall short of.
fn beyond(excess: Excess) -> Problem {
    let detail = match excess {
        Excess::Scopes => {
            "A key deals with keys of its own scopes or fewer; only an admin key makes admin."
        }
        Excess::End => {
            "This key ends, and deals only with keys that end no later: see expires_in_days."
        }
    };
    Problem::new(Code::Forbidden, detail)
}

/// The answer to a key that was made, or not; `None`: what it was to be made for is not there.
fn made(made: Made, key: NewKey, replayed: bool) -> Option<Answer> {
    Some(match made {
        Made::Ok(made) => Ok(Response::json(&KeyAnswer {
            success: true,
            api_key: key.raw.filter(|_| !replayed),
            key_info: info(made),
        })),
        Made::Beyond(excess) => Err(beyond(excess)),
        Made::Suspended => Err(Problem::new(
            Code::Conflict,
            "The agent is suspended, and gets no key until it is active again.",
        )),
        Made::Unknown => Err(unknown_key()),
        Made::NotFound | Made::IdCollision => return None,
    })
}

/// `GET /auth/keys`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id = agent_of(cx, cx.query().get("agent_id"))?;
    let keys = cx.store.call(&List { agent_id: &agent_id }).await?;
    let keys = keys.ok_or_else(|| unknown_agent(&agent_id))?;
    Ok(Response::json(&KeyList { keys: keys.into_iter().map(info).collect() }))
}

fn no_such_key() -> Problem {
    Problem::new(Code::NotFound, "There is no such key, or it is not yours.")
}

/// `DELETE /auth/keys/{key_id}`: works at once, everywhere.
pub(crate) async fn revoke<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let key_id = cx.id("key_id", "key_id")?;
    match cx.store.call(&Revoke { key_id: &key_id, maker: cx.caller.key_id() }).await? {
        Revoked::Ok => {
            Ok(Response::json(&json!({ "success": true, "message": "The key is revoked." })))
        }
        Revoked::NotFound => Err(no_such_key()),
        Revoked::Beyond(excess) => Err(beyond(excess)),
        Revoked::Unknown => Err(unknown_key()),
    }
}

/// `POST /auth/keys/{key_id}/rotate`: a new key in its place; the old one is unknown at once.
pub(crate) async fn rotate<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let key_id = cx.id("key_id", "key_id")?;
    for _ in 0..ID_ATTEMPTS {
        let key = NewKey::make()?;
        let call = Rotate {
            key_id: &key_id,
            maker: cx.caller.key_id(),
            new_id: &key.key_id,
            digest: &key.digest,
        };
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        if !matches!(answered.value, Made::IdCollision) {
            let answer =
                made(answered.value, key, answered.replayed).unwrap_or_else(|| Err(no_such_key()));
            return mark_replayed(answer, answered.replayed);
        }
    }
    Err(Problem::internal("could not find a free key id"))
}

/// `GET /auth/me`: whose key this is, and what it allows.
pub(crate) async fn me<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let (agent, key_id, scopes) = match cx.caller {
        Caller::Agent(agent) => {
            let found = cx.store.call(&Get { agent_id: &agent.agent_id }).await?;
            (found, Some(&agent.key_id), agent.scopes)
        }
        Caller::Admin => (None, None, Scopes::ALL),
        Caller::Anonymous | Caller::Invited(_) => {
            return Err(Problem::new(Code::Unauthenticated, "Send a key."));
        }
    };
    let auth = CallerAuth {
        agent_id: cx.caller.name().into(),
        key_id: key_id.cloned(),
        scopes: scopes.words(),
    };
    Ok(Response::json(&CallerAnswer { agent: agent.map(|agent| agent.shown), auth }))
}
