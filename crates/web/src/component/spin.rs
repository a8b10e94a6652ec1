//! The adapter to Spin: its Redis, its variables, its requests.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use reef_domain::limits::{BODY_BYTES_UNASKED, BODY_PAUSE_MS, BODY_TIME_MS};
use reef_domain::shown::in_line;
use reef_store::variables::VARIABLES;
use reef_store::{Redis, RedisError, Reply};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};

use super::{Platform, Routes, load};
use crate::durability::settle_by_server;
use crate::http::{Request, Response};
use crate::problem::{Code, Problem};
use crate::route::{App, request_id};

/// How long a request may wait for Redis under Spin, which sets no limit itself. Leaves room
/// below the two seconds of `contract.md` §1.
const REDIS_TIMEOUT: Duration = Duration::from_millis(1700);

/// Redis as Spin and the host offer it. The connection outlives the request, since opening one
/// costs a TCP connect under Spin; it is dropped on the first error.
pub struct SpinRedis {
    address: String,
    connection: RefCell<Option<Rc<Connection>>>,
}

impl SpinRedis {
    /// A connection to an address, opened when it is first needed.
    #[must_use]
    pub fn new(address: String) -> Self {
        Self { address, connection: RefCell::new(None) }
    }

    async fn connection(&self) -> Result<Rc<Connection>, RedisError> {
        if let Some(open) = self.connection.borrow().as_ref() {
            return Ok(Rc::clone(open));
        }
        let opened = Connection::open(&self.address).await.map_err(|error| match error {
            // What Spin says of an address that allowed_outbound_hosts does not name.
            spin_sdk::redis::Error::InvalidAddress => RedisError::NotAllowed,
            error => RedisError::Unavailable(error.to_string()),
        })?;
        let opened = Rc::new(opened);
        *self.connection.borrow_mut() = Some(Rc::clone(&opened));
        Ok(opened)
    }

    fn forget(&self) {
        self.connection.borrow_mut().take();
    }
}

impl Redis for SpinRedis {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let connection = self.connection().await?;
        let args = args.into_iter().map(RedisParameter::Binary);
        match connection.execute(command, args).await {
            Ok(reply) => Ok(reply.into_iter().map(from_spin).collect()),
            Err(error) => {
                let error = RedisError::from_text(&error.to_string());
                if matches!(error, RedisError::Unavailable(_)) {
                    self.forget();
                }
                Err(error)
            }
        }
    }
}

fn from_spin(result: RedisResult) -> Reply {
    match result {
        RedisResult::Nil => Reply::Nil,
        RedisResult::Status(text) => Reply::Status(text),
        RedisResult::Int64(number) => Reply::Int(number),
        RedisResult::Binary(bytes) => Reply::Bytes(bytes),
    }
}

thread_local! {
    /// The component's app, made by its first request: a cache that may vanish with the instance.
    static APP: RefCell<Option<Rc<App<Platform>>>> = const { RefCell::new(None) };
}

/// The component's app, or the answer to everything while a variable cannot be used.
async fn app(routes: Routes, request: &Request) -> Result<Rc<App<Platform>>, Response> {
    if let Some(app) = APP.with_borrow(Clone::clone) {
        return Ok(app);
    }
    match read_variables(routes).await {
        Ok(app) => {
            let app = Rc::new(app);
            APP.set(Some(Rc::clone(&app)));
            Ok(app)
        }
        Err(error) => {
            let reason = error.to_string();
            eprintln!("the component's variables cannot be used: {}", in_line(&reason));
            let id = request_id(request);
            Err(Problem::internal(reason).into_response(&id).with("x-request-id", id))
        }
    }
}

