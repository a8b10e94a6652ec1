//! The operations of `openapi.json`.

use std::collections::BTreeMap;
use std::fs;

use reef_api::Word as _;
use reef_domain::access::Scope;
use serde_json::Value;

use crate::contract::access::table::routes;
use crate::harness::root;

/// A method of a path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: String,
    pub path: String,
    /// Whether it is asked with a key.
    pub wants_key: bool,
    /// What that key must allow.
    pub scope: Option<Scope>,
    /// Whether the host answers it, and no component.
    pub is_the_hosts: bool,
}

impl Operation {
    /// As it is told in messages and tables.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }

    /// Whether its answer goes on until somebody ends it.
    pub fn is_stream(&self) -> bool {
        self.path.ends_with("/stream")
    }

    fn read(path: &str, method: &str, described: &Value) -> Self {
        let security = described["security"].as_array().unwrap();
        let scopes: Vec<&Value> =
            security.iter().flat_map(|one| one.as_object().unwrap().values()).collect();
        // Each way to send a key asks the same of it.
        assert!(scopes.windows(2).all(|pair| pair[0] == pair[1]), "{method} {path}: {security:?}");
        let scope = scopes.first().and_then(|scopes| scopes[0].as_str()).map(|name| {
            *Scope::ALL.iter().find(|scope| scope.as_str() == name).expect("a scope that there is")
        });
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            wants_key: !security.is_empty(),
            scope,
            is_the_hosts: described["x-reef-served-by"] == "host",
        }
    }
}

/// `openapi.json`, which another test compares with what the types say.
pub fn document() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("openapi.json")).unwrap()).unwrap()
}

/// All operations, the components' and the host's. What is said of the components' is compared with
/// their tables; the host's are compared where the document is made.
pub fn operations() -> Vec<Operation> {
    let document = document();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            all.push(Operation::read(path, method, described));
        }
    }
    let said = all.iter().filter(|it| !it.is_the_hosts).map(|it| (it.name(), it.scope));
    let said: BTreeMap<String, Option<Scope>> = said.collect();
    let asked = routes().into_iter();
    let asked = asked.map(|it| (format!("{} {}", it.method, it.pattern), it.access.scope()));
    assert_eq!(said, asked.collect(), "openapi.json and the route tables");
    all
}
