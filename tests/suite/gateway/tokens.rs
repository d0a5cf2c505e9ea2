//! Tokens that the gateways under test accept.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "a secret of at least thirty-two bytes, for tests alone";

/// A token of the issuer in [`ISSUER`] with these claims besides.
pub(crate) fn token(claims: Value) -> String {
    let mut all = json!({
        "iss": "https://idp.example", "aud": "api", "sub": "user-1", "exp": 4_000_000_000_u64, "scope": "read write",
    });
    let (Value::Object(all_claims), Value::Object(claims)) = (&mut all, claims) else { panic!("claims are an object") };
    all_claims.extend(claims);
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), &all, &key).unwrap()
}

/// The part of a configuration that accepts those tokens, and a route table.
pub(crate) const ISSUER: &str = r#"
[[issuers]]
issuer = "https://idp.example"
audience = "api"
secret = { file = "secret" }

[[credentials]]
authorization = "Bearer"
kinds = ["jwt"]

[[credentials]]
header = "X-Token"
kinds = ["jwt"]

[[credentials]]
cookie = "session"
kinds = ["jwt"]

[[routes]]
path = "/v1/{*rest}"
methods = ["GET", "HEAD"]
needs = "read"

[[routes]]
path = "/v1/{*rest}"
needs = "write"

[[routes]]
path = "/public/{*rest}"
access = "public"

[[routes]]
path = "/shared/{*rest}"
access = "authenticated"
cors = true

[cors]
origins = ["https://app.example"]
"#;
