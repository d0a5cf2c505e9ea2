//! Which endpoint is where.

use crate::error::ConfigError;

use super::Endpoint;
use super::admin::Operation;

/// An endpoint at its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) endpoint: Endpoint,
    method: String,
    path: String,
    /// The segments of its path.
    pattern: Vec<Segment>,
    /// The members of its answer, in their order.
    pub(super) members: Vec<&'static str>,
    /// The status of its answer where nothing stands in the way.
    pub(super) status: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    /// The parameter `{id}`.
    Id,
}

/// An endpoint that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub(super) what: What,
    /// What stands in the path in the place of `{id}`.
    pub(super) id: String,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The endpoint at this place of the table.
    Endpoint(usize),
    /// This, of administration.
    Administration(Operation),
}

impl Placed {
    pub(super) fn new(
        endpoint: Endpoint,
        method: &str,
        path: &str,
        members: Option<Vec<&'static str>>,
    ) -> Result<Self, ConfigError> {
        let wrong = |why: String| Err(ConfigError::new(format!("the path of `{endpoint}` {why}")));
        let Some(rest) = path.strip_prefix('/') else { return wrong("must begin with `/`".to_owned()) };
        let mut pattern = Vec::new();
        for segment in rest.split('/') {
            pattern.push(match segment {
                "{id}" => Segment::Id,
                text if text.contains(['{', '}']) => return wrong("has no parameter but `{id}`".to_owned()),
                text => Segment::Text(text.to_owned()),
            });
        }
        match (pattern.iter().filter(|segment| **segment == Segment::Id).count(), endpoint.has_id()) {
            (1, true) | (0, false) => {}
            (_, true) => return wrong("must have the parameter `{id}` once: it says which one is meant".to_owned()),
            (_, false) => return wrong("has a parameter `{id}` that nobody reads".to_owned()),
        }
        let members = members.unwrap_or_else(|| endpoint.members().to_vec());
        Ok(Self { endpoint, method: method.to_owned(), path: path.to_owned(), pattern, members, status: None })
    }

    /// What the parameter is, empty where there is none, if the request is for this endpoint. HEAD asks for what GET
    /// answers.
    pub(super) fn matches(&self, method: &str, path: &str) -> Option<String> {
        let is_method = |taken: &str| taken == method || (method == "HEAD" && taken == "GET");
        let mut segments = path.strip_prefix('/').filter(|_| self.methods().any(is_method))?.split('/');
        let mut id = String::new();
        for wanted in &self.pattern {
            let found = segments.next()?;
            match wanted {
                Segment::Text(text) if text == found => {}
                // ids are letters, digits and `_`, so that an escape is no part of any
                Segment::Id if !found.is_empty() => found.clone_into(&mut id),
                Segment::Text(_) | Segment::Id => return None,
            }
        }
        segments.next().is_none().then_some(id)
    }

    /// The methods that it is asked with, besides HEAD.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.method.as_str()).chain(self.endpoint.other_method())
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether some request would be for both.
    pub(super) fn collides(&self, other: &Self) -> bool {
        let same = |(one, another): (&Segment, &Segment)| {
            one == another || matches!((one, another), (Segment::Id, _) | (_, Segment::Id))
        };
        self.methods().any(|method| other.methods().any(|taken| taken == method))
            && self.pattern.len() == other.pattern.len()
            && self.pattern.iter().zip(&other.pattern).all(same)
    }
}
