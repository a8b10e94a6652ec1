//! Data that are older than what was given out on them: `lua/cluster/void.lua`,
//! `lua/entry/restored.lua`.

use reef_domain::limits::VOID_BATCH;
use reef_domain::time::UnixMillis;

use crate::entry::Restored;
use crate::port::Redis;
use crate::script::{
    Arguments, CLUSTER_VOID, Call, Malformed, Reader, Script, Store, StoreError, unknown_status,
};

/// What is known of an older copy that is in Redis now.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    /// When it was taken, in milliseconds of Redis' clock.
    pub taken_at_ms: Option<i64>,
    /// The youngest event that somebody has seen and that it does not hold.
    pub seen: Option<String>,
}

/// One step; [`void`] and [`go_on`] go through to the end.
#[derive(Debug)]
struct Step<'a> {
    /// The first one says what is known.
    begins: Option<&'a Copy>,
}

impl Call for Step<'_> {
    /// Whether there is more to do, and how many tasks wait again.
    type Reply = (bool, i64);

    fn script(&self) -> &'static Script {
        &CLUSTER_VOID
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .number(i32::from(self.begins.is_some()))
            .optional(self.begins.and_then(|copy| copy.taken_at_ms))
            .optional(self.begins.and_then(|copy| copy.seen.as_deref()))
            .number(VOID_BATCH);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok((reply.flag()?, reply.int()?)),
            other => unknown_status(other),
        }
    }
}

/// Makes void what was given out on data that are no more: claims, incarnations and terms go on above
/// all of them, leases end, running tasks go back into the queue, and readers of events and of the
/// journal are told. Returns how many tasks wait again. If it is cut, [`go_on`] does the rest, or
/// whoever began begins again, which only adds an entry that moves nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn void<R: Redis>(store: &Store<R>, copy: &Copy) -> Result<i64, StoreError> {
    let taken_at = copy.taken_at_ms.map(|at| UnixMillis(at).to_string());
    store.call(&Restored { taken_at: taken_at.as_deref() }).await?;
    let (more, released) = store.call(&Step { begins: Some(copy) }).await?;
    Ok(released + if more { go_on(store).await? } else { 0 })
}

/// Goes on where somebody who has begun did not end.
///
/// # Errors
/// [`StoreError`].
pub async fn go_on<R: Redis>(store: &Store<R>) -> Result<i64, StoreError> {
    let mut all = 0;
    loop {
        let (more, released) = store.call(&Step { begins: None }).await?;
        all += released;
        if !more {
            return Ok(all);
        }
    }
}
