//! Spin's variables: a component sees those that the manifest gives to it, and no others.

use super::bindings::fermyon::spin::variables as older;
use super::bindings::spin::variables::variables as newer;
use crate::state::State;
use wasmtime::component::{Accessor, HasSelf};

impl State {
    fn variable(&self, name: &str) -> Option<String> {
        self.shared.variables.get(name).cloned()
    }
}

fn undefined(name: &str) -> String {
    format!("no variable named {name:?} is given to this component")
}

impl newer::Host for State {}

impl<T: Send> newer::HostWithStore<T> for HasSelf<State> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, newer::Error>> {
        let value = accessor.with(|mut access| access.get().variable(&name));
        Ok(value.ok_or_else(|| newer::Error::Undefined(undefined(&name))))
    }
}

impl older::Host for State {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, older::Error>> {
        Ok(self.variable(&name).ok_or_else(|| older::Error::Undefined(undefined(&name))))
    }
}
