//! A network that fails: a TCP proxy whose connections a test can cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Stands between clients and a hub, at an address that stays while hubs come and go.
pub struct Proxy {
    address: String,
    state: Arc<State>,
}

struct State {
    target: Mutex<String>,
    open: Mutex<Vec<TcpStream>>,
    /// Each connection brings its client so many bytes, then breaks.
    limit: AtomicU64,
    cuts: AtomicUsize,
}

impl Proxy {
    /// In front of a `host:port`.
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State {
            target: Mutex::new(target.to_owned()),
            open: Mutex::default(),
            limit: AtomicU64::new(u64::MAX),
            cuts: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        // Lives as long as the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                shared.connect(client);
            }
        });
        Self { address, state }
    }

    /// `http://host:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads new connections elsewhere.
    pub fn lead_to(&self, target: &str) {
        *self.state.target.lock().unwrap() = target.to_owned();
    }

    /// From now on each new connection breaks after so many bytes of answers.
    pub fn cut_after(&self, bytes: u64) {
        self.state.limit.store(bytes, Ordering::SeqCst);
    }

    /// How many connections have broken in that way.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        for stream in self.state.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        // Where nobody listens the client's connection breaks, as it would without a proxy.
        let Ok(hub) = TcpStream::connect(&*self.target.lock().unwrap()) else { return };
        let mut open = self.open.lock().unwrap();
        for stream in [&client, &hub] {
            stream.set_nodelay(true).unwrap();
            open.push(stream.try_clone().unwrap());
        }
        drop(open);
        let (from_client, to_hub) = (client.try_clone().unwrap(), hub.try_clone().unwrap());
        std::thread::spawn(move || pass(from_client, to_hub, u64::MAX));
        let state = Arc::clone(self);
        let limit = self.limit.load(Ordering::SeqCst);
        std::thread::spawn(move || {
            if pass(hub, client, limit) {
                state.cuts.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
}

/// Passes bytes on until either side ends, or `limit` is reached; says whether it was that.
fn pass(mut from: TcpStream, mut to: TcpStream, limit: u64) -> bool {
    let mut buffer = [0; 16 * 1024];
    let mut left = limit;
    while left > 0 {
        let Ok(count @ 1..) = from.read(&mut buffer) else { break };
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        left -= count as u64;
    }
    for stream in [&from, &to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
    left == 0
}
