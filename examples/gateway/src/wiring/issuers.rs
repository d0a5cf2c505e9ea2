//! From `[[issuers]]` and `[tokens]` to the verifier of JSON Web Tokens.

use auth_core::keys::{Algorithm, KeySet, VerificationKey};
use auth_core::verify::jwt::{ClaimMapping, ClaimPath, Issuer, JwtVerifier, ScopeShape, ScopeUse, TokenKind};
use auth_core::{ConfigError, Secret};

use crate::config::{self, ClientNames, Config, Expiry, IssuerKeys, MaybeClaim, ScopeForm, SigningAlgorithm};
use crate::own_tokens::{OwnTokens, Verification};
use crate::problem::{Placed, Problem};

/// The verifier of every issuer, each checked on its own first, so that each problem has its place.
pub(super) fn verifier(config: &Config, own: Option<&OwnTokens>) -> Result<Option<JwtVerifier>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut issuers = Vec::new();
    for settings in &config.issuers {
        match issuer(settings).and_then(|issuer| alone(issuer, &settings.place)) {
            Ok(issuer) => issuers.push(issuer),
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(own) = own {
        let place = &own.tokens().place;
        let keys = own_keys(own).map_err(|error| place.problem(error.to_string()));
        let issuer = keys.map(|keys| Issuer::new(own.tokens().issuer.as_str(), [own.tokens().audience.as_str()], keys));
        match issuer.and_then(|issuer| alone(issuer, place)) {
            Ok(issuer) => issuers.push(issuer),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(twice(config));
    if !problems.is_empty() {
        return Err(problems);
    }
    if issuers.is_empty() {
        return Ok(None);
    }
    JwtVerifier::new(issuers).map(Some).map_err(|error| vec![crate::problem::Place::file(config.file.clone()).problem(error.to_string())])
}

fn alone(issuer: Issuer, place: &crate::problem::Place) -> Result<Issuer, Problem> {
    JwtVerifier::new([issuer.clone()]).map(|_| issuer).map_err(|error| place.problem(error.to_string()))
}

fn twice(config: &Config) -> Vec<Problem> {
    let own = config.tokens.iter().map(|tokens| (&tokens.issuer, &tokens.place));
    let mut seen: Vec<&String> = Vec::new();
    let mut problems = Vec::new();
    for (name, place) in own.chain(config.issuers.iter().map(|issuer| (&issuer.issuer, &issuer.place))) {
        if seen.contains(&name) {
            problems.push(place.problem(format!("the issuer `{}` is there already: give one entry everything", name.escape_debug())));
        }
        seen.push(name);
    }
    problems
}

fn own_keys(own: &OwnTokens) -> Result<KeySet, ConfigError> {
    let no_key = |error: crate::own_tokens::SigningError| ConfigError::new(error.to_string());
    match own.verification().map_err(no_key)? {
        Verification::Shared(secret) => KeySet::shared_secret(Algorithm::Hs256, &secret),
        Verification::PublicPem(pem) => KeySet::from_pem(&pem),
    }
}
