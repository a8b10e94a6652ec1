//! What has happened, by minutes and hours: `lua/history/`. Scripts count it where it happens
//! (`lua/include/history.lua`); the monitor moves it into minutes, hours and sums.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use reef_domain::limits::HISTORY_READ_BATCH;

use crate::port::{Redis, RedisError};
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};

include!(concat!(env!("OUT_DIR"), "/calls_history.rs"));

/// Upper bounds of the parts of a histogram, in milliseconds, as the scripts have them; one part more has what is
/// longer.
pub const SPANS_MS: [i64; 13] = [
    10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
    10_000_000,
];

/// A histogram: how often something took how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spans(pub [i64; SPANS_MS.len() + 1]);

impl Spans {
    /// How often it happened.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.0.iter().sum()
    }

    /// How long it took at most in this share of all cases, in seconds: by the part in which that lies, as if what
    /// is in a part were spread evenly. `None`: it never happened.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "what people look at needs no more digits")]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = share * self.count() as f64;
        let (mut below, mut lower) = (0.0, 0.0);
        let bounds = SPANS_MS.iter().map(|ms| *ms as f64 / 1e3).map(Some).chain([None]);
        let mut found = None;
        for (count, upper) in self.0.iter().zip(bounds) {
            let count = *count as f64;
            if count > 0.0 && found.is_none_or(|_| below < rank) {
                let within = ((rank - below) / count).clamp(0.0, 1.0);
                found =
                    Some(upper.map_or(lower, |upper: f64| (upper - lower).mul_add(within, lower)));
            }
            below += count;
            lower = upper.unwrap_or(lower);
        }
        found
    }

    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum += count;
        }
        self
    }
}

/// How the hub stood, as the monitor last saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Nodes that live.
    pub nodes_online: i64,
    /// All nodes.
    pub nodes_total: i64,
    /// Tasks that all nodes can run at once.
    pub capacity: i64,
    /// Tasks that run.
    pub running: i64,
    /// Tasks that wait for a node.
    pub waiting: i64,
}

/// What was counted of a minute, of an hour, or ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks that were submitted.
    pub submitted: i64,
    /// Claims, by how long the task had waited for a node.
    pub claimed: Spans,
    /// The sum of these waits, in milliseconds.
    pub wait_ms: i64,
    /// Tries that ended well, by how long they ran.
    pub completed: Spans,
    /// Tries that failed.
    pub failed: Spans,
    /// Tries whose lease or time ran out.
    pub timeout: Spans,
    /// The sum of these runs, in milliseconds.
    pub run_ms: i64,
    /// Tasks that were cancelled.
    pub cancelled: i64,
    /// Tasks that became dead letters.
    pub dead: i64,
    /// Stale tokens that were refused.
    pub fenced: i64,
    /// Tokens that models have read.
    pub tokens_in: i64,
    /// Tokens that they have written.
    pub tokens_out: i64,
    /// What that has cost, in millionths.
    pub cost: i64,
    /// How the hub stood.
    pub standing: Option<Standing>,
}

impl Tally {
    /// Tries that have ended, by how long they ran.
    #[must_use]
    pub fn runs(&self) -> Spans {
        self.completed.plus(&self.failed).plus(&self.timeout)
    }

    /// Adds letters and counts, in turn, with spaces between.
    fn add(&mut self, counts: &str) -> Result<(), Malformed> {
        let mut words = counts.split(' ').filter(|word| !word.is_empty());
        while let (Some(letter), Some(value)) = (words.next(), words.next()) {
            self.add_one(letter, value)
                .ok_or_else(|| Malformed(format!("nothing is counted as {letter} {value}")))?;
        }
        Ok(())
    }

    fn add_one(&mut self, letter: &str, value: &str) -> Option<()> {
        let (kind, part) = letter.split_at_checked(1)?;
        let spans = match kind {
            "u" => return self.add_used(value),
            "g" => return self.stand(value),
            "s" => return sum(&mut self.submitted, value),
            "W" => return sum(&mut self.wait_ms, value),
            "R" => return sum(&mut self.run_ms, value),
            "x" => return sum(&mut self.cancelled, value),
            "d" => return sum(&mut self.dead, value),
            "n" => return sum(&mut self.fenced, value),
            "w" => &mut self.claimed,
            "c" => &mut self.completed,
            "f" => &mut self.failed,
            "t" => &mut self.timeout,
            _ => return None,
        };
        let part = part.parse::<usize>().ok()?.checked_sub(1)?;
        sum(spans.0.get_mut(part)?, value)
    }

    fn add_used(&mut self, value: &str) -> Option<()> {
        let [input, output, _, _, _, cost] = numbers(value)?;
        self.tokens_in = self.tokens_in.saturating_add(input);
        self.tokens_out = self.tokens_out.saturating_add(output);
        self.cost = self.cost.saturating_add(cost);
        Some(())
    }

