//! What a monitor passes on to a hub elsewhere.

use http::Method;
use http::request::Parts;
use hyper::body::Incoming;
use reef_web::edge;

use super::super::relay::Relay;
use super::super::{Answer, problem};
use super::{Asked, Service};
use crate::metrics::Refusal;

impl Service {
    /// Passes a request on, and its answer back; says whether a success proves that its key is good.
    pub(super) async fn relay(
        &self,
        relay: &Relay,
        parts: Parts,
        incoming: &mut Incoming,
        asked: &Asked<'_>,
    ) -> (Answer, bool) {
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let most = edge::body_max(method.as_str(), &path);
        let body = match self.read_body(incoming, most, &parts, asked).await {
            Ok(body) => body,
            Err(refused) => return (asked.refuse(Refusal::Body, refused), false),
        };
        let _turn = self.shares.take(asked.caller).await;
        match relay.pass_on(parts, body.bytes.clone(), asked.caller).await {
            Ok(answer) => {
                if answer.status().is_success() {
                    self.streams.note_change(&method, &path);
                }
                (answer, method != Method::OPTIONS && path.starts_with("/api/"))
            }
            Err(refused) => (problem::answer(refused, asked.id_text()), false),
        }
    }
}
