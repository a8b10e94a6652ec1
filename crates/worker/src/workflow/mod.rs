//! Session tasks that a language model answers: `simple`, `planner`, `critic`.
//!
//! The message's text is the answer as it is being written. What leads to it (a plan, drafts,
//! critiques) is in `thinking` blocks. When all is done, a `markdown` block with the whole
//! answer takes the placeholder's place, and the task's result holds it too.
//!
//! A message keeps every word that was once appended. So when an answer has to begin again, after
//! a broken stream or because another worker went on with the task, [`AGAIN`] says so in the text;
//! the block and the result hold the last answer alone.

mod critic;
mod planner;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reef_api::usage::UsageBody;
use serde_json::{Map, Value, json};

use crate::llm::{ChatError, Llm, Reply, Turn, Usage};
use crate::outcome::Ended;
use crate::output::{Busy, Outlet, Output};
use crate::task::Task;

/// What the text of a message says when the answer begins again.
pub(crate) const AGAIN: &str = "\n\n---\n\n*The answer above was cut off; it begins again.*\n\n";

/// Iterations of a task that does not say how many.
const ITERATIONS_DEFAULT: u32 = 3;
/// Who the model is when it writes for the reader.
const ASSISTANT: &str = "You are a helpful, accurate assistant. Answer in the language of the \
                         request. Use Markdown where it helps.";

/// A way to come to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workflow {
    /// One call.
    Simple,
    /// A plan, its steps one by one, and what comes of them.
    Planner,
    /// A draft, then critique and revision until the critic approves.
    Critic,
}

impl Workflow {
    /// All of them, which are also the skills that tasks ask for.
    pub(crate) const SKILLS: [&str; 3] = ["simple", "planner", "critic"];

    /// The workflow that a task asks for.
    pub(crate) fn of(task: &Task) -> Option<Self> {
        match task.parameter("workflow")?.as_str()? {
            "simple" => Some(Self::Simple),
            "planner" => Some(Self::Planner),
            "critic" => Some(Self::Critic),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Planner => "planner",
            Self::Critic => "critic",
        }
    }
}

/// How a model is asked again when it does not answer.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// The first pause; each further one is twice as long, and jittered.
    pub(crate) pause_min: Duration,
    /// The longest pause, except where the endpoint asks for a longer one.
    pub(crate) pause_max: Duration,
    /// Most tries after the first.
    pub(crate) tries: usize,
}

impl Default for Patience {
    fn default() -> Self {
        let (pause_min, pause_max) = (Duration::from_secs(1), Duration::from_secs(30));
        Self { pause_min, pause_max, tries: 6 }
    }
}

/// What runs workflows.
#[derive(Debug, Clone)]
pub(crate) struct Workflows {
    pub(crate) llm: Llm,
    pub(crate) patience: Patience,
    /// The limit that stands for the model's endpoint.
    pub(crate) limit: Option<String>,
}

impl Workflows {
    /// Works a task out. `has_text`: its message holds text of an earlier try.
    pub(crate) async fn run(
        &self,
        workflow: Workflow,
        task: &Task,
        outlet: &Outlet,
        has_text: bool,
    ) -> Ended {
        let Some(request) = task.parameter("task_description").and_then(Value::as_str) else {
            return Ended::fatal("parameters.task_description is missing");
        };
        let iterations = task.parameter("max_iterations").and_then(Value::as_u64);
        let iterations = iterations.and_then(|n| u32::try_from(n).ok());
        let mut run = Run {
            workflows: self,
            outlet,
            request,
            iterations: iterations.unwrap_or(ITERATIONS_DEFAULT).max(1),
            has_text,
            calls: 0,
            used: UsageBody::default(),
            limit: self.limit.as_deref().filter(|limit| task.is_under(limit)),
        };
        let finished = match workflow {
            Workflow::Simple => run.simple().await,
            Workflow::Planner => planner::run(&mut run).await,
            Workflow::Critic => critic::run(&mut run).await,
        };
        match finished {
            Ok(finished) => finished.ended(workflow, self.llm.model(), run.calls),
            Err(Stuck::Busy { error, after }) => {
                Ended::Snoozed { error: error.to_string(), after: Some(after) }
            }
            Err(Stuck::Unanswered(error @ ChatError::Refused { .. })) => {
                Ended::fatal(error.to_string())
            }
            Err(Stuck::Unanswered(error)) => Ended::retryable(error.to_string()),
        }
    }
}

/// An answer, and what there is to say about how it came.
#[derive(Debug, Default)]
struct Finished {
    reply: Reply,
    /// Further members of the task's result.
    about: Map<String, Value>,
}

impl Finished {
    fn ended(self, workflow: Workflow, model: &str, calls: u32) -> Ended {
        let Reply { text, finish_reason, .. } = self.reply;
        let mut result = Map::new();
        result.insert("text".to_owned(), text.clone().into());
        result.insert("workflow".to_owned(), workflow.name().into());
        result.insert("model".to_owned(), model.into());
        result.insert("calls".to_owned(), calls.into());
        result.insert("finish_reason".to_owned(), finish_reason.into());
        result.extend(self.about);
        let block = (!text.is_empty()).then(|| block("markdown", &text));
        Ended::Completed { result: Value::Object(result), content: block, amount: None }
    }
}

