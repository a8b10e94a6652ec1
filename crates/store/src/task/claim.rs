//! Claiming as many tasks as a node asks for: some scripts, one after the other.

use reef_domain::limits::CHANGE_BATCH;

use super::{Claim, Claimed, Claims, Written};
use crate::limit::OpenLimits;
use crate::port::Redis;
use crate::script::{Answered, Once, Store, StoreError};

/// Scripts that one claim takes at most where it finds nothing but tasks that limits keep back: each puts
/// some of these aside, so that the next one comes further.
const LOOKS_MAX: usize = 20;

/// About how many bytes a task has in an answer beside what its caller has put into it.
const TASK_BYTES: usize = 700;

/// Claims up to `limit` tasks, [`CHANGE_BATCH`] a script.
///
/// # Errors
/// [`StoreError`]. What was claimed until then is given again to a repeat under the same key, or goes back
/// with its lease.
pub async fn claim<R: Redis>(
    store: &Store<R>,
    asked: &Claim<'_>,
    once: Option<&Once>,
) -> Result<Answered<Written<Claims>>, StoreError> {
    let call = Claim { limit: asked.limit.min(CHANGE_BATCH), ..*asked };
    let mut answered = first_part(store, &call, once).await?;
    let Written::Ok(all) = &mut answered.value else { return Ok(answered) };
    let mut part = 1;
    while all.tasks.len() == part * usize::try_from(CHANGE_BATCH).unwrap_or(usize::MAX) {
        let left = asked.limit - i64::try_from(all.tasks.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let spent_by = all.tasks.iter().map(bytes_of).sum::<usize>();
        let spent_by = i64::try_from(spent_by).unwrap_or(i64::MAX);
        // A repeat is given what the first claim got, and nothing that came since.
        let limit = if answered.replayed { 0 } else { left.min(CHANGE_BATCH) };
        let call = Claim { limit, spent_by, ..*asked };
        let once = once.map(|once| once.part(part));
        let Written::Ok(more) = store.call_once(&call, once.as_ref()).await?.value else { break };
        all.tasks.extend(more.tasks);
        all.reason = more.reason;
        part += 1;
    }
    if all.needs_limits() {
        // What opens now is for whoever asks next.
        store.call(&OpenLimits).await?;
    }
    if !all.tasks.is_empty() {
        all.reason.clear();
    }
    Ok(answered)
}

/// The first tasks. Where limits are in the way, those are opened that can be.
async fn first_part<R: Redis>(
    store: &Store<R>,
    call: &Claim<'_>,
    once: Option<&Once>,
) -> Result<Answered<Written<Claims>>, StoreError> {
    let mut answered = store.call_once(call, once).await?;
    for _ in 1..LOOKS_MAX {
        let Written::Ok(claims) = &answered.value else { break };
        if !claims.needs_limits() || !claims.tasks.is_empty() {
            break;
        }
        store.call(&OpenLimits).await?;
        answered = store.call_once(call, once).await?;
    }
    Ok(answered)
}

fn bytes_of(claimed: &Claimed) -> usize {
    let Claimed { task, checkpoint, resume, inputs, .. } = claimed;
    let parts = [
        Some(&task.parameters),
        Some(&task.metadata),
        checkpoint.as_ref(),
        resume.as_ref(),
        inputs.as_ref(),
    ];
    TASK_BYTES
        + task.description.len()
        + parts.iter().flatten().map(|json| json.get().len()).sum::<usize>()
}
