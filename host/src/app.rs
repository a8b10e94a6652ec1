//! The application: the manifest's components, loaded and given their variables.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use reef_runtime::{Component, ComponentSpec, Runtime};
use tokio::task::JoinSet;

use crate::carried;
use crate::cron::Job;
use crate::http::service::{Endpoint, Target};
use crate::manifest::routes::Routes;
use crate::manifest::variables::Variables;
use crate::manifest::{self, Manifest};
use crate::metrics::RouteMetrics;

/// What the manifest's triggers lead to.
#[derive(Debug)]
pub(crate) struct App {
    /// The HTTP triggers.
    pub(crate) routes: Routes<Endpoint>,
    /// The cron triggers.
    pub(crate) jobs: Vec<Job>,
    /// All components.
    pub(crate) components: Vec<Component>,
}

impl App {
    /// Without a trigger: what `reef monitor` serves.
    pub(crate) fn empty() -> Result<Self> {
        Ok(Self { routes: Routes::build([])?, jobs: Vec::new(), components: Vec::new() })
    }

    /// Loads every component and connects the triggers. Compiling takes seconds when the cache
    /// is cold.
    ///
    /// # Errors
    /// A `.wasm` file is missing or no component, or a trigger wants something of it that it does
    /// not export.
    pub(crate) async fn load(
        manifest: &Manifest,
        variables: &Variables,
        runtime: &Runtime,
    ) -> Result<Self> {
        let mut loading = JoinSet::new();
        for (id, component) in &manifest.components {
            if let Some(file) = component.unbuilt() {
                bail!(
                    "the component {id:?} is not built: there is no file {} (`cargo xtask build` \
                     or `spin build` makes it)",
                    file.display()
                );
            }
            let (runtime, spec) = (runtime.clone(), spec(id, component, variables)?);
            loading.spawn_blocking(move || {
                let id = spec.id.clone();
                runtime.load(spec).with_context(|| format!("cannot load the component {id:?}"))
            });
        }
        let mut components = BTreeMap::new();
        while let Some(loaded) = loading.join_next().await {
            let component = loaded.context("loading a component")??;
            components.insert(component.id().to_owned(), component);
        }
        let jobs = jobs(manifest, &components)?;
        let routes = routes(manifest, &components)?;
        Ok(Self { routes, jobs, components: components.into_values().collect() })
    }
}

fn spec(id: &str, component: &manifest::Component, variables: &Variables) -> Result<ComponentSpec> {
    let render = |template: &manifest::template::Template| template.render(|n| variables.get(n));
    Ok(ComponentSpec {
        id: id.to_owned(),
        code: carried::code(&component.source)?,
        variables: component
            .variables
            .iter()
            .map(|(name, template)| (name.clone(), render(template)))
            .collect(),
        environment: component.environment.clone(),
        // An entry may come out empty where a variable switches it off.
        allowed_outbound_hosts: component
            .allowed_outbound_hosts
            .iter()
            .map(render)
            .filter(|entry| !entry.is_empty())
            .collect(),
    })
}

fn routes(
    manifest: &Manifest,
    components: &BTreeMap<String, Component>,
) -> Result<Routes<Endpoint>> {
    let mut routes = Vec::new();
    for trigger in &manifest.http {
        let target = match &trigger.target {
            manifest::Target::Static(fixed) => Target::Static(fixed.clone()),
            manifest::Target::Component(id) => {
                let component = find(components, id)?;
                ensure!(
                    component.serves_http(),
                    "the component {id:?} has an HTTP trigger but exports no HTTP handler"
                );
                Target::Component(component.clone())
            }
        };
        match &trigger.route {
            Some(route) => {
                let metrics = RouteMetrics::new(route);
                routes.push((route.clone(), Endpoint { target, metrics }));
            }
            None => tracing::warn!(
                "a private route is not served: this host makes no calls between components"
            ),
        }
    }
    Routes::build(routes)
}

fn jobs(manifest: &Manifest, components: &BTreeMap<String, Component>) -> Result<Vec<Job>> {
    manifest
        .cron
        .iter()
        .map(|trigger| {
            let component = find(components, &trigger.component)?;
            ensure!(
                component.serves_cron(),
                "the component {:?} has a cron trigger but does not export handle-cron-event",
                trigger.component
            );
            Ok(Job { component: component.clone(), schedule: trigger.schedule.clone() })
        })
        .collect()
}

fn find<'c>(components: &'c BTreeMap<String, Component>, id: &str) -> Result<&'c Component> {
    components.get(id).with_context(|| format!("there is no component {id:?}"))
}
