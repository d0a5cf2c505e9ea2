//! From `[opaque_tokens]` to the service that mints them and the verifier that takes them.

use std::sync::Arc;

use auth_core::Secret;
use auth_core::issue;
use auth_core::opaque::TokenFormat;
use auth_core::store::TokenStore;
use auth_core::verify::OpaqueTokenVerifier;

use super::peppers::{at, own_issuer, peppers};
use crate::config::{self, Config};
use crate::problem::Problem;

/// Opaque tokens, to be administrated and to be taken.
#[derive(Clone, Debug)]
pub struct OpaqueTokens {
    /// Mints, lists, revokes.
    pub service: issue::OpaqueTokens,
    /// Verifies what callers send. Whoever serves flushes its uses now and then.
    pub verifier: OpaqueTokenVerifier,
    /// Who vouches for the subjects.
    pub issuer: Arc<str>,
}

pub(super) fn opaque_tokens(
    config: &Config,
    settings: &config::OpaqueTokens,
    store: Arc<dyn TokenStore>,
    generated: &Secret,
) -> Result<OpaqueTokens, Vec<Problem>> {
    let format = TokenFormat::new(&settings.prefix.value).map_err(at(&settings.prefix.place));
    let (format, peppers) = match (format, peppers(&settings.peppers, &settings.place, generated)) {
        (Ok(format), Ok(peppers)) => (format, peppers),
        (format, peppers) => return Err(format.err().into_iter().chain(peppers.err()).flatten().collect()),
    };
    let issuer: Arc<str> = own_issuer(config, settings.issuer.as_deref()).into();
    let service = issue::OpaqueTokens::new(format, peppers, store, Arc::clone(&issuer));
    Ok(OpaqueTokens { verifier: service.verifier(), service, issuer })
}
