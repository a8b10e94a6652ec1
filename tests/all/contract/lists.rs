//! The lists of nodes: filters, order, pages.

use serde_json::{Value, json};

use super::caller;
use crate::harness::{Answer, Client, registration, unique};

/// Registers a node with this tag and returns its id.
fn tagged(client: &Client, tag: &str, skills: &[&str]) -> String {
    let mut body = registration(&unique("listed"));
    body["tags"] = json!([tag]);
    body["available_skills"] = json!(skills);
    client.post("/nodes/register", &body).ok()["node_id"].as_str().unwrap().to_owned()
}

fn ids(nodes: &[Value]) -> Vec<&str> {
    nodes.iter().map(|node| node["node_id"].as_str().unwrap()).collect()
}

/// The target of the link to the next page, below the base path.
pub fn next_page(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (target, rel) = link.split_once('>').unwrap();
    assert!(rel.contains("rel=\"next\""), "{link}");
    let (_, path) = target.split_once("/api/v1").unwrap_or_else(|| panic!("{link}"));
    assert!(target.starts_with('<'), "{link}");
    Some(path.to_owned())
}

/// Follows the pages from this path to the end.
fn all_pages(client: &Client, first: &str, limit: usize) -> Vec<Value> {
    let mut nodes = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(current) = path {
        let answer = client.get(&current);
        let page = answer.list();
        assert!(page.len() <= limit, "{answer}");
        nodes.extend(page);
        path = next_page(&answer);
    }
    nodes
}

#[test]
fn filters_narrow_the_list_and_combine() {
    let (_hub, client) = caller();
    let tag = unique("tag");
    let first = tagged(&client, &tag, &["paint", "cook"]);
    let second = tagged(&client, &tag, &["paint"]);
    let third = tagged(&client, &tag, &["cook"]);
    client.post_empty(&format!("/nodes/{second}/shutdown")).ok();

    let list = |query: &str| {
        let nodes = client.get(&format!("/nodes?tag={tag}{query}")).list();
        ids(&nodes).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
    };
    // The newest registration first.
    assert_eq!(list(""), [&*third, &*second, &*first]);
    assert_eq!(list("&skill=paint"), [&*second, &*first]);
    assert_eq!(list("&skill=paint&status=online"), [&*first]);
    assert_eq!(list("&status_filter=offline"), [&*second]);
    assert_eq!(list("&status_filter=&skill="), [&*third, &*second, &*first]);
    assert_eq!(list("&skill=pain"), Vec::<String>::new());
    assert_eq!(list("&status=busy"), Vec::<String>::new());

    // A list without filters has them too, in the same order.
    let all = client.get("/nodes?limit=1000").list();
    let ours: Vec<_> = ids(&all)
        .into_iter()
        .filter(|id| [&first, &second, &third].contains(&&(*id).to_owned()))
        .collect();
    assert_eq!(ours, [&*third, &*second, &*first]);
}

#[test]
fn a_node_in_a_list_is_the_node_itself() {
    let (_hub, client) = caller();
    let tag = unique("tag");
    let id = tagged(&client, &tag, &["build"]);
    client.beat(&id, &json!({"cpu_usage": 12.5, "running_tasks": 1}));
    let node = client.node(&id);
    assert_eq!(client.get(&format!("/nodes?tag={tag}")).list(), std::slice::from_ref(&node));
    let online = client.get("/nodes/online").list();
    assert!(online.contains(&node), "{online:?}");
}

#[test]
fn a_changed_node_moves_between_the_filters() {
    let (_hub, client) = caller();
    let (tag, other) = (unique("tag"), unique("other"));
    let (skill, newer) = (unique("skill"), unique("newer"));
    let id = tagged(&client, &tag, &[&skill]);
    client
        .patch(&format!("/nodes/{id}"), &json!({"available_skills": [newer], "tags": [other]}))
        .ok();
    for (query, expected) in [
        (format!("tag={tag}"), 0),
        (format!("tag={other}"), 1),
        (format!("skill={skill}"), 0),
        (format!("skill={newer}"), 1),
        (format!("skill={newer}&status=busy"), 0),
    ] {
        assert_eq!(client.get(&format!("/nodes?{query}")).list().len(), expected, "{query}");
    }
    client.beat(&id, &json!({"status": "busy"}));
    assert_eq!(client.get(&format!("/nodes?skill={newer}&status=busy")).list().len(), 1);
    assert_eq!(client.get(&format!("/nodes?skill={newer}&status=online")).list().len(), 0);
}

#[test]
fn bad_parameters_are_named() {
    let (_hub, client) = caller();
    for (field, query) in [
        ("status_filter", "status_filter=asleep"),
        ("status", "status=asleep"),
        ("limit", "limit=0"),
        ("limit", "limit=1001"),
        ("limit", "limit=-1"),
        ("limit", "limit=ten"),
        ("cursor", "cursor=%7Bnonsense"),
    ] {
        let answer = client.get(&format!("/nodes?{query}"));
        answer.problem_with(400, "invalid_parameter", field);
    }
}