fn block(kind: &str, text: &str) -> Map<String, Value> {
    let mut block = Map::new();
    block.insert("content_type".to_owned(), kind.into());
    block.insert(kind.to_owned(), json!({ kind: text }));
    block
}

/// Why a workflow does not come to its end.
#[derive(Debug)]
enum Stuck {
    Unanswered(ChatError),
    /// The endpoint wants to be left alone before it has answered anything, so that nothing is lost if
    /// the task waits with the others.
    Busy {
        error: ChatError,
        after: Duration,
    },
}

/// One task at work.
struct Run<'a> {
    workflows: &'a Workflows,
    outlet: &'a Outlet,
    request: &'a str,
    iterations: u32,
    /// The message has text that the answer does not follow on.
    has_text: bool,
    /// Requests that the model has answered.
    calls: u32,
    /// What they have used.
    used: UsageBody,
    /// The limit of the task that stands for the endpoint.
    limit: Option<&'a str>,
}

impl Run<'_> {
    async fn simple(&mut self) -> Result<Finished, Stuck> {
        let turns = [Turn::system(ASSISTANT), Turn::user(self.request)];
        let reply = self.tell(&turns).await?;
        Ok(Finished { reply, ..Finished::default() })
    }

    /// Asks for something that the reader does not see as it comes.
    async fn ask(&mut self, turns: &[Turn]) -> Result<String, Stuck> {
        let reply = self.persist(turns, false).await?;
        Ok(reply.text)
    }

    /// Asks for the answer, which the reader sees as it comes.
    async fn tell(&mut self, turns: &[Turn]) -> Result<Reply, Stuck> {
        self.persist(turns, true).await
    }

    /// Asks until there is a whole answer, or no use in asking.
    async fn persist(&mut self, turns: &[Turn], is_aloud: bool) -> Result<Reply, Stuck> {
        let Patience { pause_min, pause_max, tries } = self.workflows.patience;
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(pause_min)
            .with_max_delay(pause_max)
            .with_max_times(tries)
            .with_jitter()
            .build();
        loop {
            let (outlet, has_text) = (self.outlet, &mut self.has_text);
            let mut is_first = true;
            let on_delta = async |delta: String| {
                if is_aloud {
                    if std::mem::take(&mut is_first) && *has_text {
                        outlet.say(Output::Delta(AGAIN.to_owned())).await;
                    }
                    *has_text = true;
                    outlet.say(Output::Delta(delta)).await;
                }
            };
            let error = match self.workflows.llm.chat(turns, on_delta).await {
                Ok(reply) => {
                    self.calls += 1;
                    self.count(reply.usage).await;
                    return Ok(reply);
                }
                Err(error @ ChatError::Refused { .. }) => return Err(Stuck::Unanswered(error)),
                Err(error) => error,
            };
            let next = pauses.next();
            let asked_for = match &error {
                ChatError::Busy { retry_after, .. } => retry_after.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            if let (ChatError::Busy { status: 429, .. }, Some(limit)) = (&error, self.limit) {
                let after = asked_for.max(pause_min);
                let retry_after_ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                let busy = Busy { limit: limit.to_owned(), retry_after_ms };
                self.outlet.say(Output::Busy(busy)).await;
                if self.calls == 0 {
                    return Err(Stuck::Busy { error, after });
                }
            }
            let Some(pause) = next else { return Err(Stuck::Unanswered(error)) };
            tracing::warn!(%error, "asking the model again");
            tokio::time::sleep(pause.max(asked_for)).await;
        }
    }

    /// Adds up what the model says that an answer has used.
    async fn count(&mut self, used: Option<Usage>) {
        let Some(used) = used else { return };
        let Usage { prompt_tokens, completion_tokens, .. } = used;
        let sum = &mut self.used;
        let plus = |a: Option<i64>, b: i64| Some(a.unwrap_or_default().saturating_add(b));
        sum.model = Some(self.workflows.llm.model().to_owned());
        sum.input = plus(sum.input, prompt_tokens);
        sum.output = plus(sum.output, completion_tokens);
        sum.cached = plus(sum.cached, used.cached().min(prompt_tokens));
        sum.reasoning = plus(sum.reasoning, used.reasoning().min(completion_tokens));
        sum.requests = plus(sum.requests, 1);
        self.outlet.say(Output::Usage(vec![sum.clone()])).await;
    }

    /// Appends the whole answer, which was not shown before.
    async fn show(&mut self, text: &str) {
        if self.has_text {
            self.outlet.say(Output::Delta(AGAIN.to_owned())).await;
        }
        self.has_text = true;
        self.outlet.say(Output::Delta(text.to_owned())).await;
    }

    /// Shows what leads to the answer.
    async fn think(&self, text: &str) {
        self.outlet.say(Output::Block(block("thinking", text))).await;
    }

    /// Says that `done` of about `all` calls are done.
    async fn progress(&self, done: u32, all: u32) {
        self.outlet.say(Output::Progress(f64::from(done) / f64::from(all.max(1)))).await;
    }
}

#[cfg(test)]
mod tests;
