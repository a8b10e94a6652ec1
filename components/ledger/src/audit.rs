//! The audit, for whoever runs the hub. Its two chains are read together.

use std::collections::VecDeque;

use reef_api::audit::{AuditList, AuditSeals};
use reef_domain::limits::PAGE_DEFAULT;
use reef_domain::trail::{Chain, Entry};
use reef_store::Redis;
use reef_store::audit::{Filter, Page, Row, head, list as list_chain};
use reef_web::extract::Query;
use reef_web::route::Answer;
use reef_web::{Context, Problem, Response, page};

/// Longest text that entries are looked for by, in characters.
pub(crate) const FILTER_CHARS_MAX: usize = 100;

/// `GET /audit`: newest first, or with `order=oldest` from the first that is kept on.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let oldest_first = match query.get("order") {
        None | Some("newest") => false,
        Some("oldest") => true,
        Some(_) => return Err(Problem::parameter("order", "must be newest or oldest")),
    };
    let chains = match query.get("chain") {
        None => Chain::ALL.to_vec(),
        Some(_) => vec![chain_of(&query)?],
    };
    let filter = Filter {
        actor: text(&query, "actor")?,
        action: text(&query, "action")?,
        target: text(&query, "target")?,
    };
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let places = page::cursor(&query, Places::read)?.unwrap_or_default();
    let mut sources = Vec::with_capacity(chains.len());
    for chain in chains {
        let place = places.of(chain);
        let found = match place {
            Place::Ended => Page { next: None, looked_at: 0, rows: Vec::new() },
            _ => list_chain(cx.store, chain, oldest_first, limit, place.id(), filter).await?,
        };
        sources.push(Source::new(chain, place.clone(), found));
    }
    let most = usize::try_from(limit).unwrap_or_default();
    let (entries, next) = merged(sources, most, oldest_first);
    let response = Response::json(&AuditList { entries });
    Ok(page::with_next(response, cx.request, next.map(|places| places.write())))
}

fn text<'q>(query: &'q Query, name: &str) -> Result<&'q str, Problem> {
    let text = query.get(name).unwrap_or_default();
    if text.chars().count() > FILTER_CHARS_MAX {
        return Err(Problem::parameter(name, "is longer than what is looked for can be"));
    }
    Ok(text)
}

fn chain_of(query: &Query) -> Result<Chain, Problem> {
    let given = query.get("chain").unwrap_or_default();
    Chain::ALL
        .into_iter()
        .find(|chain| chain.as_str() == given)
        .ok_or_else(|| Problem::parameter("chain", "must be cluster or ledger"))
}

/// How far one chain has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Place {
    /// Not at all.
    #[default]
    Begin,
    /// To the entry that has this id in its stream.
    At(String),
    /// To its end.
    Ended,
}

impl Place {
    fn id(&self) -> &str {
        match self {
            Self::At(id) => id,
            Self::Begin | Self::Ended => "",
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Begin),
            "-" => Some(Self::Ended),
            id => {
                let number = |part: &str| {
                    (1..=20).contains(&part.len())
                        && part
                            .parse::<u64>()
                            .is_ok_and(|_| part.bytes().all(|byte| byte.is_ascii_digit()))
                };
                let (time, count) = id.split_once('-')?;
                (number(time) && number(count)).then(|| Self::At(id.to_owned()))
            }
        }
    }

    fn write(&self) -> &str {
        match self {
            Self::Begin => "",
            Self::At(id) => id,
            Self::Ended => "-",
        }
    }
}

/// How far both have been read, as a cursor has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Places {
    cluster: Place,
    ledger: Place,
}

impl Places {
    fn of(&self, chain: Chain) -> &Place {
        match chain {
            Chain::Cluster => &self.cluster,
            Chain::Ledger => &self.ledger,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (cluster, ledger) = text.split_once(',')?;
        Some(Self { cluster: Place::read(cluster)?, ledger: Place::read(ledger)? })
    }

    fn write(&self) -> String {
        format!("{},{}", self.cluster.write(), self.ledger.write())
    }
}

/// What was read of one chain.
struct Source {
    chain: Chain,
    rows: VecDeque<Row>,
    /// What is listed of it so far.
    place: Place,
    /// Where it goes on once all of its rows are listed.
    rest: Place,
    /// Until when it was looked at, where it goes on.
    horizon: Option<i64>,
}

impl Source {
    fn new(chain: Chain, place: Place, page: Page) -> Self {
        let horizon = page.next.is_some().then_some(page.looked_at);
        let rest = page.next.map_or(Place::Ended, Place::At);
        Self { chain, rows: page.rows.into(), place, rest, horizon }
    }

    /// When the entry was written that comes next, or what stands for it: what was not looked at is older
    /// than the horizon, or younger where the oldest comes first. `None`: nothing comes.
    fn due(&self) -> Option<i64> {
        self.rows.front().map(|row| row.entry.at.0).or(self.horizon)
    }

