//! A local endpoint that answers as it is told: real HTTP, one connection for each request.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Streams these pieces, then says that this was all.
    Say(Vec<&'static str>),
    /// Streams these pieces, then closes the connection.
    BreakOff(Vec<&'static str>),
    /// Streams these pieces, then says nothing more for as long as the client waits.
    Hang(Vec<&'static str>),
    /// Sends exactly this after the head of an event stream, in one piece for each byte.
    Raw(&'static str),
    /// Answers this status, header and body.
    Answer(u16, &'static str, &'static str),
}

/// One request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Asked {
    /// The text of the last turn.
    pub(crate) fn prompt(&self) -> String {
        let turns = self.body["messages"].as_array().unwrap();
        turns.last().unwrap()["content"].as_str().unwrap().to_owned()
    }
}

/// A running server.
pub(crate) struct ModelServer {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ModelServer {
    /// Answers one request after the other as the scripts say.
    pub(crate) fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut scripts: VecDeque<Script> = scripts.into_iter().collect();
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                kept.lock().unwrap().push(read(&mut stream));
                let script = scripts.pop_front().expect("one request too many");
                std::thread::spawn(move || answer(stream, script));
            }
        });
        Self { url, asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &mut TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "half a request: {head}");
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.expect("no length")];
    reader.read_exact(&mut body).unwrap();
    Asked { head, body: serde_json::from_slice(&body).unwrap() }
}

fn answer(mut stream: TcpStream, script: Script) {
    let piece = |text: &str| {
        let chunk =
            json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
        format!("data: {chunk}\n\n")
    };
    match script {
        Script::Answer(status, header, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\n{header}\r\ncontent-length: {length}\r\n");
            let _ = write!(stream, "{head}connection: close\r\n\r\n{body}");
            return;
        }
        Script::Raw(text) => {
            open(&mut stream);
            for byte in text.as_bytes() {
                send(&mut stream, &[*byte]);
            }
        }
        Script::Say(pieces) => {
            open(&mut stream);
            for text in pieces {
                send(&mut stream, piece(text).as_bytes());
            }
            let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
            send(&mut stream, format!("data: {end}\n\ndata: [DONE]\n\n").as_bytes());
        }
        Script::BreakOff(pieces) => {
            open(&mut stream);
            for text in pieces {
                send(&mut stream, piece(text).as_bytes());
            }
            return;
        }
        Script::Hang(pieces) => {
            open(&mut stream);
            for text in pieces {
                send(&mut stream, piece(text).as_bytes());
            }
            // Ends when the client has gone.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n");
}

fn open(stream: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let _ = stream.write_all(head.as_bytes());
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = write!(stream, "{:x}\r\n", bytes.len());
    let _ = stream.write_all(bytes);
    let _ = stream.write_all(b"\r\n");
    let _ = stream.flush();
}
