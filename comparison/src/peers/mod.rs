//! The other middleware, each as its documentation shows it.
//!
//! - `by_hand`: `jsonwebtoken` in a function
//! - `authorizer`: `jwt-authorizer`
//! - `extractor`: `axum-jwt-auth`
//! - `resource_server`: `tower-oauth2-resource-server`
//! - `httpauth`: `actix-web-httpauth`
//! - `rate`: `tower_governor`

pub(crate) mod authorizer;
pub(crate) mod by_hand;
pub(crate) mod extractor;
pub(crate) mod httpauth;
pub(crate) mod rate;
pub(crate) mod resource_server;

use serde::Deserialize;

use crate::workload::{Algorithm, PERMISSIONS};

/// A key as it is handed to the peers: the secret, or the public key in PKCS #1.
pub(crate) struct Key<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) bytes: &'a [u8],
}

/// What the token says.
#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "a handler would read them")]
pub(crate) struct Claims {
    sub: String,
    jti: String,
    permissions: Vec<String>,
    tenant: Option<String>,
    plan: Option<String>,
    exp: u64,
}

impl Claims {
    /// Whether they hold the permission that the route asks for.
    pub(crate) fn suffice(&self) -> bool {
        self.permissions.iter().any(|held| held == PERMISSIONS[0])
    }
}
