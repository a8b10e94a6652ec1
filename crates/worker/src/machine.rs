//! What this machine is, and how busy it is.

use std::path::Path;

use serde::Serialize;
use sysinfo::{Disk, Disks, System};

/// What a registration says about the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) hostname: String,
    pub(crate) platform: &'static str,
    pub(crate) arch: &'static str,
}

/// A machine of which the hub has no notion.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("this machine does not say its name: give one with --hostname")]
    Hostname,
    #[error("a hub knows nodes with {known}, not {actual}")]
    Kind { known: &'static str, actual: &'static str },
}

impl Facts {
    /// Looks at this machine; a given hostname wins over its own.
    pub(crate) fn gather(hostname: Option<&str>) -> Result<Self, Unknown> {
        let hostname = hostname.map(str::to_owned).or_else(|| System::host_name().ok());
        Ok(Self {
            hostname: hostname.filter(|name| !name.trim().is_empty()).ok_or(Unknown::Hostname)?,
            platform: platform(std::env::consts::OS)?,
            arch: arch(std::env::consts::ARCH)?,
        })
    }
}

fn platform(os: &'static str) -> Result<&'static str, Unknown> {
    match os {
        "linux" | "macos" | "windows" => Ok(os),
        actual => Err(Unknown::Kind { known: "Linux, macOS and Windows", actual }),
    }
}

fn arch(arch: &'static str) -> Result<&'static str, Unknown> {
    match arch {
        "x86_64" => Ok("x64"),
        "aarch64" => Ok("arm64"),
        "x86" | "arm" => Ok(arch),
        actual => Err(Unknown::Kind { known: "x64, arm64, x86 and arm processors", actual }),
    }
}

/// This machine's kind of processor, in a registration's words; `None` if nodes have no such kind.
#[must_use]
pub fn arch_of_this_machine() -> Option<&'static str> {
    arch(std::env::consts::ARCH).ok()
}

/// How busy the machine is, each in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) cpu_usage: f64,
    pub(crate) memory_usage: f64,
    pub(crate) disk_usage: f64,
}

impl Figures {
    /// Of a machine that keeps its figures to itself.
    pub(crate) const UNKNOWN: Self = Self { cpu_usage: 0.0, memory_usage: 0.0, disk_usage: 0.0 };
}

/// Measures the machine. The processor's figure is the mean since the measurement before.
pub(crate) struct Meter {
    system: System,
    disks: Disks,
}

impl Meter {
    /// A meter, unless this system keeps its figures from us.
    pub(crate) fn new() -> Result<Self, sysinfo::Error> {
        let mut system = System::new()?;
        system.refresh_cpu_usage();
        Ok(Self { system, disks: Disks::new_with_refreshed_list()? })
    }

    /// The figures after a moment in which the processor is watched, for whoever has no measurement
    /// before.
    pub(crate) async fn read_alone(&mut self) -> Figures {
        tokio::time::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL).await;
        self.read()
    }

    /// The figures now; the disk is the one that holds the working directory.
    pub(crate) fn read(&mut self) -> Figures {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.disks.refresh(true);
        let memory = share(self.system.used_memory(), self.system.total_memory());
        let folder = std::env::current_dir().unwrap_or_default();
        Figures {
            cpu_usage: percent(f64::from(self.system.global_cpu_usage())),
            memory_usage: memory,
            disk_usage: self.disk_usage(&folder),
        }
    }

    fn disk_usage(&self, folder: &Path) -> f64 {
        holder(&self.disks, folder).map_or(0.0, |disk| {
            let total = disk.total_space();
            share(total.saturating_sub(disk.available_space()), total)
        })
    }
}

/// The disk that holds a folder: of those above it the nearest.
fn holder<'d>(disks: &'d Disks, folder: &Path) -> Option<&'d Disk> {
    let holds = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
    holds.max_by_key(|disk| disk.mount_point().as_os_str().len())
}

/// How many bytes are free where this folder is; nothing where the system does not say.
#[must_use]
pub fn free_space(folder: &Path) -> Option<u64> {
    let folder = folder.canonicalize().ok()?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    holder(&disks, &folder).map(Disk::available_space)
}

#[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 53 bits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { percent(part as f64 / whole as f64 * 100.0) }
}

/// Two places, and always between 0 and 100.
fn percent(value: f64) -> f64 {
    if value.is_finite() { (value.clamp(0.0, 100.0) * 100.0).round() / 100.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_one_that_the_hub_knows() {
        let facts = Facts::gather(None).unwrap();
        assert!(!facts.hostname.is_empty());
        assert_eq!(Facts::gather(Some("gpu-1")).unwrap().hostname, "gpu-1");
        assert!(Facts::gather(Some("  ")).is_err());
        assert!(arch("riscv64").is_err());
    }

    #[test]
    fn figures_are_those_of_this_machine() {
        let figures = Meter::new().unwrap().read();
        // Something runs here and something is stored here.
        assert!(figures.memory_usage > 0.0 && figures.memory_usage <= 100.0, "{figures:?}");
        assert!(figures.disk_usage > 0.0 && figures.disk_usage <= 100.0, "{figures:?}");
        assert!((0.0..=100.0).contains(&figures.cpu_usage), "{figures:?}");
    }

    #[test]
    fn a_percentage_is_one_whatever_comes() {
        assert_eq!(percent(f64::NAN), 0.0);
        assert_eq!(percent(100.4), 100.0);
        assert_eq!(share(1, 3), 33.33);
        assert_eq!(share(1, 0), 0.0);
    }
}
