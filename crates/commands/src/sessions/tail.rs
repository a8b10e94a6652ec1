//! `reef sessions tail`: what is said in a session, while it is written.
//!
//! There is no stream of a session: its list is asked for again and again, and each message that is
//! open is followed by its own stream, several at once. Whenever another one goes on it is said whose
//! text comes now.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, SelectAll};
use reef_api::message::{Message, MessageEventPayload};
use reef_api::session::SessionStatus;
use reef_api::{MessageId, SessionId};
use reef_client::{Error, Event, Received};
use serde::Deserialize;
use tokio::time::MissedTickBehavior;

use super::{speaker, spoken};
use crate::Context;
use crate::events::print_event;
use crate::failure::Failure;
use crate::messages::seconds;
use crate::table::{or_empty, shown};

/// The pause between two looks for further messages.
const PAUSE: Duration = Duration::from_secs(1);
/// How many messages a page of the list has.
const PAGE: usize = 100;
/// How many messages are followed at once; the others are when these have ended.
const AT_ONCE: usize = 16;

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// The session's id
    session: SessionId,
    /// Begin with what was said before
    #[arg(long)]
    all: bool,
    /// How long to try to come back when the hub is away, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    give_up_after: Duration,
}

/// What an event of a message says, as far as a transcript needs it.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    payload: MessageEventPayload,
    /// In a snapshot.
    message: Option<Message>,
}

/// A session that is followed.
struct Tail<'c> {
    cx: &'c Context,
    args: TailArgs,
    /// Where the list goes on; behind it lies the last page, whose messages may be known.
    cursor: Option<String>,
    known: HashSet<MessageId>,
    /// What is open and not followed yet.
    waiting: VecDeque<Message>,
    streams: SelectAll<BoxStream<'static, (Message, Result<Received, Error>)>>,
    /// Whose text came last.
    speaks: Option<MessageId>,
}

pub(crate) async fn run(cx: &Context, args: TailArgs) -> Result<(), Failure> {
    let mut tail = Tail {
        cx,
        args,
        cursor: None,
        known: HashSet::new(),
        waiting: VecDeque::new(),
        streams: SelectAll::new(),
        speaks: None,
    };
    let mut is_first = true;
    let mut looks = tokio::time::interval(PAUSE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some((message, received)) = tail.streams.next() => tail.take(&message, received)?,
            _ = looks.tick() => {
                // Asked for first: what is said before a session is closed is in the list then.
                let is_closed = tail.is_closed().await?;
                tail.look(is_first).await?;
                is_first = false;
                if is_closed && tail.streams.is_empty() && tail.waiting.is_empty() {
                    tail.cx.out.note("the session is closed");
                    return Ok(());
                }
            }
        }
        tail.follow();
    }
}

impl Tail<'_> {
    async fn is_closed(&self) -> Result<bool, Failure> {
        let request = self.cx.hub.session(&self.args.session).patient(self.args.give_up_after);
        Ok(request.fetch().await?.status.is_any(&[SessionStatus::Closed]))
    }

    /// Looks for messages that are not known yet.
    async fn look(&mut self, is_first: bool) -> Result<(), Failure> {
        loop {
            let request = self.cx.hub.messages(&self.args.session).query("limit", PAGE);
            let request = request.maybe_query("cursor", self.cursor.as_deref());
            let answer = request.patient(self.args.give_up_after).send().await?;
            for message in answer.value()?.messages {
                if !self.known.insert(message.message_id.clone()) {
                    continue;
                }
                if is_first && !self.args.all && message.is_complete {
                    continue;
                }
                // Programs get each message's events.
                if message.is_complete && !self.cx.out.is_json() {
                    self.end_line();
                    self.cx.out.line(&spoken(&message))?;
                    self.speaks = None;
                } else {
                    self.waiting.push_back(message);
                }
            }
            match answer.next_cursor() {
                Some(cursor) => {
                    // None of the pages before is asked for again.
                    self.known.clear();
                    self.cursor = Some(cursor.to_owned());
                }
                None => return Ok(()),
            }
        }
    }

    fn follow(&mut self) {
        while self.streams.len() < AT_ONCE {
            let Some(message) = self.waiting.pop_front() else { return };
            let (session, id) = (self.args.session.as_str(), message.message_id.clone());
            let path = ["sessions", session, "messages", id.as_str(), "stream"];
            let stream = self.cx.hub.stream(path).give_up_after(self.args.give_up_after).open();
            self.streams.push(stream.map(move |received| (message.clone(), received)).boxed());
        }
    }

    fn take(
        &mut self,
        message: &Message,
        received: Result<Received, Error>,
    ) -> Result<(), Failure> {
        let out = &self.cx.out;
        match received? {
            Received::Interrupted { reason, .. } => {
                out.note(&format!("a stream was cut ({reason}); trying to resume it"));
                Ok(())
            }
            Received::Resumed => {
                out.note("the stream goes on");
                Ok(())
            }
            Received::Event(event) if out.is_json() => print_event(out, &event),
            Received::Event(event) => self.print(message, &event),
        }
    }

    fn print(&mut self, message: &Message, event: &Event) -> Result<(), Failure> {
        let told: Told = event.json()?;
        let MessageEventPayload { delta, task_type, error, block, .. } = told.payload;
        let (out, id) = (&self.cx.out, shown(&message.message_id));
        let task = shown(or_empty(block.task_id.as_ref()));
        match event.event.as_str() {
            "text_delta" => self.say(message, &delta)?,
            "snapshot" => {
                out.note(&format!("events of {id} were missed; this is its whole text:"));
                self.speaks = None;
                self.say(message, &told.message.map(|it| it.text).unwrap_or_default())?;
            }
            "content_added" => {
                out.note(&format!("[{id}: {} {}]", shown(&block.content_type), block.content_id));
            }
            "task_started" => {
                out.note(&format!("[{id}: task {task}: {} started]", shown(task_type)))
            }
            "task_completed" => out.note(&format!("[{id}: task {task}: completed]")),
            "task_failed" => {
                out.note(&format!("[{id}: task {task}: failed: {}]", shown(or_empty(error))));
            }
            "error" => out.note(&format!("[{id} ended with an error: {}]", shown(or_empty(error)))),
            _ => {}
        }
        Ok(())
    }

    /// Prints a part of a message's text, below its speaker.
    fn say(&mut self, message: &Message, text: &str) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        if self.speaks.as_ref() != Some(&message.message_id) {
            self.end_line();
            self.cx.out.line(&speaker(message))?;
            self.cx.out.text("  ")?;
            self.speaks = Some(message.message_id.clone());
        }
        Ok(self.cx.out.text(&text.replace('\n', "\n  "))?)
    }

    /// Ends the line of whoever has spoken.
    fn end_line(&mut self) {
        if self.speaks.take().is_some() {
            // Who reads no longer is noticed with what comes next.
            let _ = self.cx.out.text("\n");
        }
    }
}
