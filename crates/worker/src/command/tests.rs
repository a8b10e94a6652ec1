//! Runs real commands: shells, which do what handlers do.

use std::process::Command;

use serde_json::json;

use super::*;
use crate::outcome::{Stopper, stopper};
use crate::output::{Outputs, channel};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A shell at work on a task.
struct Running {
    ended: tokio::task::JoinHandle<Ended>,
    outputs: Outputs,
    stopper: Stopper,
}

fn start(script: &str, task: Value) -> Running {
    let (outlet, outputs) = channel(None);
    let (stopper, orders) = stopper();
    let handler = Handler {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        envs: vec![("REEF_HUB", "http://hub".into())],
        hidden: vec!["PWD"],
    };
    let mut json = json!({"task_id": "t1", "token": "3-x", "name": "n"});
    json.as_object_mut().unwrap().extend(task.as_object().unwrap().clone());
    let task = crate::task::read(&json);
    let lease = Lease::new(Duration::from_secs(30), Moment::now());
    let ended = tokio::spawn(async move { handler.run(&task, &lease, outlet, orders).await });
    Running { ended, outputs, stopper }
}

impl Running {
    async fn end(self) -> Ended {
        tokio::time::timeout(PATIENCE, self.ended).await.expect("no end").unwrap()
    }

    async fn output(&mut self) -> Option<Output> {
        tokio::time::timeout(PATIENCE, self.outputs.recv()).await.expect("nothing said")
    }
}

fn completed(result: Value) -> Ended {
    Ended::Completed { result, content: None, amount: None }
}

#[tokio::test]
async fn a_command_reads_its_task_and_says_its_result() {
    let script = r#"read task; echo "{\"result\": $task}""#;
    let Ended::Completed { result, .. } =
        start(script, json!({"parameters": {"n": 1}})).end().await
    else {
        panic!("not completed");
    };
    assert_eq!(result["parameters"], json!({"n": 1}));
    assert_eq!(result["token"], "3-x");
}

#[tokio::test]
async fn one_that_reads_nothing_and_says_nothing_completes_with_an_empty_result() {
    let large = "x".repeat(1 << 20);
    assert_eq!(
        start("exit 0", json!({"parameters": {"large": large}})).end().await,
        completed(json!({}))
    );
}

#[tokio::test]
async fn lines_of_json_are_messages_and_other_lines_are_not() {
    let mut running = start(
        r#"echo 'starting'; echo '{"progress": 0.4}'; printf '%s\n' '{"delta": "a\nb"}'; echo 17; echo '{"other": 1}'
           echo '{"progress": "x"}'; echo '{"progress": 7}'
           echo '{"content": {"content_type": "text", "text": {"text": "t"}}}'
           echo '{"result": 1}'; echo '{"result": [2], "content": {"content_type": "html"}}'"#,
        json!({}),
    );
    assert_eq!(running.output().await, Some(Output::Progress(0.4)));
    assert_eq!(running.output().await, Some(Output::Delta("a\nb".to_owned())));
    assert_eq!(running.output().await, Some(Output::Progress(1.0)));
    let Some(Output::Block(block)) = running.output().await else { panic!("no block") };
    assert_eq!(block["content_type"], "text");
    assert_eq!(running.output().await, None);
    let Ended::Completed { result, content, .. } = running.end().await else { panic!() };
    assert_eq!((result, content.unwrap()["content_type"].clone()), (json!([2]), json!("html")));
}

#[tokio::test]
async fn its_environment_names_the_task_and_hides_what_it_must_not_see() {
    let script =
        r#"echo "{\"result\": \"$REEF_HUB $REEF_TASK_ID $REEF_TASK_TOKEN $REEF_TASK_ATTEMPT\"}""#;
    let ended = start(script, json!({"retry_count": 2})).end().await;
    assert_eq!(ended, completed(json!("http://hub t1 3-x 3")));
    // A shell sets PWD itself, so ask another program.
    let ended =
        start("exec env | grep -c ^PWD= | sed 's/.*/{\"result\": &}/'", json!({})).end().await;
    assert!(matches!(ended, Ended::Completed { .. }), "{ended:?}");
}

#[tokio::test]
async fn an_exit_code_says_whether_another_try_makes_sense() {
    for (script, error, retryable) in [
        ("echo first >&2; echo 'the last word' >&2; exit 1", "the last word", true),
        ("exit 3", "the command ended with exit code 3", true),
        ("exit 65", "the command ended with exit code 65", false),
        ("exit 75", "the command ended with exit code 75", true),
        ("kill -9 $$", "the command was ended from outside: signal: 9 (SIGKILL)", true),
    ] {
        let expected = Ended::Failed { error: error.to_owned(), retryable };
        assert_eq!(start(script, json!({})).end().await, expected, "{script}");
    }
}

