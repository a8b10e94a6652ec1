//! Long pages, read in steps. A script that reads a thousand tasks keeps everybody else waiting for ten
//! milliseconds; ten scripts of a hundred let others in between. A page says what stood in the list at the
//! time of each step, as pages that a caller asks for one by one do.

use reef_domain::limits::ROWS_AT_ONCE;

/// What one script of several is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Most rows.
    pub limit: i64,
    /// Where it begins.
    pub from: Option<i64>,
    /// Bytes that the steps before have listed: together they have no more room than one.
    pub filled: i64,
}

/// What a step has read.
pub trait Paged {
    /// What is listed.
    type Row;

    /// The rows, where to go on while there is more, and how many bytes all steps have listed.
    fn parts(self) -> (Vec<Self::Row>, Option<i64>, i64);
}

/// A page that is read in steps.
#[derive(Debug)]
pub struct Steps<T> {
    /// What was read.
    pub rows: Vec<T>,
    /// Where the next page begins, while there is more.
    pub next: Option<i64>,
    left: i64,
    step: Option<Step>,
}

impl<T> Steps<T> {
    /// A page of at most so many rows, from this place on.
    #[must_use]
    pub fn new(limit: i64, from: Option<i64>) -> Self {
        let step = Step { limit: limit.min(ROWS_AT_ONCE), from, filled: 0 };
        Self { rows: Vec::new(), next: None, left: limit, step: Some(step) }
    }

    /// What to read next; `None`: the page is all there.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        self.step
    }

    /// Takes what a step has read. One that ends early had no room for more, or has looked at enough: so
    /// does the page.
    pub fn add(&mut self, page: impl Paged<Row = T>) {
        let (rows, next, filled) = page.parts();
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let is_whole = self.step.is_some_and(|step| read == step.limit);
        self.rows.extend(rows);
        self.next = next;
        self.left -= read;
        let goes_on = is_whole && next.is_some() && self.left > 0;
        let step = Step { limit: self.left.min(ROWS_AT_ONCE), from: next, filled };
        self.step = goes_on.then_some(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Page(i64, Option<i64>);

    impl Paged for Page {
        type Row = ();

        fn parts(self) -> (Vec<()>, Option<i64>, i64) {
            (vec![(); usize::try_from(self.0).unwrap()], self.1, 7)
        }
    }

    #[test]
    fn a_page_goes_on_until_it_is_whole() {
        let mut steps = Steps::new(ROWS_AT_ONCE + 50, Some(9));
        assert_eq!(steps.step(), Some(Step { limit: ROWS_AT_ONCE, from: Some(9), filled: 0 }));
        steps.add(Page(ROWS_AT_ONCE, Some(5)));
        assert_eq!(steps.step(), Some(Step { limit: 50, from: Some(5), filled: 7 }));
        steps.add(Page(50, Some(2)));
        assert_eq!((steps.step(), steps.next), (None, Some(2)));
        assert_eq!(steps.rows.len(), usize::try_from(ROWS_AT_ONCE + 50).unwrap());
    }

    #[test]
    fn a_page_ends_where_a_step_ends_early() {
        for (page, next) in [(Page(ROWS_AT_ONCE, None), None), (Page(3, Some(5)), Some(5))] {
            let mut steps = Steps::new(1000, None);
            steps.add(page);
            assert_eq!((steps.step(), steps.next), (None, next));
        }
    }
}
