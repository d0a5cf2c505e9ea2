//! The decision on one request.

use std::net::IpAddr;
use std::sync::Arc;

use crate::client_address::client_address;
use crate::clock::Now;
use crate::credential::{CredentialCount, Presented, SourceIndex, SourceMask};
use crate::gate::limits::{facts, units};
use crate::gate::observe::{self, Seen};
use crate::gate::pending::{all_agree, spend_guarded, verify_guarded};
use crate::gate::request_id::request_id;
use crate::gate::{Admission, Caller, Decision, Gate, Refusal, RequestIds, ResponseFields};
use crate::outcome::Outcome;
use crate::policy::{CredentialUse, Entry, RouteRule};
use crate::principal::{Anonymous, Identity, Principal};
use crate::rejection::{CredentialFault, Prohibition, Rejection};
use crate::reply::Situation;
use crate::request::RequestHead;
use crate::verify::Verified;

impl Gate {
    /// Decides on a request: at once where nothing has to be waited for, which takes no lock and boxes nothing.
    ///
    /// Every decision is logged as one event, and every refusal comes with the complete reply.
    ///
    /// ```
    /// use auth_core::gate::{Decision, Gate};
    /// use auth_core::policy::{Policy, public};
    /// use auth_core::{Outcome, RequestHead};
    ///
    /// let gate = Gate::builder().policy(Policy::new().get("/health", public())).build().unwrap();
    /// let status = |path| match gate.decide(&RequestHead::new("GET", path, &[("host", "example")]), gate.now()) {
    ///     Outcome::Done(Decision::Admit(_)) => 200,
    ///     Outcome::Done(Decision::Refuse(refusal)) => refusal.reply.status,
    ///     Outcome::Wait(_) => unreachable!("nothing here waits"),
    /// };
    /// assert_eq!(status("/health"), 200);
    /// assert_eq!(status("/anything/else"), 401);
    /// assert_eq!(status("//health"), 400);
    /// ```
    pub fn decide(&self, head: &RequestHead<'_>, now: Now) -> Outcome<Decision> {
        let mut case = Case {
            gate: self,
            method: head.method,
            path: head.path,
            client: client_address(head, &self.parts.trusted_proxies),
            now,
            rule: None,
            presented: SourceMask::NONE,
        };
        let id = || request_id(head);
        let nothing = ResponseFields::default;
        let found = match self.policy.route(head) {
            Ok(found) => found,
            Err(rejection) => return Outcome::Done(case.refuse(&id(), None, rejection, nothing())),
        };
        match found.entry() {
            Entry::Rule(rule) => case.rule = Some(rule),
            Entry::Preflight(rule) => {
                case.rule = Some(rule);
                return Outcome::Done(case.admit(id, self.anonymous(), nothing()));
            }
            Entry::NoRule => {}
        }
        if let Some(known) = head.known.filter(|known| case.takes_over(known)) {
            case.presented = known.presented();
            let caller = Caller::Principal(known.clone());
            return Outcome::Done(match case.check_standing(Some(known)) {
                Ok(()) => case.ask_rule(id, caller, found.tenant().as_deref(), nothing()),
                Err(rejection) => case.refuse(&id(), Some(&caller), rejection, nothing()),
            });
        }
        if case.credentials() == CredentialUse::Ignored {
            return case.judge_anonymous(id, head, None);
        }
        let presented = match self.parts.reader.read(head, case.accepted(), case.count()) {
            Ok(presented) => presented,
            Err(unread) => {
                case.presented = unread.sources;
                return Outcome::Done(case.refuse(&id(), None, unread.rejection, nothing()));
            }
        };
        match presented {
            Presented::Nothing => case.judge_anonymous(id, head, found.tenant().as_deref()),
            Presented::One(source, text) => {
                case.presented = source.into();
                case.conclude(id, self.verify(source, text, case.client, now), found.tenant().as_deref())
            }
            Presented::Several(several) => {
                let outcomes = several.iter().map(|(source, text)| self.verify(*source, text, case.client, now));
                let outcomes = outcomes.collect();
                case.presented = several.iter().map(|(source, _)| *source).collect();
                case.conclude(id, all_agree(outcomes), found.tenant().as_deref())
            }
        }
    }

    fn verify(&self, source: SourceIndex, text: &str, client: Option<IpAddr>, now: Now) -> Outcome<Verified> {
        let verifiers = self.parts.verifiers.get(source.as_usize());
        let verifier = verifiers.and_then(|all| all.iter().find(|verifier| verifier.recognises(text)));
        let Some(verifier) = verifier else {
            return Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Malformed)));
        };
        match &self.parts.failed_attempts {
            Some(guard) => guard.verify(verifier, text, client, now, &self.parts.context),
            None => verify_guarded(verifier.as_ref(), text, now),
        }
    }

    fn anonymous(&self) -> Caller {
        Caller::Anonymous(Anonymous(Arc::clone(&self.parts.context)))
    }

    fn principal(&self, identity: Arc<Identity>, presented: SourceMask) -> Caller {
        Caller::Principal(Principal::new(identity, Arc::clone(&self.parts.context), presented))
    }
}

