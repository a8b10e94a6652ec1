//! The tables.

mod against;
mod figures;
mod ledger;
mod messages;
mod nodes;
mod sizing;
mod tasks;

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::machine::Machine;
use crate::options::Options;
use crate::parts::append::AppendCosts;
use crate::parts::costs::Costs;
use crate::parts::fleet::Fleet;
use crate::parts::ledger::Ledger;
use crate::parts::messages::Messages;
use crate::parts::operations::Operations;
use crate::parts::scale::Scale;
use crate::parts::shards::ShardRows;
use crate::parts::streams::Streams;
use crate::parts::tasks::Tasks;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    redis_fsync: String,
    quick: bool,
    /// Whose key the requests had.
    asked_as: &'static str,
    /// Side by side.
    pub(crate) operations: Option<Operations>,
    /// Few and many nodes.
    pub(crate) scale: Option<Scale>,
    /// Heartbeats on time.
    pub(crate) fleet: Option<Fleet>,
    /// Operations on messages.
    pub(crate) messages: Option<Messages>,
    /// Short texts and long ones.
    pub(crate) append: Option<AppendCosts>,
    /// Readers of event streams.
    pub(crate) streams: Option<Streams>,
    /// The queue.
    pub(crate) tasks: Option<Tasks>,
    /// Money.
    pub(crate) ledger: Option<Ledger>,
    /// What operations cost a Redis.
    pub(crate) costs: Option<Costs>,
    /// Over several Redis.
    pub(crate) shards: Option<ShardRows>,
}

impl Report {
    /// Nothing is measured yet.
    pub(crate) fn begin(options: &Options) -> Self {
        Self {
            machine: Machine::look(),
            redis_fsync: options.redis_fsync.clone(),
            quick: options.quick,
            asked_as: if options.admin { "the admin's key" } else { "an agent's key" },
            operations: None,
            scale: None,
            fleet: None,
            messages: None,
            append: None,
            streams: None,
            tasks: None,
            ledger: None,
            costs: None,
            shards: None,
        }
    }

    /// Prints it.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let redis = self.redis().unwrap_or_default();
        let (machine, fsync, asked_as) = (&self.machine, &self.redis_fsync, self.asked_as);
        writeln!(out, "\n{machine}, Redis {redis}, appendfsync {fsync}, asked with {asked_as}")?;
        if self.quick {
            writeln!(out, "--quick: the runs are too short for the figures to mean much")?;
        }
        if let Some(operations) = &self.operations {
            nodes::print_operations(&mut out, operations)?;
        }
        if let Some(scale) = &self.scale {
            nodes::print_scale(&mut out, scale)?;
        }
        if let Some(fleet) = &self.fleet {
            nodes::print_fleet(&mut out, fleet)?;
        }
        if let Some(messages) = &self.messages {
            messages::print_operations(&mut out, messages)?;
        }
        if let Some(append) = &self.append {
            messages::print_append(&mut out, append)?;
        }
        if let Some(streams) = &self.streams {
            messages::print_streams(&mut out, streams)?;
        }
        if let Some(tasks) = &self.tasks {
            tasks::print(&mut out, tasks)?;
        }
        if let Some(ledger) = &self.ledger {
            ledger::print(&mut out, ledger)?;
        }
        if let Some(costs) = &self.costs {
            sizing::print_costs(&mut out, costs)?;
        }
        if let Some(shards) = &self.shards {
            sizing::print_shards(&mut out, shards)?;
        }
        out.flush()
    }

    /// Prints what operations do now and did in an earlier run.
    pub(crate) fn compare(&self, file: &Path) -> anyhow::Result<()> {
        let now = self.operations.as_ref().map(|part| part.rows.as_slice()).unwrap_or_default();
        against::print(&mut io::stdout().lock(), now, file)
    }

    /// Redis' version: the same for all parts.
    fn redis(&self) -> Option<&str> {
        let by_part = [
            self.operations.as_ref().map(|part| &part.redis),
            self.scale.as_ref().map(|part| &part.redis),
            self.fleet.as_ref().map(|part| &part.redis),
            self.messages.as_ref().map(|part| &part.redis),
            self.append.as_ref().map(|part| &part.redis),
            self.streams.as_ref().map(|part| &part.redis),
            self.tasks.as_ref().map(|part| &part.redis),
            self.ledger.as_ref().map(|part| &part.redis),
            self.costs.as_ref().map(|part| &part.redis),
            self.shards.as_ref().map(|part| &part.redis),
        ];
        by_part.into_iter().flatten().next().map(String::as_str)
    }
}
