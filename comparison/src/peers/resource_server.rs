//! `tower-oauth2-resource-server` with a fixed set of keys. It takes public keys alone, and knows no permissions.

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use super::{Claims, Key};
use crate::workload::tokens::KEY_ID;
use crate::workload::{AUDIENCE, Fallible, ISSUER};

pub(crate) async fn around(router: Router, key: &Key<'_>) -> Fallible<Router> {
    let [modulus, exponent] = numbers(key.bytes).ok_or("a key in PKCS #1 is two numbers")?;
    let [modulus, exponent] = [modulus, exponent].map(|number| URL_SAFE_NO_PAD.encode(number));
    let jwks =
        format!(r#"{{"keys":[{{"kty":"RSA","alg":"RS256","kid":"{KEY_ID}","n":"{modulus}","e":"{exponent}"}}]}}"#);
    let claims = ClaimsValidationSpec::new().iss(ISSUER).aud(&vec![AUDIENCE.to_owned()]).exp(true);
    let tenant = TenantConfiguration::static_builder(jwks).claims_validation(claims).build()?;
    let server = OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant).build().await?;
    Ok(router.layer(server.into_layer::<Body>()))
}

/// The modulus and the exponent: a sequence of two integers (RFC 8017 appendix A.1.1).
fn numbers(pkcs1: &[u8]) -> Option<[&[u8]; 2]> {
    let (sequence, _) = value(pkcs1, 0x30)?;
    let (modulus, rest) = value(sequence, 0x02)?;
    let (exponent, _) = value(rest, 0x02)?;
    Some([modulus, exponent].map(|number| number.strip_prefix(&[0]).unwrap_or(number)))
}

/// The value of that type in front, and what follows it (X.690 section 8.1).
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let long_form = usize::from(first.checked_sub(0x80).unwrap_or_default());
    let (digits, rest) = rest.split_at_checked(long_form)?;
    let length = if long_form == 0 {
        usize::from(*first)
    } else {
        digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit))
    };
    rest.split_at_checked(length)
}
