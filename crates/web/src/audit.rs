//! What the log says of those who administer.

use reef_api::Word;
use reef_domain::shown::in_line;

use crate::auth::Access;
use crate::edge;
use crate::http::Request;
use crate::route::Answer;

/// Whether the log says that an admin key has done this: who administers, moves money, makes keys or
/// removes something. What agents do all day, heartbeats above all, would bury it.
fn is_noted(access: Access, method: &str) -> bool {
    edge::is_write(method) && (access != Access::Write || method == "DELETE")
}

/// Says which admin key has changed what, for whoever looks into it later.
#[allow(clippy::print_stdout, reason = "what a component prints there is the log, as information")]
pub(crate) fn note(key: &str, access: Access, request: &Request, id: &str, answer: &Answer) {
    // Linked natively, for the benchmark, a component has no log.
    if cfg!(target_family = "wasm") && is_noted(access, &request.method) {
        let outcome = answer.as_ref().map_or_else(|problem| problem.code.as_str(), |_| "done");
        let (method, path) = (in_line(&request.method), request.path());
        println!("admin_key={key} method={method} path={path:?} outcome={outcome} request_id={id}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_administers_is_noted_and_what_agents_do_is_not() {
        for (access, method, noted) in [
            (Access::Write, "POST", false),
            (Access::Write, "DELETE", true),
            (Access::Trade, "POST", true),
            (Access::LedgerWrite, "POST", true),
            (Access::Admin, "POST", true),
            (Access::Admin, "GET", false),
        ] {
            assert_eq!(is_noted(access, method), noted, "{access:?} {method}");
        }
    }
}
