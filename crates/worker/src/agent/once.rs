//! One heartbeat, for whoever is started again and again, such as by cron.

use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use reef_api::Code;
use reef_api::heartbeat::HeartbeatAnswer;
use reef_client::{Answer, Error, Hub};

use super::Machine;
use crate::WorkerError;
use crate::api::{self, Node};
use crate::machine::{Figures, Meter};

/// How often it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Once {
    /// How often after the first time.
    pub retries: usize,
    /// The pause before each of them.
    pub pause: Duration,
}

/// Sends one heartbeat with this machine's figures. Registers first where the hub does not know the
/// machine.
///
/// # Errors
/// [`WorkerError`]; of several tries, the last one's.
pub async fn beat_once(
    machine: &Machine,
    hub: &Hub,
    once: Once,
) -> Result<Answer<HeartbeatAnswer<'static>>, WorkerError> {
    let registration = machine.registration()?;
    let mut identity = machine.identity(&registration)?;
    let figures = match Meter::new() {
        Ok(mut meter) => meter.read_alone().await,
        Err(_) => Figures::UNKNOWN,
    };
    let pauses = ConstantBuilder::new().with_delay(once.pause).with_max_times(once.retries);
    if let Some(id) = identity.node_id().cloned() {
        let node = Node { id, incarnation: None };
        let beat = async || api::heartbeat(hub, &node, figures, 0, &[]).send().await;
        match beat.retry(pauses).when(Error::is_transient).await {
            Err(error) if api::is(&error, Code::NotFound) => {}
            other => return Ok(other?),
        }
    }
    let known = identity.node_id().cloned();
    let register = async || api::register(hub, &registration, known.as_ref()).await;
    let node = register.retry(pauses).when(Error::is_transient).await?;
    machine.compare(&node.id);
    identity.keep(&node.id);
    let beat = async || api::heartbeat(hub, &node, figures, 0, &[]).send().await;
    Ok(beat.retry(pauses).when(Error::is_transient).await?)
}
