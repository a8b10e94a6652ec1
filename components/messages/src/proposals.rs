//! Proposals: mail that asks an agent to take work on.

use reef_api::MailId;
use reef_api::mail::{AcceptAnswer, AcceptBody};
use reef_domain::id;
use reef_store::Redis;
use reef_store::proposal::{
    Accept, Accepted, Done, Note, Progress, Show, Shown, noted_name, settle,
};
use reef_web::extract::optional_object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};

use crate::inbox::{note_depth, own_inbox};

/// `POST /inbox/{agent}/proposals/{msg_id}/accept`: acknowledges the proposal, queues its sub-tasks
/// and answers the proposer. A repeat finds what is done and does the rest; what a crash leaves half
/// done, the monitor goes on with.
pub(crate) async fn accept<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let agent = own_inbox(cx).await?;
    let message_id = cx.id("msg_id", "msg_id")?;
    let body: AcceptBody = optional_object(cx.request)?;
    if let Some(executor) = body.executor.as_deref().filter(|executor| **executor != *agent) {
        if !id::is_valid(executor) {
            return Err(Problem::field("executor", id::RULE));
        }
        cx.require_acting_as("executor", executor).await?;
    }
    let executor = body.executor.as_deref().unwrap_or(&agent);
    // Mail does not change, so that what is read of it here holds where it is decided.
    let is_waiting = match cx.store.call(&Show { agent: &agent, message_id: &message_id }).await? {
        Shown::Waiting(mail) => match mail.proposal() {
            None => return Err(no_proposal(&message_id)),
            Some(Err(invalid)) => return Err(Problem::fields(Code::ValidationFailed, &invalid)),
            Some(Ok(_)) => true,
        },
        Shown::Accepted(before)
            if body.executor.as_ref().is_some_and(|it| *it != before.executor) =>
        {
            let detail = format!("{message_id} was accepted for {} before.", before.executor);
            return Err(Problem::new(Code::Conflict, detail));
        }
        Shown::Accepted(_) => false,
        Shown::Declined => return Err(declined(&message_id)),
        Shown::NotFound => return Err(unknown(&agent, &message_id)),
    };
    if is_waiting {
        cx.store.call(&Note { name: &noted_name(&agent, &message_id) }).await?;
    }
    let owner = cx.caller.name();
    let call = Accept { agent: &agent, message_id: &message_id, executor, owner };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    match answered.value {
        Accepted::Ok { depth, shares } if !answered.replayed => {
            note_depth(cx, &agent, depth, &shares).await;
        }
        Accepted::Ok { .. } | Accepted::Accepted => {}
        Accepted::Declined => return Err(declined(&message_id)),
        Accepted::NotFound => return Err(unknown(&agent, &message_id)),
    }
    let progress = settle(cx.store, &agent, &message_id, &cx.config.settings).await?;
    let answer = match progress {
        Progress::Done(done) => Ok(show(&message_id, done)),
        Progress::NoRoom => Err(Problem::new(
            Code::Conflict,
            "It is accepted, but the queue or the proposer's inbox is full; what is left to do \
             follows as soon as there is room.",
        )),
        Progress::NotAccepted => Err(unknown(&agent, &message_id)),
    };
    mark_replayed(answer, answered.replayed)
}

fn show(msg_id: &MailId, done: Done) -> Response {
    let Done { executor, task_ids, reply_id } = done;
    let msg_id = msg_id.clone();
    Response::json(&AcceptAnswer { success: true, msg_id, executor, task_ids, reply_id })
}

fn unknown(agent: &str, message_id: &MailId) -> Problem {
    let detail = format!("There is no message {message_id} in the inbox of {agent}.");
    Problem::new(Code::NotFound, detail)
}

fn no_proposal(message_id: &MailId) -> Problem {
    let detail = format!("{message_id} is no proposal: its topic must be task_proposal.");
    Problem::new(Code::Conflict, detail)
}

fn declined(message_id: &MailId) -> Problem {
    let detail = format!("{message_id} was acknowledged without being accepted.");
    Problem::new(Code::Conflict, detail)
}
