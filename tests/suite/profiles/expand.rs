//! Placeholders in the texts of a story.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

use super::forge;
use super::story::Forgery;

/// What placeholders stand for while a story is told.
pub(super) struct Scene<'b> {
    /// `demo.json`.
    pub(super) demo: &'b Value,
    /// Forged access tokens.
    pub(super) forgeries: &'b BTreeMap<String, Forgery>,
    /// `host:port`.
    pub(super) host: String,
    /// The time step of one-time codes at the beginning: a story that takes less than one is not disturbed by the next.
    pub(super) step: u64,
    /// What was kept of earlier answers.
    pub(super) kept: BTreeMap<String, String>,
}

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{([a-z][a-z0-9_]*[:.a-zA-Z0-9_+-]*)\}").unwrap());

impl Scene<'_> {
    /// A text with its placeholders filled in.
    pub(super) fn expand(&self, text: &str) -> String {
        PLACEHOLDER.replace_all(text, |found: &regex_lite::Captures<'_>| self.value(&found[1])).into_owned()
    }

    /// The same in every text of a JSON document, `{any}` and `{absent}` left alone.
    pub(super) fn expand_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if matches!(text.as_str(), "{any}" | "{absent}") => value.clone(),
            Value::String(text) => Value::from(self.expand(text)),
            Value::Array(items) => items.iter().map(|item| self.expand_all(item)).collect(),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, item)| (name.clone(), self.expand_all(item))).collect())
            }
            other => other.clone(),
        }
    }

    /// What a placeholder stands for.
    fn value(&self, name: &str) -> String {
        if let Some(kept) = self.kept.get(name) {
            return kept.clone();
        }
        match name.split_once(':') {
            None if name == "host" => self.host.clone(),
            None => match name.strip_prefix("token.") {
                Some(forgery) => forge::token(self.demo, &self.forgeries[forgery]),
                None => self.of_demo(name),
            },
            Some(("totp", secret)) => forge::code(&self.value(secret), self.step),
            Some(("next_totp", secret)) => forge::code(&self.value(secret), self.step + 1),
            // the same key as if it were one of the other environment, with the checksum that one would have
            Some(("test", key)) => forge::of_the_other_environment(&self.value(key)),
            Some(("typo", secret)) => forge::typo(&self.value(secret)),
            Some(("key", name)) => crate::corpus::folder(&format!("keys/{name}")).display().to_string(),
            Some(("repeat", count)) => "x".repeat(count.parse().unwrap()),
            Some((unknown, _)) => panic!("there is no placeholder {unknown}"),
        }
    }

    /// A member of `demo.json`, by its path.
    fn of_demo(&self, path: &str) -> String {
        let pointer = format!("/{}", path.replace('.', "/"));
        let found =
            self.demo.pointer(&pointer).unwrap_or_else(|| panic!("nothing was kept as {path}, and demo.json has none"));
        found.as_str().map_or_else(|| found.to_string(), str::to_owned)
    }
}
