//! `reef schedules`.

use super::Shell;
use crate::harness::Hub;

#[test]
fn a_schedule_is_set_watched_and_removed() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    assert_eq!(shell.run(&["schedules", "list"]).stderr, "there are no schedules\n");
    let set = ["schedules", "set", "digest", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin"];
    let task =
        ["write", "--skill", "llm", "--label", "team=red", "--parameters", r#"{"pages": 2}"#];
    let made = shell.json(&[&set[..], &task[..], &["--paused"][..]].concat());
    assert_eq!(made["task"]["parameters"]["pages"], 2, "{made}");
    assert!(made["paused"] == true && made["next_at"].is_null(), "{made}");
    // What is set anew stays paused.
    let set = shell.ok(&[&set[..], &task[..]].concat());
    assert!(set.contains("0 2 * * * Europe/Berlin") && set.contains("paused    yes"), "{set}");

    let said = shell.ok(&["schedules", "trigger", "digest"]);
    let task_id = said.trim_end().strip_prefix("digest: submitted ").unwrap();
    assert!(shell.ok(&["tasks", "show", task_id]).contains("schedule=digest team=red"));
    let again = shell.run(&["schedules", "trigger", "digest"]);
    assert!(again.code == Some(1) && again.stderr.contains(task_id), "{again:?}");
    let shown = shell.ok(&["schedules", "show", "digest"]);
    assert!(shown.contains("1 started") && shown.contains(task_id), "{shown}");

    let nights = ["--from", "2025-03-29T00:00:00Z", "--to", "2025-03-31T12:00:00Z"];
    let backfill = [&["schedules", "backfill", "digest"][..], &nights[..]].concat();
    let few = shell.run(&[&backfill[..], &["--most", "2"][..]].concat());
    assert_eq!(few.code, Some(1), "{few:?}");
    let begun = shell.ok(&backfill);
    assert_eq!(begun.matches("sch_digest_").count(), 3, "{begun}");
    assert_eq!(shell.run(&backfill).stderr, "no run of that time is left to begin\n");

    let resumed = shell.ok(&["schedules", "resume", "digest", "--note", "tried"]);
    assert!(resumed.contains("next ") && resumed.contains("tried"), "{resumed}");
    let listed = shell.ok(&["schedules", "list"]);
    assert!(listed.starts_with("SCHEDULE ") && listed.contains("4 started"), "{listed}");
    assert_eq!(shell.ok(&["schedules", "remove", "digest"]), "digest: removed\n");
    let gone = shell.run(&["schedules", "show", "digest"]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
}

#[test]
fn a_schedule_has_a_pattern_or_a_pace() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let set =
        |more: &[&str]| shell.run(&[&["schedules", "set", "poll", "poll"][..], more].concat());
    assert_eq!(set(&[]).code, Some(2));
    assert_eq!(set(&["--cron", "@daily", "--every", "5m"]).code, Some(2));
    assert_eq!(set(&["--every", "5m", "--timezone", "UTC"]).code, Some(2));
    assert_eq!(set(&["--every", "5"]).code, Some(2));
    let wrong = set(&["--cron", "61 * * * *"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("spec.cron"), "{wrong:?}");
    let catch_up =
        ["--catch-up", "all", "--catch-up-window-ms", "43200000", "--catch-up-most", "5"];
    let poll = set(&[&["--every", "5m", "--overlap", "allow"][..], &catch_up[..]].concat());
    assert_eq!(poll.code, Some(0), "{poll:?}");
    for said in ["every 5m", "allow", "the latest 5, at most 12h late"] {
        assert!(poll.stdout.contains(said), "{poll:?}");
    }
}
