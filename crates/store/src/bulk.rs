//! Changes of many tasks: `lua/bulk/`.

use std::time::{Duration, Instant};

use reef_api::BulkId;
pub use reef_api::bulk::Bulk;
use reef_domain::filter::Filter;

use crate::message::Owned;
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};

include!(concat!(env!("OUT_DIR"), "/calls_bulk.rs"));

impl FromReply for Owned<Bulk> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (bulk_id, owner) = (FromReply::read(reply)?, reply.text()?);
        let (action, priority) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let status = FromReply::read(reply)?;
        let filter: Filter = serde_json::from_str(&reply.text()?)
            .map_err(|error| Malformed(format!("filter: {error}")))?;
        let most: Option<i64> = FromReply::read(reply)?;
        let value = Bulk {
            bulk_id,
            action,
            priority,
            status,
            dry_run: most.is_none(),
            filter: filter.shown(),
            most,
            reason: reply.text()?,
            matched: reply.int()?,
            sample: reply.text()?.split_whitespace().map(Into::into).collect(),
            done: reply.int()?,
            skipped: reply.int()?,
            failed: reply.int()?,
            created_at: FromReply::read(reply)?,
            ended_at: FromReply::read(reply)?,
        };
        Ok(Self { owner, value })
    }
}

/// What goes on with a job.
#[derive(Debug)]
pub struct Next {
    step: String,
    bulk_id: BulkId,
}

/// Goes on with a job, or with those that have waited longest, step after step, until there is nothing more
/// to do or the time is over. A step is one script of some milliseconds, so that whoever else asks Redis
/// waits for no more than that.
///
/// # Errors
/// [`StoreError`]; the monitor goes on.
pub async fn advance<R: Redis>(
    store: &Store<R>,
    bulk_id: Option<&BulkId>,
    time: Duration,
) -> Result<(), StoreError> {
    let started = Instant::now();
    while started.elapsed() < time {
        let next = store.call(&CountBulk { bulk_id }).await?;
        if !change_some(store, next, started, time).await? {
            break;
        }
    }
    Ok(())
}

/// Steps of one job, before the next one has its turn.
const STEPS: usize = 10;

/// Goes on with one job for a while, so that of several none waits for all of another. Whether there was
/// something to do.
async fn change_some<R: Redis>(
    store: &Store<R>,
    mut next: Next,
    started: Instant,
    time: Duration,
) -> Result<bool, StoreError> {
    let is_under_way = !next.step.is_empty();
    for _ in 0..STEPS {
        if next.step.is_empty() || started.elapsed() >= time {
            break;
        }
        let bulk_id = &next.bulk_id;
        next = match next.step.as_str() {
            "unfinished" => store.call(&ChangeUnfinished { bulk_id }).await?,
            "ended" => store.call(&ReviveEnded { bulk_id }).await?,
            "removed" => store.call(&RemoveEnded { bulk_id }).await?,
            _ => store.call(&CountBulk { bulk_id: Some(bulk_id) }).await?,
        };
    }
    Ok(is_under_way)
}

rows! {
    Next { step, bulk_id }
}
