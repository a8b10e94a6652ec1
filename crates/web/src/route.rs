//! Routes as data, and what is done with a request: match, authenticate, call, answer.
//!
//! From the one table of a component come dispatch, 404 and 405 with `Allow`, authentication, and
//! the tests that `spin.toml` knows every route and that no route forgets its key.

use futures_util::future::LocalBoxFuture;
use matchit::Router;
use reef_domain::limits::REQUEST_ID_CHARS_MAX;
use reef_domain::shown::in_line;
use reef_store::admission::Verdict;
use reef_store::{Redis, Store};

use crate::audit;
use crate::auth::{self, Access, Caller, Identity, identify};
use crate::config::Config;
use crate::context::Context;
use crate::cors;
use crate::durability;
use crate::edge::{self, Provenance};
use crate::extract;
use crate::http::{Request, Response};
use crate::once;
use crate::problem::{Code, Problem};
use crate::rate::RateLimit;
use crate::remembered::Remembered;
use crate::secret::Secret;
use crate::trail::{self, When};

/// What a handler answers.
pub type Answer = Result<Response, Problem>;

/// A handler: an async function of a request's context.
pub type Handler<R> = for<'a> fn(&'a Context<'a, R>) -> LocalBoxFuture<'a, Answer>;

/// One line of a component's route table.
#[derive(Debug)]
pub struct Route<R> {
    /// `GET POST PUT PATCH DELETE`. A `HEAD` is answered as a `GET`.
    pub method: &'static str,
    /// The path; `{name}` is a segment.
    pub path: &'static str,
    /// What the caller must be allowed to do.
    pub access: Access,
    /// Largest body, in bytes.
    pub body_max: usize,
    pub handler: Handler<R>,
    /// When the audit says who calls it; the table of [`trail`](crate::trail) says so.
    pub audited: Option<When>,
}

/// Writes one line of a route table: `route!(GET "/api/v1/nodes", Read, list)`.
#[macro_export]
macro_rules! route {
    ($method:ident $path:literal, $access:ident, $handler:path) => {
        $crate::route!($method $path, $access, $handler, $crate::route::BODY_BYTES_MAX)
    };
    ($method:ident $path:literal, $access:ident, $handler:path, $body_max:expr) => {
        $crate::route::Route {
            method: stringify!($method),
            path: $path,
            access: $crate::auth::Access::$access,
            body_max: $body_max,
            handler: |context| Box::pin($handler(context)),
            audited: $crate::trail::when(stringify!($method), $path),
        }
    };
}

pub use reef_domain::limits::BODY_BYTES_MAX;

/// A component: its settings, its way to Redis, its routes.
pub struct App<R> {
    /// The calls on Redis.
    pub store: Store<R>,
    /// The settings.
    pub config: Config,
    secret: Secret,
    remembered: Remembered,
    routes: Vec<Route<R>>,
    /// For each path, the positions of its routes in the table.
    paths: Router<Vec<usize>>,
}

/// A request, and the route that it is for.
struct Called<'a, R: Redis> {
    route: &'a Route<R>,
    request: &'a Request,
    request_id: &'a str,
    parameters: matchit::Params<'a, 'a>,
}

/// A path that contradicts another one of the table.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct RouteConflict {
    path: &'static str,
    error: matchit::InsertError,
}

