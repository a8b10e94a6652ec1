//! Limits, cursors and `Link` (`api.md` §1).

use reef_domain::limits::PAGE_MAX;

use crate::extract::Query;
use crate::http::{Request, Response};
use crate::problem::Problem;

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

/// Reads `cursor`, as `read` understands it.
///
/// # Errors
/// 400 if `read` does not.
pub fn cursor<T>(query: &Query, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    query
        .get("cursor")
        .map(|text| {
            read(text).ok_or_else(|| {
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

/// Adds `Link: <…>; rel="next"`: the same request with another cursor.
#[must_use]
pub fn with_next(response: Response, request: &Request, next: Option<String>) -> Response {
    with_next_at(response, request, "cursor", next)
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
    let query = query.append_pair(cursor, &next).finish();
    response.with("link", format!("<{}?{query}>; rel=\"next\"", request.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_same_request_with_another_cursor() {
        let request = Request {
            target: "/api/v1/nodes?skill=a%26b&cursor=9&limit=2".into(),
            ..Request::default()
        };
        let response = with_next(Response::empty(200), &request, Some("7".into()));
        assert_eq!(
            String::from_utf8(response.headers[0].1.clone()).unwrap(),
            r#"</api/v1/nodes?skill=a%26b&limit=2&cursor=7>; rel="next""#
        );
    }
}
