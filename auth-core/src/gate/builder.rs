//! How a gate is put together.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::credential::{CredentialReader, Source, SourceMask};
use crate::error::{ConfigError, ConfigErrors};
use crate::gate::ahead::Ahead;
use crate::gate::layers::Layers;
use crate::gate::live::{GateId, Live};
use crate::gate::{Context, FailedAttempts, Gate, Limits, RequestIds};
use crate::network::NetworkSet;
use crate::policy::{PermissionModel, Policy, Rule};
use crate::reply::{ErrorStyle, Renderer};
use crate::revocation::Revocations;
use crate::verify::Verifier;

/// Collects the parts of a [`Gate`]. Mistakes are reported by [`build`](Self::build).
pub struct GateBuilder {
    entrances: Vec<Entrance>,
    policy: Policy,
    permissions: PermissionModel,
    trusted_proxies: NetworkSet,
    revocations: Option<Revocations>,
    limits: Option<Limits>,
    failed_attempts: Option<FailedAttempts>,
    request_ids: RequestIds,
    errors: ErrorStyle,
    clock: Arc<dyn Clock>,
}

impl Default for GateBuilder {
    fn default() -> Self {
        Self {
            entrances: Vec::new(),
            policy: Policy::new(),
            permissions: PermissionModel::default(),
            trusted_proxies: NetworkSet::default(),
            revocations: None,
            limits: None,
            failed_attempts: None,
            request_ids: RequestIds::default(),
            errors: ErrorStyle::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl GateBuilder {
    /// Takes credentials from that source and gives them to that verifier.
    ///
    /// A source may have several verifiers: the first that [recognises](Verifier::recognises) a credential decides.
    #[must_use]
    pub fn accept(self, source: Source, verifier: impl Verifier) -> Self {
        self.accept_shared(source, Arc::new(verifier))
    }

    /// Like [`accept`](Self::accept), for a verifier that serves several sources.
    #[must_use]
    pub fn accept_shared(mut self, source: Source, verifier: Arc<dyn Verifier>) -> Self {
        match self.entrances.iter_mut().find(|known| known.source.is_same_place(&source)) {
            Some(known) => known.verifiers.push(verifier),
            None => self.entrances.push(Entrance { source, verifiers: vec![verifier] }),
        }
        self
    }

    /// Sets the route table. Without one, no request passes.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Says which permission grants which.
    #[must_use]
    pub fn permissions(mut self, model: PermissionModel) -> Self {
        self.permissions = model;
        self
    }

    /// Believes what these networks say about the address of the client. Nobody is believed by default.
    #[must_use]
    pub fn trusted_proxies(mut self, networks: NetworkSet) -> Self {
        self.trusted_proxies = networks;
        self
    }

    /// Refuses what is revoked, also where the credential itself is good. Keep a clone to revoke.
    #[must_use]
    pub fn revocations(mut self, revocations: Revocations) -> Self {
        self.revocations = Some(revocations);
        self
    }

    /// Bounds how much callers ask for. Nobody is limited by default.
    ///
    /// Every request of a verified caller is charged once, whether its route's requirement holds or not; every request
    /// without a credential is charged to the client's address, so name the [trusted proxies](Self::trusted_proxies)
    /// before anonymous callers get limits. Behind a proxy that is not named, all of them are one.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Bounds how many credentials from one address may fail. Nothing is counted by default.
    ///
    /// It is off by default because a gate cannot see whether a proxy stands before it: behind one that is not
    /// [named](Self::trusted_proxies), the failures of one client would be those of all.
    #[must_use]
    pub fn failed_attempts(mut self, guard: FailedAttempts) -> Self {
        self.failed_attempts = Some(guard);
        self
    }

    /// Says which requests carry an identifier.
    #[must_use]
    pub fn request_ids(mut self, which: RequestIds) -> Self {
        self.request_ids = which;
        self
    }

    /// Words refusals in this style.
    #[must_use]
    pub fn errors(mut self, style: ErrorStyle) -> Self {
        self.errors = style;
        self
    }

    /// Takes the time from this clock instead of the machine's. A gate keeps its clock when it is
    /// [replaced](Gate::replace): budgets and credentials go on from where they were.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the gate.
    ///
    /// # Errors
    /// Everything that is wrong with the sources; if nothing is, everything that is wrong with the route table.
    pub fn build(self) -> Result<Gate, ConfigErrors> {
        Ok(Gate { live: Arc::new(Live::new(self)?), rule: None })
    }

    pub(super) fn own_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// What a gate decides by, its layers with these rules included.
    pub(super) fn context(
        self,
        gate: GateId,
        clock: Arc<dyn Clock>,
        layers: Vec<Arc<Rule>>,
    ) -> Result<Context, ConfigErrors> {
        let (sources, verifiers): (Vec<_>, Vec<_>) = self.entrances.into_iter().map(Entrance::split).unzip();
        let reader = CredentialReader::new(sources.clone())?;
        let policy = self.policy.compile(&self.permissions, &reader)?;
        if let Some(guard) = &self.failed_attempts {
            guard.check(!self.trusted_proxies.is_empty())?;
        }
        let cookies = reader.sources(SourceMask::ALL).filter(|(_, source)| matches!(source, Source::Cookie { .. }));
        let in_cookies = cookies.map(|(index, _)| index).collect();
        let queries = reader.sources(SourceMask::ALL).filter(|(_, source)| matches!(source, Source::Query { .. }));
        let mut context = Context {
            gate: Some(gate),
            permissions: self.permissions,
            policy,
            layers: Layers::default(),
            in_url: queries.map(|(index, _)| index).collect(),
            in_cookies,
            ahead: Ahead::new(&reader, &verifiers),
            reader,
            verifiers,
            sources,
            trusted_proxies: self.trusted_proxies,
            revocations: self.revocations,
            limits: self.limits,
            failed_attempts: self.failed_attempts,
            request_ids: self.request_ids,
            renderer: Renderer::new(self.errors),
            clock,
        };
        context.check_costs(&context.policy)?;
        context.layers = compile_layers(layers, &context)?;
        Ok(context)
    }
}

fn compile_layers(rules: Vec<Arc<Rule>>, context: &Context) -> Result<Layers, ConfigErrors> {
    let (mut layers, mut problems) = (Vec::new(), Vec::new());
    for rule in rules {
        match context.compile(&rule) {
            Ok(policy) => layers.push((rule, policy)),
            Err(found) => problems.extend(found.iter().map(|problem| at_layer(problem, &rule))),
        }
    }
    if problems.is_empty() { Ok(Layers::new(layers)) } else { Err(problems.into()) }
}

fn at_layer(problem: &ConfigError, rule: &Rule) -> ConfigError {
    problem.clone().at(format_args!("the layer with the rule `{rule}`"))
}

/// One place where credentials travel, and who verifies what is found there.
struct Entrance {
    source: Source,
    verifiers: Vec<Arc<dyn Verifier>>,
}

impl Entrance {
    fn split(self) -> (Source, Vec<Arc<dyn Verifier>>) {
        (self.source, self.verifiers)
    }
}

impl std::fmt::Debug for GateBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sources: Vec<_> = self.entrances.iter().map(|known| &known.source).collect();
        f.debug_struct("GateBuilder").field("sources", &sources).finish_non_exhaustive()
    }
}
