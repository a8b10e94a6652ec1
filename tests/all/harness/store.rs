//! The hub's scripts called without a hub: for what a hub that is killed between two steps leaves
//! behind, and for more operations than HTTP would let through.

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use reef_domain::node::Registration;
use reef_store::{Keys, Redis, RedisError, Reply, Store};

/// A connection that answers before it returns, so that no runtime is needed.
pub struct Blocking(Mutex<redis::Connection>);

impl Redis for Blocking {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let mut connection = self.0.lock().unwrap();
        let reply = redis::cmd(command).arg(args).query(&mut *connection);
        let value = reply.map_err(|error| RedisError::from_text(&error.to_string()))?;
        let mut flat = Vec::new();
        flatten(value, &mut flat);
        Ok(flat)
    }
}

/// A reply as the ports give it.
pub fn flatten(value: redis::Value, into: &mut Vec<Reply>) {
    match value {
        redis::Value::Array(items) => items.into_iter().for_each(|item| flatten(item, into)),
        redis::Value::Nil => into.push(Reply::Nil),
        redis::Value::Int(number) => into.push(Reply::Int(number)),
        redis::Value::BulkString(bytes) => into.push(Reply::Bytes(bytes)),
        redis::Value::Okay => into.push(Reply::Status("OK".to_owned())),
        other => panic!("{other:?} is no reply of a script"),
    }
}

/// The outcome of a future that never waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits"),
    }
}

impl Blocking {
    pub fn new(connection: redis::Connection) -> Self {
        Self(Mutex::new(connection))
    }

    /// Runs commands of the test's own.
    pub fn ask_all<T: redis::FromRedisValue>(&self, commands: &redis::Pipeline) -> T {
        commands.query(&mut *self.0.lock().unwrap()).unwrap()
    }

    /// Runs a command of the test's own.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        command.query(&mut *self.0.lock().unwrap()).unwrap()
    }
}

/// The scripts on a server whose keys have their plain names.
pub fn store(connection: redis::Connection) -> Store<Blocking> {
    Store::new(Blocking::new(connection), Keys::default())
}

/// Makes a server know all scripts, for whoever cannot send them himself.
pub fn load_scripts(connection: &mut redis::Connection) {
    for script in reef_store::script::ALL {
        let mut load = redis::cmd("FUNCTION");
        load.arg("LOAD").arg("REPLACE").arg(script.library()).query::<()>(connection).unwrap();
    }
}

/// A node that takes a hundred tasks at once.
pub fn node_with(name: &str, available_skills: Vec<String>) -> Registration {
    Registration {
        hostname: name.to_owned(),
        platform: "linux".to_owned(),
        arch: "x64".to_owned(),
        available_skills,
        ip_address: String::new(),
        tailscale_ip: String::new(),
        port: 1,
        max_concurrent_tasks: 100,
        tags: None,
        node_id: None,
    }
}
