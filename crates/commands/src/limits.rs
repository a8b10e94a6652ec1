//! `reef limits`: what bounds tasks that share something.

use clap::{Args, Subcommand};
use reef_api::LimitId;
use reef_api::limit::{
    Limit, LimitBody, LimitRemoved, LimitStanding, PenaltyAnswer, PenaltyBody, RateBody, RateUnit,
};
use reef_client::Answer;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, shortened, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef limits set model --concurrency 20 --rate 600/60s
  reef limits list
  reef limits show model
";

/// `reef limits`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Limits {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List limits
    #[command(before_help = "Examples:\n  reef limits list\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show a limit, and how it stands
    #[command(before_help = "Examples:\n  reef limits show model\n  reef limits show api --of user-7\n", after_help = EXIT_CODES)]
    Show(ShowArgs),
    /// Make a limit, or replace it: what is left out does not bound
    #[command(before_help = "Examples:\n  reef limits set model --concurrency 20 --rate 600/60s\n  reef limits set tokens --rate 90000/60s/tokens\n  reef limits set model --paused\n", after_help = EXIT_CODES)]
    Set(SetArgs),
    /// Remove a limit: what was under it is under none
    #[command(before_help = "Examples:\n  reef limits remove model\n", after_help = EXIT_CODES)]
    Remove(LimitArgs),
    /// Let nothing begin under it for a time, since a provider has refused
    #[command(before_help = "Examples:\n  reef limits shut model --for-ms 30000\n  reef limits shut api --of user-7 --for-ms 30000\n  reef limits shut model --for-ms 0\n", after_help = EXIT_CODES)]
    Shut(ShutArgs),
}

#[derive(Debug, Args)]
struct LimitArgs {
    /// The limit's name
    name: LimitId,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Most of them, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The limit's name
    name: LimitId,
    /// Which key is shown
    #[arg(long, value_name = "KEY")]
    of: Option<String>,
    /// Whose, where each owner has one of its own
    #[arg(long, value_name = "AGENT")]
    owner: Option<String>,
}