#[tokio::test]
async fn a_timeout_ends_the_whole_group() {
    let script = r#"sleep 1000 & echo "{\"delta\": \"$!\"}"; wait"#;
    let mut running = start(script, json!({"timeout": 0.3}));
    let Some(Output::Delta(pid)) = running.output().await else { panic!("no pid") };
    let Ended::Failed { error, retryable } = running.end().await else { panic!("not failed") };
    assert!(error.contains("timeout of 0.3 s"), "{error}");
    assert!(retryable);
    assert!(is_gone(&pid).await);
}

#[tokio::test]
async fn one_that_ignores_the_request_to_end_is_killed() {
    let script = r#"trap '' TERM; echo '{"delta": "ready"}'; while :; do sleep 0.1; done"#;
    let mut running = start(script, json!({}));
    assert!(running.output().await.is_some());
    running.stopper.stop(Reason::Cancelled, Duration::from_secs(1000));
    // A later order only shortens what was given, and the first reason stays.
    running.stopper.stop(Reason::Leaving, Duration::from_millis(200));
    assert_eq!(running.end().await, Ended::Stopped(Reason::Cancelled));
}

#[tokio::test]
async fn one_that_was_ordered_to_stop_has_not_completed_whatever_it_says() {
    let script = r#"trap 'echo "{\"result\": 1}"; exit 0' TERM; echo '{"delta": "ready"}'
                    while :; do sleep 0.1; done"#;
    let mut running = start(script, json!({}));
    assert!(running.output().await.is_some());
    running.stopper.stop(Reason::Lost, Duration::from_secs(1000));
    assert_eq!(running.end().await, Ended::Stopped(Reason::Lost));
}

#[tokio::test]
async fn what_a_command_leaves_behind_ends_with_it() {
    let mut running = start(r#"sleep 1000 & echo "{\"delta\": \"$!\"}"; exit 0"#, json!({}));
    let Some(Output::Delta(pid)) = running.output().await else { panic!("no pid") };
    assert_eq!(running.end().await, completed(json!({})));
    assert!(is_gone(&pid).await);
}

#[tokio::test]
async fn a_program_that_is_not_there_can_be_tried_elsewhere() {
    let (outlet, _outputs) = channel(None);
    let (_stopper, orders) = stopper();
    let handler = Handler {
        program: "/no/such/program".into(),
        args: Vec::new(),
        envs: Vec::new(),
        hidden: Vec::new(),
    };
    let task = crate::task::read(&json!({"task_id": "t1", "token": "3-x"}));
    let lease = Lease::new(Duration::from_secs(30), Moment::now());
    let ended = handler.run(&task, &lease, outlet, orders).await;
    let Ended::Failed { error, retryable: true } = ended else { panic!("{ended:?}") };
    assert!(error.starts_with("/no/such/program cannot be started"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_has_left_the_group_and_the_session_ends_as_well() {
    let script = r#"export mark=$(mktemp -u)
        setsid sh -c 'trap "" TERM; echo "{\"delta\": \"$$\"}"; : > $mark; exec sleep 1000' &
        while [ ! -e $mark ]; do sleep 0.01; done; rm $mark; exit 0"#;
    let mut running = start(script, json!({}));
    let Some(Output::Delta(pid)) = running.output().await else { panic!("no pid") };
    assert_eq!(running.end().await, completed(json!({})));
    assert!(is_gone(&pid).await);
}

/// Whether the process is gone or only waits to be collected.
async fn is_gone(pid: &str) -> bool {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
        let state = String::from_utf8(state.stdout).unwrap();
        if state.trim().is_empty() || state.trim().starts_with('Z') {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn one_that_meets_a_busy_provider_says_so_and_is_put_off() {
    let script = r#"echo '{"busy": {"limit": "model", "retry_after_ms": 20000}}'
                    echo '{"snooze": {"after_ms": 500}}'; echo 'slow down' >&2; exit 75"#;
    let mut running = start(script, json!({}));
    let busy = Busy { limit: "model".to_owned(), retry_after_ms: 20_000 };
    assert_eq!(running.output().await, Some(Output::Busy(busy)));
    let after = Some(Duration::from_millis(500));
    assert_eq!(running.end().await, Ended::Snoozed { error: "slow down".to_owned(), after });
    let ended = start(r#"echo '{"snooze": {}}'"#, json!({})).end().await;
    let error = "the command has put it off".to_owned();
    assert_eq!(ended, Ended::Snoozed { error, after: None });
    // A failure of its own is one, whatever was said before.
    let ended = start(r#"echo '{"snooze": {}}'; exit 1"#, json!({})).end().await;
    assert!(matches!(ended, Ended::Failed { .. }), "{ended:?}");
}
