//! What a program's package is called on a system, and how it is installed there: for the host, which
//! needs a Redis, and for whoever works on Reef, who needs more.
//!
//! Nothing is run here. A [`Plan`] is a list of commands for whoever wants to run them, and a
//! sentence for whoever would rather type them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A program that a machine must have.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// What it is, for the person who reads.
    pub what: &'static str,
    /// Names it may have on the PATH; one is enough.
    pub programs: &'static [&'static str],
    /// Its package, by package manager.
    pub packages: &'static [(&'static str, &'static str)],
}

/// The hub's own server when no other is given. Where a system has both, the one that it keeps up:
/// Debian's `valkey-server` is younger than most of its installations, and the others have put
/// Valkey into Redis' place.
pub const REDIS: Tool = Tool {
    what: "a Redis server",
    programs: &["redis-server", "valkey-server"],
    packages: &[
        ("apt-get", "redis-server"),
        ("dnf", "valkey"),
        ("apk", "valkey"),
        ("pacman", "valkey"),
        ("zypper", "valkey"),
        ("brew", "redis"),
    ],
};

/// A package manager.
#[derive(Debug, PartialEq, Eq)]
struct Manager {
    program: &'static str,
    /// What `/etc/os-release` calls the systems whose own it is.
    systems: &'static [&'static str],
    /// Its commands, each before the package's name.
    steps: &'static [&'static [&'static str]],
}

/// Those that are known, in the order in which they are looked for.
const MANAGERS: &[Manager] = &[
    Manager {
        program: "apt-get",
        systems: &["debian", "ubuntu"],
        steps: &[&["update", "-q"], &["install", "-y", "-q", "--no-install-recommends"]],
    },
    Manager {
        program: "dnf",
        systems: &["fedora", "rhel", "centos"],
        steps: &[&["install", "-y"]],
    },
    Manager { program: "apk", systems: &["alpine"], steps: &[&["add"]] },
    Manager { program: "pacman", systems: &["arch"], steps: &[&["-S", "--noconfirm", "--needed"]] },
    Manager {
        program: "zypper",
        systems: &["suse", "opensuse"],
        steps: &[&["--non-interactive", "install"]],
    },
    // It installs for its user, and refuses root.
    Manager { program: "brew", systems: &[], steps: &[&["install"]] },
];

/// The step that takes no package.
const UPDATE: &str = "update";

/// What has to be known of a system.
#[derive(Debug, Clone)]
pub struct System {
    /// Where programs are looked for.
    pub path: Option<OsString>,
    /// What `/etc/os-release` says; empty where there is none.
    pub os_release: String,
    /// Whether commands run as root here.
    pub is_root: bool,
}

impl System {
    /// This one.
    #[must_use]
    pub fn here(is_root: bool) -> Self {
        let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self { path: std::env::var_os("PATH"), os_release, is_root }
    }

    /// The first of these programs that is on the PATH.
    #[must_use]
    pub fn find(&self, programs: &[&str]) -> Option<PathBuf> {
        find(self.path.as_deref(), programs)
    }

    /// The manager that the system calls its own, else the first that is there.
    fn manager(&self, tool: &Tool) -> Option<&'static Manager> {
        let usable = |manager: &&Manager| {
            self.find(&[manager.program]).is_some() && tool.package(manager).is_some()
        };
        let own = MANAGERS.iter().filter(usable).find(|manager| self.is_one_of(manager.systems));
        own.or_else(|| MANAGERS.iter().find(usable))
    }

    fn is_one_of(&self, systems: &[&str]) -> bool {
        let lines = self.os_release.lines();
        let ids = lines
            .filter_map(|line| line.strip_prefix("ID=").or(line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches('"').split(' '));
        ids.into_iter().any(|id| systems.iter().any(|system| id.starts_with(system)))
    }
}

/// The first of these programs in the folders of a PATH.
#[must_use]
pub fn find(path: Option<&OsStr>, programs: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> =
        path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let candidates =
        programs.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|file| file.is_file())
}

/// How a tool is installed on a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The commands, one after the other.
    pub steps: Vec<Vec<String>>,
    /// Whether they can be run here: only root may, and there is no sudo.
    pub is_possible: bool,
}

