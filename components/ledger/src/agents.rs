//! Agents: register, show, list.

use reef_api::Word as _;
use reef_api::agent::{
    AgentBody, AgentChange, AgentList, AgentMoney, AgentRegistered, AgentRemoved, ShownAgent,
};
use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_domain::limits::{
    DISPLAY_NAME_CHARS_MAX, METADATA_BYTES_MAX, PAGE_DEFAULT, WALLET_CHARS_MAX,
};
use reef_domain::{Invalid, id, name};
use reef_store::Redis;
use reef_store::account::Balance;
use reef_store::agent::{Agent, Get, List, Register, Registered, Remove, Removed, SetStatus};
use reef_store::name::{Release, Reserve};
use reef_store::node::Writer;
use reef_store::steps::Step;
use reef_web::auth::{Caller, unknown_invite, unknown_key};
use reef_web::config::AuthMode;
use reef_web::extract::{json_object, object, optional_object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::access::unknown_agent;
use crate::keys::{ID_ATTEMPTS, NewKey, info};

fn check(body: &AgentBody<Json>) -> Result<(), Problem> {
    let mut invalid = Invalid::new();
    if let Some(wallet) = &body.wallet_address {
        let fits = (1..=WALLET_CHARS_MAX).contains(&wallet.chars().count())
            && name::is_valid(wallet)
            && !wallet.contains(char::is_whitespace);
        let rule = "must have 1-100 characters, none of them a space";
        invalid.require(fits, "wallet_address", rule);
    }
    if let Some(name) = &body.display_name {
        invalid.at_most_chars("display_name", name, DISPLAY_NAME_CHARS_MAX);
        name::check(&mut invalid, "display_name", name);
    }
    let own = body.agent_id.as_deref().filter(|own| !own.is_empty());
    if let Some(Err(rule)) = own.map(id::check_own) {
        invalid.push("agent_id", rule);
    }
    Ok(invalid.finish(())?)
}

/// `POST /agents/register`: an agent with a first key. The admin registers, or whoever has an invite;
/// where `registration` is `open`, everybody.
pub(crate) async fn register<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut body: AgentBody<Json> = optional_object(cx.request)?;
    check(&body)?;
    let metadata = &json_object("metadata", body.metadata.take(), METADATA_BYTES_MAX)?;
    if let Some(name) = body.agent_id.as_deref().filter(|own| !own.is_empty()) {
        // First of all, so that no node takes the name meanwhile.
        if !cx.store.call(&Reserve { name, writer: taker(cx) }).await? {
            let rule = "is the name of a node of somebody else";
            return Err(Problem::fields(Code::Forbidden, &Invalid::one("agent_id", rule)));
        }
    }
    // By what right it registers. That it may was decided before.
    let maker = cx.caller.key_id().filter(|_| cx.caller.is_admin());
    let invite = match cx.caller {
        Caller::Invited(invite) => Some(invite),
        _ => None,
    };
    for attempt in 0..ID_ATTEMPTS {
        let key = NewKey::make()?;
        // The id that an idempotency key stands for may be that of an agent of another day.
        let once = cx.once.as_ref().filter(|_| attempt == 0);
        let call = Register {
            agent_id: body.agent_id.as_ref().filter(|own| !own.is_empty()),
            generated_id: &made_id("agent", once, false),
            wallet_address: body.wallet_address.as_deref(),
            display_name: body.display_name.as_deref(),
            metadata,
            key_id: &key.key_id,
            digest: &key.digest,
            scopes: Scopes::OF_FIRST_KEY,
            key_name: "default",
            maker,
            invite_id: invite.map(|invite| &invite.invite_id),
            invite_digest: invite.map(|invite| invite.digest.as_str()),
        };
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        let kept = call.agent_id.filter(|_| answered.value.is_refused());
        if let Some(name) = kept {
            cx.store.call(&Release { name }).await?;
        }
        let answer = match answered.value {
            Registered::Ok { agent, key: made } => Ok(Response::json(&AgentRegistered {
                success: true,
                agent: agent.shown,
                api_key: key.raw.filter(|_| !answered.replayed),
                api_key_info: info(made),
            })),
            Registered::WalletTaken { agent_id } => Err(Problem::new(
                Code::Conflict,
                format!("Wallet already registered as {agent_id}. Use your existing API key."),
            )),
            Registered::IdTaken => {
                Err(Problem::new(Code::Conflict, "An agent with this agent_id is there already."))
            }
            Registered::Unknown => Err(match cx.caller {
                Caller::Invited(_) => unknown_invite(),
                _ => unknown_key(),
            }),
            Registered::UsedUp => Err(Problem::new(
                Code::Unauthenticated,
                "This invite is used up. Ask whoever runs this hub for another.",
            )),
            Registered::Beyond => Err(Problem::new(
                Code::Forbidden,
                "A key gives a new agent no more than it has, and this one has nothing but admin.",
            )),
            Registered::IdCollision => continue,
        };
        return mark_replayed(answer, answered.replayed);
    }
    Err(Problem::internal("could not find a free agent or key id"))
}

