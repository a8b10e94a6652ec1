//! Templates: text with `{{ variable }}` in it, as Spin has them.

use anyhow::{Result, bail, ensure};

/// A text whose variables are known by name but not by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// An opened `{{` is not closed, or there is no name between the braces.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else {
                bail!("{{{{ is not closed by }}}} in {text:?}");
            };
            let name = name.trim();
            ensure!(
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
                "{name:?} between {{{{ and }}}} is not the name of a variable"
            );
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The variables it needs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with values in place of the names. What `value_of` does not know is left out;
    /// [`super::Manifest`] has made sure that there is no such name.
    pub(crate) fn render<'v>(&self, value_of: impl Fn(&str) -> Option<&'v str>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Variable(name) => value_of(name).unwrap_or_default(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn render(text: &str) -> String {
        Template::parse(text).unwrap().render(|name| match name {
            "host" => Some("h1"),
            "port" => Some("6379"),
            _ => None,
        })
    }

    #[test]
    fn values_stand_in_place_of_names() {
        assert_eq!(render("redis://{{ host }}:{{port}}"), "redis://h1:6379");
        assert_eq!(render("plain"), "plain");
        assert_eq!(render(""), "");
        assert_eq!(render("{{host}}{{host}}"), "h1h1");
        assert_eq!(render("{ not a template }"), "{ not a template }");
    }

    #[test]
    fn a_broken_template_says_what_is_wrong() {
        assert!(Template::parse("a {{ b").unwrap_err().to_string().contains("not closed"));
        assert!(Template::parse("{{ }}").is_err());
        assert!(Template::parse("{{ a b }}").is_err());
    }
}
