//! What the host's pages load: kept as text, sent as small as its reader takes it, and not sent again to
//! who has it.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::super::{Answer, whole};

/// How many digits of a sum name a text.
const TAG_DIGITS: usize = 32;

/// Something that a page loads, below `/ui/`.
#[derive(Debug)]
pub(in crate::http) struct Asset {
    pub(super) name: &'static str,
    media_type: &'static str,
    pub(super) content: Content,
    made: OnceLock<Made>,
}

impl PartialEq for Asset {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Asset {}

/// What an asset is made of.
#[derive(Debug)]
pub(super) enum Content {
    Text(&'static str),
    /// What others publish is kept as it is sent: a browser that takes no gzip has no use for it.
    Gzip(&'static [u8]),
}

/// What is made of an asset when it is asked for first.
#[derive(Debug)]
struct Made {
    /// Names this content; `None` cannot happen, since it is all digits.
    tag: Option<HeaderValue>,
    zipped: Bytes,
}

impl Asset {
    pub(super) fn text(name: &'static str, media_type: &'static str, text: &'static str) -> Self {
        Self { name, media_type, content: Content::Text(text), made: OnceLock::new() }
    }

    /// Answers with it.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Answer {
        let made = self.made();
        let is_known = made.tag.is_some() && headers.get(IF_NONE_MATCH) == made.tag.as_ref();
        let (body, is_zipped) = match self.content {
            Content::Text(text) if !takes_gzip(headers) => {
                (Bytes::from_static(text.as_bytes()), false)
            }
            _ => (made.zipped.clone(), true),
        };
        let mut answer = if is_known {
            whole(StatusCode::NOT_MODIFIED, self.media_type, Bytes::new())
        } else {
            whole(StatusCode::OK, self.media_type, body)
        };
        let headers = answer.headers_mut();
        if is_zipped && !is_known {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        // A newer hub may have other modules: a browser asks, and is told by the tag that it has them.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(tag) = &made.tag {
            headers.insert(ETAG, tag.clone());
        }
        answer
    }

    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let (bytes, zipped) = match self.content {
                Content::Text(text) => (text.as_bytes(), zipped(text.as_bytes())),
                Content::Gzip(bytes) => (bytes, Bytes::from_static(bytes)),
            };
            let sum: String =
                Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let tag = sum.get(..TAG_DIGITS).map(|digits| format!("W/\"{digits}\""));
            Made { tag: tag.and_then(|tag| HeaderValue::from_str(&tag).ok()), zipped }
        })
    }

    /// How many bytes it takes on its way to a browser.
    #[cfg(test)]
    pub(super) fn sent_bytes(&self) -> usize {
        self.made().zipped.len()
    }
}

pub(super) fn script(name: &'static str, text: &'static str) -> Asset {
    Asset::text(name, "text/javascript; charset=utf-8", text)
}

pub(super) fn zipped_asset(
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
) -> Asset {
    Asset { name, media_type, content: Content::Gzip(content), made: OnceLock::new() }
}

/// Whether whoever asks takes gzip. A weight of nought means that it does not.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            weight.is_some_and(|weight| weight <= 0.0)
        });
        is_named && !is_refused
    })
}

/// The same, smaller. Writing to memory does not fail; what it would leave is told from a whole one.
fn zipped(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map(Bytes::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn note() -> Asset {
        script("note.js", "let a = 1; let b = 1;")
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn an_asset_is_zipped_for_who_takes_it() {
        for (accepted, is_zipped) in [
            ("gzip, deflate, br", true),
            ("br;q=1, GZIP;q=0.5", true),
            ("identity", false),
            ("gzip;q=0", false),
            ("x-gzip", false),
        ] {
            let answer = note().answer(&headers(&[("accept-encoding", accepted)]));
            assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), is_zipped, "{accepted}");
            assert_eq!(answer.headers()[VARY], "Accept-Encoding");
        }
        let note = note();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&note.made().zipped[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "let a = 1; let b = 1;");
    }

    #[test]
    fn an_asset_is_not_sent_again() {
        let first = note().answer(&HeaderMap::new());
        let tag = first.headers()[ETAG].to_str().unwrap();
        let again = note().answer(&headers(&[("if-none-match", tag)]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(!again.headers().contains_key(CONTENT_ENCODING));
        let other = note().answer(&headers(&[("if-none-match", "W/\"other\"")]));
        assert_eq!(other.status(), StatusCode::OK);
    }
}