/// Whose nodes' names the caller may take. Without keys nodes belong to nobody.
fn taker<'a, R>(cx: &'a Context<'_, R>) -> Writer<'a> {
    if cx.caller.is_admin() || cx.config.auth_mode == AuthMode::Open {
        Writer::Any
    } else {
        Writer::Owner(cx.caller.name())
    }
}

/// An agent as the caller may see it.
fn shown<R>(cx: &Context<'_, R>, agent: Agent) -> ShownAgent {
    let Agent { shown: agent, balance: has } = agent;
    let Balance { balance, locked } = has;
    let may_see = cx.caller.acts_for(&agent.agent_id);
    let money = may_see.then(|| AgentMoney { balance, locked, available: has.available() });
    ShownAgent { agent, money }
}

/// `GET /agents`, newest first.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { limit, below, filled }).await?);
    }
    let agents = steps.rows.into_iter().map(|agent| shown(cx, agent)).collect();
    Ok(page::with_next(Response::json(&AgentList { agents }), cx.request, steps.next))
}

/// `GET /agents/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id = cx.id("id", "agent_id")?;
    match cx.store.call(&Get { agent_id: &agent_id }).await? {
        Some(agent) => Ok(Response::json(&shown(cx, agent))),
        None => Err(unknown_agent(&agent_id)),
    }
}

/// `PATCH /agents/{id}`: suspends an agent, or lets it go on; all its keys with it, at once.
pub(crate) async fn set_status<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id = cx.id("id", "agent_id")?;
    let body: AgentChange = object(cx.request)?;
    let status = body.status.and_then(|status| status.known());
    let status = status.ok_or_else(|| Problem::field("status", "must be active or suspended"))?;
    match cx.store.call(&SetStatus { agent_id: &agent_id, status: status.as_str() }).await? {
        Some(agent) => Ok(Response::json(&shown(cx, agent))),
        None => Err(unknown_agent(&agent_id)),
    }
}

/// `DELETE /agents/{id}`: an agent that has nothing left. Its id and its wallet are nobody else's.
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent_id = cx.id("id", "agent_id")?;
    match cx.store.call(&Remove { agent_id: &agent_id }).await? {
        Removed::Ok => Ok(Response::json(&AgentRemoved { success: true, agent_id })),
        Removed::NotFound => Err(unknown_agent(&agent_id)),
        Removed::Has(kept) => {
            let things = kept.iter().map(|thing| match thing.as_str() {
                "holds" => "pending holds",
                "intents" => "open intents",
                "positions" => "open positions",
                _ => "money",
            });
            let things = things.collect::<Vec<_>>().join(", ");
            let detail = format!("The agent {agent_id} has {things}. Settle that first.");
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}
