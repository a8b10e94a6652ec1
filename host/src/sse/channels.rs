//! All channels that somebody reads: found by name, made with the first reader, gone with the
//! last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::channel::Channel;
use super::frame::Announcement;

/// What the connection to Redis has to do. Orders are given under the lock of the table, so that
/// their sequence is that of its changes.
#[derive(Debug)]
pub(super) enum Order {
    /// Listen to a channel, and tell it.
    Listen(String, Arc<Channel>),
    /// Listen to it no longer.
    Leave(String),
}

/// All channels that somebody reads.
#[derive(Debug)]
pub(super) struct Channels {
    table: Mutex<Table>,
    orders: UnboundedSender<Order>,
}

#[derive(Debug, Default)]
struct Table {
    by_name: HashMap<String, Listed>,
    is_closing: bool,
}

#[derive(Debug)]
struct Listed {
    channel: Arc<Channel>,
    readers: usize,
}

/// A reader's share in a channel.
#[derive(Debug)]
pub(super) struct Membership {
    channels: Arc<Channels>,
    name: String,
    channel: Arc<Channel>,
}

impl Channels {
    /// None yet, and the orders that will be given.
    pub(super) fn new() -> (Arc<Self>, UnboundedReceiver<Order>) {
        let (orders, given) = unbounded_channel();
        (Arc::new(Self { table: Mutex::default(), orders }), given)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the readers of a channel.
    pub(super) fn join(self: &Arc<Self>, name: String) -> Membership {
        let mut table = self.table();
        let channel = match table.by_name.get_mut(&name) {
            Some(listed) => {
                listed.readers += 1;
                Arc::clone(&listed.channel)
            }
            None => {
                let channel = Arc::new(Channel::new());
                if table.is_closing {
                    channel.close();
                }
                let listed = Listed { channel: Arc::clone(&channel), readers: 1 };
                table.by_name.insert(name.clone(), listed);
                // Nobody takes orders when the host is ending.
                let _ = self.orders.send(Order::Listen(name.clone(), Arc::clone(&channel)));
                channel
            }
        };
        drop(table);
        Membership { channels: Arc::clone(self), name, channel }
    }

    fn leave(&self, name: &str) {
        let mut table = self.table();
        let Some(listed) = table.by_name.get_mut(name) else { return };
        listed.readers -= 1;
        if listed.readers == 0 {
            table.by_name.remove(name);
            let _ = self.orders.send(Order::Leave(name.to_owned()));
        }
    }

    /// Hands what was announced to its readers.
    pub(super) fn deliver(&self, name: &str, announcement: Announcement) {
        let channel = self.table().by_name.get(name).map(|listed| Arc::clone(&listed.channel));
        if let Some(channel) = channel {
            channel.push(announcement);
        }
    }

    /// Everything a new connection has to listen to. It makes all orders up to now obsolete.
    pub(super) fn start_over(
        &self,
        orders: &mut UnboundedReceiver<Order>,
    ) -> Vec<(String, Arc<Channel>)> {
        let table = self.table();
        while orders.try_recv().is_ok() {}
        let listed = table.by_name.iter();
        listed.map(|(name, listed)| (name.clone(), Arc::clone(&listed.channel))).collect()
    }

    /// Tells every channel that nobody listens.
    pub(super) fn lost(&self) {
        self.each(Channel::lost);
    }

    /// Makes every channel drop what is old.
    pub(super) fn sweep(&self) {
        self.each(Channel::sweep);
    }

    /// Ends all readers, also those that are still to come.
    pub(super) fn close(&self) {
        self.table().is_closing = true;
        self.each(Channel::close);
    }

    fn each(&self, act: impl Fn(&Channel)) {
        let channels: Vec<Arc<Channel>> =
            self.table().by_name.values().map(|listed| Arc::clone(&listed.channel)).collect();
        for channel in channels {
            act(&channel);
        }
    }
}

impl Membership {
    /// The channel.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.channels.leave(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::Entrance;
    use super::*;

    fn names(orders: &mut UnboundedReceiver<Order>) -> Vec<String> {
        let mut names = Vec::new();
        while let Ok(order) = orders.try_recv() {
            names.push(match order {
                Order::Listen(name, _) => format!("+{name}"),
                Order::Leave(name) => format!("-{name}"),
            });
        }
        names
    }

    #[test]
    fn the_first_reader_opens_a_channel_and_the_last_closes_it() {
        let (channels, mut orders) = Channels::new();
        let first = channels.join("a".to_owned());
        let second = channels.join("a".to_owned());
        drop(first);
        assert_eq!(names(&mut orders), ["+a"]);
        drop(second);
        drop(channels.join("a".to_owned()));
        assert_eq!(names(&mut orders), ["-a", "+a", "-a"]);
    }

    #[test]
    fn a_new_connection_listens_to_what_is_read_now() {
        let (channels, mut orders) = Channels::new();
        let kept = channels.join("a".to_owned());
        drop(channels.join("b".to_owned()));
        let all = channels.start_over(&mut orders);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, "a");
        assert!(orders.try_recv().is_err());
        drop(kept);
    }

    #[test]
    fn an_event_reaches_the_readers_of_its_channel() {
        let (channels, _orders) = Channels::new();
        let reader = channels.join("a".to_owned());
        let other = channels.join("b".to_owned());
        reader.channel().listened(1);
        other.channel().listened(1);
        let before = reader.channel().entrance();
        let untouched = other.channel().entrance();
        channels.deliver("a", Announcement::Removed);
        assert_ne!(reader.channel().entrance(), before);
        assert_eq!(other.channel().entrance(), untouched);
        channels.close();
        assert_eq!(reader.channel().entrance(), Entrance::Closing);
        assert_eq!(channels.join("c".to_owned()).channel().entrance(), Entrance::Closing);
    }
}
