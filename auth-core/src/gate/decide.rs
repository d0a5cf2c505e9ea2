//! The decision on one request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::client_address::client_address;
use crate::clock::Now;
use crate::credential::{CredentialCount, Presented, SourceIndex, SourceMask};
use crate::gate::observe::{self, Seen};
use crate::gate::pending::{all_agree, verify_guarded};
use crate::gate::request_id::request_id;
use crate::gate::{Admission, Caller, Decision, Gate, Refusal, RequestIds};
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
        let found = match self.policy.route(head) {
            Ok(found) => found,
            Err(rejection) => return Outcome::Done(case.refuse(&id(), None, rejection)),
        };
        match found.entry() {
            Entry::Rule(rule) => case.rule = Some(rule),
            Entry::Preflight(rule) => {
                case.rule = Some(rule);
                return Outcome::Done(case.admit(id, self.anonymous()));
            }
            Entry::NoRule => {}
        }
        if let Some(known) = head.known.filter(|known| case.takes_over(known)) {
            case.presented = known.presented();
            return Outcome::Done(case.judge(id, Caller::Principal(known.clone()), found.tenant().as_deref()));
        }
        if case.credentials() == CredentialUse::Ignored {
            return Outcome::Done(case.judge(id, self.anonymous(), None));
        }
        let presented = match self.parts.reader.read(head, case.accepted(), case.count()) {
            Ok(presented) => presented,
            Err(unread) => {
                case.presented = unread.sources;
                return Outcome::Done(case.refuse(&id(), None, unread.rejection));
            }
        };
        match presented {
            Presented::Nothing => Outcome::Done(case.judge(id, self.anonymous(), found.tenant().as_deref())),
            Presented::One(source, text) => {
                case.presented = source.into();
                case.conclude(id, self.verify(source, text, now), found.tenant())
            }
            Presented::Several(several) => {
                let outcomes = several.iter().map(|(source, text)| self.verify(*source, text, now)).collect();
                case.presented = several.iter().map(|(source, _)| *source).collect();
                case.conclude(id, all_agree(outcomes), found.tenant())
            }
        }
    }

    fn verify(&self, source: SourceIndex, text: &str, now: Now) -> Outcome<Verified> {
        let verifiers = self.parts.verifiers.get(source.as_usize());
        let verifier = verifiers.and_then(|all| all.iter().find(|verifier| verifier.recognises(text)));
        match verifier {
            Some(verifier) => verify_guarded(verifier.as_ref(), text, now),
            None => Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Malformed))),
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
        tenant: Option<Cow<'_, str>>,
    ) -> Outcome<Decision> {
        match verified {
            Outcome::Done(verified) => Outcome::Done(self.judge_verified(id, verified, tenant.as_deref())),
            Outcome::Wait(pending) => {
                let waiting = Waiting::new(self, id(), tenant);
                Outcome::Wait(Box::pin(async move { waiting.resume(pending.await) }))
            }
        }
    }

    fn judge_verified(&self, id: impl Fn() -> Arc<str>, verified: Verified, tenant: Option<&str>) -> Decision {
        match verified {
            Ok(identity) => self.judge(id, self.gate.principal(identity, self.presented), tenant),
            Err(rejection) => self.refuse(&id(), None, rejection),
        }
    }

    /// Asks the rule about a caller.
    fn judge(&self, id: impl Fn() -> Arc<str>, caller: Caller, tenant: Option<&str>) -> Decision {
        match self.check(caller.principal(), tenant) {
            Ok(()) => self.admit(id, caller),
            Err(rejection) => self.refuse(&id(), Some(&caller), rejection),
        }
    }

    fn check(&self, principal: Option<&Principal>, tenant: Option<&str>) -> Result<(), Rejection> {
        if let Some(principal) = principal {
            if let Some(revocations) = &self.gate.parts.revocations {
                revocations.check(principal, self.now)?;
            }
            if !principal.may_come_from(self.client) {
                return Err(Rejection::Forbidden(Prohibition::Network));
            }
        }
        match (self.rule, principal) {
            (Some(rule), _) => rule.check(principal.map(|principal| &**principal), self.client, tenant),
            (None, Some(_)) => Err(Rejection::Forbidden(Prohibition::NoRule)),
            (None, None) => Err(Rejection::MissingCredential),
        }
    }

    fn admit(&self, id: impl Fn() -> Arc<str>, caller: Caller) -> Decision {
        let request_id = match self.gate.parts.request_ids {
            RequestIds::Always => Some(id()),
            RequestIds::OnRefusal => None,
        };
        observe::admitted(&caller, &self.seen(request_id.as_deref().unwrap_or("-")));
        Decision::Admit(Admission { caller, client: self.client, request_id, response_fields: self.response_fields() })
    }

    /// Where the credential is part of the URL, a shared cache would hand the answer to whoever asks for that URL.
    fn response_fields(&self) -> &'static [(&'static str, &'static str)] {
        const PRIVATE: &[(&str, &str)] = &[("cache-control", "private")]; // RFC 6750 section 2.3
        if self.presented.meets(self.gate.parts.in_url) { PRIVATE } else { &[] }
    }

    fn refuse(&self, id: &str, caller: Option<&Caller>, rejection: Rejection) -> Decision {
        observe::refused(&rejection, caller, &self.seen(id));
        let situation = Situation { method: self.method, path: self.path, request_id: id, time: self.now.wall };
        let reply = self.gate.parts.context.reply(&rejection, &situation, self.accepted(), self.presented);
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
    fn new(case: &Case<'_>, request_id: Arc<str>, tenant: Option<Cow<'_, str>>) -> Self {
        Self {
            gate: case.gate.clone(),
            method: case.method.into(),
            path: case.path.into(),
            client: case.client,
            rule: case.rule.cloned(),
            tenant: tenant.map(Cow::into_owned),
            presented: case.presented,
            request_id,
        }
    }

    /// Goes on where [`Gate::decide`] left off, at the time it is now.
    fn resume(&self, verified: Verified) -> Decision {
        let case = Case {
            gate: &self.gate,
            method: &self.method,
            path: &self.path,
            client: self.client,
            now: self.gate.now(),
            rule: self.rule.as_ref(),
            presented: self.presented,
        };
        case.judge_verified(|| Arc::clone(&self.request_id), verified, self.tenant.as_deref())
    }
}
