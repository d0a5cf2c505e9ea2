//! What the gateway asks of the gate beside its decision.

use auth_core::gate::Context;
use auth_core::policy::{Entry, Preflight};
use auth_core::{FieldNames, Headers, Rejection, RequestHead};
use http::request::Parts;
use http::{HeaderMap, Response};

use crate::body::{ResponseBody, response};

/// What the policy says of a request's route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'g> {
    /// What the rule is called.
    pub(crate) name: &'g str,
    /// Whether pages of other origins may use the route.
    pub(crate) sharing: Sharing,
}

/// Whether pages of other origins may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// They may, as far as the configuration allows.
    Shared,
    /// They may not.
    SameOrigin,
    /// They may, and this is the question whether they may.
    Preflight,
}

/// The route of a request that has one.
pub(crate) fn route<'g>(context: &'g Context, parts: &Parts) -> Option<Route<'g>> {
    let fields = Fields(&parts.headers);
    let found = context.policy().route(&head(parts, &fields)).ok()?;
    match found.entry() {
        Entry::Preflight(rule) => Some(Route { name: rule.name(), sharing: Sharing::Preflight }),
        Entry::Rule(rule) if rule.preflight() == Preflight::Passes => {
            Some(Route { name: rule.name(), sharing: Sharing::Shared })
        }
        Entry::Rule(rule) => Some(Route { name: rule.name(), sharing: Sharing::SameOrigin }),
        Entry::NoRule => None,
    }
}

/// A refusal of the gateway's own, told like the gate's.
pub(crate) fn refuse(context: &Context, rejection: Rejection, parts: &Parts) -> Response<ResponseBody> {
    let fields = Fields(&parts.headers);
    let refusal = context.refusal(rejection, &head(parts, &fields));
    // What clients choose is printed escaped, so that it cannot forge a line.
    tracing::info!(
        target: "gateway::refusal",
        status = refusal.reply.status,
        cause = refusal.rejection.cause(),
        method = ?parts.method,
        path = ?parts.uri.path(),
        request_id = refusal.reply.field("x-request-id"),
    );
    let mut response = response(refusal.reply);
    response.extensions_mut().insert(refusal.rejection);
    response
}

pub(crate) fn head<'a>(parts: &'a Parts, fields: &'a Fields<'a>) -> RequestHead<'a> {
    RequestHead { query: parts.uri.query(), ..RequestHead::new(parts.method.as_str(), parts.uri.path(), fields) }
}

/// A header map as the core reads it.
pub(crate) struct Fields<'a>(pub(crate) &'a HeaderMap);

impl Headers for Fields<'_> {
    fn visit<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8])) {
        self.0.get_all(name).into_iter().for_each(|value| visit(value.as_bytes()));
    }

    fn has_any(&self, names: &FieldNames) -> bool {
        self.0.keys().any(|key| names.contains(key.as_str()))
    }
}
