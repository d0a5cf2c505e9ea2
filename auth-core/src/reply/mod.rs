//! The one place where a refusal becomes bytes.

use std::borrow::Cow;

/// A complete response of the gate's own: a refusal, or the answer to an endpoint.
///
/// Adapters copy it into their framework's response type and add nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// Header fields: lower-case name, value of visible ASCII and spaces.
    pub fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body; empty in answer to HEAD, with `content-length` still saying what GET would have got.
    pub body: Cow<'static, [u8]>,
}
