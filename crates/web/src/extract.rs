//! Bodies, ids and query parameters, with the field in every complaint.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
pub use reef_api::lax::{float as lax_float, int as lax_int};
use reef_domain::Invalid;
use reef_domain::json::{self, Fault, Json, Members};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::http::Request;
use crate::problem::{Code, Problem};

/// Reads a body that must be a JSON object. Fields that `T` does not know are ignored.
///
/// # Errors
/// 400 for what is no JSON, 415 for what is not said to be JSON, 422 for what is no object or
/// has a field of another type.
pub fn object<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    json(request, b'{', "must be a JSON object")
}

/// Reads a body that must be a JSON array.
///
/// # Errors
/// As [`object`].
pub fn array<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    json(request, b'[', "must be a JSON array")
}

/// Reads a body that may be missing.
///
/// # Errors
/// As [`object`].
pub fn optional_object<T: DeserializeOwned + Default>(request: &Request) -> Result<T, Problem> {
    let is_empty = request.body.iter().all(u8::is_ascii_whitespace);
    if is_empty { Ok(T::default()) } else { object(request) }
}

/// Refuses a body that is compressed: what it unpacks to has no bound.
///
/// # Errors
/// 415 with `Accept-Encoding` (RFC 9110 §12.5.3).
pub fn check_coding(request: &Request) -> Result<(), Problem> {
    let Some(coding) = request.raw_header("content-encoding") else { return Ok(()) };
    let is_plain = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    };
    if request.body.is_empty() || coding.split(|byte| *byte == b',').all(is_plain) {
        return Ok(());
    }
    let detail = "The body must not be compressed: send it without Content-Encoding.";
    Err(Problem::new(Code::UnsupportedMediaType, detail).with("accept-encoding", "identity"))
}

/// Refuses a query that does not say one thing: text that is no UTF-8, or a parameter that is given
/// twice, of which each reader would take another.
///
/// # Errors
/// 400 that names the parameter.
pub fn check_query(request: &Request) -> Result<(), Problem> {
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    for pair in request.query().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let shown = decoded(name)
            .ok_or_else(|| Problem::parameter("query", "must be percent-encoded UTF-8"))?;
        if decoded(value).is_none() {
            return Err(Problem::parameter(&shown, "must be percent-encoded UTF-8"));
        }
        if names.contains(&shown) {
            return Err(Problem::parameter(&shown, "must not be given twice"));
        }
        names.push(shown);
    }
    Ok(())
}

/// A name or value of a query as text; `+` is left as it is, which makes no difference here.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

/// Refuses fields that answers show and only the hub decides: whoever sends one would else find it
/// ignored. `null` is not given. A body that is no object is for its reader to refuse.
///
/// # Errors
/// 422 that names each of them.
pub fn refuse_read_only(request: &Request, names: &[&str]) -> Result<(), Problem> {
    let Ok(given) = serde_json::from_slice::<GivenFields>(&request.body) else { return Ok(()) };
    let mut invalid = Invalid::new();
    for name in given.0.iter().filter(|given| names.contains(&given.as_str())) {
        invalid.push(name.clone(), "is decided by the hub and cannot be given");
    }
    Ok(invalid.finish(())?)
}

/// The names of an object's fields, but for those that are `null`.
struct GivenFields(Vec<String>);

impl<'de> Deserialize<'de> for GivenFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = GivenFields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GivenFields, A::Error> {
                let mut names = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Option<IgnoredAny>>()? {
                    if value.is_some() && !names.contains(&name) {
                        names.push(name);
                    }
                }
                Ok(GivenFields(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

fn json<T: DeserializeOwned>(request: &Request, opening: u8, rule: &str) -> Result<T, Problem> {
    let first = request.body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none() {
        return Err(Problem::field("body", "is required"));
    }
    require_json_type(request)?;
    // The parser does not look into texts that it skips, so the encoding is checked first.
    let text = std::str::from_utf8(&request.body).map_err(|error| {
        let detail = format!("The body is not JSON: byte {} is not UTF-8.", error.valid_up_to());
        Problem::new(Code::MalformedJson, detail)
    })?;
    if first != Some(&opening) {
        serde_json::from_str::<IgnoredAny>(text).map_err(|e| malformed(&e))?;
        return Err(Problem::field("body", rule));
    }
    read_text(text)
}

/// Reads a text that must be a JSON object, such as one entry of a batch.
///
/// # Errors
/// 400 for what is no JSON, 422 for what is no object or has a field of another type.
pub fn object_of<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    if text.trim_start().starts_with('{') {
        read_text(text)
    } else {
        Err(Problem::field("body", "must be a JSON object"))
    }
}

fn read_text<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            let field = if path == "." { "body" } else { &path };
            Problem::field(field, &without_position(&inner))
        } else {
            unreadable(text, &inner)
        }
    })?;
    json.end().map_err(|e| malformed(&e))?;
    Ok(value)
}