    fn stand(&mut self, value: &str) -> Option<()> {
        let [nodes_online, nodes_total, capacity, running, waiting] = numbers(value)?;
        self.standing = Some(Standing { nodes_online, nodes_total, capacity, running, waiting });
        Some(())
    }
}

fn sum(into: &mut i64, value: &str) -> Option<()> {
    *into = into.saturating_add(value.parse().ok()?);
    Some(())
}

fn numbers<const N: usize>(text: &str) -> Option<[i64; N]> {
    let all: Option<Vec<i64>> = text.split(',').map(|number| number.parse().ok()).collect();
    all?.try_into().ok()
}

impl FromReply for Tally {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let mut tally = Self::default();
        tally.add(&reply.text()?)?;
        Ok(tally)
    }
}

/// What some minutes or hours have, by their numbers since 1970.
#[derive(Debug)]
pub struct Counted {
    /// What Redis' clock says, in milliseconds.
    pub now: i64,
    counts: Vec<(i64, String)>,
}

rows! {
    Counted { now, counts }
}

/// What Redis' clock says, in milliseconds.
///
/// # Errors
/// [`StoreError`].
pub async fn now<R: Redis>(store: &Store<R>) -> Result<i64, StoreError> {
    Ok(store.call(&Read { minutes: 1, first: 1, last: 0 }).await?.now)
}

/// Reads what happened, by numbers of minutes (`minutes`: 1) or hours (60) since 1970. Where nothing was counted
/// there is nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn read<R: Redis>(
    store: &Store<R>,
    minutes: i64,
    numbers: RangeInclusive<i64>,
) -> Result<BTreeMap<i64, Tally>, StoreError> {
    let mut all = BTreeMap::<i64, Tally>::new();
    let (mut first, end) = numbers.into_inner();
    while first <= end {
        let last = end.min(first + HISTORY_READ_BATCH - 1);
        for (number, counts) in store.call(&Read { minutes, first, last }).await?.counts {
            let tally = all.entry(number).or_default();
            let read = tally.add(&counts);
            read.map_err(|detail| StoreError::Malformed { script: "history/read", detail })?;
        }
        first = last + 1;
    }
    Ok(all)
}

/// Moves what was counted lately into minutes, hours and sums, in at most so many steps of 200, and notes how the
/// hub stands. A Redis that is full takes nothing; a later call does it.
///
/// # Errors
/// [`StoreError`]; what was moved stays so.
pub async fn roll<R: Redis>(store: &Store<R>, steps: usize) -> Result<(), StoreError> {
    for _ in 0..steps {
        match store.call(&Roll).await {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Redis(RedisError::Full(_))) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(counts: &[(usize, i64)]) -> Spans {
        let mut spans = Spans::default();
        for (part, count) in counts {
            spans.0[*part] = *count;
        }
        spans
    }

    #[test]
    fn the_scripts_sort_by_the_same_bounds() {
        let bounds = SPANS_MS.map(|ms| ms.to_string()).join(",");
        assert!(crate::script::TASK_CLAIM.code.contains(&format!("{{{bounds}}}")), "{bounds}");
    }

    #[test]
    fn a_quantile_lies_in_the_part_that_has_it() {
        assert_eq!(Spans::default().quantile(0.5), None);
        // One wait of 30 to 100 ms.
        let one = spans(&[(2, 1)]);
        assert_eq!((one.quantile(0.0), one.quantile(1.0)), (Some(0.03), Some(0.1)));
        // Half of 4 are in the first part, up to its bound; the next is in the fourth.
        let some = spans(&[(0, 2), (3, 2)]);
        assert_eq!(some.quantile(0.5), Some(0.01));
        assert!((some.quantile(0.75).unwrap() - 0.2).abs() < 1e-9);
        // What is longer than all bounds is at least the last.
        assert_eq!(spans(&[(13, 9)]).quantile(0.95), Some(10_000.0));
    }

    #[test]
    fn counts_add_up() {
        let mut tally = Tally::default();
        tally.add("s 3 w1 2 w14 1 W 70 c2 1 R 20 u 5,6,1,1,1,7 g 1,2,3,4,5").unwrap();
        tally.add("s 1 w1 1 u 1,1,0,0,0,1 g 2,2,3,4,5").unwrap();
        assert_eq!((tally.submitted, tally.claimed.count(), tally.wait_ms), (4, 4, 70));
        assert_eq!((tally.runs().count(), tally.run_ms), (1, 20));
        assert_eq!((tally.tokens_in, tally.tokens_out, tally.cost), (6, 7, 8));
        assert_eq!(tally.standing.map(|it| it.nodes_online), Some(2));
        for bad in ["w15 1", "w0 1", "q 1", "s x", "u 1,2", "é 1"] {
            assert!(tally.add(bad).is_err(), "{bad}");
        }
    }
}
