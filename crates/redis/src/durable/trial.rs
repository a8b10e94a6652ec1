//! Whether what a server says of its file can be believed.
//!
//! A server that syncs once a second and confirms several writes, one after the other, in less time
//! than so many syncs take, has confirmed what it has not done. That is tried once for each process.
//! Replicas are asked how they sync: of those that sync before they answer, it is so.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::batch::Side;
use super::facts::{self, Facts, ReplicasSync, Trial};
use crate::server::Server;
use crate::{Error, link};

/// How many writes are to be confirmed.
const WRITES: u32 = 5;
/// How long so many take at the least that are synced a second apart; some versions count whole
/// seconds, so that the first two may be closer.
const LEAST: Duration = Duration::from_secs(3);
/// How long one is waited for.
const WRITE_MAX: Duration = Duration::from_secs(4);
/// How long a replica is asked.
const ASK_LIMIT: Duration = Duration::from_millis(300);

/// What has come of a trial, and of which process.
pub(super) struct Outcome {
    run_id: String,
    trial: Trial,
}

/// What so many writes that were confirmed in this time say.
fn judge(took: Duration) -> Trial {
    if took < LEAST { Trial::Failed } else { Trial::Passed }
}

impl Server {
    /// What is known of the process that these facts are of.
    pub(super) fn trial_of(&self, facts: &Facts) -> Trial {
        let outcome = self.durable().trial.lock().unwrap_or_else(PoisonError::into_inner);
        let own = outcome.as_ref().filter(|outcome| outcome.run_id == facts.run_id);
        own.map_or(Trial::Untried, |outcome| outcome.trial)
    }

    /// Tries it, unless somebody does already.
    pub(super) fn try_it(self: &Arc<Self>, facts: &Facts, marker: Vec<u8>) {
        let run_id = facts.run_id.clone();
        {
            let mut outcome = self.durable().trial.lock().unwrap_or_else(PoisonError::into_inner);
            if outcome.as_ref().is_some_and(|outcome| outcome.run_id == run_id) {
                return;
            }
            *outcome = Some(Outcome { run_id: run_id.clone(), trial: Trial::Untried });
        }
        let server = Arc::clone(self);
        tokio::spawn(async move {
            let tried = server.try_file(&run_id, &marker).await;
            let outcome = tried.inspect_err(|error| {
                tracing::debug!(%error, "whether WAITAOF can be believed could not be tried");
            });
            let outcome = outcome.ok().map(|trial| Outcome { run_id, trial });
            *server.durable().trial.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
            for lane in server.lanes().into_iter().filter(|lane| lane.live().is_some()) {
                // Whoever waits for one of them looks itself, if this fails.
                let _ = server.facts(lane.traffic(), Duration::ZERO).await;
            }
        });
    }

    async fn try_file(&self, run_id: &str, marker: &[u8]) -> Result<Trial, Error> {
        let mut side = Side::open(self).await?;
        let began = Instant::now();
        for _ in 0..WRITES {
            let limit = WRITE_MAX + self.timeouts().call;
            let late = |_| Error::Unavailable(format!("no answer within {limit:?}"));
            let confirmed =
                timeout(limit, side.confirm(marker, WRITE_MAX)).await.map_err(late)??;
            if !confirmed || side.run_id != run_id {
                return Err(Error::Unavailable("the server does not confirm a write".to_owned()));
            }
        }
        Ok(judge(began.elapsed()))
    }

    /// How the replicas sync, as they say.
    pub(super) async fn ask_replicas(&self, facts: &Facts) -> ReplicasSync {
        let places = facts.replicas_to_ask();
        if places.is_empty() {
            return ReplicasSync::Unseen;
        }
        let asked = places.iter().map(|(host, port)| async move {
            let address = self.elsewhere(host, *port);
            timeout(ASK_LIMIT, ask(&address)).await.ok()?.ok()
        });
        let answers = join_all(asked).await;
        let all_said = answers.iter().all(Option::is_some);
        if answers.iter().flatten().any(|replica| !replica.syncs_first()) {
            ReplicasSync::Otherwise
        } else if all_said {
            ReplicasSync::First
        } else {
            ReplicasSync::Unseen
        }
    }
}

/// What a server says of itself over a connection that is for nothing else.
async fn ask(address: &crate::address::Address) -> Result<Facts, Error> {
    let link::Opened { mut connection, driver } = link::open(address, ASK_LIMIT).await?;
    let mut question = redis::pipe();
    for part in facts::questions() {
        question.add_command(part);
    }
    let sent = async {
        let sent = connection.send_packed_commands(&question, 0, 4).await;
        let replies = sent.map_err(|error| Error::from_client(&error))?;
        let replies: [_; 4] = replies.try_into().map_err(|_| Error::Reply("too few replies"))?;
        Facts::read(replies.map(Ok))
    };
    tokio::select! {
        facts = sent => facts,
        () = driver => Err(Error::Unavailable("the server has closed the connection".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_confirms_more_than_it_can_have_synced_is_not_believed() {
        assert_eq!(judge(Duration::from_millis(80)), Trial::Failed);
        assert_eq!(judge(Duration::from_millis(2900)), Trial::Failed);
        assert_eq!(judge(Duration::from_millis(4002)), Trial::Passed);
    }
}
