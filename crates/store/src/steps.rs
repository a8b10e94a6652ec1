//! Long pages, read in steps. A script that reads a thousand tasks keeps everybody else waiting for ten
//! milliseconds; ten scripts of a hundred let others in between. A page says what stood in the list at the
//! time of each step, as pages that a caller asks for one by one do.

use reef_domain::limits::{REPLY_BYTES, ROWS_AT_ONCE};

use crate::script::{FromReply, Malformed, Reader};

/// What one script of several is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<C = i64> {
    /// Most rows.
    pub limit: i64,
    /// Where it begins.
    pub from: Option<C>,
    /// Bytes that the steps before have listed: together they have no more room than one.
    pub filled: i64,
}

/// A page of a list, or the part of it that one step has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C = i64> {
    /// Where the next begins, while there is more.
    pub next: Option<C>,
    /// Bytes that this step and those before it have listed.
    pub filled: i64,
    /// What is listed.
    pub rows: Vec<T>,
}

impl<T, C> FromReply for Page<T, C>
where
    Option<C>: FromReply,
    Vec<T>: FromReply,
{
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (next, filled) = (FromReply::read(reply)?, FromReply::read(reply)?);
        Ok(Self { next, filled, rows: FromReply::read(reply)? })
    }
}

/// A page that is read in steps.
#[derive(Debug)]
pub struct Steps<T, C = i64> {
    /// What was read.
    pub rows: Vec<T>,
    /// Where the next page begins, while there is more.
    pub next: Option<C>,
    left: i64,
    step: Option<Step<C>>,
}

impl<T, C: Clone> Steps<T, C> {
    /// A page of at most so many rows, from this place on.
    #[must_use]
    pub fn new(limit: i64, from: Option<C>) -> Self {
        let step = Step { limit: limit.min(ROWS_AT_ONCE), from, filled: 0 };
        Self { rows: Vec::new(), next: None, left: limit, step: Some(step) }
    }

    /// What to read next; `None`: the page is all there.
    #[must_use]
    pub fn step(&self) -> Option<Step<C>> {
        self.step.clone()
    }

    /// Takes what a step has read. Where one fills the page, or has looked at enough, the page ends.
    pub fn add(&mut self, page: Page<T, C>) {
        let Page { next, filled, rows } = page;
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        self.rows.extend(rows);
        self.next.clone_from(&next);
        self.left -= read;
        let goes_on = next.is_some() && self.left > 0 && has_room(filled);
        let step = Step { limit: self.left.min(ROWS_AT_ONCE), from: next, filled };
        self.step = goes_on.then_some(step);
    }
}

/// Whether a page that has so many bytes may have more. A step that ends the page says that it is full.
pub(crate) fn has_room(filled: i64) -> bool {
    usize::try_from(filled).is_ok_and(|filled| filled < REPLY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: i64, next: Option<i64>) -> Page<()> {
        Page { next, filled: 7, rows: vec![(); usize::try_from(rows).unwrap()] }
    }

    #[test]
    fn a_page_goes_on_until_it_is_whole() {
        let mut steps = Steps::new(ROWS_AT_ONCE + 50, Some(9));
        assert_eq!(steps.step(), Some(Step { limit: ROWS_AT_ONCE, from: Some(9), filled: 0 }));
        steps.add(page(ROWS_AT_ONCE, Some(5)));
        assert_eq!(steps.step(), Some(Step { limit: 50, from: Some(5), filled: 7 }));
        steps.add(page(50, Some(2)));
        assert_eq!((steps.step(), steps.next), (None, Some(2)));
        assert_eq!(steps.rows.len(), usize::try_from(ROWS_AT_ONCE + 50).unwrap());
    }

    #[test]
    fn a_step_of_few_large_rows_is_followed_by_the_next() {
        let mut steps = Steps::new(1000, None);
        steps.add(page(3, Some(5)));
        assert_eq!(steps.step(), Some(Step { limit: ROWS_AT_ONCE, from: Some(5), filled: 7 }));
    }

    #[test]
    fn a_page_ends_where_nothing_is_left_or_it_is_full() {
        let filled = i64::try_from(REPLY_BYTES).unwrap();
        let full = Page { filled, ..page(3, Some(5)) };
        for (read, next) in [(page(ROWS_AT_ONCE, None), None), (full, Some(5))] {
            let mut steps = Steps::new(1000, None);
            steps.add(read);
            assert_eq!((steps.step(), steps.next), (None, next));
        }
    }
}
