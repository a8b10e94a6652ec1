//! `reef events`: what has happened in the cluster, and what happens.

use std::time::Duration;

use clap::{Args, Subcommand};
use futures_util::StreamExt as _;
use reef_client::{Event, EventStream, Received};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{columns, one_line, text, time};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef events tail --type node_offline   who falls silent from now on
  reef events list --latest --limit 20   what happened last
";

/// A place behind every event. The hub does not know it, and answers with the place where its log
/// ends.
pub(crate) const END: &str = "18446744073709551614-0";

/// `reef events`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Events {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print events as they happen, over restarts of the hub
    #[command(before_help = "Examples:\n  reef events tail --type node_offline,node_online\n  reef events tail --from 0 --json\n", after_help = EXIT_CODES)]
    Tail(TailArgs),
    /// List events that have happened, oldest first; about the last 100 000 are kept
    #[command(before_help = "Examples:\n  reef events list --latest --limit 20\n  reef events list --limit 20\n", after_help = EXIT_CODES)]
    List(ListArgs),
}

#[derive(Debug, Args)]
struct TailArgs {
    /// Begin behind this event, or with 0 at the oldest that is kept; else with what happens next
    #[arg(long, value_name = "CURSOR")]
    from: Option<String>,
    #[command(flatten)]
    types: Types,
    /// How long to try to come back when the stream is cut, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = crate::messages::seconds)]
    give_up_after: Duration,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Begin behind this event
    #[arg(long, value_name = "CURSOR", default_value = "0")]
    from: String,
    /// The last of those events instead of the first
    #[arg(long)]
    latest: bool,
    /// Most events to look at, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    types: Types,
}

#[derive(Debug, Args)]
struct Types {
    /// Only events of this type, e.g. node_offline; repeatable, or several separated by commas
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
}

impl Types {
    fn wants(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == event_type)
    }
}

impl Events {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Tail(args) => tail(cx, args).await,
            Verb::List(args) => list(cx, args).await,
        }
    }
}

async fn tail(cx: &Context, args: TailArgs) -> Result<(), Failure> {
    let mut is_at_end = args.from.is_none();
    let from = args.from.unwrap_or_else(|| END.to_owned());
    let stream = cx.hub.stream(["events", "stream"]).after(from).give_up_after(args.give_up_after);
    let mut stream = Followed(stream.open());
    while let Some(event) = stream.next(&cx.out).await {
        let event = event?;
        if event.event == "snapshot" {
            // The first one only says where the log ends.
            if !std::mem::take(&mut is_at_end) {
                if cx.out.is_json() {
                    print_event(&cx.out, &event)?;
                }
                cx.out.note("events are missing here: the hub keeps about the last 100 000");
            }
        } else if args.types.wants(&event.event) {
            if cx.out.is_json() {
                print_event(&cx.out, &event)?;
            } else {
                cx.out.line(&row(&event.json()?).join("  "))?;
            }
        }
    }
    Ok(())
}

/// A list of events, with each event as the hub wrote it.
#[derive(Debug, Deserialize, Serialize)]
struct EventList {
    events: Vec<Box<RawValue>>,
    next: Value,
    gap: Value,
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let mut request = cx.hub.get(["cluster", "events"]);
    request = request.query("after", &args.from).query("limit", args.limit);
    if args.latest {
        request = request.query("latest", true);
    }
    let answer = request.send().await?;
    let mut list: EventList = answer.json()?;
    if args.latest && answer.has_next() {
        let words = "this hub is older than --latest, and has answered its oldest events";
        return Err(Failure::Failed(words.to_owned()));
    }
    if answer.has_next() {
        cx.out.note(&format!("there are more: --from {}", list.next.as_str().unwrap_or_default()));
    }
    let mut events = Vec::new();
    list.events.retain(|raw| {
        let event: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        let is_wanted = args.types.wants(&text(&event, "event_type"));
        if is_wanted {
            events.push(event);
        }
        is_wanted
    });
    if cx.out.is_json() {
        return print_json(&cx.out, &list);
    }
    let rows = events.iter().map(|event| {
        let [time, kind, what] = row(event);
        [text(event, "event_id"), time, kind, what]
    });
    cx.out.line(&columns(["event", "time", "type", "what"], rows))?;
    if !list.gap.is_null() {
        cx.out.note(gap_words(&list.gap));
    }
    Ok(())
}

/// What a gap means.
fn gap_words(gap: &Value) -> &'static str {
    let place = |name: &str| {
        let (ms, n) = gap.get(name)?.as_str()?.split_once('-')?;
        Some((ms.parse::<u64>().ok()?, n.parse::<u64>().ok()?))
    };
    // Where it leads back, an older copy was restored, or a replica took over that had less.
    if place("to") < place("from") {
        "Redis came back with less of the hub's data: what you have read since is no more"
    } else {
        "events before these are no longer kept"
    }
}

/// An event for people: when, its type, what it says.
fn row(event: &Value) -> [String; 3] {
    let members = event.get("payload").and_then(Value::as_object).cloned().unwrap_or_default();
    let known = members.iter().filter(|(_, value)| !value.is_null());
    let what = known.map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={value}")
    });
    let what = one_line(&what.collect::<Vec<_>>().join(" "));
    [time(event, "timestamp"), text(event, "event_type"), what]
}

/// An event stream that says on standard error when it was cut and when it goes on.
pub(crate) struct Followed(pub(crate) EventStream);

impl Followed {
    /// The next event; nothing once all have been read.
    pub(crate) async fn next(&mut self, out: &Output) -> Option<Result<Event, Failure>> {
        loop {
            match self.0.next().await? {
                Ok(Received::Event(event)) => return Some(Ok(event)),
                Ok(Received::Interrupted { reason, .. }) => {
                    out.note(&format!("the stream was cut ({reason}); trying to resume it"));
                }
                Ok(Received::Resumed) => out.note("the stream goes on"),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

/// One event for programs.
#[derive(Serialize)]
struct Line<'a> {
    /// The cursor to go on with.
    id: &'a str,
    event: &'a str,
    /// As the hub wrote it.
    data: &'a RawValue,
}

/// Prints an event as one line of JSON.
pub(crate) fn print_event(out: &Output, event: &Event) -> Result<(), Failure> {
    let data: &RawValue = serde_json::from_str(&event.data)
        .map_err(|error| Failure::Failed(format!("event {} is no JSON: {error}", event.id)))?;
    print_json(out, &Line { id: &event.id, event: &event.event, data })
}

fn print_json(out: &Output, value: &impl Serialize) -> Result<(), Failure> {
    Ok(out.line(&serde_json::to_string(value)?)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_shown_by_what_it_says() {
        let event = json!({"event_type": "node_offline", "timestamp": "t",
            "payload": {"node_id": "n1", "reason": null, "n": 5}});
        assert_eq!(row(&event), ["t", "node_offline", "n=5 node_id=n1"]);
    }

    #[test]
    fn no_type_wants_all_of_them() {
        assert!(Types { types: vec![] }.wants("x"));
        let some = Types { types: vec!["a".to_owned(), "b".to_owned()] };
        assert!(some.wants("b") && !some.wants("c"));
    }
}
