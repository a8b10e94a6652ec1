//! What is changed about a request's headers on its way to a component.

use std::net::SocketAddr;

use http::header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use uuid::Uuid;

use super::X_REQUEST_ID;
use super::client::Client;
use crate::manifest::routes::RouteMatch;

/// The longest request id that is taken from a client.
const REQUEST_ID_MAX: usize = 128;

/// Settles the id under which a request is logged and answered: the client's when it is sane,
/// else a new one, which then also stands in the request, so that the component answers with it.
pub(super) fn settle_request_id(headers: &mut HeaderMap) -> HeaderValue {
    let given = headers.get(X_REQUEST_ID).filter(|id| {
        (1..=REQUEST_ID_MAX).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    if let Some(id) = given {
        return id.clone();
    }
    let mut text = Uuid::encode_buffer();
    let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    let id = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"));
    headers.insert(X_REQUEST_ID, id.clone());
    id
}

/// The text of an id that [`settle_request_id`] has returned.
pub(super) fn request_id_text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or("none")
}

/// Takes away what is between the client and us alone, and what only a host may say: a client
/// that sends `spin-*` headers would else speak with the host's voice.
pub(super) fn strip(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING, TE, UPGRADE] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    if headers.keys().any(is_spins) {
        let names: Vec<HeaderName> =
            headers.keys().filter(|name| is_spins(name)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
    }
}

fn is_spins(name: &HeaderName) -> bool {
    name.as_str().starts_with("spin-")
}

/// Adds where a request comes from, if the component needs that: callers without a key share
/// idempotency keys with those of their address alone. (Spin always says it.)
pub(super) fn add_address(headers: &mut HeaderMap, peer: SocketAddr) {
    if headers.contains_key("idempotency-key")
        && let Ok(address) = HeaderValue::from_str(&peer.to_string())
    {
        headers.insert("spin-client-addr", address);
    }
}

/// Adds the headers by which Spin tells a component about its route.
pub(super) fn add_spins<T>(
    headers: &mut HeaderMap,
    uri: &Uri,
    found: &RouteMatch<'_, '_, T>,
    client: &Client,
) {
    let route = found.route();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("{}://{host}{path}", client.scheme());
    let mut add = |name: &str, value: &str| {
        // What cannot be a header is left out, as Spin does with a parameter's odd name.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
    };
    add("spin-full-url", &full_url);
    add("spin-path-info", &found.rest());
    add("spin-matched-route", &route.pattern);
    add("spin-raw-component-route", &route.pattern);
    add("spin-component-route", route.prefix());
    add("spin-base-path", "/");
    add("spin-client-addr", &client.address.to_string());
    for (name, value) in found.parameters() {
        add(&format!("spin-path-match-{}", name.to_ascii_lowercase().replace('_', "-")), &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::routes::Routes;

    #[test]
    fn a_sane_request_id_is_kept_and_another_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("abc-1"));
        assert_eq!(settle_request_id(&mut headers), "abc-1");
        let long = "x".repeat(129);
        for bad in ["", "a b", long.as_str()] {
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(bad).unwrap());
            let id = settle_request_id(&mut headers);
            assert_eq!(id.len(), 36, "{bad:?}");
            assert_eq!(headers.get(X_REQUEST_ID), Some(&id));
            assert_eq!(headers.get_all(X_REQUEST_ID).iter().count(), 1);
        }
    }

    #[test]
    fn a_client_cannot_speak_with_the_hosts_voice() {
        let routes = Routes::build([("/n/:node_id/...".to_owned(), ())]).unwrap();
        let uri: Uri = "/n/a%20b/x?q=1".parse().unwrap();
        let found = routes.find(uri.path()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("spin-path-match-node-id", HeaderValue::from_static("EVIL"));
        headers.insert("spin-client-addr", HeaderValue::from_static("EVIL"));
        headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
        headers.insert("host", HeaderValue::from_static("hub:1"));
        strip(&mut headers);
        assert_eq!(headers.len(), 1);
        let address = "127.0.0.1:9".parse().unwrap();
        let client = Client { address, is_tls: false, certificate: None };
        add_spins(&mut headers, &uri, &found, &client);
        assert_eq!(headers["spin-path-match-node-id"], "a%20b");
        assert_eq!(headers["spin-client-addr"], "127.0.0.1:9");
        assert_eq!(headers["spin-full-url"], "http://hub:1/n/a%20b/x?q=1");
        assert_eq!(headers["spin-path-info"], "/x");
        assert_eq!(headers["spin-component-route"], "/n/:node_id");
        assert!(!headers.values().any(|value| value == "EVIL"));
    }

    #[test]
    fn a_component_hears_where_a_repeat_may_come_from() {
        let peer = "127.0.0.1:9".parse().unwrap();
        let mut headers = HeaderMap::new();
        add_address(&mut headers, peer);
        assert!(headers.is_empty());
        headers.insert("idempotency-key", HeaderValue::from_static("order-1"));
        add_address(&mut headers, peer);
        assert_eq!(headers["spin-client-addr"], "127.0.0.1:9");
    }
}
