//! A request that is sent over and over, each time with another number in it.

use std::net::SocketAddr;

use reef_web::Request;

use crate::template::{Numbers, Template};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// As the request line has it.
    pub(crate) method: &'static str,
    /// Path with query. [`NUMBER`] stands for the number, here as in the body.
    ///
    /// [`NUMBER`]: crate::template::NUMBER
    pub(crate) target: String,
    /// JSON, or empty.
    pub(crate) body: String,
    /// What the number is drawn from.
    pub(crate) numbers: Numbers,
}

impl Call {
    /// The request as bytes.
    pub(crate) fn template(&self, address: SocketAddr, admin_key: &str) -> Template {
        let Self { method, target, body, .. } = self;
        let content = if body.is_empty() {
            String::new()
        } else {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        };
        Template::new(&format!(
            "{method} {target} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {admin_key}\r\n\
             accept: */*\r\nuser-agent: reef-bench\r\n{content}\r\n{body}"
        ))
    }

    /// The request as a handler gets it.
    pub(crate) fn request(&self, admin_key: &str) -> Request {
        Request {
            method: self.method.to_owned(),
            target: self.target.clone(),
            headers: [("x-api-key", admin_key)].into_iter().collect(),
            body: self.body.clone().into_bytes(),
        }
    }
}
