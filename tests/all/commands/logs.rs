//! `reef tasks logs`, and `reef worker --log`.

use serde_json::{Value, json};

use super::{Running, Shell};
use crate::contract::{Desk, Held};
use crate::harness::{Hub, NewAgent, PATIENCE, Proxy, eventually, unique};

/// A hub, and an agent whose tasks a worker of its own runs.
struct Fleet {
    hub: Hub,
    agent: NewAgent,
    shell: Shell,
    desk: Desk,
}

impl Fleet {
    fn new() -> Self {
        Self::of(Hub::start())
    }

    fn of(hub: Hub) -> Self {
        let agent = hub.admin().new_agent();
        let shell = Shell::at(hub.url()).with("REEF_API_KEY", &agent.key);
        let desk = Desk::new(&agent.client);
        Self { hub, agent, shell, desk }
    }

    /// A worker that runs this script for each task, with `--log`.
    fn work(&self, script: &str) -> Running {
        self.work_with(&["--log"], script)
    }

    fn work_with(&self, more: &[&str], script: &str) -> Running {
        let state = self.shell.folder.path().join("worker").display().to_string();
        let args =
            ["worker", "--skill", &self.desk.skill, "--hostname", "w", "--state-dir", &state];
        let command = ["--exec", "sh", "-c", script];
        let args: Vec<&str> = args.iter().chain(more).chain(&command).copied().collect();
        let worker = self.shell.start(&args);
        worker.until_said("registered");
        worker
    }

    fn until_ended(&self, task: &str) -> Value {
        eventually("the task's end", PATIENCE, || {
            let task = self.desk.task(task);
            let is_over = task["completed_at"].is_string();
            is_over.then_some(task)
        })
    }

    fn lines(&self, task: &str) -> Vec<Value> {
        let (mut lines, mut cursor) = (Vec::new(), "0".to_owned());
        loop {
            let path = format!("/tasks/{task}/log?limit=1000&after={cursor}");
            let log = self.agent.client.get(&path).ok();
            assert_eq!(log["gap"], Value::Null);
            lines.extend(log["lines"].as_array().unwrap().clone());
            if log["has_more"] == false {
                return lines;
            }
            log["cursor"].as_str().unwrap().clone_into(&mut cursor);
        }
    }

