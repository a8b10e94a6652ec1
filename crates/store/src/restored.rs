//! Data that are older than what was given out on them: `lua/cluster/void.lua`,
//! `lua/entry/restored.lua`.

use reef_domain::time::UnixMillis;

use crate::cluster::Void;
use crate::entry::Restored;
use crate::port::Redis;
use crate::script::{Store, StoreError, rows};

/// What is known of an older copy that is in Redis now.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    /// When it was taken, in milliseconds of Redis' clock.
    pub taken_at_ms: Option<i64>,
    /// The youngest event that somebody has seen and that it does not hold.
    pub seen: Option<String>,
}

/// What one step did; [`void`] and [`go_on`] go through to the end.
#[derive(Debug)]
pub struct Voided {
    /// There is more to do.
    more: bool,
    /// How many tasks wait again.
    released: i64,
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
    let begin = Void { begins: true, taken_at_ms: copy.taken_at_ms, seen: copy.seen.as_deref() };
    let Voided { more, released } = store.call(&begin).await?;
    Ok(released + if more { go_on(store).await? } else { 0 })
}

/// Goes on where somebody who has begun did not end.
///
/// # Errors
/// [`StoreError`].
pub async fn go_on<R: Redis>(store: &Store<R>) -> Result<i64, StoreError> {
    let step = Void { begins: false, taken_at_ms: None, seen: None };
    let mut all = 0;
    loop {
        let Voided { more, released } = store.call(&step).await?;
        all += released;
        if !more {
            return Ok(all);
        }
    }
}

rows! {
    Voided { more, released }
}
