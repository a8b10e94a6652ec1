//! The bridge's protocol layer by itself: it serves what the suite of those who make the protocol asks
//! of every server's tools, prompts and resources, so that the suite has something to try it with.

mod dialogues;
mod fixtures;

use std::convert::Infallible;
use std::net::TcpListener;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, ORIGIN};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use reef_bridge::mcp::{Headers, Transport, answer};
use reef_web::edge::{self, Provenance};
use reef_web::{Config, Problem};

use self::fixtures::Fixtures;

/// Serves it at an address of its own, for as long as the test's process lives.
pub(super) fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(accept(listener)));
    url
}

async fn accept(listener: TcpListener) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let served =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(reply));
        tokio::spawn(served);
    }
}

async fn reply(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Ok(bare(StatusCode::METHOD_NOT_ALLOWED));
    }
    if let Err(refused) = check(&parts.headers) {
        return Ok(bare(StatusCode::from_u16(refused.code.status()).unwrap()));
    }
    let Ok(body) = body.collect().await else { return Ok(bare(StatusCode::BAD_REQUEST)) };
    let header = |name: &str| parts.headers.get(name).map(|it| it.to_str().unwrap_or_default());
    let headers = Headers {
        version: header("mcp-protocol-version"),
        method: header("mcp-method"),
        name: header("mcp-name"),
    };
    let reply = answer(&Fixtures, Transport::Http(headers), &body.to_bytes()).await;
    let mut answer = bare(StatusCode::from_u16(reply.status).unwrap());
    if let Some(body) = reply.body {
        answer.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
        *answer.body_mut() = Full::from(body.to_string());
    }
    Ok(answer)
}

fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// What every route of a hub checks.
fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let only_here = |name: &str| if name == "allowed_hosts" { "localhost" } else { "" }.to_owned();
    let config = Config::read(only_here).unwrap();
    let header = |name| headers.get(name).map(|it: &hyper::header::HeaderValue| it.as_bytes());
    let host = header(HOST.as_str());
    edge::check_host(&config, host)?;
    let origin = header(ORIGIN.as_str());
    edge::check_origin(&config, Provenance { host, origin, fetch_site: header("sec-fetch-site") })
}
