//! Hosts that share a hub's data: how each is set. `lua/cluster/join.lua`.

use reef_domain::heartbeat::Timeout;
use reef_domain::limits::{HOST_NOTE_MS, HOSTS_MAX};
use reef_domain::time::UnixMillis;

use crate::script::{Arguments, CLUSTER_JOIN, Call, Malformed, Reader, Script, unknown_status};

/// Notes how a host is set, for as long as it comes again every few seconds.
#[derive(Debug)]
pub struct Join<'a> {
    /// The host: different for each process.
    pub host: &'a str,
    /// What people call it.
    pub who: &'a str,
    /// It goes on; one that ends is not compared any more.
    pub stays: bool,
    /// Its heartbeat timeout.
    pub timeout: Timeout,
    /// A random text, for the name of a hub that has none yet.
    pub random: &'a str,
    /// Settings in which hosts must agree, and their values.
    pub settings: &'a [(String, String)],
}

/// A setting in which two hosts at work differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The variable.
    pub setting: String,
    /// Its value here.
    pub own: String,
    /// Its value there.
    pub other: String,
    /// What people call the other host.
    pub who: String,
    /// Since when the other one is noted.
    pub since: UnixMillis,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { setting, own, other, who, since } = self;
        write!(
            f,
            "hosts of one hub are set differently: {setting} is {own:?} here and {other:?} at {who} \
             (since {since})"
        )
    }
}

/// What a host learns of the others.
#[derive(Debug)]
pub struct Joined {
    /// The name of the hub, which its data carry. Copies have it, too.
    pub hub: String,
    /// Where others at work are set otherwise, by setting.
    pub differences: Vec<Difference>,
}

impl Call for Join<'_> {
    type Reply = Joined;

    fn script(&self) -> &'static Script {
        &CLUSTER_JOIN
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let period_ms = self.timeout.longest_period_ms();
        // Nodes keep a host's pace until another one has told them its own.
        let hold_ms = if self.stays { HOST_NOTE_MS + period_ms } else { period_ms };
        arguments
            .text(self.host)
            .text(self.who)
            .number(hold_ms)
            .number(i32::from(self.stays))
            .number(self.timeout.as_millis())
            .text(self.random)
            .number(HOSTS_MAX);
        for (name, value) in self.settings {
            arguments.text(name).text(value);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Joined, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let hub = reply.text()?;
        let mut differences = Vec::new();
        while !reply.is_at_end() {
            differences.push(Difference {
                setting: reply.text()?,
                own: reply.text()?,
                other: reply.text()?,
                who: reply.text()?,
                since: UnixMillis(reply.int()?),
            });
        }
        differences.sort_by(|a, b| a.setting.cmp(&b.setting));
        Ok(Joined { hub, differences })
    }
}