    fn texts(&self, task: &str) -> Vec<String> {
        let lines = self.lines(task);
        lines.iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    /// A task that this test runs itself.
    fn begin(&self) -> Held {
        let node = self.desk.node(1);
        self.desk.submit(json!({}));
        self.desk.claim_one(&node)
    }

    fn say(&self, held: &Held, texts: &[&str]) {
        let lines: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
        self.desk.post(held, "log", json!({ "lines": lines })).ok();
    }
}

#[test]
fn a_worker_sends_what_its_command_prints_before_the_task_ends() {
    let fleet = Fleet::new();
    let script = r#"
        echo one; echo '{"progress": 0.5}'; echo two >&2; printf '10 %%\r100 %%\n'; echo
        echo '{"result": {"n": 1}}'; printf 'no end of line'"#;
    let _worker = fleet.work(script);
    for _ in 0..5 {
        let task = fleet.desk.submit(json!({}));
        let ended = fleet.until_ended(&task);
        assert_eq!((&ended["status"], &ended["result"]), (&json!("completed"), &json!({"n": 1})));
        // Nothing is missing the moment the task has ended.
        let lines = fleet.lines(&task);
        let of = |stream: &str| -> Vec<&str> {
            let theirs = lines.iter().filter(|line| line["stream"] == stream);
            theirs.map(|line| line["text"].as_str().unwrap()).collect()
        };
        // Once for each try: on a busy machine a node may fall silent, and its task is tried again.
        let tries = fleet.desk.client.get(&format!("/tasks/{task}/attempts")).ok();
        let tries = tries["attempts"].as_array().unwrap().len();
        assert_eq!(of("stdout"), ["one", "100 %", "", "no end of line"].repeat(tries));
        assert_eq!(of("stderr"), ["two"].repeat(tries));
    }
}

#[test]
fn a_failed_try_and_the_next_one_are_told_apart_and_without_the_flag_nothing_is_sent() {
    let fleet = Fleet::new();
    let script = r#"echo "try $REEF_TASK_ATTEMPT"; echo broken >&2; [ "$REEF_TASK_ATTEMPT" = 2 ]"#;
    let retry = json!({"max_retries": 1, "retry": {"first_ms": 100}});
    let task = {
        // As it stands in reef.toml.
        std::fs::write(fleet.shell.folder.path().join("reef.toml"), "[worker]\nlog = true\n")
            .unwrap();
        let _worker = fleet.work_with(&[], script);
        let task = fleet.desk.submit(retry);
        assert_eq!(fleet.until_ended(&task)["status"], "completed");
        task
    };
    let lines = fleet.lines(&task);
    let said: Vec<_> = lines
        .iter()
        .filter(|it| it["stream"] == "stdout")
        .map(|it| (&it["attempt"], &it["text"]))
        .collect();
    assert_eq!(said, [(&json!(1), &json!("try 1")), (&json!(2), &json!("try 2"))]);
    let printed = fleet.shell.run(&["tasks", "logs", &task]);
    assert!(printed.stderr.contains("what follows was said by try 2"), "{printed:?}");

    std::fs::remove_file(fleet.shell.folder.path().join("reef.toml")).unwrap();
    let _worker = fleet.work_with(&[], "echo quiet");
    let task = fleet.desk.submit(json!({}));
    fleet.until_ended(&task);
    assert_eq!(fleet.texts(&task), Vec::<String>::new());
}

#[test]
fn a_command_that_prints_faster_than_the_hub_takes_is_not_slowed_and_what_is_lost_is_counted() {
    const LINES: usize = 20_000;
    let fleet = Fleet::new();
    let _worker = fleet.work(&format!("seq {LINES}; echo last"));
    let task = fleet.desk.submit(json!({}));
    assert_eq!(fleet.until_ended(&task)["status"], "completed");
    let texts = fleet.texts(&task);
    let dropped = |text: &String| -> Option<usize> {
        text.strip_suffix(" lines were dropped: they came faster than the hub took them")?
            .parse()
            .ok()
    };
    let lost: usize = texts.iter().filter_map(dropped).sum();
    let kept = texts.iter().filter(|text| dropped(text).is_none()).count();
    assert!(lost > 0);
    assert_eq!(lost + kept, LINES + 1, "each line is there, or counted");
    // What is there is in order.
    let numbers: Vec<usize> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    assert!(numbers.is_sorted());
}

#[test]
fn a_hub_that_is_away_costs_the_task_nothing_but_lines() {
    let fleet = Fleet::new();
    let script = "echo before; touch began; until [ -e go ]; do sleep 0.05; done; echo after";
    let worker = fleet.work(script);
    let task = fleet.desk.submit(json!({}));
    eventually("the first line", PATIENCE, || (fleet.texts(&task) == ["before"]).then_some(()));
    fleet.hub.freeze();
    std::fs::write(fleet.shell.folder.path().join("go"), "").unwrap();
    worker.until_said("after");
    fleet.hub.thaw();
    assert_eq!(fleet.until_ended(&task)["status"], "completed");
    let texts = fleet.texts(&task);
    assert!(texts == ["before", "after"] || texts == ["before"], "{texts:?}");
}

#[test]
fn logs_are_followed_over_a_connection_that_breaks() {
    const LINES: usize = 400;
    let fleet = Fleet::new();
    let proxy = Proxy::start(fleet.hub.url().strip_prefix("http://").unwrap());
    let shell = Shell::at(&proxy.url()).with("REEF_API_KEY", &fleet.agent.key);
    let held = fleet.begin();
    let follow = shell.start(&["tasks", "logs", &held.id, "-f", "--raw"]);
    for n in 0..LINES {
        fleet.say(&held, &[&n.to_string()]);
        if n % 100 == 50 {
            follow.until_printed(&format!("\n{}\n", n - 1));
            proxy.cut();
        }
    }
    fleet.desk.post(&held, "complete", json!({})).ok();
    let ended = follow.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let expected: String = (0..LINES).map(|n| format!("{n}\n")).collect();
    assert_eq!(ended.stdout, expected);
    assert!(ended.stderr.contains("the stream goes on"), "{}", ended.stderr);
}

#[test]
fn how_a_task_has_ended_decides_the_exit_code_and_a_cut_never_is_0() {
    let mut fleet = Fleet::new();
    let follow = |fleet: &Fleet, held: &Held| {
        let args = ["tasks", "logs", &held.id, "-f", "--give-up-after", "0.5"];
        let follow = fleet.shell.start(&args);
        follow.until_printed("said");
        follow
    };
    let begin = |fleet: &Fleet| {
        let held = fleet.begin();
        fleet.say(&held, &["said"]);
        held
    };
    let held = begin(&fleet);
    let running = follow(&fleet, &held);
    fleet.desk.post(&held, "fail", json!({"error": "no", "retryable": false})).ok();
    let ended = running.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("has ended: failed"), "{ended:?}");
    // What was only printed has gone well; what does not exist has not.
    assert_eq!(fleet.shell.run(&["tasks", "logs", &held.id]).code, Some(0));
    assert_eq!(fleet.shell.run(&["tasks", "logs", "nothing"]).code, Some(1));
    let held = begin(&fleet);
    let running = follow(&fleet, &held);
    fleet.hub.kill();
    let ended = running.wait();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("could not be resumed within"), "{ended:?}");
}

#[test]
fn what_a_task_writes_does_nothing_to_the_terminal_unless_that_is_asked_for() {
    let fleet = Fleet::new();
    let held = fleet.begin();
    let hostile = "a\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}b\tc";
    fleet.say(&held, &[hostile, "plain"]);
    fleet.desk.post(&held, "complete", json!({})).ok();
    let kept = "a\u{1b}[2J\u{1b}]0;title␇\u{202e}b\tc";
    let shown = "a\\u001b[2J\\u001b]0;title␇\\u202eb\tc";
    for more in [&[][..], &["-f"], &["--tail", "2"], &["--tail", "2", "-f"]] {
        let args = [&["tasks", "logs", &held.id], more].concat();
        let printed = fleet.shell.ok(&args);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 2, "{more:?}: {printed}");
        assert!(lines[0].ends_with(shown) && lines[1].ends_with("plain"), "{more:?}: {printed}");
        let raw = fleet.shell.ok(&[&args[..], &["--raw"]].concat());
        assert_eq!(raw, format!("{kept}\nplain\n"), "{more:?}");
    }
    let read = fleet.shell.json(&["tasks", "logs", &held.id]);
    assert_eq!(read["lines"][0]["text"], kept);
    let events = fleet.shell.ok(&["tasks", "logs", &held.id, "-f", "--json"]);
    assert!(!events.contains('\u{1b}'));
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = events.iter().map(|it| it["event"].as_str().unwrap()).collect();
    assert_eq!(types, ["line", "line", "end"]);
    // From where one was.
    let from = events[0]["id"].as_str().unwrap();
    assert_eq!(fleet.shell.ok(&["tasks", "logs", &held.id, "--from", from, "--raw"]), "plain\n");
    let both = fleet.shell.run(&["tasks", "logs", &unique("task"), "--raw", "--json"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}
