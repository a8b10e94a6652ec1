//! The part of Spin's manifest (version 2) that this host serves.
//!
//! Anything else in the file is an error that says what is supported, rather than an
//! application that quietly lacks a part. What the words mean is Spin's business; where we
//! differ it says so: templates in routes and sources that are not files are refused.

mod document;
pub(crate) mod routes;
mod runtime_config;
pub(crate) mod template;
pub(crate) mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

pub(crate) use runtime_config::RuntimeConfig;
use template::Template;

/// A manifest that has been read and checked, but whose variables have no values yet.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The application's name.
    pub(crate) name: String,
    /// The application's own version, when it has one.
    pub(crate) version: Option<String>,
    /// The variables an operator can set, by name.
    pub(crate) variables: BTreeMap<String, Variable>,
    /// The HTTP triggers in the order of the file.
    pub(crate) http: Vec<HttpTrigger>,
    /// The cron triggers in the order of the file.
    pub(crate) cron: Vec<CronTrigger>,
    /// The components by id, those that stand inside a trigger included.
    pub(crate) components: BTreeMap<String, Component>,
}

/// A variable of the application.
#[derive(Debug, Default, Clone)]
pub(crate) struct Variable {
    /// Its value when nobody sets it. `None`: it must be set.
    pub(crate) default: Option<String>,
    /// Its value should not be seen on a command line.
    pub(crate) secret: bool,
}

/// One `[[trigger.http]]`.
#[derive(Debug)]
pub(crate) struct HttpTrigger {
    /// Where it listens, or `None` for `route = { private = true }`.
    pub(crate) route: Option<String>,
    /// What answers.
    pub(crate) target: Target,
}

/// What answers on a route.
#[derive(Debug)]
pub(crate) enum Target {
    /// The component of this id.
    Component(String),
    /// Always the same answer.
    Static(StaticResponse),
}

/// An answer that stands in the manifest.
#[derive(Debug, Clone)]
pub(crate) struct StaticResponse {
    /// The trigger's id, for the list of routes.
    pub(crate) id: String,
    /// The status code, 200 when none is given.
    pub(crate) status: http::StatusCode,
    /// The headers.
    pub(crate) headers: http::HeaderMap,
    /// The body.
    pub(crate) body: String,
}

/// One `[[trigger.cron]]`.
#[derive(Debug)]
pub(crate) struct CronTrigger {
    /// The component that is called.
    pub(crate) component: String,
    /// When, in UTC, seconds first.
    pub(crate) schedule: cron::Schedule,
}

/// One `[component.<id>]`.
#[derive(Debug)]
pub(crate) struct Component {
    /// Where its code is.
    pub(crate) source: Source,
    /// Printed among the routes.
    pub(crate) description: Option<String>,
    /// The variables that the component sees.
    pub(crate) variables: BTreeMap<String, Template>,
    /// The environment that the component sees.
    pub(crate) environment: BTreeMap<String, String>,
    /// Where it may connect to.
    pub(crate) allowed_outbound_hosts: Vec<Template>,
}

/// Where the code of a component is.
#[derive(Debug)]
pub(crate) enum Source {
    /// In a `.wasm` file: its path, resolved against the manifest's folder.
    File(PathBuf),
    /// In this program, under the file's name.
    Carried(String),
}

impl Manifest {
    /// Reads and checks a manifest file.
    ///
    /// # Errors
    /// The file cannot be read, is no manifest of version 2, or uses a part of Spin that this
    /// host does not serve; the message names the place.
    pub(crate) fn load(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!("cannot read the manifest {} (set another with --spin-file)", file.display())
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).with_context(|| format!("in the manifest {}", file.display()))
    }

    /// Checks a manifest's text. Sources are resolved against `folder`.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self> {
        Self::with_sources(text, &|source| Source::File(folder.join(source)))
    }

    /// Checks a manifest's text whose sources this program carries.
    pub(crate) fn parse_carried(text: &str) -> Result<Self> {
        let name = |source: &str| source.rsplit('/').next().unwrap_or(source).to_owned();
        Self::with_sources(text, &|source| Source::Carried(name(source)))
    }

    fn with_sources(text: &str, sources: &dyn Fn(&str) -> Source) -> Result<Self> {
        let document: document::Document =
            toml::from_str(text).map_err(|e| anyhow::anyhow!("{}", e.to_string().trim_end()))?;
        let manifest = document.check(sources)?;
        manifest.check_references()?;
        Ok(manifest)
    }

    /// Every trigger's component exists, every variable in a template is declared, and every
    /// component is used.
    fn check_references(&self) -> Result<()> {
        let on_routes = self.http.iter().filter_map(|trigger| match &trigger.target {
            Target::Component(id) => Some(id),
            Target::Static(_) => None,
        });
        for id in on_routes.chain(self.cron.iter().map(|trigger| &trigger.component)) {
            ensure!(
                self.components.contains_key(id),
                "a trigger names the component {id:?}, which is not declared as [component.{id}]"
            );
        }
        for (id, component) in &self.components {
            let templates =
                component.variables.values().chain(component.allowed_outbound_hosts.iter());
            for name in templates.flat_map(Template::names) {
                if !self.variables.contains_key(name) {
                    bail!(
                        "the component {id:?} uses {{{{ {name} }}}}, which is not declared \
                         under [variables]"
                    );
                }
            }
        }
        Ok(())
    }
}

impl Component {
    /// The file that is not there, though the code should be in it.
    pub(crate) fn unbuilt(&self) -> Option<&Path> {
        match &self.source {
            Source::File(file) => Some(file.as_path()).filter(|file| !file.is_file()),
            Source::Carried(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
