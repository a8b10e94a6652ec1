//! `/openapi.json`, and the page that shows it: Swagger UI, from this host alone.

use std::sync::LazyLock;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};

use super::super::{Answer, whole};
use super::assets::{Asset, script, zipped_asset};

/// Every route of every component and of the host; `cargo xtask openapi` writes it.
const DOCUMENT: &str = include_str!("../../../../openapi.json");

const PAGE: &str = include_str!("reference/docs.html");

/// Where the page is. The contract names both.
const PATHS: [&str; 2] = ["/docs", "/redoc"];

/// What it loads, below `/ui/`.
static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    let (css, js) = ("text/css; charset=utf-8", "text/javascript; charset=utf-8");
    [
        zipped_asset(
            "swagger-ui.css",
            css,
            include_bytes!("reference/swagger-ui/swagger-ui.css.gz"),
        ),
        zipped_asset(
            "swagger-ui.js",
            js,
            include_bytes!("reference/swagger-ui/swagger-ui-bundle.js.gz"),
        ),
        script("show-docs.js", include_str!("reference/show-docs.js")),
        Asset::text("reference.css", css, include_str!("reference/reference.css")),
    ]
});

/// Swagger UI writes styles into the page and draws with `data:` pictures. Nothing comes from
/// elsewhere, and what is asked is asked of this host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether the page is at this path.
pub(super) fn is_page(path: &str) -> bool {
    PATHS.contains(&path)
}

/// What the page loads.
pub(super) fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Answers with the document.
pub(super) fn document() -> Answer {
    whole(StatusCode::OK, "application/json", DOCUMENT)
}

/// Answers with the page.
pub(super) fn page() -> Answer {
    let mut answer = whole(StatusCode::OK, "text/html; charset=utf-8", PAGE);
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
            super::super::super::ui_session::acting::PATH,
            super::super::super::sign_in_link::PATH,
            "/api/v1/events/stream",
            "/api/v1/sessions/{sid}/messages/{mid}/stream",
            "/api/v1/tasks/{id}/log/stream",
        ]);
        // A component has `/readyz`, too, and describes it.
        served.extend(Own::EXACT.iter().map(|(path, _)| *path).filter(|path| *path != "/readyz"));
        served.extend(PATHS);
        assert_eq!(described, served);
    }

    #[test]
    fn the_page_names_only_what_is_there() {
        assert!(!PAGE.contains("https://") && !PAGE.contains("//cdn"));
        for path in PAGE.split('"').filter(|word| word.starts_with("/ui/")) {
            assert!(super::super::ui::asset(path).is_some(), "{path}");
        }
        for Asset { name, .. } in ASSETS.iter() {
            assert!(PAGE.contains(&format!("\"/ui/{name}\"")), "{name}");
        }
    }
}
