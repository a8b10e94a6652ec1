//! The cluster's events as they happen, for parts of the host that wait for one.

use std::sync::Arc;

use tokio::sync::watch;

use super::channel::{Entrance, Found, Position};
use super::channels::{Channels, Membership};
use super::frame::Frame;

/// Sees the cluster's events from now on. What happened before, or while Redis was away, it does
/// not tell; that there was something, it does.
pub(crate) struct ClusterWatch {
    membership: Membership,
    news: watch::Receiver<()>,
    position: Option<Position>,
}

/// What a watch sees.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An event, as JSON: `event_id event_type timestamp payload`.
    Event(String),
    /// From here on nothing is missed; before, anything may have been.
    Anything,
    /// The host is stopping.
    Closing,
}

impl ClusterWatch {
    pub(super) fn new(channels: &Arc<Channels>, channel: String) -> Self {
        let membership = channels.join(channel);
        let news = membership.channel().news();
        Self { membership, news, position: None }
    }

    /// Waits for the next.
    pub(crate) async fn next(&mut self) -> Seen {
        loop {
            self.news.borrow_and_update();
            let channel = self.membership.channel();
            match self.position.as_mut().map(|position| channel.read(position)) {
                Some(Found::Frame(frame)) => {
                    if let Some(data) = data_of(&frame) {
                        return Seen::Event(data);
                    }
                }
                Some(Found::Closing) => return Seen::Closing,
                Some(Found::Nothing) => drop(self.news.changed().await),
                Some(Found::News) => {}
                Some(Found::Hole) => self.position = None,
                None => match channel.entrance() {
                    Entrance::At(position) => {
                        self.position = Some(position);
                        return Seen::Anything;
                    }
                    Entrance::Closing => return Seen::Closing,
                    // The sender lives as long as the channel, of which this is a member.
                    Entrance::NotYet => drop(self.news.changed().await),
                },
            }
        }
    }
}

fn data_of(frame: &Frame) -> Option<String> {
    let text = std::str::from_utf8(&frame.bytes).ok()?;
    let (_, data) = text.split_once("\ndata: ")?;
    Some(data.trim_end().to_owned())
}
