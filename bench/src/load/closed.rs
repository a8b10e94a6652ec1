//! Closed loop: each connection sends its next request as soon as it has the answer to the one
//! before. Shows what a server can do at most, and how long requests take then.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::connection::{Connection, Fault};
use crate::sample::Sample;
use crate::template::{Dice, Numbers, Template};

/// The pause before a connection that broke is opened again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(10);

/// What to send, where, and from how many connections.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The server.
    pub(crate) address: SocketAddr,
    /// The request.
    pub(crate) template: Template,
    /// The numbers that it may be about.
    pub(crate) numbers: Numbers,
    /// How many connections.
    pub(crate) connections: usize,
}

impl Load {
    /// Sends requests for a time. `seed` decides which numbers are drawn.
    pub(crate) async fn run(&self, time: Duration, seed: u64) -> Result<Sample> {
        let sample = Rc::new(RefCell::new(Sample::new()?));
        let mut open = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            let connection = Connection::open(self.address).await;
            let refused = |fault| anyhow::anyhow!("cannot connect to {}: {fault}", self.address);
            open.push(connection.map_err(refused)?);
        }
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for (number, connection) in open.into_iter().enumerate() {
            let dice = Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
            let load = self.clone();
            let sample = Rc::clone(&sample);
            tasks.spawn_local(load.keep_asking(connection, dice, begun + time, sample));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.context("a connection's task failed")?;
        }
        sample.borrow_mut().elapsed = begun.elapsed();
        let sample = Rc::into_inner(sample).context("a task still runs")?;
        Ok(sample.into_inner())
    }

    async fn keep_asking(
        mut self,
        mut connection: Connection,
        mut dice: Dice,
        end: Instant,
        sample: Rc<RefCell<Sample>>,
    ) {
        let mut sent = Instant::now();
        while sent < end {
            let request = self.template.with(dice.draw(self.numbers));
            let outcome = connection.exchange(request).await;
            let answered = Instant::now();
            match outcome {
                Ok(()) => sample.borrow_mut().answer(answered - sent),
                Err(fault) => {
                    sample.borrow_mut().fault(fault.to_string());
                    if !fault.leaves_connection() {
                        match reconnect(self.address, end).await {
                            Ok(opened) => connection = opened,
                            Err(fault) => {
                                sample.borrow_mut().fault(fault.to_string());
                                return;
                            }
                        }
                    }
                }
            }
            sent = answered;
        }
    }
}

async fn reconnect(address: SocketAddr, end: Instant) -> Result<Connection, Fault> {
    loop {
        tokio::time::sleep(RECONNECT_PAUSE).await;
        match Connection::open(address).await {
            Err(_) if Instant::now() < end => {}
            result => return result,
        }
    }
}
