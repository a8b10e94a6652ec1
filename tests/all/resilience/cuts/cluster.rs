//! The same for the cluster's events.

use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::reader::{Cuts, Place, Reader};
use super::{World, seeds};
use crate::harness::{Client, PATIENCE, eventually};

/// Lets nodes come and go.
fn stir(client: &Client, rng: &mut Rng) {
    let id = client.new_node("stirred");
    match rng.u8(..4) {
        0 => {
            client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
            client.beat(&id, &json!({}));
        }
        1 => {
            client.patch(&format!("/nodes/{id}"), &json!({"status": "maintenance"})).ok();
        }
        2 => {
            client.delete(&format!("/nodes/{id}")).ok();
        }
        _ => {
            let campaign = json!({"node_id": id, "ttl_ms": 100});
            client.post("/cluster/leader/campaign", &campaign).ok();
        }
    }
}

/// The events behind one, up to another and with it.
fn listed(client: &Client, mut after: String, last: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Page {
        events: Vec<Box<RawValue>>,
        next: String,
    }
    let mut all = Vec::new();
    while !all.iter().any(|event: &String| event.contains(last)) {
        let answer = client.get(&format!("/cluster/events?limit=1000&after={after}"));
        assert_eq!(answer.ok()["gap"], json!(null));
        let page: Page = serde_json::from_slice(&answer.body).unwrap();
        after = page.next;
        all.extend(page.events.iter().map(|event| event.get().to_owned()));
    }
    let end = all.iter().position(|event| event.contains(last)).unwrap();
    all.truncate(end + 1);
    all
}

#[test]
fn wherever_the_clusters_stream_is_cut_every_event_arrives_once() {
    const WRITERS: usize = 2;
    const ROUNDS: usize = 20;
    let world = &World::start();
    let hosts = &world.hosts;
    let mut begin = "0".to_owned();
    seeds::each(4, |seed| {
        let mut rng = Rng::with_seed(seed);
        let stirred = &AtomicUsize::new(0);
        let (received, last) = std::thread::scope(|scope| {
            let writing: Vec<_> = (0..WRITERS)
                .map(|n| {
                    let mut rng = rng.fork();
                    scope.spawn(move || {
                        for _ in 0..ROUNDS {
                            stir(&hosts[n % hosts.len()], &mut rng);
                            stirred.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let reading: Vec<_> = [Cuts::None, Cuts::AfterEachEvent, Cuts::AnyByte]
                .map(|cuts| {
                    let (mut rng, begin) = (rng.fork(), begin.clone());
                    scope.spawn(move || {
                        let moment = rng.usize(..WRITERS * ROUNDS);
                        eventually("stirring", PATIENCE, || {
                            (stirred.load(Ordering::Relaxed) >= moment).then_some(())
                        });
                        let stream = "/events/stream".to_owned();
                        let mut received = Vec::new();
                        let mut reader = Reader::new(hosts, stream, cuts, rng);
                        reader.read(Place { names: vec![begin] }, |frame| {
                            received.push((frame.cursor().to_owned(), frame.data.clone().unwrap()));
                            let is_last = received.last().unwrap().1.contains("the-end");
                            (!is_last).then(|| Place { names: vec![frame.cursor().to_owned()] })
                        });
                        received
                    })
                })
                .into();
            writing.into_iter().for_each(|it| it.join().unwrap());
            let last = hosts[0].new_node("the-end");
            let received: Vec<_> = reading.into_iter().map(|it| it.join().unwrap()).collect();
            (received, last)
        });
        let published = listed(&hosts[1], begin.clone(), &last);
        assert!(published.len() > WRITERS * ROUNDS, "{}", published.len());
        for reader in &received {
            let data: Vec<_> = reader.iter().map(|(_, data)| data.as_str()).collect();
            assert_eq!(data, published);
        }
        begin.clone_from(&received[0].last().unwrap().0);
    });
}
