//! Whole workflows against a local endpoint.

use super::*;
use crate::llm::server::{ModelServer, Script};
use crate::output::channel;

fn say(text: &'static str) -> Script {
    Script::Say(vec![text])
}

/// How a workflow ended, and what was said on the way.
struct Told {
    ended: Ended,
    text: String,
    thoughts: Vec<String>,
    progress: Vec<f64>,
    busy: Vec<Busy>,
    usage: Vec<UsageBody>,
}

impl Told {
    fn result(&self) -> &Value {
        let Ended::Completed { result, .. } = &self.ended else { panic!("{:?}", self.ended) };
        result
    }

    /// The answer in the result, which the block that replaces the placeholder repeats.
    fn answer(&self) -> &str {
        let Ended::Completed { result, content, .. } = &self.ended else {
            panic!("{:?}", self.ended)
        };
        let block = content.as_ref().unwrap();
        assert_eq!(block["content_type"], "markdown");
        assert_eq!(block["markdown"]["markdown"], result["text"]);
        result["text"].as_str().unwrap()
    }
}

async fn run(server: &ModelServer, workflow: Workflow, iterations: u32, has_text: bool) -> Told {
    run_under("other", server, workflow, iterations, has_text).await
}

/// Runs a task under a limit; that of the model is called `model`.
async fn run_under(
    limit: &str,
    server: &ModelServer,
    workflow: Workflow,
    iterations: u32,
    has_text: bool,
) -> Told {
    let llm = Llm::new(&server.url, "m-1", None, Duration::from_secs(20)).unwrap();
    let pause = Duration::from_millis(1);
    let patience = Patience { pause_min: pause, pause_max: pause, tries: 2 };
    let workflows = Workflows { llm, patience, limit: Some("model".to_owned()) };
    let task = crate::task::read(&json!({
        "task_id": "t1",
        "token": "1-x",
        "limits": [{"name": limit}],
        "parameters": {"task_description": "Why?", "max_iterations": iterations},
    }));
    let (outlet, mut outputs) = channel(None);
    let work = async {
        let outlet = outlet;
        workflows.run(workflow, &task, &outlet, has_text).await
    };
    let listen = async {
        let (mut text, mut thoughts, mut progress) = (String::new(), Vec::new(), Vec::new());
        let (mut busy, mut usage) = (Vec::new(), Vec::new());
        while let Some(output) = outputs.recv().await {
            match output {
                Output::Delta(delta) => text.push_str(&delta),
                Output::Progress(share) => progress.push(share),
                Output::Busy(told) => busy.push(told),
                Output::Usage(told) => usage = told,
                Output::Checkpoint(checkpoint) => panic!("{checkpoint}"),
                Output::Block(block) => {
                    thoughts.push(block["thinking"]["thinking"].as_str().unwrap().to_owned());
                }
            }
        }
        (text, thoughts, progress, busy, usage)
    };
    let (ended, (text, thoughts, progress, busy, usage)) = tokio::join!(work, listen);
    Told { ended, text, thoughts, progress, busy, usage }
}

