//! Spin's outbound Redis, in both versions.
//!
//! The two differ in how they reach the store: the newer functions are asynchronous for the
//! component too, so they may not hold on to the store while they wait.

use super::Client;
use super::bindings::fermyon::spin::redis as older;
use super::bindings::spin::redis::redis as newer;
use super::operations::{self, Failure};
use crate::state::State;
use reef_redis::Connection;
use reef_store::Reply;
use wasmtime::component::{Accessor, HasSelf, Resource};

/// The outer result traps, the inner one is the component's to handle.
type Answer<T, E> = wasmtime::Result<Result<T, E>>;

impl From<Failure> for newer::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidAddress => Self::InvalidAddress,
            Failure::Type => Self::TypeError,
            Failure::Other(text) => Self::Other(text),
        }
    }
}

impl From<Reply> for newer::RedisResult {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Nil => Self::Nil,
            Reply::Status(text) => Self::Status(text),
            Reply::Int(number) => Self::Int64(number),
            Reply::Bytes(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<newer::RedisParameter> for Vec<u8> {
    fn from(parameter: newer::RedisParameter) -> Self {
        match parameter {
            newer::RedisParameter::Int64(number) => number.to_string().into_bytes(),
            newer::RedisParameter::Binary(bytes) => bytes,
        }
    }
}

impl From<Failure> for older::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidAddress => Self::InvalidAddress,
            Failure::Type => Self::TypeError,
            Failure::Other(text) => Self::Other(text),
        }
    }
}

impl From<Reply> for older::RedisResult {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Nil => Self::Nil,
            Reply::Status(text) => Self::Status(text),
            Reply::Int(number) => Self::Int64(number),
            Reply::Bytes(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<older::RedisParameter> for Vec<u8> {
    fn from(parameter: older::RedisParameter) -> Self {
        match parameter {
            older::RedisParameter::Int64(number) => number.to_string().into_bytes(),
            older::RedisParameter::Binary(bytes) => bytes,
        }
    }
}

fn client<T: Send>(
    accessor: &Accessor<T, HasSelf<State>>,
    handle: &Resource<Client>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| access.get().client(handle))
}

impl newer::Host for State {}

impl newer::HostConnection for State {
    async fn drop(&mut self, handle: Resource<Client>) -> wasmtime::Result<()> {
        self.close(handle)
    }
}

impl<T: Send> newer::HostConnectionWithStore<T> for HasSelf<State> {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Answer<Resource<Client>, newer::Error> {
        let opened = accessor.with(|mut access| access.get().open(&address))?;
        Ok(opened.map_err(newer::Error::from))
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        command: String,
        arguments: Vec<newer::RedisParameter>,
    ) -> Answer<Vec<newer::RedisResult>, newer::Error> {
        let redis = client(accessor, &handle)?;
        let arguments = arguments.into_iter().map(Vec::from).collect();
        let replies = operations::execute(&redis, &command, arguments).await;
        Ok(match replies {
            Ok(replies) => Ok(replies.into_iter().map(newer::RedisResult::from).collect()),
            Err(failure) => Err(failure.into()),
        })
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        channel: String,
        payload: Vec<u8>,
    ) -> Answer<(), newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::publish(&redis, channel, payload).await.map_err(newer::Error::from))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        key: String,
    ) -> Answer<Option<Vec<u8>>, newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::get(&redis, key).await.map_err(newer::Error::from))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<(), newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::set(&redis, key, value).await.map_err(newer::Error::from))
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        key: String,
    ) -> Answer<i64, newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::incr(&redis, key).await.map_err(newer::Error::from))
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        keys: Vec<String>,
    ) -> Answer<u32, newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::del(&redis, keys).await.map_err(newer::Error::from))
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32, newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::sadd(&redis, key, values).await.map_err(newer::Error::from))
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        key: String,
    ) -> Answer<Vec<String>, newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::smembers(&redis, key).await.map_err(newer::Error::from))
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        handle: Resource<Client>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32, newer::Error> {
        let redis = client(accessor, &handle)?;
        Ok(operations::srem(&redis, key, values).await.map_err(newer::Error::from))
    }
}

impl older::Host for State {}

impl older::HostConnection for State {
    async fn drop(&mut self, handle: Resource<Client>) -> wasmtime::Result<()> {
        self.close(handle)
    }

    async fn open(&mut self, address: String) -> Answer<Resource<Client>, older::Error> {
        Ok(State::open(self, &address)?.map_err(older::Error::from))
    }

    async fn execute(
        &mut self,
        handle: Resource<Client>,
        command: String,
        arguments: Vec<older::RedisParameter>,
    ) -> Answer<Vec<older::RedisResult>, older::Error> {
        let redis = self.client(&handle)?;
        let arguments = arguments.into_iter().map(Vec::from).collect();
        let replies = operations::execute(&redis, &command, arguments).await;
        Ok(match replies {
            Ok(replies) => Ok(replies.into_iter().map(older::RedisResult::from).collect()),
            Err(failure) => Err(failure.into()),
        })
    }

    async fn publish(
        &mut self,
        handle: Resource<Client>,
        channel: String,
        payload: Vec<u8>,
    ) -> Answer<(), older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::publish(&redis, channel, payload).await.map_err(older::Error::from))
    }

    async fn get(
        &mut self,
        handle: Resource<Client>,
        key: String,
    ) -> Answer<Option<Vec<u8>>, older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::get(&redis, key).await.map_err(older::Error::from))
    }

    async fn set(
        &mut self,
        handle: Resource<Client>,
        key: String,
        value: Vec<u8>,
    ) -> Answer<(), older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::set(&redis, key, value).await.map_err(older::Error::from))
    }

    async fn incr(&mut self, handle: Resource<Client>, key: String) -> Answer<i64, older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::incr(&redis, key).await.map_err(older::Error::from))
    }

    async fn del(
        &mut self,
        handle: Resource<Client>,
        keys: Vec<String>,
    ) -> Answer<u32, older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::del(&redis, keys).await.map_err(older::Error::from))
    }

    async fn sadd(
        &mut self,
        handle: Resource<Client>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32, older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::sadd(&redis, key, values).await.map_err(older::Error::from))
    }

    async fn smembers(
        &mut self,
        handle: Resource<Client>,
        key: String,
    ) -> Answer<Vec<String>, older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::smembers(&redis, key).await.map_err(older::Error::from))
    }

    async fn srem(
        &mut self,
        handle: Resource<Client>,
        key: String,
        values: Vec<String>,
    ) -> Answer<u32, older::Error> {
        let redis = self.client(&handle)?;
        Ok(operations::srem(&redis, key, values).await.map_err(older::Error::from))
    }
}
