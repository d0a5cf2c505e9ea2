//! The caller as an argument of actix-web handlers.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use auth_core::gate::{Attached, Refusal, RequiredPermission};
use auth_core::{Anonymous, Principal, Rejection, RequestHead};

use crate::convert::{Fields, head, response};

/// The authenticated caller; refuses anonymous ones with 401.
///
/// On a route that no gate covers the answer is 500 and the log says why: a forgotten wrap must not look like a pass.
/// Use [`MaybeAuthenticated`] where the caller may be anonymous; actix's `Option<Authenticated>` would swallow that
/// 500.
///
/// ```
/// use auth_actix::Authenticated;
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
/// use auth_actix::Permitted;
/// use auth_core::gate::RequiredPermission;
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

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.rejection.fmt(f)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let Refusal { rejection, reply, caller } = &*self.0;
        response(Refusal { rejection: rejection.clone(), reply: reply.clone(), caller: caller.clone() })
    }
}

impl FromRequest for Authenticated {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(extract(request, |attached, head| attached.required(head).cloned()).map(Self))
    }
}

impl FromRequest for MaybeAuthenticated {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(extract(request, |attached, head| attached.optional(head).map(Option::<&Principal>::cloned)).map(Self))
    }
}

impl<P: RequiredPermission + 'static> FromRequest for Permitted<P> {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = extract(request, |attached, head| attached.permitted::<P>(head).cloned());
        ready(principal.map(|principal| Self { principal, permission: PhantomData }))
    }
}

fn extract<T>(
    request: &HttpRequest,
    from: impl FnOnce(&Attached<'_>, &RequestHead<'_>) -> Result<T, Refusal>,
) -> Result<T, Refused> {
    let extensions = request.extensions();
    let attached = Attached { principal: extensions.get::<Principal>(), anonymous: extensions.get::<Anonymous>() };
    let fields = Fields(request.headers());
    from(&attached, &head(request, &fields, attached.principal, attached.anonymous)).map_err(Refused::from)
}