impl Tool {
    fn package(&self, manager: &Manager) -> Option<&'static str> {
        let found = self.packages.iter().find(|(name, _)| *name == manager.program);
        found.map(|(_, package)| *package)
    }

    /// How it is installed there; nothing where no package manager is known.
    #[must_use]
    pub fn plan(&self, system: &System) -> Option<Plan> {
        let manager = system.manager(self)?;
        let package = self.package(manager)?;
        let wants_root = manager.program != "brew" && !system.is_root;
        let has_sudo = system.find(&["sudo"]).is_some();
        let sudo = (wants_root && has_sudo).then_some("sudo");
        let step = |words: &&[&str]| {
            let package = package.split(' ').filter(|_| words.first() != Some(&UPDATE));
            let all = sudo.into_iter().chain([manager.program]).chain(words.iter().copied());
            all.chain(package).map(str::to_owned).collect()
        };
        let steps = manager.steps.iter().map(step).collect();
        Some(Plan { steps, is_possible: !wants_root || has_sudo })
    }

    /// What to do about it, for a sentence: behind "install one: ".
    #[must_use]
    pub fn advice(&self, system: &System) -> String {
        match self.plan(system) {
            Some(plan) if plan.is_possible => format!("`{}`", plan.line()),
            Some(plan) => format!("as root, `{}`", plan.line()),
            None => format!("put {} on the PATH", self.programs.join(" or ")),
        }
    }
}

impl Plan {
    /// The commands as one line of a shell.
    #[must_use]
    pub fn line(&self) -> String {
        self.steps.iter().map(|step| step.join(" ")).collect::<Vec<_>>().join(" && ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system that has these programs.
    fn system(programs: &[&str], os_release: &str, is_root: bool) -> (System, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        let path = Some(folder.path().as_os_str().to_owned());
        (System { path, os_release: os_release.to_owned(), is_root }, folder)
    }

    #[test]
    fn each_system_gets_its_own_command() {
        for (programs, os_release, is_root, advice) in [
            (
                &["apt-get", "sudo"][..],
                "ID=debian\n",
                false,
                "`sudo apt-get update -q && sudo apt-get install -y -q --no-install-recommends \
                 redis-server`",
            ),
            (&["dnf"], "ID=fedora\n", true, "`dnf install -y valkey`"),
            (
                &["dnf"],
                "ID=\"rocky\"\nID_LIKE=\"rhel fedora\"\n",
                false,
                "as root, `dnf install -y valkey`",
            ),
            (&["apk"], "ID=alpine\n", true, "`apk add valkey`"),
            (
                &["pacman", "sudo"],
                "ID=arch\n",
                false,
                "`sudo pacman -S --noconfirm --needed valkey`",
            ),
            (
                &["zypper"],
                "ID=\"opensuse-leap\"\n",
                true,
                "`zypper --non-interactive install valkey`",
            ),
            (&["brew", "sudo"], "", false, "`brew install redis`"),
            (&["emerge"], "ID=gentoo\n", true, "put redis-server or valkey-server on the PATH"),
            // Somebody else's manager is on the PATH, too.
            (&["apt-get", "dnf"], "ID=fedora\n", true, "`dnf install -y valkey`"),
        ] {
            let (system, _folder) = system(programs, os_release, is_root);
            assert_eq!(REDIS.advice(&system), advice, "{os_release}");
        }
    }

    #[test]
    fn a_plan_without_root_and_sudo_cannot_be_run() {
        let (poor, _folder) = system(&["apt-get"], "ID=ubuntu\n", false);
        assert!(!REDIS.plan(&poor).unwrap().is_possible);
        let (root, _folder) = system(&["apt-get"], "ID=ubuntu\n", true);
        let plan = REDIS.plan(&root).unwrap();
        assert!(plan.is_possible && plan.steps.len() == 2, "{plan:?}");
        assert_eq!(plan.steps[1].last().unwrap(), "redis-server");
    }

    #[test]
    fn the_first_program_that_is_there_is_found() {
        let (system, folder) = system(&["valkey-server"], "", true);
        assert_eq!(system.find(REDIS.programs), Some(folder.path().join("valkey-server")));
        assert_eq!(system.find(&["redis-server"]), None);
    }
}