impl<R: Redis> App<R> {
    /// A component with its route table.
    ///
    /// # Errors
    /// Which path of the table contradicts another: a fault in the table.
    pub fn new(
        store: Store<R>,
        config: Config,
        routes: Vec<Route<R>>,
    ) -> Result<Self, RouteConflict> {
        let mut by_path: Vec<(&str, Vec<usize>)> = Vec::new();
        for (position, route) in routes.iter().enumerate() {
            match by_path.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, positions)) => positions.push(position),
                None => by_path.push((route.path, vec![position])),
            }
        }
        let mut paths = Router::new();
        for (path, positions) in by_path {
            paths.insert(path, positions).map_err(|error| RouteConflict { path, error })?;
        }
        let (secret, remembered) = (Secret::default(), Remembered::default());
        Ok(Self { store, config, secret, remembered, routes, paths })
    }

    /// The route table.
    #[must_use]
    pub fn routes(&self) -> &[Route<R>] {
        &self.routes
    }

    /// Answers a request. Never fails: what goes wrong is a problem.
    pub async fn answer(&self, request: &Request) -> Response {
        let request_id = request_id(request);
        if let Some(response) = self.preflight(request) {
            return response.with("x-request-id", request_id);
        }
        let mut rate = None;
        let response = match self.try_answer(request, &request_id, &mut rate).await {
            Ok(response) => self.with_cors(request, response).with("x-request-id", request_id),
            Err(problem) => self.refuse(request, problem, request_id),
        };
        match rate {
            Some(rate) => rate.tell(response),
            None => response,
        }
    }

    /// The answer to a request that took too long: whoever waited for [`App::answer`] gave up.
    #[must_use]
    pub fn give_up(&self, request: &Request, problem: Problem) -> Response {
        self.refuse(request, problem, request_id(request))
    }

    fn refuse(&self, request: &Request, problem: Problem, request_id: String) -> Response {
        if let Some(internal) = &problem.internal {
            log(&request_id, request, problem.code, internal);
        }
        let response = problem.into_response(&request_id);
        self.with_cors(request, response).with("x-request-id", request_id)
    }

    async fn try_answer(
        &self,
        request: &Request,
        request_id: &str,
        told: &mut Option<RateLimit>,
    ) -> Answer {
        self.check_browser(request)?;
        let matched = self.paths.at(request.path()).map_err(|_| unknown(request.path()))?;
        let route = self.route(matched.value, &request.method)?;
        let group = group_of(route.path);
        let call = Called { route, request, request_id, parameters: matched.params };
        let mut was_refused = false;
        if let Some((agent, admission)) = self.remembered.caller(request, &self.config, group)
            && let Some(store) = self.store.behind(admission)
        {
            let answer = self.handle(&store, &call, &Caller::Agent(agent)).await;
            let has_failed = answer.as_ref().is_err_and(|problem| problem.code.status() >= 500);
            if has_failed && store.verdict().is_none() {
                // Where Redis does not answer, it does not answer that question either.
                return answer;
            }
            match store.settle().await? {
                Verdict::Admitted { left } => {
                    let limit = self.config.rate_limit;
                    *told = left.map(|left| RateLimit { limit, left, wait_ms: 0 });
                    return answer;
                }
                // Nothing was done. Whoever asks gets the answer that is due.
                Verdict::Refused => was_refused = true,
            }
        }
        let Identity { caller, rate } = identify(request, &self.config, &self.store, group).await?;
        *told = rate;
        if let Some(rate) = rate.filter(|rate| rate.wait_ms > 0) {
            return Err(Problem::rate_limited(group, rate));
        }
        self.remembered.take(&caller, was_refused);
        self.handle(&self.store, &call, &caller).await
    }

    /// Answers a caller, who is known, or will be when the store has been asked for the first time.
    async fn handle(&self, store: &Store<R>, call: &Called<'_, R>, caller: &Caller) -> Answer {
        let Called { route, request, request_id, ref parameters } = *call;
        caller.authorize_at(route.access, &self.config)?;
        if request.body.len() > route.body_max {
            return Err(Problem::too_large(route.body_max));
        }
        extract::check_coding(request)?;
        extract::check_query(request)?;
        durability::wish_of(request)?;
        let audited = match route.audited {
            None => None,
            Some(when) => trail::said(when, route.access, request, caller)?.map(|said| {
                let quotas = caller.quotas(&self.config.settings);
                store.audited(&said.by(caller, request_id, quotas.map(|it| it.audit)))
            }),
        };
        let store = audited.as_ref().unwrap_or(store);
        let key = if route.method == "POST" { once::key_of(request)? } else { None };
        let once = match key {
            None => None,
            Some(key) => Some(once::of(request, key, caller, &self.secret.ask(&self.store).await?)),
        };
        let context = Context { store, config: &self.config, request, caller, once, parameters };
        let answer = (route.handler)(&context).await;
        if let Some(key) = caller.admin_key() {
            audit::note(key, route.access, request, request_id, &answer);
        }
        answer
    }

    /// Whether the body of a request may come, which is `announced` bytes long or longer: all that can
    /// be said without it. It is not counted against the key's rate, and answers how long the body
    /// may be.
    ///
    /// # Errors
    /// The answer that the request gets instead.
    pub async fn admit(&self, request: &Request, announced: usize) -> Result<usize, Response> {
        let admitted = self.try_admit(request, announced).await;
        admitted.map_err(|problem| self.refuse(request, problem, request_id(request)))
    }

    async fn try_admit(&self, request: &Request, announced: usize) -> Result<usize, Problem> {
        self.check_browser(request)?;
        let matched = self.paths.at(request.path()).map_err(|_| unknown(request.path()))?;
        let route = self.route(matched.value, &request.method)?;
        let caller = auth::recognize(request, &self.config, &self.store).await?;
        caller.authorize(route.access, self.config.auth_mode)?;
        if announced > route.body_max {
            return Err(Problem::too_large(route.body_max));
        }
        Ok(route.body_max)
    }

    /// Refuses what a stranger's page may have made a browser send.
    fn check_browser(&self, request: &Request) -> Result<(), Problem> {
        edge::check_host(&self.config, request.raw_header("host"))?;
        if !edge::is_write(&request.method) {
            return Ok(());
        }
        let provenance = Provenance {
            host: request.raw_header("host"),
            origin: request.raw_header("origin"),
            fetch_site: request.raw_header("sec-fetch-site"),
        };
        edge::check_origin(&self.config, provenance)
    }

    fn route(&self, positions: &[usize], method: &str) -> Result<&Route<R>, Problem> {
        let asked = if method == "HEAD" { "GET" } else { method };
        let of_path = || positions.iter().filter_map(|position| self.routes.get(*position));
        of_path().find(|route| route.method == asked).ok_or_else(|| {
            let mut methods: Vec<&str> = of_path().map(|route| route.method).collect();
            if methods.contains(&"GET") {
                methods.push("HEAD");
            }
            let allow = methods.join(", ");
            let detail = format!("This path has no {method}; it has {allow}.");
            Problem::new(Code::MethodNotAllowed, detail).with("allow", allow)
        })
    }

    /// The answer to a browser's question whether it may send a request.
    fn preflight(&self, request: &Request) -> Option<Response> {
        let origin = request.header("origin")?;
        let asked = request.header("access-control-request-method");
        let headers = cors::preflight(&self.config, &request.method, Some(origin), asked)?;
        Some(with_headers(Response::empty(204), headers))
    }

    fn with_cors(&self, request: &Request, response: Response) -> Response {
        if self.config.cors_origins.is_empty() {
            return response;
        }
        with_headers(response, cors::headers(&self.config, request.header("origin")))
    }
}

