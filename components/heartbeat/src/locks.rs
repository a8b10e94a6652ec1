//! Named locks: a process holds one, under a term that fences all earlier holders.

use reef_api::LockId;
use reef_api::lock::{LockAcquireBody, LockAcquired, LockReleaseBody, LockReleased, LockRenewBody};
use reef_domain::limits::{COUNTER_MAX, LOCK_TTL_MS, LOCK_TTL_MS_DEFAULT, LOCKS_MAX, PAGE_DEFAULT};
use reef_domain::{Invalid, id};
use reef_store::Redis;
use reef_store::lock::{Acquire, Acquired, List, Release, Released, Renew, Renewed, Show};
use reef_store::steps::Step;
use reef_web::extract::object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

/// `GET /locks`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { limit, below, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// `GET /locks/{name}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LockId = cx.id("name", "name")?;
    match cx.store.call(&Show { name: &name }).await? {
        Some(lock) => Ok(Response::json(&lock)),
        None => Err(Problem::new(Code::NotFound, format!("Nobody holds the lock {name}."))),
    }
}

/// `POST /locks/{name}/acquire`
pub(crate) async fn acquire<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LockId = cx.id("name", "name")?;
    let body: LockAcquireBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let holder = read_holder(&mut invalid, body.holder);
    let ttl_ms = read_ttl(&mut invalid, body.ttl_ms);
    let holder = invalid.finish(holder)?;
    let call = Acquire {
        name: &name,
        holder: &holder,
        owner: cx.caller.name(),
        ttl_ms,
        most: cx.quotas().map(|quotas| quotas.locks),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Acquired::Ok { is_held, lock, former_ttl_ms } => {
            Ok(Response::json(&LockAcquired { is_held, lock, former_ttl_ms }))
        }
        Acquired::TooMany => {
            let detail = format!("{LOCKS_MAX} locks are held already.");
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `POST /locks/{name}/renew`
pub(crate) async fn renew<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LockId = cx.id("name", "name")?;
    let body: LockRenewBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let holder = read_holder(&mut invalid, body.holder);
    let term = read_term(&mut invalid, body.term);
    let ttl_ms = read_ttl(&mut invalid, body.ttl_ms);
    let holder = invalid.finish(holder)?;
    let writer = cx.caller.writer();
    let call = Renew { name: &name, holder: &holder, term, ttl_ms, writer };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Renewed::Ok { lock } => Ok(Response::json(&lock)),
        Renewed::Forbidden => Err(Problem::foreign("lock")),
        Renewed::Fenced { holder: now, term: present } => {
            Err(fenced(&name, &holder, term, now.as_deref(), present))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `POST /locks/{name}/release`
pub(crate) async fn release<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let name: LockId = cx.id("name", "name")?;
    let body: LockReleaseBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    let holder = read_holder(&mut invalid, body.holder);
    let term = read_term(&mut invalid, body.term);
    let holder = invalid.finish(holder)?;
    let call = Release { name: &name, holder: &holder, term, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Released::Ok => Ok(Response::json(&LockReleased { success: true, name, term })),
        Released::Forbidden => Err(Problem::foreign("lock")),
        Released::Fenced { holder: now, term: present } => {
            Err(fenced(&name, &holder, term, now.as_deref(), present))
        }
    };
    mark_replayed(answer, answered.replayed)
}

fn fenced(name: &LockId, holder: &str, term: i64, now: Option<&str>, present: i64) -> Problem {
    let detail = match now {
        None => format!("{holder} does not hold {name} under term {term}: nobody does."),
        Some(now) => format!(
            "{holder} does not hold {name} under term {term}: {now} does, and the term is {present}."
        ),
    };
    Problem::new(Code::Fenced, detail)
}

fn read_holder(invalid: &mut Invalid, given: Option<String>) -> String {
    let holder = given.unwrap_or_default();
    if holder.is_empty() {
        invalid.push("holder", "is required");
    } else {
        invalid.require(id::is_valid(&holder), "holder", id::RULE);
    }
    holder
}

fn read_term(invalid: &mut Invalid, given: Option<i64>) -> i64 {
    invalid.require(given.is_some(), "term", "is required");
    let term = given.unwrap_or_default();
    invalid.within("term", term, &(0..=COUNTER_MAX));
    term
}

fn read_ttl(invalid: &mut Invalid, given: Option<i64>) -> i64 {
    let ttl_ms = given.unwrap_or(LOCK_TTL_MS_DEFAULT);
    invalid.within("ttl_ms", ttl_ms, &LOCK_TTL_MS);
    ttl_ms
}
