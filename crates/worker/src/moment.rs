//! Instants of a clock that runs on while the machine sleeps.
//!
//! A hub's lease runs on while a laptop is closed or a virtual machine is paused by its own guest.
//! The clock behind `Instant` stands still for that time on Linux, so leases are counted with this
//! one. It is the same for all processes of a machine.

use std::ops::Add;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// On Linux the clock that says how long the machine has been up, asleep or not; elsewhere the
/// monotonic one, which on macOS counts the time asleep as well.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// How long one sleep is at most where no timer of the system runs on while the machine sleeps.
const SLICE: Duration = Duration::from_millis(200);

/// The time since some fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default())
    }

    /// What [`Self::micros`] has given.
    pub(crate) fn from_micros(micros: u64) -> Self {
        Self(Duration::from_micros(micros))
    }

    /// A number for another process of this machine, rounded down.
    pub(crate) fn micros(self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }

    /// The time since then; zero if it is yet to come.
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    /// The time until then; zero if it is over.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_sub(Self::now().0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, more: Duration) -> Self {
        Self(self.0.saturating_add(more))
    }
}

/// Sleeps until then, and wakes as soon as the machine does if it slept longer.
pub(crate) async fn sleep_until(moment: Moment) {
    #[cfg(target_os = "linux")]
    if timer::expired(moment).await.is_ok() {
        return;
    }
    loop {
        let left = moment.left();
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(SLICE)).await;
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::io;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    use super::Moment;

    /// Completes when the system's timer says that it is time.
    pub(super) async fn expired(moment: Moment) -> io::Result<()> {
        if moment.left().is_zero() {
            return Ok(());
        }
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let at = Timespec::try_from(moment.0).map_err(io::Error::other)?;
        let once = Itimerspec { it_interval: never, it_value: at };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &once)?;
        #[allow(deprecated, reason = "an owned descriptor is what `register` asks its caller for")]
        let timer = AsyncFd::new(timer)?;
        let _ready = timer.readable().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_ends_when_its_moment_has_come_and_not_before() {
        let moment = Moment::now() + Duration::from_millis(30);
        sleep_until(moment).await;
        assert!(moment.left().is_zero());
        sleep_until(moment).await;
        assert_eq!(Moment::from_micros(moment.micros()).micros(), moment.micros());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_is_the_one_that_counts_the_time_asleep() {
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
        assert!((Moment::now().0.as_secs_f64() - uptime).abs() < 5.0);
        assert_eq!(CLOCK, ClockId::Boottime);
    }
}
