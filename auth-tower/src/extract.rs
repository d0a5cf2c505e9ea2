//! The caller as an argument of axum handlers.

use std::fmt;
use std::marker::PhantomData;

use auth_core::gate::{Attached, Refusal, RequiredPermission};
use auth_core::{Anonymous, Principal, Rejection};
use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::convert::{Fields, head, response};

/// The authenticated caller; refuses anonymous ones with 401.
///
/// On a route that no gate covers the answer is 500 and the log says why: a forgotten layer must not look like a pass.
///
/// ```
/// use auth_tower::Authenticated;
///
/// async fn whoami(Authenticated(caller): Authenticated) -> String {
///     caller.subject.to_string()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Authenticated(pub Principal);

/// The caller, if authenticated; for routes whose rule is `optional` or `public`.
#[derive(Clone, Debug)]
pub struct MaybeAuthenticated(pub Option<Principal>);

/// The authenticated caller, who holds the permission `P`; refuses others with 403.
///
/// ```
/// use auth_core::gate::RequiredPermission;
/// use auth_tower::Permitted;
///
/// struct ModelsRead;
///
/// impl RequiredPermission for ModelsRead {
///     const PERMISSION: &'static str = "models:read";
/// }
///
/// async fn models(caller: Permitted<ModelsRead>) -> String {
///     format!("models of {}", caller.principal.subject)
/// }
/// ```
pub struct Permitted<P> {
    /// The caller.
    pub principal: Principal,
    permission: PhantomData<fn() -> P>,
}

impl<P> fmt::Debug for Permitted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permitted").field(&self.principal).finish()
    }
}

/// An extractor's refusal, told like the gate's own.
#[derive(Debug)]
pub struct Refused(Box<Refusal>);

impl Refused {
    /// The typed reason.
    pub fn rejection(&self) -> &Rejection {
        &self.0.rejection
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        response(*self.0).map(Body::from)
    }
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        extract(parts, |attached, head| attached.required(head).cloned()).map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for MaybeAuthenticated {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        extract(parts, |attached, head| attached.optional(head).map(Option::<&Principal>::cloned)).map(Self)
    }
}

impl<S: Sync, P: RequiredPermission> FromRequestParts<S> for Permitted<P> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let principal = extract(parts, |attached, head| attached.permitted::<P>(head).cloned())?;
        Ok(Self { principal, permission: PhantomData })
    }
}

fn extract<T>(
    parts: &Parts,
    from: impl FnOnce(&Attached<'_>, &auth_core::RequestHead<'_>) -> Result<T, Refusal>,
) -> Result<T, Refused> {
    let fields = Fields(&parts.headers);
    let head = head(&parts.method, &parts.uri, &fields, &parts.extensions);
    let attached = Attached { principal: head.known, anonymous: parts.extensions.get::<Anonymous>() };
    from(&attached, &head).map_err(Refused::from)
}
