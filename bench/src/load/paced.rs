//! Open loop: each request has a time at which it is due, whatever became of those before it. Its
//! latency counts from then, so that a server that stalls cannot hide what it made others wait
//! (no coordinated omission).

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::connection::Connection;
use crate::sample::{Sample, empty_histogram};
use crate::template::{Dice, Numbers, Template};

/// Time between the start of the schedule and its first request, so that all is ready.
const LEAD: Duration = Duration::from_millis(100);

/// Senders that each send one request in every period, at an offset of their own.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The server.
    pub(crate) address: SocketAddr,
    /// The request.
    pub(crate) template: Template,
    /// What its number is drawn from; without it, it is that of the sender.
    pub(crate) numbers: Option<Numbers>,
    /// How many senders.
    pub(crate) senders: u64,
    /// How many connections they share; best one each.
    pub(crate) connections: usize,
    /// Time between two requests of one sender.
    pub(crate) period: Duration,
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Paced {
    /// Latencies count from the time at which a request was due.
    pub(crate) sample: Sample,
    /// How late requests were taken up, in nanoseconds: what the load generator itself adds. One
    /// that then waits for its connection waits for the server.
    pub(crate) lateness: Histogram<u64>,
}

/// A request that is due.
type Due = (u64, Instant);

/// A connection's place; empty after it broke, until the next request opens it again.
type Slot = Rc<Mutex<Option<Connection>>>;

impl Pace {
    /// Opens the connections, then sends on time. `begun` is called before the first request, with
    /// the moment from which the schedule counts. `seed` decides which numbers are drawn.
    pub(crate) async fn run(
        &self,
        time: Duration,
        seed: u64,
        begun: impl FnOnce(Instant),
    ) -> Result<Paced> {
        let mut slots: Vec<Slot> = Vec::with_capacity(self.connections);
        for number in 0..self.connections {
            let opened = Connection::open(self.address).await.map_err(|fault| {
                anyhow!("cannot open connection {number} of {}: {fault}", self.connections)
            })?;
            slots.push(Rc::new(Mutex::new(Some(opened))));
        }
        let start = Instant::now() + LEAD;
        begun(start);
        let paced = Paced { sample: Sample::new()?, lateness: empty_histogram()? };
        let paced = Rc::new(RefCell::new(paced));
        let (due, mut next) = mpsc::unbounded_channel();
        // A thread of its own, since tokio's timers are only good to a millisecond.
        let clock = std::thread::spawn({
            let schedule = self.schedule(time);
            move || dispatch(&schedule, start, &due)
        });
        let mut dice = Dice::new(seed);
        let mut under_way = JoinSet::new();
        while let Some((sender, at)) = next.recv().await {
            let number = self.numbers.map_or(sender, |numbers| dice.draw(numbers));
            let slot = usize::try_from(sender).unwrap_or_default() % slots.len().max(1);
            let slot = slots.get(slot).context("there are no connections")?;
            let mut template = self.template.clone();
            let (slot, paced, address) = (Rc::clone(slot), Rc::clone(&paced), self.address);
            under_way.spawn_local(async move {
                send(address, &slot, template.with(number), at, &paced).await;
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
        clock.join().map_err(|_| anyhow!("the clock's thread failed"))?;
        paced.borrow_mut().sample.elapsed = time;
        let paced = Rc::into_inner(paced).context("a task still runs")?;
        Ok(paced.into_inner())
    }

    /// When which sender sends, after the start. The offsets are random, as those of machines that
    /// were started at any time; evenly spaced ones would never meet.
    pub(crate) fn schedule(&self, time: Duration) -> Vec<(Duration, u64)> {
        schedule(self.senders, self.period, time)
    }
}

async fn send(
    address: SocketAddr,
    slot: &Slot,
    request: &[u8],
    due: Instant,
    paced: &RefCell<Paced>,
) {
    let late = u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX);
    paced.borrow_mut().lateness.saturating_record(late);
    let mut place = slot.lock().await;
    let outcome = async {
        if place.is_none() {
            *place = Some(Connection::open(address).await?);
        }
        match place.as_mut() {
            Some(connection) => connection.exchange(request).await,
            None => Ok(()),
        }
    };
    match outcome.await {
        Ok(()) => paced.borrow_mut().sample.answer(due.elapsed()),
        Err(fault) => {
            if !fault.leaves_connection() {
                *place = None;
            }
            paced.borrow_mut().sample.fault(fault.to_string());
        }
    }
}

fn schedule(senders: u64, period: Duration, time: Duration) -> Vec<(Duration, u64)> {
    let below = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
    let mut dice = Dice::new(senders);
    let mut schedule = Vec::new();
    for sender in 0..senders {
        let mut at = Duration::from_nanos(dice.draw(Numbers { below }));
        while at < time {
            schedule.push((at, sender));
            at += period;
        }
    }
    schedule.sort_unstable();
    schedule
}

fn dispatch(schedule: &[(Duration, u64)], start: Instant, due: &mpsc::UnboundedSender<Due>) {
    for (offset, sender) in schedule {
        let at = start + *offset;
        let wait = at.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        if due.send((*sender, at)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sender_sends_once_in_a_period() {
        let schedule = schedule(50, Duration::from_secs(10), Duration::from_secs(30));
        assert_eq!(schedule.len(), 150);
        assert!(schedule.is_sorted());
        let of_one: Vec<Duration> =
            schedule.iter().filter(|(_, sender)| *sender == 7).map(|(at, _)| *at).collect();
        assert!(of_one.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_secs(10)));
    }
}
