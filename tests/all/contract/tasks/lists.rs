//! Lists of tasks: filters, order, pages.

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, ids, ids_of};
use crate::harness::{Answer, Client, unique};

/// The target of `Link: <…>; rel="next"`, below `/api/v1`.
pub(super) fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    assert!(rest.contains("rel=\"next\""), "{link}");
    let at = target.find("/api/v1/").unwrap_or_else(|| panic!("{link}"));
    Some(target[at + "/api/v1".len()..].to_owned())
}

/// All pages from a path on; `between` is called before each further one.
fn pages(client: &Client, path: &str, mut between: impl FnMut()) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut path = Some(path.to_owned());
    while let Some(from) = path {
        let answer = client.get(&from);
        pages.push(answer.list());
        path = next(&answer);
        between();
    }
    pages
}

#[test]
fn tasks_are_listed_newest_first_by_any_filter() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let user = unique("user");
    let of_user = |_| desk.submit(json!({"user_id": user}));
    let [first, second, third] = [0, 1, 2].map(of_user);
    let other = desk.submit(json!({}));
    let list = |query: &str| ids(&client.get(&format!("/tasks?{query}")).list());
    assert_eq!(list(&format!("user_id={user}")), [&*third, &*second, &*first]);
    let held = desk.claim_with(&node, json!({"limit": 2}));
    assert_eq!(ids_of(&held), [&*first, &*second]);
    desk.post(&held[0], "complete", json!({})).ok();
    assert_eq!(list(&format!("assigned_node={node}")), [&*second, &*first]);
    assert_eq!(list(&format!("assigned_node={node}&status=running")), [&*second]);
    assert_eq!(list(&format!("user_id={user}&status=pending")), [&*third]);
    assert_eq!(list(&format!("user_id={user}&status=completed&assigned_node={node}")), [&*first]);
    assert_eq!(list(&format!("user_id={user}&status=")), [&*third, &*second, &*first]);
    assert_eq!(list(&format!("user_id={}", unique("nobody"))), Vec::<String>::new());
    assert!(list("limit=1000").contains(&other));
}

#[test]
fn pages_join_without_a_hole_while_tasks_are_added() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let user = unique("user");
    let submit = || desk.submit(json!({"user_id": user}));
    let mut expected: Vec<_> = (0..7).map(|_| submit()).collect();
    expected.reverse();
    for filter in [format!("user_id={user}"), format!("user_id={user}&status=pending")] {
        let path = format!("/tasks?{filter}&limit=3");
        // The second filter sees what was added under the first.
        let before = ids(&client.get(&format!("/tasks?{filter}")).list());
        assert!(before.ends_with(&expected));
        let pages = pages(&client, &path, || drop(submit()));
        assert!(pages.iter().all(|page| page.len() <= 3));
        let found: Vec<_> = pages.iter().flat_map(|page| ids(page)).collect();
        assert_eq!(found, before);
    }
    // The last page says that it is the last, also when it is full.
    let answer = client.get(&format!("/tasks?user_id={user}&limit=1000"));
    let count = answer.list().len();
    assert_eq!(next(&answer), None);
    assert_eq!(next(&client.get(&format!("/tasks?user_id={user}&limit={count}"))), None);
}

#[test]
fn what_waits_is_listed_in_the_order_of_claiming() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let ranked: Vec<_> =
        [3, 0, 2, 0, 1].map(|priority| desk.submit(json!({"priority": priority}))).into();
    let delayed = desk.submit(json!({"delay_ms": 600_000}));
    let expected = [1, 3, 4, 2, 0].map(|n: usize| ranked[n].clone());
    let mine = |tasks: Vec<String>| -> Vec<String> {
        tasks.into_iter().filter(|id| ranked.contains(id) || *id == delayed).collect()
    };
    // On a hub that others use, too, even a page of a thousand may end early: for its bytes.
    for limit in [1000, 2] {
        let paged = pages(&client, &format!("/tasks/pending?limit={limit}"), || ());
        assert_eq!(mine(paged.iter().flat_map(|page| ids(page)).collect()), expected);
    }
    let node = desk.node(10);
    assert_eq!(ids_of(&desk.claim(&node)), expected);
    assert_eq!(mine(ids(&client.get("/tasks/pending?limit=1000").list())), Vec::<String>::new());
}

#[test]
fn dead_letters_are_listed_latest_first() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let mut expected: Vec<_> = (0..5).map(|_| desk.submit(json!({}))).collect();
    for id in &expected {
        desk.bury(&node, id);
    }
    expected.reverse();
    let mine = |tasks: Vec<String>| -> Vec<String> {
        tasks.into_iter().filter(|id| expected.contains(id)).collect()
    };
    for limit in [1000, 2] {
        let paged = pages(&client, &format!("/tasks/dead?limit={limit}"), || ());
        assert!(paged.iter().all(|page| page.len() <= limit));
        assert_eq!(mine(paged.iter().flat_map(|page| ids(page)).collect()), expected);
    }
}
