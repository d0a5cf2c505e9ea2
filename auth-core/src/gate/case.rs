//! The stages of a decision once a rule is found.

use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::Now;
use crate::credential::{CredentialCount, SourceMask};
use crate::gate::limits::{facts, units};
use crate::gate::observe::{self, Seen};
use crate::gate::pending::spend_guarded;
use crate::gate::share::Share;
use crate::gate::waiting::Waiting;
use crate::gate::{Admission, Caller, Decision, Refusal, RequestIds, ResponseFields};
use crate::outcome::Outcome;
use crate::policy::{CredentialUse, PathNames, RouteRule};
use crate::principal::{Anonymous, Principal};
use crate::rejection::{Prohibition, Rejection};
use crate::reply::Situation;
use crate::request::RequestHead;
use crate::verify::Verified;

/// A request while it is decided.
pub(super) struct Case<'a> {
    /// What it is decided by, from its beginning to its end.
    pub(super) context: &'a Arc<Share>,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) client: Option<IpAddr>,
    pub(super) now: Now,
    /// The rule that covers the route, if any does.
    pub(super) rule: Option<&'a Arc<RouteRule>>,
    /// Where the credentials that are being judged came from.
    pub(super) presented: SourceMask,
}

impl Case<'_> {
    /// Without a rule the caller has to say who it is before it is refused: strangers do not learn which routes exist.
    pub(super) fn credentials(&self) -> CredentialUse {
        self.rule.map_or(CredentialUse::Required, |rule| rule.credentials())
    }

    /// Whether an outer layer of the same gate verified this principal already, from sources that this rule takes
    /// too; a public rule, which looks at no source, leaves it in place.
    pub(super) fn takes_over(&self, known: &Principal) -> bool {
        let takes = self.credentials() == CredentialUse::Ignored || self.accepted().covers(known.presented());
        takes && self.context.is_same(known.share())
    }

    pub(super) fn accepted(&self) -> SourceMask {
        self.rule.map_or(SourceMask::ALL, |rule| rule.accepted())
    }

    pub(super) fn count(&self) -> CredentialCount {
        self.rule.map_or(CredentialCount::ExactlyOne, |rule| rule.count())
    }

    /// Goes on with what the verifier says, at once or when it comes.
    pub(super) fn conclude(
        &self,
        id: impl Fn() -> Arc<str>,
        verified: Outcome<Verified>,
        names: &PathNames<'_>,
    ) -> Outcome<Decision> {
        match verified {
            Outcome::Done(verified) => self.judge_verified(id, verified, names),
            Outcome::Wait(pending) => {
                let waiting = Waiting::new(self, id(), names.clone());
                Outcome::Wait(Box::pin(async move {
                    let verified = pending.await;
                    waiting.judge_verified(verified).resolve().await
                }))
            }
        }
    }

    pub(super) fn judge_verified(
        &self,
        id: impl Fn() -> Arc<str>,
        verified: Verified,
        names: &PathNames<'_>,
    ) -> Outcome<Decision> {
        let identity = match verified {
            Ok(identity) => identity,
            Err(rejection) => return Outcome::Done(self.refuse(&id(), None, rejection, ResponseFields::default())),
        };
        let principal = Principal::new(identity, Arc::clone(self.context), self.presented);
        let caller = Caller::Principal(principal);
        match self.check_standing(caller.principal()) {
            Ok(()) => self.charge(id, caller, names),
            Err(rejection) => Outcome::Done(self.refuse(&id(), Some(&caller), rejection, ResponseFields::default())),
        }
    }

    /// Nobody is charged twice for one request: what an outer layer of the same gate attached is its receipt.
    pub(super) fn judge_anonymous(
        &self,
        id: impl Fn() -> Arc<str>,
        head: &RequestHead<'_>,
        names: &PathNames<'_>,
    ) -> Outcome<Decision> {
        let caller = self.nobody();
        let is_charged = |earlier: &Anonymous| self.context.is_same(earlier.share());
        if head.anonymous.is_some_and(is_charged) {
            return Outcome::Done(self.ask_rule(id, caller, names, ResponseFields::default()));
        }
        self.charge(id, caller, names)
    }

    pub(super) fn nobody(&self) -> Caller {
        Caller::Anonymous(Anonymous::new(Arc::clone(self.context)))
    }

    /// Whether the credential was taken back since it was made.
    pub(super) fn check_standing(&self, principal: Option<&Principal>) -> Result<(), Rejection> {
        match principal.zip(self.context.revocations.as_ref()) {
            Some((principal, revocations)) => revocations.check(principal, self.now),
            None => Ok(()),
        }
    }

    /// Charges the caller's budgets, and asks the rule where they had room.
    fn charge(&self, id: impl Fn() -> Arc<str>, caller: Caller, names: &PathNames<'_>) -> Outcome<Decision> {
        let Some(limits) = &self.context.limits else {
            return Outcome::Done(self.ask_rule(id, caller, names, ResponseFields::default()));
        };
        let (principal, rule) = (caller.principal(), self.rule.map(|rule| &**rule));
        let mut facts = facts(principal, rule, self.client);
        let Some(terms) = limits.terms(&facts, principal) else {
            return Outcome::Done(self.ask_rule(id, caller, names, ResponseFields::default()));
        };
        match spend_guarded(limits.store(), &terms.charges(&mut facts, units(principal, rule)), self.now) {
            Outcome::Done(answer) => {
                let (verdict, told) = limits.settle(terms, answer, self.now);
                Outcome::Done(self.judge(id, caller, names, verdict, told))
            }
            Outcome::Wait(pending) => {
                let waiting = Waiting::new(self, id(), names.clone());
                let (limits, terms) = (limits.clone(), Arc::clone(terms));
                Outcome::Wait(Box::pin(async move {
                    let (verdict, told) = limits.settle(&terms, pending.await, waiting.context.clock.now());
                    waiting.judge(caller, verdict, told)
                }))
            }
        }
    }

    /// Goes on with what the budgets say. Whatever comes of it, the caller is told what is left.
    pub(super) fn judge(
        &self,
        id: impl Fn() -> Arc<str>,
        caller: Caller,
        names: &PathNames<'_>,
        verdict: Result<(), Rejection>,
        told: ResponseFields,
    ) -> Decision {
        match verdict {
            Ok(()) => self.ask_rule(id, caller, names, told),
            Err(rejection) => self.refuse(&id(), Some(&caller), rejection, told),
        }
    }

    /// Asks the rule about a caller.
    pub(super) fn ask_rule(
        &self,
        id: impl Fn() -> Arc<str>,
        caller: Caller,
        names: &PathNames<'_>,
        told: ResponseFields,
    ) -> Decision {
        match self.check(caller.principal(), names) {
            Ok(()) => self.admit(id, caller, told),
            Err(rejection) => self.refuse(&id(), Some(&caller), rejection, told),
        }
    }

    fn check(&self, principal: Option<&Principal>, names: &PathNames<'_>) -> Result<(), Rejection> {
        if principal.is_some_and(|principal| !principal.may_come_from(self.client)) {
            return Err(Rejection::Forbidden(Prohibition::Network));
        }
        match (self.rule, principal) {
            (Some(rule), _) => rule.check(principal.map(|principal| &**principal), self.client, names),
            (None, Some(_)) => Err(Rejection::Forbidden(Prohibition::NoRule)),
            (None, None) => Err(Rejection::MissingCredential),
        }
    }

    pub(super) fn admit(&self, id: impl Fn() -> Arc<str>, caller: Caller, mut told: ResponseFields) -> Decision {
        let request_id = match self.context.request_ids {
            RequestIds::Always => Some(id()),
            RequestIds::OnRefusal => None,
        };
        observe::admitted(&caller, &self.seen(request_id.as_deref().unwrap_or("-")));
        if let Some(request_id) = &request_id {
            told.push("x-request-id", request_id);
        }
        // Where the credential is part of the URL, a shared cache would hand the answer to whoever asks for that URL.
        if self.presented.meets(self.context.in_url) {
            told.push("cache-control", "private"); // RFC 6750 section 2.3
        }
        Decision::Admit(Admission { caller, client: self.client, request_id, response_fields: told })
    }

    pub(super) fn refuse(
        &self,
        id: &str,
        caller: Option<&Caller>,
        rejection: Rejection,
        told: ResponseFields,
    ) -> Decision {
        observe::refused(&rejection, caller, &self.seen(id));
        let situation = Situation { method: self.method, path: self.path, request_id: id, time: self.now.wall };
        let mut reply = self.context.reply(&rejection, &situation, self.accepted(), self.presented);
        told.add_to(&mut reply);
        let caller = caller.and_then(Caller::principal).cloned().map(Box::new);
        Decision::Refuse(Box::new(Refusal { rejection, reply, caller }))
    }

    fn seen<'s>(&'s self, request_id: &'s str) -> Seen<'s> {
        let route = self.rule.map_or("-", |rule| rule.name());
        Seen { method: self.method, path: self.path, route, client: self.client, request_id }
    }
}
