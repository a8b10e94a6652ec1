//! What the figures were measured on.

use serde::Serialize;

/// The machine, as far as it tells.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// Processors that this program may use.
    pub(crate) cores: usize,
    /// What they are.
    pub(crate) processor: Option<String>,
    /// The kernel's version.
    pub(crate) kernel: Option<String>,
    /// How many processes wanted to run in the minute before.
    pub(crate) load_before: Option<f64>,
}

impl Machine {
    /// Looks around.
    pub(crate) fn look() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).ok();
        let processor = read("/proc/cpuinfo").and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
            Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
        });
        let load = read("/proc/loadavg");
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor,
            kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            load_before: load.and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cores", self.cores)?;
        if let Some(processor) = &self.processor {
            write!(f, " ({processor})")?;
        }
        if let Some(kernel) = &self.kernel {
            write!(f, ", kernel {kernel}")?;
        }
        if let Some(load) = self.load_before {
            write!(f, ", load {load} before")?;
        }
        Ok(())
    }
}