/// What is wrong with a body that the parser does not read. Texts that are not Unicode and numbers
/// beyond all bounds are faults of their fields.
fn unreadable(text: &str, error: &serde_json::Error) -> Problem {
    let fault = match json::check(text) {
        Ok(()) | Err(Fault::NotJson) => return malformed(error),
        Err(fault) => fault,
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let found = serde_path_to_error::deserialize::<_, Members>(&mut parser);
    let path = found.err().map(|error| error.path().to_string());
    let field = path.filter(|path| path != "." && path != "?").unwrap_or_else(|| "body".to_owned());
    Problem::field(&field, &fault.to_string())
}

fn require_json_type(request: &Request) -> Result<(), Problem> {
    let Some(given) = request.header("content-type") else { return Ok(()) };
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.is_empty() || essence == "application/json" || essence.ends_with("+json") {
        Ok(())
    } else {
        Err(Problem::new(
            Code::UnsupportedMediaType,
            "The body must be JSON: send Content-Type: application/json, or none.",
        ))
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Code::MalformedJson, format!("The body is not JSON: {error}."))
}

/// The parser's words without `at line 1 column 7`: the field says where.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

/// A JSON object that is passed on as it is; an empty one where none was given.
///
/// # Errors
/// 422 if it is something else, or larger than `bytes_max`.
pub fn json_object(field: &str, given: Option<Json>, bytes_max: usize) -> Result<Json, Problem> {
    let object = given.map_or_else(Json::empty_object, Json::or_empty_object);
    if !object.is_object() {
        return Err(Problem::field(field, "must be a JSON object"));
    }
    if object.bytes() > bytes_max {
        return Err(Problem::field(field, &format!("must not be larger than {bytes_max} bytes")));
    }
    Ok(object)
}

/// Decodes one segment of a path.
///
/// # Errors
/// 400 if it is no UTF-8.
pub fn segment<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>, Problem> {
    percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| Problem::parameter(name, "must be percent-encoded UTF-8"))
}

/// The parameters of a query.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
    /// The list that is asked for.
    pub(crate) list: String,
}

impl Query {
    /// Reads all of them.
    #[must_use]
    pub fn read(request: &Request) -> Self {
        let pairs = form_urlencoded::parse(request.query().as_bytes()).into_owned().collect();
        Self { pairs, list: request.path().to_owned() }
    }

