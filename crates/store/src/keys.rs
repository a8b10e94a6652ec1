//! Every key name of the hub. The table is `keys.toml`; the functions are made from it.

/// How key names are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// The names that old clients know.
    #[default]
    Plain,
    /// The partition's name in braces comes first, so that Redis Cluster keeps a partition
    /// together.
    Cluster,
}

/// Makes key names.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    prefix: String,
    layout: Layout,
}

impl Keys {
    /// Names under a prefix (empty for none), by which several hubs share one Redis.
    ///
    /// # Errors
    /// The rule, if the prefix holds a character that would upset the layout.
    pub fn new(prefix: &str, layout: Layout) -> Result<Self, &'static str> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
        if prefix.len() <= 64 && prefix.bytes().all(plain) {
            Ok(Self { prefix: prefix.to_owned(), layout })
        } else {
            Err("must be at most 64 of A-Z a-z 0-9 . _ - :")
        }
    }

    /// How the names are laid out.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The names of the same things under the same prefix in the other layout.
    #[must_use]
    pub fn in_other_layout(&self) -> Self {
        let layout = match self.layout {
            Layout::Plain => Layout::Cluster,
            Layout::Cluster => Layout::Plain,
        };
        Self { prefix: self.prefix.clone(), layout }
    }

    /// A key of the same partition that never exists, in the layout for Redis Cluster. A script
    /// that is given it is refused, before it begins, by a node whose slot moves to another key by
    /// key: without it the node would run the script, which would fail at the first key that is not
    /// there any more, or not yet, and leave behind what it had written.
    #[must_use]
    pub fn absent(&self, anchor: &str) -> Option<String> {
        if self.layout == Layout::Plain {
            return None;
        }
        let (tagged, _) = anchor.split_once('}')?;
        Some([tagged, "}:reef:absent"].concat())
    }

    fn make(&self, partition: impl Fn() -> String, parts: &[&str]) -> String {
        let mut name = self.prefix.clone();
        if self.layout == Layout::Cluster {
            name.extend(["{", &partition(), "}:"]);
        }
        name.extend(parts.iter().copied());
        name
    }
}

include!(concat!(env!("OUT_DIR"), "/keys.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_decides_the_names() {
        let plain = Keys::default();
        assert_eq!(plain.node("n1"), "reef:node:n1");
        assert_eq!(plain.heartbeat("n1"), "hb:n1");
        let cluster = Keys::new("a:", Layout::Cluster).unwrap();
        assert_eq!(cluster.node("n1"), "a:{cluster}:reef:node:n1");
        assert_eq!(cluster.by_skill("{x}"), "a:{cluster}:reef:nodes:skill:{x}");
    }

    #[test]
    fn each_partition_of_a_cluster_has_a_key_that_never_exists() {
        assert_eq!(Keys::default().absent(&Keys::default().cluster()), None);
        let cluster = Keys::new("a:", Layout::Cluster).unwrap();
        let absent = |anchor: &str| cluster.absent(anchor).unwrap();
        assert_eq!(absent(&cluster.cluster()), "a:{cluster}:reef:absent");
        assert_eq!(absent(&cluster.message("m1")), "a:{message:m1}:reef:absent");
        for [pattern, ..] in TABLE {
            assert_ne!(*pattern, "reef:absent");
        }
    }

    #[test]
    fn a_prefix_cannot_upset_the_layout() {
        assert!(Keys::new("team{a}", Layout::Plain).is_err());
    }

    #[test]
    fn old_names_hold_and_all_others_are_ours() {
        let old = [
            "hb:{id}",
            "openclaw:cluster:nodes",
            "openclaw:cluster:leader_lock",
            "openclaw:cluster:leader_history",
            "message:{mid}",
            "stream:session:{sid}:message:{mid}",
            "session:{sid}:messages",
            "content:{cid}",
            "inbox:{agent}",
            "task_queue",
            "agent:{id}",
            "apikey:{digest}",
            "balance:{id}",
            "intent:{id}",
            "agent_intents:{agent}",
            "position:{id}",
            "agent_positions:{agent}",
        ];
        for [pattern, ..] in TABLE {
            assert!(pattern.starts_with("reef:") || old.contains(pattern), "{pattern}");
        }
    }
}
