//! Whose accounts have to have a second factor.

use super::node::{FromNode, Node};
use super::values::{OneOrMore, Text};

/// Whose accounts have to have a second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondFactorNeeded {
    /// Everybody's.
    Everybody,
    /// Those of which one of these is so.
    Whoever {
        /// Their type of user is one of these.
        types: Vec<String>,
        /// They have one of these roles.
        roles: Vec<String>,
        /// They have one of these permissions, whatever brings it along.
        permissions: Vec<String>,
    },
}

const FORM: &str = "write \"everybody\", or { types = [\"staff\"], roles = [\"root\"], permissions = [\"admin\"] } with one of \
                    the three or more";

/// `"everybody"`, or a table of whose.
impl FromNode for SecondFactorNeeded {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        if let toml::de::DeValue::String(text) = node.value() {
            return if text == "everybody" { Some(Self::Everybody) } else { node.problem(FORM) };
        }
        let (types, roles, permissions) = node.section(|section| {
            let mut texts = |key| {
                let texts = section.read::<OneOrMore<Text>>(key);
                texts.map_or_else(Vec::new, |OneOrMore(texts)| texts.into_iter().map(|Text(text)| text).collect())
            };
            (texts("types"), texts("roles"), texts("permissions"))
        })?;
        if types.is_empty() && roles.is_empty() && permissions.is_empty() {
            return node.problem(format!("is nobody's: {FORM}"));
        }
        Some(Self::Whoever { types, roles, permissions })
    }
}
