//! A plan, its steps one by one, and the answer that comes of them.

use super::{ASSISTANT, Finished, Run, Stuck};
use crate::llm::Turn;

const PLANNER: &str = "You plan how a request is worked out. Write the steps, one a line, each a \
                       single sentence that can be carried out without further questions. Write \
                       nothing else.";
const WORKER: &str = "You carry out one step of a plan. Write what it brings, completely and \
                      without repeating what is known already.";

/// Runs the workflow. At most `max_iterations` steps are planned.
pub(super) async fn run(run: &mut Run<'_>) -> Result<Finished, Stuck> {
    let most = run.iterations;
    let request = run.request;
    let ask = format!("Plan at most {most} steps for this request:\n\n{request}");
    let plan = run.ask(&[Turn::system(PLANNER), Turn::user(ask)]).await?;
    let mut steps = steps_of(&plan, most);
    if steps.is_empty() {
        steps.push(request.to_owned());
    }
    run.think(&format!("Plan\n\n{}", numbered(&steps))).await;
    let all = u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(2);
    run.progress(1, all).await;

    let mut known = String::new();
    for (at, step) in (1_u32..).zip(&steps) {
        let ask = format!(
            "The request:\n\n{request}\n\nThe plan:\n\n{}\n\nWhat is known so far:\n\n{}\n\n\
             Carry out step {at}: {step}",
            numbered(&steps),
            if known.is_empty() { "Nothing yet." } else { &known },
        );
        let brought = run.ask(&[Turn::system(WORKER), Turn::user(ask)]).await?;
        run.think(&format!("Step {at}: {step}\n\n{brought}")).await;
        known.push_str(&format!("Step {at}: {step}\n{brought}\n\n"));
        run.progress(at + 1, all).await;
    }

    let ask = format!(
        "The request:\n\n{request}\n\nWhat was found out:\n\n{known}\n\
         Answer the request from that. The reader sees nothing but your answer.",
    );
    let reply = run.tell(&[Turn::system(ASSISTANT), Turn::user(ask)]).await?;
    let about = [("steps".to_owned(), steps.into())].into_iter().collect();
    Ok(Finished { reply, about })
}

fn numbered(steps: &[String]) -> String {
    let lines = (1..).zip(steps).map(|(at, step)| format!("{at}. {step}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The steps of a plan as models write one: lines, with or without numbers and bullets.
fn steps_of(plan: &str, most: u32) -> Vec<String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let is_mark = |letter: char| letter.is_whitespace() || "-*•#".contains(letter);
    let steps = plan.lines().filter_map(|line| {
        let line = line.trim_start_matches(is_mark);
        let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let is_numbered = rest.len() < line.len() && rest.starts_with(['.', ')', ':']);
        let step = if is_numbered { rest.trim_start_matches(['.', ')', ':']) } else { line };
        let step = step.trim().trim_matches('*').trim();
        // A heading announces steps and is none.
        (!step.is_empty() && !step.ends_with(':')).then(|| step.to_owned())
    });
    steps.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_however_a_model_writes_them() {
        let plan =
            "Here is the plan:\n\n1. Look it up.\n2) Compare.\n - Ask 3 people\n**Decide**\n\n";
        assert_eq!(steps_of(plan, 9), ["Look it up.", "Compare.", "Ask 3 people", "Decide"]);
        assert_eq!(steps_of(plan, 2).len(), 2);
        assert_eq!(steps_of("3 apples are bought", 9), ["3 apples are bought"]);
        assert!(steps_of(" \n##\n", 9).is_empty());
    }
}
