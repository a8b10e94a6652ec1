//! The edge of a host: who is let in, and how much one caller may take of it.

mod bodies;
mod browsers;
mod crowds;
mod readers;

use std::io::Write;
use std::net::TcpStream;

use crate::harness::{Answer, Client, raw};

/// Sends a GET with exactly these lines behind the request line.
fn get(client: &Client, path: &str, lines: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
    raw(client.address(), request.as_bytes())
}

/// A connection that says nothing.
fn idle(client: &Client) -> TcpStream {
    TcpStream::connect(client.address()).unwrap()
}

/// A connection on which a request has begun and does not end.
fn half(client: &Client, head: &str) -> TcpStream {
    let mut stream = idle(client);
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// What a metric shows, all labels together.
fn metric(admin: &Client, line: &str) -> f64 {
    let text = admin.get("//metrics").text();
    let found = text.lines().find_map(|it| it.strip_prefix(line)?.trim().parse().ok());
    found.unwrap_or_default()
}
