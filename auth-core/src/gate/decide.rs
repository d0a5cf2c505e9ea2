//! The decision on one request.

use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::Now;
use crate::credential::{Presented, SourceIndex, SourceMask};
use crate::gate::observe::{self, Seen};
use crate::gate::pending::{Verified, all_agree, verify_guarded};
use crate::gate::request_id::request_id;
use crate::gate::{Admission, Caller, Decision, Gate, Refusal, RequestIds};
use crate::outcome::Outcome;
use crate::policy::Found;
use crate::principal::{Anonymous, Identity, Principal};
use crate::rejection::{CredentialFault, Rejection};
use crate::reply::Situation;
use crate::request::{Field, RequestHead};

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
    /// let gate = Gate::builder().policy(Policy::builder().get("/health", public())).build().unwrap();
    /// let decide = |path| match gate.decide(&RequestHead::new("GET", path, &[("host", "example")]), gate.now()) {
    ///     Outcome::Done(Decision::Admit(_)) => 200,
    ///     Outcome::Done(Decision::Refuse(refusal)) => refusal.reply.status,
    ///     Outcome::Wait(_) => unreachable!("nothing here waits"),
    /// };
    /// assert_eq!(decide("/health"), 200);
    /// assert_eq!(decide("/anything/else"), 401);
    /// assert_eq!(decide("//health"), 400);
    /// ```
    pub fn decide(&self, head: &RequestHead<'_>, now: Now) -> Outcome<Decision> {
        let client = crate::client_address::client_address(head, &self.parts.trusted_proxies);
        let case = Case { gate: self, method: head.method, path: head.path, client, now, presented: SourceMask::NONE };
        let id = || request_id(head);
        let found = match self.policy.find(head) {
            Ok(found) => found,
            Err(rejection) => return Outcome::Done(case.refuse(&id(), None, None, rejection)),
        };
        if found.rule().is_public() || (found.rule().admits_preflight() && is_preflight(head)) {
            let verdict = found.check_network(client).map(|()| self.anonymous());
            return Outcome::Done(case.conclude(id, &found, verdict));
        }
        if let Some(known) = head.known.filter(|known| Arc::ptr_eq(known.context(), &self.parts.context)) {
            let verdict = found.check(known, client).map(|()| Caller::Principal(known.clone()));
            return Outcome::Done(case.conclude(id, &found, verdict));
        }
        let presented = match self.parts.reader.read(head, found.rule().accepted(), found.rule().cardinality()) {
            Ok(presented) => presented,
            Err(unread) => return Outcome::Done(case.from(unread.sources).conclude(id, &found, Err(unread.rejection))),
        };
        let (case, verified) = match presented {
            Presented::Absent => {
                let verdict = found.check_anonymous(client).map(|()| self.anonymous());
                return Outcome::Done(case.conclude(id, &found, verdict));
            }
            Presented::One(source, text) => (case.from(source.into()), self.verify(source, text, now)),
            Presented::Several(several) => {
                let sources = several.iter().fold(SourceMask::NONE, |all, (source, _)| all.with(*source));
                let outcomes = several.iter().map(|(source, text)| self.verify(*source, text, now)).collect();
                (case.from(sources), all_agree(outcomes))
            }
        };
        match verified {
            Outcome::Done(verified) => Outcome::Done(case.judge(id, &found, verified)),
            Outcome::Wait(pending) => {
                let waiting = case.to_owned(request_id(head));
                Outcome::Wait(Box::pin(async move { waiting.resume(pending.await) }))
            }
        }
    }

    fn verify(&self, source: SourceIndex, text: &str, now: Now) -> Outcome<Verified> {
        let known = self.parts.sources.get(usize::from(source));
        let verifier = known.and_then(|known| known.verifiers.iter().find(|verifier| verifier.recognises(text)));
        match verifier {
            Some(verifier) => verify_guarded(verifier.as_ref(), text, now),
            None => Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Malformed))),
        }
    }

    fn anonymous(&self) -> Caller {
        Caller::Anonymous(Anonymous(Arc::clone(&self.parts.context)))
    }

    fn principal(&self, identity: Identity) -> Principal {
        Principal::new(identity, Arc::clone(&self.parts.context))
    }
}

