//! What operators and owners do to tasks: cancel, retry, remove, clean up, redrive.

use std::time::{Duration, Instant};

use reef_api::TaskId;
use reef_domain::limits::CHANGE_BATCH;

use super::{Cleanup, Expire, Redrive};
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{Answered, Once, Store, StoreError, rows};

/// Forgets tasks that ended longer ago than this, in at most so many steps of 100. Returns how many.
///
/// # Errors
/// [`StoreError`]; what was forgotten until then stays so.
pub async fn clean_up<R: Redis>(
    store: &Store<R>,
    age_ms: i64,
    steps: usize,
    once: Option<&Once>,
) -> Result<Answered<i64>, StoreError> {
    let mut all = Answered { value: 0, replayed: false };
    let mut after = 0;
    // One entry of the audit says what all of the steps do.
    let unaudited = store.unaudited();
    for step in 0..steps {
        let once = once.map(|once| once.part(step));
        let store = if step == 0 { store } else { &unaudited };
        let some = store.call_once(&Cleanup { age_ms, after }, once.as_ref()).await?;
        all.replayed |= some.replayed;
        all.value += some.value.forgotten;
        match some.value.next {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(all)
}

/// What a step of a clean-up did.
#[derive(Debug)]
pub struct Forgotten {
    forgotten: i64,
    next: Option<i64>,
}

/// What a step of the janitor did.
#[derive(Debug)]
pub struct Expired {
    forgotten: i64,
    more: bool,
}

/// Forgets tasks that have been kept as long as they were to be: step after step, until there are no
/// more, or the time is over. A step is one script, of about a millisecond or two, so that whoever else
/// asks Redis waits for no more than that. Returns how many.
///
/// # Errors
/// [`StoreError`]; what was forgotten until then stays so.
pub async fn expire<R: Redis>(
    store: &Store<R>,
    kept_ms: i64,
    time: Duration,
) -> Result<i64, StoreError> {
    let started = Instant::now();
    let mut all = 0;
    loop {
        let some = store.call(&Expire { kept_ms }).await?;
        all += some.forgotten;
        if !some.more || started.elapsed() >= time {
            return Ok(all);
        }
    }
}

/// Which dead letters are put back into the queue.
#[derive(Debug, Clone, Default)]
pub struct Letters {
    /// These; empty: all that the filters let through.
    pub task_ids: Vec<TaskId>,
    /// `failed` or `timeout`; empty: both.
    pub status: String,
    /// Whose; empty: everybody's.
    pub user_id: String,
    /// Those that failed alike; empty: all.
    pub error_key: String,
}

/// What a step of a redrive put back.
#[derive(Debug)]
pub struct Redriven {
    next: String,
    task_ids: Vec<TaskId>,
}

/// Puts dead letters back into the queue, in at most so many steps of 100; returns their ids. A dry
/// run only says which.
///
/// # Errors
/// [`StoreError`]; what was put back until then stays so.
pub async fn redrive<R: Redis>(
    store: &Store<R>,
    writer: Writer<'_>,
    letters: &Letters,
    dry_run: bool,
    steps: usize,
    once: Option<&Once>,
) -> Result<Answered<Vec<TaskId>>, StoreError> {
    let mut all = Answered { value: Vec::new(), replayed: false };
    let mut named = letters.task_ids.chunks(usize::try_from(CHANGE_BATCH).unwrap_or(1));
    let mut below = String::new();
    for step in 0..steps {
        let task_ids = named.next().unwrap_or_default();
        if task_ids.is_empty() && !letters.task_ids.is_empty() {
            break;
        }
        let Letters { status, user_id, error_key, .. } = letters;
        let call = Redrive { writer, dry_run, status, user_id, error_key, below: &below, task_ids };
        let once = once.map(|once| once.part(step));
        let answered = store.call_once(&call, once.as_ref()).await?;
        all.replayed |= answered.replayed;
        all.value.extend(answered.value.task_ids);
        below = answered.value.next;
        if below.is_empty() && letters.task_ids.is_empty() {
            break;
        }
    }
    Ok(all)
}

rows! {
    Redriven { next, task_ids }
    Forgotten { forgotten, next }
    Expired { forgotten, more }
}
