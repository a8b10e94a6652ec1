//! The manifest as it stands in the file, and its way into [`super::Manifest`].
//!
//! Unknown keys are refused by serde, whose message names the key, its place and what would
//! have been understood.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::template::Template;
use super::{
    Component, CronTrigger, HttpTrigger, Manifest, Source, StaticResponse, Target, Variable,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    spin_manifest_version: i64,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, VariableTable>,
    #[serde(default)]
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, ComponentTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    version: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    /// Settings of other programs; Spin ignores them as well.
    #[serde(default, rename = "tool")]
    _tool: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableTable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTable>,
    #[serde(default)]
    cron: Vec<CronTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTable {
    id: Option<String>,
    route: toml::Value,
    component: Option<toml::Value>,
    static_response: Option<StaticTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StaticTable {
    status_code: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CronTable {
    #[serde(rename = "id")]
    _id: Option<String>,
    component: String,
    cron_expression: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentTable {
    source: toml::Value,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    /// For `spin build`.
    #[serde(default, rename = "build")]
    _build: Option<IgnoredAny>,
    /// Settings of other programs.
    #[serde(default, rename = "tool")]
    _tool: Option<IgnoredAny>,
}

impl Document {
    /// Checks what the types alone do not say.
    pub(super) fn check(self, sources: &dyn Fn(&str) -> Source) -> Result<Manifest> {
        ensure!(
            self.spin_manifest_version == 2,
            "spin_manifest_version is {}; this host reads version 2",
            self.spin_manifest_version
        );
        let mut variables = BTreeMap::new();
        for (name, table) in self.variables {
            let variable = table.check(&name)?;
            variables.insert(name, variable);
        }
        let mut components = BTreeMap::new();
        for (id, table) in self.component {
            let component = table.check(sources).with_context(|| format!("[component.{id}]"))?;
            components.insert(id, component);
        }
        let mut http = Vec::new();
        for (index, table) in self.trigger.http.into_iter().enumerate() {
            let place = format!("[[trigger.http]] number {}", index + 1);
            http.push(table.check(index, sources, &mut components).context(place)?);
        }
        let mut cron = Vec::new();
        for (index, table) in self.trigger.cron.into_iter().enumerate() {
            let place = format!("[[trigger.cron]] number {}", index + 1);
            cron.push(table.check().context(place)?);
        }
        let Application { name, version, .. } = self.application;
        Ok(Manifest { name, version, variables, http, cron, components })
    }
}

impl VariableTable {
    fn check(self, name: &str) -> Result<Variable> {
        check_variable_name(name)?;
        ensure!(
            self.required != self.default.is_some(),
            "the variable {name:?} needs either a default or `required = true`, not {}",
            if self.required { "both" } else { "neither" }
        );
        Ok(Variable { default: self.default, secret: self.secret })
    }
}

/// Spin's rule for names of variables: lower_snake_case.
fn check_variable_name(name: &str) -> Result<()> {
    let fine = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.ends_with('_')
        && !name.contains("__");
    ensure!(fine, "the name of a variable is lower_snake_case, which {name:?} is not");
    Ok(())
}

impl HttpTable {
    fn check(
        self,
        index: usize,
        sources: &dyn Fn(&str) -> Source,
        components: &mut BTreeMap<String, Component>,
    ) -> Result<HttpTrigger> {
        let route = check_route(&self.route)?;
        let id = self.id.unwrap_or_else(|| format!("http-{}", index + 1));
        let target = match (self.component, self.static_response) {
            (Some(toml::Value::String(id)), None) => Target::Component(id),
            (Some(table @ toml::Value::Table(_)), None) => {
                let table: ComponentTable =
                    table.try_into().context("the component inside the trigger")?;
                let id = format!("{id}-component");
                let component = table.check(sources)?;
                ensure!(
                    components.insert(id.clone(), component).is_none(),
                    "two components are called {id:?}; give the trigger an `id` of its own"
                );
                Target::Component(id)
            }
            (None, Some(table)) => Target::Static(table.check(id)?),
            (Some(_), None) => bail!("`component` is the id of a component, or a component"),
            _ => bail!("give either `component` or `static_response`"),
        };
        Ok(HttpTrigger { route, target })
    }
}

/// A route is a pattern, or `{ private = true }`.
fn check_route(value: &toml::Value) -> Result<Option<String>> {
    match value {
        toml::Value::String(pattern) => Ok(Some(pattern.clone())),
        toml::Value::Table(table)
            if table.len() == 1
                && table.get("private").and_then(toml::Value::as_bool) == Some(true) =>
        {
            Ok(None)
        }
        _ => bail!("`route` is a pattern such as \"/api/...\", or {{ private = true }}"),
    }
}

impl StaticTable {
    fn check(self, id: String) -> Result<StaticResponse> {
        let status = StatusCode::from_u16(self.status_code.unwrap_or(200))
            .context("static_response.status_code")?;
        let mut headers = http::HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_str(name)
                .with_context(|| format!("static_response.headers.{name}"))?;
            let value = HeaderValue::from_str(value)
                .with_context(|| format!("static_response.headers.{name}"))?;
            headers.append(name, value);
        }
        Ok(StaticResponse { id, status, headers, body: self.body.unwrap_or_default() })
    }
}

impl CronTable {
    fn check(self) -> Result<CronTrigger> {
        // The crate wants at least six fields and says so in its own words; people who come
        // from crontab(5) need to hear that seconds stand first.
        let schedule = cron::Schedule::from_str(&self.cron_expression).with_context(|| {
            format!(
                "cron_expression {:?} cannot be read (six fields, seconds first, e.g. \
                 \"0/5 * * * * *\")",
                self.cron_expression
            )
        })?;
        Ok(CronTrigger { component: self.component, schedule })
    }
}

impl ComponentTable {
    fn check(self, sources: &dyn Fn(&str) -> Source) -> Result<Component> {
        let toml::Value::String(source) = self.source else {
            bail!("`source` is the path of a .wasm file; other sources are not supported");
        };
        let mut variables = BTreeMap::new();
        for (name, text) in self.variables {
            check_variable_name(&name)?;
            let template = Template::parse(&text).with_context(|| format!("variables.{name}"))?;
            variables.insert(name, template);
        }
        let allowed_outbound_hosts = self
            .allowed_outbound_hosts
            .iter()
            .map(|text| Template::parse(text))
            .collect::<Result<_>>()
            .context("allowed_outbound_hosts")?;
        Ok(Component {
            source: sources(&source),
            description: self.description,
            variables,
            environment: self.environment,
            allowed_outbound_hosts,
        })
    }
}
