//! Two agents of one hostname, on machines that know nothing of each other.

use std::path::Path;

use super::agent::{is_alive, leader, registered, stays, written};
use super::{Running, Shell};
use crate::harness::{Hub, PATIENCE, Signal, eventually, unique};

fn start(shell: &Shell, hostname: &str, file: &Path) -> Running {
    shell.start(&[
        "agent",
        "--campaign",
        "--leader-ttl",
        "3",
        "--hostname",
        hostname,
        "--on-elected",
        &stays(file),
    ])
}

#[test]
fn the_command_of_the_second_waits_for_the_end_of_the_firsts() {
    let hub = Hub::start();
    // Each keeps its state in a folder of its own.
    let (here, there) = (Shell::of(&hub), Shell::of(&hub));
    let name = &unique("host");
    for how in [Signal::Stop, Signal::Kill] {
        let (file, next_file) = (here.folder.path().join("one"), there.folder.path().join("two"));
        let first = start(&here, name, &file);
        let (pid, term, node) = eventually("the first command", PATIENCE, || written(&file));
        first.signal(how);
        let second = start(&there, name, &next_file);
        assert_eq!(registered(&second), node);
        let (next, next_term) = eventually("the second command", PATIENCE, || {
            let (next, next_term, _) = written(&next_file)?;
            assert!(!is_alive(pid), "{how:?}: both run, under the terms {term} and {next_term}");
            Some((next, next_term))
        });
        assert!(next_term > term, "{how:?}: {term}, then {next_term}");
        assert_eq!(
            (&leader(&hub)["leader"], &leader(&hub)["term"]),
            (&node.into(), &next_term.into())
        );

        // The first one, awake again, learns that it is replaced, and runs nothing.
        if matches!(how, Signal::Stop) {
            first.signal(Signal::Continue);
            let ended = first.wait();
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(is_alive(next));
        }
        second.signal(Signal::Terminate);
        assert_eq!(second.wait().code, Some(0));
        let _ = std::fs::remove_file(&file);
    }
}

#[test]
fn an_agent_that_is_replaced_stops_its_command_at_once() {
    let hub = Hub::start();
    let (here, there) = (Shell::of(&hub), Shell::of(&hub));
    let name = &unique("host");
    let file = here.folder.path().join("one");
    let first = start(&here, name, &file);
    let (pid, term, _) = eventually("the command", PATIENCE, || written(&file));
    let next_file = there.folder.path().join("two");
    let _second = start(&there, name, &next_file);
    let ended = first.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    eventually("the command's end", PATIENCE, || (!is_alive(pid)).then_some(()));
    let (_, next_term, _) = eventually("the second command", PATIENCE, || written(&next_file));
    assert!(next_term > term);
}
