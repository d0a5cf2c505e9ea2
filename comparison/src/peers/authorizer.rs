//! `jwt-authorizer`, a layer for axum 0.7.

use axum_07::Router;
use axum_07::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jwt_authorizer::{IntoLayer, JwtAuthorizer, Validation};

use super::{Claims, Key};
use crate::workload::{AUDIENCE, Algorithm, Fallible, ISSUER};

/// The bare router, of its version of axum.
pub(crate) fn bare() -> Router {
    let routes = Router::new().route("/v1/orders", get(|| async { "orders" }));
    routes.route("/v1/orders/:id", get(|| async { "an order" })).with_state(())
}

pub(crate) async fn around(router: Router, key: &Key<'_>) -> Fallible<Router> {
    let authorizer: JwtAuthorizer<Claims> = match key.algorithm {
        Algorithm::Hs256 => JwtAuthorizer::from_secret(std::str::from_utf8(key.bytes)?),
        Algorithm::Rs256 => JwtAuthorizer::from_rsa_pem_text(&pem(key.bytes)),
        Algorithm::Es256 | Algorithm::EdDsa => return Err("not compared".into()),
    };
    let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]);
    let authorizer = authorizer.validation(validation).check(Claims::suffice).build().await?;
    Ok(router.layer(authorizer.into_layer()))
}

fn pem(pkcs1: &[u8]) -> String {
    format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(pkcs1))
}
