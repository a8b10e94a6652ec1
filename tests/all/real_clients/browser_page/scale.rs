use std::time::Instant;

use serde_json::json;

use super::Used as _;
use crate::harness::{Browser, Hub};

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
