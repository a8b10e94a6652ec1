//! What must not be in a bundle, however it may have come there.

use percent_encoding::percent_decode_str;
use reef_domain::access::{invite_id_of, key_id_of};
use reef_store::variables::VARIABLES;
use serde_json::Value;

use super::MASK;
use crate::config::Config;
use crate::manifest::variables::Variables;

/// The shortest text that is looked for: what is shorter occurs by chance, and protects nothing.
const SHORTEST: usize = 6;

/// Texts that are secret.
pub(super) struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// All that this process was given: by the environment, by files, by flags.
    pub(super) fn of(config: &Config, variables: &Variables) -> Self {
        let mut found = Vec::new();
        for (name, value) in std::env::vars_os() {
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else { continue };
            take(&mut found, is_secrets_name(&name), &value);
        }
        for variable in VARIABLES {
            let value = variables.get(variable.name).unwrap_or_default();
            take(&mut found, variable.is_secret, value);
        }
        for (name, variable) in &config.manifest.variables {
            take(&mut found, variable.secret, variables.get(name).unwrap_or_default());
        }
        for secret in config.secrets() {
            take(&mut found, true, &secret);
        }
        // What contains another comes first.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found.dedup();
        Self(found)
    }

    /// Writes [`MASK`] in the place of each, in every text of a value.
    pub(super) fn mask(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.masked(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.mask(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret) {
                text = text.replace(secret, MASK);
            }
        }
        without_keys(&text)
    }
}

/// A text, and the password in it where it is an address.
fn take(found: &mut Vec<String>, is_secret: bool, value: &str) {
    let value = value.trim();
    let mut add = |text: &str| {
        if text.len() >= SHORTEST {
            found.push(text.to_owned());
        }
    };
    if is_secret {
        add(value);
    }
    // Several may stand there with commas between.
    for address in value.split([',', ' ']) {
        let Some((_, rest)) = address.split_once("://") else { continue };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let Some((user, _)) = authority.rsplit_once('@') else { continue };
        let password = user.split_once(':').map_or(user, |(_, password)| password);
        add(password);
        add(&percent_decode_str(password).decode_utf8_lossy());
    }
}

/// Whether a variable's name says that its value is secret. A file's name is none.
fn is_secrets_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let says = ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "CREDENTIAL", "ALERT_URL"];
    let is_one = name.ends_with("KEY") || says.iter().any(|word| name.contains(word));
    is_one && !name.ends_with("_FILE") && !name.ends_with("_DIR")
}

/// The text without what looks like a key, an invite or the code of a link, whosever it is.
fn without_keys(text: &str) -> String {
    if !text.contains("reef_") {
        return text.to_owned();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("reef_") {
        let (before, found) = rest.split_at(start);
        let end = found.find(|c: char| !is_part(c)).unwrap_or(found.len());
        let (word, after) = found.split_at(end);
        let is_code = word.starts_with("reef_link_");
        let is_secret = is_code || key_id_of(word).is_some() || invite_id_of(word).is_some();
        masked.push_str(before);
        masked.push_str(if is_secret { MASK } else { word });
        rest = after;
        // The code of a link has two parts.
        if let (true, Some(second)) = (is_code, rest.strip_prefix('.')) {
            rest = second.trim_start_matches(is_part);
        }
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_of_every_text() {
        let mut found = Vec::new();
        take(&mut found, true, "sesame-1\n");
        take(&mut found, true, "short");
        take(&mut found, false, "redis://user:pa%2Fss:word@host/0");
        take(&mut found, false, "https://a.example, https://t0ken-1@b.example");
        let secrets = Secrets(found);
        let mut value = json!({"a": ["sesame-1 and pa/ss:word"], "b": {"c": "xpa%2Fss:wordx"}});
        secrets.mask(&mut value);
        let masked = json!({"a": ["******** and ********"], "b": {"c": "x********x"}});
        assert_eq!(value, masked);
        assert_eq!(secrets.masked("a t0ken-1, short"), "a ********, short");
    }

    #[test]
    fn keys_of_others_are_taken_out_by_their_look() {
        let key = "reef_aB3dEf7h_0123456789abcdefABCDEF_-01234567";
        assert_eq!(without_keys(&format!("by {key}!")), "by ********!");
        let link = "reef_link_admin.xtEOJ6L1uKVFYXs3Wa1Ngd8t7JFjPnhDGf4nQzAbYzk";
        assert_eq!(without_keys(&format!("#sign-in={link} ok")), "#sign-in=******** ok");
        for text in ["reef_http_requests_total{a=\"b\"} 1", "reef_", "key_aB3dEf7h", ""] {
            assert_eq!(without_keys(text), text);
        }
    }

    #[test]
    fn a_name_says_whether_its_value_is_secret() {
        for name in ["SPIN_VARIABLE_ADMIN_KEY", "REDIS_PASSWORD", "REEF_ALERT_URL", "AWS_TOKEN"] {
            assert!(is_secrets_name(name), "{name}");
        }
        for name in
            ["REEF_ADMIN_KEY_FILE", "SPIN_VARIABLE_KEY_PREFIX", "PATH", "REEF_ALERT_SECRET_FILE"]
        {
            assert!(!is_secrets_name(name), "{name}");
        }
    }
}
