//! What a handler may learn from what the gate attached to its request.

use crate::gate::observe::Printable;
use crate::gate::{Context, Refusal};
use crate::principal::{Anonymous, Principal};
use crate::rejection::{MissingPermissions, Rejection};
use crate::request::RequestHead;

/// Names the permission that an extractor demands.
///
/// ```
/// use auth_core::gate::RequiredPermission;
///
/// struct ModelsRead;
///
/// impl RequiredPermission for ModelsRead {
///     const PERMISSION: &'static str = "models:read";
/// }
/// ```
pub trait RequiredPermission {
    /// The permission, as the policy spells it.
    const PERMISSION: &'static str;
}

/// What the gate left in a request's extensions. The frameworks' extractors are thin wrappers around this.
///
/// Security: where neither is there, no gate stands in front of the route. That is a mistake of ours and refused with
/// 500, never taken for an anonymous caller.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// The verified caller.
    pub principal: Option<&'a Principal>,
    /// The mark of a caller without credentials.
    pub anonymous: Option<&'a Anonymous>,
}

impl<'a> Attached<'a> {
    /// The caller, who must be authenticated.
    ///
    /// # Errors
    /// 401 for an anonymous caller, 500 on a route without a gate.
    pub fn required(&self, head: &RequestHead<'_>) -> Result<&'a Principal, Refusal> {
        match (self.principal, self.anonymous) {
            (Some(principal), _) => Ok(principal),
            (None, Some(anonymous)) => Err(anonymous.context().refusal(Rejection::MissingCredential, head)),
            (None, None) => Err(no_gate(head)),
        }
    }

    /// The caller, if authenticated.
    ///
    /// # Errors
    /// 500 on a route without a gate.
    pub fn optional(&self, head: &RequestHead<'_>) -> Result<Option<&'a Principal>, Refusal> {
        match (self.principal, self.anonymous) {
            (None, None) => Err(no_gate(head)),
            (principal, _) => Ok(principal),
        }
    }

    /// The caller, who must hold the permission, itself or by implication.
    ///
    /// # Errors
    /// 401 for an anonymous caller, 403 without the permission, 500 on a route without a gate.
    pub fn permitted<P: RequiredPermission>(&self, head: &RequestHead<'_>) -> Result<&'a Principal, Refusal> {
        let principal = self.required(head)?;
        if principal.has_permission(P::PERMISSION) {
            return Ok(principal);
        }
        let missing = Rejection::InsufficientPermissions(MissingPermissions { needed: P::PERMISSION.into() });
        Err(principal.context().refusal(missing, head))
    }
}

fn no_gate(head: &RequestHead<'_>) -> Refusal {
    tracing::error!(
        target: "auth::decision",
        method = %Printable(head.method),
        path = %Printable(head.path),
        "a handler asks for the caller on a route that no gate covers: add the layer or wrap to this route"
    );
    Context::default().refusal(Rejection::Internal, head)
}