async fn read_variables(routes: Routes) -> Result<App<Platform>, Box<dyn std::error::Error>> {
    let mut values = Vec::new();
    for variable in VARIABLES.iter().filter(|variable| !variable.used_by.is_empty()) {
        let name = variable.name;
        // A variable that the manifest does not give to this component has its default.
        values.push((name, spin_sdk::variables::get(name).await.unwrap_or_default()));
    }
    let variable = |name: &str| {
        let found = values.iter().find(|(key, _)| *key == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    load(routes, variable, |address| Platform::Spin(SpinRedis::new(address)))
}

/// Answers a request of `wasi:http`: bounds the body and the wait for Redis, and sets
/// `content-length`, without which an answer under Spin waits 40 ms for an acknowledgement.
///
/// # Errors
/// Those of the platform, when the answer cannot be made.
pub async fn answer(
    routes: Routes,
    request: spin_sdk::http::Request,
) -> spin_sdk::http::Result<http::Response<spin_sdk::http::FullBody<Bytes>>> {
    let (parts, body) = request.into_parts();
    let mut request = Request {
        method: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        body: Vec::new(),
    };
    let response = match app(routes, &request).await {
        Ok(app) => match read_body(&app, &mut request, body.stream()).await {
            Ok(()) => answer_in_time(&app, &request).await,
            Err(response) => response,
        },
        Err(response) => response,
    };
    let mut builder = http::Response::builder()
        .status(response.status)
        .header(http::header::CONTENT_LENGTH, response.body.len());
    for (name, value) in response.headers.iter() {
        builder = builder.header(name, value);
    }
    // The host does this itself for what it calls by the direct interface.
    builder = builder.header(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let has_cache_control =
        builder.headers_ref().is_some_and(|it| it.contains_key(http::header::CACHE_CONTROL));
    if !has_cache_control {
        builder = builder.header(http::header::CACHE_CONTROL, "no-store");
    }
    Ok(builder.body(spin_sdk::http::FullBody::new(Bytes::from(response.body)))?)
}

async fn answer_in_time(app: &App<Platform>, request: &Request) -> Response {
    match within(REDIS_TIMEOUT, app.answer(request)).await {
        // Nobody waits for what is written.
        Some(response) => settle_by_server(request, response)
            .unwrap_or_else(|problem| app.give_up(request, problem)),
        None => {
            forget(app);
            let problem = Problem::new(Code::StoreUnavailable, "Redis does not answer.");
            app.give_up(request, problem)
        }
    }
}

fn forget(app: &App<Platform>) {
    if let Platform::Spin(redis) = app.store.redis() {
        redis.forget();
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(spin_sdk::time::sleep(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Reads the body into a request. A large one must be admitted before it is read: what its sender
/// may not send, or what is too long for the route, is not waited for.
async fn read_body<E: std::fmt::Display>(
    app: &App<Platform>,
    request: &mut Request,
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<(), Response> {
    let announced = request.header("content-length").and_then(|length| length.parse().ok());
    let mut most = BODY_BYTES_UNASKED;
    if announced.is_some_and(|length: usize| length > most) {
        most = admit(app, request, announced.unwrap_or_default()).await?;
    }
    let until = Instant::now() + Duration::from_millis(BODY_TIME_MS);
    loop {
        let pause = Duration::from_millis(BODY_PAUSE_MS);
        let left = until.saturating_duration_since(Instant::now()).min(pause);
        let chunk = match within(left, pieces.next()).await {
            Some(Some(Ok(chunk))) => chunk,
            Some(None) => return Ok(()),
            Some(Some(Err(error))) => {
                let problem = Problem {
                    internal: Some(error.to_string().into()),
                    ..Problem::new(Code::MalformedRequest, "The body could not be read.")
                };
                return Err(app.give_up(request, problem));
            }
            None => return Err(app.give_up(request, Problem::body_timeout())),
        };
        let length = request.body.len() + chunk.len();
        if length > most {
            most = admit(app, request, length).await?;
        }
        request.body.extend_from_slice(&chunk);
    }
}

async fn admit(
    app: &App<Platform>,
    request: &Request,
    announced: usize,
) -> Result<usize, Response> {
    match within(REDIS_TIMEOUT, app.admit(request, announced)).await {
        Some(admitted) => admitted,
        None => {
            forget(app);
            let problem = Problem::new(Code::StoreUnavailable, "Redis does not answer.");
            Err(app.give_up(request, problem))
        }
    }
}
