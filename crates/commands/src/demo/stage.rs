//! The words on the terminal, and the pauses between the steps.

use std::cell::Cell;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::failure::Failure;
use crate::output::{Output, aside};

/// How many steps there are.
const STEPS: u32 = 5;

/// Where the demo is shown.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) out: Output,
    is_fast: bool,
    step: Cell<u32>,
    is_over: Cell<bool>,
}

impl Stage {
    /// Pauses are made for a person at a terminal only.
    pub(super) fn new(is_fast: bool) -> Self {
        let is_fast = is_fast || !io::stdin().is_terminal() || !io::stdout().is_terminal();
        Self { out: Output::new(false), is_fast, step: Cell::new(0), is_over: Cell::new(false) }
    }

    /// Begins the next step.
    pub(super) fn step(&self, title: &str) -> Result<(), Failure> {
        self.step.set(self.step.get() + 1);
        self.say(&format!("\n[{}/{STEPS}] {title}", self.step.get()))
    }

    /// Says something.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        Ok(self.out.line(text)?)
    }

    /// Says what the page shows of it.
    pub(super) fn look(&self, text: &str) -> Result<(), Failure> {
        self.say(&format!("  on the page: {text}"))
    }

    /// Waits until a person wants to go on.
    pub(super) async fn pause(&self) -> Result<(), Failure> {
        if self.is_fast {
            return Ok(());
        }
        aside("  Enter goes on, Ctrl-C ends it.");
        until_enter().await
    }

    /// Waits after the last step until a person has seen enough.
    pub(super) async fn linger(&self) -> Result<(), Failure> {
        self.is_over.set(true);
        if self.is_fast {
            return Ok(());
        }
        aside("  The hub runs on for you to look around. Enter or Ctrl-C ends everything.");
        until_enter().await
    }

    /// Whether the last step has been shown.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// How long something takes that a person shall be able to follow.
    pub(super) fn pace(&self, for_people: Duration) -> Duration {
        if self.is_fast { for_people / 8 } else { for_people }
    }
}

async fn until_enter() -> Result<(), Failure> {
    let mut line = String::new();
    let read = BufReader::new(tokio::io::stdin()).read_line(&mut line).await;
    read.map(drop).map_err(|error| Failure::Failed(format!("cannot read a key: {error}")))
}
