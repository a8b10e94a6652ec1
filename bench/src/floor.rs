//! The floor under a request: the script that it comes down to, sent by `redis-benchmark`.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::FutureExt;
use reef_store::{RedisError, Reply, Store};
use reef_web::{App, Config};
use tokio::process::Command;

use crate::call::Call;
use crate::process;
use crate::redis::Redis;
use crate::sample::count_in;
use crate::servers::hub::Liveness;
use crate::servers::native_server;
use crate::template::NUMBER;

/// In its place `redis-benchmark` puts a random number of as many digits as [`NUMBER`] has.
const PLACEHOLDER: &str = "__rand_int__";
/// Requests of the first run, by which it is found out how many a longer one takes.
const PROBE: u64 = 2_000;

/// The script call that an operation comes down to.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    arguments: Vec<String>,
    below: u64,
    /// Requests a second of the last run.
    rate: Option<f64>,
}

/// What one run of `redis-benchmark` showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bare {
    /// Requests a second.
    pub(crate) rate: f64,
    /// In milliseconds.
    pub(crate) p50_ms: f64,
    /// In milliseconds.
    pub(crate) p99_ms: f64,
    /// What Redis used for each request, in microseconds.
    pub(crate) redis_cpu_us: Option<f64>,
}

impl Floor {
    /// Finds the call: asks the handler itself, with a Redis that only listens.
    pub(crate) fn of(call: &Call, liveness: Liveness) -> Result<Self> {
        let admin_key = "key";
        let config = Config::read(|name| {
            let of_hub = liveness.variables().iter().find(|(variable, _)| *variable == name);
            match (name, of_hub) {
                ("admin_key", _) => admin_key.to_owned(),
                (_, Some((_, value))) => (*value).to_owned(),
                _ => String::new(),
            }
        });
        let config = config.map_err(anyhow::Error::msg)?;
        let store = Store::new(Listener::default(), config.settings.keys.clone());
        let app = App::new(store, config, native_server::routes()).map_err(anyhow::Error::msg)?;
        ensure!(
            app.answer(&call.request(admin_key)).now_or_never().is_none(),
            "{call:?} is answered without Redis"
        );
        let heard = app.store.redis().heard.take();
        let arguments = heard.into_iter().map(|argument| argument.replace(NUMBER, PLACEHOLDER));
        Ok(Self { arguments: arguments.collect(), below: call.numbers.below, rate: None })
    }

    /// Sends the call over and over for about a time, from so many connections, so many at once
    /// on each. The script must be known to the server, as it is after one request to a hub.
    pub(crate) async fn run(
        &mut self,
        redis: (&Redis, &Path),
        connections: usize,
        at_once: usize,
        time: Duration,
    ) -> Result<Bare> {
        let rate = match self.rate {
            Some(rate) => rate,
            None => self.send(redis, connections, at_once, PROBE).await?.rate,
        };
        let requests = count_in(time, rate).max(100);
        let bare = self.send(redis, connections, at_once, requests).await?;
        self.rate = Some(bare.rate);
        Ok(bare)
    }

    async fn send(
        &self,
        (redis, socket): (&Redis, &Path),
        connections: usize,
        at_once: usize,
        requests: u64,
    ) -> Result<Bare> {
        let (cpu, scripts) = (process::cpu(redis.pid), redis.scripts().await?);
        let output = Command::new("redis-benchmark")
            .arg("-s")
            .arg(socket)
            .args(["-c", &connections.to_string()])
            .args(["-P", &at_once.to_string()])
            .args(["-n", &requests.to_string()])
            .args(["-r", &self.below.to_string()])
            .arg("--csv")
            .args(&self.arguments)
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run redis-benchmark")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("redis-benchmark: {} {text}", String::from_utf8_lossy(&output.stderr));
        }
        let after = redis.scripts().await?;
        // A few of the hub's own may fail at any time: the first call of a script that Redis does
        // not know yet.
        if after.failed.saturating_sub(scripts.failed) > requests / 2 {
            let errors = redis.errors().await?;
            bail!("scripts that redis-benchmark called have failed; Redis counts {errors}");
        }
        let used = cpu.zip(process::cpu(redis.pid)).map(|(before, after)| after - before);
        let (rate, p50_ms, p99_ms) =
            parse(&text).with_context(|| format!("redis-benchmark printed {text}"))?;
        let redis_cpu_us = used.map(|used| used.as_secs_f64() * 1e6 / requests as f64);
        Ok(Bare { rate, p50_ms, p99_ms, redis_cpu_us })
    }
}

/// Reads the last line of the output: the command, then requests a second, and the average,
/// smallest, 50 %, 95 %, 99 % and greatest latency in milliseconds.
fn parse(csv: &str) -> Option<(f64, f64, f64)> {
    let line = csv.lines().rfind(|line| !line.is_empty())?;
    let mut fields = line.rsplitn(8, ',').map(|field| field.trim_matches('"').parse::<f64>().ok());
    let (_greatest, p99, _p95, p50, _smallest, _average, rate) = (
        fields.next()??,
        fields.next()??,
        fields.next()??,
        fields.next()??,
        fields.next()??,
        fields.next()??,
        fields.next()??,
    );
    Some((rate, p50, p99))
}

/// A Redis that notes the first command and never answers.
#[derive(Debug, Default)]
struct Listener {
    heard: RefCell<Vec<String>>,
}

impl reef_store::Redis for Listener {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let command = std::iter::once(command.to_owned());
        let args = args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned());
        self.heard.borrow_mut().extend(command.chain(args));
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;
    use clap::ValueEnum;

    #[test]
    fn the_last_line_is_read_whatever_the_command_holds() {
        let csv = "\"test\",\"rps\"\n\"EVALSHA 1 [\"a\",\"b\"]\",\"5000.00\",\"0.1\",\"0.05\",\
                   \"0.11\",\"0.2\",\"0.3\",\"0.9\"\n";
        assert_eq!(parse(csv), Some((5000.0, 0.11, 0.3)));
        assert_eq!(parse("nothing"), None);
    }

    #[test]
    fn each_operation_comes_down_to_a_script() {
        for operation in Operation::value_variants() {
            let floor = Floor::of(&operation.call(1000), Liveness::Usual).unwrap();
            assert_eq!(floor.arguments.first().map(String::as_str), Some("FCALL"));
            let varies = floor.arguments.iter().any(|argument| argument.contains(PLACEHOLDER));
            let fixed = matches!(operation, Operation::List | Operation::ClusterHealth);
            assert_eq!(varies, !fixed, "{floor:?}");
        }
    }
}