fn with_headers(response: Response, headers: Vec<cors::Header>) -> Response {
    headers.into_iter().fold(response, |response, (name, value)| response.with(name, value))
}

/// The group of routes within which a key's requests are counted: what stands behind `/api/v1/`.
pub(crate) fn group_of(path: &str) -> &str {
    let rest = path.strip_prefix("/api/v1/").unwrap_or(path);
    rest.split('/').find(|segment| !segment.is_empty()).unwrap_or_default()
}

/// The request's id: the caller's, else its trace's (W3C `traceparent`), else a new one.
pub(crate) fn request_id(request: &Request) -> String {
    let sane = |id: &&str| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
    };
    if let Some(id) = request.header("x-request-id").filter(sane) {
        return id.to_owned();
    }
    let trace = request.header("traceparent").and_then(|parent| parent.split('-').nth(1));
    match trace.filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())) {
        Some(trace) => trace.to_owned(),
        None => uuid::Uuid::now_v7().to_string(),
    }
}

/// No component answers the path. The Reef host answers some by itself, so that they come here only
/// under Spin.
fn unknown(path: &str) -> Problem {
    let detail = if path == "/mcp" {
        "Spin does not serve /mcp: have the agent's program start `reef mcp --hub URL`, or run `reef \
         serve` in Spin's place."
            .to_owned()
    } else if is_of_the_host(path) {
        format!(
            "Spin does not serve {path}: event streams, the page, metrics and the reference are \
             served by `reef monitor` beside it, or by `reef serve` in its place."
        )
    } else {
        format!("There is no route {path}.")
    };
    Problem::new(Code::NotFound, detail)
}

fn is_of_the_host(path: &str) -> bool {
    const EXACT: [&str; 7] =
        ["/", "/healthz", "/metrics", "/openapi.json", "/docs", "/redoc", "/api/v1/events/stream"];
    let segments: Vec<_> = path.split('/').collect();
    let is_stream = matches!(*segments, ["", "api", "v1", "sessions", _, "messages", _, "stream"]);
    is_stream || path.starts_with("/problems/") || EXACT.contains(&path)
}

/// The operator's half of a fault: under Spin and the host, standard error is the log.
pub(crate) fn log(request_id: &str, request: &Request, code: Code, internal: &str) {
    eprintln!(
        "request_id={request_id} method={} path={:?} code={code} detail={internal:?}",
        in_line(&request.method),
        request.path(),
    );
}

