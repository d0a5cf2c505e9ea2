//! A request whose verifier or store has to be waited for.

use std::net::IpAddr;
use std::sync::Arc;

use crate::credential::SourceMask;
use crate::gate::case::Case;
use crate::gate::share::Share;
use crate::gate::{Caller, Decision, ResponseFields};
use crate::outcome::Outcome;
use crate::policy::{PathNames, RouteRule};
use crate::rejection::Rejection;
use crate::verify::Verified;

/// What a decision that waits takes along.
///
/// That includes what it is decided by: a gate that is replaced meanwhile decides later requests.
pub(super) struct Waiting {
    pub(super) context: Arc<Share>,
    method: Box<str>,
    path: Box<str>,
    client: Option<IpAddr>,
    rule: Option<Arc<RouteRule>>,
    names: PathNames<'static>,
    presented: SourceMask,
    request_id: Arc<str>,
}

impl Waiting {
    pub(super) fn new(case: &Case<'_>, request_id: Arc<str>, names: PathNames<'_>) -> Self {
        Self {
            context: Arc::clone(case.context),
            method: case.method.into(),
            path: case.path.into(),
            client: case.client,
            rule: case.rule.cloned(),
            names: names.into_owned(),
            presented: case.presented,
            request_id,
        }
    }

    pub(super) fn judge_verified(&self, verified: Verified) -> Outcome<Decision> {
        self.case().judge_verified(|| Arc::clone(&self.request_id), verified, &self.names)
    }

    pub(super) fn judge(&self, caller: Caller, verdict: Result<(), Rejection>, told: ResponseFields) -> Decision {
        self.case().judge(|| Arc::clone(&self.request_id), caller, &self.names, verdict, told)
    }

    /// The request as [`Gate::decide`] left it, at the time it is now.
    fn case(&self) -> Case<'_> {
        Case {
            context: &self.context,
            method: &self.method,
            path: &self.path,
            client: self.client,
            now: self.context.clock.now(),
            rule: self.rule.as_ref(),
            presented: self.presented,
        }
    }
}
