//! The page at `/` and what it is made of: plain modules, from this host alone.

use std::sync::LazyLock;

use reef_store::event::CATALOGUE;

use super::assets::{Asset, Content, script};
use super::reference;

/// The page, with the places that are filled in between `{` and `}`.
const PAGE: &str = include_str!("ui/index.html");
/// The module that it begins with.
const FIRST: &str = "app.js";

macro_rules! scripts {
    ($($name:literal),* $(,)?) => {
        vec![$(script($name, include_str!(concat!("ui/", $name)))),*]
    };
}

/// What the page runs, by its place below `/ui/`.
static SCRIPTS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    scripts![
        "app.js",
        "lib/access.js",
        "lib/acting.js",
        "lib/action.js",
        "lib/actions.js",
        "lib/ansi.js",
        "lib/chart.js",
        "lib/dialog.js",
        "lib/graph.js",
        "lib/journal.js",
        "lib/json.js",
        "lib/keys.js",
        "lib/list.js",
        "lib/live.js",
        "lib/log.js",
        "lib/message.js",
        "lib/parts.js",
        "lib/readiness.js",
        "lib/router.js",
        "lib/store.js",
        "lib/stream.js",
        "lib/table.js",
        "lib/time.js",
        "lib/timeline.js",
        "lib/view.js",
        "lib/visible.js",
        "lib/words.js",
        "views/agents.js",
        "views/approvals.js",
        "views/dead.js",
        "views/events.js",
        "views/flows.js",
        "views/health.js",
        "views/leader.js",
        "views/limits.js",
        "views/mail.js",
        "views/money.js",
        "views/nodes.js",
        "views/overview.js",
        "views/queue.js",
        "views/schedules.js",
        "views/sessions.js",
        "views/task.js",
        "views/tasks.js",
        "views/usage.js",
        "words/en.js",
        "words/zh.js",
        "vendor/hooks.js",
        "vendor/htm.js",
        "vendor/preact.js",
        "vendor/uplot.js",
    ]
});

static SHEETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let css = "text/css; charset=utf-8";
    [
        Asset::text("style.css", css, include_str!("ui/style.css")),
        Asset::text("vendor/uplot.css", css, include_str!("ui/vendor/uplot.css")),
        Asset::text("icon.svg", "image/svg+xml", include_str!("ui/icon.svg")),
    ]
});

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
    let of_page = SCRIPTS.iter().chain(SHEETS.iter()).find(|asset| asset.name == name);
    let of_page = of_page.or_else(|| (EVENT_TYPES.name == name).then_some(&*EVENT_TYPES));
    of_page.or_else(|| reference::asset(name))
}

/// The page. It names all modules without which it cannot begin, lest a browser finds them one behind
/// the other.
pub(super) fn page() -> String {
    let mut names = vec![FIRST.to_owned()];
    let mut seen = 0;
    while let Some(name) = names.get(seen).cloned() {
        seen += 1;
        for needed in imports(&name) {
            if !names.contains(&needed) {
                names.push(needed);
            }
        }
    }
    let link = |name: &String| format!("<link rel=\"modulepreload\" href=\"{FOLDER}{name}\">\n");
    PAGE.replace("{preloads}", &names.iter().skip(1).map(link).collect::<String>())
}

/// The modules that one names with `from`.
fn imports(name: &str) -> Vec<String> {
    let Some(Content::Text(text)) = asset(&format!("{FOLDER}{name}")).map(|it| &it.content) else {
        return Vec::new();
    };
    let named = text.split("from \"").skip(1).filter_map(|rest| rest.split('"').next());
    named.filter(|path| path.starts_with('.')).map(|path| resolved(name, path)).collect()
}

/// Where an import leads from a module, below `/ui/`.
fn resolved(from: &str, relative: &str) -> String {
    let mut folders: Vec<_> = from.split('/').collect();
    folders.pop();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => drop(folders.pop()),
            other => folders.push(other),
        }
    }
    folders.join("/")
}

#[cfg(test)]
#[path = "ui_tests.rs"]
mod tests;
