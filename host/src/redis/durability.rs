//! How safe the writes of a store can be, as the host tells it.

use std::time::Duration;

use reef_api::durability::{Giving, LevelGiven};
use reef_api::word::Open;
use reef_redis::{Connection, Error, together};

/// Each level, as all servers that take writes give it, not longer ago than `age`.
///
/// # Errors
/// One of them does not answer.
pub(crate) async fn given(
    connection: &Connection,
    age: Duration,
) -> Result<Vec<LevelGiven<'static>>, Error> {
    let facts = connection.facts(age).await?;
    let level = |ability: reef_redis::Ability| LevelGiven {
        level: Open::Known(ability.level),
        given: Open::Known(ability.giving),
        replicas: ability.replicas,
        why: ability.why,
    };
    Ok(together(&facts).into_iter().map(level).collect())
}

/// The levels in a line for people.
pub(crate) fn line(levels: &[LevelGiven<'_>]) -> String {
    let words = levels.iter().map(|it| match it.given.known() {
        Some(Giving::AtOnce) => format!("{} at once", it.level.as_str()),
        Some(Giving::Awaited) => format!("{} by waiting", it.level.as_str()),
        _ => format!("no {}", it.level.as_str()),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Why those levels are not there that are not.
pub(crate) fn gaps<'l>(levels: &'l [LevelGiven<'_>]) -> impl Iterator<Item = String> + 'l {
    let missing = levels.iter().filter(|it| it.given == Giving::No);
    missing.map(|it| format!("no {}: {}", it.level.as_str(), it.why))
}
