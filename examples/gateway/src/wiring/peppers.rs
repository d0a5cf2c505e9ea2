//! What API keys and opaque tokens have in common: what they are hashed with, and who vouches for their owners.

use auth_core::Secret;
use auth_core::api_key::{KeyHasher, Peppers};

use crate::config::{Config, Pepper};
use crate::problem::{Place, Problem};

/// What records call the pepper that was made at the first start.
const GENERATED: &str = "generated";

/// Keys and tokens of the gateway's own name the same subjects, so they have the same issuer unless told otherwise.
pub(crate) fn own_issuer<'c>(config: &'c Config, chosen: Option<&'c str>) -> &'c str {
    let own = config.tokens.as_ref().map(|tokens| tokens.issuer.as_str());
    chosen.or(own).unwrap_or("gateway")
}

/// The configured peppers, and behind them the one of the data directory, so that what was made before there were any
/// still works.
pub(super) fn peppers(configured: &[Pepper], section: &Place, generated: &Secret) -> Result<Peppers, Vec<Problem>> {
    let mut peppers: Option<Peppers> = None;
    for pepper in configured {
        let hasher = KeyHasher::new(&pepper.id.value, &pepper.secret).map_err(at(&pepper.id.place))?;
        peppers = Some(match peppers {
            Some(earlier) => earlier.with_previous(hasher).map_err(at(&pepper.id.place))?,
            None => Peppers::new(hasher),
        });
    }
    let generated = KeyHasher::new(GENERATED, generated).map_err(at(section))?;
    match peppers {
        Some(peppers) => peppers.with_previous(generated).map_err(at(section)),
        None => Ok(Peppers::new(generated)),
    }
}

/// Gives the problem its place.
pub(super) fn at(place: &Place) -> impl Fn(auth_core::ConfigError) -> Vec<Problem> {
    move |error| vec![place.problem(error.to_string())]
}
