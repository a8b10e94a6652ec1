//! The page at `/` and what it is made of: plain modules, from this host alone.

use std::sync::LazyLock;

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use reef_store::event::CATALOGUE;

use super::super::{Answer, whole};
use super::reference;

/// The page, with the places that are filled in between `{` and `}`.
pub(super) const PAGE: &str = include_str!("ui/index.html");

/// Something that a page loads, below `/ui/`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Asset {
    pub(super) name: &'static str,
    media_type: &'static str,
    content: Content,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Text(&'static str),
    /// What others publish is kept as it is sent: a browser that takes no gzip has no use for it.
    Gzip(&'static [u8]),
}

impl Asset {
    pub(super) const fn text(
        name: &'static str,
        media_type: &'static str,
        text: &'static str,
    ) -> Self {
        Self { name, media_type, content: Content::Text(text) }
    }
}

pub(super) const fn script(name: &'static str, text: &'static str) -> Asset {
    Asset::text(name, "text/javascript; charset=utf-8", text)
}

pub(super) const fn zipped(
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
) -> Asset {
    Asset { name, media_type, content: Content::Gzip(content) }
}

const ASSETS: &[Asset] = &[
    Asset::text("style.css", "text/css; charset=utf-8", include_str!("ui/style.css")),
    Asset::text("icon.svg", "image/svg+xml", include_str!("ui/icon.svg")),
    script("app.js", include_str!("ui/app.js")),
    script("access.js", include_str!("ui/access.js")),
    script("cluster.js", include_str!("ui/cluster.js")),
    script("dom.js", include_str!("ui/dom.js")),
    script("events.js", include_str!("ui/events.js")),
    script("message.js", include_str!("ui/message.js")),
    script("money.js", include_str!("ui/money.js")),
    script("nodes.js", include_str!("ui/nodes.js")),
    script("readiness.js", include_str!("ui/readiness.js")),
    script("stream.js", include_str!("ui/stream.js")),
    script("tasks.js", include_str!("ui/tasks.js")),
];

/// The names of the cluster's events, which a page must ask for one by one.
static EVENT_TYPES: LazyLock<Asset> = LazyLock::new(|| {
    let names: Vec<_> = CATALOGUE.iter().map(|entry| format!("  \"{}\",\n", entry.name)).collect();
    let text = format!("export const eventTypes = [\n{}];\n", names.concat());
    script("event-types.js", text.leak())
});

/// Where the assets are.
const FOLDER: &str = "/ui/";

/// The page runs only what this host serves, and talks to nobody but this host.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                                 img-src 'self'; connect-src 'self'; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'";

/// The asset at a path.
pub(super) fn asset(path: &str) -> Option<&'static Asset> {
    let name = path.strip_prefix(FOLDER)?;
    let of_page = ASSETS.iter().find(|asset| asset.name == name);
    let of_page = of_page.or_else(|| (EVENT_TYPES.name == name).then_some(&*EVENT_TYPES));
    of_page.or_else(|| reference::asset(name))
}

/// Answers with an asset.
pub(super) fn answer(asset: &Asset) -> Answer {
    let body = match asset.content {
        Content::Text(text) => text.as_bytes(),
        Content::Gzip(bytes) => bytes,
    };
    let mut answer = whole(StatusCode::OK, asset.media_type, body);
    let headers = answer.headers_mut();
    if matches!(asset.content, Content::Gzip(_)) {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // A newer hub may have other modules, and they are small.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_page_names_is_there_and_from_here() {
        let texts = ASSETS.iter().map(|asset| match asset.content {
            Content::Text(text) => text,
            Content::Gzip(_) => "",
        });
        let texts = texts.chain([PAGE]);
        for text in texts.clone() {
            assert!(!text.contains("https://") && !text.contains("//cdn"));
            let named =
                text.split('"').filter(|word| word.starts_with(FOLDER) && word.contains('.'));
            let imported = text.split('"').filter_map(|word| word.strip_prefix("./"));
            for path in named.map(str::to_owned).chain(imported.map(|it| format!("{FOLDER}{it}"))) {
                assert!(asset(&path).is_some(), "{path}");
            }
        }
        for Asset { name, .. } in ASSETS {
            let is_used = texts.clone().any(|text| text.contains(&format!("/{name}\"")));
            assert!(is_used, "{name} is served for nobody");
        }
        assert_eq!(asset("/ui/../app.js"), None);
        assert_eq!(asset("/ui/session"), None);
    }
}
