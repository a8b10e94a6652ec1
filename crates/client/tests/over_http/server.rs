//! A server that answers what a test has written down, byte for byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one connection, once its request has been read.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    /// Writes this and closes.
    Say(String),
    /// Writes this and keeps the connection open.
    SayAndHold(String),
}

/// Serves its turns in order, one a connection; then nobody listens any more.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(turns: impl IntoIterator<Item = Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (turns, seen) = (turns.into_iter().collect::<Vec<_>>(), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut held = Vec::new();
            for turn in turns {
                let (mut connection, _) = listener.accept().await.unwrap();
                let request = read_request(&mut connection).await;
                seen.lock().unwrap().push(request);
                match turn {
                    Turn::Say(text) => connection.write_all(text.as_bytes()).await.unwrap(),
                    Turn::SayAndHold(text) => {
                        connection.write_all(text.as_bytes()).await.unwrap();
                        held.push(connection);
                    }
                }
            }
            drop(listener);
            std::future::pending::<()>().await;
            drop(held);
        });
        Self { url, requests }
    }

    /// The requests so far, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads a head and the body that it announces.
async fn read_request(connection: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = connection.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "the client has gone");
        text += &String::from_utf8_lossy(&buffer[..count]).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
    }
}

/// An answer with a body, after which the connection closes.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Turn {
    let length = body.len();
    Turn::Say(format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}

/// The beginning of an event stream whose length nobody knows.
pub(crate) fn events(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
}
