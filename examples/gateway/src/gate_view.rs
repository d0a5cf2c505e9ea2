//! What the gateway asks of the gate beside its decision.

use auth_core::Rejection;
use auth_core::reply::Reply;
use http::request::Parts;

/// A stand-in until the gate is merged.
#[derive(Debug, Default)]
pub struct GateView;

impl GateView {
    pub(crate) fn refuse(&self, rejection: &Rejection, parts: &Parts) -> Reply {
        let body = format!("{{\"code\":\"{}\"}}", rejection.code());
        let mut fields = vec![("content-type".into(), "application/problem+json".into())];
        let is_head = parts.method == http::Method::HEAD;
        if is_head {
            fields.push(("content-length".into(), body.len().to_string().into()));
        }
        Reply { status: rejection.status(), fields, body: if is_head { Vec::new() } else { body.into_bytes() }.into() }
    }

    /// Whether the route's responses may be read by pages of other origins.
    pub(crate) fn is_shared(&self, _: &Parts) -> bool {
        true
    }

    /// The name of the route.
    pub(crate) fn route(&self, _: &Parts) -> Option<String> {
        None
    }
}
