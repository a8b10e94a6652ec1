//! Tables of what operations cost a Redis, and of shards.

use std::io::{self, Write};

use super::figures::{micros, percent, print_table, ratio, shown, table, whole};
use crate::parts::costs::Costs;
use crate::parts::shards::ShardRows;

pub(super) fn print_costs(out: &mut impl Write, part: &Costs) -> io::Result<()> {
    writeln!(
        out,
        "\nCosts in Redis of a request with an agent's key, from {} connections, with {} nodes, \
         messages and inboxes.\nscript µs: time within scripts; CPU µs: of Redis, with all that it \
         does beside.",
        part.connections, part.many
    )?;
    let header = [
        "operation",
        "req/s",
        "scripts",
        "script µs",
        "CPU µs",
        "commands",
        "bytes in",
        "bytes out",
    ];
    let mut table = table(&header);
    for row in &part.rows {
        let one = |figure: f64| shown(Some(figure), |figure| format!("{figure:.1}"));
        table.add_row([
            row.operation.to_owned(),
            whole(Some(row.rate)),
            one(row.scripts),
            micros(Some(row.script_us)),
            micros(row.redis_cpu_us),
            one(row.commands),
            whole(Some(row.to_redis)),
            whole(Some(row.from_redis)),
        ]);
    }
    let faults = part.rows.iter().map(|row| (format!("{}: ", row.operation), &row.faults));
    print_table(out, &table, faults, part.rows.iter().filter_map(|row| row.foreign_cores))
}

pub(super) fn print_shards(out: &mut impl Write, part: &ShardRows) -> io::Result<()> {
    writeln!(
        out,
        "\nShards: scripts by the host's router over a Redis Cluster in memory, {} at once. All share \
         this machine: of one is\nwhat it did, by time what the shards could do if each had a processor \
         of its own (time of the busiest\nshard for each script, one shard's divided by it).",
        part.in_flight
    )?;
    let header = [
        "load",
        "shards",
        "scripts/s",
        "of one",
        "Redis µs",
        "busiest",
        "by time",
        "load cores",
        "Redis cores",
        "other cores",
    ];
    let mut table = table(&header);
    for row in &part.rows {
        table.add_row([
            row.load.title().to_owned(),
            row.shards.to_string(),
            whole(Some(row.rate)),
            ratio(Some(row.of_one)),
            micros(row.redis_us),
            percent(row.busiest_share),
            ratio(row.by_time),
            ratio(row.load_cores),
            ratio(row.redis_cores),
            ratio(row.foreign_cores),
        ]);
    }
    let faults = part
        .rows
        .iter()
        .map(|row| (format!("{}, {} shards: ", row.load.title(), row.shards), &row.faults));
    print_table(out, &table, faults, part.rows.iter().filter_map(|row| row.foreign_cores))
}
