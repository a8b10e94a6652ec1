//! A draft, then critique and revision until the critic approves or the iterations are used up.

use serde_json::json;

use super::{ASSISTANT, Finished, Run, Stuck};
use crate::llm::{Reply, Turn};

const CRITIC: &str = "You review answers strictly and fairly: correctness first, then \
                      completeness, then clarity. If nothing important is wrong, write only the \
                      word APPROVED. Otherwise list what has to change, and nothing else.";

/// Runs the workflow.
///
/// Which draft is the answer is known only when the critic has spoken: an approved one is shown
/// at once, and the last revision, which nobody reviews any more, as it comes.
pub(super) async fn run(run: &mut Run<'_>) -> Result<Finished, Stuck> {
    let request = run.request;
    let iterations = run.iterations;
    let all = 1 + 2 * iterations;
    let mut draft = run.ask(&[Turn::system(ASSISTANT), Turn::user(request)]).await?;
    for round in 1..=iterations {
        run.think(&format!("Draft {round}\n\n{draft}")).await;
        run.progress(2 * round - 1, all).await;
        let ask = format!("The request:\n\n{request}\n\nThe answer to review:\n\n{draft}");
        let critique = run.ask(&[Turn::system(CRITIC), Turn::user(ask)]).await?;
        run.think(&format!("Critique {round}\n\n{critique}")).await;
        run.progress(2 * round, all).await;
        if is_approval(&critique) {
            run.show(&draft).await;
            let finish_reason = Some("stop".to_owned());
            let reply = Reply { text: draft, finish_reason, usage: None };
            return Ok(finished(reply, round, true));
        }
        let ask = format!(
            "The request:\n\n{request}\n\nYour draft:\n\n{draft}\n\nWhat has to change:\n\n\
             {critique}\n\nWrite the whole answer anew. The reader sees nothing else.",
        );
        let turns = [Turn::system(ASSISTANT), Turn::user(ask)];
        if round == iterations {
            let reply = run.tell(&turns).await?;
            return Ok(finished(reply, round, false));
        }
        draft = run.ask(&turns).await?;
    }
    // There is at least one round, and the last one returns.
    let reply = Reply { text: draft, ..Reply::default() };
    Ok(finished(reply, iterations, false))
}

fn finished(reply: Reply, iterations: u32, is_approved: bool) -> Finished {
    let about =
        [("iterations".to_owned(), json!(iterations)), ("approved".to_owned(), json!(is_approved))];
    Finished { reply, about: about.into_iter().collect() }
}

/// Whether the critic has nothing to say against it.
fn is_approval(critique: &str) -> bool {
    let first: String = critique.chars().skip_while(|letter| !letter.is_alphanumeric()).collect();
    let word: String = first.chars().take_while(|letter| letter.is_alphanumeric()).collect();
    word.eq_ignore_ascii_case("approved")
}

#[cfg(test)]
mod tests {
    use super::is_approval;

    #[test]
    fn an_approval_is_the_first_word() {
        for yes in ["APPROVED", "**Approved.**", " approved\nWell done."] {
            assert!(is_approval(yes), "{yes}");
        }
        for no in ["", "Not approved", "It cannot be APPROVED yet", "Approvedness is missing"] {
            assert!(!is_approval(no), "{no}");
        }
    }
}