    /// The last value of a name; an empty one is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    struct Form {
        #[serde(default, deserialize_with = "lax_int")]
        count: Option<i64>,
        #[serde(default, deserialize_with = "lax_float")]
        share: Option<f64>,
        name: Option<String>,
    }

    fn read(body: &str) -> Result<Form, Problem> {
        object(&Request { body: body.into(), ..Request::default() })
    }

    #[test]
    fn numbers_are_read_as_the_older_services_did() {
        for body in [r#"{"count":5}"#, r#"{"count":5.0}"#, r#"{"count":"5"}"#] {
            assert_eq!(read(body).unwrap().count, Some(5), "{body}");
        }
        assert_eq!(read(r#"{"share":"12.5","count":null}"#).unwrap().share, Some(12.5));
        for body in [
            r#"{"count":5.5}"#,
            r#"{"count":true}"#,
            r#"{"count":"abc"}"#,
            r#"{"count":[]}"#,
            r#"{"count":"NaN"}"#,
        ] {
            let problem = read(body).unwrap_err();
            assert_eq!(
                (problem.code, problem.errors[0].field.as_str()),
                (Code::ValidationFailed, "count"),
                "{body}"
            );
        }
    }

    #[test]
    fn every_bad_body_has_its_code() {
        for (body, code) in [
            ("", Code::ValidationFailed),
            ("[]", Code::ValidationFailed),
            ("\"x\"", Code::ValidationFailed),
            ("{", Code::MalformedJson),
            ("{} {}", Code::MalformedJson),
            ("nonsense", Code::MalformedJson),
            (r#"{"name":7}"#, Code::ValidationFailed),
        ] {
            assert_eq!(read(body).unwrap_err().code, code, "{body}");
        }
        assert!(read("{\"name\":\"\u{0}\"}").is_err());
        let skipped = Request { body: b"{\"other\":\"\xff\"}".to_vec(), ..Request::default() };
        assert_eq!(object::<Form>(&skipped).unwrap_err().code, Code::MalformedJson);
    }

    #[test]
    fn white_space_is_no_body() {
        for body in ["", " ", "\r\n\t "] {
            let request = Request { body: body.into(), ..Request::default() };
            let read: Result<serde_json::Map<String, serde_json::Value>, _> =
                optional_object(&request);
            assert!(read.unwrap().is_empty(), "{body:?}");
        }
    }

    #[test]
    fn a_compressed_body_is_refused_and_told_what_is_taken() {
        let mut request = Request { body: "{}".into(), ..Request::default() };
        for (coding, fits) in [
            ("identity", true),
            ("", true),
            ("gzip", false),
            ("GZIP", false),
            ("identity, br", false),
            ("x", false),
        ] {
            request.headers = [("Content-Encoding", coding)].into_iter().collect();
            let refused = check_coding(&request).err();
            assert_eq!(refused.is_none(), fits, "{coding}");
            if let Some(problem) = refused {
                assert_eq!(problem.code, Code::UnsupportedMediaType);
                assert_eq!(problem.headers, [("accept-encoding", "identity".to_owned())]);
            }
        }
        request.body.clear();
        assert!(check_coding(&request).is_ok(), "there is nothing that could be compressed");
    }

    #[test]
    fn a_query_says_one_thing() {
        let check = |query: &str| {
            let request = Request { target: format!("/x?{query}"), ..Request::default() };
            check_query(&request).err().map(|problem| problem.errors[0].field.clone())
        };
        for good in
            ["", "a=1&b=2", "a=%F0%9F%90%9F", "a", "a=&b", "&&a=1", "a=1=2", "skill=c%2B%2B"]
        {
            assert_eq!(check(good), None, "{good}");
        }
        for (bad, field) in [
            ("skill=%ff", "skill"),
            ("a=1&skill=%C3%28", "skill"),
            ("%ff=1", "query"),
            ("skill=%ED%A0%80", "skill"),
            ("limit=1&limit=2", "limit"),
            ("limit=1&l%69mit=1", "limit"),
        ] {
            assert_eq!(check(bad).as_deref(), Some(field), "{bad}");
        }
    }

    #[test]
    fn what_only_the_hub_decides_is_refused_by_name() {
        let refused = |body: &str| {
            let request = Request { body: body.into(), ..Request::default() };
            let problem = refuse_read_only(&request, &["status", "token"]).err();
            problem.map(|it| it.errors.iter().map(|e| e.field.clone()).collect::<Vec<_>>())
        };
        for good in
            ["", "{", "[]", "{}", r#"{"name":"status","a":{"status":1}}"#, r#"{"status":null}"#]
        {
            assert_eq!(refused(good), None, "{good}");
        }
        for value in ["1", "\"x\"", "{}", "[1]", "false"] {
            let body = format!(r#"{{"name":1,"status":{value}}}"#);
            assert_eq!(refused(&body).unwrap(), ["status"], "{body}");
        }
        assert_eq!(refused(r#"{"t\u006fken":1,"status":2}"#).unwrap(), ["token", "status"]);
    }

    #[test]
    fn only_json_is_taken() {
        let mut request = Request { body: "{}".into(), ..Request::default() };
        for (kind, fits) in [
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/merge-patch+json", true),
            ("application/x-www-form-urlencoded", false),
        ] {
            request.headers = [("Content-Type", kind)].into_iter().collect();
            assert_eq!(object::<Form>(&request).is_ok(), fits, "{kind}");
        }
    }
}