/// Marks an answer, good or bad, as the first one again (`contract.md` §1).
///
/// # Errors
/// The problem that was given.
pub fn mark_replayed(answer: Answer, replayed: bool) -> Answer {
    const HEADER: &str = "idempotent-replayed";
    match (replayed, answer) {
        (false, answer) => answer,
        (true, Ok(response)) => Ok(response.with(HEADER, "true")),
        (true, Err(problem)) => Err(problem.with(HEADER, "true")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reef_store::{RedisError, Reply};

    struct NoRedis;

    impl Redis for NoRedis {
        async fn execute(&self, _: &str, _: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
            Err(RedisError::Unavailable("refused".into()))
        }
    }

    async fn list<R: Redis>(context: &Context<'_, R>) -> Answer {
        context.store.call(&reef_store::cluster::CheckReady).await?;
        Ok(Response::json(&[0u8; 0]))
    }

    async fn show<R: Redis>(context: &Context<'_, R>) -> Answer {
        Ok(Response::json(&context.node_id()?.as_str()))
    }

    #[test]
    fn what_only_the_host_serves_is_said_to_be_there() {
        let app = app(&[("auth_mode", "open")]);
        let stream = "/api/v1/sessions/s/messages/m/stream";
        let of_the_host = ["/", "/metrics", "/docs", "/problems/fenced", "/api/v1/events/stream"];
        for path in of_the_host.into_iter().chain([stream]) {
            let answer = ask(&app, "GET", path, &[]);
            let body = String::from_utf8(answer.body).unwrap();
            assert_eq!(answer.status, 404, "{path}");
            assert!(body.contains("`reef monitor`"), "{path}: {body}");
        }
        for (path, says) in
            [("/mcp", "`reef mcp --hub URL`"), ("/api/v1/x", "There is no route /api/v1/x.")]
        {
            let body = String::from_utf8(ask(&app, "POST", path, &[]).body).unwrap();
            assert!(body.contains(says), "{body}");
        }
    }

    fn app(variables: &'static [(&'static str, &'static str)]) -> App<NoRedis> {
        let config = Config::read(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map_or(String::new(), |(_, value)| (*value).to_owned())
        })
        .unwrap();
        let store = Store::new(NoRedis, config.settings.keys.clone());
        let routes = vec![
            route!(GET "/nodes", Read, list),
            route!(POST "/nodes", Write, list),
            route!(GET "/nodes/{id}", Open, show),
        ];
        App::new(store, config, routes).unwrap()
    }

    fn ask(app: &App<NoRedis>, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        let request = Request {
            method: method.into(),
            target: target.into(),
            headers: headers.iter().copied().collect(),
            body: Vec::new(),
        };
        futures_util::FutureExt::now_or_never(app.answer(&request)).unwrap()
    }

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        std::str::from_utf8(response.headers.get(name)?).ok()
    }

    #[test]
    fn faults_come_in_the_order_of_the_contract() {
        let app = app(&[("admin_key", "k")]);
        let key: &[(&str, &str)] = &[("x-api-key", "k")];
        for (method, target, headers, status) in [
            ("GET", "/elsewhere", &[][..], 404),
            ("PUT", "/nodes", &[][..], 405),
            ("GET", "/nodes", &[][..], 401),
            ("GET", "/nodes", &[("x-api-key", "x")][..], 401),
            ("GET", "/nodes", key, 503),
            ("GET", "/nodes/", key, 503),
            ("GET", "/nodes/a%7Bb", key, 422),
            ("GET", "/nodes/a%2Eb", key, 200),
            ("HEAD", "/nodes/a", &[][..], 200),
        ] {
            assert_eq!(ask(&app, method, target, headers).status, status, "{method} {target}");
        }
        assert_eq!(header(&ask(&app, "PUT", "/nodes", &[]), "allow"), Some("GET, POST, HEAD"));
        assert_eq!(header(&ask(&app, "GET", "/nodes", key), "retry-after"), Some("1"));
    }

    #[test]
    fn a_request_keeps_its_id() {
        let app = app(&[]);
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for (headers, id) in [
            (&[("x-request-id", "mine")][..], "mine"),
            (&[("traceparent", trace)][..], "4bf92f3577b34da6a3ce929d0e0e4736"),
        ] {
            assert_eq!(header(&ask(&app, "GET", "/nodes/a", headers), "x-request-id"), Some(id));
        }
        let bad = ask(&app, "GET", "/nodes/a", &[("x-request-id", "a b")]);
        assert_eq!(header(&bad, "x-request-id").map(str::len), Some(36));
    }

    #[test]
    fn no_origin_is_allowed_unless_the_settings_name_it() {
        let origin = &[("origin", "https://a.example"), ("access-control-request-method", "POST")];
        let closed = ask(&app(&[]), "OPTIONS", "/nodes", origin);
        assert_eq!((closed.status, header(&closed, "access-control-allow-origin")), (405, None));
        let open = app(&[("cors_origins", "https://a.example")]);
        let allowed = ask(&open, "OPTIONS", "/nodes", origin);
        assert_eq!(allowed.status, 204);
        assert_eq!(header(&allowed, "access-control-allow-origin"), Some("https://a.example"));
        assert_eq!(
            header(&ask(&open, "GET", "/nodes/a", &[("origin", "https://b.example")]), "vary"),
            Some("Origin")
        );
    }
}
