//! The cookies of a page: taken out of a request, and set.

use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use reef_web::Problem;

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// By which a page reads.
    Session,
    /// By which it acts.
    Act,
}

impl Cookie {
    /// Over HTTPS the right to act has a name that browsers take only from this very host, and not from
    /// a sibling that sets cookies for the domain above both.
    fn name(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Self::Session, _) => "reef_session",
            (Self::Act, true) => "__Host-reef_act",
            (Self::Act, false) => "reef_act",
        }
    }

    /// The value of `Set-Cookie`. No time at all takes the cookie away.
    ///
    /// # Errors
    /// The token is no value of a cookie: a fault of ours.
    pub(super) fn set(
        self,
        token: &str,
        lifetime: Duration,
        is_https: bool,
    ) -> Result<HeaderValue, Problem> {
        let (name, seconds) = (self.name(is_https), lifetime.as_secs());
        // A browser would not send such a cookie over HTTP.
        let secure = if is_https { "; Secure" } else { "" };
        let text =
            format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).map_err(|error| Problem::internal(error.to_string()))
    }
}

/// The cookies that a request has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Cookies {
    pub(super) session: Option<String>,
    pub(super) act: Option<String>,
}

impl Cookies {
    /// Takes our cookies out of the headers, and leaves those of others.
    pub(super) fn take(headers: &mut HeaderMap, is_https: bool) -> Self {
        if !headers.contains_key(COOKIE) {
            return Self::default();
        }
        let all: Vec<_> = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).collect();
        let all = all.join("; ");
        let pairs = all.split(';').map(str::trim).filter(|pair| !pair.is_empty());
        let (ours, others): (Vec<&str>, Vec<&str>) = pairs.partition(|pair| is_ours(pair));
        let find = |cookie: Cookie| {
            let name = cookie.name(is_https);
            let mut pairs = ours.iter().filter_map(|pair| pair.split_once('='));
            pairs.find(|(given, _)| *given == name).map(|(_, token)| token.to_owned())
        };
        let cookies = Self { session: find(Cookie::Session), act: find(Cookie::Act) };
        if !ours.is_empty() {
            headers.remove(COOKIE);
            if let (false, Ok(rest)) =
                (others.is_empty(), HeaderValue::from_str(&others.join("; ")))
            {
                headers.insert(COOKIE, rest);
            }
        }
        cookies
    }
}

fn is_ours(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    let ours = [Cookie::Session, Cookie::Act].map(|cookie| [true, false].map(|it| cookie.name(it)));
    ours.as_flattened().contains(&name)
}

/// Whether the browser has come by HTTPS: to us, or to whoever ends TLS in front of us and says so.
pub(super) fn is_https(headers: &HeaderMap, is_tls: bool) -> bool {
    is_tls || headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(given: &[&str], is_https: bool) -> (Cookies, Vec<String>) {
        let pairs = given.iter().map(|text| (COOKIE, HeaderValue::from_str(text).unwrap()));
        let mut headers: HeaderMap = pairs.collect();
        let cookies = Cookies::take(&mut headers, is_https);
        let rest = headers.get_all(COOKIE).iter().map(|v| v.to_str().unwrap().to_owned());
        (cookies, rest.collect())
    }

    #[test]
    fn our_cookies_are_taken_out_and_others_left() {
        let cookies = |session: &str, act: &str| {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            Cookies { session: some(session), act: some(act) }
        };
        for (given, is_https, found, left) in [
            (&["a=b; reef_session=s; reef_act=t"][..], false, cookies("s", "t"), &["a=b"][..]),
            (&["reef_act=t", "a=b"], false, cookies("", "t"), &["a=b"]),
            // The other name is ours as well, and says nothing.
            (&["reef_act=t; __Host-reef_act=u"], true, cookies("", "u"), &[]),
            (&["reef_act=t"], true, cookies("", ""), &[]),
            (&["__Host-reef_act=u; c=d"], false, cookies("", ""), &["c=d"]),
            (&["reef_act", "xreef_act=1"], false, cookies("", ""), &["xreef_act=1"]),
            (&["a=b", "c=d"], false, cookies("", ""), &["a=b", "c=d"]),
        ] {
            let (cookies, rest) = taken(given, is_https);
            assert_eq!(
                (cookies, &rest[..]),
                (found, &left.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..]),
                "{given:?}"
            );
        }
    }

    #[test]
    fn a_cookie_minds_tls() {
        let hour = Duration::from_secs(3600);
        let text = |cookie: Cookie, is_https| {
            cookie.set("t", hour, is_https).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(
            text(Cookie::Session, false),
            "reef_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600"
        );
        assert_eq!(
            text(Cookie::Act, true),
            "__Host-reef_act=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600; Secure"
        );
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-forwarded-proto"),
            HeaderValue::from_static("https"),
        )]);
        assert!(is_https(&headers, false) && is_https(&HeaderMap::new(), true));
        assert!(!is_https(&HeaderMap::new(), false));
    }
}