/// A CORS preflight as the Fetch standard defines it. It never carries credentials.
fn is_preflight(head: &RequestHead<'_>) -> bool {
    head.method == "OPTIONS"
        && head.field("origin") != Field::Absent
        && head.field("access-control-request-method") != Field::Absent
}

/// What is known of the request while it is decided.
#[derive(Clone, Copy)]
struct Case<'a> {
    gate: &'a Gate,
    method: &'a str,
    path: &'a str,
    client: Option<IpAddr>,
    now: Now,
    /// Where the credentials that are being judged came from.
    presented: SourceMask,
}

impl Case<'_> {
    fn from(self, presented: SourceMask) -> Self {
        Self { presented, ..self }
    }

    /// Asks the rule about a verified identity.
    fn judge(&self, id: impl Fn() -> Arc<str>, found: &Found<'_>, verified: Verified) -> Decision {
        let principal = match verified {
            Ok(identity) => self.gate.principal(identity),
            Err(rejection) => return self.conclude(id, found, Err(rejection)),
        };
        match found.check(&principal, self.client) {
            Ok(()) => self.conclude(id, found, Ok(Caller::Principal(principal))),
            Err(rejection) => self.refuse(&id(), Some(found), Some(&Caller::Principal(principal)), rejection),
        }
    }

    fn conclude(&self, id: impl Fn() -> Arc<str>, found: &Found<'_>, verdict: Result<Caller, Rejection>) -> Decision {
        let caller = match verdict {
            Ok(caller) => caller,
            Err(rejection) => return self.refuse(&id(), Some(found), None, rejection),
        };
        let request_id = match self.gate.parts.request_ids {
            RequestIds::Always => Some(id()),
            RequestIds::OnRefusal => None,
        };
        observe::admitted(&caller, &self.seen(found.rule().name(), request_id.as_deref().unwrap_or("-")));
        Decision::Admit(Admission { caller, client: self.client, request_id })
    }

    fn refuse(&self, id: &str, found: Option<&Found<'_>>, caller: Option<&Caller>, rejection: Rejection) -> Decision {
        let route = found.map_or("-", |found| found.rule().name());
        observe::refused(&rejection, caller, &self.seen(route, id));
        let situation = Situation { method: self.method, path: self.path, request_id: id, time: self.now.wall };
        let accepted = found.map_or(SourceMask::ALL, |found| found.rule().accepted());
        let reply = self.gate.parts.context.reply(&rejection, &situation, accepted, self.presented);
        Decision::Refuse(Refusal { rejection, reply })
    }

    fn seen<'s>(&'s self, route: &'s str, request_id: &'s str) -> Seen<'s> {
        Seen { method: self.method, path: self.path, route, client: self.client, request_id }
    }

    fn to_owned(self, request_id: Arc<str>) -> Waiting {
        Waiting {
            gate: self.gate.clone(),
            method: self.method.into(),
            path: self.path.into(),
            client: self.client,
            presented: self.presented,
            request_id,
        }
    }
}

/// What a decision that waits takes along.
struct Waiting {
    gate: Gate,
    method: Box<str>,
    path: Box<str>,
    client: Option<IpAddr>,
    presented: SourceMask,
    request_id: Arc<str>,
}

impl Waiting {
    /// Goes on where [`Gate::decide`] left off, at the time it is now.
    fn resume(&self, verified: Verified) -> Decision {
        let case = Case {
            gate: &self.gate,
            method: &self.method,
            path: &self.path,
            client: self.client,
            now: self.gate.now(),
            presented: self.presented,
        };
        // The same table finds the same rule: the gate is a clone of the one that began.
        match self.gate.policy.find_path(&self.method, &self.path) {
            Ok(found) => case.judge(|| Arc::clone(&self.request_id), &found, verified),
            Err(rejection) => case.refuse(&self.request_id, None, None, rejection),
        }
    }
}
