//! Key names as one hub writes them, and as any other would: `keys.toml` says which there are.

use reef_store::Layout;
use reef_store::keys::{PARTITIONS, TABLE};

/// A key without what is particular to a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The partition that it is of, as the layout `cluster` writes it; none where the name does not
    /// tell which of a kind.
    pub partition: Option<String>,
    /// The rest of the name.
    pub tail: String,
}

/// How one hub names its keys.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// `key_prefix`.
    pub prefix: String,
    /// `key_layout`.
    pub layout: Layout,
}

impl Naming {
    /// What a name means to this hub; `None` if it is none of its keys.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Name> {
        let rest = name.strip_prefix(self.prefix.as_str())?;
        match self.layout {
            Layout::Plain => {
                let found = find(rest)?;
                Some(Name { partition: found.instance, tail: rest.to_owned() })
            }
            Layout::Cluster => {
                let (partition, tail) = rest.strip_prefix('{')?.split_once("}:")?;
                let kind = partition.split(':').next();
                let found = find(tail)?;
                (kind == Some(found.partition))
                    .then(|| Name { partition: Some(partition.to_owned()), tail: tail.to_owned() })
            }
        }
    }

    /// The name at this hub; `None` where the layout needs a partition that is not known.
    #[must_use]
    pub fn write(&self, name: &Name) -> Option<String> {
        let Self { prefix, layout } = self;
        match (layout, &name.partition) {
            (Layout::Plain, _) => Some(format!("{prefix}{}", name.tail)),
            (Layout::Cluster, Some(partition)) => {
                Some(format!("{prefix}{{{partition}}}:{}", name.tail))
            }
            (Layout::Cluster, None) => None,
        }
    }
}

/// A line of the table that a name is of.
struct Found {
    partition: &'static str,
    instance: Option<String>,
}

/// Finds the pattern that fits a name. Where several do, the one that says most of it:
/// `reef:inbox:{agent}:dead` and not `reef:inbox:{agent}`.
fn find(name: &str) -> Option<Found> {
    let keys = TABLE.iter().filter(|[_, kind, ..]| *kind != "channel");
    let fitting = keys.filter_map(|[pattern, _, _, partition, _]| {
        let parameters = parameters(pattern, name)?;
        let taken: usize = parameters.iter().map(|(_, value)| value.len()).sum();
        Some((taken, *partition, parameters))
    });
    let (_, partition, parameters) = fitting.min_by_key(|(taken, ..)| *taken)?;
    let wanted = PARTITIONS.iter().find(|(name, _)| *name == partition)?.1;
    let instance = match wanted {
        None => Some(partition.to_owned()),
        Some(wanted) => {
            let found = parameters.iter().find(|(parameter, _)| *parameter == wanted);
            found.map(|(_, value)| format!("{partition}:{value}"))
        }
    };
    Some(Found { partition, instance })
}

/// The parameters of a pattern in a name that fits it. Only the last may hold a colon: it may be
/// free text, the others are ids.
fn parameters<'a>(pattern: &'a str, name: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (mut pattern, mut name) = (pattern, name);
    let mut found = Vec::new();
    while let Some((before, rest)) = pattern.split_once('{') {
        name = name.strip_prefix(before)?;
        let (parameter, after) = rest.split_once('}')?;
        let end = if after.is_empty() { name.len() } else { name.find(':')? };
        let (value, left) = name.split_at_checked(end)?;
        if value.is_empty() {
            return None;
        }
        found.push((parameter, value));
        (pattern, name) = (after, left);
    }
    (pattern == name).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(prefix: &str, layout: Layout) -> Naming {
        Naming { prefix: prefix.to_owned(), layout }
    }

    #[test]
    fn names_are_translated_between_layouts_and_prefixes() {
        let plain = Naming::default();
        let cluster = naming("b:", Layout::Cluster);
        for (one, other) in [
            ("reef:node:n1", "b:{cluster}:reef:node:n1"),
            ("reef:nodes:skill:a:b{c}", "b:{cluster}:reef:nodes:skill:a:b{c}"),
            ("hb:n1", "b:{cluster}:hb:n1"),
            ("message:m", "b:{message:m}:message:m"),
            ("reef:message:m:text", "b:{message:m}:reef:message:m:text"),
            ("stream:session:s:message:m", "b:{message:m}:stream:session:s:message:m"),
            ("session:s:messages", "b:{session:s}:session:s:messages"),
            ("reef:inbox:a", "b:{inbox:a}:reef:inbox:a"),
            ("reef:inbox:a:dead", "b:{inbox:a}:reef:inbox:a:dead"),
            ("reef:inbox:a:proposal:m", "b:{inbox:a}:reef:inbox:a:proposal:m"),
            ("agent:a", "b:{ledger}:agent:a"),
        ] {
            let name = plain.read(one).unwrap();
            assert_eq!(cluster.write(&name).as_deref(), Some(other));
            assert_eq!(cluster.read(other), Some(name.clone()), "{other}");
            assert_eq!(plain.write(&name).as_deref(), Some(one));
        }
    }

    #[test]
    fn every_key_of_the_table_is_known() {
        for [pattern, kind, ..] in TABLE.iter().filter(|[_, kind, ..]| *kind != "channel") {
            let name = pattern.replace('{', "x").replace('}', "");
            assert!(Naming::default().read(&name).is_some(), "{pattern} {kind}");
        }
    }

    #[test]
    fn where_the_name_does_not_tell_the_partition_it_stays_open() {
        for name in ["content:c", "reef:message-idempotency:d"] {
            let read = Naming::default().read(name).unwrap();
            assert_eq!(read.partition, None);
            assert_eq!(naming("", Layout::Cluster).write(&read), None);
        }
    }

    #[test]
    fn keys_of_others_are_none_of_ours() {
        let hub = naming("a:", Layout::Plain);
        for name in ["reef:node:n", "b:reef:node:n", "a:other", "a:", "a:reef:node:"] {
            assert_eq!(hub.read(name), None, "{name}");
        }
        let cluster = naming("", Layout::Cluster);
        for name in ["reef:node:n", "{x}:reef:node:n", "{ledger}:reef:node:n"] {
            assert_eq!(cluster.read(name), None, "{name}");
        }
    }
}
