//! Tables of what concerns messages.

use std::io::{self, Write};

use super::figures::{
    faults_of, kilobytes, megabytes, micros, milliseconds, percent, print_table, ratio, shares,
    table, whole,
};
use crate::parts::append::AppendCosts;
use crate::parts::messages::Messages;
use crate::parts::row::Way;
use crate::parts::streams::Streams;

/// Below how many milliseconds the 99th percentile of a stream's last reader shall stay.
const LAST_READER_TARGET_MS: f64 = 100.0;
/// How many connections to Redis a hub may have for its readers and everything else.
const REDIS_CONNECTIONS_TARGET: u64 = 8;

pub(super) fn print_operations(out: &mut impl Write, part: &Messages) -> io::Result<()> {
    let Messages { messages, connections, pace, .. } = part;
    writeln!(
        out,
        "\nMessages: {messages} of them, {connections} connections. On the left each connection \
         asks again as soon as it\nhas its answer, so that the machine is full; on the right {pace} \
         requests a second come over the same\nconnections, and latency counts from when a request \
         was due (late: by how much the load generator\nitself was late, p99; part of the p99)."
    )?;
    let paced = |what: &str| format!("{what} at {pace}/s");
    let mut table = table(&[
        "operation",
        "way",
        "req/s",
        "p50 ms",
        "p99 ms",
        &paced("p50 ms"),
        &paced("p99 ms"),
        "late ms",
        "target p99",
    ]);
    for row in &part.rows {
        let full = &row.full;
        let title = if full.way == Way::Wasm { full.operation } else { "" };
        table.add_row([
            title.to_owned(),
            full.way.to_string(),
            whole(Some(full.rate)),
            milliseconds(Some(full.p50_ms)),
            milliseconds(Some(full.p99_ms)),
            milliseconds(Some(row.paced_ms.0)),
            milliseconds(Some(row.paced_ms.1)),
            milliseconds(Some(row.late_ms)),
            format!("< {:.0}", row.target_ms),
        ]);
    }
    let faults = part.rows.iter().map(|row| faults_of(&row.full));
    print_table(out, &table, faults, part.rows.iter().filter_map(|row| row.full.foreign_cores))
}

pub(super) fn print_append(out: &mut impl Write, part: &AppendCosts) -> io::Result<()> {
    writeln!(
        out,
        "\nAppend: {} bytes to texts of two lengths, through wasm, from one connection. script µs: \
         time inside\nthe script as Redis counts it; bytes: all that Redis has read and written \
         meanwhile, for each append.",
        part.delta_bytes
    )?;
    let mut table = table(&[
        "text so far",
        "appends",
        "p50 ms",
        "scripts each",
        "script µs",
        "bytes to Redis",
        "bytes from Redis",
    ]);
    for row in &part.rows {
        table.add_row([
            kilobytes(row.text_bytes),
            row.appends.to_string(),
            milliseconds(Some(row.p50_ms)),
            ratio(Some(row.scripts)),
            micros(row.script_us),
            whole(Some(row.to_redis)),
            whole(Some(row.from_redis)),
        ]);
    }
    if let [short, long] = part.rows.as_slice() {
        let script = long.script_us.zip(short.script_us).map(|(long, short)| long / short);
        table.add_row([
            "long / short".to_owned(),
            String::new(),
            ratio(Some(long.p50_ms / short.p50_ms)),
            ratio(Some(long.scripts / short.scripts)),
            ratio(script),
            ratio(Some(long.to_redis / short.to_redis)),
            ratio(Some(long.from_redis / short.from_redis)),
        ]);
    }
    let faults = part.rows.iter().map(|it| (format!("{}: ", kilobytes(it.text_bytes)), &it.faults));
    print_table(out, &table, faults, part.rows.iter().filter_map(|row| row.foreign_cores))
}

pub(super) fn print_streams(out: &mut impl Write, part: &Streams) -> io::Result<()> {
    writeln!(
        out,
        "\nStreams: {} readers of {} messages on one host, {} appends a second for {} s. Latency \
         counts from\nthe time at which an append was due; the readers are part of the load \
         generator, which runs on one\nthread of this machine. Target: p99 to the last reader < \
         {LAST_READER_TARGET_MS:.0} ms.",
        part.readers, part.messages, part.pace, part.seconds
    )?;
    if let Some(wanted) = part.readers_wanted {
        writeln!(
            out,
            "NOT ALL READERS: {wanted} were asked for, but this process may not open so many \
             files (ulimit -Hn)"
        )?;
    }
    let table = shares(&[
        ("to the last reader, ms", &part.last_reader_ms),
        ("to each reader, ms", &part.each_reader_ms),
        ("append answered, ms", &part.append_ms),
        ("late sent, ms", &part.late_ms),
    ]);
    let faults = [(String::new(), &part.faults)];
    print_table(out, &table, faults, part.foreign_cores.into_iter())?;
    writeln!(
        out,
        "{} appends, {} events delivered, {} lost, {} repeated, {} errors. All had joined after \
         {:.1} s.",
        part.appends,
        part.delivered,
        part.lost,
        part.repeated,
        part.faults.values().sum::<u64>(),
        part.join_seconds,
    )?;
    let each = part
        .bytes_per_reader()
        .map(|bytes| bytes.map_or("?".to_owned(), |bytes| format!("{:.1} KiB", bytes / 1024.0)));
    let [before, _, end] = part.hub_bytes;
    writeln!(
        out,
        "Hub: {} connections to Redis (target: at most {REDIS_CONNECTIONS_TARGET}); memory {} \
         before, {} at the end: {} a reader when\nall had joined, {} at the end. CPU of one core: \
         hub {}, Redis {}.",
        part.redis_connections,
        megabytes(before),
        megabytes(end),
        each[0],
        each[1],
        percent(part.hub_cores),
        percent(part.redis_cores),
    )
}
