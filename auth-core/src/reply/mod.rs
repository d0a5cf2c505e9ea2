//! The one place where a refusal becomes bytes.
//!
//! A [`Rejection`](crate::Rejection) says why; a [`Renderer`] knows how this API tells it: which JSON
//! [`Shape`], which codes and words ([`ErrorStyle`]), and which challenges the route's credentials need. The result
//! is a [`Reply`], which adapters copy into their framework's response. Since both copy the same bytes, the answers
//! of the two frameworks cannot drift apart.

mod challenge;
mod renderer;
mod shape;
mod style;

use std::borrow::Cow;

pub use renderer::{Renderer, Situation};
pub use shape::{ErrorBody, ErrorFacts, Shape};
pub use style::{CodeStyle, ErrorStyle};

/// A complete response of the gate's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// Header fields: lower-case name, value of visible ASCII and spaces.
    pub fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body; empty in answer to HEAD, where a `content-length` field says what GET would have got.
    pub body: Cow<'static, [u8]>,
}

impl Reply {
    /// The value of the first field of that lower-case name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_ref())
    }
}
