use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Used as _;
use crate::harness::{Browser, Client, Hub};

const NODES: usize = 10_000;

/// Scrolls through a table for as long as is said, and tells the longest of its frames that was not
/// waited for, in milliseconds.
const SCROLL: &str = "new Promise((done) => {
    const box = document.querySelector('.table'); let longest = 0, frames = 0; const begun = performance.now();
    const observer = new PerformanceObserver((list) => { for (const it of list.getEntries()) longest = Math.max(longest, it.duration); });
    observer.observe({type: 'long-animation-frame', buffered: false});
    const step = () => {
      box.scrollTop += 460; frames += 1;
      if (performance.now() - begun < 4000) requestAnimationFrame(step);
      else setTimeout(() => { observer.disconnect(); done({longest, frames, top: box.scrollTop, rows: document.querySelectorAll('.table-body .row').length}); }, 200);
    };
    requestAnimationFrame(step);
  })";

/// Watches for frames that take long from now on.
const WATCH_FRAMES: &str = "window.longest = 0;
    new PerformanceObserver((list) => { for (const it of list.getEntries()) longest = Math.max(longest, it.duration); })
      .observe({type: 'long-animation-frame', buffered: false}); 0";

#[test]
fn ten_thousand_nodes_do_not_slow_the_page() {
    // None of them beats, and none is to fall silent meanwhile.
    let hub = Hub::options().open().timeout(600.0).start();
    let client = hub.anonymous();
    crate::harness::race(8, |worker| {
        for number in (worker..NODES).step_by(8) {
            client.new_node_with(&format!("node-{number:05}.lab"), &["python"]);
        }
    });
    let mut browser = Browser::start();
    let begun = Instant::now();
    let mut page = browser.open(&format!("{}/#/nodes", hub.url()));
    page.wait_for("document.querySelectorAll('.table-body .row').length > 5");
    let first = begun.elapsed();
    // All of them are said to be there, and only those that can be seen are in the page.
    page.shows("10,000 of 10,000 online");
    let before = page.worked();
    let scrolled = page.eval(SCROLL);
    let frames = scrolled["frames"].as_f64().unwrap();
    let work = (page.worked() - before) / frames;
    println!("first view {first:?}; {:.1} ms of work a frame; {scrolled}", 1e3 * work);
    assert!(scrolled["rows"].as_u64().unwrap() < 80, "{scrolled}");
    assert!(scrolled["top"].as_f64().unwrap() > 0.0, "{scrolled}");
    // To the end of the list, and nothing is there twice.
    let read = page.eval(
        "new Promise((done) => { const box = document.querySelector('.table'); const step = () => {
           box.scrollTop = box.scrollHeight;
           if (document.body.innerText.includes('there are more')) setTimeout(step, 30);
           else done(document.querySelector('.table').getAttribute('aria-rowcount')); }; step(); })");
    assert_eq!(read, json!((NODES + 1).to_string()));
    page.shows("node-00000.lab");
    // The filter goes through all that was read at once.
    page.eval("document.querySelector('[data-filter=first]').focus()");
    page.type_text("node-0777");
    page.wait_for("document.querySelectorAll('.table-body .row').length === 10");
}

/// Submits and cancels tasks so that the hub has fifty events a second to tell of, until it is told to
/// stop; says how many there were.
fn make_events(client: &Client, ends: &AtomicBool) -> u32 {
    let begun = Instant::now();
    let mut made = 0;
    while !ends.load(Ordering::Relaxed) {
        let task = client.post("/tasks", &json!({"name": "beside", "required_skills": ["none"]}));
        let id = task.ok()["task_id"].as_str().unwrap().to_owned();
        client.post_empty(&format!("/tasks/{id}/cancel")).ok();
        made += 2;
        let next = begun + made * Duration::from_millis(20);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    made
}

/// With `REEF_FULL=1` 10 000 nodes, 100 000 tasks and ten minutes; else what takes some seconds.
#[test]
fn a_busy_fleet_neither_slows_the_page_nor_fills_its_memory() {
    let is_full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
    let (nodes, tasks, rounds) = if is_full { (10_000, 100_000, 10) } else { (200, 2000, 2) };
    let round = if is_full { Duration::from_secs(60) } else { Duration::from_secs(2) };
    let hub = Hub::options().timeout(3600.0).start();
    let client = hub.admin();
    crate::harness::race(8, |worker| {
        for number in (worker..nodes).step_by(8) {
            client.new_node_with(&format!("node-{number:05}.lab"), &["python"]);
        }
    });
    let batch: Vec<_> = (0..1000)
        .map(|number| json!({"name": format!("task-{number:03}"), "required_skills": ["gpu"]}))
        .collect();
    for _ in 0..tasks / 1000 {
        client.post("/tasks/batch", &json!({"tasks": batch, "atomic": false})).ok();
    }
    let (ends, mut browser) = (AtomicBool::new(false), Browser::start());
    std::thread::scope(|scope| {
        let events = scope.spawn(|| make_events(&client, &ends));
        let mut page = browser.open(hub.url());
        page.sign_in(&hub.admin_key());
        for (view, there, filter) in [
            ("overview", ".figure", ""),
            ("nodes", ".table-body .row", "text=node-0010"),
            ("tasks", ".table-body .row", "name=task-010"),
        ] {
            page.go(&format!("{}/?{view}#/{view}", hub.url()));
            page.wait_for(&format!("document.querySelectorAll('{there}').length > 3"));
            let first = page.eval("performance.now()").as_f64().unwrap();
            println!("{view}: there after {first:.0} ms");
            let Some((_, text)) = filter.split_once('=') else { continue };
            let before = page.worked();
            let scrolled = page.eval(SCROLL);
            let work = (page.worked() - before) / scrolled["frames"].as_f64().unwrap();
            println!("{view}: {:.1} ms of work a frame; {scrolled}", 1e3 * work);
            page.eval(WATCH_FRAMES);
            page.eval(&format!("location.hash = '#/{view}?{filter}'; 0"));
            page.wait_for(&format!(
                "[...document.querySelectorAll('{there}')].every((it) => it.innerText.includes('{text}'))"
            ));
            let longest = page.eval("new Promise((done) => setTimeout(() => done(longest), 500))");
            println!("{view}: filtered, the longest frame took {longest} ms");
        }
        page.view("#/tasks");
        let mut held = Vec::new();
        for _ in 0..=rounds {
            held.push(page.holds() / 1e6);
            page.eval(&format!("new Promise((done) => setTimeout(done, {}))", round.as_millis()));
        }
        let parts = page.eval("document.querySelectorAll('*').length").as_u64().unwrap();
        ends.store(true, Ordering::Relaxed);
        println!(
            "{} events; MB held, round by round: {held:.1?}; {parts} elements",
            events.join().unwrap()
        );
        assert!(parts < 3000, "{parts}");
        // What it may keep of the past is bounded, and full after the first rounds.
        let (first, last) = (held[1], held[rounds]);
        assert!(last < 1.5 * first + 4.0, "{held:?}");
    });
}
