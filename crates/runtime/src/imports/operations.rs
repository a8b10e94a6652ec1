//! What the two versions of the Redis interface have in common.

use super::Client;
use crate::state::{Shared, State};
use reef_redis::Connection;
use reef_store::Reply;
use wasmtime::component::Resource;

/// Why an operation failed, as both versions of the interface tell it.
pub(super) enum Failure {
    InvalidAddress,
    Type,
    Other(String),
}

impl From<reef_redis::Error> for Failure {
    fn from(error: reef_redis::Error) -> Self {
        let text = error.to_string();
        let wrong_type = text.contains("WRONGTYPE") || text.contains("not an integer");
        if wrong_type && matches!(error, reef_redis::Error::Server(_)) {
            Self::Type
        } else {
            Self::Other(text)
        }
    }
}

impl Shared {
    /// The component's share of the connection to a server, if it may connect there. Nothing is sent.
    pub(crate) fn connect(&self, address: &str) -> Option<Connection> {
        if !self.allowed_hosts.allow(address) {
            // The address may hold a password, so the log names only the component.
            tracing::warn!(component = self.id, "a Redis address is not allowed");
            return None;
        }
        let opened = self.connections.open(address);
        let warn = |error: &_| {
            tracing::warn!(component = self.id, %error, "a Redis address is not usable");
        };
        opened.inspect_err(warn).ok()
    }
}

impl State {
    /// Gives the component its share of the connection to a server. Nothing is sent.
    pub(super) fn open(
        &mut self,
        address: &str,
    ) -> wasmtime::Result<Result<Resource<Client>, Failure>> {
        match self.shared.connect(address) {
            Some(connection) => Ok(Ok(self.table.push(Client(connection))?)),
            None => Ok(Err(Failure::InvalidAddress)),
        }
    }

    /// The connection behind a component's handle, for one operation.
    pub(super) fn client(&mut self, client: &Resource<Client>) -> wasmtime::Result<Connection> {
        self.shared.counters.redis_calls.count();
        let redis = &self.table.get(client)?.0;
        Ok(match &self.touched {
            Some(touched) => redis.noting(touched),
            None => redis.clone(),
        })
    }

    pub(super) fn close(&mut self, client: Resource<Client>) -> wasmtime::Result<()> {
        self.table.delete(client)?;
        Ok(())
    }
}

pub(super) async fn execute(
    redis: &Connection,
    command: &str,
    args: Vec<Vec<u8>>,
) -> Result<Vec<Reply>, Failure> {
    Ok(redis.execute(command, args).await?)
}

pub(super) async fn publish(
    redis: &Connection,
    channel: String,
    payload: Vec<u8>,
) -> Result<(), Failure> {
    redis.execute("PUBLISH", vec![channel.into_bytes(), payload]).await?;
    Ok(())
}

pub(super) async fn get(redis: &Connection, key: String) -> Result<Option<Vec<u8>>, Failure> {
    match one(redis.execute("GET", vec![key.into_bytes()]).await?)? {
        Reply::Nil => Ok(None),
        Reply::Bytes(value) => Ok(Some(value)),
        _ => Err(Failure::Type),
    }
}

pub(super) async fn set(redis: &Connection, key: String, value: Vec<u8>) -> Result<(), Failure> {
    redis.execute("SET", vec![key.into_bytes(), value]).await?;
    Ok(())
}

pub(super) async fn incr(redis: &Connection, key: String) -> Result<i64, Failure> {
    match one(redis.execute("INCR", vec![key.into_bytes()]).await?)? {
        Reply::Int(number) => Ok(number),
        _ => Err(Failure::Type),
    }
}

pub(super) async fn del(redis: &Connection, keys: Vec<String>) -> Result<u32, Failure> {
    if keys.is_empty() {
        return Ok(0);
    }
    count(redis.execute("DEL", keys.into_iter().map(String::into_bytes).collect()).await?)
}

pub(super) async fn sadd(
    redis: &Connection,
    key: String,
    values: Vec<String>,
) -> Result<u32, Failure> {
    members(redis, "SADD", key, values).await
}

pub(super) async fn srem(
    redis: &Connection,
    key: String,
    values: Vec<String>,
) -> Result<u32, Failure> {
    members(redis, "SREM", key, values).await
}

pub(super) async fn smembers(redis: &Connection, key: String) -> Result<Vec<String>, Failure> {
    let replies = redis.execute("SMEMBERS", vec![key.into_bytes()]).await?;
    let text = |reply| match reply {
        Reply::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| Failure::Type),
        _ => Err(Failure::Type),
    };
    replies.into_iter().map(text).collect()
}

async fn members(
    redis: &Connection,
    command: &str,
    key: String,
    values: Vec<String>,
) -> Result<u32, Failure> {
    if values.is_empty() {
        return Ok(0);
    }
    let args = std::iter::once(key).chain(values).map(String::into_bytes).collect();
    count(redis.execute(command, args).await?)
}

fn one(replies: Vec<Reply>) -> Result<Reply, Failure> {
    replies.into_iter().next().ok_or(Failure::Type)
}

fn count(replies: Vec<Reply>) -> Result<u32, Failure> {
    match one(replies)? {
        Reply::Int(number) => u32::try_from(number).map_err(|_| Failure::Type),
        _ => Err(Failure::Type),
    }
}
