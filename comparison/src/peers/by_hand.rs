//! `jsonwebtoken` in a function, as many services do it.
//!
//! It reads the header field, verifies signature, issuer, audience and expiry, looks for one permission and attaches
//! the claims. It knows no duplicate members, no ambiguous paths and no challenges.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::StatusCode;
use jsonwebtoken::{DecodingKey, Validation, decode};

use super::{Claims, Key};
use crate::workload::{AUDIENCE, Algorithm, ISSUER};

/// What it verifies with.
pub(crate) struct Verification {
    key: DecodingKey,
    validation: Validation,
}

impl Verification {
    pub(crate) fn new(key: &Key<'_>) -> Self {
        let (algorithm, key) = match key.algorithm {
            Algorithm::Hs256 => (jsonwebtoken::Algorithm::HS256, DecodingKey::from_secret(key.bytes)),
            Algorithm::Rs256 => (jsonwebtoken::Algorithm::RS256, DecodingKey::from_rsa_der(key.bytes)),
            Algorithm::Es256 => (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_der(key.bytes)),
            Algorithm::EdDsa => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_der(key.bytes)),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key, validation }
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Claims, u16> {
        let verified = decode::<Claims>(token, &self.key, &self.validation).map_err(|_| 401_u16)?;
        if verified.claims.suffice() { Ok(verified.claims) } else { Err(403) }
    }
}

pub(crate) fn around(router: Router, key: &Key<'_>) -> Router {
    router.layer(from_fn_with_state(Arc::new(Verification::new(key)), authenticate))
}

async fn authenticate(
    State(verification): State<Arc<Verification>>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let field = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token = field.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    let verified = verification.verify(token);
    let claims = verified.map_err(|status| StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED))?;
    request.extensions_mut().insert(Arc::new(claims));
    Ok(next.run(request).await)
}
