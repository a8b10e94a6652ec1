//! `/openapi.json`, and the two pages that show it: Swagger UI and Redoc, from this host alone.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use super::super::{Answer, whole};
use super::ui::Asset;

/// Every route of every component and of the host; `cargo xtask openapi` writes it.
const DOCUMENT: &str = include_str!("../../../../openapi.json");

/// One of the pages: its path, its text.
pub(super) type Page = (&'static str, &'static str);

const PAGES: &[Page] = &[
    ("/docs", include_str!("reference/docs.html")),
    ("/redoc", include_str!("reference/redoc.html")),
];

/// What they load, below `/ui/`.
const ASSETS: &[Asset] = &[
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.css")),
    ),
    (
        "swagger-ui.js",
        "text/javascript; charset=utf-8",
        include_str!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js")),
    ),
    (
        "redoc.js",
        "text/javascript; charset=utf-8",
        include_str!(concat!(env!("OUT_DIR"), "/redoc.js")),
    ),
    ("show-docs.js", "text/javascript; charset=utf-8", include_str!("reference/show-docs.js")),
    ("show-redoc.js", "text/javascript; charset=utf-8", include_str!("reference/show-redoc.js")),
    ("reference.css", "text/css; charset=utf-8", include_str!("reference/reference.css")),
];

/// Both write styles into the page and draw with `data:` pictures; Redoc searches in a worker of
/// its own making. Nothing comes from elsewhere, and what is asked is asked of this host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                      worker-src blob:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page at a path.
pub(super) fn page(path: &str) -> Option<&'static Page> {
    PAGES.iter().find(|(known, _)| *known == path)
}

/// What a page loads.
pub(super) fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|(known, ..)| *known == name)
}

/// Answers with the document.
pub(super) fn document() -> Answer {
    whole(StatusCode::OK, "application/json", DOCUMENT)
}

/// Answers with a page.
pub(super) fn answer((_, text): &Page) -> Answer {
    let mut answer = whole(StatusCode::OK, "text/html; charset=utf-8", *text);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::Own;
    use super::*;

    #[test]
    fn the_document_has_the_hosts_routes_and_no_other() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let served_by_host = |methods: &Value| {
            let methods = methods.as_object().unwrap().values();
            methods.clone().any(|one| one["x-reef-served-by"] == "host")
        };
        let described: BTreeSet<&str> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, methods)| served_by_host(methods))
            .map(|(path, _)| path.as_str())
            .collect();
        let mut served = BTreeSet::from([
            "/ui/{asset}",
            "/problems/{code}",
            super::super::super::ui_session::PATH,
            "/api/v1/events/stream",
            "/api/v1/sessions/{sid}/messages/{mid}/stream",
        ]);
        // A component has `/readyz`, too, and describes it.
        served.extend(Own::EXACT.iter().map(|(path, _)| *path).filter(|path| *path != "/readyz"));
        served.extend(PAGES.iter().map(|(path, _)| *path));
        assert_eq!(described, served);
    }

    #[test]
    fn the_pages_name_only_what_is_there() {
        for (path, text) in PAGES {
            assert!(!text.contains("https://") && !text.contains("//cdn"), "{path}");
            for name in text.split('"').filter_map(|word| word.strip_prefix("/ui/")) {
                assert!(
                    asset(name).is_some()
                        || super::super::ui::asset(&format!("/ui/{name}")).is_some(),
                    "{name}"
                );
            }
        }
        for (name, _, text) in ASSETS {
            let is_used = PAGES.iter().any(|(_, page)| page.contains(&format!("\"/ui/{name}\"")));
            assert!(is_used && text.len() > 100, "{name}");
        }
    }
}
