//! Which route answers a path, decided exactly as Spin decides it.
//!
//! Spin rests on `routefinder`, whose order between routes is: literal before parameter before
//! wildcard, segment by segment, and the longer wildcard prefix first. So do we, with the same
//! crate in the same version, instead of a second opinion on the same rules.

use anyhow::{Result, anyhow};

/// The routes of an application. `T` is what lies behind a route.
#[derive(Debug)]
pub(crate) struct Routes<T> {
    finder: routefinder::Router<Route<T>>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route<T> {
    /// The pattern as the manifest has it, but always with a leading and never with a trailing
    /// slash; `/` itself is empty.
    pub(crate) pattern: String,
    /// What lies behind it.
    pub(crate) target: T,
}

/// A route that answers a path.
#[derive(Debug)]
pub(crate) struct RouteMatch<'r, 'p, T> {
    inner: routefinder::Match<'r, 'p, Route<T>>,
}

impl<T> Routes<T> {
    /// Builds the routes from patterns in the manifest's order.
    ///
    /// Of two equal patterns the later one wins, with an error in the log, as with Spin.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub(crate) fn build(routes: impl IntoIterator<Item = (String, T)>) -> Result<Self> {
        let mut unique: Vec<Route<T>> = Vec::new();
        for (pattern, target) in routes {
            let pattern = normalise(&pattern);
            if let Some(earlier) = unique.iter_mut().find(|route| route.pattern == pattern) {
                tracing::error!(route = %pattern, "a route is declared twice; the later one wins");
                earlier.target = target;
            } else {
                unique.push(Route { pattern, target });
            }
        }
        let mut finder = routefinder::Router::new();
        for route in unique {
            let spec = match route.pattern.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => route.pattern.clone(),
            };
            let pattern = route.pattern.clone();
            finder.add(spec, route).map_err(|e| anyhow!("route {pattern:?}: {e}"))?;
        }
        Ok(Self { finder })
    }

    /// The route that answers a path, which is not percent-decoded.
    pub(crate) fn find<'r, 'p>(&'r self, path: &'p str) -> Option<RouteMatch<'r, 'p, T>> {
        self.finder.best_match(path).map(|inner| RouteMatch { inner })
    }

    /// All routes, the ones that are looked at first standing first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route<T>> {
        self.finder.iter().map(|(_, route)| route)
    }
}

impl<T> Route<T> {
    /// The pattern without its trailing wildcard.
    pub(crate) fn prefix(&self) -> &str {
        self.pattern.strip_suffix("/...").unwrap_or(&self.pattern)
    }

    /// The pattern for a list of routes: a wildcard is said in a word, as Spin says it.
    pub(crate) fn display(&self) -> String {
        match self.pattern.strip_suffix("/...") {
            Some(prefix) => format!("{prefix} (wildcard)"),
            None => self.pattern.clone(),
        }
    }
}

impl<'r, T> RouteMatch<'r, '_, T> {
    /// The route that matched.
    pub(crate) fn route(&self) -> &'r Route<T> {
        self.inner.handler()
    }

    /// What the route's parameters stand for, as they are in the path.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let captures = self.inner.captures();
        captures.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What the trailing wildcard stands for: empty where the path ends before it, else with a
    /// leading slash, and with a trailing one where the path has it.
    pub(crate) fn rest(&self) -> String {
        let captures = self.inner.captures();
        let Some(rest) = captures.wildcard() else { return String::new() };
        match (rest.is_empty(), self.inner.path().ends_with('/')) {
            (true, false) => String::new(),
            (true, true) => "/".to_owned(),
            (false, false) => format!("/{rest}"),
            (false, true) => format!("/{rest}/"),
        }
    }
}

fn normalise(pattern: &str) -> String {
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let slash = if pattern.is_empty() || pattern.starts_with('/') { "" } else { "/" };
    match pattern.strip_suffix("/*") {
        Some(prefix) => format!("{slash}{prefix}/..."),
        None => format!("{slash}{pattern}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(patterns: &[&str]) -> Routes<usize> {
        let numbered = patterns.iter().enumerate().map(|(i, p)| ((*p).to_owned(), i));
        Routes::build(numbered).unwrap()
    }

    fn found(routes: &Routes<usize>, path: &str) -> Option<usize> {
        routes.find(path).map(|m| m.route().target)
    }

    #[test]
    fn a_literal_wins_over_a_parameter_and_that_over_a_wildcard() {
        for patterns in [["/n/...", "/n/:id", "/n/online"], ["/n/online", "/n/:id", "/n/..."]] {
            let routes = routes(&patterns);
            let pattern = |path| routes.find(path).unwrap().route().pattern.clone();
            assert_eq!(pattern("/n/online"), "/n/online");
            assert_eq!(pattern("/n/a1"), "/n/:id");
            assert_eq!(pattern("/n/a1/x"), "/n/...");
            assert_eq!(pattern("/n"), "/n/...");
        }
    }

    #[test]
    fn the_longer_wildcard_prefix_wins() {
        let routes = routes(&["/...", "/one/...", "/one/two/..."]);
        assert_eq!(found(&routes, "/one/two/three"), Some(2));
        assert_eq!(found(&routes, "/one/three"), Some(1));
        assert_eq!(found(&routes, "/x"), Some(0));
        assert_eq!(found(&routes, "/"), Some(0));
    }

    #[test]
    fn slashes_at_the_end_and_equal_routes() {
        let routes = routes(&["/a", "/b/", "/a"]);
        assert_eq!(found(&routes, "/a/"), Some(2));
        assert_eq!(found(&routes, "/b"), Some(1));
        assert_eq!(found(&routes, "/a/b"), None);
        assert_eq!(found(&routes, "/ab"), None);
        assert_eq!(found(&routes, "/"), None);
    }

    #[test]
    fn parameters_are_taken_as_they_stand_in_the_path() {
        let routes = routes(&["/n/:node_id/m/..."]);
        let m = routes.find("/n/a%2Fb/m/x/y/").unwrap();
        assert_eq!(m.parameters(), [("node_id".to_owned(), "a%2Fb".to_owned())]);
        assert_eq!(m.rest(), "/x/y/");
        assert_eq!(routes.find("/n//m").unwrap().rest(), "");
        assert_eq!(routes.find("/n/a/m/").unwrap().rest(), "/");
    }

    #[test]
    fn a_root_route_and_names() {
        let routes = routes(&["/", "/x/...", "/..."]);
        assert_eq!(found(&routes, "/"), Some(0));
        let mut shown: Vec<String> = routes.iter().map(Route::display).collect();
        shown.sort();
        assert_eq!(shown, ["", " (wildcard)", "/x (wildcard)"]);
        assert!(Routes::build([("/a/:/b".to_owned(), 0)]).is_err());
    }
}
