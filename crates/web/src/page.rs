//! Limits, cursors and `Link` (`contract.md` §1).
//!
//! A cursor is a place, and behind a dot a mark of the list that it belongs to. So a cursor of one
//! list is refused by another, where it would mean an arbitrary place.

use reef_domain::limits::PAGE_MAX;
use reef_store::steps::Steps;
use serde::Serialize;

use crate::extract::Query;
use crate::http::{Request, Response};
use crate::once::digest_of;
use crate::problem::Problem;

/// Characters of a cursor's mark: enough to tell a list from the few dozen others of its kind.
const MARK_CHARS: usize = 6;

/// Reads `limit`.
///
/// # Errors
/// 400 if it is no whole number from 1 to 1000.
pub fn limit(query: &Query, default: i64) -> Result<i64, Problem> {
    match query.get("limit") {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE_MAX).contains(limit))
            .ok_or_else(|| Problem::parameter("limit", "must be a whole number from 1 to 1000")),
    }
}

/// Reads a parameter that is true or false; false where it is not given.
///
/// # Errors
/// 400 if it is neither.
pub fn flag(query: &Query, name: &'static str) -> Result<bool, Problem> {
    match query.get(name) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(Problem::parameter(name, "must be true or false")),
    }
}

/// Reads `cursor`, as `read` understands it.
///
/// # Errors
/// 400 if `read` does not.
pub fn cursor<T>(query: &Query, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    query
        .get("cursor")
        .map(|text| {
            let place = text.rsplit_once('.').filter(|(_, given)| *given == mark(&query.list));
            place.and_then(|(place, _)| read(place)).ok_or_else(|| {
                Problem::parameter("cursor", "must be the cursor of a Link header, unchanged")
            })
        })
        .transpose()
}

/// Reads a `cursor` that is a positive number.
///
/// # Errors
/// 400 if it is none.
pub fn number_cursor(query: &Query) -> Result<Option<i64>, Problem> {
    cursor(query, |text| text.parse().ok().filter(|number| *number > 0))
}

/// The page that is asked for of a list in the order of numbers; nothing was read of it yet.
///
/// # Errors
/// Those of [`limit`] and [`number_cursor`].
pub fn steps<T>(query: &Query, default: i64) -> Result<Steps<T>, Problem> {
    Ok(Steps::new(limit(query, default)?, number_cursor(query)?))
}

/// Answers a page that is nothing but its rows.
#[must_use]
pub fn answer<T: Serialize>(request: &Request, page: &Steps<T>) -> Response {
    with_next(Response::json(&page.rows), request, page.next)
}

/// Adds `Link: <…>; rel="next"`: the same request with another cursor.
#[must_use]
pub fn with_next(response: Response, request: &Request, next: Option<impl ToString>) -> Response {
    with_next_at(response, request, "cursor", next.map(|next| next.to_string()))
}

/// The same for lists whose cursor has another name.
#[must_use]
pub fn with_next_at(
    response: Response,
    request: &Request,
    cursor: &str,
    next: Option<String>,
) -> Response {
    let Some(next) = next else { return response };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.query().as_bytes()) {
        if name != cursor {
            query.append_pair(&name, &value);
        }
    }
    // A place in a log is a number or an id that callers know; only lists have cursors.
    let next = match cursor {
        "cursor" => marked(request, &next),
        _ => next,
    };
    let query = query.append_pair(cursor, &next).finish();
    response.with("link", format!("<{}?{query}>; rel=\"next\"", request.path()))
}

/// A place in the list of a request, as its `cursor` says it.
#[must_use]
pub fn marked(request: &Request, place: &str) -> String {
    format!("{place}.{}", mark(request.path()))
}

/// What tells a list from others: made of its path.
fn mark(path: &str) -> String {
    digest_of(path).chars().take(MARK_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(target: &str) -> Query {
        Query::read(&Request { target: target.into(), ..Request::default() })
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list() {
        let request = Request { target: "/api/v1/tasks?limit=1".into(), ..Request::default() };
        let response = with_next(Response::empty(200), &request, Some("12"));
        let link = std::str::from_utf8(response.headers.get("link").unwrap()).unwrap();
        let cursor = link.split_once("cursor=").unwrap().1.split_once('>').unwrap().0;
        for path in ["/api/v1/tasks", "/api/v1/tasks/"] {
            let read = number_cursor(&query(&format!("{path}?status=x&cursor={cursor}")));
            assert_eq!(read.unwrap(), Some(12), "{path}");
        }
        for path in ["/api/v1/nodes", "/api/v1/tasks/dead", "/api/v1/agents"] {
            assert!(number_cursor(&query(&format!("{path}?cursor={cursor}"))).is_err(), "{path}");
        }
        for bad in ["12", "12.", ".", "12.000000", &format!("x{cursor}"), &format!("{cursor}0")] {
            assert!(
                number_cursor(&query(&format!("/api/v1/tasks?cursor={bad}"))).is_err(),
                "{bad}"
            );
        }
        assert_eq!(number_cursor(&query("/api/v1/tasks?cursor=")).unwrap(), None);
    }

    #[test]
    fn the_next_page_is_the_same_request_with_another_cursor() {
        let request = Request {
            target: "/api/v1/nodes?skill=a%26b&cursor=9&limit=2".into(),
            ..Request::default()
        };
        let response = with_next(Response::empty(200), &request, Some("7"));
        assert_eq!(
            std::str::from_utf8(response.headers.get("link").unwrap()).unwrap(),
            format!(
                r#"</api/v1/nodes?skill=a%26b&limit=2&cursor=7.{}>; rel="next""#,
                mark("/api/v1/nodes")
            )
        );
    }
}
