//! What is wrong with an input, field by field.

use std::fmt::Display;
use std::ops::RangeInclusive;

use reef_api::problem::FieldError;

use crate::limits::FAULTS_MAX;

/// Collects what is wrong with an input, so that a caller learns all of it at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invalid(Vec<FieldError>);

impl Invalid {
    /// Nothing is wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One fault alone.
    #[must_use]
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut invalid = Self::new();
        invalid.push(field, message);
        invalid
    }

    /// Adds a fault, unless there are [`FAULTS_MAX`] already.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(FieldError { field: field.into(), message: message.into() });
        }
    }

    /// Adds a fault unless the rule holds.
    pub fn require(&mut self, holds: bool, field: &str, message: &str) {
        if !holds {
            self.push(field, message);
        }
    }

    /// Adds a fault unless a value that is there lies within a range.
    pub fn within<T: PartialOrd + Display>(
        &mut self,
        field: &str,
        value: impl Into<Option<T>>,
        range: &RangeInclusive<T>,
    ) {
        if value.into().is_some_and(|value| !range.contains(&value)) {
            let (least, most) = (range.start(), range.end());
            self.push(field, format!("must be between {least} and {most}"));
        }
    }

    /// Adds that a word is none of these.
    pub fn one_of(&mut self, field: &str, word: &str, words: &[&str]) {
        if !words.contains(&word) {
            self.push(field, format!("must be one of {}", words.join(", ")));
        }
    }

    /// Adds a fault if a text has more characters.
    pub fn at_most_chars(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.push(field, format!("must have at most {most} characters"));
        }
    }

    /// Adds a fault if a list has more members.
    pub fn at_most_items<T>(&mut self, field: &str, list: &[T], most: usize) {
        if list.len() > most {
            self.push(field, format!("must not list more than {most}"));
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0
    }

    /// Appends what another check found.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.truncate(FAULTS_MAX);
    }

    /// The value if nothing is wrong, else the faults.
    ///
    /// # Errors
    /// The collected faults, when there are any.
    pub fn finish<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", error.field, error.message)?;
        }
        Ok(())
    }
}
