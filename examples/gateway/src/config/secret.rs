//! Secrets stand in the environment or in a file of their own, never in the configuration.

use auth_core::Secret;
use toml::de::DeValue;

use super::node::{FromNode, Node};
use super::values::{Content, Text};

const FORM: &str = "write { env = \"NAME\" } or { file = \"path\" }";

/// `{ env = "NAME" }` or `{ file = "path" }`. One line end behind the secret in a file is not part of it, since every
/// editor puts one there.
impl FromNode for Secret {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        if let DeValue::String(_) = node.value() {
            return node.problem(format!("a secret must not stand in the configuration: {FORM}"));
        }
        let bytes = reference(node)?;
        if bytes.is_empty() {
            return node.problem("the secret is empty");
        }
        Some(Self::new(bytes))
    }
}

fn reference(node: &Node<'_>) -> Option<Vec<u8>> {
    let (variable, file) = node.section(|section| {
        let variable = section.has("env").then(|| section.read::<Text>("env").map(|Text(name)| name));
        let file = section.has("file").then(|| section.read::<Content>("file"));
        (variable, file)
    })?;
    match (variable, file) {
        (Some(name), None) => from_environment(node, &name?),
        (None, Some(path)) => from_file(node, &path?.0),
        (None, None) => node.problem(format!("names no secret: {FORM}")),
        (Some(_), Some(_)) => node.problem(format!("names two places: {FORM}")),
    }
}

fn from_environment(node: &Node<'_>, name: &str) -> Option<Vec<u8>> {
    match (node.surroundings().environment)(name) {
        Some(value) => Some(value.into_bytes()),
        None => node.problem(format!("the environment variable `{}` is not set", name.escape_debug())),
    }
}

fn from_file(node: &Node<'_>, path: &std::path::Path) -> Option<Vec<u8>> {
    let mut bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return node.problem(format!("cannot read {}: {error}", path.display())),
    };
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Some(bytes)
}
