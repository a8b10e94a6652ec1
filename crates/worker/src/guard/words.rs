//! What a worker and the guards of a command tell each other: lines, and before the first one
//! what the command reads.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::moment::Moment;

/// What is told downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The command may run until then, unless this is said again.
    Until(Moment),
    /// Ask the command to end.
    Stop,
    /// End it.
    Kill,
}

/// What is told upwards, once and as the last thing. Nothing of the command runs any more then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// The status with which it ended, as the system encodes it.
    Ended(i32),
    /// It could not be started.
    Failed(String),
}

impl Order {
    pub(super) fn line(self) -> String {
        match self {
            Self::Until(moment) => format!("until {}\n", moment.micros()),
            Self::Stop => "stop\n".to_owned(),
            Self::Kill => "kill\n".to_owned(),
        }
    }

    pub(super) fn read(line: &str) -> Option<Self> {
        match line.split_once(' ') {
            Some(("until", micros)) => Some(Self::Until(Moment::from_micros(micros.parse().ok()?))),
            None if line == "stop" => Some(Self::Stop),
            None if line == "kill" => Some(Self::Kill),
            _ => None,
        }
    }
}

impl News {
    pub(super) fn line(&self) -> String {
        match self {
            Self::Ended(status) => format!("ended {status}\n"),
            Self::Failed(why) => format!("failed {}\n", why.replace('\n', " ")),
        }
    }

    pub(super) fn read(line: &str) -> Option<Self> {
        match line.split_once(' ')? {
            ("ended", status) => Some(Self::Ended(status.parse().ok()?)),
            ("failed", why) => Some(Self::Failed(why.to_owned())),
            _ => None,
        }
    }
}

/// What comes first: how much the command reads, and that.
pub(super) fn input(text: Option<&[u8]>) -> Vec<u8> {
    match text {
        None => b"none\n".to_vec(),
        Some(text) => [format!("{}\n", text.len()).as_bytes(), text].concat(),
    }
}

/// Reads what [`input`] has made.
pub(super) async fn read_input(
    from: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    from.read_line(&mut line).await?;
    match line.trim_end() {
        "none" => Ok(None),
        length => {
            let mut text = vec![0; length.parse().map_err(io::Error::other)?];
            from.read_exact(&mut text).await?;
            Ok(Some(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        for order in [Order::Until(Moment::from_micros(17)), Order::Stop, Order::Kill] {
            assert_eq!(Order::read(order.line().trim_end()), Some(order));
        }
        for news in [News::Ended(9), News::Failed("a b".to_owned())] {
            assert_eq!(News::read(news.line().trim_end()), Some(news));
        }
        assert_eq!((Order::read("until x"), News::read("ended")), (None, None));
    }

    #[tokio::test]
    async fn the_input_comes_first_as_it_is() {
        for text in [None, Some(&b"a\nb"[..]), Some(b"")] {
            let said = [&input(text)[..], b"stop\n"].concat();
            let mut from = &said[..];
            assert_eq!(read_input(&mut from).await.unwrap().as_deref(), text);
            assert_eq!(from, b"stop\n");
        }
        assert!(read_input(&mut &b""[..]).await.is_err());
        assert!(read_input(&mut &b"9\nshort"[..]).await.is_err());
    }
}