#[tokio::test]
async fn what_the_model_says_that_it_has_used_is_added_up() {
    let answer = |usage: &str| {
        let body = format!(
            r#"{{"choices":[{{"message":{{"content":"1. Do it."}},"finish_reason":"stop"}}],"usage":{usage}}}"#
        );
        Script::Answer(200, "content-type: application/json", body.leak())
    };
    let server = ModelServer::start([
        answer(
            r#"{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":6},
                "completion_tokens_details":{"reasoning_tokens":3}}"#,
        ),
        answer(r#"{"prompt_tokens":100,"completion_tokens":40,"completion_tokens_details":null}"#),
        answer(r#"{"prompt_tokens":"odd"}"#),
    ]);
    let told = run(&server, Workflow::Planner, 1, false).await;
    assert!(matches!(told.ended, Ended::Completed { .. }), "{:?}", told.ended);
    assert_eq!(
        told.usage,
        [UsageBody {
            model: Some("m-1".to_owned()),
            input: Some(110),
            output: Some(44),
            cached: Some(6),
            reasoning: Some(3),
            requests: Some(2),
            ..UsageBody::default()
        }]
    );
}

#[tokio::test]
async fn simple_streams_one_answer() {
    let server = ModelServer::start([Script::Say(vec!["Be", "cause."])]);
    let told = run(&server, Workflow::Simple, 3, false).await;
    assert_eq!((told.text.as_str(), told.answer()), ("Because.", "Because."));
    assert_eq!(told.result()["model"], "m-1");
    assert_eq!(told.result()["calls"], 1);
    assert_eq!(server.asked()[0].prompt(), "Why?");
}

#[tokio::test]
async fn planner_works_its_steps_out_one_by_one() {
    let server = ModelServer::start([
        say("1. Look\n2. Think\n3. Too much"),
        say("seen"),
        say("thought"),
        Script::Say(vec!["So ", "it is."]),
    ]);
    let told = run(&server, Workflow::Planner, 2, false).await;
    assert_eq!((told.text.as_str(), told.answer()), ("So it is.", "So it is."));
    assert_eq!(told.result()["steps"], json!(["Look", "Think"]));
    assert_eq!(
        told.thoughts,
        ["Plan\n\n1. Look\n2. Think", "Step 1: Look\n\nseen", "Step 2: Think\n\nthought"]
    );
    assert_eq!(told.progress, [0.25, 0.5, 0.75]);
    let asked = server.asked();
    assert!(asked[2].prompt().contains("seen"), "a step knows what the ones before it brought");
    assert!(asked[3].prompt().contains("seen") && asked[3].prompt().contains("thought"));
}

#[tokio::test]
async fn critic_stops_at_an_approval() {
    let server =
        ModelServer::start([say("first"), say("Too short."), say("second"), say("APPROVED")]);
    let told = run(&server, Workflow::Critic, 5, false).await;
    assert_eq!((told.text.as_str(), told.answer()), ("second", "second"));
    assert_eq!(
        (&told.result()["approved"], &told.result()["iterations"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(
        told.thoughts,
        [
            "Draft 1\n\nfirst",
            "Critique 1\n\nToo short.",
            "Draft 2\n\nsecond",
            "Critique 2\n\nAPPROVED"
        ]
    );
    assert!(server.asked()[2].prompt().contains("Too short."));
}

#[tokio::test]
async fn critic_ends_with_the_last_iteration() {
    let server = ModelServer::start([say("first"), say("No."), Script::Say(vec!["sec", "ond"])]);
    let told = run(&server, Workflow::Critic, 1, false).await;
    assert_eq!((told.text.as_str(), told.answer()), ("second", "second"));
    assert_eq!(told.result()["approved"], false);
    assert!(told.progress.is_sorted() && told.progress.iter().all(|share| *share < 1.0));
}

#[tokio::test]
async fn a_broken_stream_begins_again_and_says_so() {
    let server =
        ModelServer::start([Script::BreakOff(vec!["Beca"]), Script::Say(vec!["Because."])]);
    let told = run(&server, Workflow::Simple, 3, false).await;
    assert_eq!(told.text, format!("Beca{AGAIN}Because."));
    assert_eq!(told.answer(), "Because.");
}

#[tokio::test]
async fn one_that_is_not_shown_begins_again_unseen() {
    let server = ModelServer::start([Script::BreakOff(vec!["fir"]), say("first"), say("APPROVED")]);
    let told = run(&server, Workflow::Critic, 3, false).await;
    assert_eq!(told.text, "first");
}

#[tokio::test]
async fn an_answer_after_another_try_says_so_once() {
    let server = ModelServer::start([Script::Say(vec!["Be", "cause."])]);
    let told = run(&server, Workflow::Simple, 3, true).await;
    assert_eq!(told.text, format!("{AGAIN}Because."));
    let server = ModelServer::start([say("first"), say("APPROVED")]);
    let told = run(&server, Workflow::Critic, 3, true).await;
    assert_eq!(told.text, format!("{AGAIN}first"));
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_and_a_refusal_is_final() {
    let busy = Script::Answer(429, "retry-after: 0", "busy");
    let server = ModelServer::start([busy.clone(), busy.clone(), say("at last")]);
    assert_eq!(run(&server, Workflow::Simple, 3, false).await.answer(), "at last");
    let server = ModelServer::start([busy.clone(), busy.clone(), busy]);
    let told = run(&server, Workflow::Simple, 3, false).await;
    let error = "the model's endpoint answered 429: busy".to_owned();
    assert_eq!(told.ended, Ended::Failed { error, retryable: true });
    let server = ModelServer::start([Script::Answer(400, "x: y", r#"{"error":"too long"}"#)]);
    let told = run(&server, Workflow::Simple, 3, false).await;
    let error = "the model's endpoint answered 400: too long".to_owned();
    assert_eq!(told.ended, Ended::Failed { error, retryable: false });
}

#[tokio::test]
async fn a_task_under_the_models_limit_is_given_back_when_that_refuses() {
    let busy = Script::Answer(429, "retry-after: 7", "slow down");
    let server = ModelServer::start([busy]);
    let told = run_under("model", &server, Workflow::Simple, 3, false).await;
    let after = Some(Duration::from_secs(7));
    let error = "the model's endpoint answered 429: slow down".to_owned();
    assert_eq!(told.ended, Ended::Snoozed { error, after });
    assert_eq!(told.busy, [Busy { limit: "model".to_owned(), retry_after_ms: 7000 }]);
}

#[tokio::test]
async fn what_was_answered_already_is_not_lost_when_the_model_refuses() {
    let busy = Script::Answer(429, "retry-after: 0", "slow down");
    let server = ModelServer::start([say("first"), busy, say("APPROVED")]);
    let told = run_under("model", &server, Workflow::Critic, 3, false).await;
    assert_eq!(told.answer(), "first");
    assert_eq!(told.busy, [Busy { limit: "model".to_owned(), retry_after_ms: 1 }]);
}
