//! Invites: by which somebody without a key becomes an agent.

use reef_api::InviteId;
use reef_api::agent::{InviteAnswer, InviteBody, InviteInfo, InviteList, InviteRevoked};
use reef_domain::Invalid;
use reef_domain::access::{KEY_NAME_CHARS, KEY_SECRET_CHARS, Scope, Scopes};
use reef_domain::limits::{INVITE_SECONDS, INVITE_SECONDS_DEFAULT, INVITE_USES_MAX, PAGE_DEFAULT};
use reef_store::Redis;
use reef_store::invite::{Create, Invite, List, Made, Revoke};
use reef_store::steps::Step;
use reef_web::auth::unknown_key;
use reef_web::extract::optional_object;
use reef_web::once::digest_of;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::keys::{ID_ATTEMPTS, may_give, random_chars, read_scopes};

/// An invite that was just made: nobody has seen it yet.
struct NewInvite {
    /// `reef_invite_<8 chars>_<32 url-safe chars>`.
    raw: String,
    /// `invite_<8 chars>`.
    invite_id: InviteId,
}

impl NewInvite {
    fn make() -> Result<Self, Problem> {
        let name = random_chars(KEY_NAME_CHARS, 62)?;
        let secret = random_chars(KEY_SECRET_CHARS, 64)?;
        let raw = format!("reef_invite_{name}_{secret}");
        Ok(Self { invite_id: format!("invite_{name}").into(), raw })
    }
}

/// An invite as who administers may see it.
fn info(invite: Invite) -> InviteInfo {
    let Invite { invite_id, uses, used, scopes, created_by, created_at, expires_at } = invite;
    let scopes = scopes.words();
    InviteInfo { invite_id, uses, used, scopes, created_by, created_at, expires_at }
}

/// `POST /invites`
pub(crate) async fn create<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: InviteBody = optional_object(cx.request)?;
    let mut invalid = Invalid::new();
    let uses = body.uses.unwrap_or(1);
    invalid.within("uses", uses, &(1..=INVITE_USES_MAX));
    let seconds = body.expires_in.unwrap_or(INVITE_SECONDS_DEFAULT);
    invalid.within("expires_in", seconds, &INVITE_SECONDS);
    let scopes = match &body.scopes {
        Some(names) => read_scopes(&mut invalid, names),
        None => Scopes::OF_FIRST_KEY.and(may_give(cx.caller)).without(Scope::Admin),
    };
    invalid.finish(())?;
    if scopes.is_empty() {
        return Err(beyond());
    }
    for _ in 0..ID_ATTEMPTS {
        let new = NewInvite::make()?;
        let call = Create {
            invite_id: &new.invite_id,
            digest: &digest_of(&new.raw),
            uses,
            scopes,
            life_ms: seconds * 1000,
            maker: cx.caller.key_id(),
            made_by: cx.caller.name(),
        };
        let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
        let answer = match answered.value {
            Made::Ok(invite) => Ok(Response::json(&InviteAnswer {
                success: true,
                invite: (!answered.replayed).then_some(new.raw),
                invite_info: info(invite),
            })),
            Made::TooMany => Err(Problem::new(
                Code::Conflict,
                "There are 1000 open invites, and no more may be. Revoke those that are not used.",
            )),
            Made::Beyond => Err(beyond()),
            Made::Unknown => Err(unknown_key()),
            Made::IdCollision => continue,
        };
        return mark_replayed(answer, answered.replayed);
    }
    Err(Problem::internal("could not find a free invite id"))
}

fn beyond() -> Problem {
    let detail = "An invite gives no scope that its maker's key does not have; only the admin key \
                  makes invites that administer.";
    Problem::new(Code::Forbidden, detail)
}

/// `GET /invites`: those that are open, newest first.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { limit, below, filled }).await?);
    }
    let invites = steps.rows.into_iter().map(info).collect();
    Ok(page::with_next(Response::json(&InviteList { invites }), cx.request, steps.next))
}

/// `DELETE /invites/{id}`: from here on it lets nobody in.
pub(crate) async fn revoke<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let invite_id = cx.id("id", "invite_id")?;
    if cx.store.call(&Revoke { invite_id: &invite_id }).await? {
        Ok(Response::json(&InviteRevoked { success: true, invite_id }))
    } else {
        let detail = "There is no such open invite.";
        Err(Problem::new(Code::NotFound, detail))
    }
}
