//! `axum-jwt-auth`, an extractor of handlers, with the faster cryptography for each algorithm.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use axum_jwt_auth::{Claims as Verified, Decoder, LocalDecoder};
use http::StatusCode;
use jsonwebtoken_10::crypto::{CryptoProvider, JwkUtils, aws_lc, rust_crypto};
use jsonwebtoken_10::{DecodingKey, Validation};

use super::{Claims, Key};
use crate::workload::{AUDIENCE, Algorithm, Fallible, ISSUER, PATTERN};

/// For the whole process.
static FASTEST: CryptoProvider = CryptoProvider {
    signer_factory: rust_crypto::DEFAULT_PROVIDER.signer_factory,
    verifier_factory: |algorithm, key| {
        let factory = match algorithm {
            jsonwebtoken_10::Algorithm::HS256 => rust_crypto::DEFAULT_PROVIDER.verifier_factory,
            _ => aws_lc::DEFAULT_PROVIDER.verifier_factory,
        };
        factory(algorithm, key)
    },
    jwk_utils: JwkUtils::new_unimplemented(),
};

/// The same routes, with a handler that takes the claims.
pub(crate) fn router(key: &Key<'_>) -> Fallible<Router> {
    let _ = FASTEST.install_default(); // the second time it is there already
    let (algorithm, key) = match key.algorithm {
        Algorithm::Hs256 => (jsonwebtoken_10::Algorithm::HS256, DecodingKey::from_secret(key.bytes)),
        Algorithm::Rs256 => (jsonwebtoken_10::Algorithm::RS256, DecodingKey::from_rsa_der(key.bytes)),
        Algorithm::Es256 | Algorithm::EdDsa => return Err("not compared".into()),
    };
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let decoder: Decoder<Claims> = Arc::new(LocalDecoder::new(vec![key], validation)?);
    let routes = Router::new().route("/v1/orders", get(|| async { "orders" })).route(PATTERN, get(order));
    Ok(routes.with_state(decoder))
}

async fn order(caller: Verified<Claims>) -> Result<&'static str, StatusCode> {
    if caller.claims.suffice() { Ok("an order") } else { Err(StatusCode::FORBIDDEN) }
}
