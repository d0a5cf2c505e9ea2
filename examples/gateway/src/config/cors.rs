//! `[cors]`: which pages of other origins may use the routes that say `cors = true`.

use std::time::Duration;

use super::node::{FromNode, Node};
use super::section::Section;
use super::values::{FieldName, Text, is_token};

/// What pages of other origins may do on the routes that say `cors = true`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cors {
    /// The origins that may; none by default.
    pub origins: Origins,
    /// The methods they may use, beyond the simple ones.
    pub methods: Vec<String>,
    /// The header fields they may send, in lower case.
    pub headers: Vec<String>,
    /// Whether browsers may add cookies and the like.
    pub credentials: CrossOriginCredentials,
    /// How long browsers may keep the answer to a preflight; 10 minutes by default.
    pub max_age: Duration,
}

/// The origins of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Any: `["*"]`.
    Any,
    /// These, exactly.
    Listed(Vec<String>),
}

impl Origins {
    /// Whether a page of that origin may.
    pub fn allow(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(origins) => origins.iter().any(|listed| listed == origin),
        }
    }
}

/// Whether browsers may add credentials of their own to requests of other origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossOriginCredentials {
    /// No, the default.
    Omitted,
    /// Yes: cookies and client certificates.
    Included,
}

impl Cors {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let origins = section.placed::<Origins>("origins");
        let credentials = section.placed::<bool>("credentials");
        let methods = section.read::<Vec<Method>>("methods");
        let headers = section.read::<Vec<FieldName>>("headers");
        let max_age = section.read_or("max_age", Duration::from_mins(10));
        let included = credentials.as_ref().is_some_and(|credentials| credentials.value);
        // Fetch standard, section 3.2.5: a wildcard answer is void with credentials, and echoing every origin instead
        // would let every page act as the user
        if included && origins.as_ref().is_some_and(|origins| origins.value == Origins::Any) {
            section.problem::<()>("`credentials = true` needs `origins` listed one by one instead of \"*\"");
        }
        Self {
            origins: origins.map_or_else(|| Origins::Listed(Vec::new()), |origins| origins.value),
            methods: methods.map_or_else(usual_methods, |names| names.into_iter().map(|Method(name)| name).collect()),
            headers: headers
                .map_or_else(usual_headers, |names| names.into_iter().map(|FieldName(name)| name).collect()),
            credentials: if included { CrossOriginCredentials::Included } else { CrossOriginCredentials::Omitted },
            max_age,
        }
    }
}

fn usual_methods() -> Vec<String> {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].map(str::to_owned).to_vec()
}

fn usual_headers() -> Vec<String> {
    ["authorization", "content-type", "x-api-key", "x-request-id"].map(str::to_owned).to_vec()
}

struct Method(String);

impl FromNode for Method {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Text(text) = Text::from_node(node)?;
        if !is_token(&text) {
            return node.problem(format!("`{}` is not a method", text.escape_debug()));
        }
        Some(Self(text))
    }
}

impl FromNode for Origins {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let origins = Vec::<Origin>::from_node(node)?;
        if origins.iter().any(|Origin(origin)| origin == "*") {
            if origins.len() > 1 {
                return node.problem("\"*\" means every origin: leave the others out, or leave \"*\" out");
            }
            return Some(Self::Any);
        }
        Some(Self::Listed(origins.into_iter().map(|Origin(origin)| origin).collect()))
    }
}

struct Origin(String);

/// An origin as browsers send it (RFC 6454 section 6.1): scheme, host and port, lower case, without a slash behind.
impl FromNode for Origin {
    fn from_node(node: &Node<'_>) -> Option<Self> {
        let Text(text) = Text::from_node(node)?;
        let uri = text.parse::<http::Uri>().ok();
        let exact = uri.is_some_and(|uri| {
            let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
            text == format!("{scheme}://{authority}").to_ascii_lowercase() && !authority.as_str().contains('@')
        });
        if exact || text == "*" {
            return Some(Self(text));
        }
        node.problem(format!(
            "`{}` is not an origin: write one such as \"https://app.example.com\"",
            text.escape_debug()
        ))
    }
}