#[derive(Debug, Args)]
struct SetArgs {
    /// The limit's name
    name: LimitId,
    /// Most tasks that run at once
    #[arg(long, value_name = "N")]
    concurrency: Option<i64>,
    /// How many may begin within how long: COUNT/TIME (ms, s, m, h), or COUNT/TIME/tokens; repeatable
    #[arg(long = "rate", value_name = "RATE", value_parser = rate)]
    rates: Vec<RateBody>,
    /// Let none begin
    #[arg(long)]
    paused: bool,
    /// Give each owner of tasks one of its own
    #[arg(long)]
    per_owner: bool,
    /// For people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
struct ShutArgs {
    /// The limit's name
    name: LimitId,
    /// For how long; 0 opens it before its time
    #[arg(long, value_name = "MS")]
    for_ms: i64,
    /// Which key is shut
    #[arg(long, value_name = "KEY")]
    of: Option<String>,
    /// Whose, where each owner has one of its own
    #[arg(long, value_name = "AGENT")]
    owner: Option<String>,
}

/// Reads a rate as it is typed.
fn rate(text: &str) -> Result<RateBody, String> {
    let rule = || format!("{text:?} is no rate such as 600/60s or 90000/1m/tokens");
    let mut parts = text.splitn(3, '/');
    let mut part = || parts.next().map(str::trim).filter(|part| !part.is_empty());
    let (count, span, unit) =
        (part().ok_or_else(rule)?, part().ok_or_else(rule)?, part().map(str::to_owned));
    let count: i64 = count.parse().map_err(|_| rule())?;
    let per_ms = time::span(span).ok_or_else(rule)?;
    Ok(RateBody { count: Some(count), per_ms: Some(per_ms), unit })
}

impl Limits {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list(cx, args).await,
            Verb::Show(ShowArgs { name, of, owner }) => {
                let request = cx.hub.limit(&name).maybe_query("key", of);
                let answer = request.maybe_query("owner", owner).send().await?;
                cx.out.answer(&answer, |it| limit_facts(&it.limit, Some(&it)))
            }
            Verb::Set(args) => set(cx, args).await,
            Verb::Remove(LimitArgs { name }) => {
                let answer = cx.hub.remove_limit(&name).once().send().await?;
                cx.out.answer(&answer, |LimitRemoved { name, .. }| {
                    format!("{}: removed", shown(name))
                })
            }
            Verb::Shut(args) => shut(cx, args).await,
        }
    }
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.limits().maybe_query("limit", args.limit);
    let answer: Answer<Vec<Limit>> = request.maybe_query("cursor", args.cursor).send().await?;
    let limits = cx.out.read(&answer)?;
    if !cx.out.is_json() && limits.is_empty() {
        cx.out.note("there are no limits");
    } else {
        cx.out.shown(&answer, || {
            let rows = limits.iter().map(|limit| {
                [
                    limit.name.to_string(),
                    limit.running.to_string(),
                    or_empty(limit.concurrency),
                    rates_of(limit),
                    yes(limit.paused),
                    yes(limit.per_owner),
                    shortened(&limit.note),
                ]
            });
            columns(["limit", "running", "at once", "rates", "paused", "per owner", "note"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

async fn set(cx: &Context, args: SetArgs) -> Result<(), Failure> {
    let body = LimitBody {
        concurrency: args.concurrency,
        rates: Some(args.rates),
        paused: Some(args.paused),
        per_owner: Some(args.per_owner),
        note: args.note,
    };
    let answer = cx.hub.put_limit(&args.name, &body).once().send().await?;
    cx.out.answer(&answer, |limit| limit_facts(&limit, None))
}

async fn shut(cx: &Context, args: ShutArgs) -> Result<(), Failure> {
    let body = PenaltyBody {
        retry_after_ms: Some(args.for_ms),
        key: args.of,
        owner: args.owner,
        ..PenaltyBody::default()
    };
    let answer = cx.hub.penalise(&args.name, &body).once().send().await?;
    cx.out.answer(&answer, |PenaltyAnswer { name, shut_until, .. }| match args.for_ms {
        0 => format!("{}: open", shown(name)),
        _ => format!("{}: shut until {}", shown(name), time::of(shut_until)),
    })
}

fn yes(is_so: bool) -> String {
    if is_so { "yes".to_owned() } else { String::new() }
}

fn rates_of(limit: &Limit) -> String {
    let rates = limit.rates.iter().map(|rate| {
        let count = rate.count;
        let time = match rate.per_ms {
            ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
            ms => format!("{ms}ms"),
        };
        match rate.unit.known() {
            Some(RateUnit::Tokens) => format!("{count}/{time}/tokens"),
            _ => format!("{count}/{time}"),
        }
    });
    rates.collect::<Vec<_>>().join(" ")
}

/// How many run: of the key, and of all keys where there are more.
fn running_of(limit: &Limit, standing: Option<&LimitStanding>) -> String {
    match standing {
        Some(standing) if standing.held != limit.running => {
            format!("{} of this key, {} in all", standing.held, limit.running)
        }
        _ => limit.running.to_string(),
    }
}

fn kinds(classes: i64) -> String {
    match classes {
        0 => "none".to_owned(),
        1 => "tasks of one kind".to_owned(),
        classes => format!("tasks of {classes} kinds"),
    }
}

fn limit_facts(limit: &Limit, standing: Option<&LimitStanding>) -> String {
    facts([
        ("limit", limit.name.to_string()),
        ("at once", or_empty(limit.concurrency)),
        ("rates", rates_of(limit)),
        ("paused", yes(limit.paused)),
        ("per owner", yes(limit.per_owner)),
        ("note", limit.note.clone()),
        ("set by", limit.updated_by.clone()),
        ("set", time::of(limit.updated_at)),
        ("key", or_empty(standing.and_then(|it| it.key.as_ref()))),
        ("running", running_of(limit, standing)),
        ("kept back", or_empty(standing.map(|it| kinds(it.parked_classes)))),
        ("shut by", or_empty(standing.and_then(|it| it.shut_by.as_ref()))),
        ("opens", or_empty(standing.and_then(|it| it.opens_at).map(time::of))),
        ("refused", or_empty(standing.and_then(|it| it.penalised_at).map(time::of))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_typed() {
        let read = |text: &str| {
            rate(text).map(|rate| (rate.count.unwrap(), rate.per_ms.unwrap(), rate.unit))
        };
        assert_eq!(read("600/60s"), Ok((600, 60_000, None)));
        assert_eq!(read("5/250ms"), Ok((5, 250, None)));
        assert_eq!(read("9/1m/tokens"), Ok((9, 60_000, Some("tokens".to_owned()))));
        for text in
            ["", "600", "600/60", "x/1s", "1/xs", "1/1d", "1//tokens", "1/99999999999999999h"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
