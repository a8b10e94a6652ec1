//! What is said first over a new connection, before anything is asked that depends on which process of
//! Redis answers.

use crate::{Error, reply};
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use reef_store::{RedisError, Reply};
use std::fmt;

/// Says it. A connection takes no script until that has been done.
pub trait Greeting: fmt::Debug + Send + Sync {
    /// Says it to one server; in a cluster, to each that has an open connection and may be asked for
    /// other keys than before. Safe to say again, and to cut anywhere.
    ///
    /// # Errors
    /// Why the connection must not be used now; whoever asked for it gets it as the answer.
    fn greet(&self, server: Greeted) -> BoxFuture<'_, Result<Done, Error>>;
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All of it was said.
    Now,
    /// The server does not take it at the moment, and no other writes either: the next script tries again.
    NotYet,
}

/// The server that is greeted: commands go to it as they are, whatever else it is told.
#[derive(Clone)]
pub struct Greeted(pub(crate) MultiplexedConnection);

impl fmt::Debug for Greeted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeted").finish_non_exhaustive()
    }
}

impl reef_store::Redis for Greeted {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let mut packed = redis::Cmd::new();
        packed.arg(command).arg(args);
        let sent = self.0.clone().send_packed_command(&packed).await;
        let reply = sent.map_err(|error| Error::from_client(&error))?;
        Ok(reply::flatten(reply)?)
    }
}
