//! What hosts ask for by themselves.

use anyhow::Result;
use reef_store::audit::Seen;
use reef_store::cluster::{self, AskSecret, CheckReady, NoteLibraries};
use reef_store::entry::{self, SealsSeen};
use reef_store::event::{Latest, RollBack};
use reef_store::host::Join;
use reef_store::monitor::{Acquire, Release, tick};
use reef_store::proposal;
use reef_store::restored::{Copy, void};
use reef_store::script::ALL;
use reef_store::sign_in_link::{Make, Take};
use reef_store::task::settle_due;

use crate::scripts::driver::Driver;

/// The time between two ticks, in milliseconds.
const TICK_MS: i64 = 1000;

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let (store, settings) = (driver.store(), &driver.config().settings);
    for path in ["//health", "//readyz", "/cluster/durability", "/cluster/monitor"] {
        driver.get(path).await?;
    }
    let (mut seen, mut audited) = (SealsSeen::default(), Seen::default());
    for i in 0..driver.many {
        let acquire = Acquire { host: "bench", ttl_ms: 5 * TICK_MS, seen: None, took_ms: Some(5) };
        let lease = store.call(&acquire).await?;
        let ticked = tick(store, settings, TICK_MS, i % 2 == 0, &seen, &audited).await?;
        seen = ticked.seals.seen;
        audited = ticked.audit.map_or(audited, |tended| tended.seen);
        store.call(&Release { host: "bench", term: lease.term }).await?;
        store.call(&cluster::Arrive { trusts: false, era: 0, seen: None }).await?;
        store.call(&entry::Arrive { era: 0, seen: 0, link: "" }).await?;
        let timeout = settings.heartbeat_timeout;
        let join = Join {
            host: "bench",
            who: "bench",
            stays: true,
            timeout_ms: timeout.as_millis(),
            period_ms: timeout.longest_period_ms(),
            random: "bench",
            settings: &["heartbeat_timeout_seconds".to_owned(), "86400".to_owned()],
        };
        store.call(&join).await?;
        store.call(&CheckReady).await?;
        store.call(&AskSecret { fresh: "bench" }).await?;
        let names: Vec<String> = ALL.iter().map(|script| script.function.to_owned()).collect();
        let own = i64::try_from(names.len())?;
        store.call(&NoteLibraries { own, names: &names }).await?;
        store.call(&Latest).await?;
        let (key_id, code) = ("bench", format!("code-{i}"));
        let make = Make { key_id, digest: "digest", code: &code, life_ms: 60_000 };
        store.call(&make).await?;
        store.call(&Take { key_id, code: &code }).await?;
        settle_due(store, settings).await?;
        proposal::settle_unfinished(store, settings).await?;
    }
    for _ in 0..driver.many.min(10) {
        store.call(&RollBack { first: 1, last: 2 }).await?;
        void(store, &Copy::default()).await?;
    }
    Ok(())
}
