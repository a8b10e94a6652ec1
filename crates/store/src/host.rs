//! Hosts that share a hub's data: how each is set. `lua/cluster/join.lua`.

use reef_domain::time::UnixMillis;

pub use crate::cluster::Join;
use crate::script::{FromReply, Malformed, Reader, rows};

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

impl FromReply for Joined {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let hub = reply.text()?;
        let mut differences = Vec::<Difference>::read(reply)?;
        differences.sort_by(|a, b| a.setting.cmp(&b.setting));
        Ok(Self { hub, differences })
    }
}

rows! {
    Difference { setting, own, other, who, since }
}
