//! The decision on one request.

use std::net::IpAddr;
use std::sync::Arc;

use crate::client_address::client_address;
use crate::clock::Now;
use crate::credential::{Candidate, Found, SourceIndex, SourceMask, Unread};
use crate::gate::case::Case;
use crate::gate::cross_site;
use crate::gate::pending::{all_agree, remembered_guarded, verify_bytes_guarded, verify_guarded};
use crate::gate::request_id::request_id;
use crate::gate::share::Share;
use crate::gate::{Caller, Decision, Gate, ResponseFields};
use crate::outcome::Outcome;
use crate::policy::{CompiledPolicy, CredentialUse, Entry};
use crate::principal::{Anonymous, Principal};
use crate::rejection::{CredentialFault, Prohibition, Rejection};
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
        match self.decided_by(head) {
            Some(context) => self.decide_by(context, head, now),
            None => self.decide_by(self.live.current().own(), head, now),
        }
    }

    /// What an outer layer of this gate decided the request by. That holds for all of it: a replacement in between is
    /// for later requests.
    fn decided_by<'h>(&self, head: &RequestHead<'h>) -> Option<&'h Arc<Share>> {
        let attached = [head.known.map(Principal::share), head.anonymous.map(Anonymous::share)];
        attached.into_iter().flatten().find(|context| context.is_of(&self.live))
    }

    fn decide_by(&self, context: &Arc<Share>, head: &RequestHead<'_>, now: Now) -> Outcome<Decision> {
        match &self.rule {
            None => context.decide(context.policy(), head, now),
            Some(rule) => context.with_layer_policy(rule, |policy| context.decide(policy, head, now)),
        }
    }
}

impl Share {
    fn decide(self: &Arc<Self>, policy: &CompiledPolicy, head: &RequestHead<'_>, now: Now) -> Outcome<Decision> {
        if head.known.is_none() {
            self.ahead.fetch(head);
        }
        let mut case = Case {
            context: self,
            method: head.method,
            path: head.path,
            client: client_address(head, &self.trusted_proxies),
            now,
            rule: None,
            presented: SourceMask::NONE,
        };
        let id = || request_id(head);
        let nothing = ResponseFields::default;
        let routed = policy.route(head);
        let found = match &routed {
            Ok(found) => found,
            Err(rejection) => return Outcome::Done(case.refuse(&id(), None, rejection.clone(), nothing())),
        };
        match found.entry() {
            Entry::Rule(rule) => case.rule = Some(rule),
            Entry::Preflight(rule) => {
                case.rule = Some(rule);
                return Outcome::Done(case.admit(id, case.nobody(), nothing()));
            }
            Entry::NoRule => {}
        }
        if let Some(known) = head.known.filter(|known| case.takes_over(known)) {
            case.presented = known.presented();
            let caller = Caller::Principal(known.clone());
            return Outcome::Done(match case.check_standing(Some(known)) {
                Ok(()) => case.ask_rule(id, caller, found.names(), nothing()),
                Err(rejection) => case.refuse(&id(), Some(&caller), rejection, nothing()),
            });
        }
        if case.credentials() == CredentialUse::Ignored {
            return case.judge_anonymous(id, head, found.names());
        }
        let presented = self.reader.find(head, case.accepted(), case.count());
        match presented.and_then(|presented| self.read(&mut case, head, presented, now)) {
            Ok(None) => case.judge_anonymous(id, head, found.names()),
            Ok(Some(verified)) => case.conclude(id, verified, found.names()),
            Err(unread) => {
                case.presented = unread.sources;
                Outcome::Done(case.refuse(&id(), None, unread.rejection, nothing()))
            }
        }
    }

    /// What the verifiers say of the credentials that the request presents; nothing where there is none.
    fn read(
        &self,
        case: &mut Case<'_>,
        head: &RequestHead<'_>,
        presented: Found<'_>,
        now: Now,
    ) -> Result<Option<Outcome<Verified>>, Unread> {
        match presented {
            Found::Nothing => Ok(None),
            Found::One(candidate) => {
                case.presented = candidate.source.into();
                self.check_origin(head, case.presented)?;
                if let Some(verified) = self.verify_bytes(candidate, now) {
                    return Ok(Some(verified));
                }
                let text = self.reader.check(candidate)?;
                Ok(Some(self.verify(candidate.source, text, case.client, now)))
            }
            Found::Several(several) => {
                case.presented = several.iter().map(|candidate| candidate.source).collect();
                self.check_origin(head, case.presented)?;
                let several = self.reader.check_all(several)?;
                let verify = |(source, text): &(SourceIndex, &str)| self.verify(*source, text, case.client, now);
                Ok(Some(all_agree(several.iter().map(verify).collect())))
            }
        }
    }

    /// A credential in a cookie is not even tried where another site may have made a browser send it along.
    #[inline]
    fn check_origin(&self, head: &RequestHead<'_>, sources: SourceMask) -> Result<(), Unread> {
        if sources.meets(self.in_cookies) && !cross_site::is_allowed(head) {
            return Err(Unread { rejection: Rejection::Forbidden(Prohibition::CrossSite), sources });
        }
        Ok(())
    }

    /// What the first verifier of the source says of the bytes as they came. Another one's word does not count: the first
    /// may recognise the credential too, and then it decides alone.
    fn verify_bytes(&self, candidate: Candidate<'_>, now: Now) -> Option<Outcome<Verified>> {
        let first = self.verifiers.get(candidate.source.as_usize())?.first()?;
        let bytes = self.reader.short_enough(candidate)?;
        match self.failed_attempts {
            Some(_) => remembered_guarded(first.as_ref(), bytes, now).map(|identity| Outcome::Done(Ok(identity))),
            None => verify_bytes_guarded(first.as_ref(), bytes, now),
        }
    }

    fn verify(&self, source: SourceIndex, text: &str, client: Option<IpAddr>, now: Now) -> Outcome<Verified> {
        let verifiers = self.verifiers.get(source.as_usize());
        let verifier = verifiers.and_then(|all| all.iter().find(|verifier| verifier.recognises(text)));
        let Some(verifier) = verifier else {
            return Outcome::Done(Err(Rejection::InvalidCredential(CredentialFault::Malformed)));
        };
        match &self.failed_attempts {
            Some(guard) => guard.verify(verifier, text, client, now, &self.clock),
            None => verify_guarded(verifier.as_ref(), text, now),
        }
    }
}
