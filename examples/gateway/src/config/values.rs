//! The kinds of values that sections hold: texts, numbers, paths, networks, choices.

use std::net::SocketAddr;
use std::path::PathBuf;

use auth_core::NetworkSet;
use toml::de::DeValue;

use super::node::{FromNode, Node};
use super::suggest::nearest;

impl FromNode for String {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let DeValue::String(text) = node.value() else { return node.wrong_type("a text in quotes") };
        Some(text.clone().into_owned())
    }
}

/// A text that says something.
pub(super) struct Text(pub(super) String);

impl FromNode for Text {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        if text.trim().is_empty() {
            return node.problem("must not be empty");
        }
        if text.chars().any(char::is_control) {
            return node.problem("must not hold control characters");
        }
        Some(Self(text))
    }
}

impl FromNode for bool {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        match node.value() {
            DeValue::Boolean(value) => Some(*value),
            _ => node.wrong_type("true or false"),
        }
    }
}

impl FromNode for usize {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let DeValue::Integer(number) = node.value() else { return node.wrong_type("an integer") };
        match Self::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Some(value),
            Err(_) => node.problem("must be an integer of 0 or more that fits the machine"),
        }
    }
}

impl FromNode for u32 {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        match Self::try_from(usize::from_node(node)?) {
            Ok(value) => Some(value),
            Err(_) => node.problem("must be an integer of at most 4294967295"),
        }
    }
}

/// An integer of 1 or more.
pub(super) struct Positive(pub(super) usize);

impl FromNode for Positive {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        match usize::from_node(node)? {
            0 => node.problem("must be 1 or more"),
            value => Some(Self(value)),
        }
    }
}

/// Each element is read, so that one bad element hides no other.
impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Some(items) = node.items() else { return node.wrong_type("an array") };
        let read: Vec<Option<T>> = items.iter().map(T::from_node).collect();
        read.into_iter().collect()
    }
}

/// One value, or an array of them.
pub(super) struct OneOrMore<T>(pub(super) Vec<T>);

impl<T: FromNode> FromNode for OneOrMore<T> {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let values = match node.items() {
            Some(_) => Vec::from_node(node)?,
            None => vec![T::from_node(node)?],
        };
        if values.is_empty() {
            return node.problem("must name at least one");
        }
        Some(Self(values))
    }
}

/// A file whose content is part of the configuration, so that a change of it is one of the configuration.
pub(super) struct Content(pub(super) PathBuf);

impl FromNode for Content {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let path = PathBuf::from_node(node)?;
        node.reader.note_file(&path);
        Some(Self(path))
    }
}

/// Relative paths begin at the folder of the configuration file.
impl FromNode for PathBuf {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Text(path) = Text::from_node(node)?;
        Some(node.surroundings().base_dir.join(path))
    }
}

impl FromNode for SocketAddr {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => node.problem(format!(
                "`{}` is not an address with a port: write one such as 127.0.0.1:8080 or [::1]:8080",
                text.escape_debug()
            )),
        }
    }
}

impl FromNode for NetworkSet {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Some(items) = node.items() else { return node.wrong_type("an array of networks") };
        let mut networks = Vec::new();
        let mut bad = false;
        for item in &items {
            let Some(text) = String::from_node(item) else {
                bad = true;
                continue;
            };
            if let Err(error) = Self::parse([text.as_str()]) {
                item.problem::<()>(error.to_string());
                bad = true;
            }
            networks.push(text);
        }
        if bad {
            return None;
        }
        Self::parse(networks.iter().map(String::as_str)).map_or_else(|error| node.problem(error.to_string()), Some)
    }
}

/// The name of a header field, in lower case.
pub(super) struct FieldName(pub(super) String);

impl FromNode for FieldName {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let text = String::from_node(node)?;
        if !is_token(&text) {
            return node.problem(format!("`{}` is not the name of a header field", text.escape_debug()));
        }
        Some(Self(text.to_ascii_lowercase()))
    }
}

/// Whether the text is a `token` (RFC 9110 section 5.6.2), as field names, schemes and methods are.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Reads one of a closed list of names.
pub(super) fn choice<T: Copy>(node: &Node<'_>, choices: &[(&'static str, T)]) -> Option<T> {
    let text = String::from_node(node)?;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let hint = match nearest(&text, names.iter().copied()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("write one of {}", names.join(", ")),
    };
    node.problem(format!("`{}` is not known here: {hint}", text.escape_debug()))
}
