//! `reef messages append`: text from the command line, or from standard input as it comes.

use std::time::Duration;

use clap::Args;
use reef_api::MessageId;
use reef_api::message::{AppendAnswer, AppendBody, MessageCompleteBody};
use reef_client::Answer;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::seconds;
use crate::Context;
use crate::failure::Failure;

/// Most bytes that are sent at once. Escaped as JSON they stay below the 1 MiB that a body may have.
const PIECE_BYTES: usize = 64 << 10;

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The message's id
    #[arg(value_name = "MID")]
    message: MessageId,
    /// The text; - takes standard input
    text: String,
    /// End the message after it
    #[arg(long)]
    complete: bool,
    /// Number what is read from standard input under this name, and not under one of its own (a
    /// message takes 100)
    #[arg(long, value_name = "ID")]
    producer: Option<String>,
    /// Which run of the producer this is: fences its earlier ones
    #[arg(long, value_name = "N", default_value_t = 0, requires = "producer", value_parser = clap::value_parser!(i64).range(0..))]
    epoch: i64,
    /// How long a piece is sent again while the hub is away, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    give_up_after: Duration,
}

pub(crate) async fn run(cx: &Context, args: AppendArgs) -> Result<(), Failure> {
    let answer = if args.text == "-" {
        append_input(cx, &args, tokio::io::stdin()).await?
    } else {
        let body = AppendBody { delta: Some(args.text), producer: None };
        Some(cx.hub.append(&args.message, &body).once().send().await?)
    };
    if let Some(answer) = answer {
        cx.out.answer(&answer, |done| {
            let AppendAnswer { length, sequence } = done;
            format!("appended; the text has {length} bytes after event {sequence}")
        })?;
    } else {
        cx.out.note("nothing to append");
    }
    if args.complete {
        let end = MessageCompleteBody::default();
        let request = cx.hub.complete_message(&args.message, &end).once();
        request.patient(args.give_up_after).send().await?;
    }
    Ok(())
}

/// Appends all that comes in, and returns the last answer. Each piece has a number, so that the
/// hub knows one that it has got already.
async fn append_input(
    cx: &Context,
    args: &AppendArgs,
    input: impl AsyncRead + Unpin,
) -> Result<Option<Answer<AppendAnswer>>, Failure> {
    let own = || format!("cli_{}", uuid::Uuid::now_v7().simple());
    let producer = args.producer.clone().unwrap_or_else(own);
    let mut pieces = Pieces { input, arrived: Vec::new() };
    let mut last = None;
    let mut seq = 0;
    while let Some(piece) = pieces.next().await? {
        let body = AppendBody::numbered(&piece, &producer, args.epoch, seq);
        let request = cx.hub.append(&args.message, &body).repeatable();
        // The first piece shows whether there is a hub at all; once there was, it is waited for.
        let request = if seq == 0 { request } else { request.patient(args.give_up_after) };
        last = Some(request.send().await?);
        seq += 1;
    }
    Ok(last)
}

/// Cuts what is read into texts: as much as there is, and never within a character.
struct Pieces<R> {
    input: R,
    /// What was read and not handed out: the beginning of a character.
    arrived: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Pieces<R> {
    async fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            let room = PIECE_BYTES.saturating_sub(self.arrived.len()) as u64;
            let count = (&mut self.input).take(room).read_buf(&mut self.arrived).await;
            let count = count.map_err(|error| {
                Failure::Failed(format!("standard input cannot be read: {error}"))
            })?;
            let whole = match std::str::from_utf8(&self.arrived) {
                Ok(_) => self.arrived.len(),
                // A character whose end may be still to come.
                Err(error) if error.error_len().is_none() && count > 0 => error.valid_up_to(),
                // What is good before it goes out first.
                Err(error) if error.valid_up_to() > 0 => error.valid_up_to(),
                Err(_) => return Err(Failure::Failed("standard input is not UTF-8".to_owned())),
            };
            if whole > 0 {
                let rest = self.arrived.split_off(whole);
                let piece = std::mem::replace(&mut self.arrived, rest);
                return Ok(String::from_utf8(piece).ok());
            }
            if count == 0 {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// The pieces of what arrives byte by byte, and whether all of it was text.
    async fn cut(bytes: &[u8]) -> (Vec<String>, bool) {
        let (reader, mut writer) = tokio::io::duplex(1);
        let bytes = bytes.to_vec();
        let feed = tokio::spawn(async move { writer.write_all(&bytes).await });
        let mut pieces = Pieces { input: reader, arrived: Vec::new() };
        let mut cut = Vec::new();
        let is_text = loop {
            match pieces.next().await {
                Ok(Some(piece)) => cut.push(piece),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        feed.abort();
        (cut, is_text)
    }

    #[tokio::test]
    async fn no_piece_ends_within_a_character() {
        let (pieces, is_text) = cut("aé€😀z".as_bytes()).await;
        assert_eq!((pieces.join("|").as_str(), is_text), ("a|é|€|😀|z", true));
        assert_eq!(cut(b"").await, (vec![], true));
    }

    #[tokio::test]
    async fn what_is_no_text_is_refused_after_what_is() {
        for bad in [b"ab\xffcd".as_slice(), b"ab\xe2\x82"] {
            let (pieces, is_text) = cut(bad).await;
            assert_eq!((pieces.concat().as_str(), is_text), ("ab", false));
        }
    }
}
