//! The ledger's journal, read and verified without a hub.

use reef_api::AgentId;
use reef_domain::Money;
use reef_domain::journal::{Entry, Verifier};
use reef_store::Store;
use reef_store::entry::List;

use super::store::{Blocking, now, store};

/// The entries behind those that a verifier has read, each of which must be sound.
#[track_caller]
pub fn read_on(store: &Store<Blocking>, verifier: &mut Verifier) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut after = Some(verifier.entries());
    while after.is_some() {
        let call = List {
            agent_id: &AgentId::from(""),
            oldest_first: true,
            limit: 1000,
            after,
            filled: 0,
        };
        let page = now(store.call(&call)).unwrap();
        for entry in &page.rows {
            verifier.feed(entry).unwrap();
        }
        entries.extend(page.rows);
        after = page.next;
    }
    entries
}

/// Reads the whole journal; each entry of it must be sound, and what the accounts have must be what
/// it says. For a ledger in which nothing moves.
#[track_caller]
pub fn verified_journal(connection: redis::Connection) -> (Vec<Entry>, Verifier) {
    let store = store(connection);
    let mut verifier = Verifier::default();
    let entries = read_on(&store, &mut verifier);
    let head: (i64, String) =
        store.redis().ask(redis::cmd("HMGET").arg("reef:ledger").arg("entries").arg("link"));
    assert_eq!(head, (verifier.entries(), verifier.link().to_owned()));
    for (account, figures) in verifier.accounts() {
        let mut stored = redis::cmd("HMGET");
        stored.arg(format!("reef:account:{account}")).arg("balance").arg("locked");
        let stored: (i64, i64) = store.redis().ask(&stored);
        assert_eq!(stored, (figures.balance, figures.locked), "{account}");
        let mirror: String = store.redis().ask(redis::cmd("GET").arg(format!("balance:{account}")));
        assert_eq!(mirror, Money::from_micros(figures.balance).unwrap().to_string(), "{account}");
    }
    let sum: i64 = verifier.accounts().values().map(|figures| figures.balance).sum();
    assert_eq!(sum, 0, "money appeared or vanished");
    (entries, verifier)
}