#[test]
fn pages_hold_every_node_once_also_while_others_arrive() {
    let (_hub, client) = caller();
    let tag = unique("paged");
    let mut expected: Vec<_> = (0..7).map(|_| tagged(&client, &tag, &["build"])).collect();
    expected.reverse();
    let path = format!("/nodes?tag={tag}&limit=3");

    let nodes = all_pages(&client, &path, 3);
    assert_eq!(ids(&nodes), expected);

    let first = client.get(&path);
    tagged(&client, &tag, &["build"]);
    let rest = all_pages(&client, &next_page(&first).expect("more than one page"), 3);
    let mut seen = ids(&first.list()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    seen.extend(ids(&rest).into_iter().map(str::to_owned));
    assert_eq!(seen, expected, "an arrival shows up in no later page");

    let whole = client.get(&format!("/nodes?tag={tag}&limit=1000"));
    assert_eq!(whole.header("link"), None, "{whole}");
}

#[test]
fn pages_of_combined_filters_hold_every_match_once() {
    let (_hub, client) = caller();
    let tag = unique("mixed");
    let mut expected = Vec::new();
    for n in 0..9 {
        let id = tagged(&client, &tag, if n % 3 == 0 { &["paint", "cook"] } else { &["cook"] });
        if n % 3 == 0 {
            expected.insert(0, id);
        }
    }
    let nodes = all_pages(&client, &format!("/nodes?tag={tag}&skill=paint&limit=2"), 2);
    assert_eq!(ids(&nodes), expected);
}

#[test]
fn online_means_exactly_that() {
    let (_hub, client) = caller();
    let tag = unique("tag");
    let states = ["online", "busy", "maintenance", "error", "offline"];
    let nodes = states.map(|status| {
        let id = tagged(&client, &tag, &["build"]);
        client.patch(&format!("/nodes/{id}"), &json!({"status": status})).ok();
        id
    });
    let online = all_pages(&client, "/nodes/online", 1000);
    let online = ids(&online);
    for (status, id) in states.iter().zip(&nodes) {
        assert_eq!(online.contains(&id.as_str()), *status == "online", "{status}");
    }
}

#[test]
fn available_nodes_have_room_and_the_least_loaded_comes_first() {
    let (_hub, client) = caller();
    let node = |max: u32, running: u32| {
        let mut body = registration(&unique("load"));
        body["max_concurrent_tasks"] = json!(max);
        let id = client.post("/nodes/register", &body).ok()["node_id"].as_str().unwrap().to_owned();
        client.beat(&id, &json!({"running_tasks": running}));
        id
    };
    let (busy, full, over) = (node(5, 2), node(2, 2), node(2, 3));
    let (idle_small, idle_large) = (node(3, 0), node(50, 0));
    let asleep = node(5, 0);
    client.post_empty(&format!("/nodes/{asleep}/shutdown")).ok();

    let available = all_pages(&client, "/nodes/available", 1000);
    let ours: Vec<_> = ids(&available)
        .into_iter()
        .filter(|id| {
            [&busy, &full, &over, &idle_small, &idle_large, &asleep].iter().any(|it| it == id)
        })
        .collect();
    assert_eq!(ours, [&*idle_large, &*idle_small, &*busy]);
}

#[test]
fn skills_are_found_exactly_whatever_they_are_called() {
    let (_hub, client) = caller();
    let tail = unique("s");
    for (skill, path) in [
        (format!("图像生成-{tail}"), format!("%E5%9B%BE%E5%83%8F%E7%94%9F%E6%88%90-{tail}")),
        (format!("ci/cd-{tail}"), format!("ci%2Fcd-{tail}")),
        (format!("a b+c-{tail}"), format!("a%20b+c-{tail}")),
        (format!("100%-{tail}"), format!("100%25-{tail}")),
        (format!("C#:{{x}}-{tail}"), format!("C%23%3A%7Bx%7D-{tail}")),
    ] {
        let id = client.new_node_with("skilled", &[&skill])["node_id"].clone();
        let found = client.get(&format!("/nodes/skills/{path}")).list();
        assert_eq!(found.len(), 1, "{skill}");
        assert_eq!(found[0]["node_id"], id, "{skill}");
        let none = client.get(&format!("/nodes/skills/{path}x")).list();
        assert_eq!(none, Vec::<Value>::new(), "{skill}");
    }
}

#[test]
fn a_skill_may_be_called_like_a_route() {
    let (_hub, client) = caller();
    for skill in ["heartbeat", "health", "shutdown", "register", "online"] {
        let node = client.new_node_with("routed", &[skill]);
        let found = client.get(&format!("/nodes/skills/{skill}")).list();
        assert!(found.contains(&node), "{skill}");
    }
}

#[test]
fn only_online_nodes_are_found_by_skill() {
    let (_hub, client) = caller();
    let skill = unique("skill");
    let id = client.new_node_with("sleepy", &[&skill])["node_id"].as_str().unwrap().to_owned();
    let count = || client.get(&format!("/nodes/skills/{skill}")).list().len();
    assert_eq!(count(), 1);
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    assert_eq!(count(), 0);
    client.beat(&id, &json!({}));
    assert_eq!(count(), 1);
    client.patch(&format!("/nodes/{id}"), &json!({"status": "maintenance"})).ok();
    assert_eq!(count(), 0);
}
