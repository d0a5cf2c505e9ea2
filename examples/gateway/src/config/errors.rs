//! `[errors]`: how refusals are worded.

use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{Text, choice};
use crate::problem::Placed;

/// How refusals are worded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Errors {
    /// The JSON shape; RFC 9457 by default.
    pub shape: ErrorShape,
    /// How codes are spelt; `None` for what is usual with the shape.
    pub code_style: Option<CodeStyle>,
    /// The codes that are answered to some causes instead of ours.
    pub codes: Vec<(Placed<String>, String)>,
    /// The words that are answered to some causes instead of ours.
    pub messages: Vec<(Placed<String>, String)>,
    /// The protection space that challenges name.
    pub realm: Option<Placed<String>>,
}

/// The JSON shape of an error body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorShape {
    /// RFC 9457 problem details, the default.
    #[default]
    Problem,
    /// `{"error","error_description"}` (RFC 6749 section 5.2).
    OAuth,
    /// `{"error":{"code","message"}}`.
    Nested,
    /// `{"error":{"code","message","request_id","details"}}`.
    NestedWithDetails,
    /// `{"detail","error"}`.
    Flat,
    /// `{"errorCode","message","timestamp","path"}`.
    Stamped,
}

/// How codes are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeStyle {
    /// `invalid_token`.
    Snake,
    /// `INVALID_TOKEN`.
    UpperSnake,
}

impl Errors {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            shape: section.read_or("shape", ErrorShape::default()),
            code_style: section.read("code_style"),
            codes: by_cause(section.node("codes")),
            messages: by_cause(section.node("messages")),
            realm: section.placed::<Text>("realm").map(|realm| realm.map(|Text(realm)| realm)),
        }
    }
}

/// Whether there are such causes is checked where refusals are made, since they are known there.
fn by_cause(node: Option<Node<'_>>) -> Vec<(Placed<String>, String)> {
    let members = node.and_then(|node| node.members()).unwrap_or_default();
    members.into_iter().filter_map(|(cause, node)| Some((cause, Text::from_node(&node)?.0))).collect()
}

impl FromNode for ErrorShape {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let shapes = [
            ("problem", Self::Problem),
            ("oauth", Self::OAuth),
            ("nested", Self::Nested),
            ("nested_with_details", Self::NestedWithDetails),
            ("flat", Self::Flat),
            ("stamped", Self::Stamped),
        ];
        choice(node, &shapes)
    }
}

impl FromNode for CodeStyle {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        choice(node, &[("snake_case", Self::Snake), ("UPPER_SNAKE", Self::UpperSnake)])
    }
}
