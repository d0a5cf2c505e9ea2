//! From `[api_keys]` to the service that mints them and the verifier that takes them.

use std::sync::Arc;

use auth_core::Secret;
use auth_core::api_key::{KeyFormat, KeyHasher, Peppers};
use auth_core::issue::ApiKeys;
use auth_core::store::ApiKeyStore;
use auth_core::verify::ApiKeyVerifier;

use crate::config::{self, Config};
use crate::problem::{Place, Problem};

/// What records call the pepper that was made at the first start.
const GENERATED: &str = "generated";

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

pub(super) fn keys(
    config: &Config,
    settings: &config::ApiKeys,
    store: Arc<dyn ApiKeyStore>,
    generated: &Secret,
) -> Result<Keys, Vec<Problem>> {
    let (format, peppers) = match (format(settings), peppers(settings, generated)) {
        (Ok(format), Ok(peppers)) => (format, peppers),
        (format, peppers) => return Err(format.err().into_iter().chain(peppers.err()).flatten().collect()),
    };
    let service = ApiKeys::new(format, peppers, store, issuer(config, settings));
    let verifier = match &settings.environment {
        Some(environment) => {
            service.verifier().for_environment(environment).map_err(|error| at(&settings.place)(error))?
        }
        None => service.verifier(),
    };
    Ok(Keys { service, verifier, environment: settings.environment.as_deref().map(Arc::from) })
}

/// Keys and tokens of the gateway's own name the same subjects, so they have the same issuer unless told otherwise.
fn issuer<'c>(config: &'c Config, settings: &'c config::ApiKeys) -> &'c str {
    let own = config.tokens.as_ref().map(|tokens| tokens.issuer.as_str());
    settings.issuer.as_deref().or(own).unwrap_or("gateway")
}

fn at(place: &Place) -> impl Fn(auth_core::ConfigError) -> Vec<Problem> {
    move |error| vec![place.problem(error.to_string())]
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

/// The configured peppers, and behind them the one of the data directory, so that keys made before there were any
/// still work.
fn peppers(settings: &config::ApiKeys, generated: &Secret) -> Result<Peppers, Vec<Problem>> {
    let mut peppers: Option<Peppers> = None;
    for pepper in &settings.peppers {
        let hasher = KeyHasher::new(&pepper.id.value, &pepper.secret).map_err(at(&pepper.id.place))?;
        peppers = Some(match peppers {
            Some(earlier) => earlier.with_previous(hasher).map_err(at(&pepper.id.place))?,
            None => Peppers::new(hasher),
        });
    }
    let generated = KeyHasher::new(GENERATED, generated).map_err(at(&settings.place))?;
    match peppers {
        Some(peppers) => peppers.with_previous(generated).map_err(at(&settings.place)),
        None => Ok(Peppers::new(generated)),
    }
}