/// A request while it is decided.
struct Case<'a> {
    gate: &'a Gate,
    method: &'a str,
    path: &'a str,
    client: Option<IpAddr>,
    now: Now,
    /// The rule that covers the route, if any does.
    rule: Option<&'a Arc<RouteRule>>,
    /// Where the credentials that are being judged came from.
    presented: SourceMask,
}

impl Case<'_> {
    /// Without a rule the caller has to say who it is before it is refused: strangers do not learn which routes exist.
    fn credentials(&self) -> CredentialUse {
        self.rule.map_or(CredentialUse::Required, |rule| rule.credentials())
    }

    /// Whether an outer layer of the same gate verified this principal already, from sources that this rule takes
    /// too; a public rule, which looks at no source, leaves it in place.
    fn takes_over(&self, known: &Principal) -> bool {
        let takes = self.credentials() == CredentialUse::Ignored || self.accepted().covers(known.presented());
        takes && Arc::ptr_eq(known.context(), &self.gate.parts.context)
    }

    fn accepted(&self) -> SourceMask {
        self.rule.map_or(SourceMask::ALL, |rule| rule.accepted())
    }

    fn count(&self) -> CredentialCount {
        self.rule.map_or(CredentialCount::ExactlyOne, |rule| rule.count())
    }

    /// Goes on with what the verifier says, at once or when it comes.
    fn conclude(
        &self,
        id: impl Fn() -> Arc<str>,
        verified: Outcome<Verified>,
        tenant: Option<&str>,
    ) -> Outcome<Decision> {
        match verified {
            Outcome::Done(verified) => self.judge_verified(id, verified, tenant),
            Outcome::Wait(pending) => {
                let waiting = Waiting::new(self, id(), tenant);
                Outcome::Wait(Box::pin(async move {
                    let verified = pending.await;
                    waiting.judge_verified(verified).resolve().await
                }))
            }
        }
    }

    fn judge_verified(&self, id: impl Fn() -> Arc<str>, verified: Verified, tenant: Option<&str>) -> Outcome<Decision> {
        let identity = match verified {
            Ok(identity) => identity,
            Err(rejection) => return Outcome::Done(self.refuse(&id(), None, rejection, ResponseFields::default())),
        };
        let caller = self.gate.principal(identity, self.presented);
        match self.check_standing(caller.principal()) {
            Ok(()) => self.charge(id, caller, tenant),
            Err(rejection) => Outcome::Done(self.refuse(&id(), Some(&caller), rejection, ResponseFields::default())),
        }
    }

    /// Nobody is charged twice for one request: what an outer layer of the same gate attached is its receipt.
    fn judge_anonymous(
        &self,
        id: impl Fn() -> Arc<str>,
        head: &RequestHead<'_>,
        tenant: Option<&str>,
    ) -> Outcome<Decision> {
        let caller = self.gate.anonymous();
        let is_charged = |earlier: &Anonymous| Arc::ptr_eq(earlier.context(), &self.gate.parts.context);
        if head.anonymous.is_some_and(is_charged) {
            return Outcome::Done(self.ask_rule(id, caller, tenant, ResponseFields::default()));
        }
        self.charge(id, caller, tenant)
    }

    /// Whether the credential was taken back since it was made.
    fn check_standing(&self, principal: Option<&Principal>) -> Result<(), Rejection> {
        match principal.zip(self.gate.parts.revocations.as_ref()) {
            Some((principal, revocations)) => revocations.check(principal, self.now),
            None => Ok(()),
        }
    }

    /// Charges the caller's budgets, and asks the rule where they had room.
    fn charge(&self, id: impl Fn() -> Arc<str>, caller: Caller, tenant: Option<&str>) -> Outcome<Decision> {
        let Some(limits) = &self.gate.parts.limits else {
            return Outcome::Done(self.ask_rule(id, caller, tenant, ResponseFields::default()));
        };
        let (principal, rule) = (caller.principal(), self.rule.map(|rule| &**rule));
        let facts = facts(principal, rule, self.client);
        let Some(terms) = limits.terms(&facts, principal) else {
            return Outcome::Done(self.ask_rule(id, caller, tenant, ResponseFields::default()));
        };
        match spend_guarded(limits.store(), &terms.charges(facts, units(principal, rule)), self.now) {
            Outcome::Done(answer) => {
                let (verdict, told) = limits.settle(terms, answer, self.now);
                Outcome::Done(self.judge(id, caller, tenant, verdict, told))
            }
            Outcome::Wait(pending) => {
                let waiting = Waiting::new(self, id(), tenant);
                let (limits, terms) = (limits.clone(), Arc::clone(terms));
                Outcome::Wait(Box::pin(async move {
                    let (verdict, told) = limits.settle(&terms, pending.await, waiting.gate.now());
                    waiting.judge(caller, verdict, told)
                }))
            }
        }
    }

    /// Goes on with what the budgets say. Whatever comes of it, the caller is told what is left.
    fn judge(
        &self,
        id: impl Fn() -> Arc<str>,
        caller: Caller,
        tenant: Option<&str>,
        verdict: Result<(), Rejection>,
        told: ResponseFields,
    ) -> Decision {
        match verdict {
            Ok(()) => self.ask_rule(id, caller, tenant, told),
            Err(rejection) => self.refuse(&id(), Some(&caller), rejection, told),
        }
    }

    /// Asks the rule about a caller.
    fn ask_rule(
        &self,
        id: impl Fn() -> Arc<str>,
        caller: Caller,
        tenant: Option<&str>,
        told: ResponseFields,
    ) -> Decision {
        match self.check(caller.principal(), tenant) {
            Ok(()) => self.admit(id, caller, told),
            Err(rejection) => self.refuse(&id(), Some(&caller), rejection, told),
        }
    }

    fn check(&self, principal: Option<&Principal>, tenant: Option<&str>) -> Result<(), Rejection> {
        if principal.is_some_and(|principal| !principal.may_come_from(self.client)) {
            return Err(Rejection::Forbidden(Prohibition::Network));
        }
        match (self.rule, principal) {
            (Some(rule), _) => rule.check(principal.map(|principal| &**principal), self.client, tenant),
            (None, Some(_)) => Err(Rejection::Forbidden(Prohibition::NoRule)),
            (None, None) => Err(Rejection::MissingCredential),
        }
    }

    fn admit(&self, id: impl Fn() -> Arc<str>, caller: Caller, mut told: ResponseFields) -> Decision {
        let request_id = match self.gate.parts.request_ids {
            RequestIds::Always => Some(id()),
            RequestIds::OnRefusal => None,
        };
        observe::admitted(&caller, &self.seen(request_id.as_deref().unwrap_or("-")));
        // Where the credential is part of the URL, a shared cache would hand the answer to whoever asks for that URL.
        if self.presented.meets(self.gate.parts.in_url) {
            told.push("cache-control", "private"); // RFC 6750 section 2.3
        }
        Decision::Admit(Admission { caller, client: self.client, request_id, response_fields: told })
    }

    fn refuse(&self, id: &str, caller: Option<&Caller>, rejection: Rejection, told: ResponseFields) -> Decision {
        observe::refused(&rejection, caller, &self.seen(id));
        let situation = Situation { method: self.method, path: self.path, request_id: id, time: self.now.wall };
        let mut reply = self.gate.parts.context.reply(&rejection, &situation, self.accepted(), self.presented);
        told.add_to(&mut reply);
        Decision::Refuse(Refusal { rejection, reply })
    }

    fn seen<'s>(&'s self, request_id: &'s str) -> Seen<'s> {
        let route = self.rule.map_or("-", |rule| rule.name());
        Seen { method: self.method, path: self.path, route, client: self.client, request_id }
    }
}

