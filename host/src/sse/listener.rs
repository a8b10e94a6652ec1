//! The one connection over which everything live arrives.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use reef_redis::{Announcements, Error, Messages, Subscriber};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::channel::Channel;
use super::channels::{Channels, Order};
use super::frame::Announcement;
use crate::metrics::StreamMetrics;
use crate::supervise::keep_with;

/// How many channels one command names, and how many orders are taken together.
const BATCH: usize = 500;
/// A quiet connection is asked this often whether it is still there.
const PING_PERIOD: Duration = Duration::from_secs(5);
/// How often old events are dropped.
const SWEEP_PERIOD: Duration = Duration::from_secs(5);
/// The pauses between two attempts to connect.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Keeps the connection open, and the channels supplied.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) announcements: Announcements,
    pub(super) channels: Arc<Channels>,
    pub(super) orders: UnboundedReceiver<Order>,
    pub(super) metrics: Arc<StreamMetrics>,
    /// The number of the connection, from 1; 0 before anybody wanted to read.
    pub(super) epoch: u64,
    /// Nothing arrives, and the log says so.
    pub(super) is_failing: bool,
}

impl Listener {
    /// Never returns. The first connection is made when somebody wants to read.
    pub(super) async fn run(mut self) {
        keep_with("event streams", &mut self, |listener| Box::pin(listener.listen())).await;
    }

    async fn listen(&mut self) {
        if self.epoch > 0 {
            // What was there before has failed.
            self.channels.lost();
        }
        let channels = Arc::clone(&self.channels);
        tokio::select! {
            () = sweep(&channels) => {}
            () = self.keep_connected() => {}
        }
    }

    async fn keep_connected(&mut self) {
        let mut pause = PAUSE_MIN;
        // The order itself is not needed: a new connection listens to all there is.
        while self.epoch > 0 || self.orders.recv().await.is_some() {
            let error = match self.announcements.open().await {
                Ok((subscriber, messages)) => {
                    self.epoch += 1;
                    let error = self.serve(self.epoch, subscriber, messages).await;
                    if !self.is_failing {
                        pause = PAUSE_MIN;
                    }
                    self.channels.lost();
                    self.metrics.reconnects.increment(1);
                    error
                }
                Err(error) => {
                    self.epoch = self.epoch.max(1);
                    error
                }
            };
            if !self.is_failing {
                tracing::warn!(%error, "no live events; readers wait, and miss nothing");
            }
            self.is_failing = true;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Works with one connection until it fails.
    async fn serve(&mut self, epoch: u64, subscriber: Subscriber, messages: Messages) -> Error {
        let channels = Arc::clone(&self.channels);
        let metrics = Arc::clone(&self.metrics);
        tokio::select! {
            () = dispatch(&channels, &metrics, messages) => {
                Error::Unavailable("the server has closed the connection".to_owned())
            }
            Err(error) = self.carry_out(epoch, subscriber) => error,
        }
    }

    async fn carry_out(
        &mut self,
        epoch: u64,
        mut subscriber: Subscriber,
    ) -> Result<Infallible, Error> {
        let all = self.channels.start_over(&mut self.orders);
        for batch in all.chunks(BATCH) {
            listen(epoch, &mut subscriber, batch).await?;
        }
        // Of a cluster, only now its nodes have been reached.
        if std::mem::take(&mut self.is_failing) {
            tracing::info!("live events arrive again");
        }
        let mut orders = Vec::with_capacity(BATCH);
        loop {
            orders.clear();
            match timeout(PING_PERIOD, self.orders.recv_many(&mut orders, BATCH)).await {
                Ok(_) => carry_out_all(epoch, &mut subscriber, &mut orders).await?,
                Err(_) => subscriber.ping().await?,
            }
        }
    }
}

/// Carries out orders in their sequence, neighbours of one kind together.
async fn carry_out_all(
    epoch: u64,
    subscriber: &mut Subscriber,
    orders: &mut Vec<Order>,
) -> Result<(), Error> {
    let (mut joined, mut left) = (Vec::new(), Vec::new());
    for order in orders.drain(..) {
        match order {
            Order::Listen(name, channel) => {
                leave(subscriber, &mut left).await?;
                joined.push((name, channel));
            }
            Order::Leave(name) => {
                listen(epoch, subscriber, &joined).await?;
                joined.clear();
                left.push(name);
            }
        }
    }
    leave(subscriber, &mut left).await?;
    listen(epoch, subscriber, &joined).await
}

async fn listen(
    epoch: u64,
    subscriber: &mut Subscriber,
    batch: &[(String, Arc<Channel>)],
) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = batch.iter().map(|(name, _)| name.clone()).collect();
    subscriber.subscribe(&names).await?;
    for (_, channel) in batch {
        channel.listened(epoch);
    }
    Ok(())
}

async fn leave(subscriber: &mut Subscriber, names: &mut Vec<String>) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    subscriber.unsubscribe(names).await?;
    names.clear();
    Ok(())
}

/// Hands out what arrives, until the connection ends.
async fn dispatch(channels: &Channels, metrics: &StreamMetrics, mut messages: Messages) {
    while let Some(message) = messages.next().await {
        match Announcement::parse(&message.payload) {
            Some(announcement) => {
                metrics.events.increment(1);
                channels.deliver(&message.channel, announcement);
            }
            None => tracing::warn!(channel = message.channel, "an announcement cannot be read"),
        }
    }
}

async fn sweep(channels: &Channels) {
    let mut ticks = tokio::time::interval(SWEEP_PERIOD);
    loop {
        ticks.tick().await;
        channels.sweep();
    }
}
