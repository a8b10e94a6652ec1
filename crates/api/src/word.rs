//! Words of which there is a list, such as statuses.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One of a list of words.
pub trait Word: Copy + PartialEq + 'static {
    /// All of them, in the order in which they are shown.
    const ALL: &'static [Self];

    /// The word on the wire.
    fn as_str(self) -> &'static str;

    /// Reads the word on the wire.
    #[must_use]
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }

    /// All of them as they are on the wire.
    #[must_use]
    fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|word| word.as_str()).collect()
    }
}

/// A word, or one that this program does not know: a newer hub has it, or an old client wrote it.
/// It is kept, and written as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open<T> {
    Known(T),
    Other(Box<str>),
}

impl<T: Word> Open<T> {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(word) => word.as_str(),
            Self::Other(text) => text,
        }
    }

    /// The word, if it is a known one.
    #[must_use]
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Other(_) => None,
        }
    }

    /// Whether it is one of these.
    #[must_use]
    pub fn is_any(&self, words: &[T]) -> bool {
        self.known().is_some_and(|word| words.contains(&word))
    }
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: Word> Open<T> {
    /// Reads a word on the wire.
    #[must_use]
    pub fn read(text: impl AsRef<str> + Into<Box<str>>) -> Self {
        T::parse(text.as_ref()).map_or_else(|| Self::Other(text.into()), Self::Known)
    }
}

impl<T: Word> Default for Open<T> {
    fn default() -> Self {
        Self::Other("".into())
    }
}

impl<T: Word> PartialEq<T> for Open<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(*other)
    }
}

impl<T: Word> fmt::Display for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T: Word> Serialize for Open<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: Word> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::read)
    }
}

/// Declares a list of words: an enum that is a [`Word`].
#[macro_export]
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$word_doc:meta])* $word:ident = $text:literal),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl $crate::word::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$word),*];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::word::Word::as_str(*self))
            }
        }
    )*};
}
pub use words;

/// Says that a type looks like a text: its rules are added where it is used.
#[cfg(feature = "openapi")]
macro_rules! schema_of_text {
    ($name:ident $(<$parameter:ident>)?) => {
        impl $(<$parameter>)? schemars::JsonSchema for $name $(<$parameter>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}
#[cfg(feature = "openapi")]
pub(crate) use schema_of_text;

#[cfg(feature = "openapi")]
schema_of_text!(Open<T>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeStatus;

    #[test]
    fn a_word_that_is_not_known_is_kept() {
        let read: Vec<Open<NodeStatus>> = serde_json::from_str(r#"["busy", "asleep"]"#).unwrap();
        assert_eq!(read, [Open::Known(NodeStatus::Busy), Open::Other("asleep".into())]);
        assert!(read[0] == NodeStatus::Busy && read[1] != NodeStatus::Busy);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["busy","asleep"]"#);
        for name in NodeStatus::names() {
            assert_eq!(NodeStatus::parse(name).map(NodeStatus::as_str), Some(name));
        }
    }
}