/// What a decision that waits takes along.
struct Waiting {
    gate: Gate,
    method: Box<str>,
    path: Box<str>,
    client: Option<IpAddr>,
    rule: Option<Arc<RouteRule>>,
    tenant: Option<String>,
    presented: SourceMask,
    request_id: Arc<str>,
}

impl Waiting {
    fn new(case: &Case<'_>, request_id: Arc<str>, tenant: Option<&str>) -> Self {
        Self {
            gate: case.gate.clone(),
            method: case.method.into(),
            path: case.path.into(),
            client: case.client,
            rule: case.rule.cloned(),
            tenant: tenant.map(str::to_owned),
            presented: case.presented,
            request_id,
        }
    }

    fn judge_verified(&self, verified: Verified) -> Outcome<Decision> {
        self.case().judge_verified(|| Arc::clone(&self.request_id), verified, self.tenant.as_deref())
    }

    fn judge(&self, caller: Caller, verdict: Result<(), Rejection>, told: ResponseFields) -> Decision {
        self.case().judge(|| Arc::clone(&self.request_id), caller, self.tenant.as_deref(), verdict, told)
    }

    /// The request as [`Gate::decide`] left it, at the time it is now.
    fn case(&self) -> Case<'_> {
        Case {
            gate: &self.gate,
            method: &self.method,
            path: &self.path,
            client: self.client,
            now: self.gate.now(),
            rule: self.rule.as_ref(),
            presented: self.presented,
        }
    }
}
