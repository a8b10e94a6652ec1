//! The baseline: the components' routes compiled natively, over the same Redis, with the same
//! authentication and the same limits as in the host.
//!
//! Handlers are not `Send`, since in wasm there is one thread; so each core gets a thread with a
//! runtime, an app and a Redis connection of its own, and connections are dealt out in turn.

use std::convert::Infallible;
use std::io::{self, BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use reef_redis::{Connection, Connections, Timeouts};
use reef_store::Store;
use reef_web::route::BODY_BYTES_MAX;
use reef_web::{App, Config, Route};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use super::child::SERVING;
use crate::options::NativeServer;

/// How long a connection may rest; as in the host.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);

type Connected = mpsc::UnboundedReceiver<TcpStream>;

/// Serves until standard input is closed.
pub(crate) fn run(options: &NativeServer) -> Result<()> {
    let mut admin_key = String::new();
    io::stdin().lock().read_line(&mut admin_key).context("cannot read the admin key")?;
    let config = config(options, admin_key.trim())?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let threads = thread::available_parallelism()?.get();
    let mut workers = Vec::with_capacity(threads);
    for _ in 0..threads {
        let (worker, connected) = mpsc::unbounded_channel();
        let config = config.clone();
        thread::spawn(move || {
            if let Err(error) = serve(config, connected) {
                eprintln!("error: {error:#}");
                std::process::exit(1);
            }
        });
        workers.push(worker);
    }
    thread::spawn(|| {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    writeln!(io::stdout(), "{SERVING}{}", listener.local_addr()?)?;
    for worker in workers.iter().cycle() {
        let (stream, _) = listener.accept()?;
        worker.send(stream).map_err(|_| anyhow!("a thread has ended"))?;
    }
    Ok(())
}

/// The routes of all components.
pub(crate) fn routes<R: reef_store::Redis>() -> Vec<Route<R>> {
    let mut routes = register::routes();
    routes.extend(heartbeat::routes());
    routes.extend(messages::routes());
    routes.extend(sessions::routes());
    routes.extend(tasks::routes());
    routes.extend(ledger::routes());
    routes
}

fn config(options: &NativeServer, admin_key: &str) -> Result<Config> {
    let variable = |name: &str| {
        options.variables.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let read = |name: &str| match name {
        "admin_key" => admin_key.to_owned(),
        "redis_url" => options.redis_url.clone(),
        _ => variable(name).unwrap_or_default().to_owned(),
    };
    Config::read(read).map_err(anyhow::Error::msg)
}

fn serve(config: Config, mut connected: Connected) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let redis = Connections::new(Timeouts::default()).open(&config.settings.redis_url)?;
        let store = Store::new(redis, config.settings.keys.clone());
        let app = Rc::new(App::new(store, config, routes()).map_err(anyhow::Error::msg)?);
        while let Some(stream) = connected.recv().await {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let stream = tokio::net::TcpStream::from_std(stream)?;
            tokio::task::spawn_local(connection(stream, Rc::clone(&app)));
        }
        Ok(())
    })
}

async fn connection(stream: tokio::net::TcpStream, app: Rc<App<Connection>>) {
    let service = service_fn(move |request| {
        let app = Rc::clone(&app);
        async move { Ok::<_, Infallible>(answer(&app, request).await) }
    });
    // How a client ends its connection is its own affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(app: &App<Connection>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX + 1).collect().await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request = reef_web::Request {
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        body: body.to_bytes().to_vec(),
    };
    into_hyper(app.answer(&request).await)
        .unwrap_or_else(|| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn into_hyper(answered: reef_web::Response) -> Option<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::new(Bytes::from(answered.body)));
    *response.status_mut() = StatusCode::from_u16(answered.status).ok()?;
    for (name, value) in answered.headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value).ok()?;
        response.headers_mut().append(name, value);
    }
    Some(response)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
