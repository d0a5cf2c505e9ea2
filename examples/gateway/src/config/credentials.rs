//! `[[credentials]]`: where credentials travel, and which kinds are taken there.

use std::borrow::Cow;

use auth_core::credential::Source;

use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{FieldName, OneOrMore, choice, is_token};
use crate::problem::{Place, Placed};

/// One place where credentials travel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// Where it stands in the file.
    pub place: Place,
    /// What routes call it: the scheme, field, cookie or parameter, as written, unless a name is given.
    pub name: String,
    /// The place in the request.
    pub source: Source,
    /// What is taken there.
    pub kinds: Vec<Placed<Kind>>,
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A JSON Web Token of one of the issuers.
    Jwt,
    /// An API key.
    ApiKey,
    /// An opaque token of the gateway's own.
    Opaque,
    /// An opaque token of one of the servers that are asked.
    Introspected,
}

impl FromNode for Kind {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let kinds = [
            ("jwt", Self::Jwt),
            ("api_key", Self::ApiKey),
            ("opaque", Self::Opaque),
            ("introspected", Self::Introspected),
        ];
        choice(node, &kinds)
    }
}

impl FromNode for Placed<Kind> {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        Some(Self { value: Kind::from_node(node)?, place: node.place() })
    }
}

impl FromNode for Credentials {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        node.section(|section| {
            let source = source(section);
            let name = section.parse("name", token);
            let kinds = section.required::<OneOrMore<Placed<Kind>>>("kinds");
            let (written, source) = source?;
            Some(Self { place: section.place(), name: name.unwrap_or(written), source, kinds: kinds?.0 })
        })?
    }
}

/// Exactly one key says where the credential travels.
fn source(section: &mut Section<'_>) -> Option<(String, Source)> {
    const WAYS: &str = "`authorization` (a scheme), `header`, `cookie` or `danger_query` (a name)";
    section.refuse("query", "is spelt `danger_query`: URLs end up in logs, histories and referrers");
    let given =
        ["authorization", "header", "cookie", "danger_query"].into_iter().filter(|key| section.has(key)).count();
    let sources = [
        section
            .parse("authorization", token)
            .map(|scheme| (scheme.clone(), Source::Authorization { scheme: scheme.into() })),
        header(section),
        section.parse("cookie", token).map(|name| (name.clone(), Source::Cookie { name: name.into() })),
        section.parse("danger_query", token).map(|name| (name.clone(), Source::Query { name: name.into() })),
    ];
    match given {
        0 => section.problem(format!("does not say where the credential travels: write {WAYS}")),
        1 => sources.into_iter().flatten().next(),
        _ => section.problem(format!("says more than once where the credential travels: keep one of {WAYS}")),
    }
}

fn header(section: &mut Section<'_>) -> Option<(String, Source)> {
    let node = section.node("header")?;
    let FieldName(name) = FieldName::from_node(&node)?;
    if matches!(name.as_str(), "authorization" | "cookie") {
        return node.problem(format!("write `{name} = …` instead: that field has a form of its own"));
    }
    Some((String::from_node(&node)?, Source::Header { name: Cow::Owned(name) }))
}

fn token(text: &str) -> Result<String, String> {
    if is_token(text) {
        return Ok(text.to_owned());
    }
    Err(format!("`{}` is not a name: letters, digits and a few marks, without spaces", text.escape_debug()))
}
