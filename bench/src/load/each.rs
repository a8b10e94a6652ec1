//! A request for each number of a range: how a measurement finds the world as it needs it.

use std::ops::Range;

use anyhow::{Result, anyhow};
use futures_util::stream::{self, TryStreamExt};

use super::connection::{Connection, Fault};
use crate::call::Call;
use crate::servers::child::Server;

/// From how many connections.
const CONNECTIONS: u64 = 32;

/// Sends a call once with each number. Every answer must be good.
pub(crate) async fn send(
    server: &Server,
    admin_key: &str,
    call: &Call,
    numbers: Range<u64>,
) -> Result<()> {
    let template = call.template(server.address, admin_key);
    let share = (numbers.end - numbers.start).div_ceil(CONNECTIONS).max(1);
    let starts = numbers.clone().step_by(usize::try_from(share)?);
    let all = stream::iter(starts.map(Ok)).try_for_each_concurrent(None, |start| {
        let (mut template, end) = (template.clone(), numbers.end.min(start + share));
        async move {
            let mut connection = Connection::open(server.address).await?;
            for number in start..end {
                connection.exchange(template.with(number)).await?;
            }
            Ok(())
        }
    });
    all.await.map_err(|fault: Fault| anyhow!("{} {}: {fault}", call.method, call.target))
}
