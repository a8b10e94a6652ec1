//! What the measured Redis tells about itself.

use std::ops::{AddAssign, Sub};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reef_redis::{Connection, Connections, Timeouts};
use reef_store::{Keys, Reply, Store};

/// How long a rewrite of the append-only file may take.
const REWRITE_MAX: Duration = Duration::from_secs(120);

/// A Redis server that is measured.
#[derive(Debug, Clone)]
pub(crate) struct Redis {
    /// The way to it.
    pub(crate) connection: Connection,
    /// Its process.
    pub(crate) pid: u32,
    /// Its version.
    pub(crate) version: String,
}

/// What the scripts have cost so far, as the server counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scripts {
    /// How many were run by their name.
    pub(crate) calls: u64,
    /// How many of these ended in an error.
    pub(crate) failed: u64,
    /// For how long, in microseconds.
    pub(crate) micros: u64,
}

impl Scripts {
    /// Microseconds of a script.
    pub(crate) fn micros_per_call(self) -> Option<f64> {
        (self.calls > 0).then(|| self.micros as f64 / self.calls as f64)
    }
}

/// What came since an earlier look. Counters that were reset count from zero.
impl Sub for Scripts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(earlier.calls),
            failed: self.failed.saturating_sub(earlier.failed),
            micros: self.micros.saturating_sub(earlier.micros),
        }
    }
}

impl AddAssign for Scripts {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.failed += more.failed;
        self.micros += more.micros;
    }
}

/// The bytes that all clients have exchanged with the server so far, as it counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    /// To the server.
    pub(crate) input: u64,
    /// From the server.
    pub(crate) output: u64,
}

/// What came since an earlier look. Counters that were reset count from zero.
impl Sub for Traffic {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            input: self.input.saturating_sub(earlier.input),
            output: self.output.saturating_sub(earlier.output),
        }
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.input += more.input;
        self.output += more.output;
    }
}

impl Redis {
    /// Connects.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        // Longer than a component would wait: a server under full load is measured.
        let timeouts = Timeouts { call: Duration::from_secs(30), ..Timeouts::default() };
        let connection = Connections::new(timeouts).open(url)?;
        let server = info(&connection, "server").await?;
        let pid = field(&server, "process_id")?.parse().context("Redis' process_id")?;
        let version = field(&server, "redis_version")?.to_owned();
        Ok(Self { connection, pid, version })
    }

    /// The hub's typed calls.
    pub(crate) fn store(&self) -> Store<Connection> {
        Store::new(self.connection.clone(), Keys::default())
    }

    /// Bytes that the data takes.
    pub(crate) async fn used_memory(&self) -> Result<u64> {
        let memory = info(&self.connection, "memory").await?;
        field(&memory, "used_memory")?.parse().context("Redis' used_memory")
    }

    /// What the scripts have cost so far.
    pub(crate) async fn scripts(&self) -> Result<Scripts> {
        Ok(parse_scripts(&info(&self.connection, "commandstats").await?))
    }

    /// The bytes that were exchanged so far.
    pub(crate) async fn traffic(&self) -> Result<Traffic> {
        let stats = info(&self.connection, "stats").await?;
        let bytes = |name| field(&stats, name)?.parse::<u64>().context("Redis' traffic");
        Ok(Traffic {
            input: bytes("total_net_input_bytes")?,
            output: bytes("total_net_output_bytes")?,
        })
    }

    /// The commands that were carried out so far, those within scripts among them.
    pub(crate) async fn commands(&self) -> Result<u64> {
        let stats = info(&self.connection, "stats").await?;
        field(&stats, "total_commands_processed")?.parse().context("Redis' commands")
    }

    /// Says something about its cluster, and returns the answer as text.
    pub(crate) async fn cluster(&self, words: &[&str]) -> Result<String> {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let reply = self.connection.execute("CLUSTER", words).await?;
        match reply.into_iter().next() {
            Some(Reply::Bytes(text)) => Ok(String::from_utf8(text)?),
            Some(Reply::Status(text)) => Ok(text),
            other => bail!("CLUSTER answered {other:?}"),
        }
    }

    /// Connections of others than this one.
    pub(crate) async fn other_connections(&self) -> Result<u64> {
        let clients = info(&self.connection, "clients").await?;
        let all: u64 = field(&clients, "connected_clients")?.parse().context("Redis' clients")?;
        Ok(all.saturating_sub(1))
    }

    /// The errors that the server has answered so far, by kind.
    pub(crate) async fn errors(&self) -> Result<String> {
        let errors = info(&self.connection, "errorstats").await?;
        Ok(errors.lines().skip(1).collect::<Vec<_>>().join(", "))
    }

    /// Rewrites the append-only file, so that the server does not begin to on its own in the
    /// middle of a measurement.
    pub(crate) async fn rewrite_log(&self) -> Result<()> {
        self.settle().await?;
        self.connection.execute("BGREWRITEAOF", Vec::new()).await?;
        self.settle().await
    }

    /// Waits until the server does nothing beside serving.
    pub(crate) async fn settle(&self) -> Result<()> {
        let settled = async {
            loop {
                let persistence = info(&self.connection, "persistence").await?;
                let busy =
                    ["aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress"]
                        .iter()
                        .any(|name| field(&persistence, name).is_ok_and(|value| value != "0"));
                if !busy {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(REWRITE_MAX, settled).await.context("Redis does not settle")?
    }
}

async fn info(connection: &Connection, section: &str) -> Result<String> {
    let reply = connection.execute("INFO", vec![section.as_bytes().to_vec()]).await?;
    match reply.into_iter().next() {
        Some(Reply::Bytes(text)) => Ok(String::from_utf8(text)?),
        other => bail!("INFO {section} answered {other:?}"),
    }
}

fn field<'a>(info: &'a str, name: &str) -> Result<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .with_context(|| format!("Redis' INFO has no {name}"))
}

fn parse_scripts(info: &str) -> Scripts {
    // As functions, or as scripts where the server refuses those.
    let lines = ["cmdstat_fcall", "cmdstat_evalsha"].map(|it| field(info, it).unwrap_or_default());
    let number = |name: &str| -> u64 {
        let pairs = lines.iter().flat_map(|line| line.split(','));
        pairs
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == name)
            .filter_map(|(_, value)| value.parse::<u64>().ok())
            .sum()
    };
    Scripts { calls: number("calls"), failed: number("failed_calls"), micros: number("usec") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_scripts_is_read() {
        let info = "# Commandstats\r\ncmdstat_evalsha:calls=4,usec=100,usec_per_call=25.00,\
                    rejected_calls=0,failed_calls=1\r\ncmdstat_fcall:calls=2,usec=50\r\ncmdstat_get:calls=1,usec=2\r\n";
        let scripts = parse_scripts(info);
        assert_eq!(scripts, Scripts { calls: 6, failed: 1, micros: 150 });
        assert_eq!((scripts - Scripts::default()).micros_per_call(), Some(25.0));
        assert_eq!((scripts - scripts).micros_per_call(), None);
        assert_eq!(parse_scripts(""), Scripts::default());
    }
}