    fn settle(&mut self) {
        if self.rows.is_empty() {
            self.place = self.rest.clone();
        }
    }
}

/// The entries of several chains in the order of time, at most so many, and how far each has been listed;
/// `None`: to its end. Within a chain its own order stays, whatever the clock has done.
fn merged(
    mut sources: Vec<Source>,
    most: usize,
    oldest_first: bool,
) -> (Vec<Entry>, Option<Places>) {
    let mut entries = Vec::new();
    while entries.len() < most {
        let candidates = sources.iter_mut().filter_map(|source| Some((source.due()?, source)));
        let next = if oldest_first {
            candidates.min_by_key(|(at, _)| *at)
        } else {
            candidates.max_by_key(|(at, _)| *at)
        };
        let Some((_, source)) = next else { break };
        // What comes next there has to be read first.
        let Some(row) = source.rows.pop_front() else { break };
        source.place = Place::At(row.id);
        entries.push(row.entry);
    }
    sources.iter_mut().for_each(Source::settle);
    let goes_on = sources.iter().any(|source| source.place != Place::Ended);
    let mut places = Places { cluster: Place::Ended, ledger: Place::Ended };
    for source in sources {
        match source.chain {
            Chain::Cluster => places.cluster = source.place,
            Chain::Ledger => places.ledger = source.place,
        }
    }
    (entries, goes_on.then_some(places))
}

/// `GET /audit/seals`: what a chain says of itself, and its seals in order, one for each hundred entries.
pub(crate) async fn list_seals<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let chain = chain_of(&query)?;
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    let from = page::number_cursor(&query)?.unwrap_or(0);
    let found = head(cx.store, chain, from, limit).await?;
    let listed = i64::try_from(found.seals.len()).unwrap_or_default();
    let next = found.first + listed;
    let next = (listed == limit && next < found.total).then(|| next.to_string());
    let answer = AuditSeals {
        chain,
        entries: found.entries,
        link: found.link,
        begin: found.begin,
        lost: found.lost,
        before: found.before,
        first: found.first,
        seals: found.seals,
        total: found.total,
    };
    Ok(page::with_next(Response::json(&answer), cx.request, next))
}

#[cfg(test)]
mod tests {
    use reef_domain::time::UnixMillis;

    use super::*;

    fn row(chain: Chain, seq: i64, at: i64) -> Row {
        let entry = serde_json::json!({
            "chain": chain.as_str(), "seq": seq, "at": UnixMillis(at), "actor": "a", "via": "api", "action": "x.y",
            "target": "t", "reason": "", "request_id": "", "previous": "", "link": "",
        });
        Row { id: format!("{seq}-0"), entry: serde_json::from_value(entry).unwrap() }
    }

    fn page(chain: Chain, rows: &[(i64, i64)], next: Option<(&str, i64)>) -> Source {
        let rows = rows.iter().map(|(seq, at)| row(chain, *seq, *at)).collect();
        let (next, looked_at) = next.map_or((None, 0), |(id, at)| (Some(id.to_owned()), at));
        Source::new(chain, Place::Begin, Page { next, looked_at, rows })
    }

    fn listed(
        sources: Vec<Source>,
        most: usize,
        oldest_first: bool,
    ) -> (Vec<String>, Option<String>) {
        let (entries, places) = merged(sources, most, oldest_first);
        let names = entries.iter().map(|it| format!("{}{}", &it.chain.as_str()[..1], it.seq));
        (names.collect(), places.map(|places| places.write()))
    }

    #[test]
    fn two_chains_are_one_list_in_the_order_of_time() {
        let sources = || {
            let cluster = page(Chain::Cluster, &[(3, 30), (2, 20), (1, 10)], None);
            vec![cluster, page(Chain::Ledger, &[(2, 25), (1, 5)], None)]
        };
        let all = ["c3", "l2", "c2", "c1", "l1"].map(str::to_owned);
        assert_eq!(listed(sources(), 9, false), (all.to_vec(), None));
        assert_eq!(listed(sources(), 2, false), (all[..2].to_vec(), Some("3-0,2-0".into())));
        assert_eq!(listed(sources(), 4, false), (all[..4].to_vec(), Some("-,2-0".into())));
    }

    #[test]
    fn nothing_is_listed_before_what_may_still_come() {
        // Of the cluster's only what is younger than 20 was looked at.
        let cluster = page(Chain::Cluster, &[(9, 90)], Some(("5-0", 20)));
        let ledger = page(Chain::Ledger, &[(2, 50), (1, 10)], None);
        let (names, next) = listed(vec![cluster, ledger], 9, false);
        assert_eq!((names, next), (vec!["c9".to_owned(), "l2".into()], Some("5-0,2-0".into())));
        // A filter that lets nothing through still goes on.
        let nothing = page(Chain::Cluster, &[], Some(("5-0", 20)));
        let ended = page(Chain::Ledger, &[], None);
        assert_eq!(listed(vec![nothing, ended], 9, false), (vec![], Some("5-0,-".into())));
    }

    #[test]
    fn a_chain_keeps_its_order_where_the_clock_was_set_back() {
        let cluster = page(Chain::Cluster, &[(1, 90), (2, 10)], None);
        let ledger = page(Chain::Ledger, &[(1, 50)], None);
        assert_eq!(listed(vec![cluster, ledger], 9, true).0, ["l1", "c1", "c2"]);
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for text in [",", "5-0,", "-,7-1", "18446744073709551615-0,-"] {
            assert_eq!(Places::read(text).unwrap().write(), text);
        }
        for bad in
            ["", "5-0", "5,", "x-0,", "-1-0,", "18446744073709551616-0,", "5-0,7-0,", "+5-0,"]
        {
            assert_eq!(Places::read(bad), None, "{bad}");
        }
    }
}
