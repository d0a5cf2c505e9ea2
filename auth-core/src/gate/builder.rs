//! How a gate is put together.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::credential::{CredentialReader, Source};
use crate::error::ConfigError;
use crate::gate::{Context, Gate, Parts, RequestIds, SourceVerifiers};
use crate::network::NetworkSet;
use crate::policy::{PermissionModel, Policy, PolicyBuilder};
use crate::reply::{ErrorStyle, Renderer};
use crate::verify::Verifier;

/// Collects the parts of a [`Gate`]. Mistakes are reported by [`build`](Self::build), all at once.
pub struct GateBuilder {
    sources: Vec<SourceVerifiers>,
    policy: PolicyBuilder,
    permissions: PermissionModel,
    trusted_proxies: NetworkSet,
    request_ids: RequestIds,
    errors: ErrorStyle,
    clock: Box<dyn Clock>,
}

impl Default for GateBuilder {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            policy: Policy::builder(),
            permissions: PermissionModel::default(),
            trusted_proxies: NetworkSet::default(),
            request_ids: RequestIds::default(),
            errors: ErrorStyle::default(),
            clock: Box::new(SystemClock),
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
        match self.sources.iter_mut().find(|known| known.source == source) {
            Some(known) => known.verifiers.push(verifier),
            None => self.sources.push(SourceVerifiers { source, verifiers: vec![verifier] }),
        }
        self
    }

    /// Sets the route table. Without one, no request passes.
    #[must_use]
    pub fn policy(mut self, policy: PolicyBuilder) -> Self {
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

    /// Takes the time from this clock instead of the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Builds the gate.
    ///
    /// # Errors
    /// Everything that is wrong with the sources and the route table, at once.
    pub fn build(self) -> Result<Gate, Vec<ConfigError>> {
        let sources = || self.sources.iter().map(|known| &known.source);
        let reader = CredentialReader::new(sources().cloned());
        let policy = self.policy.build(&self.permissions, sources());
        let (reader, policy) = match (reader, policy) {
            (Ok(reader), Ok(policy)) => (reader, policy),
            (reader, policy) => {
                let problems = reader.err().into_iter().chain(policy.err().into_iter().flatten());
                return Err(problems.collect());
            }
        };
        let context = Context {
            permissions: self.permissions,
            renderer: Renderer::new(self.errors),
            sources: sources().cloned().collect(),
            clock: self.clock,
        };
        let parts = Parts {
            sources: self.sources,
            reader,
            trusted_proxies: self.trusted_proxies,
            request_ids: self.request_ids,
            context: Arc::new(context),
        };
        Ok(Gate { parts: Arc::new(parts), policy: Arc::new(policy) })
    }
}

impl std::fmt::Debug for GateBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sources: Vec<_> = self.sources.iter().map(|known| &known.source).collect();
        f.debug_struct("GateBuilder").field("sources", &sources).finish_non_exhaustive()
    }
}
