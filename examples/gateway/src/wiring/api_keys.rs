//! From `[api_keys]` to the service that mints them and the verifier that takes them.

use std::sync::Arc;

use auth_core::Secret;
use auth_core::api_key::KeyFormat;
use auth_core::issue::ApiKeys;
use auth_core::store::{AccountStore, ApiKeyStore};
use auth_core::verify::ApiKeyVerifier;

use super::peppers::{at, own_issuer, peppers};
use crate::config::{self, Config};
use crate::problem::Problem;

/// API keys, to be administrated and to be taken.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Mints, lists, rotates, revokes.
    pub service: ApiKeys,
    /// Verifies what callers send. Whoever serves flushes its last-used times now and then.
    pub verifier: ApiKeyVerifier,
    /// The environment of the gateway.
    pub environment: Option<Arc<str>>,
}

impl Keys {
    /// Lets keys follow the accounts of their owners, where it is these that own them.
    pub(super) fn owned_by(mut self, config: &Config, accounts: Option<Arc<dyn AccountStore>>) -> Self {
        let is_own = config.tokens.as_ref().is_some_and(|tokens| *tokens.issuer == **self.service.issuer());
        if let Some(accounts) = accounts.filter(|_| is_own) {
            self.service = self.service.owned_by(accounts);
        }
        self
    }
}

pub(super) fn keys(
    config: &Config,
    settings: &config::ApiKeys,
    store: Arc<dyn ApiKeyStore>,
    generated: &Secret,
) -> Result<Keys, Vec<Problem>> {
    let (format, peppers) = match (format(settings), peppers(&settings.peppers, &settings.place, generated)) {
        (Ok(format), Ok(peppers)) => (format, peppers),
        (format, peppers) => return Err(format.err().into_iter().chain(peppers.err()).flatten().collect()),
    };
    let issuer = own_issuer(config, settings.issuer.as_deref());
    let mut service = ApiKeys::new(format, peppers, store, issuer).at_most(settings.max_per_owner);
    if let Some(kept_for) = settings.keep_revoked {
        service = service.keeping_revoked_for(kept_for);
    }
    let verifier = service.verifier().remembering(config.remembered);
    let verifier = match &settings.environment {
        Some(environment) => verifier.for_environment(environment).map_err(|error| at(&settings.place)(error))?,
        None => verifier,
    };
    Ok(Keys { service, verifier, environment: settings.environment.as_deref().map(Arc::from) })
}

fn format(settings: &config::ApiKeys) -> Result<KeyFormat, Vec<Problem>> {
    // the prefix first, alone, so that a problem of either is told at its own place
    KeyFormat::new(&settings.prefix.value, []).map_err(at(&settings.prefix.place))?;
    let environments = settings.environments.value.iter().map(String::as_str);
    let mut format = KeyFormat::new(&settings.prefix.value, environments).map_err(at(&settings.environments.place))?;
    if let Some(length) = &settings.length {
        format = format.with_tail(length.value).map_err(at(&length.place))?;
    }
    if let Some(shown) = &settings.display_length {
        format = format.with_shown(shown.value).map_err(at(&shown.place))?;
    }
    Ok(format)
}
