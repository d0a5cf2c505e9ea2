//! One configuration of a gate, whole: what decides on a request, and what extractors and proxies need afterwards.
//!
//! It never changes. A gate that is [replaced](crate::gate::Gate::replace) has another one from then on, and whoever
//! was admitted by this one keeps it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::client_address::client_address;
use crate::clock::{Clock, Now, SystemClock};
use crate::credential::{CredentialReader, Source, SourceMask};
use crate::error::ConfigErrors;
use crate::gate::ahead::Ahead;
use crate::gate::layers::Layers;
use crate::gate::live::{GateId, Live};
use crate::gate::request_id::request_id;
use crate::gate::{FailedAttempts, Limits, Refusal, RequestIds};
use crate::network::NetworkSet;
use crate::policy::{CompiledPolicy, PermissionModel, Rule};
use crate::principal::Principal;
use crate::rejection::Rejection;
use crate::reply::{Renderer, Reply, Situation};
use crate::request::RequestHead;
use crate::revocation::Revocations;
use crate::verify::Verifier;

/// What a gate decides a request by, and shares with the principals it admits and with its adapters.
pub struct Context {
    /// Whose it is; `None` where no gate is.
    pub(super) gate: Option<GateId>,
    pub(crate) permissions: PermissionModel,
    pub(super) policy: CompiledPolicy,
    pub(super) layers: Layers,
    pub(super) ahead: Ahead,
    pub(super) reader: CredentialReader,
    /// Who verifies what the reader finds, by the position of the source.
    pub(super) verifiers: Vec<Vec<Arc<dyn Verifier>>>,
    pub(crate) sources: Vec<Source>,
    /// The sources that are part of the URL.
    pub(super) in_url: SourceMask,
    /// The sources that browsers send along by themselves.
    pub(super) in_cookies: SourceMask,
    pub(super) trusted_proxies: NetworkSet,
    pub(super) revocations: Option<Revocations>,
    pub(super) limits: Option<Limits>,
    pub(super) failed_attempts: Option<FailedAttempts>,
    pub(super) request_ids: RequestIds,
    pub(crate) renderer: Renderer,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Context {
    /// The route table.
    pub fn policy(&self) -> &CompiledPolicy {
        &self.policy
    }

    /// Reads the gate's clock.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Whether budgets are kept: who comes back after the wait that it was told must not be early by a tick of the clock.
    pub(super) fn keeps_budgets(&self) -> bool {
        self.limits.is_some() || self.failed_attempts.is_some()
    }

    /// The address of a request's client, as far as it is known and trusted.
    pub fn client(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        client_address(head, &self.trusted_proxies)
    }

    pub(super) fn is_of(&self, live: &Live) -> bool {
        self.gate == Some(live.id)
    }

    /// Does something with the policy of a layer with that rule alone.
    ///
    /// It is at hand, unless the layer was made after this context was replaced. A rule that does not fit such a
    /// request is no rule, so that nobody passes.
    pub(super) fn with_layer_policy<T>(&self, rule: &Arc<Rule>, act: impl FnOnce(&CompiledPolicy) -> T) -> T {
        self.layers.with_policy(rule, |policy| match policy {
            Some(policy) => act(policy),
            None => act(&self.compile(rule).unwrap_or_default()),
        })
    }

    /// Makes a rule ready that stands alone.
    pub(super) fn compile(&self, rule: &Rule) -> Result<CompiledPolicy, ConfigErrors> {
        let policy = CompiledPolicy::single(rule, &self.permissions, &self.reader)?;
        self.check_costs(&policy)?;
        Ok(policy)
    }

    /// Finds what nobody could ever pay for.
    pub(super) fn check_costs(&self, policy: &CompiledPolicy) -> Result<(), ConfigErrors> {
        let problems = self.limits.as_ref().map(|limits| limits.check(policy.rules())).unwrap_or_default();
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }

    /// Counts on where the context that this one replaces stands.
    pub(super) fn go_on_from(&mut self, earlier: &Self) {
        if let (Some(guard), Some(earlier)) = (&mut self.failed_attempts, &earlier.failed_attempts) {
            guard.go_on_from(earlier);
        }
    }

    /// The reply to a refusal that is decided after the gate: by an extractor, by a proxy, by the application.
    pub fn refuse(&self, rejection: &Rejection, method: &str, path: &str, request_id: &str) -> Reply {
        self.refuse_caller(rejection, None, method, path, request_id)
    }

    /// The same, where the credential of a known caller is what is refused: its challenge says so (RFC 6750 section 3).
    pub(crate) fn refuse_caller(
        &self,
        rejection: &Rejection,
        caller: Option<&Principal>,
        method: &str,
        path: &str,
        request_id: &str,
    ) -> Reply {
        let situation = Situation { method, path, request_id, time: self.clock.now().wall };
        let presented = caller.map_or(SourceMask::NONE, Principal::presented);
        self.reply(rejection, &situation, SourceMask::ALL, presented)
    }

    /// A refusal that is decided after the gate or beside it, told like the gate's own.
    ///
    /// The request's identifier is the one it carries, if that is harmless, or a fresh one. A caller that is known by
    /// then is told what its own credential lacks.
    pub fn refusal(&self, rejection: Rejection, head: &RequestHead<'_>) -> Refusal {
        let id = request_id(head);
        let situation =
            Situation { method: head.method, path: head.path, request_id: &id, time: self.clock.now().wall };
        let known = head.known.filter(|known| std::ptr::eq(Arc::as_ptr(known.context()), self));
        let presented = known.map_or(SourceMask::NONE, Principal::presented);
        let reply = self.reply(&rejection, &situation, SourceMask::ALL, presented);
        Refusal { rejection, reply, caller: known.cloned().map(Box::new) }
    }

    /// The reply with the challenges of the `accepted` sources, of which `presented` brought the refused credentials.
    pub(crate) fn reply(
        &self,
        rejection: &Rejection,
        situation: &Situation<'_>,
        accepted: SourceMask,
        presented: SourceMask,
    ) -> Reply {
        let accepted = self.sources.iter().zip(SourceMask::each()).filter(|(_, one)| accepted.meets(*one));
        let sources = accepted.map(|(source, one)| (source, presented.meets(one)));
        self.renderer.render(rejection, situation, sources)
    }
}

/// The context of principals that no gate admitted: the usual shape, no credentials to challenge for.
impl Default for Context {
    fn default() -> Self {
        Self {
            gate: None,
            permissions: PermissionModel::default(),
            policy: CompiledPolicy::default(),
            layers: Layers::default(),
            ahead: Ahead::default(),
            reader: CredentialReader::default(),
            verifiers: Vec::new(),
            sources: Vec::new(),
            in_url: SourceMask::NONE,
            in_cookies: SourceMask::NONE,
            trusted_proxies: NetworkSet::default(),
            revocations: None,
            limits: None,
            failed_attempts: None,
            request_ids: RequestIds::default(),
            renderer: Renderer::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("sources", &self.sources).finish_non_exhaustive()
    }
}
