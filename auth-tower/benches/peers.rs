//! The same job done by hand with `jsonwebtoken`, as many services do it: `cargo bench -p auth-tower --bench peers`.
//!
//! The middleware reads the header field, verifies signature, issuer, audience and expiry, looks for one permission and
//! attaches the claims. It knows no duplicate members, no ambiguous paths and no challenges.

#[path = "router/mod.rs"]
mod router;
#[path = "../../auth-core/benches/workload/mod.rs"]
mod workload;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::StatusCode;
use jsonwebtoken::{DecodingKey, Validation, decode};
use router::{bare, request, send};
use serde::Deserialize;
use workload::measure::{Subject, batch, print_times};
use workload::{AUDIENCE, Algorithm, Fallible, ISSUER, PERMISSIONS};

fn main() -> Fallible<()> {
    let workloads = workload::all()?;
    let mut subjects = Vec::new();
    for workload in &workloads {
        let Some((algorithm, key)) = &workload.signed_with else { continue };
        let (bare, by_hand) = (bare(), by_hand(*algorithm, key));
        let answer = send(&by_hand, request(&workload.field));
        if answer.status() != StatusCode::OK {
            return Err(format!("{} was answered {}", workload.name, answer.status()).into());
        }
        subjects.push(Subject {
            name: workload.name,
            bare: Box::new(batch(move || drop(send(&bare, request(&workload.field))))),
            raw: Box::new(batch(&workload.raw)),
            layered: Box::new(batch(move || drop(send(&by_hand, request(&workload.field))))),
            most: None,
        });
    }
    print_times("axum with jsonwebtoken by hand, in process", &mut subjects);
    Ok(())
}

struct Peer {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a handler would read them")]
struct Claims {
    sub: String,
    jti: String,
    permissions: Vec<String>,
    tenant: Option<String>,
    plan: Option<String>,
    exp: u64,
}

fn by_hand(algorithm: Algorithm, key: &[u8]) -> Router {
    let (algorithm, key) = match algorithm {
        Algorithm::Hs256 => (jsonwebtoken::Algorithm::HS256, DecodingKey::from_secret(key)),
        Algorithm::Rs256 => (jsonwebtoken::Algorithm::RS256, DecodingKey::from_rsa_der(key)),
        Algorithm::Es256 => (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_der(key)),
        Algorithm::EdDsa => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_der(key)),
    };
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    bare().layer(from_fn_with_state(Arc::new(Peer { key, validation }), authenticate))
}

async fn authenticate(State(peer): State<Arc<Peer>>, mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let field = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token = field.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    let verified = decode::<Claims>(token, &peer.key, &peer.validation).map_err(|_| StatusCode::UNAUTHORIZED)?;
    if !verified.claims.permissions.iter().any(|held| held == PERMISSIONS[0]) {
        return Err(StatusCode::FORBIDDEN);
    }
    request.extensions_mut().insert(Arc::new(verified.claims));
    Ok(next.run(request).await)
}
